/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/hold.c and turnstile.c: rings within the rate of their channel. */
#include "dataplane/channel/hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "dataplane/channel/turnstile.h"
#include "dataplane/worker.h"
#include "tests/lib/deadline.h"
#include "tests/unit/dataplane/channel/hold_rig.h"
#include "tests/unit/dataplane/rig.h"

#define US 1000ULL
#define MS 1000000ULL
#define S 1000000000ULL
#define MBIT 1000000ULL
#define GBIT 1000000000ULL
#define NO_BURST 0

/* --- exactness --- */

static void assert_exact(bool is_packed, uint64_t rate_bps, uint16_t len)
{
	struct hold_rig *rig = hold_rig_create(1, 1, is_packed);
	/* As many frames in every case; at the fastest, a burst in each step. */
	uint64_t span_ns = rate_bps <= 10 * MBIT ? 2 * S : rate_bps <= 100 * MBIT ? S / 2 : S / 20;
	uint64_t step_ns = rate_bps > GBIT ? 2 * US : rate_bps >= 100 * MBIT ? 10 * US : 50 * US;

	hold_rig_set_rate(rig, 0, rate_bps, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, len);
	hold_rig_run(rig, 5 * MS, step_ns);
	hold_rig_forget(rig);
	hold_rig_run(rig, span_ns, step_ns);
	hold_rig_assert_rate(rig->got[1].bytes, rate_bps, span_ns,
			     hold_rig_slack(rate_bps, len == 0 ? 1514 : len));
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

static void the_rate_is_exact_at_every_rate_and_size(void **state)
{
	static const uint64_t rates_bps[] = {MBIT, 10 * MBIT, 100 * MBIT, GBIT, 10 * GBIT};
	static const uint16_t lens[] = {60, 1514, 0};

	for (unsigned int i = 0; i < 5 * 3; i++) {
		assert_exact(false, rates_bps[i / 3], lens[i % 3]);
		assert_exact(true, rates_bps[i / 3], lens[i % 3]);
	}
}

static void without_a_limit_a_channel_changes_nothing(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 1, false);

	hold_rig_set_rate(rig, 0, 0, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 60);
	hold_rig_run(rig, 100 * US, US);
	assert_int_equal(rig->got[1].frames, 100 * BURST_FRAMES);
	assert_int_equal(hold_rig_count(rig, 0, 0)->passed_frames, 100 * BURST_FRAMES);
	assert_int_equal(hold_rig_count(rig, 0, 0)->held_ns, 0);
	assert_int_equal(turnstile_next_due_ns(rig->dp->workers[0]), TURNSTILE_NEVER_NS);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

static void a_rate_above_the_load_holds_nobody(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 1, false);

	/* 64 frames of 60 bytes in 10 us are 3 Gbit/s. */
	hold_rig_set_rate(rig, 0, 4 * GBIT, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 60);
	hold_rig_run(rig, MS, 10 * US);
	assert_int_equal(rig->got[1].frames, 100 * BURST_FRAMES);
	assert_int_equal(hold_rig_count(rig, 0, 0)->held_ns, 0);
	hold_rig_destroy(rig);
}

static void what_is_held_stays_in_the_ring_and_is_counted(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 1, false);
	const struct counters_channel *count;

	hold_rig_set_rate(rig, 0, 100 * MBIT, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 1514);
	hold_rig_run(rig, 100 * MS, 10 * US);
	count = hold_rig_count(rig, 0, 0);
	assert_int_equal(count->passed_frames, rig->got[1].frames);
	assert_int_equal(count->passed_bytes, rig->got[1].bytes);
	assert_int_equal(count->asked_bytes, count->passed_bytes);
	assert_in_range(count->held_ns, 99 * MS, 100 * MS);
	assert_int_equal(count->drops, 0);
	assert_int_equal(atomic_load(&rig->channels[0]->ways[DP_TX].taken_bytes),
			 rig->got[1].bytes);
	/* 255 frames of 1,514 bytes at 100 Mbit/s are 30.9 ms: bucket 59 is 28.7 to 32.8 ms. */
	assert_true(count->delays[59] > count->passed_frames * 9 / 10);
	hold_rig_destroy(rig);
}

