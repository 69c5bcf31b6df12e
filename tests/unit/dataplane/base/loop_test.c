/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/base/loop.c: above all, watches that are removed from inside callbacks. */
#include "dataplane/base/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define N 4

struct party {
	struct loop *loop;
	int fds[N];
	struct loop_watch *watches[N];
	unsigned int n_calls;
	uint64_t now_ns;
	uint32_t events;
};

static uint64_t fixed_clock(void)
{
	return 12345;
}

static void count(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct party *party = ctx;

	party->n_calls++;
	party->now_ns = now_ns;
	party->events = events;
}

static void open_party(struct party *party, loop_fn fn)
{
	*party = (struct party){0};
	assert_int_equal(loop_create(&party->loop), 0);
	for (int i = 0; i < N; i++) {
		party->fds[i] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_int_equal(loop_add(party->loop, party->fds[i], EPOLLIN, fn, party,
					  &party->watches[i]),
				 0);
	}
}

static void close_party(struct party *party)
{
	loop_destroy(party->loop);
	for (int i = 0; i < N; i++)
		close(party->fds[i]);
}

static int turn(struct party *party)
{
	return loop_turn(party->loop, 0, fixed_clock);
}

static void each_ready_descriptor_is_called_with_the_time_of_the_turn(void **state)
{
	struct party party;

	open_party(&party, count);
	assert_int_equal(turn(&party), N);
	assert_int_equal(party.n_calls, N);
	assert_int_equal(party.now_ns, 12345);
	assert_int_equal(party.events, EPOLLIN);
	close_party(&party);
}

static void a_removed_watch_is_not_called_any_more(void **state)
{
	struct party party;

	open_party(&party, count);
	loop_remove(party.watches[1]);
	loop_remove(NULL);
	assert_int_equal(turn(&party), N - 1);
	close_party(&party);
}

static void what_is_watched_for_can_change(void **state)
{
	struct party party;

	open_party(&party, count);
	for (int i = 0; i < N; i++)
		assert_int_equal(loop_modify(party.watches[i], i == 0 ? EPOLLOUT : 0), 0);
	assert_int_equal(turn(&party), 1);
	assert_int_equal(party.events, EPOLLOUT);
	close_party(&party);
}

static void remove_all(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct party *party = ctx;

	party->n_calls++;
	for (int i = 0; i < N; i++)
		loop_remove(party->watches[i]);
	/* Again is harmless as long as the turn lasts. */
	loop_remove(party->watches[0]);
}

static void a_callback_may_remove_every_watch_its_own_too(void **state)
{
	struct party party;

	open_party(&party, remove_all);
	turn(&party);
	/* The others were ready in the same turn: they must not be called. */
	assert_int_equal(party.n_calls, 1);
	assert_int_equal(turn(&party), 0);
	close_party(&party);
}

static void replace(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct party *party = ctx;

	party->n_calls++;
	for (int i = 0; i < N; i++) {
		loop_remove(party->watches[i]);
		close(party->fds[i]);
		/* Most likely with the number that was just closed. */
		party->fds[i] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_int_equal(loop_add(party->loop, party->fds[i], EPOLLIN, count, party,
					  &party->watches[i]),
				 0);
	}
}

static void an_event_of_a_removed_watch_does_not_reach_its_successor(void **state)
{
	struct party party;

	open_party(&party, replace);
	turn(&party);
	assert_int_equal(party.n_calls, 1);
	assert_int_equal(turn(&party), N);
	assert_int_equal(party.n_calls, 1 + N);
	close_party(&party);
}

static void a_descriptor_that_cannot_be_watched_is_an_error(void **state)
{
	struct party party;
	struct loop_watch *watch = NULL;

	open_party(&party, count);
	assert_int_equal(loop_add(party.loop, -1, EPOLLIN, count, &party, &watch), -EBADF);
	assert_int_equal(loop_add(party.loop, party.fds[0], EPOLLIN, count, &party, &watch),
			 -EEXIST);
	assert_null(watch);
	close_party(&party);
	loop_destroy(NULL);
}

static void the_clock_does_not_go_back(void **state)
{
	uint64_t last = loop_clock_ns();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = loop_clock_ns();

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_ready_descriptor_is_called_with_the_time_of_the_turn),
		cmocka_unit_test(a_removed_watch_is_not_called_any_more),
		cmocka_unit_test(what_is_watched_for_can_change),
		cmocka_unit_test(a_callback_may_remove_every_watch_its_own_too),
		cmocka_unit_test(an_event_of_a_removed_watch_does_not_reach_its_successor),
		cmocka_unit_test(a_descriptor_that_cannot_be_watched_is_an_error),
		cmocka_unit_test(the_clock_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
