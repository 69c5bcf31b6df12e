/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answer: what weft says itself, and what it changes so that packets fit. Stage between learn and
 * look up, for bursts that have something to look at (burst.services). Worker threads.
 *
 * A port of this host that sends what is larger than its segment's MTU is told so by ICMP, in the
 * name of the host it wrote to: at most ANSWERS_PER_S a second and port. With mss_clamp, TCP
 * connections of the segment agree on a segment size that fits.
 */
#pragma once

#include "dataplane/frame.h"

#define ANSWERS_PER_S 100
#define ANSWERS_BURST 20

struct counters_block;
struct port;
struct worker;

/* Sends answers to the port itself, and counts them as generated. */
void answer_burst(struct worker *worker, struct port *port, struct burst *burst,
		  struct counters_block *count);
