/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hypothetical frames: what the dataplane says would become of one (DP_TRACE), and as JSON. Runs on
 * weftd's thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "control/control.h"
#include "control/problem.h"

struct tracing {
	struct dp_trace_step steps[DP_TRACE_STEPS_MAX];
	size_t n;
};

/* Asks. 0 or -errno with a problem. */
int tracing_run(const struct control *control, const struct model_port *port, const uint8_t *bytes,
		size_t n_bytes, struct tracing *tracing, struct problem *problem);

/* One more step of an answer; what there is no room for is left out. */
void tracing_take(struct tracing *tracing, const struct dp_trace_step *step);

/* The last step that a stage has said of a port (0: of any), or NULL. */
const struct dp_trace_step *tracing_find(const struct tracing *tracing, enum dp_trace_stage stage,
					 uint64_t port_id);

/* The first step with the verdict that is of one of the ports, or NULL. */
const struct dp_trace_step *tracing_first(const struct tracing *tracing,
					  enum dp_trace_verdict verdict, uint64_t port_id,
					  uint64_t other_id);

/* How many ports got it. */
unsigned int tracing_count_receivers(const struct tracing *tracing);

/* [{"stage", "port", "segment", "verdict", "reason", "detail", "value", "limit"}]. New reference.
 */
json_t *tracing_format(const struct control *control, const struct tracing *tracing);
