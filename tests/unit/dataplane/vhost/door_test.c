/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/door.c: how front-ends come, either way, and who is sent away. */
#include "dataplane/vhost/door.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/loop.h"

#define START_NS UINT64_C(1000000000000)
#define MS UINT64_C(1000000)

struct place {
	char dir[32];
	char path[64];
	char why[240];
	char failure[240]; /* the last one that the port was told */
	unsigned int n_front_ends;
	int front_end; /* the last one; -1: none */
	struct loop *loop;
	struct door door;
};

static uint64_t time_ns;

static uint64_t clock_ns(void)
{
	return time_ns;
}

static void on_front_end(void *ctx, int fd, uint64_t now_ns)
{
	struct place *place = ctx;

	if (place->front_end >= 0)
		close(place->front_end);
	place->front_end = fd;
	place->n_front_ends++;
}

static void on_failure(void *ctx, const char *why, uint64_t now_ns)
{
	struct place *place = ctx;

	snprintf(place->failure, sizeof(place->failure), "%s", why);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->dir, "/tmp/weft-door-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->path, sizeof(place->path), "%s/a.sock", place->dir);
	assert_int_equal(loop_create(&place->loop), 0);
	place->front_end = -1;
	time_ns = START_NS;
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	door_close(&place->door);
	if (place->front_end >= 0)
		close(place->front_end);
	loop_destroy(place->loop);
	assert_int_equal(rmdir(place->dir), 0);
	free(place);
	return 0;
}

static int open_door(struct place *place, enum door_mode mode, const char *owner)
{
	const struct door_config config = {
		.mode = mode,
		.path = place->path,
		.owner = owner,
		.loop = place->loop,
		.on_front_end = on_front_end,
		.on_failure = on_failure,
		.ctx = place,
	};
	int error = door_open(&place->door, &config, place->why, sizeof(place->why));

	if (error == 0)
		assert_int_equal(door_publish(&place->door), 0);
	return error;
}

static struct sockaddr_un address_of(const struct place *place)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path, place->path);
	return address;
}

static int connect_to(const struct place *place)
{
	struct sockaddr_un address = address_of(place);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int listen_at(const struct place *place)
{
	struct sockaddr_un address = address_of(place);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void a_server_hands_over_who_connects(void **state)
{
	struct place *place = *state;

	assert_int_equal(open_door(place, DOOR_SERVER, NULL), 0);
	assert_string_equal(door_listens_at(&place->door), place->path);
	int fd = connect_to(place);

	assert_true(loop_turn(place->loop, 1000, clock_ns) >= 0);
	assert_int_equal(place->n_front_ends, 1);
	close(fd);
}

static void turn(struct place *place, uint64_t now_ns)
{
	time_ns = now_ns;
	door_turn(&place->door, true, now_ns);
	assert_true(loop_turn(place->loop, 0, clock_ns) >= 0);
}

static void who_comes_and_goes_all_the_time_is_let_in_more_slowly(void **state)
{
	struct place *place = *state;
	int fds[DOOR_BURST + 4];

	assert_int_equal(open_door(place, DOOR_SERVER, NULL), 0);
	for (unsigned int i = 0; i < DOOR_BURST; i++) {
		fds[i] = connect_to(place);
		turn(place, START_NS);
	}
	assert_int_equal(place->n_front_ends, DOOR_BURST);
	assert_string_equal(place->failure, "");
	for (unsigned int i = DOOR_BURST; i < DOOR_BURST + 4; i++)
		fds[i] = connect_to(place);
	turn(place, START_NS);
	assert_int_equal(place->n_front_ends, DOOR_BURST);
	assert_non_null(strstr(place->failure, "more slowly"));
	/* They wait, and come in one by one. */
	for (unsigned int i = 1; i <= 4; i++) {
		turn(place, START_NS + i * 1000 * MS / DOOR_PER_S);
		assert_int_equal(place->n_front_ends, DOOR_BURST + i);
	}
	for (unsigned int i = 0; i < DOOR_BURST + 4; i++)
		close(fds[i]);
}

static void a_server_dials_nobody(void **state)
{
	struct place *place = *state;

	assert_int_equal(open_door(place, DOOR_SERVER, NULL), 0);
	door_turn(&place->door, true, START_NS);
	assert_int_equal(place->n_front_ends, 0);
	assert_string_equal(place->failure, "");
}

static void a_client_says_why_nobody_is_there_and_finds_who_comes_later(void **state)
{
	struct place *place = *state;

	assert_int_equal(open_door(place, DOOR_CLIENT, NULL), 0);
	assert_null(door_listens_at(&place->door));
	door_turn(&place->door, true, START_NS);
	assert_non_null(strstr(place->failure, "nobody listens at"));
	int listener = listen_at(place);

	door_turn(&place->door, true, START_NS + MS);
	assert_int_equal(place->n_front_ends, 0);
	door_turn(&place->door, true, START_NS + 100 * MS);
	assert_int_equal(place->n_front_ends, 1);
	close(listener);
	unlink(place->path);
}

static void a_client_that_has_a_front_end_leaves_the_socket_alone(void **state)
{
	struct place *place = *state;
	int listener = listen_at(place);
	struct pollfd waiting = {.fd = listener, .events = POLLIN};

	assert_int_equal(open_door(place, DOOR_CLIENT, NULL), 0);
	door_turn(&place->door, false, START_NS);
	assert_int_equal(poll(&waiting, 1, 0), 0);
	/* It is not ours to remove. */
	door_close(&place->door);
	assert_int_equal(access(place->path, F_OK), 0);
	close(listener);
	unlink(place->path);
}

static void who_is_not_the_owner_is_sent_away(void **state)
{
	struct place *place = *state;
	char byte;

	assert_int_equal(open_door(place, DOOR_SERVER, "4711"), 0);
	/* Root may always. */
	bool is_root = geteuid() == 0;
	uid_t self = is_root ? 65534 : geteuid();

	assert_int_equal(chmod(place->dir, 0711) | chmod(place->path, 0666) | seteuid(self), 0);
	int fd = connect_to(place);

	assert_int_equal(is_root ? seteuid(0) : 0, 0);
	assert_true(loop_turn(place->loop, 1000, clock_ns) >= 0);
	assert_int_equal(place->n_front_ends, 0);
	assert_non_null(strstr(place->failure, "not to the port's owner 4711"));
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
}

static void an_owner_that_does_not_exist_is_named(void **state)
{
	struct place *place = *state;

	assert_int_equal(open_door(place, DOOR_CLIENT, "nobody-of-that-name"), -ENOENT);
	assert_non_null(strstr(place->why, "no user nobody-of-that-name"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_server_hands_over_who_connects),
		TEST(who_comes_and_goes_all_the_time_is_let_in_more_slowly),
		TEST(a_server_dials_nobody),
		TEST(a_client_says_why_nobody_is_there_and_finds_who_comes_later),
		TEST(a_client_that_has_a_front_end_leaves_the_socket_alone),
		TEST(who_is_not_the_owner_is_sent_away),
		TEST(an_owner_that_does_not_exist_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
