/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast half of a front-end. See frontend_bulk.h. Owned by the front-end's thread. */
#include "tests/lib/frontend_bulk.h"

#include <errno.h>

#include "tests/lib/frontend_ring.h"

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
	uint64_t size = frontend_ring_size(b->rx);

	b->frames = frontend_memory_take(memory, 0, b->load.n_frames * b->frame_stride, LINE_BYTES);
	b->buffers = frontend_memory_take(memory, 0, size * b->buffer_stride, LINE_BYTES);
	if (b->frames == NULL || b->buffers == NULL)
		return -ENOMEM;
	b->frames_address = frontend_memory_address(memory, b->frames);
	b->buffers_address = frontend_memory_address(memory, b->buffers);
	return 0;
}

static void fill_split(struct frontend_bulk *b)
{
	struct split_ring *tx = &b->tx->ring;
	struct split_ring *rx = &b->rx->ring;
	uint32_t n_bytes = b->header_bytes + b->load.n_bytes;

	for (unsigned int i = 0; i < tx->size; i++) {
		uint64_t frame = i % b->load.n_frames;

		tx->desc[i] = (struct vring_desc){
			.addr = b->frames_address + frame * b->frame_stride,
			.len = n_bytes,
		};
		rx->desc[i] = (struct vring_desc){
			.addr = b->buffers_address + i * b->buffer_stride,
			.len = n_bytes,
			.flags = VRING_DESC_F_WRITE,
		};
		tx->avail->ring[i] = (uint16_t)i;
		rx->avail->ring[i] = (uint16_t)i;
	}
	rx->avail_idx = rx->size;
}

static inline void post_packed(struct frontend_bulk *b, uint16_t id)
{
	packed_ring_put(&b->rx->packed,
			&(struct split_ring_piece){
				.address = b->buffers_address + id * b->buffer_stride,
				.n_bytes = b->header_bytes + b->load.n_bytes,
				.device_writes = true,
			},
			id);
}

static void fill_packed(struct frontend_bulk *b)
{
	for (unsigned int i = 0; i < b->rx->packed.size; i++)
		post_packed(b, (uint16_t)i);
	b->rx->packed.n_free = 0;
}

static bool is_used(const struct frontend_queue *queue)
{
	return queue->is_packed ? queue->packed.avail != PACKED_RING_WRAP
				: queue->ring.avail_idx != 0;
}

int frontend_bulk_init(struct frontend_bulk *b, struct frontend *f, unsigned int pair,
		       const struct frontend_bulk_load *load)
{
	*b = (struct frontend_bulk){
		.rx = &f->rx[pair],
		.tx = &f->tx[pair],
		.load = *load,
		.mergeable = (f->handshake.features & FRONTEND_MERGEABLE) != 0,
		.header_bytes = f->header_bytes,
		.frame_stride = stride_of(load->n_bytes),
		.buffer_stride = stride_of(load->n_bytes),
	};
	if (is_used(b->rx) || is_used(b->tx))
		return -EBUSY;
	int err = take_memory(b, &f->memory);

	if (err < 0)
		return err;
	for (unsigned int i = 0; i < load->n_frames; i++)
		load->build(load->ctx, i, b->frames + i * b->frame_stride + b->header_bytes);
	if (b->rx->is_packed)
		fill_packed(b);
	else
		fill_split(b);
	if (frontend_ring_publish(b->rx))
		frontend_kick(b->rx);
	return 0;
}

/* Used slots of a packed ring, `most` are looked at. */
static unsigned int packed_waiting(const struct packed_ring *ring, unsigned int most)
{
	unsigned int n = 0;

	if (most > (unsigned int)ring->size - ring->n_free)
		most = (unsigned int)ring->size - ring->n_free;
	while (n < most && packed_ring_is_used(ring, packed_ring_step(ring, ring->used, n)))
		n++;
	return n;
}

unsigned int frontend_bulk_in_flight(const struct frontend_bulk *b)
{
	const struct split_ring *ring = &b->tx->ring;
	const struct packed_ring *packed = &b->tx->packed;

	if (b->tx->is_packed)
		return (unsigned int)packed->size - packed->n_free -
		       packed_waiting(packed, packed->size);
	return (uint16_t)(ring->avail_idx - __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE));
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

/* Makes the next frame ready, and says where it lies. */
static inline struct split_ring_piece next_frame(struct frontend_bulk *b)
{
	const struct frontend_bulk_load *load = &b->load;
	unsigned int i = b->next_frame;
	uint32_t n_bytes = b->header_bytes + load->n_bytes;

	if (load->sizes != NULL) {
		n_bytes = b->header_bytes + load->sizes[b->next_size];
		b->next_size = b->next_size + 1 == load->n_sizes ? 0 : b->next_size + 1;
	}
	if (load->touch) {
		unsigned int ahead = i + AHEAD;

		__builtin_prefetch(frame_at(b, ahead < load->n_frames ? ahead : 0), 1);
		*(volatile uint16_t *)frame_at(b, i) = 0;
	}
	if (load->sending != NULL)
		load->sending(load->ctx, frame_at(b, i) + b->header_bytes);
	b->next_frame = i + 1 == load->n_frames ? 0 : i + 1;
	return (struct split_ring_piece){
		.address = b->frames_address + i * b->frame_stride,
		.n_bytes = n_bytes,
	};
}

