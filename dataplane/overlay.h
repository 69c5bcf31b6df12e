/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The overlay as decap sees it: which VNI is which segment, which VTEP is which peer, and which
 * uplinks are underlays. It is a value: main builds a new one at every commit that touches
 * segments, peers or uplinks and publishes it (dataplane.overlay), the old one is freed after a
 * grace period; workers read it once per burst. Its hashes have a secret seed: who sends chooses
 * addresses and VNIs.
 */
#pragma once

#include <stdint.h>

#include "vxlan/vxlan_decap.h"

struct dataplane;
struct overlay;

/* An uplink that tunnels end at. */
struct overlay_underlay {
	uint16_t port;		/* index */
	uint8_t ip_version;	/* 4, 6 */
	uint8_t ip[16];		/* its VTEP; IPv4: the first 4, the rest is zero */
	struct vxlan_decap_rules rules;
};

/* --- main --- */

/* An empty one with room for so many of each; a fuller one is not possible later. 0 or -ENOMEM. */
int overlay_create(unsigned int n_segments, unsigned int n_peers, unsigned int n_underlays,
		   uint64_t seed, struct overlay **overlay);
void overlay_destroy(struct overlay *overlay);	/* NULL is legal */

/* Puts into an empty one what the dataplane has published. Of two segments with one VNI, or two
 * peers with one VTEP, which a transaction refuses, the first counts. */
void overlay_fill(struct overlay *overlay, const struct dataplane *dp);

/* --- workers --- */

/* The underlay that a port is, or NULL. A host has few. */
const struct overlay_underlay *overlay_underlay(const struct overlay *overlay, uint16_t port);

/* Index of the peer that has the address as its VTEP, of the segment that has the VNI; 0: none. */
uint16_t overlay_peer(const struct overlay *overlay, uint8_t ip_version, const uint8_t ip[16]);
uint16_t overlay_segment(const struct overlay *overlay, uint32_t vni);
