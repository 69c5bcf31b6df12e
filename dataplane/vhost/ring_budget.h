/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking frames from a ring within the budget of a burst (frame.h): whole frames while something
 * is left. What is not taken stays in the ring as if nobody had looked. A budget that is no limit
 * just now costs a look at the lengths, which were read ahead. Worker threads.
 */
#pragma once

#include "dataplane/frame.h"

#define RING_BUDGET_BITS_MAX (UINT32_MAX / BURST_FRAMES)

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

/* May n buffers of these lengths all be taken? Then they are paid for. false: perhaps; look at
 * each. With is_mixed, a length of 0 stands for one that is not known. Both are constants. */
static inline bool ring_budget_pass(struct ring_budget *budget, const uint32_t *lens,
				    unsigned int n, uint32_t header_bytes, const bool is_mixed)
{
	uint32_t sum = 0, bits = 0, min = UINT32_MAX;

	for (unsigned int i = 0; i < n; i++) {
		sum += lens[i];
		bits |= lens[i];
		if (is_mixed)
			min = lens[i] < min ? lens[i] : min;
	}
	int64_t bytes = (int64_t)sum - n * header_bytes;

	/* None is longer than all their bits together, so the sum of a burst is right. What is too
	 * short or too long for a frame costs nothing anyway. */
	if (n == 0 || min == 0 || bits > RING_BUDGET_BITS_MAX || bits > budget->alone_bytes ||
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
