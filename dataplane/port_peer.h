/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Port type peer: another host, which segments reach as VXLAN. What is sent through it gets outer
 * headers and leaves through an uplink; what comes from it is found by decap.h. It has no queues.
 *
 * The way to the peer is told by weftd (DP_NEXTHOP) and kept until something else is told; the
 * outer headers are made of it, of the uplink's options and of both VTEPs, once, not per frame.
 */
#pragma once

#include <stddef.h>

#include "dataplane/port.h"

extern const struct port_type port_peer_type;

/* Takes over a next hop. 0, or -EINVAL with one line in `why`: nothing has changed. Waits for a
 * grace period. Main. */
int port_peer_nexthop(struct port *port, const struct dp_nexthop *nexthop, char *why,
		      size_t why_bytes);

/* Sends what weft itself says to the peer: one short frame, all of it in its head, with VNI 0 to
 * another UDP port than the tunnel's. Counts it as tx does. Worker. */
void port_peer_answer(const struct port *port, const struct frame *frame, uint16_t udp_port,
		      struct counters_block *count);

/* The uplink or the peer may have changed: makes the headers anew. A grace period must follow
 * before the next call. Main. */
void port_peer_refresh(struct port *port);

/* How frames for a peer leave. */
struct port_peer_way {
	uint16_t uplink;	  /* index */
	uint32_t outer_bytes;	  /* of the outer headers */
	uint32_t max_inner_bytes; /* of a frame that fits; UINT32_MAX: any */
};

/* false: there is no way just now. Main. */
bool port_peer_way(const struct port *port, struct port_peer_way *way);
