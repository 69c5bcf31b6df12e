/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/pool.c, in virtual time: who gets what of a capacity. */
#include "dataplane/channel/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include "tests/unit/dataplane/channel/channel_rig.h"

#define HOST 1
#define ALL UINT64_MAX
#define N_MAX 16

struct fixture {
	struct dataplane *dp;
	uint64_t now_ns;
	struct source sources[N_MAX];
	unsigned int n;
};

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){.dp = rig_create(1), .now_ns = SECOND};
	channel_rig_put_pool(f.dp, HOST, G);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	dataplane_destroy(f->dp);
	return 0;
}

/* A channel of the pool with a source. */
static struct source *add(struct fixture *f, uint64_t rate_bps, uint64_t ceil_bps, uint32_t weight,
			  uint64_t offered_bps)
{
	uint32_t id = 10 + f->n;
	struct dp_channel spec = channel_rig_channel(id, HOST, rate_bps, ceil_bps, weight);

	channel_rig_put(f->dp, &spec);
	f->sources[f->n] = channel_rig_source(f->dp, id, offered_bps);
	return &f->sources[f->n++];
}

static void run(struct fixture *f, uint64_t ns)
{
	channel_rig_run(f->dp, f->sources, f->n, &f->now_ns, ns);
}

/* What has been sent from now on, by all; then the rates are those of this time. */
static uint64_t measure(struct fixture *f, uint64_t ns)
{
	uint64_t sum_bps = 0;

	channel_rig_reset(f->sources, f->n);
	run(f, ns);
	for (unsigned int i = 0; i < f->n; i++)
		sum_bps += channel_rig_bps(&f->sources[i], ns);
	return sum_bps;
}

static void stop(struct source *source)
{
	source->offered_bps = 0;
	source->backlog_bytes = 0;
}

static void assert_within(uint64_t value, uint64_t expected, uint64_t permille)
{
	if (value < expected - expected * permille / 1000 ||
	    value > expected + expected * permille / 1000)
		fail_msg("%llu is not within %llu permille of %llu", (unsigned long long)value,
			 (unsigned long long)permille, (unsigned long long)expected);
}

static void an_assured_rate_is_kept_under_eightfold_overload(void **state)
{
	struct fixture *f = *state;
	/* One that asks for just what it is assured of, and one that asks for all it can get. */
	struct source *modest = add(f, 100 * M, 0, 1, 100 * M);
	struct source *greedy = add(f, 200 * M, 0, 1, ALL);

	for (int i = 0; i < 8; i++)
		add(f, 0, 0, 4, ALL);
	uint64_t sum_bps = measure(f, 100 * MS);

	assert_true(channel_rig_bps(modest, 100 * MS) >= 99 * M);
	assert_true(channel_rig_bps(greedy, 100 * MS) >= 198 * M);
	assert_within(sum_bps, G, 5); /* from a standstill: with everybody's burst */
	assert_within(measure(f, 100 * MS), G, 1);
	assert_true(channel_rig_bps(modest, 100 * MS) >= 99 * M);
}

static void what_is_spare_is_shared_by_weight(void **state)
{
	struct fixture *f = *state;
	static const uint32_t weights[] = {1, 2, 4, 1, 2, 4};
	double sum = 0, squares = 0;

	for (unsigned int i = 0; i < 6; i++)
		add(f, i < 3 ? 0 : 100 * M, 0, weights[i], ALL);
	run(f, 10 * MS);
	assert_within(measure(f, 100 * MS), G, 1);
	for (unsigned int i = 0; i < 6; i++) {
		double spare =
			(double)channel_rig_bps(&f->sources[i], 100 * MS) - (i < 3 ? 0 : 100e6);

		assert_within((uint64_t)spare, weights[i] * 50 * M, 10);
		sum += spare / weights[i];
		squares += spare / weights[i] * spare / weights[i];
	}
	/* Jain's index. */
	assert_true(sum * sum / (6 * squares) >= 0.99);
}

