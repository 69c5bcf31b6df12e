/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why does A not reach B? Walks from one port to the other: are they there, healthy, in one
 * segment; then has frames that A would send to B, and B to A, traced by the dataplane through the
 * tables as they are; then what was dropped of both lately, and what waits for channels. The first
 * thing that blocks ends the walk. Runs on weftd's thread.
 */
#pragma once

#include <jansson.h>

#include "control/control.h"
#include "control/tracing.h"
#include "control/why_ends.h"

struct why {
	struct control *control;
	struct why_end ends[2];
	unsigned int ip_bytes; /* of the packets that are traced; 0: the segment's MTU */
	json_t *checks;	       /* as of doctor.h; the first that fails is the cause */
	json_t *traces;
	unsigned int n_frames, n_passed;
	struct tracing tracing; /* the last */
};

/* from, to: as of why_ends_find(). The answer as JSON, or NULL: no memory. */
json_t *why_ask(struct control *control, const char *from, const char *to, unsigned int ip_bytes);

/* --- the parts: false: something blocks, and it was said --- */

/* why_traces.c: what would become of frames, both ways. */
bool why_traces_look(struct why *why);

/* why_counts.c: what has become of frames lately, and what waits for channels. */
bool why_counts_look(struct why *why);
bool why_counts_look_at_tunnels(struct why *why);

/* why_fixes.c: what to do about a drop, at the port where it happened, in that segment. */
void why_fixes_say(json_t *checks, unsigned int reason, const char *port, const char *segment);
