/* SPDX-License-Identifier: BSD-3-Clause */
/* Control socket: accept, check, dispatch. Main thread. */
#include "dataplane/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"
#include "dataplane/captures.h"
#include "dataplane/client.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/follow.h"
#include "dataplane/neigh.h"
#include "dataplane/server_capture.h"
#include "dataplane/replays.h"
#include "dataplane/server_channel.h"
#include "dataplane/server_follow.h"
#include "dataplane/server_nexthop.h"
#include "dataplane/server_queue.h"
#include "dataplane/server_replay.h"
#include "dataplane/server_table.h"
#include "dataplane/server_trace.h"
#include "dataplane/txn.h"
#include "dataplane/txn_channels.h"

#define CLIENTS_MAX 16
#define MESSAGES_PER_TURN 256
struct server {
	struct dataplane *dp;
	int fd;
	struct loop_watch *watch;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool has_hugepages;
	unsigned int n_clients;
	struct client *clients;
	uint64_t now_ns;
};

/* A message as it came: checked for size, then handled. */
struct request {
	union {
		struct dp_header header;
		struct dp_segment segment;
		struct dp_port port;
		struct dp_pool pool;
		struct dp_channel channel;
		struct dp_loan loan;
		struct dp_object object;
		struct dp_queue queue;
		struct dp_nexthop nexthop;
		struct dp_fdb_page fdb_page;
		struct dp_capture_open capture;
		struct dp_trace trace;
		struct dp_replay_open replay_open;
		struct dp_replay_start replay_start;
		struct dp_follow_open follow_open;
		char bytes[DP_MESSAGE_BYTES];
	};
	int fds[DP_FDS_MAX];
	unsigned int n_fds;
};

/* --- requests --- */

static void do_hello(struct client *client, struct request *request)
{
	struct dataplane *dp = client->server->dp;
	struct dp_welcome welcome = {
		.header = {.cookie = request->header.cookie},
		.epoch = dp->config.epoch,
		.n_workers = dp->config.n_workers,
		.hugepages = client->server->has_hugepages,
		.pid = (uint32_t)getpid(),
		.package = "weft " WEFT_VERSION,
	};
	int fd = counters_reader_fd(dp->counters);

	if (fd < 0) {
		client_done(client, request->header.cookie, fd, "cannot hand out the counters");
		return;
	}
	client_send(client, &welcome, sizeof(welcome), DP_WELCOME, fd);
	close(fd);
	client_done(client, request->header.cookie, 0, "");
}

static bool is_busy(const struct server *server)
{
	for (const struct client *c = server->clients; c != NULL; c = c->next) {
		if (c->txn != NULL)
			return true;
	}
	return false;
}

static void do_begin(struct client *client, struct request *request)
{
	int error = -EBUSY;

	if (!is_busy(client->server)) {
		client->stage_error = 0;
		client->is_prepared = false;
		error = txn_begin(client->server->dp, &client->txn);
	}
	client_done(client, request->header.cookie, error,
		    error == -EBUSY ? "another change is under way; try again"
		    : error < 0	    ? "out of memory"
				    : "");
}

/* Of a message of version 1 the field has no meaning. */
static int stage_segment(struct client *client, struct request *request)
{
	if (request->header.version < 2)
		request->segment.channel_id = 0;
	return txn_put_segment(client->txn, &request->segment);
}

static int stage_port(struct client *client, struct request *request)
{
	unsigned int n_fds = request->n_fds;

	if (request->header.version < 2)
		request->port.channel_id = 0;
	request->n_fds = 0;
	return txn_put_port(client->txn, &request->port, request->fds, n_fds);
}

static int stage(struct client *client, struct request *request)
{
	struct txn *txn = client->txn;
	uint32_t id = (uint32_t)request->object.id;

	switch (request->header.type) {
	case DP_SEGMENT_PUT:
		return stage_segment(client, request);
	case DP_SEGMENT_DEL:
		return txn_del_segment(txn, id);
	case DP_PORT_PUT:
		return stage_port(client, request);
	case DP_PORT_DEL:
		return txn_del_port(txn, request->object.id);
	case DP_POOL_PUT:
		return txn_channels_put_pool(txn, &request->pool);
	case DP_POOL_DEL:
		return txn_channels_del_pool(txn, id);
	case DP_CHANNEL_PUT:
		return txn_channels_put_channel(txn, &request->channel);
	case DP_CHANNEL_DEL:
		return txn_channels_del_channel(txn, id);
	case DP_LOAN_PUT:
		return txn_channels_put_loan(txn, &request->loan);
	default:
		return txn_channels_del_loan(txn, id);
	}
}

