/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Server side of one vhost-user connection: reads messages, keeps what the front-end said, and
 * tells the port when a ring can run. Main thread only; never blocks; time is passed in.
 *
 * The front-end is hostile until proven dull: messages are bounded by their request before they are
 * read, every descriptor is expected or closes the connection, half a message has a second to
 * become whole, and messages beyond a rate wait. The caller watches the socket like this:
 *
 *	loop callback:	session_readable(session, events, now)	< 0: log session_why(), destroy
 *	timer:		session_tick(session, now)		< 0: the same
 *	after both:	loop_modify(watch, session_events(session)), timer at session_deadline_ns()
 *
 * A ring runs while size, addresses, memory, features and kick descriptor are known and it is
 * enabled (always, if the front-end did not accept VHOST_F_PROTOCOL_FEATURES). Before anything that
 * a running ring uses changes, session calls ring_stop(); it calls ring_start() again when all is
 * complete. The port destroys no session from within a callback.
 */
#pragma once

#include <stdint.h>

#include "dataplane/vhost/fault.h"
#include "dataplane/vhost/memory.h"

struct session;

/* All that a ring needs, checked: the three areas are aligned and wholly inside the memory. Of a
 * packed one they are the descriptors, the driver's event structure and the device's. What it
 * points to stays valid until ring_stop() returns. */
struct session_ring {
	unsigned index;			/* even: the guest receives, odd: it transmits */
	uint32_t size;			/* power of two */
	/* Where it goes on: next available index, or slot and in bit 15 the wrap counter. */
	uint16_t base;
	void *desc, *avail, *used;
	uint64_t features;		/* VIRTIO_FEATURE() bits; never VHOST_F_PROTOCOL_FEATURES */
	struct guest_memory *memory;

	/* Shared with the front-end, which can fill it, drain it and make it blocking at any time:
	 * watch it edge-triggered and never read it. Remove it from epoll in ring_stop(): closing
	 * our copy does not, while the front-end holds its own. */
	int kick_fd;
	/* Always valid: where the front-end wants no calls they go nowhere. Its number stays while
	 * the ring runs: session swaps what is behind it, so a writer needs no lock. */
	int call_fd;
};

struct session_ops {
	/* The ring may run from now on. Not 0: the connection is closed. */
	int (*ring_start)(void *ctx, const struct session_ring *ring);
	/* Returns the base to go on from. Afterwards no thread touches the ring, its memory or
	 * its descriptors any more. */
	uint16_t (*ring_stop)(void *ctx, unsigned index);
	/* After ring_stop(), whose answer went to the front-end: from now on that knows the base,
	 * and what was kept for one that does not is void. */
	void (*ring_forget)(void *ctx, unsigned index);
	/* The front-end swapped the call descriptor of a running ring, so a call may have gone to
	 * the old one: write to call_fd once more, whatever the ring's flags say. */
	void (*ring_signal)(void *ctx, unsigned index);
};

struct session_config {
	uint64_t features;		/* VIRTIO_FEATURE() bits to offer */
	unsigned n_queue_pairs;		/* 1..VHOST_MAX_QUEUE_PAIRS; more than one offers MQ */
	uint16_t max_mtu;		/* what NET_SET_MTU may ask for */
	uint64_t max_memory_bytes;	/* MEMORY_MAX_BYTES unless there is a reason */
	const struct session_ops *ops;
	void *ctx;
	struct fault_registry *faults;
	struct reaper *reaper;		/* may be NULL: see reaper.h */
};

/* Takes over fd, a connected stream socket, on success only. 0 or -errno. */
int session_create(struct session **out, int fd, const struct session_config *config,
		   uint64_t now_ns);
/* Stops every ring, unmaps the memory, closes every descriptor. NULL is legal. */
void session_destroy(struct session *session);

/* Handles what can be read, a few messages at a time. 0, or -errno: the connection is over. */
int session_readable(struct session *session, uint32_t events, uint64_t now_ns);
/* To be called at session_deadline_ns(), and when a ring saw memory->faulted; at any other time it
 * costs nothing. As above. */
int session_tick(struct session *session, uint64_t now_ns);

/* What to watch: EPOLLIN, or 0 while messages come too fast. */
uint32_t session_events(const struct session *session);
/* When to call session_tick(); UINT64_MAX: not needed. */
uint64_t session_deadline_ns(const struct session *session);
/* Regions of its memory that the front-end shares now. */
unsigned session_count_regions(const struct session *session);
/* Why the connection is over, in one line. */
const char *session_why(const struct session *session);
