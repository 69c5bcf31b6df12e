/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues of either layout. See frontend_ring.h. Owned by the front-end's thread. */
#include "tests/lib/frontend_ring.h"

int frontend_ring_init(struct frontend_queue *queue, struct frontend_memory *memory,
		       unsigned int size, uint64_t features)
{
	bool event_idx = (features & FRONTEND_BIT(VIRTIO_RING_F_EVENT_IDX)) != 0;

	queue->is_packed = (features & FRONTEND_BIT(VIRTIO_F_RING_PACKED)) != 0;
	if (queue->is_packed)
		return packed_ring_init(&queue->packed, memory, 0, size, event_idx);
	return split_ring_init(&queue->ring, memory, 0, size, event_idx);
}

void frontend_ring_fini(struct frontend_queue *queue)
{
	split_ring_fini(&queue->ring);
	packed_ring_fini(&queue->packed);
}

unsigned int frontend_ring_size(const struct frontend_queue *queue)
{
	return queue->is_packed ? queue->packed.size : queue->ring.size;
}

unsigned int frontend_ring_free(const struct frontend_queue *queue)
{
	return queue->is_packed ? queue->packed.n_free : queue->ring.n_free;
}

uint16_t frontend_ring_next_head(const struct frontend_queue *queue)
{
	return queue->is_packed ? queue->packed.first_free : split_ring_next_head(&queue->ring);
}

int frontend_ring_add(struct frontend_queue *queue, const struct split_ring_piece *pieces,
		      unsigned int n, void *table, uint64_t table_address)
{
	if (queue->is_packed)
		return packed_ring_add(&queue->packed, pieces, n, table, table_address);
	return split_ring_add(&queue->ring, pieces, n, table, table_address);
}

bool frontend_ring_publish(struct frontend_queue *queue)
{
	return queue->is_packed ? packed_ring_publish(&queue->packed)
				: split_ring_publish(&queue->ring);
}

int frontend_ring_take_used(struct frontend_queue *queue, uint16_t *head, uint32_t *n_bytes)
{
	if (queue->is_packed)
		return packed_ring_take_used(&queue->packed, head, n_bytes);
	return split_ring_take_used(&queue->ring, head, n_bytes);
}

void frontend_ring_want_call(struct frontend_queue *queue, bool wanted)
{
	if (queue->is_packed)
		packed_ring_want_call(&queue->packed, wanted);
	else
		split_ring_want_call(&queue->ring, wanted);
}

bool frontend_ring_is_waiting(const struct frontend_queue *queue)
{
	return queue->is_packed ? packed_ring_is_waiting(&queue->packed)
				: split_ring_waiting(&queue->ring) > 0;
}

struct handshake_ring frontend_ring_place(const struct frontend_queue *queue)
{
	const struct packed_ring *packed = &queue->packed;
	const struct split_ring *split = &queue->ring;

	/* Nothing in a packed ring tells where the device stands. */
	if (queue->is_packed)
		return (struct handshake_ring){packed->size,
					       PACKED_RING_WRAP << 16 | PACKED_RING_WRAP,
					       packed->desc, packed->driver, packed->device};
	/* What is behind the used index was not answered: the back-end shall take it (again). */
	return (struct handshake_ring){split->size,
				       __atomic_load_n(&split->used->idx, __ATOMIC_ACQUIRE),
				       split->desc, split->avail, split->used};
}
