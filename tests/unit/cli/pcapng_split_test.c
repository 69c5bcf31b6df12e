/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of cli/pcapng_split.c: blocks in pieces, and bytes that are none. */
#include "cli/pcapng_split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

struct seen {
	unsigned int n;
	uint32_t types[8];
	size_t bytes[8];
	int answer;
};

static int take(void *ctx, uint32_t type, const uint8_t *block, size_t n)
{
	struct seen *seen = ctx;

	seen->types[seen->n % 8] = type;
	seen->bytes[seen->n++ % 8] = n;
	assert_memory_equal(block, &type, sizeof(type));
	return seen->answer;
}

/* A block of this type and size; its length stands at both ends. */
static size_t add_block(uint8_t *to, uint32_t type, uint32_t bytes)
{
	memset(to, 0, bytes);
	memcpy(to, &type, sizeof(type));
	memcpy(to + 4, &bytes, sizeof(bytes));
	memcpy(to + bytes - 4, &bytes, sizeof(bytes));
	return bytes;
}

static void blocks_come_whole_in_any_pieces(void **state)
{
	uint8_t stream[256];
	size_t n = add_block(stream, PCAPNG_SPLIT_SECTION, 28);

	n += add_block(stream + n, PCAPNG_SPLIT_INTERFACE, 20);
	n += add_block(stream + n, PCAPNG_SPLIT_PACKET, 100);
	n += add_block(stream + n, 77, 12);
	for (size_t piece = 1; piece <= n; piece++) {
		struct pcapng_split split = {0};
		struct seen seen = {0};

		for (size_t at = 0; at < n; at += piece)
			assert_int_equal(pcapng_split_push(&split, stream + at,
							   n - at < piece ? n - at : piece, take,
							   &seen),
					 0);
		assert_int_equal(seen.n, 4);
		assert_int_equal(seen.types[2], PCAPNG_SPLIT_PACKET);
		assert_int_equal(seen.bytes[2], 100);
		assert_int_equal(split.n, 0);
		pcapng_split_fini(&split);
	}
}

static void what_is_cut_off_waits(void **state)
{
	struct pcapng_split split = {0};
	struct seen seen = {0};
	uint8_t block[40];

	add_block(block, PCAPNG_SPLIT_PACKET, 40);
	assert_int_equal(pcapng_split_push(&split, block, 39, take, &seen), 0);
	assert_int_equal(pcapng_split_push(&split, "", 0, take, &seen), 0);
	assert_int_equal(seen.n, 0);
	assert_int_equal(split.n, 39);
	pcapng_split_fini(&split);
}

static void impossible_lengths_are_refused(void **state)
{
	const uint32_t lengths[] = {0,		8,	   11, 13, PCAPNG_SPLIT_BYTES_MAX + 4,
				    UINT32_MAX, 0x1c000000 /* 28 in the other byte order */};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct pcapng_split split = {0};
		struct seen seen = {0};
		uint8_t head[8] = {0};

		memcpy(head + 4, &lengths[i], 4);
		assert_int_equal(pcapng_split_push(&split, head, 8, take, &seen), -EBADMSG);
		assert_int_equal(seen.n, 0);
		pcapng_split_fini(&split);
	}
}

static void who_takes_them_may_stop(void **state)
{
	struct pcapng_split split = {0};
	struct seen seen = {.answer = -EIO};
	uint8_t stream[40];
	size_t n = add_block(stream, PCAPNG_SPLIT_PACKET, 20);

	n += add_block(stream + n, PCAPNG_SPLIT_PACKET, 20);
	assert_int_equal(pcapng_split_push(&split, stream, n, take, &seen), -EIO);
	assert_int_equal(seen.n, 1);
	assert_int_equal(split.n, 20);
	pcapng_split_fini(&split);
}

/* A block of counts with one option of this code and length, which is the last. */
static size_t make_counts(uint8_t *block, uint16_t code, uint16_t length, uint32_t bytes)
{
	uint64_t dropped = 42;

	add_block(block, PCAPNG_SPLIT_COUNTS, bytes);
	memcpy(block + 20, &code, sizeof(code));
	memcpy(block + 22, &length, sizeof(length));
	if (bytes >= 24 + sizeof(dropped) + 4)
		memcpy(block + 24, &dropped, sizeof(dropped));
	return bytes;
}

static void what_was_dropped_is_read(void **state)
{
	uint8_t block[64];
	uint64_t dropped = 0;
	size_t n = make_counts(block, 5, 8, 40);

	assert_true(pcapng_split_dropped(block, n, &dropped));
	assert_int_equal(dropped, 42);
	/* Behind another option, whose length is no multiple of 4. */
	n = make_counts(block, 4, 5, 52);
	const uint16_t option[] = {5, 8};

	memcpy(block + 32, option, sizeof(option));
	dropped = 43;
	memcpy(block + 36, &dropped, sizeof(dropped));
	dropped = 0;
	assert_true(pcapng_split_dropped(block, n, &dropped));
	assert_int_equal(dropped, 43);
}

static void counts_that_do_not_say_are_none(void **state)
{
	uint8_t block[64];
	uint64_t dropped = 7;

	assert_false(
		pcapng_split_dropped(block, add_block(block, PCAPNG_SPLIT_COUNTS, 12), &dropped));
	assert_false(
		pcapng_split_dropped(block, add_block(block, PCAPNG_SPLIT_COUNTS, 24), &dropped));
	assert_false(pcapng_split_dropped(block, make_counts(block, 5, 4, 36), &dropped));
	assert_false(pcapng_split_dropped(block, make_counts(block, 5, 8, 32), &dropped));
	assert_false(pcapng_split_dropped(block, make_counts(block, 4, 0xffff, 40), &dropped));
	assert_int_equal(dropped, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_come_whole_in_any_pieces),
		cmocka_unit_test(what_is_cut_off_waits),
		cmocka_unit_test(impossible_lengths_are_refused),
		cmocka_unit_test(who_takes_them_may_stop),
		cmocka_unit_test(what_was_dropped_is_read),
		cmocka_unit_test(counts_that_do_not_say_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