static void do_stage(struct client *client, struct request *request)
{
	int error = -EPROTO;

	if (client->txn != NULL && !client->is_prepared)
		error = stage(client, request);
	if (client->stage_error == 0)
		client->stage_error = error;
}

static void do_prepare(struct client *client, struct request *request)
{
	char why[DP_TEXT_BYTES] = "no transaction is open";
	int error = -EPROTO;

	if (client->txn != NULL && !client->is_prepared) {
		snprintf(why, sizeof(why), "a staged message could not be taken");
		error = client->stage_error;
		if (error == 0)
			error = txn_prepare(client->txn, why, sizeof(why));
	}
	client->is_prepared = error == 0;
	if (error < 0) {
		txn_abort(client->txn);
		client->txn = NULL;
	}
	client_done(client, request->header.cookie, error, error < 0 ? why : "");
}

static void do_commit(struct client *client, struct request *request)
{
	if (client->txn == NULL || !client->is_prepared) {
		client_done(client, request->header.cookie, -EPROTO, "nothing is prepared");
		return;
	}
	txn_commit(client->txn);
	client->txn = NULL;
	client_done(client, request->header.cookie, 0, "");
}

static void do_abort(struct client *client, struct request *request)
{
	txn_abort(client->txn);
	client->txn = NULL;
	client_done(client, request->header.cookie, 0, "");
}

static void send_state(struct client *client, const struct port *port, uint64_t cookie)
{
	struct dp_port_state state = {
		.header = {.cookie = cookie},
		.id = port->spec.id,
		.counters_slot = port->slot,
	};

	port->type->state(port, &state);
	client_send(client, &state, sizeof(state), DP_PORT_STATE, -1);
}

static void do_dump(struct client *client, struct request *request)
{
	struct server *server = client->server;
	struct dataplane *dp = server->dp;
	uint64_t cookie = request->header.cookie;
	bool knows_channels = request->header.version >= 2;

	/* In the order in which each may name those before it. */
	if (knows_channels)
		server_channel_dump(dp, client, cookie, server->now_ns);
	for (unsigned int i = 1; i < dp->segments_end; i++) {
		struct segment *segment = atomic_load(&dp->segments[i]);

		if (segment == NULL)
			continue;
		struct dp_segment spec = segment->spec;

		spec.header.cookie = cookie;
		spec.channel_id = knows_channels ? spec.channel_id : 0;
		client_send(client, &spec, sizeof(spec), DP_SEGMENT_PUT, -1);
	}
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port == NULL)
			continue;
		struct dp_port spec = port->spec;

		spec.header.cookie = cookie;
		spec.channel_id = knows_channels ? spec.channel_id : 0;
		client_send(client, &spec, sizeof(spec), DP_PORT_PUT, -1);
		send_state(client, port, cookie);
	}
	client_done(client, cookie, 0, "");
}

static void do_states(struct client *client, struct request *request)
{
	struct dataplane *dp = client->server->dp;

	for (unsigned int i = 1; i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL)
			send_state(client, port, request->header.cookie);
	}
	client_done(client, request->header.cookie, 0, "");
}

static uint32_t now_s(const struct client *client)
{
	return (uint32_t)(client->server->now_ns / 1000000000ULL);
}

static void do_fdb_dump(struct client *client, struct request *request)
{
	server_table_fdb_page(client->server->dp, client, &request->fdb_page, now_s(client));
}

static void do_neigh_dump(struct client *client, struct request *request)
{
	server_table_neigh_dump(client->server->dp, client, request->header.cookie, now_s(client));
}

static void do_port_fds(struct client *client, struct request *request)
{
	struct port *port = port_find(client->server->dp, request->object.id);
	struct dp_object answer = {.header = request->header, .id = request->object.id};
	int fds[DP_FDS_MAX];

	if (port == NULL || port->type->give_fds == NULL) {
		client_done(client, request->header.cookie, -ENOENT,
			    "no such port, or one without descriptors");
		return;
	}
	unsigned int n = port->type->give_fds(port, fds);

	for (unsigned int i = 0; i < n; i++)
		client_send(client, &answer, sizeof(answer), DP_PORT_FDS, fds[i]);
	client_done(client, request->header.cookie, 0, "");
}

static void do_queue_dump(struct client *client, struct request *request)
{
	server_queue_dump(client->server->dp, client, request->header.cookie);
}

static void do_queue_move(struct client *client, struct request *request)
{
	server_queue_move(client->server->dp, client, &request->queue);
}

static void do_nexthop(struct client *client, struct request *request)
{
	server_nexthop(client->server->dp, client, &request->nexthop);
}

static void do_capture(struct client *client, struct request *request)
{
	server_capture(client->server->dp, client, &request->header, client->server->now_ns);
}

