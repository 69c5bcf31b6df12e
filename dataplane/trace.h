/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trace: what would become of a frame if a port sent it now. Main thread.
 *
 * The frame goes through the stages that real ones go through (carry.c), as a burst of one. What
 * they would change is a copy: a worker of its own with its rings, counters of its own, and copies
 * of the ports and segments that the frame meets, with their rates. The tables (forwarding,
 * neighbours, overlay, flood lists) are the real ones, which stages only read. The copies of
 * receivers count what they are to send, and send nothing. So an answer can be no other than that
 * for a real frame, and nothing remains of it.
 *
 * Three things stages would do to the real tables or would have to wait for are looked at instead:
 * the age of a source that is known, the credit of channels (by the code that gives it), and
 * whether the receiver can take it (its state).
 */
#pragma once

#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct dataplane;

/* A step of the answer; its header is not filled in. */
typedef void (*trace_step_fn)(void *ctx, struct dp_trace_step *step);

/* 0 or -errno with one line in `why`. At most DP_TRACE_STEPS_MAX steps. now_ns: of the clock of the
 * workers. */
int trace_run(struct dataplane *dp, const struct dp_trace *request, uint64_t now_ns,
	      trace_step_fn fn, void *ctx, char why[DP_TEXT_BYTES]);
