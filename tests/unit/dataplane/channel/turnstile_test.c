/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/turnstile.c: what workers that share a channel leave each other. Turns
 * of two workers in one thread, in virtual time. */
#include "dataplane/channel/turnstile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

#include "dataplane/worker.h"
#include "tests/unit/dataplane/channel/channel_rig.h"

#define CHANNEL 10
#define FRAME_NS (FRAME_BYTES * 8) /* at 1 Gbit/s */

/* Has so many frames. */
struct taker {
	struct waiter waiter;
	unsigned int n_left, n_taken;
};

struct fixture {
	struct dataplane *dp;
	struct channel_way *way;
	struct taker takers[2]; /* one for each worker */
};

/* A channel of 1 Gbit/s without a pool, and without a burst. */
static int set_up(void **state)
{
	static struct fixture f;
	struct dp_channel spec = channel_rig_channel(CHANNEL, 0, 0, G, 1);

	f = (struct fixture){.dp = rig_create(2)};
	spec.ways[DP_TX].burst_bytes = FRAME_BYTES;
	f.way = &channel_rig_put(f.dp, &spec)->ways[DP_TX];
	pool_turn(f.dp, SECOND);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	dataplane_destroy(f->dp);
	return 0;
}

static struct served take(struct worker *worker, struct waiter *waiter, int64_t budget_bytes)
{
	struct taker *taker = (struct taker *)waiter;

	assert_true(budget_bytes > 0 && taker->n_left != 0);
	taker->n_left--;
	taker->n_taken++;
	bucket_charge(&waiter->way->bucket, worker->burst->now_ns, FRAME_BYTES, 1, true);
	channel_count_taken(waiter->way, FRAME_BYTES);
	return (struct served){.bytes = FRAME_BYTES, .frames = 1, .is_done = taker->n_left == 0};
}

static void turn(struct fixture *f, unsigned int worker, uint64_t now_ns)
{
	f->dp->workers[worker]->burst->now_ns = now_ns;
	turnstile_turn(f->dp->workers[worker], now_ns);
}

static void wait_at(struct fixture *f, unsigned int worker, unsigned int n_frames, uint64_t now_ns)
{
	struct taker *taker = &f->takers[worker];

	f->dp->workers[worker]->burst->now_ns = now_ns;
	taker->n_left = n_frames;
	taker->waiter.serve = take;
	turnstile_wait(f->dp->workers[worker], &taker->waiter, f->way);
}

/* Both know the same time at which there is credit. Who comes first has it. */
static void what_another_worker_has_just_taken_is_waited_for(void **state)
{
	struct fixture *f = *state;
	uint64_t now_ns = 2 * SECOND;

	turn(f, 0, now_ns);
	turn(f, 1, now_ns);
	bucket_charge(&f->way->bucket, now_ns, 100000, 1, false);
	wait_at(f, 0, 1, now_ns);
	wait_at(f, 1, 1, now_ns);
	assert_int_equal(turnstile_next_due_ns(f->dp->workers[0]),
			 turnstile_next_due_ns(f->dp->workers[1]));
	now_ns = turnstile_next_due_ns(f->dp->workers[0]);
	turn(f, 0, now_ns);
	assert_int_equal(f->takers[0].n_taken, 1);
	/* There is credit ahead of time, but not for who waits. */
	assert_true(bucket_credit(&f->way->bucket, now_ns, true) > 0);
	turn(f, 1, now_ns);
	assert_int_equal(f->takers[1].n_taken, 0);
	assert_in_range(turnstile_next_due_ns(f->dp->workers[1]), now_ns + FRAME_NS,
			now_ns + FRAME_NS + 1);
	turn(f, 1, now_ns + FRAME_NS + 1);
	assert_int_equal(f->takers[1].n_taken, 1);
}

/* Somebody waits at one worker, which is late. Who begins to wait at the other, whose clock may be
 * a little behind, does not make the channel lose that time. */
static void who_begins_to_wait_leaves_the_time_that_another_worker_is_late(void **state)
{
	static const int64_t late_ns[] = {2 * MS, -10 * (int64_t)US};
	struct fixture *f = *state;
	uint64_t now_ns = 2 * SECOND;

	for (unsigned int i = 0; i < 2; i++) {
		turn(f, 0, now_ns);
		turn(f, 1, now_ns);
		bucket_charge(&f->way->bucket, now_ns, FRAME_BYTES, 1, false);
		uint64_t due_ns = now_ns + 3 * MS;

		/* It has waited until now, and its time came 3 ms ago. */
		wait_at(f, 0, 1, due_ns);
		int64_t credit = bucket_credit(&f->way->bucket, due_ns + 2 * MS, true);

		wait_at(f, 1, 1, (uint64_t)((int64_t)due_ns + late_ns[i]));
		assert_int_equal(bucket_credit(&f->way->bucket, due_ns + 2 * MS, true), credit);
		now_ns = due_ns + 20 * MS;
		turn(f, 0, now_ns);
		turn(f, 1, now_ns);
		now_ns += SECOND;
	}
}

#define TAKERS 4
#define TAKES 500000

struct race {
	struct channel_way *way;
	pthread_barrier_t start;
};

static void *take_many(void *arg)
{
	struct race *race = arg;

	pthread_barrier_wait(&race->start);
	for (unsigned int i = 0; i < TAKES; i++)
		channel_count_taken(race->way, FRAME_BYTES);
	return NULL;
}

/* Rounds divide by it: what one worker took is not lost for what another did. */
static void what_workers_take_at_once_is_all_counted(void **state)
{
	struct fixture *f = *state;
	struct race race = {.way = f->way};
	uint64_t before = atomic_load(&f->way->taken_bytes);
	pthread_t threads[TAKERS];

	assert_int_equal(pthread_barrier_init(&race.start, NULL, TAKERS), 0);
	for (unsigned int i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_many, &race), 0);
	for (unsigned int i = 0; i < TAKERS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&race.start);
	assert_int_equal(atomic_load(&f->way->taken_bytes) - before,
			 (uint64_t)TAKERS * TAKES * FRAME_BYTES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_another_worker_has_just_taken_is_waited_for),
		TEST(who_begins_to_wait_leaves_the_time_that_another_worker_is_late),
		TEST(what_workers_take_at_once_is_all_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
