/* SPDX-License-Identifier: BSD-3-Clause */
/* dataplane/write_ring.h: writes to a pair of sockets that keeps messages apart, as a tap does. */
#include "dataplane/write_ring.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_BYTES 32

struct pair {
	struct write_ring *ring;
	int near_fd, far_fd;
	int32_t results[WRITE_RING_ENTRIES];
};

static int set_up(void **state)
{
	static struct pair pair;
	int fds[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), errno);
	pair = (struct pair){.ring = write_ring_create(), .near_fd = fds[0], .far_fd = fds[1]};
	*state = &pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;

	write_ring_destroy(pair->ring);
	close(pair->near_fd);
	close(pair->far_fd);
	return 0;
}

static void require_ring(const struct pair *pair)
{
	if (pair->ring == NULL) {
		print_message("the kernel gives no io_uring\n");
		skip();
	}
}

static struct iovec piece(const char *text)
{
	return (struct iovec){(void *)(uintptr_t)text, strlen(text)};
}

static bool add(struct pair *pair, const char *text)
{
	return write_ring_add(pair->ring, pair->near_fd, piece(text), NULL, 0);
}

static unsigned int run(struct pair *pair)
{
	memset(pair->results, 0x55, sizeof(pair->results));
	return write_ring_run(pair->ring, pair->results);
}

static void expect(const struct pair *pair, const char *text)
{
	char got[TEXT_BYTES] = "";

	assert_int_equal(recv(pair->far_fd, got, sizeof(got) - 1, MSG_DONTWAIT), strlen(text));
	assert_string_equal(got, text);
}

