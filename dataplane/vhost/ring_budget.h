/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking frames from a ring within the budget of a burst (frame.h): whole frames while something is
 * left. What is not taken stays in the ring as if nobody had looked. Worker threads.
 */
#pragma once

#include "dataplane/frame.h"

struct ring_budget {
	int64_t bytes;
	uint32_t frames;
	uint32_t n_pieces; /* of the burst, before the frame that is being taken */
};

static inline struct ring_budget ring_budget(const struct burst *burst)
{
	return (struct ring_budget){
		.bytes = burst->budget_bytes,
		.frames = burst->budget_frames,
		.n_pieces = burst->n_pieces,
	};
}

static inline bool ring_budget_has_more(const struct ring_budget *budget)
{
	return budget->bytes > 0 && budget->frames != 0;
}

/* A large TCP frame that has to come alone. */
static inline bool ring_budget_is_alone(const struct burst *burst, const struct frame *frame)
{
	return frame->len > burst->alone_bytes &&
	       frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

/* Frame i of the burst was read from the ring. false: it is to stay there. */
static inline bool ring_budget_take(struct ring_budget *budget, struct burst *burst, unsigned int i)
{
	const struct frame *frame = &burst->frames[i];
	bool is_alone = ring_budget_is_alone(burst, frame);

	if (is_alone && i != 0) {
		burst->n_pieces = budget->n_pieces;
		return false;
	}
	budget->n_pieces = burst->n_pieces;
	budget->bytes = is_alone ? 0 : budget->bytes - frame->len;
	budget->frames--;
	return true;
}
