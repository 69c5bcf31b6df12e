/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/fdb.c: against a naive reference, and with a reader beside the writer. */
#include "dataplane/fdb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "tests/unit/dataplane/fdb_rig.h"

static void count_call(void *ctx)
{
	unsigned int *n_calls = ctx;

	(*n_calls)++;
}

static struct fdb *create(uint32_t capacity, unsigned int *n_calls)
{
	struct fdb_config config = {
		.memory = memory_plain,
		.capacity = capacity,
		.seed = 42,
		.synchronize = count_call,
		.ctx = n_calls,
	};
	struct fdb *fdb = NULL;

	*n_calls = 0;
	assert_int_equal(fdb_create(&config, &fdb), 0);
	return fdb;
}

static uint16_t look(struct fdb *fdb, uint64_t key, uint32_t now_s)
{
	return fdb_lookup(fdb, key, now_s, AGE_S);
}

static bool all(void *ctx, const struct fdb_entry *entry)
{
	return true;
}

static bool seen_before(void *ctx, const struct fdb_entry *entry)
{
	const uint32_t *limit_s = ctx;

	return entry->seen_s < *limit_s;
}

static void a_key_gives_back_segment_and_address(void **state)
{
	const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
	uint8_t back[6];
	uint64_t key = fdb_key(8191, mac);

	fdb_key_mac(key, back);
	assert_memory_equal(back, mac, 6);
	assert_int_equal(fdb_key_segment(key), 8191);
	assert_int_not_equal(fdb_key(1, mac), fdb_key(2, mac));
}

static void what_was_learned_is_found_in_its_segment_only(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(16, &n_calls);
	uint16_t old = 0;

	assert_int_equal(fdb_learn(fdb, key_of(1, 5), 3, NOW_S, &old), FDB_LEARNED_NEW);
	assert_int_equal(look(fdb, key_of(1, 5), NOW_S), 3);
	assert_int_equal(look(fdb, key_of(2, 5), NOW_S), FDB_NO_PORT);
	assert_int_equal(look(fdb, key_of(1, 6), NOW_S), FDB_NO_PORT);
	assert_int_equal(fdb_count(fdb), 1);
	fdb_destroy(fdb);
}

static void a_move_says_where_the_address_was(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(16, &n_calls);
	uint16_t old = 0;

	fdb_learn(fdb, key_of(1, 5), 3, NOW_S, &old);
	assert_int_equal(fdb_learn(fdb, key_of(1, 5), 3, NOW_S, &old), FDB_LEARNED_SAME);
	assert_int_equal(fdb_learn(fdb, key_of(1, 5), 4, NOW_S, &old), FDB_LEARNED_MOVED);
	assert_int_equal(old, 3);
	assert_int_equal(look(fdb, key_of(1, 5), NOW_S), 4);
	assert_int_equal(fdb_count(fdb), 1);
	fdb_destroy(fdb);
}

static void an_address_ages_exact_to_the_second_without_a_sweep(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(16, &n_calls);
	uint16_t old;

	fdb_learn(fdb, key_of(1, 5), 3, NOW_S, &old);
	assert_int_equal(look(fdb, key_of(1, 5), NOW_S + AGE_S), 3);
	assert_int_equal(look(fdb, key_of(1, 5), NOW_S + AGE_S + 1), FDB_NO_PORT);
	/* A worker whose clock is a second behind the one that learned. */
	assert_int_equal(look(fdb, key_of(1, 5), NOW_S - 1), 3);
	fdb_destroy(fdb);
}

static void ageing_survives_the_wrap_of_the_clock(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(16, &n_calls);
	uint16_t old;

	fdb_learn(fdb, key_of(1, 5), 3, UINT32_MAX - 9, &old);
	assert_int_equal(look(fdb, key_of(1, 5), AGE_S - 10), 3);
	assert_int_equal(look(fdb, key_of(1, 5), AGE_S - 9), FDB_NO_PORT);
	fdb_destroy(fdb);
}

static void sending_from_the_same_port_keeps_an_address_young(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(16, &n_calls);
	uint16_t old;

	fdb_learn(fdb, key_of(1, 5), 3, NOW_S, &old);
	assert_true(fdb_refresh(fdb, key_of(1, 5), 3, NOW_S + 200));
	assert_int_equal(look(fdb, key_of(1, 5), NOW_S + 200 + AGE_S), 3);
	/* From another port, or never seen: main has to know. */
	assert_false(fdb_refresh(fdb, key_of(1, 5), 4, NOW_S + 900));
	assert_int_equal(look(fdb, key_of(1, 5), NOW_S + 900), FDB_NO_PORT);
	assert_false(fdb_refresh(fdb, key_of(1, 6), 3, NOW_S));
	fdb_destroy(fdb);
}

