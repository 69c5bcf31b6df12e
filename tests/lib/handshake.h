/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The conversation of a vhost-user front-end with its back-end, in the order that QEMU keeps:
 * features, owner, memory, then each ring. Every step ends by a deadline of its own. Where the
 * back-end offers REPLY_ACK every request asks for its acknowledgement. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/frontend_memory.h"
#include "tests/lib/vhu.h"

struct handshake {
	int fd;		      /* the socket, non-blocking */
	unsigned int step_ms; /* deadline of one request and its answer */
	uint64_t offered;     /* virtio features of the back-end */
	uint64_t features;    /* agreed: wanted and offered */
	uint64_t protocol;    /* protocol features agreed */
	uint64_t n_pairs_max; /* 1 unless the back-end has MQ */
};

/* What the back-end has to know of a ring. In a packed one the areas behind the descriptors are the
 * event structures. */
struct handshake_ring {
	unsigned int size;
	uint32_t base; /* to go on from, as SET_VRING_BASE has it */
	const void *desc, *driver, *device;
};

/* Connects to a back-end that may not be there yet; or listens at path until one connects.
 * The descriptor of the socket, -ETIMEDOUT or -errno. */
int handshake_connect(const char *path, uint64_t deadline_ns);
int handshake_accept(const char *path, uint64_t deadline_ns);

/* Sends a request and waits for its answer, if it has one, in the same message. -EREMOTEIO if the
 * back-end acknowledges with an error; otherwise as vhu_receive. */
int handshake_request(struct handshake *h, struct vhu_message *message, const int *fds,
		      unsigned int n_fds);

/* Features and ownership. -ENOTSUP if the back-end lacks one of `required`. */
int handshake_negotiate(struct handshake *h, uint64_t wanted, uint64_t required);

int handshake_share_memory(struct handshake *h, const struct frontend_memory *memory);

/* Sets up ring `index` (2 * pair, + 1 for transmit), and enables it. */
int handshake_start_ring(struct handshake *h, unsigned int index, const struct handshake_ring *ring,
			 int kick_fd, int call_fd);

/* Stops the ring; tells how far the back-end has taken. */
int handshake_stop_ring(struct handshake *h, unsigned int index, uint32_t *base);

int handshake_enable_ring(struct handshake *h, unsigned int index, bool enabled);
