/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One vhost-user connection: one small function for each request, between the socket (wire) and
 * the rings that the front-end describes (queues). Main thread.
 *
 * What the two front-ends that matter send (QEMU 7.2; DPDK 22.11's virtio-user):
 *
 *	QEMU	SET_VRING_ENABLE may come first of all; CALL and ERR before all else about a ring;
 *		at start FEATURES, MEM_TABLE, then NUM, BASE, ADDR, KICK, CALL of each ring; CALL
 *		again whenever an interrupt is masked or unmasked; at stop ENABLE 0, GET_VRING_BASE
 *	DPDK	CALL of all rings, FEATURES, MEM_TABLE, then NUM, BASE, ADDR, KICK of each ring and
 *		ENABLE; ENABLE 0, MEM_TABLE, ENABLE 1 when its memory grows; at stop as QEMU
 */
#include "dataplane/vhost/session.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dataplane/vhost/queues.h"
#include "dataplane/vhost/wire.h"

#define MESSAGES_PER_CALL 32 /* then the other ports have their turn */
#define MIN_MTU 68	     /* VIRTIO 1.2, 5.1.4 */

struct session {
	struct session_config config;
	uint64_t offered;
	uint64_t protocol_features;
	struct queues queues;
	struct wire wire;
	const char *reason; /* of a handler that refuses */
	char why[160];
};

static int refuse(struct session *session, int error, const char *reason)
{
	session->reason = reason;
	return error;
}

/* Of wire or queues, which have a reason of their own. */
static int pass_on(struct session *session, int ret, const char *reason)
{
	return ret < 0 ? refuse(session, ret, reason) : 0;
}

static int resume(struct session *session, unsigned index)
{
	int ret = queues_resume(&session->queues, index);

	return pass_on(session, ret, session->queues.why);
}

static int reply_u64(struct session *session, uint64_t value)
{
	int ret = wire_reply(&session->wire, &value, sizeof(value));

	return pass_on(session, ret, session->wire.why);
}

/* Arguments of requests. */

static int find_queue(struct session *session, uint64_t index, struct queue **queue)
{
	if (index >= session->queues.n_queues)
		return refuse(session, -EINVAL, "there is no ring of that index");
	*queue = &session->queues.queue[index];
	return 0;
}

/* The eventfd that came with the message, for the caller to own; -1 if none came. Any other file
 * could make a worker's write wait, or be one that the front-end itself may not write. */
static int take_eventfd(struct session *session, int *out)
{
	char path[32], target[32];
	int fd = session->wire.fds[0];
	ssize_t n;

	*out = -1;
	if (session->wire.payload.u64 & VHOST_FD_NONE)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (strcmp(target, "anon_inode:[eventfd]") != 0)
		return refuse(session, -EINVAL, "the descriptor is not an eventfd");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return refuse(session, -errno, "cannot make the eventfd non-blocking");
	session->wire.fds[0] = -1;
	*out = fd;
	return 0;
}

/* Requests about the device. */

static int get_features(struct session *session)
{
	return reply_u64(session, session->offered);
}

static int set_features(struct session *session)
{
	uint64_t features = session->wire.payload.u64;
	int ret;

	if (features & ~session->offered)
		return refuse(session, -EINVAL, "a feature was not offered");
	ret = queues_set_features(&session->queues, features);
	return pass_on(session, ret, session->queues.why);
}

static bool may_migrate(const struct session *session)
{
	return (session->offered & VIRTIO_FEATURE(VHOST_F_LOG_ALL)) != 0;
}

static uint64_t offered_protocol_features(const struct session *session)
{
	uint64_t features = VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_REPLY_ACK) |
			    VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_NET_MTU);

	if (session->config.n_queue_pairs > 1)
		features |= VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_MQ);
	if (may_migrate(session))
		features |= VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_LOG_SHMFD);
	return features;
}

static int get_protocol_features(struct session *session)
{
	return reply_u64(session, offered_protocol_features(session));
}

static int set_protocol_features(struct session *session)
{
	if (session->wire.payload.u64 & ~offered_protocol_features(session))
		return refuse(session, -EINVAL, "a protocol feature was not offered");
	session->protocol_features = session->wire.payload.u64;
	return 0;
}

static int get_queue_num(struct session *session)
{
	return reply_u64(session, session->config.n_queue_pairs);
}

