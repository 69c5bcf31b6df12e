/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads vhost-user messages piece by piece: the header alone first, then as many bytes as a message
 * of that request may have. Descriptors are collected on the way, counted at the end. Main thread.
 */
#include "dataplane/vhost/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/vhost/reaper.h"

#define COST_NS (UINT64_C(1000000000) / WIRE_MESSAGES_PER_S)
#define BURST_NS (WIRE_BURST_MESSAGES * COST_NS)
#define RESUME_NS (32 * COST_NS) /* a throttled front-end waits for several at a time */

#define HEADER_BYTES ((uint32_t)sizeof(struct vhost_header))
#define SCM_FDS_MAX 253 /* the kernel's limit for one message, SCM_MAX_FD */
#define TABLE_BYTES(n) ((uint32_t)(8 + (n) * sizeof(struct vhost_region)))
#define U64                                                                                        \
	{                                                                                          \
		sizeof(uint64_t), sizeof(uint64_t)                                                 \
	}
#define STATE                                                                                      \
	{                                                                                          \
		sizeof(struct vhost_ring_state), sizeof(struct vhost_ring_state)                   \
	}

/* Payload bytes by request; where nothing is said, none. */
static const struct payload_bound {
	uint32_t min, max;
} bounds[VHOST_REQUEST_COUNT] = {
	[VHOST_SET_FEATURES] = U64,
	[VHOST_SET_MEM_TABLE] = {TABLE_BYTES(0), TABLE_BYTES(VHOST_MAX_REGIONS)},
	[VHOST_SET_LOG_BASE] = {sizeof(struct vhost_log), sizeof(struct vhost_log)},
	[VHOST_SET_LOG_FD] = {0, sizeof(uint64_t)},
	[VHOST_SET_VRING_NUM] = STATE,
	[VHOST_SET_VRING_ADDR] = {sizeof(struct vhost_ring_addr), sizeof(struct vhost_ring_addr)},
	[VHOST_SET_VRING_BASE] = STATE,
	[VHOST_GET_VRING_BASE] = STATE,
	[VHOST_SET_VRING_KICK] = U64,
	[VHOST_SET_VRING_CALL] = U64,
	[VHOST_SET_VRING_ERR] = U64,
	[VHOST_SET_PROTOCOL_FEATURES] = U64,
	[VHOST_SET_VRING_ENABLE] = STATE,
	[VHOST_NET_SET_MTU] = U64,
	/* Not supported, but read, so that they can be answered. */
	[VHOST_SEND_RARP] = {0, sizeof(union vhost_payload)},
};

static int fail(struct wire *wire, int error, const char *why)
{
	wire->why = why;
	return error;
}

void wire_init(struct wire *wire, int fd, uint64_t now_ns)
{
	memset(wire, 0, sizeof(*wire));
	wire->fd = fd;
	wire->paid_until_ns = now_ns;
	wire->why = "";
}

void wire_finish(struct wire *wire)
{
	for (unsigned i = 0; i < wire->n_fds; i++) {
		if (wire->fds[i] >= 0)
			reaper_close(wire->reaper, wire->fds[i]);
	}
	wire->n_fds = 0;
	wire->filled = 0;
}

static int check_header(struct wire *wire)
{
	static const struct payload_bound unknown = {0, sizeof(union vhost_payload)};
	const struct vhost_header *header = &wire->header;
	const struct payload_bound *bound = &unknown;

	if ((header->flags & ~VHOST_FLAGS_NEED_REPLY) != VHOST_FLAGS_VERSION)
		return fail(wire, -EPROTO, "the header is not one of vhost-user version 1");
	if (header->request < VHOST_REQUEST_COUNT)
		bound = &bounds[header->request];
	if (header->size < bound->min || header->size > bound->max)
		return fail(wire, -EPROTO, "the payload has a size that its request cannot have");
	return 0;
}

/* The descriptors that a whole message should have brought, or -errno. */
static int expected_fds(struct wire *wire)
{
	uint32_t n_regions = wire->payload.memory.n_regions;

	switch (wire->header.request) {
	case VHOST_SET_MEM_TABLE:
		if (n_regions > VHOST_MAX_REGIONS || wire->header.size < TABLE_BYTES(n_regions))
			return fail(wire, -EPROTO, "a memory table is shorter than it says");
		return (int)n_regions;
	case VHOST_SET_LOG_BASE:
	case VHOST_SET_LOG_FD:
		return 1;
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		return wire->payload.u64 & VHOST_FD_NONE ? 0 : 1;
	default:
		return 0;
	}
}

static int check_message(struct wire *wire)
{
	int n_expected = expected_fds(wire);

	if (n_expected < 0)
		return n_expected;
	if (wire->n_fds != (unsigned)n_expected)
		return fail(wire, -EPROTO, "a message came with too few or too many descriptors");
	return 1;
}

