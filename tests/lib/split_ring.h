/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of a split virtqueue (virtio 1.1, 2.6): descriptor table, available ring, used
 * ring, in guest memory. The honest half: what a correct guest does. The fields are open so that
 * attacks can write anything. Owned by one thread.
 */
#pragma once

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/frontend_memory.h"

#define SPLIT_RING_MAX 32768U

struct split_ring {
	uint16_t size;	     /* a power of two */
	bool event_idx;	     /* VIRTIO_RING_F_EVENT_IDX negotiated */
	uint16_t avail_idx;  /* chains made available, not yet all published */
	uint16_t kicked_idx; /* avail_idx at the last decision about a kick */
	uint16_t used_idx;   /* used entries taken */
	uint16_t n_free;
	uint16_t first_free;	/* free descriptors hang together by chain_next */
	uint16_t *chain_next;	/* private copy: the shared one is not ours alone */
	uint16_t *chain_length; /* by head, 0: not with the device */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
};

/* One piece of a chain. */
struct split_ring_piece {
	uint64_t address;
	uint32_t n_bytes;
	bool device_writes;
};

/* Takes room in `region` of the memory. 0, -EINVAL for a bad size, -ENOMEM. */
int split_ring_init(struct split_ring *ring, struct frontend_memory *memory, unsigned int region,
		    unsigned int size, bool event_idx);
void split_ring_fini(struct split_ring *ring);

/* The head that the next chain will get; valid while n_free > 0. */
static inline uint16_t split_ring_next_head(const struct split_ring *ring)
{
	return ring->first_free;
}

/*
 * Makes a chain available without publishing it. With `table` (room for n pieces in guest memory,
 * its guest-physical address in table_address) as one indirect descriptor. Head, or -ENOSPC.
 */
int split_ring_add(struct split_ring *ring, const struct split_ring_piece *pieces, unsigned int n,
		   struct vring_desc *table, uint64_t table_address);

/* Shows the device all chains added so far. true: it wants a kick. */
bool split_ring_publish(struct split_ring *ring);

/* Next used entry; its chain is free again. 0, -EAGAIN if there is none, -EPROTO if the device
 * returns what it did not have. Whether n_bytes is plausible only the caller can tell. */
int split_ring_take_used(struct split_ring *ring, uint16_t *head, uint32_t *n_bytes);

/* Asks for a call at the next used entry, or for none. After asking, look again before waiting. */
void split_ring_want_call(struct split_ring *ring, bool wanted);

/* Used entries that wait, without taking them. */
unsigned int split_ring_waiting(const struct split_ring *ring);