static int set_owner(struct session *session)
{
	return 0; /* one connection, one owner: nothing to remember */
}

static int reset_owner(struct session *session)
{
	for (unsigned i = 0; i < session->queues.n_queues; i++)
		queues_halt(&session->queues, i);
	return 0;
}

static int set_mem_table(struct session *session)
{
	int ret = queues_set_memory(&session->queues, &session->wire.payload.memory,
				    session->wire.fds);

	return pass_on(session, ret, session->queues.why);
}

/* The log of dirty pages. QEMU sends it before it asks for marks by VHOST_F_LOG_ALL, and a larger
 * one when the guest gets more memory. */
static int set_log_base(struct session *session)
{
	const struct vhost_log *log = &session->wire.payload.log;
	int ret;

	if ((session->protocol_features & VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_LOG_SHMFD)) == 0)
		return refuse(session, -EINVAL, "the log of dirty pages was not agreed on");
	ret = queues_set_log(&session->queues, session->wire.fds[0], log->bytes, log->offset);
	if (ret < 0)
		return refuse(session, ret, session->queues.why);
	return reply_u64(session, 0);
}

/* Somebody who wants to be told of marks: nobody does, and it may. */
static int set_log_fd(struct session *session)
{
	return may_migrate(session)
		       ? 0
		       : refuse(session, -EINVAL, "the log of dirty pages was not offered");
}

/* Not an error of the front-end: the answer is no, and the connection goes on. */
static int net_set_mtu(struct session *session)
{
	uint64_t mtu = session->wire.payload.u64;

	if (mtu < MIN_MTU || mtu > session->config.max_mtu)
		return refuse(session, -EOPNOTSUPP, "the port cannot carry that MTU");
	return 0;
}

/* Requests about one ring. */

static int set_vring_num(struct session *session)
{
	const struct vhost_ring_state *state = &session->wire.payload.state;
	struct queue *queue;
	int ret = find_queue(session, state->index, &queue);

	if (ret < 0)
		return ret;
	if (state->num == 0 || state->num > VHOST_MAX_RING_SIZE ||
	    (state->num & (state->num - 1)) != 0)
		return refuse(session, -EINVAL, "a ring's size is a power of two up to 32768");
	if (queue->is_running)
		return refuse(session, -EBUSY, "the size cannot change while the ring runs");
	queue->size = state->num;
	return resume(session, state->index);
}

static bool is_packed(const struct session *session)
{
	return (session->queues.features & VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)) != 0;
}

static int set_vring_base(struct session *session)
{
	const struct vhost_ring_state *state = &session->wire.payload.state;
	struct queue *queue;
	int ret = find_queue(session, state->index, &queue);

	if (ret < 0)
		return ret;
	/* A packed ring has two positions: where to look for what is offered, and where to write
	 * what was used. In order they are the same; DPDK does not tell the second one. */
	if (state->num >> 16 != 0 &&
	    (!is_packed(session) || state->num >> 16 != (state->num & UINT16_MAX)))
		return refuse(session, -EINVAL,
			      is_packed(session) ? "buffers of a packed ring are still out"
						 : "an index of a split ring has 16 bits");
	if (queue->is_running)
		return refuse(session, -EBUSY, "the base cannot change while the ring runs");
	queue->base = (uint16_t)state->num;
	return 0;
}

static int get_vring_base(struct session *session)
{
	struct vhost_ring_state state = session->wire.payload.state;
	struct queue *queue;
	int ret = find_queue(session, state.index, &queue);

	if (ret < 0)
		return ret;
	queues_halt(&session->queues, state.index);
	state.num = queue->base;
	if (is_packed(session))
		state.num |= (uint32_t)queue->base << 16;
	session->config.ops->ring_forget(session->config.ctx, state.index);
	ret = wire_reply(&session->wire, &state, sizeof(state));
	return pass_on(session, ret, session->wire.why);
}

static int set_vring_addr(struct session *session)
{
	const struct vhost_ring_addr *addr = &session->wire.payload.addr;
	struct queue *queue;
	int ret = find_queue(session, addr->index, &queue);

	if (ret < 0)
		return ret;
	/* Whether its own pages are logged is of no matter: while there is a log, all are. */
	if ((addr->flags & ~(may_migrate(session) ? VHOST_RING_F_LOG : 0)) != 0)
		return refuse(session, -EINVAL, "the log of dirty pages was not offered");
	queues_pause(&session->queues, addr->index);
	queue->addr = *addr;
	queue->has_addr = true;
	return resume(session, addr->index);
}

