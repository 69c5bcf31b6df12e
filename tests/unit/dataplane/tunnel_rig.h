/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rig with tunnels: an uplink whose wire are the arrays of rig.h, and peers of the real type.
 *
 *     local ports 1, 2 ...   |   uplink 100, VTEP 10.0.0.1   |   peers 11, 12 ...: VTEP 10.0.0.ID
 *
 * Addresses can be IPv6: fd00::1 and fd00::ID.
 */
#pragma once

#include "tests/unit/dataplane/rig.h"
#include "vxlan/vxlan_decap.h"

#define TUNNEL_RIG_UPLINK 100
#define TUNNEL_RIG_MTU 1500

/* A dataplane that knows taps, uplinks and peers, with the uplink and nothing else. */
struct dataplane *tunnel_rig_create(uint8_t ip_version);

#define TUNNEL_RIG_ALPHA 1
#define TUNNEL_RIG_BETA 2

/* The same, with ports 1 and 2 in ALPHA and 3 in BETA, and the peers 11 in both, 12 in ALPHA. */
struct dataplane *tunnel_rig_create_full(uint8_t ip_version);

extern const uint32_t tunnel_rig_both[], tunnel_rig_only_alpha[]; /* lists of segments */

/* For cmocka: all frames are accounted for, and the dataplane goes. */
int tunnel_rig_tear_down(void **state);

/* The address with this last byte. */
struct dp_address tunnel_rig_address(uint8_t ip_version, uint8_t last);

/* Messages; segments end by 0, none: every segment. */
struct dp_port tunnel_rig_uplink(uint8_t ip_version);
struct dp_port tunnel_rig_peer(uint8_t ip_version, uint64_t id, const uint32_t *segments);

/* A peer with a next hop. */
void tunnel_rig_put_peer(struct dataplane *dp, uint8_t ip_version, uint64_t id,
			 const uint32_t *segments);
struct dp_nexthop tunnel_rig_nexthop(uint64_t peer_id);

/* A frame as rig_send() makes it, from peer ID by VNI, on its way to the uplink. The bytes can be
 * changed until the next turn; outer headers first. */
struct rig_frame *tunnel_rig_send(const struct dataplane *dp, uint8_t ip_version, uint8_t peer,
				  uint32_t vni, uint32_t dst, uint32_t src, uint32_t len,
				  uint8_t mark);

/* What the uplink has sent n-th: asserts that it is sound VXLAN. */
struct vxlan_outer tunnel_rig_outer(const struct dataplane *dp, unsigned int n);
