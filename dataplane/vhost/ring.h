/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running virtqueue, seen from the device: take frames that the guest sends, put frames into
 * buffers that it offers. Split layout, VIRTIO 1.2 section 2.7, or packed (ring_packed.h), as the
 * guest chose.
 *
 * Worker threads. A ring is made by main from what the session has checked (addresses, size), used
 * by one worker at a time (a lock or an owner sees to that), and stopped by main after a grace
 * period.
 *
 * Everything that the guest can write is read once into private memory and then checked: indices
 * against the size, addresses and lengths against the memory, chains against a limit. What cannot
 * be meant breaks the ring: it is left alone until the guest sets it up anew, and `broken` says
 * why.
 */
#pragma once

#include <linux/virtio_ring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/frame.h"
#include "dataplane/vhost/session.h"

struct counters_block;
struct ring_journal;

/* A packed ring's own; see ring_packed.h for positions. */
struct ring_packed {
	struct vring_packed_desc *desc;
	const struct vring_packed_desc_event *driver_event; /* what the guest wants to be told */
	struct vring_packed_desc_event *device_event;	    /* what we want */
	struct ring_journal *journal;
	uint16_t next;			/* position of the next chain to look at */
	uint16_t used;			/* position up to which chains were given back */
	uint16_t lost_from, lost_to;	/* as in the journal: nothing is left there */
};

struct ring {
	/* Config: main writes before the ring is published. */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct guest_memory *memory;
	uint16_t size, mask;
	uint16_t header_bytes;		/* of the virtio-net header: 12, or 10 for old drivers */
	bool is_mergeable;		/* a frame may fill several buffers */
	bool has_event_idx;
	bool is_packed;			/* then `packed` stands for desc, avail, used and indices */
	uint32_t caps;			/* enum offload_cap: what the guest may send, or takes */
	int call_fd;

	/* The worker's. */
	uint16_t next_avail;		/* next entry of the available ring to look at */
	uint16_t next_used;		/* index up to which buffers were given back */
	uint16_t called_used;		/* next_used when the guest was last called, or not */
	unsigned int hint;		/* guess of the memory region */
	unsigned int n_taken;		/* chains taken and not yet given back */
	uint16_t taken[BURST_FRAMES];

	_Atomic(const char *) broken;	/* why; NULL: it runs. Worker writes, main reads */
	struct ring_packed packed;
};

/* From what the session has checked. caps as above. journal: of a packed ring; a split one needs
 * none. Main. */
void ring_init(struct ring *ring, const struct session_ring *config, uint32_t caps,
	       struct ring_journal *journal);

/* Where a ring that stands still would go on, as session_ring.base has it. */
static inline uint16_t ring_base(const struct ring *ring)
{
	return ring->is_packed ? ring->packed.next : ring->next_avail;
}

/* Takes up to BURST_FRAMES frames into the empty burst; what is malformed comes with a drop reason.
 * Their buffers stay taken until ring_complete(). */
void ring_take(struct ring *ring, struct burst *burst);
void ring_complete(struct ring *ring);

/* Puts frames burst->frames[order[0 .. n)] into the guest's buffers; counts them. true: the guest
 * is to be told by ring_call(), which is a system call: not within a lock. */
bool ring_put(struct ring *ring, struct burst *burst, const uint8_t *order, unsigned int n,
	      struct counters_block *count);

/* Has the guest so many buffers there, or as many as the ring can have? */
bool ring_has_room(const struct ring *ring, unsigned int n_buffers);

/* Fetches what ring_put() reads first: lines that the guest's CPU has written. */
void ring_put_soon(const struct ring *ring);

/* Asks the guest to kick when it adds frames. false: some are there already. */
bool ring_arm(struct ring *ring);
void ring_disarm(struct ring *ring);	/* and not to kick any more */

/* Calls the guest whatever it wishes. The descriptor is shared with the front-end, which can fill
 * it and make it blocking: then the watchdog (worker.h) interrupts us, and the ring is broken. */
void ring_call(struct ring *ring);

/* What `broken` then points to. */
extern const char ring_call_blocked[];
