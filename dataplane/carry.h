/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carry: takes a burst that a port has received through all stages to the ports that get its
 * frames. Worker threads, from a turn.
 */
#pragma once

#include <stdbool.h>

struct burst;
struct port;
struct trace;
struct worker;

/* The path of frames that the port has sent. */
void carry_burst(struct worker *worker, struct port *port, struct burst *burst);

/* The same of frames that a lane of the port has held since they were counted as received. */
void carry_held(struct worker *worker, struct port *port, struct burst *burst);

/* The path of a burst from an underlay: decap, then that of a port for each peer. false: the uplink
 * is none, but a port as any other. */
bool carry_tunnels(struct worker *worker, struct port *port, struct burst *burst);

/* Either of them, and says to `trace` what came of each stage (trace.h). Main, with a worker, ports
 * and segments that are copies. */
void carry_traced(struct worker *worker, struct port *port, struct burst *burst,
		  struct trace *trace);
