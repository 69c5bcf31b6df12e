/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/fdb.c: many keys asked together, and its hash with many secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataplane/fdb_table.h"
#include "tests/unit/dataplane/fdb_rig.h"

static void nobody_reads(void *ctx)
{
}

static struct fdb *create(uint64_t seed)
{
	const struct fdb_config config = {.memory = memory_plain,
					  .capacity = UINT32_MAX,
					  .seed = seed,
					  .synchronize = nobody_reads};
	struct fdb *fdb = NULL;

	assert_int_equal(fdb_create(&config, &fdb), 0);
	return fdb;
}

/* Entry i is behind port 1 + i % 3 and was seen i seconds ago; of every fourth there is none. */
static void many_are_answered_as_one_by_one(void **state)
{
	struct fdb *fdb = create(42);
	uint64_t hashes[60];
	uint16_t old;

	for (uint32_t i = 0; i < 6000; i++) {
		if (i % 4 != 3)
			fdb_learn(fdb, key_of(1, i), (uint16_t)(1 + i % 3), NOW_S - i % 500, &old);
	}
	for (uint32_t at = 0; at < 6000; at += 60) {
		for (uint32_t i = 0; i < 60; i++)
			hashes[i] = fdb_table_ask(fdb_table(fdb), key_of(1, at + i));
		for (uint32_t i = 0; i < 60; i++) {
			uint64_t key = key_of(1, at + i);
			bool is_there = (at + i) % 4 != 3 && (at + i) % 500 <= AGE_S;
			uint16_t port =
				fdb_table_look_up(fdb_table(fdb), key, hashes[i], NOW_S, AGE_S);

			assert_int_equal(port, is_there ? 1 + (at + i) % 3 : FDB_NO_PORT);
			assert_int_equal(port, fdb_lookup(fdb, key, NOW_S, AGE_S));
		}
	}
	fdb_destroy(fdb);
}

static bool sent(struct fdb *fdb, uint32_t station, uint16_t port, uint32_t now_s)
{
	struct fdb_table *table = fdb_table(fdb);
	uint64_t key = key_of(1, station);

	return fdb_table_refresh(table, key, fdb_table_ask(table, key), fdb_value(port, 0, now_s));
}

/* Stations 1 to 4: learned, learned elsewhere, static, static elsewhere. 5 is not there. */
static void who_sends_is_young_and_stays_what_it_was(void **state)
{
	const uint32_t later_s = NOW_S + 200, end_s = later_s + AGE_S;
	struct fdb *fdb = create(42);
	uint16_t old;

	for (uint16_t i = 1; i <= 4; i++) {
		uint16_t port = i % 2 != 0 ? 3 : 4;

		if (i <= 2)
			fdb_learn(fdb, key_of(1, i), port, NOW_S, &old);
		else
			fdb_bind(fdb, key_of(1, i), port, NOW_S);
	}
	for (uint32_t i = 1; i <= 5; i++) {
		bool is_known = i != 2 && i != 5;

		/* The first of a second writes the time, the others find it. */
		assert_int_equal(sent(fdb, i, 3, later_s), is_known);
		assert_int_equal(sent(fdb, i, 3, later_s), is_known);
	}
	assert_int_equal(fdb_lookup(fdb, key_of(1, 1), end_s, AGE_S), 3);
	assert_int_equal(fdb_lookup(fdb, key_of(1, 1), end_s + 1, AGE_S), FDB_NO_PORT);
	assert_int_equal(fdb_lookup(fdb, key_of(1, 2), end_s, AGE_S), FDB_NO_PORT);
	assert_int_equal(fdb_lookup(fdb, key_of(1, 3), end_s + 1, AGE_S), 3);
	assert_int_equal(fdb_lookup(fdb, key_of(1, 4), end_s + 1, AGE_S), 4);
	fdb_destroy(fdb);
}

/* Addresses in a row of many kinds: none of them may crowd a few buckets, whatever the secret. */
static void no_row_of_addresses_crowds_the_table(void **state)
{
	static const uint32_t steps[] = {1, 2, 3, 256, 65536 + 256, 1000003};

	for (uint64_t seed = 0; seed < 48; seed++) {
		struct fdb *fdb = create(seed);
		uint64_t n_buckets = fdb_buckets(fdb);
		uint32_t step = steps[seed % 6];
		uint16_t old;

		for (uint32_t i = 0; i < 12000; i++) {
			/* A station is in two segments. */
			uint64_t key = key_of((uint16_t)(1 + i % 2), i / 2 * step);

			assert_int_equal(fdb_learn(fdb, key, 1, NOW_S, &old), FDB_LEARNED_NEW);
			if (fdb_buckets(fdb) != n_buckets)
				assert_true(i > n_buckets * FDB_BUCKET_ENTRIES * 55 / 100);
			n_buckets = fdb_buckets(fdb);
		}
		fdb_destroy(fdb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_are_answered_as_one_by_one),
		cmocka_unit_test(who_sends_is_young_and_stays_what_it_was),
		cmocka_unit_test(no_row_of_addresses_crowds_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
