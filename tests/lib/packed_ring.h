/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of a packed virtqueue (virtio 1.2, 2.8): one array and two event structures, in
 * guest memory. The honest half, like split_ring.h, and open like that. A chain is known by an id
 * of its own, which is taken for its head elsewhere; ids come back in another order than slots.
 * Owned by one thread.
 */
#pragma once

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/frontend_memory.h"
#include "tests/lib/split_ring.h"

#define PACKED_RING_WRAP 0x8000u /* of a position: slot, and the wrap counter in bit 15 */

struct packed_ring {
	uint16_t size;
	bool event_idx;
	uint16_t avail;	     /* position of the next chain to make available */
	uint16_t kicked;     /* avail at the last decision about a kick */
	uint16_t used;	     /* position of the next chain to come back */
	uint16_t n_free;     /* slots */
	uint16_t first_free; /* ids hang together by id_next */
	uint16_t *id_next;
	uint16_t *chain_length;	   /* by id, in slots; 0: not with the device */
	uint16_t held, held_flags; /* first unpublished head: its flags are written last */
	bool is_held;
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *driver;
	struct vring_packed_desc_event *device;
};

/* All of these as in split_ring.h. */
int packed_ring_init(struct packed_ring *ring, struct frontend_memory *memory, unsigned int region,
		     unsigned int size, bool event_idx);
void packed_ring_fini(struct packed_ring *ring);
/* As a driver that starts anew: zeros, and all its own forgotten. */
void packed_ring_reset(struct packed_ring *ring);
int packed_ring_add(struct packed_ring *ring, const struct split_ring_piece *pieces, unsigned int n,
		    struct vring_packed_desc *table, uint64_t table_address);
bool packed_ring_publish(struct packed_ring *ring);
int packed_ring_take_used(struct packed_ring *ring, uint16_t *id, uint32_t *n_bytes);
void packed_ring_want_call(struct packed_ring *ring, bool wanted);
bool packed_ring_is_waiting(const struct packed_ring *ring);

/* Fills the next slot, for a chain of one piece whose id the caller chose and keeps: as _add it
 * becomes available with packed_ring_publish. */
void packed_ring_put(struct packed_ring *ring, const struct split_ring_piece *piece, uint16_t id);

/* Whether the device has given the slot of a position back. */
bool packed_ring_is_used(const struct packed_ring *ring, uint16_t position);

/* The slot of a position, and the position n slots further. */
struct vring_packed_desc *packed_ring_slot(const struct packed_ring *ring, uint16_t position);
uint16_t packed_ring_step(const struct packed_ring *ring, uint16_t position, unsigned int n);
