/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dataplane in one thread with a clock of its own, whose ports are lists of packets: what goes in
 * has a time, what comes out gets one. No root, no EAL, no descriptors of devices.
 */
#pragma once

#include "dataplane/dataplane.h"
#include "tests/packet/packets.h"

struct rig_port {
	struct rxq rxq;
	struct packets in, out;
	size_t taken;		/* of `in` */
	const uint64_t *now_ns; /* the rig's */
	uint16_t segment_bytes; /* what offloads_describe() is told; 0: frames are plain */
};

struct rig {
	struct dataplane *dp;
	uint64_t now_ns;
};

struct model;

/* Segments and ports of the model. 0, or -errno with a line in `why`. */
int rig_create(struct rig *rig, const struct model *model, char *why, size_t why_bytes);
void rig_destroy(struct rig *rig);

/* NULL: there is no such port, or it is a peer. */
struct rig_port *rig_port(const struct rig *rig, const char *name);

/* The way to a peer; of the message the MACs and the MTU count. 0 or -errno. */
int rig_nexthop(const struct rig *rig, const char *peer, const char *uplink,
		const struct dp_nexthop *nexthop);

/* Plays all input in the order of its times, stepping worker and main until nothing moves. */
void rig_run(struct rig *rig);

/* Sum over all ports and slot 0. */
struct counters_block rig_totals(const struct rig *rig);
/* One port's counters. */
const struct counters_block *rig_counters(const struct rig *rig, const char *name);

/* The accounting identity of api/counters.h. Prints every term if it does not hold. */
bool rig_accounts_for_all(const struct rig *rig);
