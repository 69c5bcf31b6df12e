/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/fdb.c: many keys asked together, and its hash with many secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataplane/fdb.h"
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
	struct fdb_query queries[64];
	uint16_t old;

	for (uint32_t i = 0; i < 6000; i++) {
		if (i % 4 != 3)
			fdb_learn(fdb, key_of(1, i), (uint16_t)(1 + i % 3), NOW_S - i % 500, &old);
	}
	for (uint32_t at = 0; at < 6000; at += 60) {
		for (uint32_t i = 0; i < 60; i++)
			queries[i] = (struct fdb_query){.key = key_of(1, at + i),
							.age_s = i % 2 != 0 ? AGE_S : 2 * AGE_S};
		fdb_lookup_all(fdb, queries, 60, NOW_S);
		for (uint32_t i = 0; i < 60; i++)
			assert_int_equal(queries[i].port, fdb_lookup(fdb, key_of(1, at + i), NOW_S,
								     queries[i].age_s));
	}
	fdb_destroy(fdb);
}

static void of_many_that_sent_only_the_unknown_are_left(void **state)
{
	struct fdb *fdb = create(42);
	struct fdb_query queries[8];
	uint16_t old;

	for (uint16_t i = 0; i < 8; i++) {
		if (i % 3 != 0)
			fdb_learn(fdb, key_of(1, i), i == 7 ? 4 : 3, NOW_S, &old);
		queries[i] = (struct fdb_query){.key = key_of(1, i), .tag = i};
	}
	/* 0, 3 and 6 are not there, 7 is elsewhere. */
	assert_int_equal(fdb_refresh_all(fdb, queries, 8, 3, NOW_S + 200), 4);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(queries[i].tag, i == 3 ? 7 : 3 * i);
		assert_int_equal(queries[i].key, key_of(1, queries[i].tag));
	}
	assert_int_equal(fdb_lookup(fdb, key_of(1, 1), NOW_S + 200 + AGE_S, AGE_S), 3);
	assert_int_equal(fdb_lookup(fdb, key_of(1, 7), NOW_S + 200 + AGE_S, AGE_S), FDB_NO_PORT);
	assert_int_equal(fdb_refresh_all(fdb, queries, 0, 3, NOW_S), 0);
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
		cmocka_unit_test(of_many_that_sent_only_the_unknown_are_left),
		cmocka_unit_test(no_row_of_addresses_crowds_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