static void an_idle_channel_saves_up_its_burst(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 1, true);

	hold_rig_set_rate(rig, 0, 10 * MBIT, 64000);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 1000);
	hold_rig_turn(rig, 0);
	assert_int_equal(rig->got[1].frames, 64);
	hold_rig_run(rig, 8 * MS, 10 * US);
	/* And then 1 frame in 800 us. */
	assert_in_range(rig->got[1].frames, 74, 75);
	hold_rig_destroy(rig);
}

static void wire_bytes_are_accounted_where_wanted(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 1, false);

	hold_rig_set_rate(rig, 0, 84 * 8 * 10000, NO_BURST);
	atomic_store(&rig->channels[0]->ways[DP_TX].frame_extra_bytes, 24);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 60);
	hold_rig_run(rig, S, 20 * US);
	assert_in_range(rig->got[1].frames, 9999, 10002);
	hold_rig_destroy(rig);
}

static void frames_can_be_limited_in_their_number(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 1, true);
	struct bucket *bucket;

	hold_rig_set_rate(rig, 0, 0, NO_BURST);
	bucket = &rig->channels[0]->ways[DP_TX].bucket;
	atomic_store(&rig->channels[0]->ways[DP_TX].frames_per_s, 10000);
	bucket_set(bucket, 0, 0, 10000, rig->now_ns);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 1514);
	hold_rig_run(rig, S, 20 * US);
	assert_in_range(rig->got[1].frames, 9999, 10002);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

/* --- sharing --- */

static void members_of_a_channel_share_by_bytes(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct hold_rig *rig = hold_rig_create(1, 2, i % 2 != 0);
		uint64_t rate_bps = i < 2 ? 50 * MBIT : 5 * GBIT;
		uint64_t span_ns = i < 2 ? S : 50 * MS;

		hold_rig_set_rate(rig, 0, rate_bps, NO_BURST);
		hold_rig_assign(rig, 1, 0);
		hold_rig_assign(rig, 2, 0);
		hold_rig_send(rig, 1, 60);
		hold_rig_send(rig, 2, 1514);
		hold_rig_run(rig, 5 * MS, 2 * US);
		hold_rig_forget(rig);
		hold_rig_run(rig, span_ns, 2 * US);
		for (unsigned int id = 1; id <= 2; id++)
			hold_rig_assert_rate(rig->got[id].bytes, rate_bps / 2, span_ns,
					     hold_rig_slack(rate_bps, 1600));
		hold_rig_assert_in_order(rig);
		hold_rig_destroy(rig);
	}
}

static void who_comes_later_gets_its_part_and_who_goes_leaves_it(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 3, false);

	hold_rig_set_rate(rig, 0, 300 * MBIT, NO_BURST);
	for (unsigned int id = 1; id <= 3; id++)
		hold_rig_assign(rig, id, 0);
	hold_rig_send(rig, 1, 1514);
	hold_rig_send(rig, 2, 600);
	hold_rig_run(rig, 100 * MS, 5 * US);
	hold_rig_send(rig, 3, 0);
	hold_rig_run(rig, 5 * MS, 5 * US);
	hold_rig_forget(rig);
	hold_rig_run(rig, 500 * MS, 5 * US);
	for (unsigned int id = 1; id <= 3; id++)
		hold_rig_assert_rate(rig->got[id].bytes, 100 * MBIT, 500 * MS, 6000);
	hold_rig_stop(rig, 1);
	hold_rig_run(rig, 100 * MS, 5 * US); /* until its ring is empty */
	hold_rig_forget(rig);
	hold_rig_run(rig, 500 * MS, 5 * US);
	assert_int_equal(rig->got[1].frames, 0);
	hold_rig_assert_rate(rig->got[2].bytes, 150 * MBIT, 500 * MS, 6000);
	hold_rig_assert_rate(rig->got[3].bytes, 150 * MBIT, 500 * MS, 6000);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

