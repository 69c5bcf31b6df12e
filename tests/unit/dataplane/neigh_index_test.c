/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/neigh_index.c. */
#include "dataplane/neigh_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "dataplane/fdb.h"
#include "dataplane/neigh.h"

#define ALPHA 1
#define BETA 2
#define READS 2000000

static struct neigh_index *create(uint32_t n_buckets)
{
	struct neigh_index *index = NULL;

	assert_int_equal(neigh_index_create(n_buckets, 1, &index), 0);
	return index;
}

/* Every field follows from the address and `n`. */
static struct neigh_entry entry(uint16_t segment, uint32_t ip, uint16_t n)
{
	struct neigh_entry entry = {
		.key = fdb_key(segment, (uint8_t[6]){2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}),
		.version = 4,
		.port = n,
		.seen_s = n * 1000u,
		.role = NEIGH_ROLE_HOST,
	};

	memcpy(entry.ip, &ip, sizeof(ip));
	return entry;
}

static void put(struct neigh_index *index, uint16_t segment, uint32_t ip, uint16_t n)
{
	struct neigh_entry one = entry(segment, ip, n);

	neigh_index_put(index, &one);
}

/* The n that the address was put with; 0: it is unknown. */
static uint16_t look_up(const struct neigh_index *index, uint16_t segment, uint32_t ip)
{
	struct neigh_entry found = entry(segment, ip, 0);

	if (!neigh_index_find(index, &found))
		return 0;
	struct neigh_entry wanted = entry(segment, ip, found.port);

	assert_memory_equal(&found, &wanted, sizeof(found));
	return found.port;
}

static void what_is_put_is_found_whole(void **state)
{
	struct neigh_index *index = create(NEIGH_BUCKETS);
	struct neigh_entry six = entry(ALPHA, 7, 3), found;

	six.version = 6;
	six.ip[15] = 9;
	assert_int_equal(look_up(index, ALPHA, 7), 0);
	put(index, ALPHA, 7, 1);
	put(index, BETA, 7, 2);
	neigh_index_put(index, &six);
	assert_int_equal(look_up(index, ALPHA, 7), 1);
	assert_int_equal(look_up(index, BETA, 7), 2);
	found = six;
	found.port = found.role = 0;
	assert_true(neigh_index_find(index, &found));
	assert_memory_equal(&found, &six, sizeof(six));
	six.version = 4;
	assert_false(neigh_index_find(index, &six));
	put(index, ALPHA, 7, 4);
	assert_int_equal(look_up(index, ALPHA, 7), 4);
	neigh_index_destroy(index);
}

static void what_is_removed_is_unknown(void **state)
{
	struct neigh_index *index = create(1024);

	for (uint32_t i = 1; i <= 1000; i++)
		put(index, ALPHA, i, (uint16_t)i);
	for (uint32_t i = 1; i <= 1000; i += 2) {
		struct neigh_entry one = entry(ALPHA, i, 0);

		neigh_index_remove(index, &one);
		neigh_index_remove(index, &one);
	}
	for (uint32_t i = 1; i <= 1000; i++)
		assert_int_equal(look_up(index, ALPHA, i), i % 2 == 1 ? 0 : i);
	neigh_index_destroy(index);
}

static void what_finds_no_room_is_unknown(void **state)
{
	struct neigh_index *index = create(1);
	struct neigh_entry second = entry(ALPHA, 2, 0);

	for (uint32_t i = 1; i <= 4; i++)
		put(index, ALPHA, i, (uint16_t)i);
	assert_int_equal(look_up(index, ALPHA, 3), 3);
	assert_int_equal(look_up(index, ALPHA, 4), 0);
	neigh_index_remove(index, &second);
	put(index, ALPHA, 4, 4);
	assert_int_equal(look_up(index, ALPHA, 4), 4);
	/* There is an empty place before it now: it is still one entry. */
	second = entry(ALPHA, 1, 0);
	neigh_index_remove(index, &second);
	put(index, ALPHA, 4, 5);
	assert_int_equal(look_up(index, ALPHA, 4), 5);
	second = entry(ALPHA, 4, 0);
	neigh_index_remove(index, &second);
	assert_int_equal(look_up(index, ALPHA, 4), 0);
	neigh_index_destroy(index);
}

static void a_role_stays_with_its_mac(void **state)
{
	struct neigh_index *index = create(16);
	struct neigh_entry one = entry(ALPHA, 1, 1), found = one;

	one.role = NEIGH_ROLE_ROUTER;
	neigh_index_put(index, &one);
	one.role = NEIGH_ROLE_UNKNOWN;
	one.seen_s = 5;
	neigh_index_put(index, &one);
	assert_true(neigh_index_find(index, &found));
	assert_int_equal(found.role, NEIGH_ROLE_ROUTER);
	assert_int_equal(found.seen_s, 5);
	one.key = entry(ALPHA, 1, 2).key;
	neigh_index_put(index, &one);
	assert_true(neigh_index_find(index, &found));
	assert_int_equal(found.role, NEIGH_ROLE_UNKNOWN);
	neigh_index_destroy(index);
}

struct writer {
	struct neigh_index *index;
	_Atomic bool is_stopping;
};

static void *keep_writing(void *ctx)
{
	struct writer *writer = ctx;

	for (uint16_t n = 1; !atomic_load(&writer->is_stopping); n = n % 60000 + 1) {
		struct neigh_entry one = entry(ALPHA, 7, 0);

		put(writer->index, ALPHA, 7, n);
		if (n % 16 == 0)
			neigh_index_remove(writer->index, &one);
	}
	return NULL;
}

/* look_up() asserts that all fields belong together. */
static void a_reader_never_sees_half_of_an_entry(void **state)
{
	struct writer writer = {.index = create(1)};
	uint32_t n_found = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, keep_writing, &writer), 0);
	for (uint32_t i = 0; i < READS || n_found == 0; i++)
		n_found += look_up(writer.index, ALPHA, 7) != 0;
	atomic_store(&writer.is_stopping, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	neigh_index_destroy(writer.index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_found_whole),
		cmocka_unit_test(what_is_removed_is_unknown),
		cmocka_unit_test(what_finds_no_room_is_unknown),
		cmocka_unit_test(a_role_stays_with_its_mac),
		cmocka_unit_test(a_reader_never_sees_half_of_an_entry),
	};

	return cmocka_run_group_tests_name("neigh_index", tests, NULL, NULL);
}