static void equal_weights_share_equally_whatever_their_frames(void **state)
{
	struct fixture *f = *state;
	static const uint32_t frames[] = {60, 1514, 590, 9014};
	double sum = 0, squares = 0;

	for (unsigned int i = 0; i < 4; i++)
		add(f, 0, 0, 1, ALL)->frame_bytes = frames[i];
	run(f, 10 * MS);
	assert_within(measure(f, 100 * MS), G, 1);
	for (unsigned int i = 0; i < 4; i++) {
		double bps = (double)channel_rig_bps(&f->sources[i], 100 * MS);

		sum += bps;
		squares += bps * bps;
	}
	assert_true(sum * sum / (4 * squares) >= 0.99);
}

static void nobody_is_above_its_ceiling(void **state)
{
	struct fixture *f = *state;
	struct source *held = add(f, 10 * M, 50 * M, 100, ALL);
	struct source *exact = add(f, 30 * M, 30 * M, 1, ALL);

	/* Alone it has no more either. */
	run(f, 10 * MS);
	for (int i = 0; i < 10; i++) {
		measure(f, 10 * MS);
		assert_true(channel_rig_bps(held, 10 * MS) <=
			    50 * M + FRAME_BYTES * 8 * SECOND / (10 * MS));
	}
	add(f, 0, 0, 1, ALL);
	run(f, 10 * MS);
	assert_within(measure(f, 100 * MS), G, 1);
	assert_within(channel_rig_bps(held, 100 * MS), 50 * M, 3);
	assert_within(channel_rig_bps(exact, 100 * MS), 30 * M, 3);
}

static void what_is_not_used_is_lent_and_back_at_once(void **state)
{
	struct fixture *f = *state;
	struct source *owner = add(f, 800 * M, 0, 1, ALL), *borrower = add(f, 0, 0, 1, ALL);

	for (int round = 0; round < 3; round++) {
		run(f, 20 * MS);
		stop(owner);
		run(f, 20 * MS);
		measure(f, 50 * MS);
		assert_within(channel_rig_bps(borrower, 50 * MS), G, 2);
		/* Back: of its first millisecond it has all. */
		owner->offered_bps = ALL;
		measure(f, MS);
		assert_true(channel_rig_bps(owner, MS) >= 800 * M);
		/* And of the capacity no more was given out than there is. */
		channel_rig_reset(f->sources, f->n);
		assert_within(measure(f, 100 * MS), G, 2);
		assert_true(channel_rig_bps(owner, 100 * MS) >= 792 * M);
	}
}

static void one_that_uses_part_of_its_rate_lends_the_rest(void **state)
{
	struct fixture *f = *state;
	struct source *owner = add(f, 800 * M, 0, 1, 200 * M), *borrower = add(f, 0, 0, 1, ALL);

	run(f, 20 * MS);
	assert_within(measure(f, 100 * MS), G, 30);
	assert_within(channel_rig_bps(owner, 100 * MS), 200 * M, 10);
	assert_true(channel_rig_bps(borrower, 100 * MS) >= 770 * M);
	/* It does not wait for a round: all the time its bucket had what it may have. */
	assert_true(bucket_rate_bps(&owner->way->bucket) >= 799 * M);
	owner->offered_bps = ALL;
	measure(f, 200 * US);
	assert_true(channel_rig_bps(owner, 200 * US) >= 780 * M);
}

static void the_capacity_is_kept_while_sources_come_and_go(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 8; i++)
		add(f, i < 4 ? 100 * M : 0, 0, 1, ALL);
	run(f, 20 * MS);
	uint64_t sum_bps = 0;

	/* One always wants all; the others come and go at times of their own. */
	for (int tick = 0; tick < 100; tick++) {
		for (unsigned int i = 1; i < 8; i++) {
			bool is_on = tick / (3 + (int)i) % 2 == 0;

			f->sources[i].offered_bps = is_on ? ALL : 0;
			if (!is_on)
				stop(&f->sources[i]);
		}
		sum_bps += measure(f, MS) / 100;
	}
	/* Never more; less only for the moments in which it is not yet seen that one has gone. */
	assert_true(sum_bps <= G + M);
	assert_true(sum_bps >= 900 * M);
}

/* Sources that have frames for 3 ms, then none for 1 or 2 ms, each at times of its own, as TCP
 * senders that are not always scheduled. Returns for how long somebody had frames. */
