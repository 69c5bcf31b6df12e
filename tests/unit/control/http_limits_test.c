/* SPDX-License-Identifier: BSD-3-Clause */
/* What one caller may take of the API: connections, time, requests. */
#include "control/http_limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ANN 54321 /* neither root nor who runs the test */
#define BOB 54322
#define EVE 54323
#define NOBODYS_FD 1000000
#define NOW_NS UINT64_C(7000000000)

static unsigned int enter_many(struct http_limits *limits, struct http_seat *seats, unsigned int n,
			       int64_t uid)
{
	unsigned int n_taken = 0;

	for (unsigned int i = 0; i < n; i++)
		n_taken += http_limits_enter(limits, &seats[i], NOBODYS_FD, uid, NOW_NS);
	return n_taken;
}

static void one_user_has_half_of_the_connections(void **state)
{
	struct http_seat ann[40], bob[40], again[2];
	struct http_limits limits = {0};

	assert_int_equal(enter_many(&limits, ann, 40, ANN), HTTP_LIMITS_OF_ONE);
	assert_int_equal(enter_many(&limits, bob, 40, BOB), HTTP_LIMITS_OF_ONE);
	/* Whose turn was refused leaves all the same. */
	http_limits_leave(&limits, &ann[39]);
	http_limits_leave(&limits, &ann[0]);
	assert_int_equal(enter_many(&limits, again, 2, ANN), 1);
}

static void all_users_together_leave_room_for_root(void **state)
{
	struct http_seat ann[32], bob[32], eve, remote, root[HTTP_LIMITS_SPARE];
	struct http_limits limits = {0};

	enter_many(&limits, ann, 32, ANN);
	enter_many(&limits, bob, 32, BOB);
	assert_false(http_limits_enter(&limits, &eve, NOBODYS_FD, EVE, NOW_NS));
	assert_false(http_limits_enter(&limits, &remote, NOBODYS_FD, HTTP_LIMITS_REMOTE, NOW_NS));
	assert_int_equal(enter_many(&limits, root, HTTP_LIMITS_SPARE, 0), HTTP_LIMITS_SPARE);
	/* Root's count for nobody. */
	http_limits_leave(&limits, &bob[5]);
	assert_true(http_limits_enter(&limits, &eve, NOBODYS_FD, EVE, NOW_NS));
}

static void remote_callers_are_not_one_user(void **state)
{
	struct http_seat seats[80];
	struct http_limits limits = {0};

	assert_int_equal(enter_many(&limits, seats, 80, HTTP_LIMITS_REMOTE),
			 HTTP_LIMITS_CONNECTIONS);
}

static bool is_over(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* Enforces at that time and says whether the other end sees the end. */
static bool ends(struct http_limits *limits, int fd, uint64_t now_ns)
{
	http_limits_enforce(limits, now_ns);
	return is_over(fd);
}

static void every_phase_has_its_time(void **state)
{
	struct http_limits limits = {0};
	struct http_seat seat, other;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_true(http_limits_enter(&limits, &seat, fds[0], ANN, NOW_NS));
	assert_false(ends(&limits, fds[1], NOW_NS + HTTP_LIMITS_FIRST_NS - 1));
	http_limits_await_body(&seat, NOW_NS);
	assert_false(ends(&limits, fds[1], NOW_NS + HTTP_LIMITS_BODY_NS - 1));
	http_limits_await_nothing(&seat);
	assert_false(ends(&limits, fds[1], NOW_NS + 1000 * HTTP_LIMITS_BODY_NS));
	http_limits_await_request(&seat, NOW_NS);
	/* Another one's time is its own. */
	assert_true(http_limits_enter(&limits, &other, NOBODYS_FD, BOB, NOW_NS));
	assert_false(ends(&limits, fds[1], NOW_NS + HTTP_LIMITS_FIRST_NS));
	assert_false(ends(&limits, fds[1], NOW_NS + HTTP_LIMITS_IDLE_NS - 1));
	assert_true(ends(&limits, fds[1], NOW_NS + HTTP_LIMITS_IDLE_NS));
	assert_int_equal(http_limits_enforce(&limits, NOW_NS + HTTP_LIMITS_IDLE_NS), 0);
	close(fds[0]);
	close(fds[1]);
}

static unsigned int take_many(struct http_limits *limits, const char *who, int64_t uid,
			      unsigned int n, uint64_t now_ns)
{
	unsigned int n_taken = 0;

	for (unsigned int i = 0; i < n; i++)
		n_taken += http_limits_take(limits, who, uid, now_ns);
	return n_taken;
}

static void a_caller_has_a_hundred_requests_a_second(void **state)
{
	struct http_limits limits = {0};

	assert_int_equal(take_many(&limits, "uid 1", ANN, 1000, NOW_NS), HTTP_LIMITS_BURST);
	assert_int_equal(take_many(&limits, "uid 1", ANN, 1000, NOW_NS + 1000000000),
			 HTTP_LIMITS_PER_S);
	/* Others have theirs, and nobody saves up more than a burst. */
	assert_int_equal(take_many(&limits, "uid 2", BOB, 1000, NOW_NS + 1000000000),
			 HTTP_LIMITS_BURST);
	assert_int_equal(take_many(&limits, "uid 1", ANN, 1000, NOW_NS + 3600000000000),
			 HTTP_LIMITS_BURST);
}

static void root_and_weftds_own_user_are_not_counted(void **state)
{
	struct http_limits limits = {0};

	assert_int_equal(take_many(&limits, "uid 0", 0, 1000, NOW_NS), 1000);
	assert_int_equal(take_many(&limits, "own", geteuid(), 1000, NOW_NS), 1000);
}

static void the_longest_silent_makes_room_for_a_new_caller(void **state)
{
	struct http_limits limits = {0};
	char who[32];

	take_many(&limits, "busy", ANN, 1000, NOW_NS);
	for (unsigned int i = 0; i < 2 * HTTP_LIMITS_CALLERS; i++) {
		snprintf(who, sizeof(who), "uid %u", 100000 + i);
		assert_true(http_limits_take(&limits, who, 100000 + i, NOW_NS));
	}
	/* Who has used up most is known best. */
	assert_false(http_limits_take(&limits, "busy", ANN, NOW_NS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_user_has_half_of_the_connections),
		cmocka_unit_test(all_users_together_leave_room_for_root),
		cmocka_unit_test(remote_callers_are_not_one_user),
		cmocka_unit_test(every_phase_has_its_time),
		cmocka_unit_test(a_caller_has_a_hundred_requests_a_second),
		cmocka_unit_test(root_and_weftds_own_user_are_not_counted),
		cmocka_unit_test(the_longest_silent_makes_room_for_a_new_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