static void do_trace(struct client *client, struct request *request)
{
	server_trace(client->server->dp, client, &request->trace, client->server->now_ns);
}

static void do_replay(struct client *client, struct request *request)
{
	server_replay(client->server->dp, client, &request->header);
}

static void do_follow(struct client *client, struct request *request)
{
	server_follow(client->server->dp, client, &request->header);
}

/* Requests by type: size that the message must have, who handles it, and since which version there
 * are such. */
static const struct {
	size_t bytes;
	void (*handle)(struct client *client, struct request *request);
	uint16_t since;
} requests[] = {
	[DP_HELLO] = {sizeof(struct dp_plain), do_hello},
	[DP_BEGIN] = {sizeof(struct dp_plain), do_begin},
	[DP_SEGMENT_PUT] = {sizeof(struct dp_segment), do_stage},
	[DP_SEGMENT_DEL] = {sizeof(struct dp_object), do_stage},
	[DP_PORT_PUT] = {sizeof(struct dp_port), do_stage},
	[DP_PORT_DEL] = {sizeof(struct dp_object), do_stage},
	[DP_PREPARE] = {sizeof(struct dp_plain), do_prepare},
	[DP_COMMIT] = {sizeof(struct dp_plain), do_commit},
	[DP_ABORT] = {sizeof(struct dp_plain), do_abort},
	[DP_DUMP] = {sizeof(struct dp_plain), do_dump},
	[DP_STATES] = {sizeof(struct dp_plain), do_states},
	[DP_FDB_DUMP] = {sizeof(struct dp_fdb_page), do_fdb_dump},
	[DP_PORT_FDS] = {sizeof(struct dp_object), do_port_fds},
	[DP_NEIGH_DUMP] = {sizeof(struct dp_plain), do_neigh_dump},
	[DP_QUEUE_DUMP] = {sizeof(struct dp_plain), do_queue_dump},
	[DP_QUEUE_MOVE] = {sizeof(struct dp_queue), do_queue_move},
	[DP_NEXTHOP] = {sizeof(struct dp_nexthop), do_nexthop},
	[DP_POOL_PUT] = {sizeof(struct dp_pool), do_stage, 2},
	[DP_POOL_DEL] = {sizeof(struct dp_object), do_stage, 2},
	[DP_CHANNEL_PUT] = {sizeof(struct dp_channel), do_stage, 2},
	[DP_CHANNEL_DEL] = {sizeof(struct dp_object), do_stage, 2},
	[DP_LOAN_PUT] = {sizeof(struct dp_loan), do_stage, 2},
	[DP_LOAN_DEL] = {sizeof(struct dp_object), do_stage, 2},
	[DP_CAPTURE_OPEN] = {sizeof(struct dp_capture_open), do_capture, 2},
	[DP_CAPTURE_CLOSE] = {sizeof(struct dp_object), do_capture, 2},
	[DP_DROPPED_DUMP] = {sizeof(struct dp_plain), do_capture, 2},
	[DP_TRACE] = {sizeof(struct dp_trace), do_trace, 2},
	[DP_REPLAY_OPEN] = {sizeof(struct dp_replay_open), do_replay, 2},
	[DP_REPLAY_START] = {sizeof(struct dp_replay_start), do_replay, 2},
	[DP_REPLAY_LOOK] = {sizeof(struct dp_object), do_replay, 2},
	[DP_REPLAY_CLOSE] = {sizeof(struct dp_object), do_replay, 2},
	[DP_FOLLOW_OPEN] = {sizeof(struct dp_follow_open), do_follow, 2},
	[DP_FOLLOW_LOOK] = {sizeof(struct dp_object), do_follow, 2},
	[DP_FOLLOW_CLOSE] = {sizeof(struct dp_object), do_follow, 2},
	[DP_FLIGHT_TAKE] = {sizeof(struct dp_object), do_capture, 2},
};

/* --- connections --- */

static void refuse(struct client *client, uint64_t cookie, int error, const char *text)
{
	client_done(client, cookie, error, text);
	client->has_failed = true;
}

static void dispatch(struct client *client, struct request *request, size_t bytes)
{
	const struct dp_header *header = &request->header;
	unsigned int type = bytes < sizeof(*header) ? 0 : header->type;

	if (type >= sizeof(requests) / sizeof(requests[0]) || requests[type].handle == NULL ||
	    bytes != requests[type].bytes || header->bytes != bytes) {
		refuse(client, type != 0 ? header->cookie : 0, -EPROTO, "malformed message");
		return;
	}
	if (header->version != DP_VERSION && header->version != DP_VERSION - 1) {
		refuse(client, header->cookie, -EPROTONOSUPPORT,
		       "weftd and weft-dataplane differ in version; update both");
		return;
	}
	/* It is answered in its own version. */
	client->version = header->version;
	if (header->version < requests[type].since) {
		refuse(client, header->cookie, -EPROTO, "message of a later version");
		return;
	}
	requests[type].handle(client, request);
}

