/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/pool.c, in virtual time: who gets what of a capacity. */
#include "dataplane/channel/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include "tests/unit/dataplane/channel/pool_rig.h"

static void an_assured_rate_is_kept_under_eightfold_overload(void **state)
{
	struct pool_rig *f = *state;
	/* One that asks for just what it is assured of, and one that asks for all it can get. */
	struct source *modest = pool_rig_add(f, 100 * M, 0, 1, 100 * M);
	struct source *greedy = pool_rig_add(f, 200 * M, 0, 1, ALL);

	for (int i = 0; i < 8; i++)
		pool_rig_add(f, 0, 0, 4, ALL);
	uint64_t sum_bps = pool_rig_measure(f, 100 * MS);

	assert_true(channel_rig_bps(modest, 100 * MS) >= 99 * M);
	assert_true(channel_rig_bps(greedy, 100 * MS) >= 198 * M);
	pool_rig_assert_within(sum_bps, G, 5); /* from a standstill: with everybody's burst */
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 1);
	assert_true(channel_rig_bps(modest, 100 * MS) >= 99 * M);
}

static void what_is_spare_is_shared_by_weight(void **state)
{
	struct pool_rig *f = *state;
	static const uint32_t weights[] = {1, 2, 4, 1, 2, 4};
	double sum = 0, squares = 0;

	for (unsigned int i = 0; i < 6; i++)
		pool_rig_add(f, i < 3 ? 0 : 100 * M, 0, weights[i], ALL);
	pool_rig_run(f, 10 * MS);
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 1);
	for (unsigned int i = 0; i < 6; i++) {
		double spare =
			(double)channel_rig_bps(&f->sources[i], 100 * MS) - (i < 3 ? 0 : 100e6);

		pool_rig_assert_within((uint64_t)spare, weights[i] * 50 * M, 10);
		sum += spare / weights[i];
		squares += spare / weights[i] * spare / weights[i];
	}
	/* Jain's index. */
	assert_true(sum * sum / (6 * squares) >= 0.99);
}

static void equal_weights_share_equally_whatever_their_frames(void **state)
{
	struct pool_rig *f = *state;
	static const uint32_t frames[] = {60, 1514, 590, 9014};
	double sum = 0, squares = 0;

	for (unsigned int i = 0; i < 4; i++)
		pool_rig_add(f, 0, 0, 1, ALL)->frame_bytes = frames[i];
	pool_rig_run(f, 10 * MS);
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 1);
	for (unsigned int i = 0; i < 4; i++) {
		double bps = (double)channel_rig_bps(&f->sources[i], 100 * MS);

		sum += bps;
		squares += bps * bps;
	}
	assert_true(sum * sum / (4 * squares) >= 0.99);
}

static void nobody_is_above_its_ceiling(void **state)
{
	struct pool_rig *f = *state;
	struct source *held = pool_rig_add(f, 10 * M, 50 * M, 100, ALL);
	struct source *exact = pool_rig_add(f, 30 * M, 30 * M, 1, ALL);

	/* Alone it has no more either. */
	pool_rig_run(f, 10 * MS);
	for (int i = 0; i < 10; i++) {
		pool_rig_measure(f, 10 * MS);
		assert_true(channel_rig_bps(held, 10 * MS) <=
			    50 * M + FRAME_BYTES * 8 * SECOND / (10 * MS));
	}
	pool_rig_add(f, 0, 0, 1, ALL);
	pool_rig_run(f, 10 * MS);
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 1);
	pool_rig_assert_within(channel_rig_bps(held, 100 * MS), 50 * M, 3);
	pool_rig_assert_within(channel_rig_bps(exact, 100 * MS), 30 * M, 3);
}

static void what_is_not_used_is_lent_and_back_at_once(void **state)
{
	struct pool_rig *f = *state;
	struct source *owner = pool_rig_add(f, 800 * M, 0, 1, ALL),
		      *borrower = pool_rig_add(f, 0, 0, 1, ALL);

	for (int round = 0; round < 3; round++) {
		pool_rig_run(f, 20 * MS);
		pool_rig_stop(owner);
		pool_rig_run(f, 20 * MS);
		pool_rig_measure(f, 50 * MS);
		pool_rig_assert_within(channel_rig_bps(borrower, 50 * MS), G, 2);
		/* Back: of its first millisecond it has all. */
		owner->offered_bps = ALL;
		pool_rig_measure(f, MS);
		assert_true(channel_rig_bps(owner, MS) >= 800 * M);
		/* And of the capacity no more was given out than there is. */
		channel_rig_reset(f->sources, f->n);
		pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 2);
		assert_true(channel_rig_bps(owner, 100 * MS) >= 792 * M);
	}
}

