/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last frames that a worker has dropped, always on. Ports share a few rings by their id, so a
 * port that drops much pushes out what few others have lost; and of a worker no more than
 * DROPPED_PER_MS are kept, so that dropping at full rate costs no more than counting.
 */
#pragma once

#include "dataplane/kept.h"

#define DROPPED_RINGS 16
#define DROPPED_PER_RING 64
#define DROPPED_PER_MS 64

/* Zeroed at first. */
struct dropped {
	struct kept entries[DROPPED_RINGS][DROPPED_PER_RING];
	uint32_t next[DROPPED_RINGS];
	struct kept_pace pace;
	_Atomic uint64_t skipped;
};

/* Worker. */
void dropped_put(struct dropped *dropped, const struct frame *frame, const struct kept_as *as);

/* Main. Calls fn for each. */
void dropped_walk(struct dropped *dropped, kept_fn fn, void *ctx);
