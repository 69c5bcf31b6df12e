/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking ahead in the available ring: the next entries, their descriptors and the buffers behind
 * them, each fetched for the whole burst before the first is used, since every one of those lines
 * comes from the guest's CPU. Both directions; worker threads.
 */
#pragma once

#include <rte_prefetch.h>

#include "dataplane/vhost/ring.h"
#include "dataplane/vhost/ring_budget.h"
#include "dataplane/vhost/ring_chain.h"
#include "dataplane/vhost/ring_frame.h"
#include "dataplane/vhost/ring_notify.h"

struct ring_ahead {
	unsigned int n;			/* entries below; the first that is not sound ends them */
	bool is_plain;			/* each is one plain descriptor */
	uint16_t *id;			/* the caller's, room for BURST_FRAMES */
	/* 0: not one plain descriptor, go the general way. Laid out for ring_budget_pass(). */
	_Alignas(16) uint32_t bytes[RING_BUDGET_LENS];
	uint8_t *at[BURST_FRAMES];
};

static inline void ring_ahead_entries(const struct ring *ring, unsigned int n,
				      struct ring_ahead *ahead)
{
	const struct vring_desc *desc = ring->desc;
	struct vring_avail *avail = ring->avail;
	const uint16_t next = ring->next_avail, mask = ring->mask;
	uint16_t *ids = ahead->id;

	ahead->n = n;
	for (unsigned int i = 0; i < n; i++) {
		uint16_t id = atomic_load_explicit(
			(_Atomic uint16_t *)&avail->ring[(next + i) & mask], memory_order_relaxed);

		if (__builtin_expect(id > mask, 0)) {
			ahead->n = i;
			break;
		}
		ids[i] = id;
		rte_prefetch0(&desc[id]);
	}
}

/* A frame's header and first bytes span two lines as a rule; those that are to be written are
 * fetched for that, else they would cross twice. */
static inline void ring_ahead_buffers(struct ring *ring, uint16_t write_flag,
				      struct ring_ahead *ahead)
{
	const struct vring_desc *table = ring->desc;
	const uint16_t *ids = ahead->id;
	const unsigned int n = ahead->n;
	struct guest_region region = ring->memory->regions[ring->hint];

	ahead->is_plain = true;
	for (unsigned int i = 0; i < n; i++) {
		struct vring_desc desc = ring_chain_read(&table[ids[i]]);
		uint64_t offset = desc.addr - region.gpa;
		uint8_t *at;

		ahead->bytes[i] = 0;
		if (__builtin_expect(!ring_chain_is_single(&desc, write_flag), 0)) {
			ahead->is_plain = false;
			continue;
		}
		if (__builtin_expect(offset >= region.bytes || desc.len > region.bytes - offset,
				     0)) {
			at = guest_memory_at(ring->memory, desc.addr, desc.len, &ring->hint);
			if (at == NULL) {
				ahead->is_plain = false;
				continue;
			}
			region = ring->memory->regions[ring->hint];
		} else {
			at = region.host + offset;
		}
		ahead->bytes[i] = desc.len;
		ahead->at[i] = at;
		ring_frame_fetch(at, write_flag);
	}
}

/* The part of the used ring that this burst will write. */
static inline void ring_ahead_used(const struct ring *ring, unsigned int n)
{
	const struct vring_used *used = ring->used;

	for (unsigned int i = 0; i < n + 7; i += 8)
		__builtin_prefetch(&used->ring[(ring->next_used + i) & ring->mask], 1);
}

/* Looks at the next n entries, which the guest has made available. */
static inline void ring_ahead(struct ring *ring, unsigned int n, uint16_t write_flag,
			      struct ring_ahead *ahead)
{
	ring_ahead_used(ring, n);
	ring_ahead_entries(ring, n, ahead);
	ring_ahead_buffers(ring, write_flag, ahead);
}