static void a_full_table_learns_nothing_new_but_still_moves(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(100, &n_calls);
	uint16_t old;

	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(fdb_learn(fdb, key_of(1, i), 3, NOW_S, &old), FDB_LEARNED_NEW);
	assert_int_equal(fdb_learn(fdb, key_of(1, 100), 3, NOW_S, &old), FDB_LEARNED_FULL);
	assert_int_equal(look(fdb, key_of(1, 100), NOW_S), FDB_NO_PORT);
	assert_int_equal(fdb_learn(fdb, key_of(1, 50), 4, NOW_S, &old), FDB_LEARNED_MOVED);
	assert_int_equal(fdb_count(fdb), 100);
	fdb_sweep(fdb, 0, UINT64_MAX, all, NULL);
	assert_int_equal(fdb_count(fdb), 0);
	assert_int_equal(fdb_learn(fdb, key_of(1, 100), 3, NOW_S, &old), FDB_LEARNED_NEW);
	fdb_destroy(fdb);
}

static void a_sweep_deletes_what_it_is_told_to_and_nothing_else(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(1000, &n_calls);
	uint32_t limit_s = NOW_S + 100;
	uint16_t old;

	for (uint32_t i = 0; i < 200; i++)
		fdb_learn(fdb, key_of(1, i), 3, NOW_S + i, &old);
	fdb_sweep(fdb, 0, UINT64_MAX, seen_before, &limit_s);
	assert_int_equal(fdb_count(fdb), 100);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(look(fdb, key_of(1, i), NOW_S), i < 100 ? FDB_NO_PORT : 3);
	fdb_destroy(fdb);
}

static void a_port_gives_up_what_it_has_had_longest(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(1000, &n_calls);
	uint16_t old;

	for (uint32_t i = 0; i < 20; i++)
		fdb_learn(fdb, key_of((uint16_t)(1 + i % 2), i), (uint16_t)(3 + i / 10), NOW_S,
			  &old);
	assert_true(fdb_evict(fdb, 3, 1));
	assert_int_equal(look(fdb, key_of(1, 0), NOW_S), FDB_NO_PORT);
	assert_true(fdb_evict(fdb, 3, 1));
	assert_int_equal(look(fdb, key_of(2, 1), NOW_S), 3);
	assert_int_equal(look(fdb, key_of(1, 2), NOW_S), FDB_NO_PORT);
	/* One that still sends stays, if another of the oldest is silent. Any: it has most in 2. */
	fdb_refresh(fdb, key_of(2, 1), 3, NOW_S + 5);
	assert_true(fdb_evict(fdb, 3, 0));
	assert_int_equal(look(fdb, key_of(2, 1), NOW_S), 3);
	assert_int_equal(look(fdb, key_of(2, 3), NOW_S), FDB_NO_PORT);
	/* What moved away is the other port's, and its newest. */
	fdb_learn(fdb, key_of(1, 4), 4, NOW_S, &old);
	assert_int_equal(fdb_count_port(fdb, 3), 6);
	assert_int_equal(fdb_count_in(fdb, 3, 1), 2);
	assert_int_equal(fdb_count_in(fdb, 3, 2), 4);
	assert_int_equal(fdb_count_segments(fdb, 3), 2);
	assert_int_equal(fdb_count_port(fdb, 4), 11);
	while (fdb_evict(fdb, 3, 0))
		;
	assert_int_equal(fdb_count(fdb), 11);
	assert_int_equal(fdb_count_segments(fdb, 3), 0);
	assert_int_equal(look(fdb, key_of(1, 4), NOW_S), 4);
	assert_int_equal(fdb_count_segment(fdb, 1) + fdb_count_segment(fdb, 2), 11);
	assert_false(fdb_evict(fdb, 9, 0));
	fdb_destroy(fdb);
}

static unsigned int n_refused; /* an allocator has no context */

static void *alloc_small(size_t bytes, size_t align)
{
	n_refused += bytes > 100000;
	return bytes > 100000 ? NULL : memory_plain.alloc(bytes, align);
}