static uint64_t come_and_go(struct fixture *f, uint64_t ns)
{
	uint64_t next_ns[N_MAX], used_ns = 0, random = 1;

	for (unsigned int i = 0; i < f->n; i++)
		next_ns[i] = f->now_ns + i * 700 * US;
	channel_rig_reset(f->sources, f->n);
	for (uint64_t end_ns = f->now_ns + ns; f->now_ns < end_ns;) {
		bool is_used = false;

		for (unsigned int i = 0; i < f->n; i++) {
			struct source *source = &f->sources[i];
			bool was_on = source->offered_bps != 0;

			if (next_ns[i] <= f->now_ns && was_on)
				stop(source);
			else if (next_ns[i] <= f->now_ns)
				source->offered_bps = ALL;
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			if (next_ns[i] <= f->now_ns)
				next_ns[i] += !was_on ? 3 * MS : (1 + (random >> 63)) * MS;
			is_used |= source->offered_bps != 0;
		}
		run(f, 100 * US);
		used_ns += is_used ? 100 * US : 0;
	}
	return used_ns;
}

static void those_that_pause_get_their_shares_over_time(void **state)
{
	struct fixture *f = *state;
	static const uint32_t weights[] = {1, 2, 4};
	double sum = 0, squares = 0, total = 0;

	for (unsigned int i = 0; i < 3; i++)
		add(f, 0, 0, weights[i], ALL);
	come_and_go(f, 100 * MS);
	uint64_t used_ns = come_and_go(f, SECOND);

	for (unsigned int i = 0; i < 3; i++)
		total += (double)f->sources[i].sent_bytes * 8;
	for (unsigned int i = 0; i < 3; i++) {
		double part = (double)f->sources[i].sent_bytes * 8 / total / weights[i];

		assert_within((uint64_t)(part * 7e6), M, 20);
		sum += part;
		squares += part * part;
	}
	/* Jain's index. */
	assert_true(sum * sum / (3 * squares) >= 0.99);
	assert_true(total <= 1e9 * 1.001);
	assert_true(total >= 0.98 * (double)used_ns);
}

/* It pauses a third of the time, and they never do; half of all is assured to it. */
static void what_one_did_not_take_in_a_pause_it_gets_back(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, 500 * M, 0, 4, ALL);

	for (unsigned int i = 1; i < 4; i++)
		add(f, 100 * M, 0, 1, ALL);
	uint64_t sum_bytes[4] = {0};

	for (unsigned int tick = 0; tick < 330; tick++) {
		source->offered_bps = tick % 3 == 2 ? 0 : ALL;
		if (tick % 3 == 2)
			stop(source);
		measure(f, MS);
		for (unsigned int i = 0; tick >= 30 && i < 4; i++)
			sum_bytes[i] += f->sources[i].sent_bytes;
	}
	/* 300 ms. */
	assert_within(sum_bytes[0] * 8 / 300 * 1000, 614 * M, 20);
	for (unsigned int i = 1; i < 4; i++)
		assert_within(sum_bytes[i] * 8 / 300 * 1000, 128 * M, 30);
}

/* Who comes back has no more than its credit before the others: they are not starved. */
static void a_return_takes_no_more_than_its_credit(void **state)
{
	struct fixture *f = *state;
	struct source *gone = add(f, 0, 0, 4, ALL), *other = add(f, 0, 0, 1, ALL);

	run(f, 50 * MS);
	for (uint64_t pause_ns = 5 * MS; pause_ns < SECOND; pause_ns *= 3) {
		stop(gone);
		run(f, pause_ns);
		gone->offered_bps = ALL;
		measure(f, 20 * MS);
		/* Of its 4 ms in these 20 it may lack what it had in the pause. */
		if (pause_ns > 10 * MS)
			assert_within(channel_rig_bps(other, 20 * MS), 200 * M, 60);
		run(f, 20 * MS);
		assert_within(measure(f, 100 * MS), G, 1);
		assert_within(channel_rig_bps(other, 100 * MS), 200 * M, 20);
	}
}

/* 95 % of the new rate over the longer of a millisecond and 20 frames. */
static void assert_follows(struct fixture *f, const struct source *source, uint64_t bps)
{
	uint64_t frames_ns = 20ULL * FRAME_BYTES * 8 * SECOND / bps;
	uint64_t ns = frames_ns > MS ? frames_ns : MS;

	measure(f, ns);
	uint64_t is_bps = source->sent_bytes * 8 * SECOND / ns;

	if (is_bps < bps * 95 / 100 || is_bps > bps * 105 / 100 + FRAME_BYTES * 8 * SECOND / ns)
		fail_msg("%llu after a step to %llu", (unsigned long long)is_bps,
			 (unsigned long long)bps);
}

