/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last frames that a worker has dropped, always on. Ports share a few rings by their id, so a
 * port that drops much pushes out what few others have lost; and of a worker no more than
 * DROPPED_PER_MS are kept, so that dropping at full rate costs no more than counting.
 *
 * One writer: the worker. Main reads at any time: an entry that is written over meanwhile is left
 * out.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

#define DROPPED_RINGS 16
#define DROPPED_PER_RING 64
#define DROPPED_PER_MS 64
#define DROPPED_WORDS (sizeof(struct dp_dropped_frame) / sizeof(uint64_t))

struct frame;

struct dropped_entry {
	_Atomic uint64_t sequence;	       /* odd: being written; 0: never used */
	_Atomic uint64_t words[DROPPED_WORDS]; /* a struct dp_dropped_frame */
};

/* Zeroed at first. */
struct dropped {
	struct dropped_entry entries[DROPPED_RINGS][DROPPED_PER_RING];
	uint32_t next[DROPPED_RINGS];
	uint64_t window_ns; /* the worker's: when it began to count */
	uint32_t n_in_window;
	_Atomic uint64_t skipped;
};

/* Worker. */
void dropped_put(struct dropped *dropped, const struct frame *frame, uint64_t port_id,
		 uint32_t segment_id, uint8_t reason, uint64_t now_ns);

/* Main. Calls fn for each, in no order. */
typedef void (*dropped_fn)(void *ctx, const struct dp_dropped_frame *frame);
void dropped_walk(struct dropped *dropped, dropped_fn fn, void *ctx);