static void one_that_uses_part_of_its_rate_lends_the_rest(void **state)
{
	struct pool_rig *f = *state;
	struct source *owner = pool_rig_add(f, 800 * M, 0, 1, 200 * M),
		      *borrower = pool_rig_add(f, 0, 0, 1, ALL);

	pool_rig_run(f, 20 * MS);
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 30);
	pool_rig_assert_within(channel_rig_bps(owner, 100 * MS), 200 * M, 10);
	assert_true(channel_rig_bps(borrower, 100 * MS) >= 770 * M);
	/* It does not wait for a round: all the time its bucket had what it may have. */
	assert_true(bucket_rate_bps(&owner->way->bucket) >= 799 * M);
	owner->offered_bps = ALL;
	pool_rig_measure(f, 200 * US);
	assert_true(channel_rig_bps(owner, 200 * US) >= 780 * M);
}

static void the_capacity_is_kept_while_sources_come_and_go(void **state)
{
	struct pool_rig *f = *state;

	for (int i = 0; i < 8; i++)
		pool_rig_add(f, i < 4 ? 100 * M : 0, 0, 1, ALL);
	pool_rig_run(f, 20 * MS);
	uint64_t sum_bps = 0;

	/* One always wants all; the others come and go at times of their own. */
	for (int tick = 0; tick < 100; tick++) {
		for (unsigned int i = 1; i < 8; i++) {
			bool is_on = tick / (3 + (int)i) % 2 == 0;

			f->sources[i].offered_bps = is_on ? ALL : 0;
			if (!is_on)
				pool_rig_stop(&f->sources[i]);
		}
		sum_bps += pool_rig_measure(f, MS) / 100;
	}
	/* Never more; less only for the moments in which it is not yet seen that one has gone. */
	assert_true(sum_bps <= G + M);
	assert_true(sum_bps >= 900 * M);
}

/* 95 % of the new rate over the longer of a millisecond and 20 frames. */
static void assert_follows(struct pool_rig *f, const struct source *source, uint64_t bps)
{
	uint64_t frames_ns = 20ULL * FRAME_BYTES * 8 * SECOND / bps;
	uint64_t ns = frames_ns > MS ? frames_ns : MS;

	pool_rig_measure(f, ns);
	uint64_t is_bps = source->sent_bytes * 8 * SECOND / ns;

	if (is_bps < bps * 95 / 100 || is_bps > bps * 105 / 100 + FRAME_BYTES * 8 * SECOND / ns)
		fail_msg("%llu after a step to %llu", (unsigned long long)is_bps,
			 (unsigned long long)bps);
}

static void a_step_of_the_ceiling_is_followed(void **state)
{
	struct pool_rig *f = *state;
	static const uint64_t steps[] = {100 * M, G, 10 * M, 500 * M, M, 800 * M, 20 * M};
	struct source *source = pool_rig_add(f, 0, 50 * M, 1, ALL);

	pool_rig_run(f, 50 * MS);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct dp_channel spec = channel_rig_channel(10, HOST, 0, steps[i], 1);

		channel_rig_put(f->dp, &spec);
		assert_follows(f, source, steps[i]);
	}
}

static void a_step_of_the_capacity_is_followed_by_all(void **state)
{
	struct pool_rig *f = *state;

	for (int i = 0; i < 4; i++)
		pool_rig_add(f, 0, 0, 1, ALL);
	pool_rig_run(f, 50 * MS);
	channel_rig_put_pool(f->dp, HOST, 400 * M);
	assert_follows(f, &f->sources[0], 100 * M);
	channel_rig_put_pool(f->dp, HOST, 4 * G);
	assert_follows(f, &f->sources[3], G);
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), 4 * G, 1);
}

static void weights_and_pools_change_under_load(void **state)
{
	struct pool_rig *f = *state;
	struct dp_channel spec = channel_rig_channel(10, HOST, 0, 0, 3);

	pool_rig_add(f, 0, 0, 1, ALL);
	pool_rig_add(f, 0, 0, 1, ALL);
	pool_rig_run(f, 10 * MS);
	channel_rig_put(f->dp, &spec);
	assert_follows(f, &f->sources[0], 750 * M);
	/* Another pool: what is left in the old one is the other's. */
	struct dp_channel third = channel_rig_channel(12, 2, 0, 0, 1);

	channel_rig_put_pool(f->dp, 2, 100 * M);
	pool_rig_add(f, 0, 0, 1, ALL);
	channel_rig_put(f->dp, &third);
	pool_rig_run(f, 20 * MS);
	spec.pool_id = 2;
	channel_rig_put(f->dp, &spec);
	assert_follows(f, &f->sources[0], 75 * M);
	pool_rig_measure(f, 20 * MS);
	pool_rig_assert_within(channel_rig_bps(&f->sources[1], 20 * MS), G, 5);
	/* What the first had of the old one, the new one does not owe. */
	pool_rig_assert_within(channel_rig_bps(&f->sources[2], 20 * MS), 25 * M, 60);
}