static void a_table_that_cannot_grow_does_not_try_each_time(void **state)
{
	unsigned int n_calls = 0;
	struct fdb_config config = {
		.memory = {.alloc = alloc_small, .free = memory_plain.free},
		.capacity = 1000000,
		.seed = 42,
		.synchronize = count_call,
		.ctx = &n_calls,
	};
	struct fdb *fdb = NULL;
	uint32_t n = 0;
	uint16_t old;

	assert_int_equal(fdb_create(&config, &fdb), 0);
	while (fdb_learn(fdb, key_of(1, n), 3, NOW_S, &old) == FDB_LEARNED_NEW)
		n++;
	assert_true(n > 1024 && fdb_count(fdb) == n);
	assert_int_equal(n_refused, 1);
	for (uint32_t i = 0; i < 9; i++)
		assert_int_equal(fdb_learn(fdb, key_of(1, n), 3, NOW_S + i, &old),
				 FDB_LEARNED_FULL);
	assert_int_equal(n_refused, 1);
	assert_int_equal(fdb_learn(fdb, key_of(1, n), 3, NOW_S + 10, &old), FDB_LEARNED_FULL);
	assert_int_equal(n_refused, 2);
	fdb_destroy(fdb);
}

static void growth_keeps_the_order_of_each_port(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(50000, &n_calls);
	uint16_t old;

	for (uint32_t i = 0; i < 50000; i++)
		fdb_learn(fdb, key_of(1, i), (uint16_t)(1 + i % 2), NOW_S, &old);
	assert_true(n_calls > 0);
	for (uint32_t i = 0; i < 1000; i += 2) {
		assert_true(fdb_evict(fdb, 1, 0));
		assert_int_equal(look(fdb, key_of(1, i), NOW_S), FDB_NO_PORT);
		assert_int_equal(look(fdb, key_of(1, i + 2), NOW_S), 1);
	}
	assert_int_equal(fdb_count_port(fdb, 1), 24500);
	assert_int_equal(fdb_count_port(fdb, 2), 25000);
	fdb_destroy(fdb);
}

static void growth_keeps_every_entry_and_waits_for_the_readers(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(100000, &n_calls);
	uint16_t old;

	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(
			fdb_learn(fdb, key_of(1, i), (uint16_t)(1 + i % 99), NOW_S + i, &old),
			FDB_LEARNED_NEW);
	/* From 1,024 buckets of 4 to 100,000 entries: it doubled five times at least. */
	assert_true(n_calls >= 5);
	assert_int_equal(fdb_count(fdb), 100000);
	for (uint32_t i = 0; i < 100000; i++) {
		assert_int_equal(look(fdb, key_of(1, i), NOW_S + i + AGE_S), 1 + i % 99);
		assert_int_equal(look(fdb, key_of(1, i), NOW_S + i + AGE_S + 1), FDB_NO_PORT);
	}
	fdb_destroy(fdb);
}

/* --- against a reference --- */

#define STATIONS 6000
#define OPS 100000

struct reference {
	uint16_t port[STATIONS]; /* 0: not there */
	uint32_t seen_s[STATIONS];
	uint32_t count;
};

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 33);
}

/* Stations are spread over three segments, so the same address lies in several. */
static uint64_t key_at(uint32_t i)
{
	return key_of((uint16_t)(1 + i % 3), i / 3);
}

static void learn_both(struct fdb *fdb, struct reference *ref, uint32_t i, uint16_t port,
		       uint32_t now_s)
{
	enum fdb_learned expected = ref->port[i] == 0	   ? FDB_LEARNED_NEW
				    : ref->port[i] == port ? FDB_LEARNED_SAME
							   : FDB_LEARNED_MOVED;
	uint16_t old = 0;

	assert_int_equal(fdb_learn(fdb, key_at(i), port, now_s, &old), expected);
	if (expected == FDB_LEARNED_MOVED)
		assert_int_equal(old, ref->port[i]);
	ref->count += expected == FDB_LEARNED_NEW;
	ref->port[i] = port;
	ref->seen_s[i] = now_s;
}

static void sweep_both(struct fdb *fdb, struct reference *ref, uint32_t now_s)
{
	uint32_t limit_s = now_s - AGE_S;

	fdb_sweep(fdb, 0, UINT64_MAX, seen_before, &limit_s);
	for (uint32_t i = 0; i < STATIONS; i++) {
		if (ref->port[i] != 0 && ref->seen_s[i] < limit_s) {
			ref->port[i] = 0;
			ref->count--;
		}
	}
	assert_int_equal(fdb_count(fdb), ref->count);
}

