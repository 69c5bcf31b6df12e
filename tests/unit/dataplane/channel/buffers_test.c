/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/buffers.c. */
#include "dataplane/channel/buffers.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCKS 8u

static struct buffers *create(uint64_t n_blocks)
{
	struct buffers *buffers = NULL;

	assert_int_equal(buffers_create(n_blocks * BUFFERS_BLOCK_BYTES, &buffers), 0);
	return buffers;
}

static void blocks_are_taken_until_there_are_none(void **state)
{
	struct buffers *buffers = create(BLOCKS);
	bool seen[BLOCKS] = {false};

	for (unsigned int i = 0; i < BLOCKS; i++) {
		uint32_t block = buffers_take(buffers, 1);

		assert_true(block < BLOCKS && !seen[block]);
		assert_int_equal(buffers_next(buffers, block), BUFFERS_NONE);
		seen[block] = true;
		memset(buffers_at(buffers, block), 0xee, BUFFERS_BLOCK_BYTES);
	}
	assert_int_equal(buffers_take(buffers, 1), BUFFERS_NONE);
	assert_int_equal(buffers_n_free(buffers), 0);
	buffers_destroy(buffers);
}

static void a_chain_is_taken_whole_or_not_at_all(void **state)
{
	struct buffers *buffers = create(BLOCKS);
	uint32_t first = buffers_take(buffers, 5), n = 0;

	for (uint32_t block = first; block != BUFFERS_NONE; block = buffers_next(buffers, block))
		n++;
	assert_int_equal(n, 5);
	assert_int_equal(buffers_take(buffers, 4), BUFFERS_NONE);
	assert_int_equal(buffers_n_free(buffers), 3);
	buffers_give(buffers, first);
	assert_int_equal(buffers_n_free(buffers), BLOCKS);
	first = buffers_take(buffers, BLOCKS);
	assert_int_not_equal(first, BUFFERS_NONE);
	buffers_give(buffers, first);
	buffers_destroy(buffers);
}

static void what_was_used_is_used_again_before_what_never_was(void **state)
{
	struct buffers *buffers = create(BLOCKS);

	for (unsigned int i = 0; i < 100; i++) {
		uint32_t first = buffers_take(buffers, 2);

		assert_true(first < 2);
		buffers_give(buffers, first);
	}
	buffers_destroy(buffers);
}

/* Of 64 MiB, the pages that two frames lie in. */
static void what_was_never_needed_takes_no_memory(void **state)
{
	struct buffers *buffers = create(32768);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n_pages, n_present = 0;
	static unsigned char present[65536];

	memset(buffers_at(buffers, buffers_take(buffers, 1)), 1, BUFFERS_BLOCK_BYTES);
	memset(buffers_at(buffers, buffers_take(buffers, 1)), 1, BUFFERS_BLOCK_BYTES);
	n_pages = (size_t)buffers->n * BUFFERS_BLOCK_BYTES / page;
	assert_true(n_pages <= sizeof(present));
	assert_int_equal(mincore(buffers->blocks, n_pages * page, present), 0);
	for (size_t i = 0; i < n_pages; i++)
		n_present += present[i] & 1;
	assert_true(n_present <= 512); /* at most one huge page */
	buffers_destroy(buffers);
}

static void too_little_memory_is_refused(void **state)
{
	struct buffers *buffers = NULL;

	assert_int_equal(buffers_create(BUFFERS_BLOCK_BYTES - 1, &buffers), -EINVAL);
	buffers_destroy(NULL);
}

/* Takes, writes its name, looks whether it is still there, gives back. */
struct taker {
	struct buffers *buffers;
	pthread_t thread;
	uint8_t name;
	unsigned int n_errors;
};

static void *take_and_give(void *ctx)
{
	struct taker *taker = ctx;

	for (unsigned int i = 0; i < 20000; i++) {
		uint32_t first = buffers_take(taker->buffers, 1 + i % 3);

		for (uint32_t b = first; b != BUFFERS_NONE; b = buffers_next(taker->buffers, b))
			memset(buffers_at(taker->buffers, b), taker->name, 64);
		for (uint32_t b = first; b != BUFFERS_NONE; b = buffers_next(taker->buffers, b))
			taker->n_errors += buffers_at(taker->buffers, b)[63] != taker->name;
		if (first != BUFFERS_NONE)
			buffers_give(taker->buffers, first);
	}
	return NULL;
}

static void several_workers_never_have_the_same_block(void **state)
{
	struct buffers *buffers = create(BLOCKS);
	struct taker takers[3];

	for (unsigned int i = 0; i < 3; i++) {
		takers[i] = (struct taker){.buffers = buffers, .name = (uint8_t)(i + 1)};
		assert_int_equal(pthread_create(&takers[i].thread, NULL, take_and_give, &takers[i]),
				 0);
	}
	for (unsigned int i = 0; i < 3; i++) {
		pthread_join(takers[i].thread, NULL);
		assert_int_equal(takers[i].n_errors, 0);
	}
	assert_int_equal(buffers_n_free(buffers), BLOCKS);
	assert_int_not_equal(buffers_take(buffers, BLOCKS), BUFFERS_NONE);
	buffers_destroy(buffers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_taken_until_there_are_none),
		cmocka_unit_test(a_chain_is_taken_whole_or_not_at_all),
		cmocka_unit_test(what_was_used_is_used_again_before_what_never_was),
		cmocka_unit_test(what_was_never_needed_takes_no_memory),
		cmocka_unit_test(too_little_memory_is_refused),
		cmocka_unit_test(several_workers_never_have_the_same_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