static void more_than_there_is_assured_is_given_in_parts(void **state)
{
	struct pool_rig *f = *state;

	pool_rig_add(f, 900 * M, 0, 1, ALL);
	pool_rig_add(f, 600 * M, 0, 1, ALL);
	pool_rig_run(f, 20 * MS);
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 1);
	pool_rig_assert_within(channel_rig_bps(&f->sources[0], 100 * MS), 600 * M, 5);
	pool_rig_assert_within(channel_rig_bps(&f->sources[1], 100 * MS), 400 * M, 5);
}

static void slow_pools_with_large_frames_are_as_exact(void **state)
{
	struct pool_rig *f = *state;

	channel_rig_put_pool(f->dp, HOST, 10 * M);
	for (int i = 0; i < 4; i++)
		pool_rig_add(f, i == 0 ? 4 * M : 0, 0, 1, ALL)->frame_bytes =
			i < 2 ? 65000 : FRAME_BYTES;
	pool_rig_run(f, SECOND);
	uint64_t sum_bps = pool_rig_measure(f, 4 * SECOND);

	/* A frame of 65,000 bytes is 52 ms of the pool. */
	pool_rig_assert_within(sum_bps, 10 * M, 15);
	pool_rig_assert_within(channel_rig_bps(&f->sources[0], 4 * SECOND), 5500000, 30);
	pool_rig_assert_within(channel_rig_bps(&f->sources[2], 4 * SECOND), 1500000, 10);
}

static void a_limit_of_frames_leaves_its_bytes_to_others(void **state)
{
	struct pool_rig *f = *state;
	struct dp_channel spec = channel_rig_channel(10, HOST, 0, 0, 1);
	struct source *counted = pool_rig_add(f, 0, 0, 1, ALL),
		      *other = pool_rig_add(f, 0, 0, 1, ALL);

	counted->frame_bytes = 60;
	spec.ways[DP_TX].frames_per_s = 10000;
	channel_rig_put(f->dp, &spec);
	pool_rig_run(f, 50 * MS);
	pool_rig_measure(f, 100 * MS);
	pool_rig_assert_within(counted->sent_bytes / 60, 1000, 5);
	assert_true(channel_rig_bps(other, 100 * MS) >= 980 * M);
}

static void without_a_pool_a_channel_has_its_ceiling_or_no_limit(void **state)
{
	struct pool_rig *f = *state;
	struct dp_channel spec = channel_rig_channel(10, 0, 5 * M, 20 * M, 1);

	pool_rig_add(f, 0, 0, 1, ALL);
	channel_rig_put(f->dp, &spec);
	pool_rig_run(f, 50 * MS);
	pool_rig_measure(f, 100 * MS);
	pool_rig_assert_within(channel_rig_bps(&f->sources[0], 100 * MS), 20 * M, 3);
	spec.ways[DP_TX].ceiling_bps = 0;
	channel_rig_put(f->dp, &spec);
	pool_rig_run(f, MS);
	assert_true(bucket_credit(&f->sources[0].way->bucket, f->now_ns, false) ==
		    BUCKET_UNLIMITED);
	/* And no rounds for it. */
	pool_rig_run(f, 5 * MS);
	assert_true(pool_due_ns(f->dp) == UINT64_MAX);
}

static void what_is_idle_is_not_looked_at(void **state)
{
	struct pool_rig *f = *state;
	struct source *source = pool_rig_add(f, 100 * M, 0, 1, 50 * M);

	for (int i = 0; i < 4; i++)
		pool_rig_add(f, 0, 0, 1, 0);
	pool_rig_run(f, 50 * MS);
	assert_true(pool_due_ns(f->dp) <= f->now_ns + MS);
	assert_true(atomic_load(&source->way->is_active));
	for (int i = 1; i < 5; i++)
		assert_false(atomic_load(&f->sources[i].way->is_active));
	pool_rig_stop(source);
	pool_rig_run(f, 50 * MS);
	assert_false(atomic_load(&source->way->is_active));
	assert_true(pool_due_ns(f->dp) == UINT64_MAX);
	/* A first frame brings the next round. */
	source->offered_bps = 100 * M;
	pool_rig_run(f, MS);
	assert_true(atomic_load(&source->way->is_active));
}