static inline void send_split(struct frontend_bulk *b, uint16_t id)
{
	struct vring_desc *desc = &b->tx->ring.desc[id];
	struct split_ring_piece piece = next_frame(b);

	if (desc->addr != piece.address)
		desc->addr = piece.address;
	if (desc->len != piece.n_bytes)
		desc->len = piece.n_bytes;
	make_available(&b->tx->ring, id);
}

static unsigned int send_all_split(struct frontend_bulk *b, unsigned int n)
{
	struct split_ring *ring = &b->tx->ring;
	unsigned int sent = 0;

	/* First lap: descriptors that were never sent. */
	while (sent < n && b->n_sent + sent < ring->size) {
		send_split(b, (uint16_t)(b->n_sent + sent));
		sent++;
	}
	unsigned int waiting = sent < n ? split_ring_waiting(ring) : 0;

	for (; sent < n && waiting > 0; waiting--) {
		uint32_t id = ring->used->ring[ring->used_idx++ & (ring->size - 1)].id;

		if (id >= ring->size) {
			b->n_bad++;
			continue;
		}
		send_split(b, (uint16_t)id);
		sent++;
	}
	return sent;
}

static inline void send_packed(struct frontend_bulk *b, uint16_t id)
{
	struct split_ring_piece piece = next_frame(b);

	packed_ring_put(&b->tx->packed, &piece, id);
}

/* The id of a used slot, which is free then. */
static inline uint16_t take_packed(struct packed_ring *ring, uint32_t *n_bytes)
{
	const struct vring_packed_desc *desc = packed_ring_slot(ring, ring->used);
	uint16_t id = desc->id;

	*n_bytes = desc->len;
	ring->used = packed_ring_step(ring, ring->used, 1);
	return id;
}

static unsigned int send_all_packed(struct frontend_bulk *b, unsigned int n)
{
	struct packed_ring *ring = &b->tx->packed;
	unsigned int sent = 0;
	uint32_t n_bytes;

	for (; sent < n && ring->n_free > 0; ring->n_free--) {
		send_packed(b, (uint16_t)(ring->size - ring->n_free));
		sent++;
	}
	for (unsigned int waiting = packed_waiting(ring, n - sent); waiting > 0; waiting--) {
		uint16_t id = take_packed(ring, &n_bytes);

		if (id >= ring->size)
			b->n_bad++;
		send_packed(b, id);
		sent++;
	}
	return sent;
}

unsigned int frontend_bulk_send(struct frontend_bulk *b, unsigned int n)
{
	unsigned int sent = b->tx->is_packed ? send_all_packed(b, n) : send_all_split(b, n);

	if (sent > 0 && frontend_ring_publish(b->tx))
		frontend_kick(b->tx);
	b->n_sent += sent;
	return sent;
}

/* A driver reads the header, and with it the start of the frame. */
static inline void look_at(struct frontend_bulk *b, uint32_t id, uint32_t n_bytes)
{
	const unsigned char *buffer = b->buffers + id * b->buffer_stride;
	const struct virtio_net_hdr_mrg_rxbuf *header = (const void *)buffer;

	if (b->mergeable && *(volatile const uint16_t *)&header->num_buffers != 1)
		b->n_bad++;
	if (b->load.arrived != NULL)
		b->load.arrived(b->load.ctx, buffer + b->header_bytes, n_bytes);
}

/* Counts what came in a buffer. false: it cannot be. */
static inline bool note_buffer(struct frontend_bulk *b, uint32_t id, uint32_t used_bytes,
			       unsigned int size)
{
	if (id >= size || used_bytes < b->header_bytes) {
		b->n_bad++;
		return false;
	}
	if (b->load.touch)
		look_at(b, id, used_bytes - b->header_bytes);
	b->received_bytes += used_bytes - b->header_bytes;
	return true;
}

static unsigned int receive_split(struct frontend_bulk *b, unsigned int n)
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
	for (unsigned int i = 0; b->load.touch && i < n; i++) {
		uint32_t id = ring->used->ring[(ring->used_idx + i) & mask].id & mask;

		__builtin_prefetch(b->buffers + id * b->buffer_stride);
	}
	for (unsigned int i = 0; i < n; i++) {
		struct vring_used_elem used = ring->used->ring[ring->used_idx++ & mask];

		if (note_buffer(b, used.id, used.len, ring->size))
			make_available(ring, (uint16_t)used.id);
	}
	return n;
}

static unsigned int receive_packed(struct frontend_bulk *b, unsigned int n)
{
	struct packed_ring *ring = &b->rx->packed;
	uint32_t n_bytes;

	n = packed_waiting(ring, n);
	for (unsigned int i = 0; b->load.touch && i < n; i++) {
		const struct vring_packed_desc *desc =
			packed_ring_slot(ring, packed_ring_step(ring, ring->used, i));

		__builtin_prefetch(b->buffers + desc->id % ring->size * b->buffer_stride);
	}
	for (unsigned int i = 0; i < n; i++) {
		uint16_t id = take_packed(ring, &n_bytes);

		if (note_buffer(b, id, n_bytes, ring->size))
			post_packed(b, id);
	}
	return n;
}

unsigned int frontend_bulk_receive(struct frontend_bulk *b, unsigned int n)
{
	n = b->rx->is_packed ? receive_packed(b, n) : receive_split(b, n);
	if (n > 0 && frontend_ring_publish(b->rx))
		frontend_kick(b->rx);
	b->n_received += n;
	return n;
}
