/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/worker.c: turns stepped by hand, queues that come and go, and the thread. */
#include "dataplane/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/base/loop.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "tests/lib/deadline.h"
#include "tests/unit/dataplane/rig.h"

#define SECOND 1000000000ULL
#define NOW_NS (1000 * SECOND)
#define DEADLINE_MS 10000

static int set_up(void **state)
{
	struct dataplane *dp = rig_create(1);

	rig_put_segment(dp, 1);
	for (uint64_t id = 1; id <= 3; id++)
		rig_put_port(dp, id, 1);
	*state = dp;
	return 0;
}

static int tear_down(void **state)
{
	rig_assert_accounted(*state);
	dataplane_destroy(*state);
	return 0;
}

static struct worker *worker_of(const struct dataplane *dp)
{
	return dp->workers[0];
}

static void a_turn_takes_one_burst_of_every_queue(void **state)
{
	struct dataplane *dp = *state;

	for (unsigned int i = 0; i < BURST_FRAMES + 10; i++)
		rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	for (unsigned int i = 0; i < 5; i++)
		rig_send(dp, 2, RIG_BROADCAST, 2, 60, 0);
	assert_int_equal(worker_turn(worker_of(dp), NOW_NS), BURST_FRAMES + 5);
	assert_int_equal(worker_turn(worker_of(dp), NOW_NS), 10);
	assert_int_equal(worker_turn(worker_of(dp), NOW_NS), 0);
	assert_int_equal(rig_port(dp, 3)->n_out, BURST_FRAMES + 15);
}

/* Port 3 has woken the worker: its frame is the first that port 2 gets. */
static void a_turn_begins_with_the_queue_that_woke_the_worker(void **state)
{
	struct dataplane *dp = *state;
	const struct rig_port *receiver = rig_port(dp, 2);

	for (uint64_t id = 1; id <= 3; id += 2)
		rig_send(dp, id, RIG_BROADCAST, (uint32_t)id, 60, 0);
	worker_of(dp)->first = 2;
	assert_int_equal(worker_turn(worker_of(dp), NOW_NS), 2);
	assert_int_equal(receiver->n_out, 2);
	assert_int_equal(receiver->out[0].bytes[11], 3);
	assert_int_equal(receiver->out[1].bytes[11], 1);
	assert_int_equal(worker_of(dp)->first, 0);
	/* One that has gone since is none. */
	worker_of(dp)->first = 7;
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	assert_int_equal(worker_turn(worker_of(dp), NOW_NS), 1);
}

static void every_burst_is_given_back_and_an_empty_one_is_none(void **state)
{
	struct dataplane *dp = *state;

	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	worker_turn(worker_of(dp), NOW_NS);
	worker_turn(worker_of(dp), NOW_NS);
	assert_int_equal(rig_port(dp, 1)->n_rx, 2);
	assert_int_equal(rig_port(dp, 1)->n_rx_done, 1);
	assert_int_equal(rig_port(dp, 2)->n_rx_done, 0);
}

static void the_time_of_the_turn_is_the_one_passed_in(void **state)
{
	struct dataplane *dp = *state;

	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	worker_turn(worker_of(dp), 12345 * SECOND + 999999999);
	assert_int_equal(worker_of(dp)->burst->now_s, 12345);
}

static void only_news_make_work_for_main(void **state)
{
	struct dataplane *dp = *state;

	worker_turn(worker_of(dp), NOW_NS);
	assert_false(worker_of(dp)->main_has_work);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	worker_turn(worker_of(dp), NOW_NS);
	assert_true(worker_of(dp)->main_has_work);
	worker_of(dp)->main_has_work = false;
	dataplane_turn(dp, NOW_NS);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	worker_turn(worker_of(dp), NOW_NS);
	assert_false(worker_of(dp)->main_has_work);
}

static void received_frames_and_bytes_are_counted_at_their_port(void **state)
{
	struct dataplane *dp = *state;

	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_send(dp, 1, RIG_BROADCAST, 1, 200, 0);
	worker_turn(worker_of(dp), NOW_NS);
	assert_int_equal(rig_counters(dp, 1)->rx_frames, 2);
	assert_int_equal(rig_counters(dp, 1)->rx_bytes, 260);
	assert_int_equal(rig_counters(dp, 2)->rx_frames, 0);
	assert_int_equal(rig_counters(dp, 2)->tx_bytes, 260);
}

/* --- queues --- */

static void the_last_queue_takes_the_place_of_one_that_goes(void **state)
{
	struct dataplane *dp = *state;
	struct worker *worker = worker_of(dp);
	struct rxq *first = atomic_load(&worker->rxqs[0]), *last = atomic_load(&worker->rxqs[2]);

	port_detach_rxq(first->port, first);
	assert_int_equal(worker->n_rxqs, 2);
	assert_ptr_equal(atomic_load(&worker->rxqs[0]), last);
	assert_int_equal(first->worker, -1);
	assert_int_equal(last->worker, 0);
	for (uint64_t id = 1; id <= 3; id++)
		rig_send(dp, id, RIG_BROADCAST, (uint32_t)id, 60, 0);
	assert_int_equal(worker_turn(worker, NOW_NS), 2);
	/* The last one, and then the only one. */
	port_detach_rxq(last->port, last);
	assert_int_equal(worker->n_rxqs, 1);
	assert_int_equal(worker_turn(worker, NOW_NS), 0);
	port_detach_rxq(port_find(dp, 2), &rig_port(dp, 2)->rxq);
	assert_int_equal(worker->n_rxqs, 0);
	/* The frame of port 1 is still there when its queue comes back. */
	assert_int_equal(port_attach_rxq(first->port, first), 0);
	assert_int_equal(worker_turn(worker, NOW_NS), 1);
}

