/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking frames from a ring within the budget of a burst (frame.h): whole frames while something
 * is left. What is not taken stays in the ring as if nobody had looked. A budget that is no limit
 * just now costs a look at the lengths, which were read ahead. Worker threads.
 */
#pragma once

#include <string.h>

#include "dataplane/frame.h"

#define RING_BUDGET_BITS_MAX (UINT32_MAX / BURST_FRAMES)
#define RING_BUDGET_STEP 8

_Static_assert(BURST_FRAMES % RING_BUDGET_STEP == 0, "a burst is whole steps");

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

/* May n plain buffers of these lengths all be taken? Then they are paid for. false: perhaps; look
 * at each. lens has room for BURST_FRAMES; what is there behind the n is lost. */
static inline bool ring_budget_pass(struct ring_budget *budget, uint32_t *lens, unsigned int n,
				    uint32_t header_bytes)
{
	uint64_t sums = 0, bits = 0; /* of the odd ones in the upper half, of the even ones below */

	/* Whole steps: then the loop has no ends, and is little for a frame. */
	for (unsigned int i = n; i % RING_BUDGET_STEP != 0; i++)
		lens[i] = 0;
	for (unsigned int i = 0; i < n; i += RING_BUDGET_STEP) {
		uint64_t two[RING_BUDGET_STEP / 2];

		memcpy(two, &lens[i], sizeof(two));
		for (unsigned int k = 0; k < RING_BUDGET_STEP / 2; k++) {
			sums += two[k];
			bits |= two[k];
		}
	}
	uint32_t any = (uint32_t)bits | (uint32_t)(bits >> 32);
	int64_t bytes = (int64_t)((uint32_t)sums + (sums >> 32)) - (int64_t)n * header_bytes;

	/* None is longer than all their bits together, so the sums of a burst are right. What is
	 * too short or too long for a frame costs nothing anyway. */
	if (n == 0 || any > RING_BUDGET_BITS_MAX || any > budget->alone_bytes ||
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