/* Receives one message with its descriptors. Bytes, or -errno. */
static ssize_t receive(int fd, struct request *request)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(DP_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = request->bytes, .iov_len = sizeof(request->bytes)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t bytes = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	request->n_fds = 0;
	if (bytes < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		request->n_fds = (unsigned int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(request->fds, CMSG_DATA(c), request->n_fds * sizeof(int));
	}
	return (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? -EMSGSIZE : bytes;
}

static void close_client(struct client *client)
{
	struct server *server = client->server;
	struct client **link = &server->clients;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	server->n_clients--;
	txn_abort(client->txn);
	captures_close_all(server->dp, client);
	replays_close_all(server->dp, client);
	follow_close_all(server->dp, client);
	client_drop_queue(client);
	loop_remove(client->watch);
	close(client->fd);
	free(client);
}

static void on_client(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct client *client = ctx;
	struct request *request = malloc(sizeof(*request));

	client->server->now_ns = now_ns;
	client->has_failed |= request == NULL;
	if ((events & EPOLLOUT) != 0 && !client->has_failed)
		client_flush(client);
	for (int i = 0; i < MESSAGES_PER_TURN && !client->has_failed; i++) {
		ssize_t bytes = receive(client->fd, request);

		if (bytes == -EAGAIN || bytes == -EINTR)
			break;
		if (bytes <= 0)
			client->has_failed = true;
		else
			dispatch(client, request, (size_t)bytes);
		for (unsigned int k = 0; k < request->n_fds; k++)
			close(request->fds[k]);
	}
	free(request);
	if (client->has_failed)
		close_client(client);
}

static void on_connect(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct server *server = ctx;
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client = calloc(1, sizeof(*client));

	if (fd < 0 || client == NULL || server->n_clients == CLIENTS_MAX) {
		if (fd >= 0)
			close(fd);
		free(client);
		return;
	}
	*client = (struct client){
		.server = server, .fd = fd, .version = DP_VERSION, .next = server->clients};
	client->queue_end = &client->queue;
	if (loop_add(server->dp->loop, fd, EPOLLIN, on_client, client, &client->watch) < 0) {
		close(fd);
		free(client);
		return;
	}
	server->clients = client;
	server->n_clients++;
}

/* Binds, after removing a socket that nobody answers at any more. */
static int bind_path(struct server *server, char *why, size_t why_bytes)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, server->path, sizeof(address.sun_path));
	if (connect(server->fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
	    (errno != ECONNREFUSED && errno != ENOENT)) {
		snprintf(why, why_bytes,
			 "another weft-dataplane serves %s; stop it or choose another --run-dir",
			 server->path);
		return -EADDRINUSE;
	}
	struct stat there;

	if (lstat(server->path, &there) == 0 && S_ISSOCK(there.st_mode))
		unlink(server->path);
	close(server->fd);
	server->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	int error = 0;

	if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(server->fd, CLIENTS_MAX) < 0)
		error = -errno;
	umask(mask);
	if (error < 0)
		snprintf(why, why_bytes, "cannot listen at %s: %s", server->path, strerror(-error));
	return error;
}

int server_create(struct dataplane *dp, const char *path, bool has_hugepages, struct server **out,
		  char *why, size_t why_bytes)
{
	struct server *server = calloc(1, sizeof(*server));
	int error = -ENOMEM;

	snprintf(why, why_bytes, "out of memory");
	if (server == NULL)
		return error;
	server->dp = dp;
	server->has_hugepages = has_hugepages;
	if (snprintf(server->path, sizeof(server->path), "%s", path) >= (int)sizeof(server->path)) {
		snprintf(why, why_bytes,
			 "%.80s... is too long for a socket; choose a shorter --run-dir", path);
		free(server);
		return -ENAMETOOLONG;
	}
	server->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd >= 0)
		error = bind_path(server, why, why_bytes);
	if (error == 0)
		error = loop_add(dp->loop, server->fd, EPOLLIN, on_connect, server, &server->watch);
	if (error < 0) {
		if (server->fd >= 0)
			close(server->fd);
		free(server);
		return error;
	}
	*out = server;
	return 0;
}

void server_destroy(struct server *server)
{
	if (server == NULL)
		return;
	while (server->clients != NULL)
		close_client(server->clients);
	loop_remove(server->watch);
	/* Before the close: afterwards a successor may have bound the path already. */
	unlink(server->path);
	close(server->fd);
	free(server);
}
