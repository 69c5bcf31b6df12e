/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's side of a packed virtqueue. See packed_ring.h. Owned by one thread. */
#include "tests/lib/packed_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED (1u << VRING_PACKED_DESC_F_USED)

int packed_ring_init(struct packed_ring *ring, struct frontend_memory *memory, unsigned int region,
		     unsigned int size, bool event_idx)
{
	if (size == 0 || size > SPLIT_RING_MAX)
		return -EINVAL;
	*ring = (struct packed_ring){.size = (uint16_t)size, .event_idx = event_idx};
	ring->desc = frontend_memory_take(memory, region, sizeof(*ring->desc) * size, 64);
	ring->driver = frontend_memory_take(memory, region, sizeof(*ring->driver), 64);
	ring->device = frontend_memory_take(memory, region, sizeof(*ring->device), 64);
	ring->id_next = calloc(size, sizeof(*ring->id_next));
	ring->chain_length = calloc(size, sizeof(*ring->chain_length));
	if (ring->desc == NULL || ring->driver == NULL || ring->device == NULL ||
	    ring->id_next == NULL || ring->chain_length == NULL) {
		packed_ring_fini(ring);
		return -ENOMEM;
	}
	packed_ring_reset(ring);
	return 0;
}

void packed_ring_reset(struct packed_ring *ring)
{
	memset(ring->desc, 0, sizeof(*ring->desc) * ring->size);
	memset(ring->driver, 0, sizeof(*ring->driver));
	memset(ring->device, 0, sizeof(*ring->device));
	memset(ring->chain_length, 0, sizeof(*ring->chain_length) * ring->size);
	ring->avail = ring->kicked = ring->used = PACKED_RING_WRAP;
	ring->n_free = ring->size;
	ring->first_free = 0;
	ring->is_held = false;
	for (unsigned int i = 0; i < ring->size; i++)
		ring->id_next[i] = (uint16_t)(i + 1);
	packed_ring_want_call(ring, false);
}

void packed_ring_fini(struct packed_ring *ring)
{
	free(ring->id_next);
	free(ring->chain_length);
	ring->id_next = NULL;
	ring->chain_length = NULL;
}

struct vring_packed_desc *packed_ring_slot(const struct packed_ring *ring, uint16_t position)
{
	return &ring->desc[position & ~PACKED_RING_WRAP];
}

uint16_t packed_ring_step(const struct packed_ring *ring, uint16_t position, unsigned int n)
{
	unsigned int slot = (position & ~PACKED_RING_WRAP) + n;
	unsigned int wrap = position & PACKED_RING_WRAP;

	if (slot >= ring->size)
		return (uint16_t)((slot - ring->size) | (wrap ^ PACKED_RING_WRAP));
	return (uint16_t)(slot | wrap);
}

static void write_flags(struct vring_packed_desc *desc, uint16_t flags)
{
	__atomic_store_n(&desc->flags, flags, __ATOMIC_RELEASE);
}

/* One slot; the first that was not published yet becomes available only with packed_ring_publish.
 */
static void fill(struct packed_ring *ring, uint16_t position, uint64_t address, uint32_t n_bytes,
		 uint16_t id, unsigned int flags)
{
	struct vring_packed_desc *desc = packed_ring_slot(ring, position);

	desc->addr = address;
	desc->len = n_bytes;
	desc->id = id;
	flags |= (position & PACKED_RING_WRAP) != 0 ? AVAIL : USED;
	if (ring->is_held) {
		write_flags(desc, (uint16_t)flags);
		return;
	}
	ring->is_held = true;
	ring->held = position;
	ring->held_flags = (uint16_t)flags;
}

int packed_ring_add(struct packed_ring *ring, const struct split_ring_piece *pieces, unsigned int n,
		    struct vring_packed_desc *table, uint64_t table_address)
{
	unsigned int n_slots = table != NULL ? 1 : n;
	uint16_t id = ring->first_free;

