/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/balance.c: what moves and what stays, by load and by hand; and, with workers
 * that run, that a queue on the move loses nothing and keeps its order. */
#include "dataplane/balance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>

#include "dataplane/counters.h"
#include "dataplane/worker.h"
#include "tests/lib/deadline.h"
#include "tests/unit/dataplane/rig.h"

#define SECOND 1000000000ULL /* also the cycles of a second, in the rig */
#define START_NS (100 * SECOND)
#define PERMILLE (SECOND / 1000)
#define WORKERS 2
#define MOVES 200
#define DEADLINE_MS 20000

/* Ports 1 to 4 in one segment, so each of two workers polls two queues: 1 and 3, 2 and 4. */
static int set_up(void **state)
{
	struct dataplane *dp = rig_create(WORKERS);

	rig_put_segment(dp, 1);
	for (uint64_t id = 1; id <= 4; id++)
		rig_put_port(dp, id, 1);
	balance_turn(dp, START_NS);
	*state = dp;
	return 0;
}

static int tear_down(void **state)
{
	rig_assert_accounted(*state);
	dataplane_destroy(*state);
	return 0;
}

static struct rxq *rxq_of(const struct dataplane *dp, uint64_t id)
{
	return &rig_port(dp, id)->rxq;
}

static void assert_places(const struct dataplane *dp, const int workers[4])
{
	unsigned int n[WORKERS] = {0};

	for (uint64_t id = 1; id <= 4; id++) {
		assert_int_equal(rxq_of(dp, id)->worker, workers[id - 1]);
		n[workers[id - 1]]++;
	}
	for (unsigned int i = 0; i < WORKERS; i++) {
		assert_int_equal(dp->workers[i]->n_rxqs, n[i]);
		assert_int_equal(dp->workers[i]->count->n_queues, n[i]);
	}
}

/* Seconds in which each queue costs that many permille of a CPU. */
static void run_seconds(struct dataplane *dp, unsigned int seconds, const unsigned int loads[4])
{
	for (unsigned int s = 0; s < seconds; s++) {
		for (uint64_t id = 1; id <= 4; id++)
			rxq_of(dp, id)->busy_cycles += loads[id - 1] * PERMILLE;
		balance_turn(dp, dp->balanced_ns + SECOND);
	}
}

struct row {
	const char *what;
	unsigned int loads[4]; /* of ports 1 to 4, in permille */
	int workers[4];	       /* where they end up */
};

static const struct row rows[] = {
	{"nothing to do", {0, 0, 0, 0}, {0, 1, 0, 1}},
	{"even already", {400, 400, 400, 400}, {0, 1, 0, 1}},
	{"uneven, but nobody is busy", {200, 0, 200, 0}, {0, 1, 0, 1}},
	{"busy, but not very uneven", {400, 300, 400, 320}, {0, 1, 0, 1}},
	{"two on one", {450, 0, 450, 0}, {1, 1, 0, 1}},
	{"one elephant has nowhere better to go", {950, 0, 0, 0}, {0, 1, 0, 1}},
	{"the mouse leaves the elephant alone", {800, 0, 150, 0}, {0, 1, 1, 1}},
	{"what costs next to nothing stays", {900, 0, 10, 0}, {0, 1, 0, 1}},
	{"the other way round", {0, 480, 0, 480}, {0, 0, 0, 1}},
};

static void load_moves_what_evens_out_and_nothing_else(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *dp = NULL;

		set_up(&dp);
		print_message("%s\n", rows[i].what);
		/* Long after it has settled nothing goes back and forth. */
		run_seconds(dp, 10, rows[i].loads);
		assert_places(dp, rows[i].workers);
		run_seconds(dp, 10, rows[i].loads);
		assert_places(dp, rows[i].workers);
		tear_down(&dp);
	}
}

static void a_short_burst_moves_nothing(void **state)
{
	run_seconds(*state, 1, (const unsigned int[]){450, 0, 450, 0});
	run_seconds(*state, 5, (const unsigned int[]){0, 0, 0, 0});
	assert_places(*state, (const int[]){0, 1, 0, 1});
}

static void looks_are_a_second_apart(void **state)
{
	struct dataplane *dp = *state;

	rxq_of(dp, 1)->busy_cycles += 400 * PERMILLE;
	balance_turn(dp, START_NS + SECOND - 1);
	assert_int_equal(rxq_of(dp, 1)->load, 0);
	balance_turn(dp, START_NS + SECOND);
	assert_int_equal(rxq_of(dp, 1)->load, 200);
	/* Main was away for a while: the share is of all that time. */
	rxq_of(dp, 1)->busy_cycles += 400 * PERMILLE;
	balance_turn(dp, START_NS + 5 * SECOND);
	assert_int_equal(rxq_of(dp, 1)->load, 150);
}

static void the_busy_share_of_workers_is_told(void **state)
{
	struct dataplane *dp = *state;

	dp->workers[1]->count->busy_cycles += 300 * PERMILLE;
	balance_turn(dp, START_NS + SECOND);
	assert_int_equal(dp->workers[0]->count->busy_permille, 0);
	assert_int_equal(dp->workers[1]->count->busy_permille, 300);
}

