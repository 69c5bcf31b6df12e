/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between a frame and the pieces of guest memory that it comes from or goes to: what both layouts
 * of a ring do alike. Worker threads.
 */
#pragma once

#include <endian.h>
#include <rte_prefetch.h>

#include "dataplane/offload.h"
#include "dataplane/vhost/dirty_log.h"
#include "dataplane/vhost/ring.h"
#include "dataplane/vhost/ring_chain.h"

/* Fetches header and first bytes of a frame, to be written if write_flag is VRING_DESC_F_WRITE.
 * What is only read stays with its sender. Always inline: gcc takes a function that only fetches
 * for one without effect, and leaves out its calls. */
static inline __attribute__((always_inline)) void ring_frame_fetch(const uint8_t *at,
								   uint16_t write_flag)
{
	if (write_flag != 0) {
		__builtin_prefetch(at, 1);
		__builtin_prefetch(at + 64, 1);
	} else {
		rte_prefetch0(at);
		rte_prefetch0(at + 64);
	}
}

static inline void ring_frame_start(struct frame *frame)
{
	frame->out = FRAME_OUT_DROP;
	frame->drop = DROP_NONE;
}

/* The header of a frame that leaves nothing to its receiver: whatever else its sender wrote there
 * means nothing. */
static inline void ring_frame_set_plain(struct frame *frame)
{
	memset(&frame->vnet, 0, sizeof(frame->vnet));
	frame->vnet.num_buffers = htole16(1);
}

/* One that cannot be read; it is counted all the same. */
static inline void ring_frame_fail(struct frame *frame, enum drop_reason reason)
{
	ring_frame_set_plain(frame);
	frame->len = 0;
	frame->head_len = frame->n_iov = 0;
	frame->drop = (uint8_t)reason;
}

/* Does the header in guest memory ask for anything? One look at flags and GSO type together: who
 * finds none does not look again. */
static inline bool ring_frame_asks(const uint8_t *header)
{
	const volatile struct {
		uint16_t flags_and_type;
	} __attribute__((packed)) *first = (const volatile void *)header;

	_Static_assert(offsetof(struct virtio_net_hdr, gso_type) == 1, "both in two bytes");
	return first->flags_and_type != 0;
}

/* When header and head are private. */
static inline void ring_frame_check_offload(const struct ring *ring, struct frame *frame)
{
	if (!offload_check(frame, ring->caps))
		frame->drop = DROP_BAD_OFFLOAD;
}

/* A frame's header and first bytes from one buffer that holds all of it: the usual case. bytes: at
 * least the header, at most FRAME_BYTES_MAX more. */
static inline void ring_frame_from_buffer(struct ring *ring, struct burst *burst,
					  struct frame *frame, const uint8_t *at, uint32_t bytes)
{
	uint32_t len = bytes - ring->header_bytes;
	const uint8_t *from = at + ring->header_bytes;

	frame->len = len;
	if (__builtin_expect(len <= FRAME_HEAD_BYTES, 1)) {
		frame->head_len = (uint16_t)len;
		frame->n_iov = 0;
		frame_copy(frame->head, from, len);
	} else {
		frame->head_len = FRAME_HEAD_BYTES;
		frame->n_iov = 1;
		memcpy(frame->head, from, FRAME_HEAD_BYTES);
		/* The guest's memory is read-only by intent: nobody writes through a frame's
		 * pieces. */
		burst->pieces[burst->n_pieces] = (struct iovec){
			.iov_base = (void *)(uintptr_t)(from + FRAME_HEAD_BYTES),
			.iov_len = len - FRAME_HEAD_BYTES,
		};
		frame->iov = &burst->pieces[burst->n_pieces++];
	}
	if (__builtin_expect(!ring_frame_asks(at), 1)) {
		ring_frame_set_plain(frame);
	} else {
		memcpy(&frame->vnet.hdr, at, sizeof(frame->vnet.hdr));
		ring_frame_check_offload(ring, frame);
	}
}