	if (n_slots == 0 || n_slots > ring->n_free)
		return -ENOSPC;
	for (unsigned int i = 0; table != NULL && i < n; i++)
		table[i] = (struct vring_packed_desc){
			.addr = pieces[i].address,
			.len = pieces[i].n_bytes,
			.flags = pieces[i].device_writes ? VRING_DESC_F_WRITE : 0,
		};
	if (table != NULL)
		fill(ring, ring->avail, table_address, (uint32_t)(n * sizeof(*table)), id,
		     VRING_DESC_F_INDIRECT);
	for (unsigned int i = 0; table == NULL && i < n; i++)
		fill(ring, packed_ring_step(ring, ring->avail, i), pieces[i].address,
		     pieces[i].n_bytes, id,
		     (pieces[i].device_writes ? VRING_DESC_F_WRITE : 0u) |
			     (i + 1 < n ? VRING_DESC_F_NEXT : 0u));
	ring->first_free = ring->id_next[id];
	ring->chain_length[id] = (uint16_t)n_slots;
	ring->n_free = (uint16_t)(ring->n_free - n_slots);
	ring->avail = packed_ring_step(ring, ring->avail, n_slots);
	return id;
}

void packed_ring_put(struct packed_ring *ring, const struct split_ring_piece *piece, uint16_t id)
{
	fill(ring, ring->avail, piece->address, piece->n_bytes, id,
	     piece->device_writes ? VRING_DESC_F_WRITE : 0);
	ring->avail = packed_ring_step(ring, ring->avail, 1);
}

bool packed_ring_publish(struct packed_ring *ring)
{
	uint16_t old = ring->kicked & (uint16_t)~PACKED_RING_WRAP;
	uint16_t new = ring->avail &(uint16_t)~PACKED_RING_WRAP;

	if (!ring->is_held)
		return false;
	write_flags(packed_ring_slot(ring, ring->held), ring->held_flags);
	ring->is_held = false;
	/* The device sets its wish, then looks at the ring; we fill the ring, then look at that. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ring->kicked = ring->avail;
	uint16_t flags = __atomic_load_n(&ring->device->flags, __ATOMIC_RELAXED);

	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	uint16_t wish = __atomic_load_n(&ring->device->off_wrap, __ATOMIC_RELAXED);
	uint16_t event = wish & (uint16_t)~PACKED_RING_WRAP;

	if (new <= old)
		old = (uint16_t)(old - ring->size);
	if (((wish ^ ring->avail) & PACKED_RING_WRAP) != 0)
		event = (uint16_t)(event - ring->size);
	return vring_need_event(event, new, old);
}

bool packed_ring_is_used(const struct packed_ring *ring, uint16_t position)
{
	uint16_t flags =
		__atomic_load_n(&packed_ring_slot(ring, position)->flags, __ATOMIC_ACQUIRE);
	unsigned int both = (position & PACKED_RING_WRAP) != 0 ? AVAIL | USED : 0;

	return (flags & (AVAIL | USED)) == both;
}

bool packed_ring_is_waiting(const struct packed_ring *ring)
{
	return ring->n_free < ring->size && packed_ring_is_used(ring, ring->used);
}

int packed_ring_take_used(struct packed_ring *ring, uint16_t *id, uint32_t *n_bytes)
{
	const struct vring_packed_desc *desc = packed_ring_slot(ring, ring->used);

	if (!packed_ring_is_waiting(ring))
		return -EAGAIN;
	*id = desc->id;
	*n_bytes = desc->len;
	if (*id >= ring->size || ring->chain_length[*id] == 0)
		return -EPROTO;
	ring->used = packed_ring_step(ring, ring->used, ring->chain_length[*id]);
	ring->n_free = (uint16_t)(ring->n_free + ring->chain_length[*id]);
	ring->chain_length[*id] = 0;
	ring->id_next[*id] = ring->first_free;
	ring->first_free = *id;
	return 0;
}

void packed_ring_want_call(struct packed_ring *ring, bool wanted)
{
	uint16_t flags = VRING_PACKED_EVENT_FLAG_DISABLE;

	if (wanted)
		flags = ring->event_idx ? VRING_PACKED_EVENT_FLAG_DESC
					: VRING_PACKED_EVENT_FLAG_ENABLE;
	ring->driver->off_wrap = ring->used;
	__atomic_store_n(&ring->driver->flags, flags, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