/* Takes the descriptors out of a control message; what finds no room is closed. */
static int take_fds(struct wire *wire, struct msghdr *msg)
{
	bool is_surplus = (msg->msg_flags & MSG_CTRUNC) != 0;
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);

	for (; cmsg != NULL; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t n_fds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n_fds; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			if (wire->n_fds < VHOST_MAX_REGIONS) {
				wire->fds[wire->n_fds++] = fd;
			} else {
				reaper_close(wire->reaper, fd);
				is_surplus = true;
			}
		}
	}
	return is_surplus ? fail(wire, -EPROTO, "a message came with too many descriptors") : 0;
}

/* Reads at most `bytes` more of the header, or of the payload if the header is there. Bytes read,
 * 0: nothing there, or -errno. */
static ssize_t read_some(struct wire *wire, uint32_t bytes)
{
	/* Room for all that a message can bring: what found none the kernel would close here. */
	union {
		char bytes[CMSG_SPACE(SCM_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	bool is_header = wire->filled < HEADER_BYTES;
	struct iovec iov = {
		.iov_base = is_header ? (uint8_t *)&wire->header + wire->filled
				      : (uint8_t *)&wire->payload + wire->filled - HEADER_BYTES,
		.iov_len = bytes,
	};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;
	int ret;

	do {
		n = recvmsg(wire->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return fail(wire, -errno, "cannot read from the front-end");
	if (n == 0)
		return fail(wire, -ECONNRESET, "the front-end closed the connection");
	ret = take_fds(wire, &msg);
	return ret < 0 ? ret : n;
}

void wire_fini(struct wire *wire)
{
	wire_finish(wire);
	/* Nothing more can come, and what is there is taken out: the kernel would close the
	 * descriptors in it while we close the socket. */
	shutdown(wire->fd, SHUT_RDWR);
	for (ssize_t n = 1; n > 0 || n == -EPROTO; wire_finish(wire))
		n = read_some(wire, HEADER_BYTES);
	close(wire->fd);
}

static bool is_over_budget(struct wire *wire, uint64_t now_ns)
{
	if (wire->resume_ns != 0 && now_ns < wire->resume_ns)
		return true;
	wire->resume_ns = 0;
	if (wire->paid_until_ns > now_ns + BURST_NS)
		wire->resume_ns = wire->paid_until_ns - BURST_NS + RESUME_NS;
	return wire->resume_ns != 0;
}

static void pay(struct wire *wire, uint64_t now_ns)
{
	if (wire->paid_until_ns < now_ns)
		wire->paid_until_ns = now_ns;
	wire->paid_until_ns += COST_NS;
}

int wire_receive(struct wire *wire, uint64_t now_ns)
{
	const struct vhost_header *header = &wire->header;

	if (wire->filled == 0 && is_over_budget(wire, now_ns))
		return 0;
	for (;;) {
		uint32_t end = HEADER_BYTES + (wire->filled < HEADER_BYTES ? 0 : header->size);
		ssize_t n = read_some(wire, end - wire->filled);
		int ret;

		if (n < 0)
			return (int)n;
		if (n == 0 && wire->filled != 0 && now_ns >= wire->partial_deadline_ns)
			return fail(wire, -ETIMEDOUT, "the front-end stopped within a message");
		if (n == 0)
			return 0;
		if (wire->filled == 0) {
			wire->partial_deadline_ns = now_ns + WIRE_PARTIAL_NS;
			pay(wire, now_ns);
		}
		wire->filled += (uint32_t)n;
		if (wire->filled == HEADER_BYTES) {
			ret = check_header(wire);
			if (ret < 0)
				return ret;
			end = HEADER_BYTES + header->size;
		}
		if (wire->filled >= HEADER_BYTES && wire->filled == end)
			return check_message(wire);
	}
}

int wire_reply(struct wire *wire, const void *payload, uint32_t bytes)
{
	struct vhost_header header = {
		.request = wire->header.request,
		.flags = VHOST_FLAGS_VERSION | VHOST_FLAGS_REPLY,
		.size = bytes,
	};
	uint8_t reply[HEADER_BYTES + sizeof(union vhost_payload)];
	ssize_t n;

	memcpy(reply, &header, HEADER_BYTES);
	memcpy(reply + HEADER_BYTES, payload, bytes);
	do {
		n = send(wire->fd, reply, HEADER_BYTES + bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)(HEADER_BYTES + bytes))
		return fail(wire, -EPIPE, "the front-end does not read its replies");
	return 0;
}

uint64_t wire_deadline_ns(const struct wire *wire)
{
	if (wire->filled != 0)
		return wire->partial_deadline_ns;
	return wire->resume_ns != 0 ? wire->resume_ns : UINT64_MAX;
}
