/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What frames cost a channel, and how long they waited for it. A large TCP frame costs what the
 * frames take that it stands for, wherever it is cut: so a rate means the same for guests that send
 * such frames and for those that do not. Pure; workers.
 */
#pragma once

#include <endian.h>

#include "dataplane/api/counters.h"
#include "dataplane/frame.h"

#define ACCOUNT_TCP_HEADER_MIN 20
#define ACCOUNT_TCP_DATA_OFFSET 12

/* Bytes of the headers that each piece of a large TCP frame has; its vnet header was checked. */
static inline uint32_t account_header_bytes(const struct frame *frame)
{
	uint32_t tcp = le16toh(frame->vnet.hdr.csum_start);

	if (tcp + ACCOUNT_TCP_DATA_OFFSET >= frame->head_len)
		return tcp + ACCOUNT_TCP_HEADER_MIN;
	return tcp + (frame->head[tcp + ACCOUNT_TCP_DATA_OFFSET] >> 4) * 4u;
}

/* Frames that it is cut to, sooner or later. */
static inline uint32_t account_pieces(const struct frame *frame)
{
	uint32_t piece_bytes = le16toh(frame->vnet.hdr.gso_size);

	if (frame->vnet.hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE || piece_bytes == 0)
		return 1;
	uint32_t header_bytes = account_header_bytes(frame);

	return header_bytes >= frame->len
		       ? 1
		       : (frame->len - header_bytes + piece_bytes - 1) / piece_bytes;
}

/* Bytes that one frame costs; extra_bytes: of each frame on a wire, beside its own. */
static inline uint64_t account_frame(const struct frame *frame, uint32_t extra_bytes)
{
	uint64_t n_pieces = account_pieces(frame);

	if (n_pieces == 1)
		return frame->len + extra_bytes;
	return frame->len + (n_pieces - 1) * account_header_bytes(frame) + n_pieces * extra_bytes;
}

/* The place of a delay in counters_channel.delays. */
static inline unsigned int account_delay(uint64_t delay_ns)
{
	uint64_t quarters = delay_ns / 250; /* of 1 us */

	if (quarters < 4)
		return 0;
	unsigned int n = 61 - (unsigned int)__builtin_clzll(quarters);
	unsigned int place = 4 * n + (unsigned int)(quarters >> n) - 4;

	return place < COUNTERS_DELAYS ? place : COUNTERS_DELAYS - 1;
}