static void the_two_ways_are_divided_each_by_itself(void **state)
{
	struct pool_rig *f = *state;
	struct source *tx = pool_rig_add(f, 0, 0, 1, ALL), *rx = pool_rig_add(f, 0, 0, 1, ALL);

	rx->way = &channel_find(f->dp, 11)->ways[DP_RX];
	pool_rig_run(f, 20 * MS);
	pool_rig_assert_within(pool_rig_measure(f, 50 * MS), 2 * G, 1);
	pool_rig_assert_within(channel_rig_bps(tx, 50 * MS), G, 2);
}

static void a_clock_that_is_behind_does_nothing(void **state)
{
	struct pool_rig *f = *state;

	pool_rig_add(f, 0, 0, 1, ALL);
	pool_rig_run(f, 5 * MS);
	uint64_t bps = bucket_rate_bps(&f->sources[0].way->bucket);

	/* Another worker read its clock before a round, and comes here after it. */
	channel_changed(f->dp);
	channel_wake(f->sources[0].way);
	pool_turn(f->dp, f->now_ns - 4 * MS);
	assert_int_equal(bucket_rate_bps(&f->sources[0].way->bucket), bps);
	pool_rig_run(f, 5 * MS);
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 2);
}

/* --- threads --- */

struct racer {
	struct pool_rig *f;
	unsigned int index;
	pthread_t thread;
};

/* A worker with a clock of its own, a little apart from the other's, takes of both channels. */
static void *race(void *arg)
{
	const struct racer *racer = arg;
	struct pool_rig *f = racer->f;
	uint64_t now_ns = SECOND + racer->index;

	for (unsigned int i = 0; i < 20000; i++, now_ns += STEP_NS) {
		struct channel_way *way = f->sources[(i + racer->index) % 2].way;

		if (now_ns >= pool_due_ns(f->dp))
			pool_turn(f->dp, now_ns);
		if (bucket_credit(&way->bucket, now_ns, true) <= 0) {
			channel_note_wait(way, now_ns);
			continue;
		}
		bucket_charge(&way->bucket, now_ns, FRAME_BYTES, 1, true);
		channel_count_taken(way, FRAME_BYTES);
	}
	return NULL;
}

/* The thread sanitizer sees what two workers and main do to one pool. */
static void two_workers_divide_while_main_changes(void **state)
{
	struct pool_rig *f = *state;
	struct racer racers[2];

	pool_rig_add(f, 100 * M, 0, 1, ALL);
	pool_rig_add(f, 0, 0, 1, ALL);
	for (unsigned int i = 0; i < 2; i++) {
		racers[i] = (struct racer){.f = f, .index = i};
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (uint32_t i = 0; i < 200; i++) {
		struct dp_channel spec =
			channel_rig_channel(10, i % 3 == 0 ? 0 : HOST, M * (1 + i), G + i, 1 + i);

		channel_rig_put(f->dp, &spec);
		channel_rig_put_pool(f->dp, HOST, G + i * M);
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(racers[i].thread, NULL);
	/* Rounds went on: the last settings count. */
	f->now_ns = 3 * SECOND;
	pool_rig_run(f, 50 * MS);
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G + 199 * M, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_rig_set_up, pool_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_assured_rate_is_kept_under_eightfold_overload),
		TEST(what_is_spare_is_shared_by_weight),
		TEST(equal_weights_share_equally_whatever_their_frames),
		TEST(nobody_is_above_its_ceiling),
		TEST(what_is_not_used_is_lent_and_back_at_once),
		TEST(one_that_uses_part_of_its_rate_lends_the_rest),
		TEST(the_capacity_is_kept_while_sources_come_and_go),
		TEST(a_step_of_the_ceiling_is_followed),
		TEST(a_step_of_the_capacity_is_followed_by_all),
		TEST(weights_and_pools_change_under_load),
		TEST(more_than_there_is_assured_is_given_in_parts),
		TEST(slow_pools_with_large_frames_are_as_exact),
		TEST(a_limit_of_frames_leaves_its_bytes_to_others),
		TEST(without_a_pool_a_channel_has_its_ceiling_or_no_limit),
		TEST(what_is_idle_is_not_looked_at),
		TEST(the_two_ways_are_divided_each_by_itself),
		TEST(a_clock_that_is_behind_does_nothing),
		TEST(two_workers_divide_while_main_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