static void a_descriptor_that_cannot_be_watched_attaches_nothing(void **state)
{
	struct dataplane *dp = *state;
	struct rxq bad = {.wake_fd = 1 << 20, .worker = -1};

	assert_true(port_attach_rxq(port_find(dp, 1), &bad) < 0);
	assert_int_equal(bad.worker, -1);
	assert_int_equal(worker_of(dp)->n_rxqs, 3);
}

/* --- the thread --- */

static void *run(void *arg)
{
	worker_run(arg);
	return NULL;
}

static pthread_t start(struct dataplane *dp)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run, worker_of(dp)), 0);
	return thread;
}

static void stop(struct dataplane *dp, pthread_t thread)
{
	worker_stop(worker_of(dp));
	pthread_join(thread, NULL);
}

static uint64_t read_now(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void assert_grows_beyond(const uint64_t *counter, uint64_t value)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	while (read_now(counter) <= value) {
		assert_false(deadline_passed(deadline));
		sched_yield();
	}
}

static void frames_wake_an_idle_worker(void **state)
{
	struct dataplane *dp = *state;
	const uint64_t *n_sleeps = &worker_of(dp)->count->sleeps;
	const uint64_t *tx = &rig_counters(dp, 2)->tx_frames;
	pthread_t thread = start(dp);

	assert_grows_beyond(n_sleeps, 0);
	for (unsigned int i = 0; i < 10; i++) {
		uint64_t slept = read_now(n_sleeps);

		rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
		assert_int_equal(eventfd_write(rig_port(dp, 1)->rxq.wake_fd, 1), 0);
		assert_grows_beyond(tx, i);
		assert_grows_beyond(n_sleeps, slept);
	}
	stop(dp, thread);
	assert_int_equal(worker_of(dp)->count->busy_frames, 10);
	assert_true(worker_of(dp)->count->busy_cycles > 0);
}

static void main_does_not_wait_for_an_idle_worker(void **state)
{
	struct dataplane *dp = *state;
	pthread_t thread = start(dp);
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	assert_grows_beyond(&worker_of(dp)->count->sleeps, 0);
	for (int i = 0; i < 100; i++) {
		rig_put_port(dp, 10, 1);
		rig_del_port(dp, 10);
	}
	/* Each of these waits for two grace periods; an idle worker rests for one second. */
	assert_false(deadline_passed(deadline));
	stop(dp, thread);
}

static void ports_come_and_go_under_a_running_worker(void **state)
{
	struct dataplane *dp = *state;
	pthread_t thread = start(dp);

	for (uint64_t round = 0; round < 200; round++) {
		rig_put_port(dp, 100 + round, 1);
		rig_put_port(dp, 100 + round, 0);
		if (round >= 5)
			rig_del_port(dp, 100 + round - 5);
	}
	stop(dp, thread);
	assert_int_equal(worker_of(dp)->n_rxqs, 3 + 5);
}

static void a_worker_that_learns_wakes_main(void **state)
{
	struct dataplane *dp = *state;
	eventfd_t value = 0;

	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	pthread_t thread = start(dp);
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	while (eventfd_read(dp->news.fd, &value) < 0) {
		assert_false(deadline_passed(deadline));
		sched_yield();
	}
	stop(dp, thread);
	/* The worker's clock, not ours: the address would be too old for one that is far ahead. */
	dataplane_turn(dp, loop_clock_ns());
	assert_int_equal(fdb_count(dp->fdb), 1);
}

static int full_fd;
static _Atomic bool is_in_call;

/* As a guest's descriptor that is full and was made to block. */
static void hang(struct rxq *rxq, struct burst *burst)
{
	atomic_store(&is_in_call, true);
	assert_true(eventfd_write(full_fd, 1) < 0 && errno == EINTR);
}

static void a_worker_that_hangs_in_a_call_is_freed_to_stop(void **state)
{
	struct dataplane *dp = *state;
	struct port_type hanging = rig_port_type;
	struct port *port = port_find(dp, 1);
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	full_fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(eventfd_write(full_fd, UINT64_MAX - 1), 0);
	hanging.rx = hang;
	atomic_store(&port->io, &hanging);
	pthread_t thread = start(dp);

	while (!atomic_load(&is_in_call)) {
		assert_false(deadline_passed(deadline));
		sched_yield();
	}
	dataplane_stop_workers(dp);
	assert_false(deadline_passed(deadline));
	pthread_join(thread, NULL);
	atomic_store(&port->io, port->type);
	close(full_fd);
}

static void workers_that_do_not_run_are_not_waited_for(void **state)
{
	struct dataplane *dp = *state;

	dataplane_stop_workers(dp);
	/* One that begins only now ends at once. */
	pthread_join(start(dp), NULL);
	assert_int_equal(worker_of(dp)->count->turns, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_turn_takes_one_burst_of_every_queue),
		TEST(a_turn_begins_with_the_queue_that_woke_the_worker),
		TEST(every_burst_is_given_back_and_an_empty_one_is_none),
		TEST(the_time_of_the_turn_is_the_one_passed_in),
		TEST(only_news_make_work_for_main),
		TEST(received_frames_and_bytes_are_counted_at_their_port),
		TEST(the_last_queue_takes_the_place_of_one_that_goes),
		TEST(a_descriptor_that_cannot_be_watched_attaches_nothing),
		TEST(frames_wake_an_idle_worker),
		TEST(main_does_not_wait_for_an_idle_worker),
		TEST(ports_come_and_go_under_a_running_worker),
		TEST(a_worker_that_learns_wakes_main),
		TEST(a_worker_that_hangs_in_a_call_is_freed_to_stop),
		TEST(workers_that_do_not_run_are_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
