/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Storm control: how many frames per second may be flooded, by kind, from one port and in one
 * segment in total. Stage between look up and forward. Worker threads; rates are set by main.
 */
#pragma once

#include "dataplane/api/dp_msg.h"
#include "dataplane/frame.h"
#include "dataplane/rate.h"

struct dataplane;
struct port;

/* Buckets of a port or segment, by enum dp_storm. */
struct storm {
	struct rate rates[DP_STORM_KINDS];
};

/* Of a new object: full buckets, no limit. Main. */
void storm_init(struct storm *storm);

/* pps: by enum dp_storm; 0: no limit. Under traffic. Main. */
void storm_set(struct storm *storm, const uint32_t pps[DP_STORM_KINDS]);

/* Gives floods beyond the rates a drop reason. */
void storm_burst(struct dataplane *dp, struct port *port, struct burst *burst);