static void random_operations_agree_with_a_naive_table(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(STATIONS, &n_calls);
	struct reference *ref = calloc(1, sizeof(*ref));
	uint64_t random = 20261122;
	uint32_t now_s = NOW_S;

	assert_non_null(ref);
	for (unsigned int op = 0; op < OPS; op++) {
		uint32_t i = next_random(&random) % STATIONS;
		uint16_t port = (uint16_t)(1 + next_random(&random) % 8);
		uint32_t kind = next_random(&random) % 100;

		now_s += next_random(&random) % 50 == 0;
		if (kind < 30) {
			learn_both(fdb, ref, i, port, now_s);
		} else if (kind < 50) {
			bool same = ref->port[i] == port;

			assert_int_equal(fdb_refresh(fdb, key_at(i), port, now_s), same);
			if (same)
				ref->seen_s[i] = now_s;
		} else {
			bool fresh = ref->port[i] != 0 && now_s - ref->seen_s[i] <= AGE_S;

			assert_int_equal(look(fdb, key_at(i), now_s), fresh ? ref->port[i] : 0);
		}
		if (op % 5000 == 0)
			sweep_both(fdb, ref, now_s);
	}
	assert_true(ref->count > 1000);
	free(ref);
	fdb_destroy(fdb);
}

/* --- a reader beside the writer --- */

#define WINDOW 3000 /* keys in use at one time */
#define ROUNDS 60

/* The writer only moves key N between the ports home(N) and home(N) + 1. No key comes back after it
 * was deleted: the table promises nothing about a slot that changes hands twice within one look. */
struct race {
	struct fdb *fdb;
	_Atomic uint32_t first;		/* key of the window */
	_Atomic unsigned int quiescent; /* counts the reader's turns */
	_Atomic bool is_over;
	unsigned int wrong, found;
	unsigned int n_grown;
};

static uint16_t home(uint32_t station)
{
	return (uint16_t)(1 + station * 2 % 5000);
}

static void *read_all_the_time(void *arg)
{
	struct race *race = arg;
	uint64_t random = 7;

	while (!atomic_load(&race->is_over)) {
		uint32_t first = atomic_load(&race->first);

		for (unsigned int i = 0; i < 64; i++) {
			uint32_t station = first + next_random(&random) % WINDOW;
			uint16_t port = look(race->fdb, key_of(1, station), NOW_S);

			race->found += port != FDB_NO_PORT;
			race->wrong += port != FDB_NO_PORT && port != home(station) &&
				       port != home(station) + 1;
			fdb_refresh(race->fdb, key_of(1, station), home(station), NOW_S);
		}
		atomic_fetch_add(&race->quiescent, 1);
	}
	/* Whoever waits need not any more. */
	atomic_fetch_add(&race->quiescent, 2);
	return NULL;
}

/* Two more turns are begun and ended: whatever the reader held it has let go. */
static void wait_for_reader(void *ctx)
{
	struct race *race = ctx;
	unsigned int start = atomic_load(&race->quiescent);

	race->n_grown++;
	while (atomic_load(&race->quiescent) - start < 2)
		sched_yield();
}

static bool left_the_window(void *ctx, const struct fdb_entry *entry)
{
	const uint32_t *first = ctx;
	uint8_t mac[6];

	fdb_key_mac(entry->key, mac);
	return (uint32_t)(mac[2] << 24 | mac[3] << 16 | mac[4] << 8 | mac[5]) < *first;
}

static void write_rounds(struct race *race)
{
	uint16_t old;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t first = round * WINDOW / 4;

		atomic_store(&race->first, first);
		for (uint32_t i = first; i < first + WINDOW; i++)
			fdb_learn(race->fdb, key_of(1, i), home(i) + (i + round) % 2, NOW_S, &old);
		/* Up to the last third the table fills and grows, then it also empties. */
		if (round > ROUNDS * 2 / 3)
			fdb_sweep(race->fdb, 0, UINT64_MAX, left_the_window, &first);
	}
}

static void a_reader_never_gets_a_port_that_was_never_the_keys(void **state)
{
	struct race race = {0};
	struct fdb_config config = {
		.memory = memory_plain,
		.capacity = 1u << 20,
		.seed = 42,
		.synchronize = wait_for_reader,
		.ctx = &race,
	};
	pthread_t reader;

	assert_int_equal(fdb_create(&config, &race.fdb), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_all_the_time, &race), 0);
	write_rounds(&race);
	atomic_store(&race.is_over, true);
	pthread_join(reader, NULL);
	assert_int_equal(race.wrong, 0);
	assert_true(race.found > 0);
	assert_true(race.n_grown > 0);
	assert_int_equal(fdb_count(race.fdb), WINDOW);
	fdb_destroy(race.fdb);
}

