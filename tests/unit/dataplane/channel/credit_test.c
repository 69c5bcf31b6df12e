/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/credit.c, in virtual time: who pauses and comes back. */
#include "dataplane/channel/credit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/dataplane/channel/pool_rig.h"

/* Sources that have frames for 3 ms, then none for 1 or 2 ms, each at times of its own, as TCP
 * senders that are not always scheduled. Returns for how long somebody had frames. */
static uint64_t come_and_go(struct pool_rig *f, uint64_t ns)
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
				pool_rig_stop(source);
			else if (next_ns[i] <= f->now_ns)
				source->offered_bps = ALL;
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			if (next_ns[i] <= f->now_ns)
				next_ns[i] += !was_on ? 3 * MS : (1 + (random >> 63)) * MS;
			is_used |= source->offered_bps != 0;
		}
		pool_rig_run(f, 100 * US);
		used_ns += is_used ? 100 * US : 0;
	}
	return used_ns;
}

static void those_that_pause_get_their_shares_over_time(void **state)
{
	struct pool_rig *f = *state;
	static const uint32_t weights[] = {1, 2, 4};
	double sum = 0, squares = 0, total = 0;

	for (unsigned int i = 0; i < 3; i++)
		pool_rig_add(f, 0, 0, weights[i], ALL);
	come_and_go(f, 100 * MS);
	uint64_t used_ns = come_and_go(f, SECOND);

	for (unsigned int i = 0; i < 3; i++)
		total += (double)f->sources[i].sent_bytes * 8;
	for (unsigned int i = 0; i < 3; i++) {
		double part = (double)f->sources[i].sent_bytes * 8 / total / weights[i];

		pool_rig_assert_within((uint64_t)(part * 7e6), M, 20);
		sum += part;
		squares += part * part;
	}
	/* Jain's index. */
	assert_true(sum * sum / (3 * squares) >= 0.99);
	assert_true(total <= 1e9 * 1.001);
	assert_true(total >= 0.98 * (double)used_ns);
}

/* All of the pool is assured: what passes beyond it, as those that come back have theirs at once,
 * is taken off what others leave that pause. */
static void where_all_is_assured_pauses_pay_for_bursts(void **state)
{
	struct pool_rig *f = *state;
	double total = 0;

	for (uint32_t id = 10; id < 14; id++) {
		struct dp_channel spec = channel_rig_channel(id, HOST, 250 * M, 0, 1);

		spec.ways[DP_TX].burst_bytes = 60000;
		channel_rig_put(f->dp, &spec);
		f->sources[f->n++] = channel_rig_source(f->dp, id, ALL);
	}
	come_and_go(f, 100 * MS);
	uint64_t used_ns = come_and_go(f, SECOND);

	for (unsigned int i = 0; i < 4; i++)
		total += (double)f->sources[i].sent_bytes * 8;
	assert_true(total <= 1e9 * 1.001);
	assert_true(total >= 0.98 * (double)used_ns);
}

/* The first source pauses for one of so many ms; 300 ms of it, after 30. sum_bytes: what each has
 * sent; the least that any of the others had in one of these ms. */
static uint64_t pause_one_of(struct pool_rig *f, unsigned int ms, uint64_t *sum_bytes)
{
	struct source *source = &f->sources[0];
	uint64_t least_bps = UINT64_MAX;

	for (unsigned int tick = 0; tick < 330; tick++) {
		bool is_on = tick % ms != ms - 1;

		source->offered_bps = is_on ? ALL : 0;
		if (!is_on)
			pool_rig_stop(source);
		pool_rig_measure(f, MS);
		for (unsigned int i = 0; tick >= 30 && i < f->n; i++) {
			uint64_t bps = channel_rig_bps(&f->sources[i], MS);

			sum_bytes[i] += f->sources[i].sent_bytes;
			if (i != 0 && bps < least_bps)
				least_bps = bps;
		}
	}
	return least_bps;
}

/* What was lent in a pause comes back out of what the others have beyond their assured rates. */
static void what_one_did_not_take_in_a_pause_it_gets_back(void **state)
{
	struct pool_rig *f = *state;
	uint64_t sum_bytes[4] = {0};

	pool_rig_add(f, 250 * M, 0, 4, ALL);
	for (unsigned int i = 1; i < 4; i++)
		pool_rig_add(f, 50 * M, 0, 1, ALL);
	pause_one_of(f, 4, sum_bytes);
	/* Its share of 593M in three of four ms are 790M, which leaves 70M for each of them. */
	pool_rig_assert_within(sum_bytes[0] * 8 / 300 * 1000, 593 * M, 20);
	for (unsigned int i = 1; i < 4; i++)
		pool_rig_assert_within(sum_bytes[i] * 8 / 300 * 1000, 136 * M, 30);
}

