/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/server.c and client.c over the real socket: a thread is the dataplane's main,
 * the test is weftd, or somebody who is not. */
#include "dataplane/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/api/dp_client.h"
#include "tests/lib/deadline.h"
#include "tests/unit/dataplane/rig.h"
#include "tests/unit/dataplane/server_rig.h"

#define TIMEOUT_MS SERVER_RIG_TIMEOUT_MS
#define CLIENTS_MAX 16 /* that server.c takes */

static unsigned int n_fds_before;

static int set_up(void **state)
{
	n_fds_before = rig_count_fds();

	struct dataplane *dp = rig_create(1);

	rig_put_segment(dp, 1);
	rig_put_port(dp, 1, 1);
	*state = server_rig_open(dp);
	return 0;
}

static int tear_down(void **state)
{
	struct server_rig *f = *state;
	struct dataplane *dp = f->dp;

	server_rig_close(f);
	dataplane_destroy(dp);
	assert_int_equal(rig_count_fds(), n_fds_before);
	return 0;
}

static int ask_as(struct server_rig *f, struct dp_client *client, enum dp_type type)
{
	return dp_client_request(client, type, NULL, 0, TIMEOUT_MS, NULL, NULL, f->why);
}

static void stage_port(struct server_rig *f, struct dp_port spec)
{
	server_rig_stage(f, DP_PORT_PUT, &spec, sizeof(spec));
}

/* --- raw messages --- */

static void send_plain(int fd, enum dp_type type, uint64_t cookie)
{
	struct dp_plain plain = {{sizeof(plain), (uint16_t)type, DP_VERSION, cookie}};

	assert_int_equal(send(fd, &plain, sizeof(plain), MSG_NOSIGNAL), sizeof(plain));
}

static void send_with_fds(int fd, enum dp_type type, int what, unsigned int n)
{
	struct dp_plain plain = {{sizeof(plain), (uint16_t)type, DP_VERSION, 0}};
	struct iovec iov = {.iov_base = &plain, .iov_len = sizeof(plain)};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(64 * sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (unsigned int i = 0; i < n; i++)
		memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &what, sizeof(int));
	assert_true(sendmsg(fd, &msg, MSG_NOSIGNAL) >= 0);
}

/* --- conversation --- */

static void hello_is_answered_with_readable_counters(void **state)
{
	struct server_rig *f = *state;
	struct dp_welcome welcome;
	struct counters_header header;
	int fd = -1;

	assert_int_equal(dp_client_hello(f->client, TIMEOUT_MS, &welcome, &fd, f->why), 0);
	assert_int_equal(welcome.epoch, 7);
	assert_int_equal(welcome.n_workers, 1);
	assert_int_equal(welcome.hugepages, 1);
	assert_int_equal(welcome.pid, getpid());
	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	assert_true(header.magic == COUNTERS_MAGIC && header.epoch == welcome.epoch);
	close(fd);
}

static void a_change_takes_begin_stage_prepare_commit(void **state)
{
	struct server_rig *f = *state;

	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	stage_port(f, rig_port_spec(2, 1));
	assert_int_equal(server_rig_ask(f, DP_PREPARE), 0);
	assert_int_equal(server_rig_ask(f, DP_COMMIT), 0);
	server_rig_stop(f);
	assert_non_null(port_find(f->dp, 2));
}

static void a_refused_change_is_gone_and_says_why(void **state)
{
	struct server_rig *f = *state;

	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	stage_port(f, rig_port_spec(2, 77));
	assert_int_equal(server_rig_ask(f, DP_PREPARE), -ENOENT);
	assert_string_equal(f->why, "port p2: its segment does not exist");
	assert_int_equal(server_rig_ask(f, DP_COMMIT), -EPROTO);
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	assert_int_equal(server_rig_ask(f, DP_ABORT), 0);
	server_rig_stop(f);
	assert_null(port_find(f->dp, 2));
}

static void a_text_without_an_end_is_refused(void **state)
{
	struct server_rig *f = *state;
	struct dp_port spec = rig_port_spec(2, 1);

	memset(spec.name, 'x', sizeof(spec.name));
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	stage_port(f, spec);
	assert_int_equal(server_rig_ask(f, DP_PREPARE), -EINVAL);
	assert_false(dp_client_is_broken(f->client));
}

