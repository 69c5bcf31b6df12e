/* SPDX-License-Identifier: BSD-3-Clause */
/* Client of weft-dataplane's socket: framing, descriptors, deadlines. Runs on the caller's
 * thread. */
#include "dataplane/api/dp_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/api/flight_msg.h"

struct dp_client {
	int fd;
	bool is_broken;
	uint64_t cookie;     /* of the last message sent */
	int fds[DP_FDS_MAX]; /* that came with the message in `buffer` */
	unsigned int n_fds;
	uint8_t buffer[DP_MESSAGE_BYTES] __attribute__((aligned(8)));
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int dp_client_open(struct dp_client **out, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	struct dp_client *client = calloc(1, sizeof(*client));
	if (client == NULL)
		return -ENOMEM;
	client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0) {
		error = -errno;
		goto free_client;
	}
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = -errno;
		goto close_fd;
	}
	*out = client;
	return 0;
close_fd:
	close(client->fd);
free_client:
	free(client);
	return error;
}

void dp_client_close(struct dp_client *client)
{
	if (client == NULL)
		return;
	close(client->fd);
	free(client);
}

int dp_client_fd(const struct dp_client *client)
{
	return client->fd;
}

bool dp_client_is_broken(const struct dp_client *client)
{
	return client->is_broken;
}

static int broken(struct dp_client *client, int error)
{
	client->is_broken = true;
	return error;
}