static void workers_that_share_a_channel_keep_one_rate(void **state)
{
	struct hold_rig *rig = hold_rig_create(2, 4, false);

	hold_rig_set_rate(rig, 0, GBIT, NO_BURST);
	for (unsigned int id = 1; id <= 4; id++) {
		hold_rig_assign(rig, id, 0);
		hold_rig_send(rig, id, 1514);
	}
	assert_int_not_equal(rig->senders[1].rxq.worker, rig->senders[2].rxq.worker);
	hold_rig_run(rig, 5 * MS, 5 * US);
	hold_rig_forget(rig);
	hold_rig_run(rig, 200 * MS, 5 * US);
	hold_rig_assert_rate(rig->got[1].bytes + rig->got[2].bytes + rig->got[3].bytes +
				     rig->got[4].bytes,
			     GBIT, 200 * MS, hold_rig_slack(GBIT, 1514));
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

static void channels_do_not_touch_each_other(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 3, false);

	hold_rig_set_rate(rig, 0, 10 * MBIT, NO_BURST);
	hold_rig_set_rate(rig, 1, 200 * MBIT, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_assign(rig, 2, 1);
	for (unsigned int id = 1; id <= 3; id++)
		hold_rig_send(rig, id, id == 2 ? 1514 : 60);
	hold_rig_run(rig, 5 * MS, 5 * US);
	hold_rig_forget(rig);
	hold_rig_run(rig, S / 2, 5 * US);
	hold_rig_assert_rate(rig->got[1].bytes, 10 * MBIT, S / 2, hold_rig_slack(10 * MBIT, 60));
	hold_rig_assert_rate(rig->got[2].bytes, 200 * MBIT, S / 2,
			     hold_rig_slack(200 * MBIT, 1514));
	/* Who has no channel is not limited. */
	assert_int_equal(rig->got[3].frames, S / 2 / (5 * US) * BURST_FRAMES);
	hold_rig_destroy(rig);
}

/* --- time of the worker --- */

#define N_PORTS 40
#define N_TURNS 2000

/* Sender 1 is to have all that it can send, whatever sender 2 makes of it. */
static void assert_flood_is_bounded(int flooder_channel, bool is_packed)
{
	struct hold_rig *rig = hold_rig_create(1, N_PORTS, is_packed);
	uint64_t alone;

	hold_rig_set_rate(rig, 0, 0, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_assign(rig, 2, flooder_channel);
	rig->senders[2].floods = true;
	hold_rig_send(rig, 1, 60);
	hold_rig_send(rig, 2, 60);
	for (unsigned int i = 0; i < N_TURNS; i++)
		hold_rig_turn(rig, US);
	assert_int_equal(rig->got[1].frames, N_TURNS * BURST_FRAMES);
	/* A turn's share, and what it took before that was known. */
	assert_in_range(rig->got[2].frames * N_PORTS, 200 * N_TURNS,
			260 * N_TURNS + BURST_FRAMES * N_PORTS);
	/* With nobody there to wait for it. */
	hold_rig_stop(rig, 1);
	hold_rig_run(rig, 10 * US, US);
	hold_rig_forget(rig);
	for (unsigned int i = 0; i < N_TURNS; i++)
		hold_rig_turn(rig, US);
	alone = rig->got[2].frames * N_PORTS;
	assert_true(alone > (flooder_channel < 0 ? 1200 : 200) * N_TURNS);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

static void a_flood_takes_a_share_of_the_worker_and_no_more(void **state)
{
	assert_flood_is_bounded(-1, false);
	assert_flood_is_bounded(-1, true);
	assert_flood_is_bounded(0, false);
	assert_flood_is_bounded(0, true);
}

/* The same for one that waits at a turnstile. */
static void a_flood_that_is_limited_takes_no_more_either(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, N_PORTS, false);

	hold_rig_set_rate(rig, 0, 100 * GBIT, NO_BURST);
	for (unsigned int id = 1; id <= 3; id++) {
		hold_rig_assign(rig, id, id == 3 ? -1 : 0);
		hold_rig_send(rig, id, 1514);
	}
	rig->senders[2].floods = true;
	for (unsigned int i = 0; i < N_TURNS; i++)
		hold_rig_turn(rig, 2 * US);
	assert_in_range(rig->got[3].frames, N_TURNS * BURST_FRAMES, N_TURNS * BURST_FRAMES);
	/* 40 frames of 1,514 bytes make 98 of work. */
	assert_in_range(rig->got[2].frames * 98, 0, 260 * N_TURNS + BURST_FRAMES * 98);
	/* 16.5 frames in 2 us: what the flood does not get is the other's. */
	assert_in_range(rig->got[1].frames + rig->got[2].frames, 33 * N_TURNS / 2,
			34 * N_TURNS / 2 + 412);
	assert_true(rig->got[1].frames > 4 * rig->got[2].frames);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

/* --- large TCP frames --- */

/* 2,000 bytes are five pieces of 444 bytes at most; at 10 Mbit/s they take 1.7 ms. */
static void a_large_frame_of_a_slow_channel_goes_in_pieces(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 2, false);
	unsigned int n_alone = 0;

	hold_rig_set_rate(rig, 0, 10 * MBIT, NO_BURST);
	for (unsigned int id = 1; id <= 2; id++) {
		hold_rig_assign(rig, id, 0);
		hold_rig_send(rig, id, id == 1 ? 2000 : 444);
	}
	hold_rig_add_lane(rig, 1);
	rig->senders[1].mss = 390;
	hold_rig_run(rig, 20 * MS, 10 * US);
	hold_rig_forget(rig);
	for (unsigned int i = 0; i < 200000; i++) {
		uint64_t before = rig->got[1].frames;

		hold_rig_turn(rig, 10 * US);
		assert_true(rig->got[1].frames - before <= 4);
		n_alone += rig->got[1].frames - before == 1;
	}
	/* Both have half, by bytes of the pieces, and nothing goes in one lump. */
	hold_rig_assert_rate(rig->got[1].bytes, 5 * MBIT, 2 * S, 2500);
	hold_rig_assert_rate(rig->got[2].bytes, 5 * MBIT, 2 * S, 2500);
	assert_true(n_alone > rig->got[1].frames / 2);
	hold_rig_assert_in_order(rig);
	assert_int_equal(hold_rig_count(rig, 0, 0)->drops, 0);
	hold_rig_destroy(rig);
}

static void a_large_frame_of_a_fast_channel_stays_whole(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 1, true);
	uint64_t pieces;

	hold_rig_set_rate(rig, 0, 100 * MBIT, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_add_lane(rig, 1);
	rig->senders[1].mss = 390;
	hold_rig_send(rig, 1, 2000);
	hold_rig_run(rig, 5 * MS, 10 * US);
	hold_rig_forget(rig);
	/* The receiver takes no such frames, so it gets the pieces at once; that is what they
	 * cost. */
	for (unsigned int i = 0; i < 100000; i++) {
		pieces = rig->got[1].frames;
		hold_rig_turn(rig, 10 * US);
		assert_int_equal((rig->got[1].frames - pieces) % 5, 0);
	}
	hold_rig_assert_rate(rig->got[1].bytes, 100 * MBIT, S, 3000);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

/* --- when it is due --- */

static void a_worker_knows_when_somebody_is_due(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 2, false);
	const struct worker *worker = rig->dp->workers[0];
	uint64_t start_ns = rig->now_ns;

	hold_rig_set_rate(rig, 0, MBIT, NO_BURST);
	hold_rig_set_rate(rig, 1, 10 * MBIT, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_assign(rig, 2, 1);
	assert_int_equal(turnstile_next_due_ns(worker), TURNSTILE_NEVER_NS);
	hold_rig_send(rig, 1, 1514);
	hold_rig_turn(rig, 0);
	/* 1,514 bytes at 1 Mbit/s. */
	assert_in_range(turnstile_next_due_ns(worker), start_ns + 12111 * US,
			start_ns + 12113 * US);
	hold_rig_send(rig, 2, 1514);
	hold_rig_turn(rig, 0);
	assert_in_range(turnstile_next_due_ns(worker), start_ns + 1210 * US, start_ns + 1212 * US);
	/* Nothing is looked at before. */
	hold_rig_run(rig, MS, 10 * US);
	assert_int_equal(rig->got[1].frames + rig->got[2].frames, 2);
	hold_rig_destroy(rig);
}

static void *run(void *arg)
{
	worker_run(arg);
	return NULL;
}

static uint64_t cpu_ns(pthread_t thread)
{
	struct timespec time;
	clockid_t clock;

	assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
	assert_int_equal(clock_gettime(clock, &time), 0);
	return (uint64_t)time.tv_sec * S + (uint64_t)time.tv_nsec;
}

/* The real clock: 255 frames are 3 s. */
static void a_worker_sleeps_while_a_slow_ring_waits(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 1, true);
	struct worker *worker = rig->dp->workers[0];
	uint64_t deadline = deadline_in_ms(20000);
	pthread_t thread;

	hold_rig_set_rate(rig, 0, MBIT, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 1514);
	hold_rig_turn(rig, 0);
	hold_rig_stop(rig, 1);
	assert_int_equal(pthread_create(&thread, NULL, run, worker), 0);
	while (__atomic_load_n(&rig->got[1].frames, __ATOMIC_RELAXED) < 40) {
		assert_false(deadline_passed(deadline));
		sched_yield();
	}
	/* 40 frames take 484 ms, of which it polls 60 us before each and as long at the
	 * beginning. */
	assert_in_range(cpu_ns(thread), 0, 25 * MS);
	worker_stop(worker);
	pthread_join(thread, NULL);
	assert_true(worker->count->sleeps >= 39);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

/* --- marks --- */

static void assert_marks(uint8_t tos, uint32_t target_ns, bool are_expected)
{
	struct hold_rig *rig = hold_rig_create(1, 1, false);

	hold_rig_set_rate(rig, 0, 100 * MBIT, NO_BURST);
	atomic_store(&rig->channels[0]->ways[DP_TX].target_ns, target_ns);
	rig->senders[1].tos = tos;
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 1514);
	hold_rig_run(rig, 50 * MS, 10 * US);
	assert_int_equal(hold_rig_count(rig, 0, 0)->marks, rig->got[1].n_marked);
	/* All but the first, which had not to wait. */
	assert_int_equal(rig->got[1].n_marked, are_expected ? rig->got[1].frames - 1 : 0);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

static void a_ring_above_the_target_is_marked(void **state)
{
	/* A full ring is 30.9 ms. */
	assert_marks(2, 5000000, true);
	assert_marks(1, 5000000, true);
	assert_marks(2, 40000000, false);
	assert_marks(0, 5000000, false);
	assert_marks(2, 0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rate_is_exact_at_every_rate_and_size),
		cmocka_unit_test(without_a_limit_a_channel_changes_nothing),
		cmocka_unit_test(a_rate_above_the_load_holds_nobody),
		cmocka_unit_test(what_is_held_stays_in_the_ring_and_is_counted),
		cmocka_unit_test(an_idle_channel_saves_up_its_burst),
		cmocka_unit_test(wire_bytes_are_accounted_where_wanted),
		cmocka_unit_test(frames_can_be_limited_in_their_number),
		cmocka_unit_test(members_of_a_channel_share_by_bytes),
		cmocka_unit_test(who_comes_later_gets_its_part_and_who_goes_leaves_it),
		cmocka_unit_test(workers_that_share_a_channel_keep_one_rate),
		cmocka_unit_test(channels_do_not_touch_each_other),
		cmocka_unit_test(a_flood_takes_a_share_of_the_worker_and_no_more),
		cmocka_unit_test(a_flood_that_is_limited_takes_no_more_either),
		cmocka_unit_test(a_large_frame_of_a_slow_channel_goes_in_pieces),
		cmocka_unit_test(a_large_frame_of_a_fast_channel_stays_whole),
		cmocka_unit_test(a_worker_knows_when_somebody_is_due),
		cmocka_unit_test(a_worker_sleeps_while_a_slow_ring_waits),
		cmocka_unit_test(a_ring_above_the_target_is_marked),
	};

	return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
