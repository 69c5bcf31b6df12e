/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carry: takes a burst that a port has received through all stages to the ports that get its
 * frames. Worker threads, from a turn.
 */
#pragma once

#include <stdbool.h>

#include "dataplane/api/dp_msg.h"

struct burst;
struct port;
struct worker;

/* Is told what each stage has made of a burst of one: the frame's own state, of whichever port it
 * comes from by now (its peer's, out of a tunnel). After guard and before learn; after spread and
 * before anything is sent. */
struct carry_observer {
	void (*note)(struct carry_observer *observer, enum dp_trace_stage stage, struct port *port,
		     struct burst *burst);
};

/* The path of frames that the port has sent. */
void carry_burst(struct worker *worker, struct port *port, struct burst *burst);

/* The same of frames that a lane of the port has held since they were counted as received. */
void carry_held(struct worker *worker, struct port *port, struct burst *burst);

/* The path of a burst from an underlay: decap, then that of a port for each peer. false: the uplink
 * is none, but a port as any other. */
bool carry_tunnels(struct worker *worker, struct port *port, struct burst *burst);

/* A burst that came from the port otherwise than by a poll (from a peer, of a replay) while
 * somebody captures or follows frames of the port: either of them, and they get theirs. */
void carry_recorded(struct worker *worker, struct port *port, struct burst *burst);

/* Either of them, compiled once more: those above ask nothing. was_counted: as received by the
 * port; frames of tunnels are not before decap. observer NULL: nobody wants to know. */
void carry_observed(struct worker *worker, struct port *port, struct burst *burst,
		    bool was_counted, struct carry_observer *observer);
