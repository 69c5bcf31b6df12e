/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast half of a front-end. See frontend_bulk.h. Owned by the front-end's thread. */
#include "tests/lib/frontend_bulk.h"

#include <errno.h>

#define LINE_BYTES 64u
#define AHEAD 8u /* frames: their lines are asked for this long before they are touched */

static uint64_t stride_of(unsigned int n_bytes)
{
	uint64_t header = sizeof(struct virtio_net_hdr_mrg_rxbuf);
	uint64_t lines = (header + n_bytes + LINE_BYTES - 1) / LINE_BYTES;

	return (lines | 1) * LINE_BYTES;
}

uint64_t frontend_bulk_bytes(unsigned int n_frames, unsigned int n_bytes, unsigned int ring_size)
{
	return (n_frames + ring_size) * stride_of(n_bytes) + 2 * LINE_BYTES;
}

static int take_memory(struct frontend_bulk *b, struct frontend_memory *memory)
{
	uint64_t size = b->rx->ring.size;

	b->frames = frontend_memory_take(memory, 0, b->n_frames * b->frame_stride, LINE_BYTES);
	b->buffers = frontend_memory_take(memory, 0, size * b->buffer_stride, LINE_BYTES);
	if (b->frames == NULL || b->buffers == NULL)
		return -ENOMEM;
	b->frames_address = frontend_memory_address(memory, b->frames);
	return 0;
}

static void fill_rings(struct frontend_bulk *b, const struct frontend_memory *memory,
		       unsigned int n_bytes)
{
	struct split_ring *tx = &b->tx->ring;
	struct split_ring *rx = &b->rx->ring;

	for (unsigned int i = 0; i < tx->size; i++) {
		tx->desc[i] = (struct vring_desc){
			.addr = b->frames_address + i % b->n_frames * b->frame_stride,
			.len = b->header_bytes + n_bytes,
		};
		rx->desc[i] = (struct vring_desc){
			.addr = frontend_memory_address(memory, b->buffers + i * b->buffer_stride),
			.len = b->header_bytes + n_bytes,
			.flags = VRING_DESC_F_WRITE,
		};
		tx->avail->ring[i] = (uint16_t)i;
		rx->avail->ring[i] = (uint16_t)i;
	}
	rx->avail_idx = rx->size;
	if (split_ring_publish(rx))
		frontend_kick(b->rx);
}

int frontend_bulk_init(struct frontend_bulk *b, struct frontend *f, unsigned int pair,
		       const struct frontend_bulk_load *load)
{
	*b = (struct frontend_bulk){
		.rx = &f->rx[pair],
		.tx = &f->tx[pair],
		.touch = load->touch,
		.mergeable = (f->handshake.features & FRONTEND_MERGEABLE) != 0,
		.header_bytes = f->header_bytes,
		.frame_stride = stride_of(load->n_bytes),
		.buffer_stride = stride_of(load->n_bytes),
		.n_frames = load->n_frames,
	};
	if (b->rx->ring.avail_idx != 0 || b->tx->ring.avail_idx != 0)
		return -EBUSY;
	int err = take_memory(b, &f->memory);

	if (err < 0)
		return err;
	for (unsigned int i = 0; i < load->n_frames; i++)
		load->build(load->ctx, i, b->frames + i * b->frame_stride + b->header_bytes);
	fill_rings(b, &f->memory, load->n_bytes);
	return 0;
}

unsigned int frontend_bulk_in_flight(const struct frontend_bulk *b)
{
	const struct split_ring *ring = &b->tx->ring;
	uint16_t used = __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE);

	return (uint16_t)(ring->avail_idx - used);
}

/* Puts a descriptor on the available ring; unwritten if it is there from last time. */
static inline void make_available(struct split_ring *ring, uint16_t id)
{
	uint16_t *slot = &ring->avail->ring[ring->avail_idx & (ring->size - 1)];

	if (*slot != id)
		*slot = id;
	ring->avail_idx++;
}

static inline unsigned char *frame_at(const struct frontend_bulk *b, unsigned int i)
{
	return b->frames + i * b->frame_stride;
}

static inline void send_one(struct frontend_bulk *b, uint16_t id)
{
	struct vring_desc *desc = &b->tx->ring.desc[id];
	uint64_t address = b->frames_address + b->next_frame * b->frame_stride;

	if (desc->addr != address)
		desc->addr = address;
	if (b->touch) {
		unsigned int ahead = b->next_frame + AHEAD;

		__builtin_prefetch(frame_at(b, ahead < b->n_frames ? ahead : 0), 1);
		*(volatile uint16_t *)frame_at(b, b->next_frame) = 0;
	}
	b->next_frame = b->next_frame + 1 == b->n_frames ? 0 : b->next_frame + 1;
	make_available(&b->tx->ring, id);
}

unsigned int frontend_bulk_send(struct frontend_bulk *b, unsigned int n)
{
	struct split_ring *ring = &b->tx->ring;
	unsigned int sent = 0;

	/* First lap: descriptors that were never sent. */
	while (sent < n && b->n_sent + sent < ring->size) {
		send_one(b, (uint16_t)(b->n_sent + sent));
		sent++;
	}
	unsigned int waiting = sent < n ? split_ring_waiting(ring) : 0;

	for (; sent < n && waiting > 0; waiting--) {
		uint32_t id = ring->used->ring[ring->used_idx++ & (ring->size - 1)].id;

		if (id >= ring->size) {
			b->n_bad++;
			continue;
		}
		send_one(b, (uint16_t)id);
		sent++;
	}
	if (sent > 0 && split_ring_publish(ring))
		frontend_kick(b->tx);
	b->n_sent += sent;
	return sent;
}

/* A driver reads the header, and with it the start of the frame. */
static inline void look_at(struct frontend_bulk *b, uint32_t id)
{
	const struct virtio_net_hdr_mrg_rxbuf *header =
		(const void *)(b->buffers + id * b->buffer_stride);

	if (b->mergeable && *(volatile const uint16_t *)&header->num_buffers != 1)
		b->n_bad++;
}

unsigned int frontend_bulk_receive(struct frontend_bulk *b, unsigned int n)
{
	struct split_ring *ring = &b->rx->ring;
	unsigned int mask = ring->size - 1U;
	unsigned int waiting = split_ring_waiting(ring);

	if (waiting > ring->size) {
		b->n_bad++;
		return 0;
	}
	if (n > waiting)
		n = waiting;
	for (unsigned int i = 0; b->touch && i < n; i++) {
		uint32_t id = ring->used->ring[(ring->used_idx + i) & mask].id & mask;

		__builtin_prefetch(b->buffers + id * b->buffer_stride);
	}
	for (unsigned int i = 0; i < n; i++) {
		struct vring_used_elem used = ring->used->ring[ring->used_idx++ & mask];

		if (used.id >= ring->size || used.len < b->header_bytes) {
			b->n_bad++;
			continue;
		}
		if (b->touch)
			look_at(b, used.id);
		b->received_bytes += used.len - b->header_bytes;
		make_available(ring, (uint16_t)used.id);
	}
	if (n > 0 && split_ring_publish(ring))
		frontend_kick(b->rx);
	b->n_received += n;
	return n;
}
