/* SPDX-License-Identifier: BSD-3-Clause */
/* The one place where a drop is counted: at the port where it happened, by reason. What there is of
 * the frame is kept for who asks later (recorder.h). Worker threads. */
#pragma once

#include "dataplane/api/counters.h"
#include "dataplane/frame.h"

struct recorder;

/* recorder NULL: the frame is only counted. */
void drop_frame(struct recorder *recorder, struct counters_block *count, const struct frame *frame,
		enum drop_reason reason) __attribute__((cold));

/* Frames burst->frames[order[0 .. n)]. */
void drop_frames(const struct burst *burst, struct counters_block *count, const uint8_t *order,
		 unsigned int n, enum drop_reason reason) __attribute__((cold));
