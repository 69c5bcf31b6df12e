/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client of the dataplane's socket, against a peer that a thread plays: it reads one message
 * and sends back what the test prepared, well-formed or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/api/dp_client.h"

#define ANSWERS_MAX 4
#define TIMEOUT_MS 10000
#define SHORT_MS 50 /* where silence is what is tested */

struct answer {
	union {
		struct dp_header header;
		struct dp_done done;
		struct dp_welcome welcome;
		struct dp_port port;
		struct dp_pool pool;
		struct dp_channel channel;
		struct dp_object object;
		char bytes[DP_MESSAGE_BYTES + 64];
	};
	size_t bytes_sent;
	unsigned int n_fds;
};

struct peer {
	char dir[32];
	char path[64];
	int listen_fd, fd;
	pthread_t thread;
	bool is_silent; /* reads, and neither answers nor closes */
	struct answer answers[ANSWERS_MAX];
	unsigned int n_answers;
	uint64_t cookie_offset; /* added to the cookie of the answers */
	struct dp_client *client;
};

static void send_answer(struct peer *peer, struct answer *answer, const struct dp_header *request)
{
	int fds[2] = {peer->listen_fd, peer->listen_fd};
	union {
		char bytes[CMSG_SPACE(sizeof(fds))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {.iov_base = answer->bytes, .iov_len = answer->bytes_sent};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	answer->header.cookie = request->cookie + peer->cookie_offset;
	if (answer->n_fds > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(answer->n_fds * sizeof(int));
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(answer->n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, answer->n_fds * sizeof(int));
	}
	sendmsg(peer->fd, &msg, MSG_NOSIGNAL);
}

static void *play(void *ctx)
{
	struct peer *peer = ctx;
	char request[DP_MESSAGE_BYTES];

	peer->fd = accept(peer->listen_fd, NULL, NULL);
	if (recv(peer->fd, request, sizeof(request), 0) < (ssize_t)sizeof(struct dp_header))
		return NULL;
	for (unsigned int i = 0; i < peer->n_answers; i++)
		send_answer(peer, &peer->answers[i], (const struct dp_header *)request);
	if (!peer->is_silent)
		shutdown(peer->fd, SHUT_RDWR);
	return NULL;
}

static int setup(void **state)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(peer->dir, sizeof(peer->dir), "/tmp/weft-client.XXXXXX");
	assert_non_null(mkdtemp(peer->dir));
	snprintf(peer->path, sizeof(peer->path), "%s/dataplane.sock", peer->dir);
	memcpy(address.sun_path, peer->path, strlen(peer->path));
	peer->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(peer->listen_fd, 1), 0);
	assert_int_equal(dp_client_open(&peer->client, peer->path), 0);
	*state = peer;
	return 0;
}

static int teardown(void **state)
{
	struct peer *peer = *state;

	dp_client_close(peer->client);
	close(peer->fd);
	close(peer->listen_fd);
	unlink(peer->path);
	rmdir(peer->dir);
	free(peer);
	return 0;
}

/* An answer of the right size and version, zero otherwise. */
static struct answer *add(struct peer *peer, enum dp_type type, size_t bytes)
{
	struct answer *answer = &peer->answers[peer->n_answers++];

	answer->header = (struct dp_header){
		.bytes = (uint32_t)bytes, .type = (uint16_t)type, .version = DP_VERSION};
	answer->bytes_sent = bytes;
	return answer;
}

static int ask(struct peer *peer, enum dp_type type, dp_client_fn fn, void *ctx, char *why)
{
	assert_int_equal(pthread_create(&peer->thread, NULL, play, peer), 0);
	int error = dp_client_request(peer->client, type, NULL, 0,
				      peer->is_silent ? SHORT_MS : TIMEOUT_MS, fn, ctx, why);
	pthread_join(peer->thread, NULL);
	return error;
}

static void assert_breaks(struct peer *peer, int expected)
{
	char why[DP_TEXT_BYTES] = "";

	assert_int_equal(ask(peer, DP_DUMP, NULL, NULL, why), expected);
	assert_true(dp_client_is_broken(peer->client));
	assert_true(why[0] != '\0');
	/* Broken stays broken. */
	assert_int_equal(
		dp_client_request(peer->client, DP_DUMP, NULL, 0, TIMEOUT_MS, NULL, NULL, why),
		-EPIPE);
}

static void a_refusal_carries_its_text_and_breaks_nothing(void **state)
{
	struct peer *peer = *state;
	struct answer *answer = add(peer, DP_DONE, sizeof(struct dp_done));
	char why[DP_TEXT_BYTES];

	answer->done.error = -EBUSY;
	snprintf(answer->done.text, sizeof(answer->done.text), "another change is under way");
	assert_int_equal(ask(peer, DP_BEGIN, NULL, NULL, why), -EBUSY);
	assert_string_equal(why, "another change is under way");
	assert_false(dp_client_is_broken(peer->client));
}