/* They would have to pay more than they have beyond their assured rates: they pay that. */
static void nobody_pays_back_out_of_its_assured_rate(void **state)
{
	struct pool_rig *f = *state;
	const uint64_t frame_bps = FRAME_BYTES * 8 * (SECOND / MS);
	uint64_t sum_bytes[4] = {0};

	pool_rig_add(f, 500 * M, 0, 4, ALL);
	for (unsigned int i = 1; i < 4; i++)
		pool_rig_add(f, 100 * M, 0, 1, ALL);
	assert_true(pause_one_of(f, 3, sum_bytes) >= 100 * M - frame_bps);
	/* All of that comes back: in two of three ms it has what is not assured to them. */
	assert_true(sum_bytes[0] * 8 / 300 * 1000 >= 466 * M);
	/* What they owe does not add up: it comes back within 100 ms, and no more. */
	f->sources[0].offered_bps = ALL;
	pool_rig_run(f, 100 * MS);
	pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 1);
	pool_rig_assert_within(channel_rig_bps(&f->sources[0], 100 * MS), 614 * M, 5);
}

/* Who comes back has no more than its credit before the others: they are not starved. */
static void a_return_takes_no_more_than_its_credit(void **state)
{
	struct pool_rig *f = *state;
	struct source *gone = pool_rig_add(f, 0, 0, 4, ALL), *other = pool_rig_add(f, 0, 0, 1, ALL);

	pool_rig_run(f, 50 * MS);
	for (uint64_t pause_ns = 5 * MS; pause_ns < SECOND; pause_ns *= 3) {
		pool_rig_stop(gone);
		pool_rig_run(f, pause_ns);
		gone->offered_bps = ALL;
		pool_rig_measure(f, 20 * MS);
		/* Of its 4 ms in these 20 it may lack what it had in the pause. */
		if (pause_ns > 10 * MS)
			pool_rig_assert_within(channel_rig_bps(other, 20 * MS), 200 * M, 60);
		pool_rig_run(f, 20 * MS);
		pool_rig_assert_within(pool_rig_measure(f, 100 * MS), G, 1);
		pool_rig_assert_within(channel_rig_bps(other, 100 * MS), 200 * M, 20);
	}
}

/* A third one comes with a burst of about what there is in 4 ms: for some rounds little or nothing
 * is due to the two others. What one of them is owed then is not forgotten in these. Returns the
 * least that was due to the one that stayed, and of what the other sent the part, in a thousand,
 * that this one did. */
static uint64_t burst_between(struct pool_rig *f, unsigned int n_frames, uint64_t *permille)
{
	struct source *pauses = &f->sources[0], *stays = &f->sources[1], *bursts = &f->sources[2];
	uint64_t least_bps = UINT64_MAX;

	pool_rig_run(f, 500 * MS);
	channel_rig_reset(f->sources, f->n);
	pool_rig_stop(pauses);
	pool_rig_run(f, 3 * MS);
	bursts->backlog_bytes = (int64_t)n_frames * FRAME_BYTES;
	for (unsigned int i = 0; i < 20; i++) {
		pool_rig_run(f, 100 * US);
		if (stays->way->due_bps < least_bps)
			least_bps = stays->way->due_bps;
	}
	pauses->offered_bps = ALL;
	pool_rig_run(f, 35 * MS);
	*permille = pauses->sent_bytes * 1000 / stays->sent_bytes;
	return least_bps;
}

static void a_round_that_leaves_little_forgets_nothing(void **state)
{
	struct pool_rig *f = *state;
	struct dp_channel spec = channel_rig_channel(20, HOST, 0, 0, 1);
	uint64_t permille;
	unsigned int n_little = 0;

	pool_rig_add(f, 0, 0, 1, ALL);
	pool_rig_add(f, 0, 0, 1, ALL);
	spec.ways[DP_TX].burst_bytes = 800000;
	channel_rig_put(f->dp, &spec);
	f->sources[f->n++] = channel_rig_source(f->dp, 20, 0);
	for (unsigned int n_frames = 240; n_frames <= 528; n_frames += 4) {
		uint64_t least_bps = burst_between(f, n_frames, &permille);

		n_little += least_bps > 0 && least_bps < 20 * M;
		pool_rig_assert_within(permille, 1000, 5);
	}
	assert_true(n_little != 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_rig_set_up, pool_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(those_that_pause_get_their_shares_over_time),
		TEST(where_all_is_assured_pauses_pay_for_bursts),
		TEST(what_one_did_not_take_in_a_pause_it_gets_back),
		TEST(nobody_pays_back_out_of_its_assured_rate),
		TEST(a_return_takes_no_more_than_its_credit),
		TEST(a_round_that_leaves_little_forgets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