static int set_vring_enable(struct session *session)
{
	const struct vhost_ring_state *state = &session->wire.payload.state;
	struct queue *queue;
	int ret = find_queue(session, state->index, &queue);

	if (ret < 0)
		return ret;
	if (state->num > 1)
		return refuse(session, -EINVAL, "a ring is enabled by 1 and disabled by 0");
	queue->is_enabled = state->num == 1;
	if (!queues_is_complete(&session->queues, state->index))
		queues_pause(&session->queues, state->index);
	return resume(session, state->index);
}

static int set_vring_kick(struct session *session)
{
	unsigned index = session->wire.payload.u64 & VHOST_FD_INDEX_MASK;
	struct queue *queue;
	int fd, ret = find_queue(session, index, &queue);

	if (ret == 0)
		ret = take_eventfd(session, &fd);
	if (ret < 0)
		return ret;
	if (fd < 0)
		return refuse(session, -EINVAL,
			      "rings without kicks are not supported: "
			      "set ioeventfd=on");
	queues_halt(&session->queues, index);
	queue->kick_fd = fd;
	return resume(session, index);
}

static int set_vring_call(struct session *session)
{
	unsigned index = session->wire.payload.u64 & VHOST_FD_INDEX_MASK;
	struct queue *queue;
	int fd, ret = find_queue(session, index, &queue);

	if (ret == 0)
		ret = take_eventfd(session, &fd);
	if (ret < 0)
		return ret;
	ret = queues_set_call(&session->queues, index, fd);
	return pass_on(session, ret, session->queues.why);
}

/* Checked like the others, then closed: a broken ring is told by closing the connection. */
static int set_vring_err(struct session *session)
{
	unsigned index = session->wire.payload.u64 & VHOST_FD_INDEX_MASK;
	struct queue *queue;
	int fd, ret = find_queue(session, index, &queue);

	if (ret == 0)
		ret = take_eventfd(session, &fd);
	if (ret == 0 && fd >= 0)
		close(fd);
	return ret;
}

static int refuse_unknown(struct session *session)
{
	return refuse(session, -EOPNOTSUPP, "not supported, and not offered");
}

/* Messages. */

static const struct request {
	const char *name;
	int (*handle)(struct session *session);
	bool has_answer; /* of its own, which stands for an acknowledgement too */
} requests[VHOST_REQUEST_COUNT] =
	{
		[VHOST_GET_FEATURES] = {"GET_FEATURES", get_features, true},
		[VHOST_SET_FEATURES] = {"SET_FEATURES", set_features},
		[VHOST_SET_OWNER] = {"SET_OWNER", set_owner},
		[VHOST_RESET_OWNER] = {"RESET_OWNER", reset_owner},
		[VHOST_SET_MEM_TABLE] = {"SET_MEM_TABLE", set_mem_table},
		[VHOST_SET_LOG_BASE] = {"SET_LOG_BASE", set_log_base, true},
		[VHOST_SET_LOG_FD] = {"SET_LOG_FD", set_log_fd},
		[VHOST_SET_VRING_NUM] = {"SET_VRING_NUM", set_vring_num},
		[VHOST_SET_VRING_ADDR] = {"SET_VRING_ADDR", set_vring_addr},
		[VHOST_SET_VRING_BASE] = {"SET_VRING_BASE", set_vring_base},
		[VHOST_GET_VRING_BASE] = {"GET_VRING_BASE", get_vring_base, true},
		[VHOST_SET_VRING_KICK] = {"SET_VRING_KICK", set_vring_kick},
		[VHOST_SET_VRING_CALL] = {"SET_VRING_CALL", set_vring_call},
		[VHOST_SET_VRING_ERR] = {"SET_VRING_ERR", set_vring_err},
		[VHOST_GET_PROTOCOL_FEATURES] = {"GET_PROTOCOL_FEATURES", get_protocol_features,
						 true},
		[VHOST_SET_PROTOCOL_FEATURES] = {"SET_PROTOCOL_FEATURES", set_protocol_features},
		[VHOST_GET_QUEUE_NUM] = {"GET_QUEUE_NUM", get_queue_num, true},
		[VHOST_SET_VRING_ENABLE] = {"SET_VRING_ENABLE", set_vring_enable},
		[VHOST_NET_SET_MTU] = {"NET_SET_MTU", net_set_mtu},
},
  unknown_request = {"a request", refuse_unknown};