static void silence_ends_at_the_deadline(void **state)
{
	struct peer *peer = *state;

	peer->is_silent = true;
	assert_breaks(peer, -ETIMEDOUT);
}

static void an_answer_may_take_its_time_when_asked_in_two_steps(void **state)
{
	struct peer *peer = *state;
	char why[DP_TEXT_BYTES];

	add(peer, DP_PORT_STATE, sizeof(struct dp_port_state));
	add(peer, DP_DONE, sizeof(struct dp_done));
	assert_int_equal(dp_client_ask(peer->client, DP_STATES, why), 0);
	assert_int_equal(dp_client_take(peer->client, 0, NULL, NULL, why), -EAGAIN);
	assert_int_equal(dp_client_take(peer->client, SHORT_MS, NULL, NULL, why), -EAGAIN);
	assert_false(dp_client_is_broken(peer->client));
	assert_int_equal(pthread_create(&peer->thread, NULL, play, peer), 0);
	assert_int_equal(dp_client_take(peer->client, TIMEOUT_MS, NULL, NULL, why), 0);
	pthread_join(peer->thread, NULL);
	/* Then it closed. */
	assert_int_equal(dp_client_take(peer->client, TIMEOUT_MS, NULL, NULL, why), -EPIPE);
	assert_true(dp_client_is_broken(peer->client));
}

static void a_closed_socket_is_noticed(void **state)
{
	assert_breaks(*state, -EPIPE);
}

static void another_version_is_refused(void **state)
{
	struct peer *peer = *state;

	add(peer, DP_DONE, sizeof(struct dp_done))->header.version = DP_VERSION + 1;
	assert_breaks(peer, -EPROTONOSUPPORT);
}

static void a_size_that_lies_is_refused(void **state)
{
	struct peer *peer = *state;

	add(peer, DP_DONE, sizeof(struct dp_done))->header.bytes--;
	assert_breaks(peer, -EBADMSG);
}

static void a_message_shorter_than_its_type_is_refused(void **state)
{
	add(*state, DP_DONE, sizeof(struct dp_header));
	assert_breaks(*state, -EBADMSG);
}

static void a_message_beyond_the_limit_is_refused(void **state)
{
	add(*state, DP_FDB, DP_MESSAGE_BYTES + 24);
	assert_breaks(*state, -EBADMSG);
}

static void an_unknown_type_is_refused(void **state)
{
	add(*state, 999, sizeof(struct dp_plain));
	assert_breaks(*state, -EBADMSG);
}

static void a_foreign_cookie_is_refused(void **state)
{
	struct peer *peer = *state;

	add(peer, DP_DONE, sizeof(struct dp_done));
	peer->cookie_offset = 1;
	assert_breaks(peer, -EBADMSG);
}

static void a_text_without_end_is_refused(void **state)
{
	struct peer *peer = *state;

	memset(add(peer, DP_DONE, sizeof(struct dp_done))->done.text, 'x', DP_TEXT_BYTES);
	assert_breaks(peer, -EBADMSG);
}

static void a_port_with_too_many_options_is_refused(void **state)
{
	struct peer *peer = *state;

	add(peer, DP_PORT_PUT, sizeof(struct dp_port))->port.n_options = DP_OPTIONS_MAX + 1;
	assert_breaks(peer, -EBADMSG);
}

static void a_pool_whose_name_has_no_end_is_refused(void **state)
{
	memset(add(*state, DP_POOL_PUT, sizeof(struct dp_pool))->pool.name, 'x', DP_NAME_BYTES);
	assert_breaks(*state, -EBADMSG);
}

static void a_channel_whose_name_has_no_end_is_refused(void **state)
{
	memset(add(*state, DP_CHANNEL_PUT, sizeof(struct dp_channel))->channel.name, 'x',
	       DP_NAME_BYTES);
	assert_breaks(*state, -EBADMSG);
}

static void a_channel_of_another_size_is_refused(void **state)
{
	add(*state, DP_CHANNEL_PUT, sizeof(struct dp_channel) - 8);
	assert_breaks(*state, -EBADMSG);
}

static void a_loan_of_another_size_is_refused(void **state)
{
	add(*state, DP_LOAN_PUT, sizeof(struct dp_loan) + 8);
	assert_breaks(*state, -EBADMSG);
}

static void count(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	++*(unsigned int *)ctx;
}

