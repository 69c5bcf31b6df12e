/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dataplane in one thread with a clock of its own, whose ports are stations: what goes in has a
 * time, what comes out gets one. No root, no EAL, no daemon; the same input gives the same output,
 * to the byte and the nanosecond. It becomes what a model says as weftd would make it: in one
 * transaction of deletes and puts.
 */
#pragma once

#include "dataplane/dataplane.h"
#include "scenario/station.h"

struct model;

struct rig {
	struct dataplane *dp;
	uint64_t now_ns;
	struct stations stations;
	struct station_set set;
	struct model *model; /* as it is now */
};

int rig_create(struct rig *rig, char *why, size_t why_bytes);
void rig_destroy(struct rig *rig); /* all zero is legal */

/* From what it is to `wanted`, which is the rig's from here on. 0, or -errno with a line in `why`:
 * nothing has changed then. */
int rig_apply(struct rig *rig, struct model *wanted, char *why, size_t why_bytes);

/* The way to a peer; of the message the MACs and the MTU count. uplink NULL, or none: no way.
 * -ENOENT: no such peer. */
int rig_nexthop(const struct rig *rig, const char *peer, const char *uplink,
		const struct dp_nexthop *nexthop, char *why, size_t why_bytes);

/* NULL: there is none now. */
struct port *rig_port(const struct rig *rig, const char *name);

/* Plays all input from before end_ns in the order of its times, stepping worker and main until
 * nothing moves; UINT64_MAX: all there is. What has no port to go to is lost. */
void rig_play(struct rig *rig, uint64_t end_ns);

/* The clock goes on to this time, and main gets its turn; what comes at this time is not taken. */
void rig_wait(struct rig *rig, uint64_t time_ns);

/* What all ports of this name have counted so far. */
struct counters_block rig_counters(const struct rig *rig, const char *name);

/* The accounting identity of api/counters.h; `text` gets every term of it. */
bool rig_accounts_for_all(const struct rig *rig, char *text, size_t text_bytes);