static void a_static_address_neither_ages_nor_moves_nor_counts(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(1, &n_calls);
	uint16_t old = 0;

	fdb_learn(fdb, key_of(1, 5), 3, NOW_S, &old);
	assert_int_equal(fdb_bind(fdb, key_of(1, 5), 4, NOW_S), 0);
	assert_int_equal(fdb_bind(fdb, key_of(1, 6), 4, NOW_S), 0);
	assert_int_equal(fdb_count(fdb), 0);
	assert_int_equal(fdb_count_port(fdb, 3), 0);
	assert_int_equal(fdb_count_port(fdb, 4), 0);
	assert_int_equal(fdb_count_segment(fdb, 1), 0);
	/* Nothing to tell main, who would not listen. */
	assert_true(fdb_refresh(fdb, key_of(1, 5), 3, NOW_S + 1));
	assert_int_equal(fdb_learn(fdb, key_of(1, 5), 3, NOW_S + 1, &old), FDB_LEARNED_STATIC);
	assert_int_equal(old, 4);
	assert_false(fdb_evict(fdb, 4, 0));
	assert_int_equal(look(fdb, key_of(1, 5), NOW_S + AGE_S + 1), 4);
	assert_int_equal(look(fdb, key_of(1, 6), NOW_S + AGE_S + 1), 4);
	/* There is room for one that is learned. */
	assert_int_equal(fdb_learn(fdb, key_of(1, 7), 3, NOW_S, &old), FDB_LEARNED_NEW);
	fdb_sweep(fdb, 0, UINT64_MAX, all, NULL);
	assert_int_equal(look(fdb, key_of(1, 5), NOW_S), FDB_NO_PORT);
	assert_int_equal(fdb_count(fdb), 0);
	fdb_destroy(fdb);
}

static void growth_keeps_static_addresses_static(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(100000, &n_calls);
	uint16_t old;

	fdb_bind(fdb, key_of(1, 0), 4, NOW_S);
	for (uint32_t i = 1; i < 20000; i++)
		fdb_learn(fdb, key_of(1, i), 3, NOW_S, &old);
	assert_int_not_equal(n_calls, 0);
	assert_int_equal(look(fdb, key_of(1, 0), NOW_S + AGE_S + 1), 4);
	fdb_destroy(fdb);
}

/* A million addresses need 2^19 buckets, 32 MB; entries of each port keep their order. */
static void a_table_grows_well_above_half_full(void **state)
{
	unsigned int n_calls;
	struct fdb *fdb = create(UINT32_MAX, &n_calls);
	uint64_t n_buckets = fdb_buckets(fdb);
	uint16_t old;

	for (uint32_t i = 0; i < 300000; i++) {
		assert_int_equal(fdb_learn(fdb, key_of(1, i), (uint16_t)(1 + i % 7), NOW_S, &old),
				 FDB_LEARNED_NEW);
		if (fdb_buckets(fdb) == n_buckets)
			continue;
		assert_true(i > n_buckets * FDB_BUCKET_ENTRIES / 2);
		n_buckets = fdb_buckets(fdb);
	}
	for (uint32_t i = 0; i < 300000; i++)
		assert_int_equal(look(fdb, key_of(1, i), NOW_S), 1 + i % 7);
	/* The oldest go first: lists are whole, whatever was moved. */
	for (uint32_t i = 0; i < 20000; i++)
		assert_true(fdb_evict(fdb, (uint16_t)(1 + i % 7), 0));
	for (uint32_t i = 20100; i < 300000; i++)
		assert_int_equal(look(fdb, key_of(1, i), NOW_S), 1 + i % 7);
	assert_int_equal(fdb_count(fdb), 280000);
	fdb_destroy(fdb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_gives_back_segment_and_address),
		cmocka_unit_test(what_was_learned_is_found_in_its_segment_only),
		cmocka_unit_test(a_move_says_where_the_address_was),
		cmocka_unit_test(an_address_ages_exact_to_the_second_without_a_sweep),
		cmocka_unit_test(ageing_survives_the_wrap_of_the_clock),
		cmocka_unit_test(sending_from_the_same_port_keeps_an_address_young),
		cmocka_unit_test(a_full_table_learns_nothing_new_but_still_moves),
		cmocka_unit_test(a_static_address_neither_ages_nor_moves_nor_counts),
		cmocka_unit_test(a_table_grows_well_above_half_full),
		cmocka_unit_test(growth_keeps_static_addresses_static),
		cmocka_unit_test(a_sweep_deletes_what_it_is_told_to_and_nothing_else),
		cmocka_unit_test(a_port_gives_up_what_it_has_had_longest),
		cmocka_unit_test(a_table_that_cannot_grow_does_not_try_each_time),
		cmocka_unit_test(growth_keeps_the_order_of_each_port),
		cmocka_unit_test(growth_keeps_every_entry_and_waits_for_the_readers),
		cmocka_unit_test(random_operations_agree_with_a_naive_table),
		cmocka_unit_test(a_reader_never_gets_a_port_that_was_never_the_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
