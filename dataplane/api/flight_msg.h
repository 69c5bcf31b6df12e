/* SPDX-License-Identifier: BSD-3-Clause */
/* Of the messages between weftd and weft-dataplane (dp_msg.h) those of flight recorders. */
#pragma once

#include "dataplane/api/dp_msg.h"

/* What makes a flight recorder stop, for what it has to be taken. */
enum dp_flight_kind {
	DP_FLIGHT_ASKED = 0,	/* nothing: somebody wanted to see */
	DP_FLIGHT_STORM,	/* a flood beyond its rate was dropped: `reason` */
	DP_FLIGHT_MOVE,		/* an address is behind another port than before */
	DP_FLIGHT_RATE,		/* a channel's queue was full: more came than it passes */
	DP_FLIGHT_LEARN,	/* a port brought new addresses faster than they are learned */
	DP_FLIGHT_KINDS
};

/* DP_FLIGHT_TAKE is a dp_object with the id of a segment, which is taken as it is; 0: of any whose
 * recorder has stopped, which then begins again. */
struct dp_flight {
	struct dp_header header;
	uint64_t time_ns;	/* by the dataplane's clock */
	uint64_t port_id;	/* at which it happened */
	uint64_t old_port_id;	/* DP_FLIGHT_MOVE: where the address was */
	uint64_t skipped;	/* frames that came too fast to be kept, since the last time */
	uint32_t segment_id;
	uint8_t kind;		/* enum dp_flight_kind */
	uint8_t reason;		/* enum drop_reason */
	uint8_t mac[6];		/* the source */
	uint32_t reserved;
};

_Static_assert(sizeof(struct dp_flight) == 64, "layout");
