/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Look up and forward: the FDB's answer becomes a list of frames for each port, and the lists are
 * sent. Last stages before port tx. Worker threads.
 */
#pragma once

#include <stdint.h>

#include "dataplane/frame.h"

struct counters_block;
struct dataplane;
struct port;
struct segmentation;
struct worker;

/* What one worker has for one port in this burst: positions in the burst, in order. */
struct egress {
	uint8_t n;
	uint8_t order[BURST_FRAMES];
} __attribute__((aligned(64)));

/* Scratch space of a worker, zeroed at start; every list is empty between bursts. */
struct forward_lists {
	struct egress *egress;	/* PORTS_MAX of them, by port index */
	uint16_t *touched;	/* ports that have frames, at most PORTS_MAX */
	unsigned int n_touched;
	uint32_t flood_bytes_left;	/* of what floods of this burst may write */
	struct segmentation *segmentation;	/* for receivers without offloads */
	struct burst *tagged;	/* what leaves through a trunk */
};

/* Looks up the destination of every live frame: frame->out, or a drop reason. */
void forward_lookup(struct dataplane *dp, struct burst *burst, uint16_t from);

/* Puts the frames on the lists of the ports they go to; what the segment does not flood gets a drop
 * reason. Returns the instances that flooding added. */
uint64_t forward_spread(struct dataplane *dp, struct burst *burst, const struct port *from,
			struct forward_lists *lists);

/* Tells the ports that have lists, if they are few, that frames are coming. */
void forward_announce(const struct dataplane *dp, const struct forward_lists *lists);
/* Sends a burst that was made for the port itself, and counts it there. No list may be in use. */
void forward_answer(struct burst *burst, struct port *port, struct forward_lists *lists,
		    struct counters_block *count);

/* Sends every list; counts on the blocks of `worker`, and on that of the port the burst came from
 * what was meant for a port that has gone. */
void forward_transmit(struct dataplane *dp, struct burst *burst, const struct port *from,
		      struct worker *worker, struct counters_block *from_count);

/* The last gate between segments, and port tx: sends a list of frames of which nobody has looked
 * whether the port may have them. The list is used up. */
void forward_gate(struct forward_lists *lists, struct port *port, struct burst *burst,
		  struct egress *egress, struct counters_block *count);