static void expect_nothing(const struct pair *pair)
{
	char got[TEXT_BYTES];

	assert_int_equal(recv(pair->far_fd, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void each_write_is_a_message_in_the_order_of_adding(void **state)
{
	struct pair *pair = *state;
	const struct iovec rest[2] = {piece("of two "), piece("more")};

	require_ring(pair);
	/* More often than there are places in the kernel's rings. */
	for (unsigned int i = 0; i < 3 * WRITE_RING_ENTRIES; i++) {
		assert_true(add(pair, "first"));
		assert_true(write_ring_add(pair->ring, pair->near_fd, piece("and "), rest, 2));
		assert_true(add(pair, "last one"));
		expect_nothing(pair);
		assert_int_equal(run(pair), 3);
		assert_int_equal(pair->results[0], 5);
		assert_int_equal(pair->results[1], 15);
		assert_int_equal(pair->results[2], 8);
		expect(pair, "first");
		expect(pair, "and of two more");
		expect(pair, "last one");
		expect_nothing(pair);
	}
	assert_int_equal(run(pair), 0);
}

static void what_the_receiver_has_no_room_for_is_refused_at_once(void **state)
{
	struct pair *pair = *state;
	unsigned int n = 0;
	int bytes = 1;

	require_ring(pair);
	/* The smallest that there is: some messages. */
	assert_return_code(setsockopt(pair->near_fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)),
			   errno);
	/* Also on a descriptor that blocks no write waits. */
	assert_false(fcntl(pair->near_fd, F_GETFL) & O_NONBLOCK);
	while (add(pair, "text"))
		n++;
	assert_int_equal(n, WRITE_RING_ENTRIES);
	assert_int_equal(run(pair), WRITE_RING_ENTRIES);
	for (n = 0; n < WRITE_RING_ENTRIES && pair->results[n] == 4; n++)
		expect(pair, "text");
	assert_in_range(n, 1, WRITE_RING_ENTRIES - 1);
	expect_nothing(pair);
	for (; n < WRITE_RING_ENTRIES; n++)
		assert_int_equal(pair->results[n], -EAGAIN);
	assert_true(add(pair, "later"));
	assert_int_equal(run(pair), 1);
	expect(pair, "later");
}

/* Memory of a guest that shrank its file, for one. */
static void a_bad_address_is_the_fault_of_its_write_alone(void **state)
{
	struct pair *pair = *state;
	const struct iovec nowhere = {(void *)16, 100};

	require_ring(pair);
	assert_true(add(pair, "before"));
	assert_true(write_ring_add(pair->ring, pair->near_fd, nowhere, NULL, 0));
	assert_true(write_ring_add(pair->ring, pair->near_fd, piece("head"), &nowhere, 1));
	assert_true(add(pair, "after"));
	assert_int_equal(run(pair), 4);
	assert_int_equal(pair->results[0], 6);
	assert_int_equal(pair->results[1], -EFAULT);
	assert_int_equal(pair->results[2], -EFAULT);
	assert_int_equal(pair->results[3], 5);
	expect(pair, "before");
	expect(pair, "after");
	expect_nothing(pair);
}

static void there_is_room_for_a_frame_of_most_pieces(void **state)
{
	struct pair *pair = *state;
	struct iovec rest[FRAME_IOV_MAX];
	unsigned int n = 0;

	require_ring(pair);
	for (unsigned int i = 0; i < FRAME_IOV_MAX; i++)
		rest[i] = piece("");
	rest[FRAME_IOV_MAX - 1] = piece(" of many");
	while (write_ring_add(pair->ring, pair->near_fd, piece("one"), rest, FRAME_IOV_MAX))
		n++;
	assert_in_range(n, 1, WRITE_RING_ENTRIES - 1);
	/* One without needs none of that room. */
	assert_true(add(pair, "small"));
	assert_int_equal(run(pair), n + 1);
	for (unsigned int i = 0; i < n; i++)
		expect(pair, "one of many");
	expect(pair, "small");
	assert_true(write_ring_add(pair->ring, pair->near_fd, piece("one"), rest, FRAME_IOV_MAX));
	assert_int_equal(run(pair), 1);
	expect(pair, "one of many");
}

/* Files of /proc know no writes that may not wait: whoever added writes by write() from then on. */
static void a_driver_that_knows_no_such_writes_ends_it(void **state)
{
	struct pair *pair = *state;
	int fd = open("/proc/thread-self/comm", O_RDWR | O_CLOEXEC);
	char before[TEXT_BYTES] = "", after[TEXT_BYTES] = "";

	require_ring(pair);
	assert_return_code(fd, errno);
	assert_true(pread(fd, before, sizeof(before) - 1, 0) > 0);
	assert_true(write_ring_add(pair->ring, fd, piece("x"), NULL, 0));
	assert_true(write_ring_add(pair->ring, fd, piece("y"), NULL, 0));
	assert_int_equal(run(pair), 0);
	assert_true(pread(fd, after, sizeof(after) - 1, 0) > 0);
	assert_string_equal(after, before);
	assert_false(add(pair, "text"));
	assert_int_equal(run(pair), 0);
	close(fd);
}

/* Is nobody left who could write? */
static bool is_closed(int reader)
{
	struct pollfd poller = {.fd = reader};

	return poll(&poller, 1, 0) == 1 && (poller.revents & POLLHUP) != 0;
}

static void write_text(struct pair *pair, int fd)
{
	assert_true(write_ring_add(pair->ring, fd, piece("text"), NULL, 0));
	assert_int_equal(run(pair), 1);
	assert_int_equal(pair->results[0], 4);
}

/* A tap that is closed must be gone, and its number is the next one's. */
static void what_is_let_go_is_free_once_it_is_closed(void **state)
{
	struct pair *pair = *state;
	int first[2], next[2];
	char got[TEXT_BYTES];

	require_ring(pair);
	assert_return_code(pipe2(first, O_CLOEXEC), errno);
	assert_return_code(pipe2(next, O_CLOEXEC), errno);
	write_text(pair, first[1]);
	write_text(pair, first[1]);
	write_ring_let_go(pair->ring, first[1]);
	assert_false(is_closed(first[0]));
	close(first[1]);
	assert_true(is_closed(first[0]));
	assert_int_equal(dup3(next[1], first[1], O_CLOEXEC), first[1]);
	write_text(pair, first[1]);
	assert_int_equal(read(next[0], got, sizeof(got)), 4);
	assert_int_equal(read(first[0], got, sizeof(got)), 8);
	for (unsigned int i = 0; i < 2; i++) {
		close(first[i]);
		close(next[i]);
	}
}

static void a_ring_that_ends_lets_all_go(void **state)
{
	struct pair *pair = *state;
	int fds[2];

	require_ring(pair);
	assert_return_code(pipe2(fds, O_CLOEXEC), errno);
	write_text(pair, fds[1]);
	close(fds[1]);
	write_ring_destroy(pair->ring);
	pair->ring = NULL;
	assert_true(is_closed(fds[0]));
	close(fds[0]);
}

/* Beyond the numbers that a ring has places for, it writes all the same. */
static void a_large_number_is_no_matter(void **state)
{
	struct pair *pair = *state;
	int fd = fcntl(pair->near_fd, F_DUPFD_CLOEXEC, 900);

	require_ring(pair);
	assert_return_code(fd, errno);
	write_text(pair, fd);
	expect(pair, "text");
	write_ring_let_go(pair->ring, fd);
	close(fd);
}

/* In a process of its own, whose filter of system calls refuses what containers' filters do. */
static void where_it_is_forbidden_there_is_none(void **state)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {.len = sizeof(rules) / sizeof(rules[0]), .filter = rules};
	pid_t child = fork();
	int status;

	assert_return_code(child, errno);
	if (child == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
			_exit(2);
		_exit(write_ring_create() == NULL && errno == EPERM ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_write_is_a_message_in_the_order_of_adding,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_the_receiver_has_no_room_for_is_refused_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_bad_address_is_the_fault_of_its_write_alone,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(there_is_room_for_a_frame_of_most_pieces, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_driver_that_knows_no_such_writes_ends_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_let_go_is_free_once_it_is_closed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_ring_that_ends_lets_all_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_large_number_is_no_matter, set_up, tear_down),
		cmocka_unit_test(where_it_is_forbidden_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
