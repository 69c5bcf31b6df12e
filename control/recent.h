/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ports have counted lately. Counters only grow: of a drop they do not say whether it was just
 * now or last week. So they are looked at every fifteen seconds, and what they said is kept for a
 * minute: by how much has each grown since, and of a drop how long there has been none? With
 * another start of the dataplane, or another owner of a slot, this begins anew. One thread.
 */
#pragma once

#include <stdint.h>

#include "control/meter.h"

#define RECENT_LOOK_MS 15000
#define RECENT_LOOKS 4 /* that are kept: the oldest is 45 to 60 s old */

struct recent;

/* Frames, as struct counters_block has them. */
struct recent_traffic {
	uint64_t rx_frames, tx_frames, carried_rx_frames;
};

/* One port. */
struct recent_port {
	struct recent_traffic lately; /* in the last span_ns */
	uint64_t span_ns;	      /* less than said above while nobody has looked for as long */
	uint64_t drops[DROP_COUNT];   /* in the last span_ns */
	uint64_t all_drops[DROP_COUNT];
	uint64_t quiet_ns[DROP_COUNT]; /* of what was dropped, but not of late: since when none */
};

int recent_create(struct recent **recent);  /* 0 or -ENOMEM */
void recent_destroy(struct recent *recent); /* NULL is legal */

/* Looks, if it is time to or the dataplane is another one. Returns ms until it is time again. meter
 * NULL: the dataplane is away. */
int recent_run(struct recent *recent, const struct meter *meter, uint64_t now_ns);

/* Of the port that counts in this slot, up to now. What was counted before the first look at a
 * dataplane is not of late: nobody knows when it was. */
void recent_read(const struct recent *recent, const struct meter *meter, uint32_t slot,
		 uint64_t now_ns, struct recent_port *port);
