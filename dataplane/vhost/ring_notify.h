/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two small areas that guest and device share: available ring and used ring, and who wants to
 * be told of what. Every access to them is here, with the ordering that VIRTIO 1.2 section 2.7 asks
 * for. Every write to guest memory by the ring is here, in ring_frame.h or in
 * ring_packed.c, and marked in the log of dirty pages.
 */
#pragma once

#include <endian.h>
#include <stdatomic.h>

#include "dataplane/vhost/dirty_log.h"
#include "dataplane/vhost/ring.h"

static inline uint16_t ring_notify_avail(const struct ring *ring)
{
	return atomic_load_explicit((_Atomic uint16_t *)&ring->avail->idx, memory_order_acquire);
}

static inline uint16_t ring_notify_entry(const struct ring *ring, uint16_t index)
{
	return atomic_load_explicit((_Atomic uint16_t *)&ring->avail->ring[index & ring->mask],
				    memory_order_relaxed);
}

static inline bool ring_notify_is_broken(const struct ring *ring)
{
	return atomic_load_explicit(&ring->broken, memory_order_relaxed) != NULL;
}

static inline void ring_notify_break(struct ring *ring, struct burst *burst, const char *why)
{
	atomic_store_explicit(&ring->broken, why, memory_order_release);
	burst->attention = true;
}

/* After a write to the used ring: a page or two, so nobody counts entries. */
static inline void ring_notify_log(const struct ring *ring)
{
	dirty_log_mark(ring->memory, ring->used,
		       sizeof(struct vring_used) + ring->size * sizeof(struct vring_used_elem) +
			       sizeof(uint16_t));
}

static inline void ring_notify_write(struct vring_used_elem *to, uint16_t id, uint32_t len)
{
	*to = (struct vring_used_elem){.id = id, .len = len};
}

static inline void ring_notify_use(struct ring *ring, uint16_t index, uint16_t id, uint32_t len)
{
	ring_notify_write(&ring->used->ring[index & ring->mask], id, len);
}

/* Index at which the guest wants the next call; lies behind the available ring. */
static inline uint16_t ring_notify_used_event(const struct ring *ring)
{
	return atomic_load_explicit((_Atomic uint16_t *)&ring->avail->ring[ring->size],
				    memory_order_relaxed);
}

/* Index at which we want the next kick; lies behind the used ring. */
static inline void ring_notify_avail_event(struct ring *ring, uint16_t index)
{
	atomic_store_explicit((_Atomic uint16_t *)&ring->used->ring[ring->size], index,
			      memory_order_relaxed);
	ring_notify_log(ring);
}

static inline void ring_notify_flags(struct ring *ring, uint16_t flags)
{
	atomic_store_explicit((_Atomic uint16_t *)&ring->used->flags, flags, memory_order_relaxed);
	ring_notify_log(ring);
}

/* Makes `n` more used entries visible. true: the guest wants to be called. */
static inline bool ring_notify_publish(struct ring *ring, unsigned int n)
{
	uint16_t before = ring->called_used;

	if (n == 0)
		return false;
	ring->next_used = (uint16_t)(ring->next_used + n);
	ring->called_used = ring->next_used;
	atomic_store_explicit((_Atomic uint16_t *)&ring->used->idx, ring->next_used,
			      memory_order_release);
	ring_notify_log(ring);
	/* The guest sets its wish and looks again; we publish and look at its wish. */
	atomic_thread_fence(memory_order_seq_cst);
	if (ring->has_event_idx)
		return vring_need_event(ring_notify_used_event(ring), ring->next_used, before);
	return (atomic_load_explicit((_Atomic uint16_t *)&ring->avail->flags,
				     memory_order_relaxed) &
		VRING_AVAIL_F_NO_INTERRUPT) == 0;
}
