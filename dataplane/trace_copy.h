/* SPDX-License-Identifier: BSD-3-Clause */
/* The copies that a traced frame changes in place of what is real (trace.h). Main thread. */
#pragma once

#include <stdbool.h>

#include "dataplane/dataplane.h"

#define TRACE_RECEIVERS_MAX 32 /* that are followed to their ends */

/* A port, but for what it does with frames. */
struct trace_port {
	struct port port;
	struct port_type type;
	struct trace_port *next;
};

struct trace_segment {
	struct segment segment;
	struct trace_segment *next;
};

/* dp: the tables are the real ones, ports and segments until they are copied, too. No real worker,
 * and no capture, is known there. */
struct trace_copy {
	struct dataplane *dp;
	struct worker *worker;
	struct trace_port *ports;
	struct trace_segment *segments;
};

/* With copies of all uplinks: what goes to a peer ends there. 0 or -ENOMEM; then there is nothing
 * to be let go. */
int trace_copy_init(struct trace_copy *copy, const struct dataplane *dp);
void trace_copy_fini(struct trace_copy *copy);

/* From now on `copy->dp` has a copy of them. NULL, false: no memory. */
struct port *trace_copy_port(struct trace_copy *copy, uint16_t index);
bool trace_copy_segment(struct trace_copy *copy, uint16_t index);