static int wait_for(struct dp_client *client, short events, int64_t deadline_ms)
{
	struct pollfd pollfd = {.fd = client->fd, .events = events};
	int64_t left_ms = deadline_ms - now_ms();
	int n = poll(&pollfd, 1, left_ms > 0 ? (int)left_ms : 0);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int send_message(struct dp_client *client, enum dp_type type, void *message, size_t bytes,
			const int *fds, unsigned int n_fds, int64_t deadline_ms)
{
	union {
		char bytes[CMSG_SPACE(DP_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {.iov_base = message, .iov_len = bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct dp_header *header = message;

	if (client->is_broken)
		return -EPIPE;
	if (bytes < sizeof(*header) || bytes > DP_MESSAGE_BYTES || n_fds > DP_FDS_MAX)
		return -EINVAL;
	*header = (struct dp_header){.bytes = (uint32_t)bytes,
				     .type = (uint16_t)type,
				     .version = DP_VERSION,
				     .cookie = ++client->cookie};
	if (n_fds > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n_fds * sizeof(int));
	}
	for (;;) {
		if (sendmsg(client->fd, &msg, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return broken(client, -errno);
		int error = wait_for(client, POLLOUT, deadline_ms);
		if (error < 0)
			return broken(client, error);
	}
}

static void close_received(struct dp_client *client)
{
	for (unsigned int i = 0; i < client->n_fds; i++) {
		if (client->fds[i] >= 0)
			close(client->fds[i]);
	}
	client->n_fds = 0;
}

static void take_descriptors(struct dp_client *client, struct msghdr *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(client->fds + client->n_fds, CMSG_DATA(cmsg), n * sizeof(int));
		client->n_fds += (unsigned int)n;
	}
}

static bool is_string(const char *text, size_t bytes)
{
	return memchr(text, '\0', bytes) != NULL;
}

static bool is_valid_port(const struct dp_port *port)
{
	if (port->n_members > DP_MEMBERS_MAX || port->n_options > DP_OPTIONS_MAX ||
	    port->n_addresses > DP_ADDRESSES_MAX)
		return false;
	return is_string(port->name, sizeof(port->name)) &&
	       is_string(port->kind, sizeof(port->kind)) && is_string(port->vm, sizeof(port->vm));
}

static bool is_valid(const struct dp_header *header, size_t bytes)
{
	const struct dp_fdb *fdb = (const void *)header;
	const struct dp_neigh *neigh = (const void *)header;
	const struct dp_welcome *welcome = (const void *)header;
	const struct dp_dropped *dropped = (const void *)header;

	switch (header->type) {
	case DP_WELCOME:
		return bytes == sizeof(*welcome) &&
		       is_string(welcome->package, sizeof(welcome->package));
	case DP_DONE:
		return bytes == sizeof(struct dp_done) &&
		       is_string(((const struct dp_done *)header)->text, DP_TEXT_BYTES);
	case DP_SEGMENT_PUT:
		return bytes == sizeof(struct dp_segment) &&
		       ((const struct dp_segment *)header)->n_options <= DP_OPTIONS_MAX &&
		       is_string(((const struct dp_segment *)header)->name, DP_NAME_BYTES);
	case DP_PORT_PUT:
		return bytes == sizeof(struct dp_port) &&
		       is_valid_port((const struct dp_port *)header);
	case DP_POOL_PUT:
		return bytes == sizeof(struct dp_pool) &&
		       is_string(((const struct dp_pool *)header)->name, DP_NAME_BYTES);
	case DP_CHANNEL_PUT:
		return bytes == sizeof(struct dp_channel) &&
		       is_string(((const struct dp_channel *)header)->name, DP_NAME_BYTES);
	case DP_LOAN_PUT:
		return bytes == sizeof(struct dp_loan);
	case DP_TRACE_STEP:
		return bytes == sizeof(struct dp_trace_step) &&
		       is_string(((const struct dp_trace_step *)header)->text, DP_TEXT_BYTES);
	case DP_PORT_STATE:
		return bytes == sizeof(struct dp_port_state) &&
		       is_string(((const struct dp_port_state *)header)->reason, DP_TEXT_BYTES);
	case DP_FDB:
		return bytes >= sizeof(*fdb) &&
		       fdb->n_entries == (bytes - sizeof(*fdb)) / sizeof(fdb->entries[0]);
	case DP_NEIGH:
		return bytes >= sizeof(*neigh) &&
		       neigh->n_entries == (bytes - sizeof(*neigh)) / sizeof(neigh->entries[0]);
	case DP_DROPPED:
		return bytes >= sizeof(*dropped) &&
		       dropped->n_entries ==
			       (bytes - sizeof(*dropped)) / sizeof(dropped->entries[0]);
	case DP_PORT_FDS:
	case DP_CAPTURE:
	case DP_REPLAY:
	case DP_FOLLOW:
	case DP_REPLAY_FATES:
		return bytes == sizeof(struct dp_object);
	case DP_FOLLOWED:
		return bytes == sizeof(struct dp_followed) &&
		       ((const struct dp_followed *)header)->head_len <=
			       sizeof(((const struct dp_followed *)header)->head);
	case DP_FOLLOW_STATE:
		return bytes == sizeof(struct dp_follow_state);
	case DP_REPLAY_STATE:
		return bytes == sizeof(struct dp_replay_state);
	case DP_FLIGHT:
		return bytes == sizeof(struct dp_flight);
	case DP_QUEUE:
		return bytes == sizeof(struct dp_queue);
	default:
		return false;
	}
}

/* Reads one message into the buffer. 0 or -errno; after an error the client is broken. */
static int receive_message(struct dp_client *client, int64_t deadline_ms)
{
	union {
		char bytes[CMSG_SPACE(DP_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = client->buffer, .iov_len = sizeof(client->buffer)};
	const struct dp_header *header = (const void *)client->buffer;
	struct msghdr msg;
	ssize_t n;

	for (;;) {
		msg = (struct msghdr){.msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control.bytes,
				      .msg_controllen = sizeof(control.bytes)};
		n = recvmsg(client->fd, &msg, MSG_CMSG_CLOEXEC);
		if (n >= 0)
			break;
		if (errno != EAGAIN && errno != EINTR)
			return broken(client, -errno);
		int error = wait_for(client, POLLIN, deadline_ms);
		if (error < 0)
			return broken(client, error);
	}
	take_descriptors(client, &msg);
	if (n == 0)
		return broken(client, -EPIPE);
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || (size_t)n < sizeof(*header) ||
	    header->bytes != (size_t)n) {
		close_received(client);
		return broken(client, -EBADMSG);
	}
	return 0;
}

/* One line about a failure of the conversation itself. */
static int explain(int error, char *why)
{
	switch (error) {
	case -ETIMEDOUT:
		snprintf(why, DP_TEXT_BYTES, "the dataplane does not answer in time");
		break;
	case -EBADMSG:
		snprintf(why, DP_TEXT_BYTES, "the dataplane sent a malformed message");
		break;
	case -EPROTONOSUPPORT:
		snprintf(why, DP_TEXT_BYTES,
			 "the dataplane speaks another version of the messages; "
			 "install weftd and weft-dataplane of one release");
		break;
	case -EPIPE:
	case -ECONNRESET:
		snprintf(why, DP_TEXT_BYTES, "the dataplane closed the connection");
		break;
	default:
		snprintf(why, DP_TEXT_BYTES, "talking to the dataplane: %s", strerror(-error));
	}
	return error;
}

/* Waits for the end of the request that was sent last, handing its data messages to fn. */
static int await_done(struct dp_client *client, int64_t deadline_ms, bool is_patient,
		      dp_client_fn fn, void *ctx, char *why)
{
	const struct dp_header *header = (const void *)client->buffer;
	const struct dp_done *done = (const void *)client->buffer;

	for (;;) {
		int error = is_patient ? wait_for(client, POLLIN, deadline_ms) : 0;

		if (error == -ETIMEDOUT)
			return -EAGAIN;
		if (error == 0)
			error = receive_message(client, deadline_ms);
		if (error < 0)
			return explain(error, why);
		/* Before the version is known, no other field of an answer means anything. */
		if (header->version != DP_VERSION) {
			close_received(client);
			return explain(broken(client, -EPROTONOSUPPORT), why);
		}
		if (!is_valid(header, header->bytes) || header->cookie != client->cookie) {
			close_received(client);
			return explain(broken(client, -EBADMSG), why);
		}
		if (header->type == DP_DONE) {
			close_received(client);
			if (done->error > 0)
				return explain(broken(client, -EBADMSG), why);
			memcpy(why, done->text, DP_TEXT_BYTES);
			return done->error;
		}
		if (fn != NULL)
			fn(ctx, header, client->fds, client->n_fds);
		close_received(client);
	}
}

int dp_client_stage(struct dp_client *client, enum dp_type type, void *message, size_t bytes,
		    const int *fds, unsigned int n_fds, int timeout_ms)
{
	return send_message(client, type, message, bytes, fds, n_fds, now_ms() + timeout_ms);
}

int dp_client_request(struct dp_client *client, enum dp_type type, void *message, size_t bytes,
		      int timeout_ms, dp_client_fn fn, void *ctx, char why[DP_TEXT_BYTES])
{
	int64_t deadline_ms = now_ms() + timeout_ms;
	struct dp_plain plain;

	if (message == NULL) {
		message = &plain;
		bytes = sizeof(plain);
	}
	int error = send_message(client, type, message, bytes, NULL, 0, deadline_ms);
	if (error < 0)
		return explain(error, why);
	return await_done(client, deadline_ms, false, fn, ctx, why);
}

int dp_client_ask(struct dp_client *client, enum dp_type type, char why[DP_TEXT_BYTES])
{
	struct dp_plain plain;
	int error = send_message(client, type, &plain, sizeof(plain), NULL, 0, now_ms());

	return error < 0 ? explain(error, why) : 0;
}

int dp_client_take(struct dp_client *client, int timeout_ms, dp_client_fn fn, void *ctx,
		   char why[DP_TEXT_BYTES])
{
	return await_done(client, now_ms() + timeout_ms, true, fn, ctx, why);
}

struct hello {
	struct dp_welcome *welcome;
	int counters_fd;
	bool is_answered;
};

static void take_welcome(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct hello *hello = ctx;

	if (message->type != DP_WELCOME || n_fds != 1 || hello->is_answered)
		return;
	memcpy(hello->welcome, message, sizeof(*hello->welcome));
	hello->counters_fd = fds[0];
	hello->is_answered = true;
	fds[0] = -1;
}

int dp_client_greet(struct dp_client *client, char why[DP_TEXT_BYTES])
{
	return dp_client_ask(client, DP_HELLO, why);
}

int dp_client_welcome(struct dp_client *client, int timeout_ms, struct dp_welcome *welcome,
		      int *counters_fd, char why[DP_TEXT_BYTES])
{
	struct hello hello = {.welcome = welcome, .counters_fd = -1};
	int error =
		await_done(client, now_ms() + timeout_ms, false, take_welcome, &hello, why);

	if (error == 0 && !hello.is_answered)
		error = explain(broken(client, -EBADMSG), why);
	if (error < 0) {
		if (hello.counters_fd >= 0)
			close(hello.counters_fd);
		return error;
	}
	*counters_fd = hello.counters_fd;
	return 0;
}

int dp_client_hello(struct dp_client *client, int timeout_ms, struct dp_welcome *welcome,
		    int *counters_fd, char why[DP_TEXT_BYTES])
{
	int error = dp_client_greet(client, why);

	return error < 0 ? error : dp_client_welcome(client, timeout_ms, welcome, counters_fd, why);
}

void dp_client_walk_fdb(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct dp_fdb_walk *walk = ctx;

	if (message->type != DP_FDB)
		return;
	/* The last batch of the page has the last word. */
	walk->page.from = ((const struct dp_fdb *)message)->next;
	walk->fn(walk->ctx, message, fds, n_fds);
}