static void steps_out_of_order_are_refused(void **state)
{
	struct server_rig *f = *state;

	assert_int_equal(server_rig_ask(f, DP_PREPARE), -EPROTO);
	assert_int_equal(server_rig_ask(f, DP_COMMIT), -EPROTO);
	assert_int_equal(server_rig_ask(f, DP_ABORT), 0);
	/* Staged before the change was opened, and after it was prepared. */
	stage_port(f, rig_port_spec(2, 1));
	assert_int_equal(server_rig_ask(f, DP_PREPARE), -EPROTO);
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	assert_int_equal(server_rig_ask(f, DP_COMMIT), -EPROTO);
	assert_int_equal(server_rig_ask(f, DP_PREPARE), 0);
	assert_int_equal(server_rig_ask(f, DP_PREPARE), -EPROTO);
	assert_int_equal(server_rig_ask(f, DP_COMMIT), -EPROTO);
	server_rig_stop(f);
	assert_null(port_find(f->dp, 2));
}

static void one_change_at_a_time(void **state)
{
	struct server_rig *f = *state;
	struct dp_client *second = NULL;
	uint64_t deadline = deadline_in_ms(TIMEOUT_MS);
	int error;

	assert_int_equal(dp_client_open(&second, f->path), 0);
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	assert_int_equal(ask_as(f, second, DP_BEGIN), -EBUSY);
	assert_string_equal(f->why, "another change is under way; try again");
	/* Whoever closes the socket gives up. */
	dp_client_close(f->client);
	f->client = second;
	while ((error = server_rig_ask(f, DP_BEGIN)) == -EBUSY)
		assert_false(deadline_passed(deadline));
	assert_int_equal(error, 0);
}

static void a_second_begin_leaves_what_is_prepared_alone(void **state)
{
	struct server_rig *f = *state;

	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	stage_port(f, rig_port_spec(2, 1));
	assert_int_equal(server_rig_ask(f, DP_PREPARE), 0);
	assert_int_equal(server_rig_ask(f, DP_BEGIN), -EBUSY);
	assert_int_equal(server_rig_ask(f, DP_COMMIT), 0);
	server_rig_stop(f);
	assert_non_null(port_find(f->dp, 2));
}

/* --- answers with data --- */

struct seen {
	unsigned int n_fds;
};

static void note(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct seen *seen = ctx;

	seen->n_fds += n_fds;
}

static int ask_noting(struct server_rig *f, enum dp_type type, struct dp_object *object,
		      struct seen *seen)
{
	return dp_client_request(f->client, type, object, object != NULL ? sizeof(*object) : 0,
				 TIMEOUT_MS, note, seen, f->why);
}

static void a_ports_descriptors_come_back_and_only_of_one_that_is_there(void **state)
{
	struct server_rig *f = *state;
	struct seen seen = {0};
	struct dp_object object = {.id = 1};

	assert_int_equal(ask_noting(f, DP_PORT_FDS, &object, &seen), 0);
	assert_int_equal(seen.n_fds, 1);
	object.id = 2;
	assert_int_equal(ask_noting(f, DP_PORT_FDS, &object, &seen), -ENOENT);
	assert_int_equal(seen.n_fds, 1);
}

static void a_dump_is_complete_even_if_the_client_reads_late(void **state)
{
	struct server_rig *f = *state;
	const unsigned int n = 500;
	int fd = server_rig_connect(f);
	static char message[DP_MESSAGE_BYTES];

	/* More than any socket's buffer holds: the rest waits in the dataplane. */
	for (unsigned int i = 1; i <= n; i++)
		send_plain(fd, DP_DUMP, i);
	/* It serves others meanwhile. */
	assert_int_equal(server_rig_ask(f, DP_DUMP), 0);
	for (unsigned int i = 1; i <= n; i++) {
		static const enum dp_type types[] = {DP_SEGMENT_PUT, DP_PORT_PUT, DP_PORT_STATE,
						     DP_DONE};

		for (int k = 0; k < 4; k++) {
			const struct dp_header *header = (const void *)message;
			ssize_t bytes = server_rig_receive(fd, message, sizeof(message));

			assert_int_equal(bytes, header->bytes);
			assert_int_equal(header->type, types[k]);
			assert_int_equal(header->cookie, i);
		}
	}
	close(fd);
}

