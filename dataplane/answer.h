/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answer: what weft says itself, and what it changes so that packets fit. Stage between learn and
 * look up, for bursts that have something to look at (burst.services). Worker threads.
 *
 * A port of this host that sends what is larger than its segment's MTU is told so by ICMP, in the
 * name of the host it wrote to: at most ANSWERS_PER_S a second and port. With mss_clamp, TCP
 * connections of the segment agree on a segment size that fits.
 *
 * With arp_suppress, a port of this host that asks all by ARP or ND for a neighbour that is known
 * is told its MAC, and nobody else is asked (`answered`). Known: it has claimed the address within
 * the segment's age, the FDB has its MAC behind the port where it did so, this port may reach that
 * one, and of an IPv6 neighbour it is known whether it is a router: who is told that a router is
 * none takes it off its list (RFC 4861 section 7.2.5). In any doubt all are asked.
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