static void pools_channels_and_loans_are_handed_on(void **state)
{
	struct peer *peer = *state;
	char why[DP_TEXT_BYTES];
	unsigned int n = 0;

	add(peer, DP_POOL_PUT, sizeof(struct dp_pool));
	add(peer, DP_CHANNEL_PUT, sizeof(struct dp_channel));
	add(peer, DP_LOAN_PUT, sizeof(struct dp_loan));
	add(peer, DP_DONE, sizeof(struct dp_done));
	assert_int_equal(ask(peer, DP_DUMP, count, &n, why), 0);
	assert_int_equal(n, 3);
}

static void fdb_entries_beyond_the_message_are_refused(void **state)
{
	struct peer *peer = *state;
	struct answer *answer =
		add(peer, DP_FDB, sizeof(struct dp_fdb) + 2 * sizeof(struct dp_fdb_entry));

	((struct dp_fdb *)&answer->header)->n_entries = 3;
	assert_breaks(peer, -EBADMSG);
}

static void a_positive_error_is_refused(void **state)
{
	struct peer *peer = *state;

	add(peer, DP_DONE, sizeof(struct dp_done))->done.error = 1;
	assert_breaks(peer, -EBADMSG);
}

static void keep_first(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	int *kept = ctx;

	assert_int_equal(n_fds, 2);
	*kept = fds[0];
	fds[0] = -1;
}

static unsigned int count_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void descriptors_that_nobody_keeps_are_closed(void **state)
{
	struct peer *peer = *state;
	char why[DP_TEXT_BYTES];
	int kept = -1;
	unsigned int before = count_fds();

	add(peer, DP_PORT_FDS, sizeof(struct dp_object))->n_fds = 2;
	add(peer, DP_DONE, sizeof(struct dp_done));
	assert_int_equal(ask(peer, DP_PORT_FDS, keep_first, &kept, why), 0);
	/* One that the peer's accept() made, and one that was kept. */
	assert_int_equal(count_fds(), before + 2);
	assert_int_equal(fcntl(kept, F_GETFD), FD_CLOEXEC);
	close(kept);
}

static void hello_hands_over_the_counters(void **state)
{
	struct peer *peer = *state;
	struct dp_welcome welcome;
	char why[DP_TEXT_BYTES];
	int fd = -1;
	struct answer *answer = add(peer, DP_WELCOME, sizeof(welcome));

	answer->n_fds = 1;
	answer->welcome.n_workers = 3;
	add(peer, DP_DONE, sizeof(struct dp_done));
	assert_int_equal(pthread_create(&peer->thread, NULL, play, peer), 0);
	assert_int_equal(dp_client_hello(peer->client, TIMEOUT_MS, &welcome, &fd, why), 0);
	pthread_join(peer->thread, NULL);
	assert_int_equal(welcome.n_workers, 3);
	assert_true(fd >= 0);
	close(fd);
}

static void hello_without_a_welcome_is_refused(void **state)
{
	struct peer *peer = *state;
	struct dp_welcome welcome;
	char why[DP_TEXT_BYTES];
	int fd = -1;

	add(peer, DP_DONE, sizeof(struct dp_done));
	assert_int_equal(pthread_create(&peer->thread, NULL, play, peer), 0);
	assert_int_equal(dp_client_hello(peer->client, TIMEOUT_MS, &welcome, &fd, why), -EBADMSG);
	pthread_join(peer->thread, NULL);
	assert_int_equal(fd, -1);
}

static void nobody_there_is_an_error_at_once(void **state)
{
	struct dp_client *client = NULL;

	assert_int_equal(dp_client_open(&client, "/tmp/weft-no-such-dir/dataplane.sock"), -ENOENT);
	assert_null(client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_refusal_carries_its_text_and_breaks_nothing),
		TEST(silence_ends_at_the_deadline),
		TEST(an_answer_may_take_its_time_when_asked_in_two_steps),
		TEST(a_closed_socket_is_noticed),
		TEST(another_version_is_refused),
		TEST(a_size_that_lies_is_refused),
		TEST(a_message_shorter_than_its_type_is_refused),
		TEST(a_message_beyond_the_limit_is_refused),
		TEST(an_unknown_type_is_refused),
		TEST(a_foreign_cookie_is_refused),
		TEST(a_text_without_end_is_refused),
		TEST(a_port_with_too_many_options_is_refused),
		TEST(a_pool_whose_name_has_no_end_is_refused),
		TEST(a_channel_whose_name_has_no_end_is_refused),
		TEST(a_channel_of_another_size_is_refused),
		TEST(a_loan_of_another_size_is_refused),
		TEST(pools_channels_and_loans_are_handed_on),
		TEST(fdb_entries_beyond_the_message_are_refused),
		TEST(a_positive_error_is_refused),
		TEST(descriptors_that_nobody_keeps_are_closed),
		TEST(hello_hands_over_the_counters),
		TEST(hello_without_a_welcome_is_refused),
		cmocka_unit_test(nobody_there_is_an_error_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