static void a_client_that_goes_with_answers_waiting_leaves_nothing(void **state)
{
	struct server_rig *f = *state;
	int fd = server_rig_connect(f);

	for (unsigned int i = 1; i <= 500; i++)
		send_plain(fd, DP_HELLO, i);
	close(fd);
	assert_int_equal(server_rig_ask(f, DP_DUMP), 0);
	/* tear_down counts the descriptors. */
}

/* --- not weftd --- */

static void malformed_messages_end_the_conversation(void **state)
{
	struct server_rig *f = *state;
	static const struct {
		uint16_t type;
		uint32_t says, sent;
	} rows[] = {
		{DP_HELLO, sizeof(struct dp_plain) + 1, sizeof(struct dp_plain)},
		{DP_HELLO, sizeof(struct dp_plain), sizeof(struct dp_plain) + 1},
		{DP_HELLO, sizeof(struct dp_plain) + 8, sizeof(struct dp_plain) + 8},
		{DP_PORT_PUT, sizeof(struct dp_port) - 1, sizeof(struct dp_port) - 1},
		{DP_PORT_PUT, sizeof(struct dp_plain), sizeof(struct dp_plain)},
		{DP_SEGMENT_DEL, sizeof(struct dp_plain), sizeof(struct dp_plain)},
		{0, sizeof(struct dp_plain), sizeof(struct dp_plain)},
		{DP_WELCOME, sizeof(struct dp_welcome), sizeof(struct dp_welcome)},
		{DP_NEIGH, sizeof(struct dp_plain), sizeof(struct dp_plain)},
		{0xffff, sizeof(struct dp_plain), sizeof(struct dp_plain)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct {
			struct dp_header header;
			char rest[DP_MESSAGE_BYTES];
		} message;
		int fd = server_rig_connect(f);

		message.header = (struct dp_header){
			.bytes = rows[i].says, .type = rows[i].type, .version = DP_VERSION};
		assert_int_equal(send(fd, &message, rows[i].sent, MSG_NOSIGNAL), rows[i].sent);
		server_rig_assert_done(fd, 0, -EPROTO);
		server_rig_assert_closed(fd);
	}
}

static void less_than_a_header_or_too_much_ends_the_conversation(void **state)
{
	struct server_rig *f = *state;
	static const char large[DP_MESSAGE_BYTES + 1];
	int fd = server_rig_connect(f);

	assert_int_equal(send(fd, large, 3, MSG_NOSIGNAL), 3);
	server_rig_assert_done(fd, 0, -EPROTO);
	server_rig_assert_closed(fd);
	fd = server_rig_connect(f);
	assert_int_equal(send(fd, large, sizeof(large), MSG_NOSIGNAL), sizeof(large));
	server_rig_assert_closed(fd);
}

static void another_version_is_refused_by_name(void **state)
{
	struct server_rig *f = *state;
	struct dp_plain plain = {{sizeof(plain), DP_HELLO, DP_VERSION + 1, 0}};
	int fd = server_rig_connect(f);

	assert_int_equal(send(fd, &plain, sizeof(plain), MSG_NOSIGNAL), sizeof(plain));
	server_rig_assert_done(fd, 0, -EPROTONOSUPPORT);
	server_rig_assert_closed(fd);
}

/* The server has no copy of the pipe's other end any more. */
static void assert_all_closed(int pipe_fd)
{
	struct pollfd pollfd = {.fd = pipe_fd};

	assert_int_equal(poll(&pollfd, 1, TIMEOUT_MS), 1);
	assert_true(pollfd.revents & POLLHUP);
	close(pipe_fd);
}

static void surplus_descriptors_are_closed(void **state)
{
	struct server_rig *f = *state;
	static const struct {
		enum dp_type type;
		unsigned int n;
	} rows[] = {{DP_ABORT, 1}, {DP_ABORT, DP_FDS_MAX}, {DP_ABORT, 40}, {DP_PORT_PUT, 16}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = server_rig_connect(f), ends[2];

		assert_int_equal(pipe(ends), 0);
		send_with_fds(fd, rows[i].type, ends[1], rows[i].n);
		close(ends[1]);
		assert_all_closed(ends[0]);
		close(fd);
	}
}

static void descriptors_of_a_port_that_is_never_put_are_closed(void **state)
{
	struct server_rig *f = *state;
	struct dp_port spec = rig_port_spec(2, 1);
	int ends[2];

	/* First without a transaction, then with one that is given up. */
	for (int round = 0; round < 2; round++) {
		assert_int_equal(pipe(ends), 0);
		if (round == 1)
			assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
		assert_int_equal(dp_client_stage(f->client, DP_PORT_PUT, &spec, sizeof(spec),
						 &ends[1], 1, TIMEOUT_MS),
				 0);
		close(ends[1]);
		assert_int_equal(server_rig_ask(f, DP_ABORT), 0);
		assert_all_closed(ends[0]);
	}
}

static void the_door_closes_when_it_is_full(void **state)
{
	struct server_rig *f = *state;
	int fds[CLIENTS_MAX];

	/* The fixture's client is one; an answer shows that one has been let in. */
	for (int i = 1; i < CLIENTS_MAX; i++) {
		fds[i] = server_rig_connect(f);
		send_plain(fds[i], DP_ABORT, 1);
		server_rig_assert_done(fds[i], 1, 0);
	}
	server_rig_assert_closed(server_rig_connect(f));
	assert_int_equal(server_rig_ask(f, DP_DUMP), 0);
	for (int i = 1; i < CLIENTS_MAX; i++)
		close(fds[i]);
}

/* --- the socket --- */

static void the_socket_is_for_its_owner_only(void **state)
{
	struct server_rig *f = *state;
	struct stat there;

	assert_int_equal(lstat(f->path, &there), 0);
	assert_int_equal(there.st_mode, S_IFSOCK | 0600);
}

/* A second server, for a moment. */
static int serve_at(struct server_rig *f, const char *path)
{
	struct server *second = NULL;
	int error = server_create(f->dp, path, false, &second, f->why, sizeof(f->why));

	server_destroy(second);
	return error;
}

static void a_live_socket_is_refused_and_a_dead_one_replaced(void **state)
{
	struct server_rig *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[80];

	assert_int_equal(serve_at(f, f->path), -EADDRINUSE);
	assert_non_null(strstr(f->why, "another weft-dataplane serves"));
	assert_int_equal(server_rig_ask(f, DP_DUMP), 0);
	server_rig_stop(f);
	snprintf(path, sizeof(path), "%s/dead.sock", f->dir);
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(serve_at(f, path), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	struct server_rig *f = *state;
	char path[109] = {[0 ... 107] = 'x'};

	assert_int_equal(serve_at(f, path), -ENAMETOOLONG);
	assert_non_null(strstr(f->why, "too long for a socket"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(hello_is_answered_with_readable_counters),
		TEST(a_change_takes_begin_stage_prepare_commit),
		TEST(a_refused_change_is_gone_and_says_why),
		TEST(a_text_without_an_end_is_refused),
		TEST(steps_out_of_order_are_refused),
		TEST(one_change_at_a_time),
		TEST(a_second_begin_leaves_what_is_prepared_alone),
		TEST(a_ports_descriptors_come_back_and_only_of_one_that_is_there),
		TEST(a_dump_is_complete_even_if_the_client_reads_late),
		TEST(a_client_that_goes_with_answers_waiting_leaves_nothing),
		TEST(malformed_messages_end_the_conversation),
		TEST(less_than_a_header_or_too_much_ends_the_conversation),
		TEST(another_version_is_refused_by_name),
		TEST(surplus_descriptors_are_closed),
		TEST(descriptors_of_a_port_that_is_never_put_are_closed),
		TEST(the_door_closes_when_it_is_full),
		TEST(the_socket_is_for_its_owner_only),
		TEST(a_live_socket_is_refused_and_a_dead_one_replaced),
		TEST(a_path_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
