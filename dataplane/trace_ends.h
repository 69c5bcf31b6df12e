/* SPDX-License-Identifier: BSD-3-Clause */
/* A trace under way, and what is said of a frame before the first stage and behind the last: links,
 * channels, gates, tunnels. Main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/trace.h"
#include "dataplane/trace_copy.h"
#include "dataplane/trace_view.h"

struct trace {
	struct carry_observer observer; /* the first: the observer is the trace */
	struct trace_view view;
	const struct dataplane *real;
	struct trace_copy copy;
	uint64_t now_ns;
	uint32_t now_s;
	trace_step_fn fn;
	void *ctx;
	struct dp_trace_step step; /* the last, not yet given out; stage 0: none */
	struct port *port;	   /* whose step the next one is: the sender's copy at first */
	struct segment *segment;   /* NULL: not known yet */
	struct frame frame;	   /* as it was when it was spread */
	uint16_t receivers[TRACE_RECEIVERS_MAX];
	unsigned int n_receivers, n_rest;
	int error;
};

/* Gives out the step before, and returns the new one to be filled in further. */
struct dp_trace_step *trace_say(struct trace *trace, enum dp_trace_stage stage,
				enum dp_trace_verdict verdict, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void trace_drop(struct trace *trace, enum dp_trace_stage stage, unsigned int reason);
void trace_flush(struct trace *trace);

void trace_ends_sender(struct trace *trace, const struct frame *frame);
void trace_ends_receiver(struct trace *trace, uint16_t index);
