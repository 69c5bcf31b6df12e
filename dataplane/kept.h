/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame whose first bytes are kept for who asks later, in rings that are written over: what was
 * dropped last (dropped.h), what came into a segment last (flight.h).
 *
 * One writer: a worker. Main reads at any time: a frame that is written over meanwhile is left out.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

#define KEPT_WORDS (sizeof(struct dp_dropped_frame) / sizeof(uint64_t))

struct frame;

/* Zeroed at first. */
struct kept {
	_Atomic uint64_t sequence;	    /* odd: being written; 0: never used */
	_Atomic uint64_t words[KEPT_WORDS]; /* a struct dp_dropped_frame */
};

/* What it is, beside the frame. */
struct kept_as {
	uint64_t time_ns, port_id;
	uint32_t segment_id;
	uint8_t reason; /* enum drop_reason */
};

/* How many are kept in a millisecond: what comes at full rate costs no more than counting. */
struct kept_pace {
	uint64_t window_ns; /* when it began to count */
	uint32_t n;
};

/* Worker. */
void kept_write(struct kept *kept, const struct frame *frame, const struct kept_as *as);
/* false: there were per_ms of late. */
bool kept_is_in_time(struct kept_pace *pace, uint32_t per_ms, uint64_t now_ns);

/* Any thread. false: there is none, or it is written just now. */
bool kept_read(struct kept *kept, struct dp_dropped_frame *frame);

/* What takes them out, in no order. */
typedef void (*kept_fn)(void *ctx, const struct dp_dropped_frame *frame);
void kept_walk(struct kept *kept, unsigned int n, kept_fn fn, void *ctx);
