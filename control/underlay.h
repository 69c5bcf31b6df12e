/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The underlay: which uplink and which neighbour lead to each peer. The kernel knows (routes,
 * neighbours, interfaces); here its answers become what the dataplane is told (DP_NEXTHOP) and what
 * segments may carry (model.tunnel_mtu). Level-triggered: on any news the question is asked again,
 * and only what differs is sent. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/model.h"
#include "tap/route.h"

struct fastpath;
struct loop;
struct underlay;

int underlay_create(struct loop *loop, struct underlay **underlay);
void underlay_destroy(struct underlay *underlay); /* NULL is legal */

/* Asks the kernel again what may have changed; everything, if the model is of another revision.
 * Returns whether model->tunnel_mtu, which it sets, has changed. */
bool underlay_look(struct underlay *underlay, struct model *model, uint64_t revision);

/* Tells the dataplane what it does not know yet. Returns ms until it wants to be called again, at
 * most. */
int underlay_tell(struct underlay *underlay, struct fastpath *fastpath, uint64_t now_ns);

/* The way to a peer, as the kernel said last. */
struct underlay_way {
	struct route_address from, to; /* both VTEPs */
	uint64_t uplink_id;
	uint32_t mtu_bytes;	 /* of its interface or of the route, layer 3 */
	uint32_t overhead_bytes; /* that the tunnel adds to an inner IP packet */
};

/* false: there is none, and underlay_reason() says why; or the port is no peer. */
bool underlay_way(const struct underlay *underlay, uint64_t port_id, struct underlay_way *way);

/* Why a peer cannot be reached, and what to do; NULL: it can, or it is none. */
const char *underlay_reason(const struct underlay *underlay, uint64_t port_id);

/* The largest outer packet on the way to a peer, and what that leaves a segment. 0: no way. */
uint16_t underlay_path_mtu(const struct underlay *underlay, uint64_t port_id);
uint16_t underlay_inner_mtu(const struct underlay *underlay, uint64_t port_id);