static void a_pinned_queue_stays_whatever_it_costs(void **state)
{
	struct dataplane *dp = *state;

	assert_int_equal(balance_pin(dp, rxq_of(dp, 1), 0), 0);
	assert_int_equal(balance_pin(dp, rxq_of(dp, 3), 0), 0);
	run_seconds(dp, 10, (const unsigned int[]){450, 0, 450, 0});
	assert_places(dp, (const int[]){0, 1, 0, 1});
	balance_unpin(rxq_of(dp, 3));
	run_seconds(dp, 10, (const unsigned int[]){450, 0, 450, 0});
	assert_places(dp, (const int[]){0, 1, 1, 1});
}

static void a_queue_that_starts_again_goes_where_it_is_pinned(void **state)
{
	struct dataplane *dp = *state;
	struct port *port = port_find(dp, 2);

	assert_int_equal(balance_pin(dp, rxq_of(dp, 2), 0), 0);
	assert_places(dp, (const int[]){0, 0, 0, 1});
	port_detach_rxq(port, rxq_of(dp, 2));
	assert_null(balance_find(dp, 2, 0));
	assert_int_equal(port_attach_rxq(port, rxq_of(dp, 2)), 0);
	assert_places(dp, (const int[]){0, 0, 0, 1});
	balance_unpin(rxq_of(dp, 2));
	port_detach_rxq(port, rxq_of(dp, 2));
	assert_int_equal(port_attach_rxq(port, rxq_of(dp, 2)), 0);
	assert_places(dp, (const int[]){0, 1, 0, 1});
}

static void a_queue_is_found_by_port_and_number(void **state)
{
	assert_ptr_equal(balance_find(*state, 3, 0), rxq_of(*state, 3));
	assert_null(balance_find(*state, 3, 1));
	assert_null(balance_find(*state, 99, 0));
}

static void a_move_that_fails_leaves_it_where_it_was(void **state)
{
	struct dataplane *dp = *state;
	struct rxq *rxq = rxq_of(dp, 1);
	int fd = rxq->wake_fd;

	rxq->wake_fd = 1 << 20;
	assert_int_equal(balance_pin(dp, rxq, 1), -EBADF);
	rxq->wake_fd = fd;
	assert_int_equal(rxq->pin, 0);
	assert_places(dp, (const int[]){0, 1, 0, 1});
}

/* --- with workers that run --- */

static void *run(void *arg)
{
	worker_run(arg);
	return NULL;
}

/* Until the worker has begun another turn. */
static void wait_for_turn(struct worker *worker)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);
	uint64_t beats = atomic_load(&worker->beats);

	while (atomic_load(&worker->beats) == beats) {
		assert_false(deadline_passed(deadline));
		worker_wake(worker);
		sched_yield();
	}
}

/* Frames go in while the queue changes hands: none waits for it, none is lost or overtaken. */
static void a_queue_on_the_move_keeps_all_frames_in_order(void **state)
{
	struct dataplane *dp = *state;
	struct rig_port *from = rig_port(dp, 1), *to = rig_port(dp, 2);
	pthread_t threads[WORKERS];

	for (unsigned int i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, dp->workers[i]), 0);
	for (unsigned int i = 0; i < MOVES; i++) {
		rig_send(dp, 1, RIG_BROADCAST, 1, 60, (uint8_t)i);
		assert_int_equal(eventfd_write(from->rxq.wake_fd, 1), 0);
		assert_int_equal(balance_pin(dp, &from->rxq, (i + 1) % WORKERS), 0);
		dataplane_turn(dp, START_NS);
		/* Now and then it stays long enough to be polled for certain. */
		if (i % 8 < WORKERS)
			wait_for_turn(dp->workers[from->rxq.worker]);
	}
	for (unsigned int i = 0; i < WORKERS; i++)
		worker_stop(dp->workers[i]);
	for (unsigned int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < MOVES / BURST_FRAMES + 1; i++)
		rig_turn(dp, 1); /* what they left */
	assert_int_equal(to->n_out, MOVES);
	for (unsigned int i = 0; i < MOVES; i++)
		assert_int_equal(to->out[i].bytes[14], (uint8_t)i);
	/* The test means something only if both had their share. */
	for (unsigned int i = 0; i < WORKERS; i++)
		assert_true(counters_block(dp->counters, port_find(dp, 1)->slot, i)->rx_frames > 0);
	assert_true(atomic_load(&from->rxq.busy_cycles) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_moves_what_evens_out_and_nothing_else),
		TEST(a_short_burst_moves_nothing),
		TEST(looks_are_a_second_apart),
		TEST(the_busy_share_of_workers_is_told),
		TEST(a_pinned_queue_stays_whatever_it_costs),
		TEST(a_queue_that_starts_again_goes_where_it_is_pinned),
		TEST(a_queue_is_found_by_port_and_number),
		TEST(a_move_that_fails_leaves_it_where_it_was),
		TEST(a_queue_on_the_move_keeps_all_frames_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