static int close_because(struct session *session, int error, const char *request,
			 const char *reason)
{
	snprintf(session->why, sizeof(session->why), "%s%s%s", request, *request ? ": " : "",
		 reason);
	return error;
}

static bool is_ack_wanted(const struct session *session)
{
	uint64_t reply_ack = VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_REPLY_ACK);

	return (session->wire.header.flags & VHOST_FLAGS_NEED_REPLY) != 0 &&
	       (session->protocol_features & reply_ack) != 0;
}

/* A refusal is told if the front-end can hear it, and ends the connection: what follows would build
 * on what was refused. Only "not supported" leaves both sides where they were. */
static int acknowledge(struct session *session, int result)
{
	int sent;

	if (!is_ack_wanted(session))
		return result;
	sent = reply_u64(session, result < 0);
	if (sent < 0)
		return sent;
	return result == -EOPNOTSUPP ? 0 : result;
}

static int handle_message(struct session *session)
{
	uint32_t number = session->wire.header.request;
	const struct request *request = &unknown_request;
	int ret;

	if (number < VHOST_REQUEST_COUNT && requests[number].handle != NULL)
		request = &requests[number];
	ret = request->handle(session);
	if (ret < 0 || !request->has_answer)
		ret = acknowledge(session, ret);
	if (ret < 0)
		return close_because(session, ret, request->name, session->reason);
	return 0;
}

static int check_memory(struct session *session)
{
	const struct guest_memory *memory = session->queues.memory;

	if (memory != NULL && atomic_load(&memory->faulted))
		return close_because(session, -EFAULT, "",
				     "the front-end took away memory that it shares");
	return 0;
}

static int receive_messages(struct session *session, uint64_t now_ns)
{
	for (unsigned i = 0; i < MESSAGES_PER_CALL; i++) {
		int ret = wire_receive(&session->wire, now_ns);

		if (ret < 0)
			return close_because(session, ret, "", session->wire.why);
		if (ret == 0)
			return 0;
		ret = handle_message(session);
		wire_finish(&session->wire);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int session_readable(struct session *session, uint32_t events, uint64_t now_ns)
{
	/* Messages that are left have nobody who waits for their effect. */
	if (events & (EPOLLHUP | EPOLLERR))
		return close_because(session, -ECONNRESET, "",
				     "the front-end closed the connection");
	return receive_messages(session, now_ns);
}

int session_tick(struct session *session, uint64_t now_ns)
{
	int ret = check_memory(session);

	if (ret < 0 || now_ns < session_deadline_ns(session))
		return ret;
	return receive_messages(session, now_ns);
}

uint32_t session_events(const struct session *session)
{
	return session->wire.resume_ns != 0 ? 0 : EPOLLIN;
}

uint64_t session_deadline_ns(const struct session *session)
{
	return wire_deadline_ns(&session->wire);
}

unsigned session_count_regions(const struct session *session)
{
	return session->queues.memory != NULL ? session->queues.memory->n_regions : 0;
}

const char *session_why(const struct session *session)
{
	return session->why;
}

int session_create(struct session **out, int fd, const struct session_config *config,
		   uint64_t now_ns)
{
	struct session *session;
	int ret;

	assert(config->n_queue_pairs >= 1 && config->n_queue_pairs <= VHOST_MAX_QUEUE_PAIRS);
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return -ENOMEM;
	session->config = *config;
	session->offered = config->features | VIRTIO_FEATURE(VHOST_F_PROTOCOL_FEATURES);
	session->reason = "";
	ret = queues_init(&session->queues, &session->config);
	if (ret < 0) {
		free(session);
		return ret;
	}
	wire_init(&session->wire, fd, now_ns);
	session->wire.reaper = config->reaper;
	*out = session;
	return 0;
}

void session_destroy(struct session *session)
{
	if (session == NULL)
		return;
	queues_fini(&session->queues);
	wire_fini(&session->wire);
	free(session);
}