static void a_step_of_the_ceiling_is_followed(void **state)
{
	struct fixture *f = *state;
	static const uint64_t steps[] = {100 * M, G, 10 * M, 500 * M, M, 800 * M, 20 * M};
	struct source *source = add(f, 0, 50 * M, 1, ALL);

	run(f, 50 * MS);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct dp_channel spec = channel_rig_channel(10, HOST, 0, steps[i], 1);

		channel_rig_put(f->dp, &spec);
		assert_follows(f, source, steps[i]);
	}
}

static void a_step_of_the_capacity_is_followed_by_all(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++)
		add(f, 0, 0, 1, ALL);
	run(f, 50 * MS);
	channel_rig_put_pool(f->dp, HOST, 400 * M);
	assert_follows(f, &f->sources[0], 100 * M);
	channel_rig_put_pool(f->dp, HOST, 4 * G);
	assert_follows(f, &f->sources[3], G);
	assert_within(measure(f, 100 * MS), 4 * G, 1);
}

static void weights_and_pools_change_under_load(void **state)
{
	struct fixture *f = *state;
	struct dp_channel spec = channel_rig_channel(10, HOST, 0, 0, 3);

	add(f, 0, 0, 1, ALL);
	add(f, 0, 0, 1, ALL);
	run(f, 10 * MS);
	channel_rig_put(f->dp, &spec);
	assert_follows(f, &f->sources[0], 750 * M);
	/* Another pool: what is left in the old one is the other's. */
	struct dp_channel third = channel_rig_channel(12, 2, 0, 0, 1);

	channel_rig_put_pool(f->dp, 2, 100 * M);
	add(f, 0, 0, 1, ALL);
	channel_rig_put(f->dp, &third);
	run(f, 20 * MS);
	spec.pool_id = 2;
	channel_rig_put(f->dp, &spec);
	assert_follows(f, &f->sources[0], 75 * M);
	measure(f, 20 * MS);
	assert_within(channel_rig_bps(&f->sources[1], 20 * MS), G, 5);
	/* What the first had of the old one, the new one does not owe. */
	assert_within(channel_rig_bps(&f->sources[2], 20 * MS), 25 * M, 60);
}

static void more_than_there_is_assured_is_given_in_parts(void **state)
{
	struct fixture *f = *state;

	add(f, 900 * M, 0, 1, ALL);
	add(f, 600 * M, 0, 1, ALL);
	run(f, 20 * MS);
	assert_within(measure(f, 100 * MS), G, 1);
	assert_within(channel_rig_bps(&f->sources[0], 100 * MS), 600 * M, 5);
	assert_within(channel_rig_bps(&f->sources[1], 100 * MS), 400 * M, 5);
}

static void slow_pools_with_large_frames_are_as_exact(void **state)
{
	struct fixture *f = *state;

	channel_rig_put_pool(f->dp, HOST, 10 * M);
	for (int i = 0; i < 4; i++)
		add(f, i == 0 ? 4 * M : 0, 0, 1, ALL)->frame_bytes = i < 2 ? 65000 : FRAME_BYTES;
	run(f, SECOND);
	uint64_t sum_bps = measure(f, 4 * SECOND);

	/* A frame of 65,000 bytes is 52 ms of the pool. */
	assert_within(sum_bps, 10 * M, 15);
	assert_within(channel_rig_bps(&f->sources[0], 4 * SECOND), 5500000, 30);
	assert_within(channel_rig_bps(&f->sources[2], 4 * SECOND), 1500000, 10);
}

static void a_limit_of_frames_leaves_its_bytes_to_others(void **state)
{
	struct fixture *f = *state;
	struct dp_channel spec = channel_rig_channel(10, HOST, 0, 0, 1);
	struct source *counted = add(f, 0, 0, 1, ALL), *other = add(f, 0, 0, 1, ALL);

	counted->frame_bytes = 60;
	spec.ways[DP_TX].frames_per_s = 10000;
	channel_rig_put(f->dp, &spec);
	run(f, 50 * MS);
	measure(f, 100 * MS);
	assert_within(counted->sent_bytes / 60, 1000, 5);
	assert_true(channel_rig_bps(other, 100 * MS) >= 980 * M);
}

