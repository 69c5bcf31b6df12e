/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packed layout of a ring, VIRTIO 1.2 section 2.8: one array, in which the guest offers chains
 * and the device overwrites the first descriptor of each with what became of it.
 *
 *	slot    0      1      2      3      4 ...
 *	      | used | used | offered ------> | offered ...	device is here: position 2
 *
 * A position is a slot and, in bit 15, the wrap counter: 1 in the first lap, 0 in the second and so
 * on, which is how vhost-user writes it too. A descriptor is offered in the lap whose counter its
 * AVAIL bit shows and its USED bit does not. Chains are given back in the order they were offered,
 * so one position is all there is to remember. Worker threads; init: main.
 */
#pragma once

#include "dataplane/vhost/ring.h"
#include "dataplane/vhost/ring_budget.h"
#include "dataplane/vhost/ring_journal.h"

#define RING_PACKED_WRAP UINT16_C(0x8000)

/* Chains of one plain descriptor, from a position on. */
struct ring_packed_ahead {
	unsigned int n, next; /* of the arrays; the first that was not used yet */
	uint16_t id[BURST_FRAMES];
	_Alignas(16) uint32_t bytes[RING_BUDGET_LENS]; /* laid out for ring_budget_pass() */
	uint8_t *at[BURST_FRAMES];
};

void ring_packed_init(struct ring *ring, const struct session_ring *config,
		      struct ring_journal *journal);
void ring_packed_take(struct ring *ring, struct burst *burst);
bool ring_packed_put(struct ring *ring, struct burst *burst, const uint8_t *order, unsigned int n,
		     struct counters_block *count);
bool ring_packed_arm(struct ring *ring);
void ring_packed_disarm(struct ring *ring);

/* The ring stands where chains that are lost begin, or within them: goes on behind them. None may
 * be lost. */
void ring_packed_skip_lost(struct ring *ring);

/* Gives the first n entries of the journal back to the guest. true: it wants to be called. */
bool ring_packed_publish(struct ring *ring, unsigned int n);

/* Fills `ahead` from position `next` on; ends at the first chain of another kind. write_flag: as in
 * ring_chain_collect(). */
void ring_packed_look_ahead(struct ring *ring, unsigned int max, uint16_t write_flag,
			    struct ring_packed_ahead *ahead);

/* Like ring_chain_collect(), for the chain at a position; entry gets its name and its slots. */
const char *ring_packed_collect(struct ring *ring, uint16_t position, uint16_t write_flag,
				struct iovec *pieces, unsigned int max, unsigned int *n,
				uint64_t *total, struct ring_journal_entry *entry);

static inline struct vring_packed_desc *ring_packed_slot(const struct ring *ring, uint16_t position)
{
	return &ring->packed.desc[position & ~RING_PACKED_WRAP];
}

/* slots: at most the ring's size. */
static inline uint16_t ring_packed_step(const struct ring *ring, uint16_t position,
					unsigned int slots)
{
	uint32_t slot = (position & ~RING_PACKED_WRAP & 0xffffu) + slots;
	uint32_t wrap = position & RING_PACKED_WRAP;

	if (slot >= ring->size) {
		slot -= ring->size;
		wrap ^= RING_PACKED_WRAP;
	}
	return (uint16_t)(slot | wrap);
}

static inline uint16_t ring_packed_flags(const struct ring *ring, uint16_t position)
{
	return atomic_load_explicit((_Atomic uint16_t *)&ring_packed_slot(ring, position)->flags,
				    memory_order_acquire);
}

/* Whether flags say that the guest offers what stands at this position. */
static inline bool ring_packed_is_offered(uint16_t flags, uint16_t position)
{
	const uint16_t avail = 1 << VRING_PACKED_DESC_F_AVAIL;
	const uint16_t used = 1 << VRING_PACKED_DESC_F_USED;

	return (flags & (avail | used)) == ((position & RING_PACKED_WRAP) != 0 ? avail : used);
}