/* The same from n pieces, the next of the burst's, with `total` bytes. */
static inline void ring_frame_from_pieces(struct ring *ring, struct burst *burst,
					  struct frame *frame, unsigned int n, uint64_t total)
{
	struct iovec *pieces = &burst->pieces[burst->n_pieces];

	if (total < ring->header_bytes) {
		ring_frame_fail(frame, DROP_RUNT);
		return;
	}
	if (total - ring->header_bytes > FRAME_BYTES_MAX) {
		ring_frame_fail(frame, DROP_OVERSIZE);
		return;
	}
	frame->len = (uint32_t)(total - ring->header_bytes);
	ring_chain_pull(&pieces, &n, (uint8_t *)&frame->vnet, ring->header_bytes);
	frame->head_len = (uint16_t)ring_chain_pull(&pieces, &n, frame->head, FRAME_HEAD_BYTES);
	frame->iov = pieces;
	frame->n_iov = (uint16_t)n;
	burst->n_pieces = (unsigned int)(pieces + n - burst->pieces);
	ring_frame_check_offload(ring, frame);
}

/* The one place where frame bytes go into guest memory. */
static inline void ring_frame_write(uint8_t *to, const void *from, size_t bytes)
{
	if (bytes <= sizeof(struct virtio_net_hdr_mrg_rxbuf) + FRAME_HEAD_BYTES)
		frame_copy(to, from, bytes);
	else
		memcpy(to, from, bytes);
}

/* Header and frame into one buffer that is large enough, while nobody logs what is written. */
static inline void ring_frame_to_buffer(struct ring *ring, const struct frame *frame, uint8_t *at)
{
	/* Two copies: where the guest has put the frame's first byte on a boundary, as it is in
	 * `head`, the second of them crosses no line. */
	if (ring->header_bytes == sizeof(frame->vnet))
		memcpy(at, &frame->vnet, sizeof(frame->vnet));
	else
		memcpy(at, &frame->vnet.hdr, sizeof(frame->vnet.hdr));
	at += ring->header_bytes;
	frame_copy(at, frame->head, frame->head_len);
	at += frame->head_len;
	for (unsigned int i = 0; i < frame->n_iov; i++) {
		ring_frame_write(at, frame->iov[i].iov_base, frame->iov[i].iov_len);
		at += frame->iov[i].iov_len;
	}
}

/* The same for a frame that is all head, with the header of 12 bytes: most are. */
static inline void ring_frame_head_to_buffer(const struct frame *frame, uint8_t *at)
{
	memcpy(at, &frame->vnet, sizeof(frame->vnet));
	frame_copy(at + sizeof(frame->vnet), frame->head, frame->head_len);
}

/* Copies `bytes` from `from` to where the cursor (piece, offset) stands, and moves it on. */
static inline void ring_frame_scatter(const struct ring *ring, struct iovec **to, const void *from,
				      size_t bytes)
{
	const uint8_t *at = from;

	while (bytes != 0) {
		size_t part = (*to)->iov_len < bytes ? (*to)->iov_len : bytes;

		ring_frame_write((*to)->iov_base, at, part);
		dirty_log_mark(ring->memory, (*to)->iov_base, part);
		(*to)->iov_base = (uint8_t *)(*to)->iov_base + part;
		(*to)->iov_len -= part;
		if ((*to)->iov_len == 0)
			(*to)++;
		at += part;
		bytes -= part;
	}
}

/* Header and frame over pieces that have room for them. n_buffers: chains that they come from. */
static inline void ring_frame_to_pieces(struct ring *ring, const struct frame *frame,
					struct iovec *to, uint16_t n_buffers)
{
	struct virtio_net_hdr_mrg_rxbuf vnet = frame->vnet;

	vnet.num_buffers = htole16(n_buffers);
	ring_frame_scatter(ring, &to, &vnet, ring->header_bytes);
	ring_frame_scatter(ring, &to, frame->head, frame->head_len);
	for (unsigned int i = 0; i < frame->n_iov; i++)
		ring_frame_scatter(ring, &to, frame->iov[i].iov_base, frame->iov[i].iov_len);
}
