/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/listener.c: what may be at a path, and what is there afterwards. */
#include "dataplane/vhost/listener.h"

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

struct place {
	char dir[32];
	char path[64];
	char why[240];
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->dir, "/tmp/weft-listener-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->path, sizeof(place->path), "%s/a.sock", place->dir);
	*state = place;
	return 0;
}

/* An empty directory shows that nothing was left behind. */
static int tear_down(void **state)
{
	struct place *place = *state;

	assert_int_equal(rmdir(place->dir), 0);
	free(place);
	return 0;
}

static int open_at(struct place *place, struct listener *listener, bool may_exist)
{
	return listener_open(listener, place->path, may_exist, place->why, sizeof(place->why));
}

static void opened(struct place *place, struct listener *listener, bool may_exist)
{
	if (open_at(place, listener, may_exist) != 0)
		fail_msg("%s", place->why);
}

static void refused(struct place *place, int error, const char *text)
{
	struct listener listener;

	assert_int_equal(open_at(place, &listener, false), error);
	if (strstr(place->why, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, place->why);
	listener_close(&listener);
}

static bool is_there(const char *path)
{
	struct stat there;

	return lstat(path, &there) == 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool reaches(const struct listener *listener, const char *path)
{
	int client = connect_to(path);
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

	if (client >= 0)
		close(client);
	if (fd >= 0)
		close(fd);
	return client >= 0 && fd >= 0;
}

/* A socket whose owner is dead. */
static void leave_stale_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void the_path_appears_when_it_is_published_and_goes_with_the_listener(void **state)
{
	struct place *place = *state;
	struct listener listener;

	opened(place, &listener, false);
	assert_false(is_there(place->path));
	assert_int_equal(listener_publish(&listener), 0);
	assert_true(reaches(&listener, place->path));
	listener_close(&listener);
	assert_false(is_there(place->path));
	listener_close(&listener);
}

static void one_that_was_never_published_leaves_the_path_alone(void **state)
{
	struct place *place = *state;
	struct listener first, second;

	opened(place, &first, false);
	assert_int_equal(listener_publish(&first), 0);
	opened(place, &second, true);
	listener_close(&second);
	assert_true(reaches(&first, place->path));
	listener_close(&first);
}

static void a_successor_takes_the_path_without_a_gap(void **state)
{
	struct place *place = *state;
	struct listener first, second;

	opened(place, &first, false);
	assert_int_equal(listener_publish(&first), 0);
	opened(place, &second, true);
	assert_true(reaches(&first, place->path));
	assert_int_equal(listener_publish(&second), 0);
	assert_true(reaches(&second, place->path));
	/* The first one closes later: the path is not its own any more. */
	listener_close(&first);
	assert_true(reaches(&second, place->path));
	listener_close(&second);
}

static void the_socket_is_for_owner_and_group_only(void **state)
{
	struct place *place = *state;
	struct listener listener;
	struct stat there;
	mode_t mask = umask(0);

	opened(place, &listener, false);
	assert_int_equal(listener_publish(&listener), 0);
	assert_int_equal(lstat(place->path, &there), 0);
	assert_int_equal(there.st_mode, S_IFSOCK | 0660);
	umask(mask);
	listener_close(&listener);
}

static void a_dead_socket_of_ours_is_replaced(void **state)
{
	struct place *place = *state;
	struct listener listener;

	leave_stale_socket(place->path);
	opened(place, &listener, false);
	assert_int_equal(listener_publish(&listener), 0);
	assert_true(reaches(&listener, place->path));
	listener_close(&listener);
}

static void a_live_socket_is_refused_and_stays(void **state)
{
	struct place *place = *state;
	struct listener other;

	opened(place, &other, false);
	assert_int_equal(listener_publish(&other), 0);
	refused(place, -EADDRINUSE, "in use by another program");
	assert_true(reaches(&other, place->path));
	listener_close(&other);
}

static void a_file_that_is_no_socket_is_refused_and_stays(void **state)
{
	struct place *place = *state;
	int fd = open(place->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	close(fd);
	refused(place, -EEXIST, "is no socket");
	assert_true(is_there(place->path));
	unlink(place->path);
	assert_int_equal(symlink("/nowhere", place->path), 0);
	refused(place, -EEXIST, "is no socket");
	assert_true(is_there(place->path));
	unlink(place->path);
}

static void what_others_put_at_the_path_is_not_removed(void **state)
{
	struct place *place = *state;
	struct listener listener;

	opened(place, &listener, false);
	assert_int_equal(listener_publish(&listener), 0);
	unlink(place->path);
	leave_stale_socket(place->path);
	listener_close(&listener);
	assert_true(is_there(place->path));
	unlink(place->path);
}

static void a_path_that_is_too_long_is_refused_with_the_limit(void **state)
{
	struct place *place = *state;
	const size_t longest = LISTENER_PATH_BYTES - sizeof(".01234567");
	struct listener listener;
	char path[200];
	int len = snprintf(path, sizeof(path), "%s/", place->dir);

	memset(path + len, 'x', sizeof(path) - (size_t)len);
	path[longest + 1] = '\0';
	assert_int_equal(listener_open(&listener, path, false, place->why, sizeof(place->why)),
			 -ENAMETOOLONG);
	assert_non_null(strstr(place->why, "longer than 98 bytes"));
	path[longest] = '\0';
	assert_int_equal(listener_open(&listener, path, false, place->why, sizeof(place->why)), 0);
	assert_int_equal(listener_publish(&listener), 0);
	assert_true(reaches(&listener, path));
	listener_close(&listener);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct place *place = *state;

	snprintf(place->path, sizeof(place->path), "%s/none/a.sock", place->dir);
	refused(place, -ENOENT, place->path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_path_appears_when_it_is_published_and_goes_with_the_listener),
		TEST(one_that_was_never_published_leaves_the_path_alone),
		TEST(a_successor_takes_the_path_without_a_gap),
		TEST(the_socket_is_for_owner_and_group_only),
		TEST(a_dead_socket_of_ours_is_replaced),
		TEST(a_live_socket_is_refused_and_stays),
		TEST(a_file_that_is_no_socket_is_refused_and_stays),
		TEST(what_others_put_at_the_path_is_not_removed),
		TEST(a_path_that_is_too_long_is_refused_with_the_limit),
		TEST(a_folder_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