static void without_a_pool_a_channel_has_its_ceiling_or_no_limit(void **state)
{
	struct fixture *f = *state;
	struct dp_channel spec = channel_rig_channel(10, 0, 5 * M, 20 * M, 1);

	add(f, 0, 0, 1, ALL);
	channel_rig_put(f->dp, &spec);
	run(f, 50 * MS);
	measure(f, 100 * MS);
	assert_within(channel_rig_bps(&f->sources[0], 100 * MS), 20 * M, 3);
	spec.ways[DP_TX].ceiling_bps = 0;
	channel_rig_put(f->dp, &spec);
	run(f, MS);
	assert_true(bucket_credit(&f->sources[0].way->bucket, f->now_ns, false) ==
		    BUCKET_UNLIMITED);
	/* And no rounds for it. */
	run(f, 5 * MS);
	assert_true(pool_due_ns(f->dp) == UINT64_MAX);
}

static void what_is_idle_is_not_looked_at(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, 100 * M, 0, 1, 50 * M);

	for (int i = 0; i < 4; i++)
		add(f, 0, 0, 1, 0);
	run(f, 50 * MS);
	assert_true(pool_due_ns(f->dp) <= f->now_ns + MS);
	assert_true(atomic_load(&source->way->is_active));
	for (int i = 1; i < 5; i++)
		assert_false(atomic_load(&f->sources[i].way->is_active));
	stop(source);
	run(f, 50 * MS);
	assert_false(atomic_load(&source->way->is_active));
	assert_true(pool_due_ns(f->dp) == UINT64_MAX);
	/* A first frame brings the next round. */
	source->offered_bps = 100 * M;
	run(f, MS);
	assert_true(atomic_load(&source->way->is_active));
}

static void the_two_ways_are_divided_each_by_itself(void **state)
{
	struct fixture *f = *state;
	struct source *tx = add(f, 0, 0, 1, ALL), *rx = add(f, 0, 0, 1, ALL);

	rx->way = &channel_find(f->dp, 11)->ways[DP_RX];
	run(f, 20 * MS);
	assert_within(measure(f, 50 * MS), 2 * G, 1);
	assert_within(channel_rig_bps(tx, 50 * MS), G, 2);
}

static void a_clock_that_is_behind_does_nothing(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0, 1, ALL);
	run(f, 5 * MS);
	uint64_t bps = bucket_rate_bps(&f->sources[0].way->bucket);

	/* Another worker read its clock before a round, and comes here after it. */
	channel_changed(f->dp);
	channel_wake(f->sources[0].way);
	pool_turn(f->dp, f->now_ns - 4 * MS);
	assert_int_equal(bucket_rate_bps(&f->sources[0].way->bucket), bps);
	run(f, 5 * MS);
	assert_within(measure(f, 100 * MS), G, 2);
}

/* --- threads --- */

struct racer {
	struct fixture *f;
	unsigned int index;
	pthread_t thread;
};

/* A worker with a clock of its own, a little apart from the other's, takes of both channels. */
static void *race(void *arg)
{
	const struct racer *racer = arg;
	struct fixture *f = racer->f;
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
	struct fixture *f = *state;
	struct racer racers[2];

	add(f, 100 * M, 0, 1, ALL);
	add(f, 0, 0, 1, ALL);
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
	run(f, 50 * MS);
	assert_within(measure(f, 100 * MS), G + 199 * M, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_assured_rate_is_kept_under_eightfold_overload),
		TEST(what_is_spare_is_shared_by_weight),
		TEST(equal_weights_share_equally_whatever_their_frames),
		TEST(nobody_is_above_its_ceiling),
		TEST(what_is_not_used_is_lent_and_back_at_once),
		TEST(one_that_uses_part_of_its_rate_lends_the_rest),
		TEST(the_capacity_is_kept_while_sources_come_and_go),
		TEST(those_that_pause_get_their_shares_over_time),
		TEST(what_one_did_not_take_in_a_pause_it_gets_back),
		TEST(a_return_takes_no_more_than_its_credit),
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
