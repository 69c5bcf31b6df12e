/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking frames from a ring within the budget of a burst (frame.h): whole frames while something is
 * left. What is not taken stays in the ring as if nobody had looked. A budget that is no limit just
 * now costs a look at the lengths, which were read ahead. Worker threads.
 */
#pragma once

#include "dataplane/frame.h"

struct ring_budget {
	int64_t bytes;
	uint32_t frames;
	uint32_t alone_bytes;
};

/* What became of a frame that was read. */
enum ring_budget_step {
	RING_BUDGET_MORE,  /* it is taken, perhaps others after it */
	RING_BUDGET_LAST,  /* it is taken, and nothing behind it */
	RING_BUDGET_STAYS, /* it stays in the ring */
};

static inline struct ring_budget ring_budget(const struct burst *burst)
{
	return (struct ring_budget){
		.bytes = burst->budget_bytes,
		.frames = burst->budget_frames < BURST_FRAMES ? burst->budget_frames : BURST_FRAMES,
		.alone_bytes = burst->alone_bytes,
	};
}

/* May n buffers of these lengths all be taken? Then they are paid for. false: perhaps; look at each.
 */
static inline bool ring_budget_pass(struct ring_budget *budget, const uint32_t *lens,
				    unsigned int n, uint32_t header_bytes)
{
	uint32_t sum = 0, max = 0, min = UINT32_MAX;

	for (unsigned int i = 0; i < n; i++) {
		sum += lens[i];
		max = lens[i] > max ? lens[i] : max;
		min = lens[i] < min ? lens[i] : min;
	}
	int64_t bytes = (int64_t)sum - n * header_bytes;

	/* The sum of 64 that are at most so long is right. */
	if (n == 0 || min < header_bytes || max > FRAME_BYTES_MAX || max > budget->alone_bytes ||
	    bytes > budget->bytes)
		return false;
	budget->bytes -= bytes;
	return true;
}

/* Frame i of the burst was read from the ring. */
static inline enum ring_budget_step ring_budget_take(struct ring_budget *budget,
						     const struct burst *burst, unsigned int i)
{
	const struct frame *frame = &burst->frames[i];

	if (__builtin_expect(frame->len > budget->alone_bytes, 0) &&
	    frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return i == 0 ? RING_BUDGET_LAST : RING_BUDGET_STAYS;
	budget->bytes -= frame->len;
	return budget->bytes > 0 ? RING_BUDGET_MORE : RING_BUDGET_LAST;
}
