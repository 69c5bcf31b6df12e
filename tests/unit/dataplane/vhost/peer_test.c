/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/peer.c: whom a port takes. As root, peers of other users are tried. */
#include "dataplane/vhost/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRANGER 4711u

static void owners_have_a_name_or_a_number(void **state)
{
	struct peer_owner owner;
	char why[240];

	assert_int_equal(peer_find_owner(&owner, "root", why, sizeof(why)), 0);
	assert_true(owner.is_named && owner.uid == 0);
	assert_int_equal(peer_find_owner(&owner, "4711", why, sizeof(why)), 0);
	assert_int_equal(owner.uid, STRANGER);
	assert_int_equal(peer_find_owner(&owner, "nobody-of-that-name", why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "owner: this host has no user nobody-of-that-name");
	assert_int_equal(peer_find_owner(&owner, "-1", why, sizeof(why)), -ENOENT);
	assert_int_equal(peer_find_owner(&owner, "4294967296", why, sizeof(why)), -ENOENT);
}

static void our_own_user_is_taken(void **state)
{
	struct peer_owner nobody = {0}, self = {.is_named = true, .uid = geteuid()};
	char why[240];
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(peer_check(fds[0], &nobody, why, sizeof(why)), 0);
	assert_int_equal(peer_check(fds[0], &self, why, sizeof(why)), 0);
	close(fds[0]);
	close(fds[1]);
}

/* In a child: becomes that user, with one more group if it is not 0, and connects to the abstract
 * name of `listener`. */
static void connect_as(int listener, uid_t uid, gid_t group)
{
	struct sockaddr_un address;
	socklen_t bytes = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_done = getsockname(listener, (struct sockaddr *)&address, &bytes) == 0 &&
		       setgroups(group != 0, &group) == 0 && setgid(uid) == 0 && setuid(uid) == 0 &&
		       connect(fd, (struct sockaddr *)&address, bytes) == 0;

	_exit(!is_done);
}

/* What is said of a peer of that user and group. */
static int check_stranger(uid_t uid, gid_t group, const struct peer_owner *owner, char why[240])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int status;

	/* No name: the kernel finds a free one. */
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address.sun_family)),
			 0);
	assert_int_equal(listen(listener, 1), 0);
	pid_t child = fork();

	if (child == 0)
		connect_as(listener, uid, group);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	assert_true(fd >= 0);
	int error = peer_check(fd, owner, why, 240);

	close(fd);
	close(listener);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return error;
}

static void strangers_are_refused_by_number(void **state)
{
	struct peer_owner nobody = {0}, other = {.is_named = true, .uid = STRANGER + 1};
	char why[240];

	if (geteuid() != 0)
		skip();
	assert_int_equal(check_stranger(STRANGER, 0, &nobody, why), -EPERM);
	assert_non_null(strstr(why, "belongs to user 4711, who is not in group kvm"));
	assert_int_equal(check_stranger(STRANGER, 0, &other, why), -EPERM);
	assert_non_null(strstr(why, "not to the port's owner 4712"));
}

static void the_owner_and_root_are_taken(void **state)
{
	struct peer_owner stranger = {.is_named = true, .uid = STRANGER};
	char why[240];

	if (geteuid() != 0)
		skip();
	assert_int_equal(check_stranger(STRANGER, 0, &stranger, why), 0);
	assert_int_equal(check_stranger(0, 0, &stranger, why), 0);
}

static void group_kvm_is_taken_unless_an_owner_is_named(void **state)
{
	struct peer_owner nobody = {0}, other = {.is_named = true, .uid = STRANGER + 1};
	const struct group *kvm = getgrnam("kvm");
	char why[240];

	if (geteuid() != 0 || kvm == NULL)
		skip();
	assert_int_equal(check_stranger(STRANGER, kvm->gr_gid, &nobody, why), 0);
	assert_int_equal(check_stranger(STRANGER, kvm->gr_gid, &other, why), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_have_a_name_or_a_number),
		cmocka_unit_test(our_own_user_is_taken),
		cmocka_unit_test(strangers_are_refused_by_number),
		cmocka_unit_test(the_owner_and_root_are_taken),
		cmocka_unit_test(group_kvm_is_taken_unless_an_owner_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
