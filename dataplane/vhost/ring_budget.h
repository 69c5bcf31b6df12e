/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking frames from a ring within the budget of a burst (frame.h): whole frames while something
 * is left. What is not taken stays in the ring as if nobody had looked. A budget that is no limit
 * just now costs a look at the lengths, which were read ahead. Worker threads.
 */
#pragma once

#include "dataplane/frame.h"

#define RING_BUDGET_BITS_MAX (UINT32_MAX / BURST_FRAMES)
#define RING_BUDGET_STEP 16
/* What lengths have room for that are looked at in whole steps. */
#define RING_BUDGET_LENS (BURST_FRAMES + RING_BUDGET_STEP)

/* Lengths are looked at four at a time: one instruction. */
typedef uint32_t ring_budget_four __attribute__((vector_size(16), may_alias));

#define RING_BUDGET_FOURS (RING_BUDGET_STEP / 4)

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

/* What a frame of one of n lengths costs at most: all bits of their costs together. One that is too
 * short for its header stands for nearly 4 GiB. By whole steps: then the loop has no ends, and is
 * little for a frame. What is there behind the n is lost: it costs nothing now. */
static inline uint32_t ring_budget_bound(uint32_t *lens, unsigned int n, uint32_t header_bytes)
{
	const ring_budget_four *fours = (const ring_budget_four *)(const void *)lens;
	ring_budget_four bits = {0};

	for (unsigned int i = 0; i < RING_BUDGET_STEP; i++)
		lens[n + i] = header_bytes;
	for (unsigned int i = 0; i < n; i += RING_BUDGET_STEP) {
		for (unsigned int k = 0; k < RING_BUDGET_FOURS; k++)
			bits |= *fours++ - header_bytes;
	}
	return bits[0] | bits[1] | bits[2] | bits[3];
}

/* The sum of the costs, after ring_budget_bound(); none is more than RING_BUDGET_BITS_MAX. */
static inline int64_t ring_budget_sum(const uint32_t *lens, unsigned int n, uint32_t header_bytes)
{
	const ring_budget_four *fours = (const ring_budget_four *)(const void *)lens;
	ring_budget_four sums = {0};

	for (unsigned int i = 0; i < n; i += RING_BUDGET_STEP) {
		for (unsigned int k = 0; k < RING_BUDGET_FOURS; k++)
			sums += *fours++ - header_bytes;
	}
	return (int64_t)sums[0] + sums[1] + sums[2] + sums[3];
}

/* May n plain buffers of these lengths all be taken? false: perhaps; look at each. Never if one is
 * too short: its descriptor is read again, and may say something else then. lens: on a boundary of
 * 16 bytes, room for RING_BUDGET_LENS. */
static inline bool ring_budget_pass(const struct ring_budget *budget, uint32_t *lens,
				    unsigned int n, uint32_t header_bytes)
{
	int64_t bound = ring_budget_bound(lens, n, header_bytes);

	if (bound > budget->alone_bytes)
		return false;
	/* As a rule there is enough even if each were as long. */
	if (n * bound <= budget->bytes)
		return true;
	return bound <= RING_BUDGET_BITS_MAX &&
	       ring_budget_sum(lens, n, header_bytes) <= budget->bytes;
}

/* The first n frames of the burst were taken. */
static inline void ring_budget_spend(struct ring_budget *budget, const struct burst *burst,
				     unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		budget->bytes -= burst->frames[i].len;
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
