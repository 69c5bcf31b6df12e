/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's side of a split virtqueue. See split_ring.h. Owned by one thread. */
#include "tests/lib/split_ring.h"

#include <errno.h>
#include <stdlib.h>

int split_ring_init(struct split_ring *ring, struct frontend_memory *memory, unsigned int region,
		    unsigned int size, bool event_idx)
{
	if (size == 0 || size > SPLIT_RING_MAX || (size & (size - 1)) != 0)
		return -EINVAL;
	*ring = (struct split_ring){
		.size = (uint16_t)size, .n_free = (uint16_t)size, .event_idx = event_idx};
	/* Flags and index, the ring, and the event word that follows it. */
	uint64_t avail_bytes = sizeof(uint16_t) * (3 + (uint64_t)size);
	uint64_t used_bytes = sizeof(uint16_t) * 3 + sizeof(struct vring_used_elem) * size;

	ring->desc = frontend_memory_take(memory, region, sizeof(struct vring_desc) * size, 64);
	ring->avail = frontend_memory_take(memory, region, avail_bytes, 64);
	ring->used = frontend_memory_take(memory, region, used_bytes, 64);
	ring->chain_next = calloc(size, sizeof(*ring->chain_next));
	ring->chain_length = calloc(size, sizeof(*ring->chain_length));
	if (ring->desc == NULL || ring->avail == NULL || ring->used == NULL ||
	    ring->chain_next == NULL || ring->chain_length == NULL) {
		split_ring_fini(ring);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < size; i++)
		ring->chain_next[i] = (uint16_t)(i + 1);
	split_ring_want_call(ring, false);
	return 0;
}

void split_ring_fini(struct split_ring *ring)
{
	free(ring->chain_next);
	free(ring->chain_length);
	ring->chain_next = NULL;
	ring->chain_length = NULL;
}

static void fill(struct vring_desc *desc, const struct split_ring_piece *piece, bool more,
		 uint16_t next)
{
	*desc = (struct vring_desc){
		.addr = piece->address,
		.len = piece->n_bytes,
		.flags = (uint16_t)((piece->device_writes ? VRING_DESC_F_WRITE : 0) |
				    (more ? VRING_DESC_F_NEXT : 0)),
		.next = more ? next : 0,
	};
}

static void make_available(struct split_ring *ring, uint16_t head, uint16_t n_desc)
{
	uint16_t *slot = &ring->avail->ring[ring->avail_idx & (ring->size - 1)];

	ring->chain_length[head] = n_desc;
	ring->n_free = (uint16_t)(ring->n_free - n_desc);
	/* Chains often come back to the same slot: not writing keeps the line shared. */
	if (*slot != head)
		*slot = head;
	ring->avail_idx++;
}

static int add_indirect(struct split_ring *ring, const struct split_ring_piece *pieces,
			unsigned int n, struct vring_desc *table, uint64_t table_address)
{
	uint16_t head = ring->first_free;

	if (ring->n_free == 0)
		return -ENOSPC;
	for (unsigned int i = 0; i < n; i++)
		fill(&table[i], &pieces[i], i + 1 < n, (uint16_t)(i + 1));
	ring->desc[head] = (struct vring_desc){
		.addr = table_address,
		.len = (uint32_t)(n * sizeof(struct vring_desc)),
		.flags = VRING_DESC_F_INDIRECT,
	};
	ring->first_free = ring->chain_next[head];
	make_available(ring, head, 1);
	return head;
}

int split_ring_add(struct split_ring *ring, const struct split_ring_piece *pieces, unsigned int n,
		   struct vring_desc *table, uint64_t table_address)
{
	uint16_t head = ring->first_free;
	uint16_t index = head;

	if (table != NULL)
		return add_indirect(ring, pieces, n, table, table_address);
	if (n == 0 || n > ring->n_free)
		return -ENOSPC;
	for (unsigned int i = 0; i < n; i++) {
		uint16_t next = ring->chain_next[index];

		fill(&ring->desc[index], &pieces[i], i + 1 < n, next);
		ring->first_free = next;
		index = next;
	}
	make_available(ring, head, (uint16_t)n);
	return head;
}

bool split_ring_publish(struct split_ring *ring)
{
	uint16_t from = ring->kicked_idx;

	__atomic_store_n(&ring->avail->idx, ring->avail_idx, __ATOMIC_RELEASE);
	/* The device sets its wish, then looks at idx; we set idx, then look at its wish. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ring->kicked_idx = ring->avail_idx;
	if (from == ring->avail_idx)
		return false;
	if (!ring->event_idx)
		return (__atomic_load_n(&ring->used->flags, __ATOMIC_RELAXED) &
			VRING_USED_F_NO_NOTIFY) == 0;
	uint16_t event =
		__atomic_load_n((uint16_t *)&ring->used->ring[ring->size], __ATOMIC_RELAXED);

	return vring_need_event(event, ring->avail_idx, from);
}

unsigned int split_ring_waiting(const struct split_ring *ring)
{
	uint16_t idx = __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE);

	return (uint16_t)(idx - ring->used_idx);
}

static void release(struct split_ring *ring, uint16_t head)
{
	uint16_t n = ring->chain_length[head];
	uint16_t last = head;

	for (uint16_t i = 1; i < n; i++)
		last = ring->chain_next[last];
	ring->chain_length[head] = 0;
	ring->chain_next[last] = ring->first_free;
	ring->first_free = head;
	ring->n_free = (uint16_t)(ring->n_free + n);
}

int split_ring_take_used(struct split_ring *ring, uint16_t *head, uint32_t *n_bytes)
{
	unsigned int waiting = split_ring_waiting(ring);

	if (waiting == 0)
		return -EAGAIN;
	const struct vring_used_elem *entry = &ring->used->ring[ring->used_idx & (ring->size - 1)];
	uint32_t id = entry->id;

	if (waiting > ring->size || id >= ring->size || ring->chain_length[id] == 0)
		return -EPROTO;
	*head = (uint16_t)id;
	*n_bytes = entry->len;
	ring->used_idx++;
	release(ring, *head);
	return 0;
}

void split_ring_want_call(struct split_ring *ring, bool wanted)
{
	if (ring->event_idx) {
		uint16_t *used_event = &ring->avail->ring[ring->size];
		/* Half the index space away: not reached before the next call of this. */
		uint16_t event = (uint16_t)(ring->used_idx + (wanted ? 0 : 0x8000));

		__atomic_store_n(used_event, event, __ATOMIC_RELAXED);
	} else {
		uint16_t flags = wanted ? 0 : VRING_AVAIL_F_NO_INTERRUPT;

		__atomic_store_n(&ring->avail->flags, flags, __ATOMIC_RELAXED);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
