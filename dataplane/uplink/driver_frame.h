/* SPDX-License-Identifier: BSD-3-Clause */
/* What drivers have in common that own the memory of frames: from it and into it, by a copy of the
 * head or of all. Workers. */
#pragma once

#include <string.h>

#include "dataplane/drop.h"
#include "dataplane/uplink/driver.h"
#include "vxlan/vxlan.h"

/* Takes a frame that lies in one piece, without offloads; its body stays there. Room is the
 * caller's to see to. */
static inline struct frame *driver_frame_take(struct burst *burst, uint8_t *at, uint32_t len)
{
	struct frame *frame = &burst->frames[burst->n++];
	uint32_t head_len = len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES;

	frame->len = len;
	frame->head_len = (uint16_t)head_len;
	frame->out = FRAME_OUT_DROP;
	frame->drop = len < ETH_HLEN ? DROP_RUNT : DROP_NONE;
	frame->n_iov = 0;
	frame->vnet = (struct virtio_net_hdr_mrg_rxbuf){.num_buffers = 1};
	frame_copy(frame->head, at, head_len);
	if (len > head_len) {
		struct iovec *piece = &burst->pieces[burst->n_pieces++];

		*piece = (struct iovec){.iov_base = at + head_len, .iov_len = len - head_len};
		frame->iov = piece;
		frame->n_iov = 1;
	}
	return frame;
}

/* Bytes on the wire. */
static inline uint32_t driver_frame_bytes(const struct port_out *out)
{
	return out->outer_len + out->frame->len;
}

/* Writes driver_frame_bytes(). */
static inline void driver_frame_write(const struct port_out *out, uint8_t *to)
{
	const struct frame *frame = out->frame;

	/* A copy of a known length is a few instructions. */
	if (__builtin_expect(out->outer_len == VXLAN_OVERHEAD_IPV4_BYTES, 1))
		memcpy(to, out->outer, VXLAN_OVERHEAD_IPV4_BYTES);
	else if (out->outer_len != 0)
		frame_copy(to, out->outer, out->outer_len);
	to += out->outer_len;
	frame_copy(to, frame->head, frame->head_len);
	to += frame->head_len;
	for (unsigned int i = 0; i < frame->n_iov; i++) {
		memcpy(to, frame->iov[i].iov_base, frame->iov[i].iov_len);
		to += frame->iov[i].iov_len;
	}
}
