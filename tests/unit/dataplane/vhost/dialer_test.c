/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/dialer.c: what is said of a front-end that is away, and the pauses. */
#include "dataplane/vhost/dialer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define START_NS UINT64_C(1000000000000)
#define MS UINT64_C(1000000)

struct place {
	char dir[32];
	char why[240];
	struct dialer dialer;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char path[64];

	assert_non_null(place);
	strcpy(place->dir, "/tmp/weft-dialer-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(path, sizeof(path), "%s/q.sock", place->dir);
	assert_int_equal(dialer_init(&place->dialer, path, place->why, sizeof(place->why)), 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->dialer.path);
	assert_int_equal(rmdir(place->dir), 0);
	free(place);
	return 0;
}

static int listen_at(const struct place *place, int backlog)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, place->dialer.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static int try_at(struct place *place, uint64_t now_ns)
{
	return dialer_try(&place->dialer, now_ns, place->why, sizeof(place->why));
}

static void assert_says(const struct place *place, const char *text)
{
	if (strstr(place->why, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, place->why);
}

static void a_front_end_that_listens_is_connected_to(void **state)
{
	struct place *place = *state;
	int listener = listen_at(place, 1);
	int fd = try_at(place, START_NS);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	close(listener);
}

static void who_is_away_is_named_with_what_to_do(void **state)
{
	struct place *place = *state;

	assert_int_equal(try_at(place, START_NS), -ENOENT);
	assert_says(place, place->dialer.path);
	assert_says(place, "server=on,wait=off");
	dialer_reset(&place->dialer);
	close(listen_at(place, 1));
	assert_int_equal(try_at(place, START_NS), -ECONNREFUSED);
	assert_says(place, "nobody listens");
}

static void a_busy_listener_is_no_reason_to_wait(void **state)
{
	struct place *place = *state;
	int listener = listen_at(place, 0);
	int first = try_at(place, START_NS);

	dialer_reset(&place->dialer);
	assert_int_equal(try_at(place, START_NS), -EAGAIN);
	assert_says(place, "busy");
	close(first);
	close(listener);
}

static void pauses_double_up_to_a_second_and_begin_anew_after_a_reset(void **state)
{
	struct place *place = *state;
	const uint64_t pauses_ms[] = {100, 200, 400, 800, 1000, 1000};
	uint64_t now_ns = START_NS;

	for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
		assert_int_equal(try_at(place, now_ns), -ENOENT);
		now_ns += pauses_ms[i] * MS - 1;
		assert_int_equal(try_at(place, now_ns), -EINPROGRESS);
		now_ns++;
	}
	dialer_reset(&place->dialer);
	assert_int_equal(try_at(place, START_NS), -ENOENT);
	assert_int_equal(try_at(place, START_NS + 100 * MS), -ENOENT);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	struct place *place = *state;
	struct dialer dialer;
	char path[DIALER_PATH_BYTES + 1];

	memset(path, 'x', sizeof(path) - 1);
	path[DIALER_PATH_BYTES] = '\0';
	assert_int_equal(dialer_init(&dialer, path, place->why, sizeof(place->why)), -ENAMETOOLONG);
	assert_says(place, "longer than 107 bytes");
	path[DIALER_PATH_BYTES - 1] = '\0';
	assert_int_equal(dialer_init(&dialer, path, place->why, sizeof(place->why)), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_front_end_that_listens_is_connected_to),
		TEST(who_is_away_is_named_with_what_to_do),
		TEST(a_busy_listener_is_no_reason_to_wait),
		TEST(pauses_double_up_to_a_second_and_begin_anew_after_a_reset),
		TEST(a_path_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
