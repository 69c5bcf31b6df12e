/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLAN tags, IEEE 802.1Q. Inside the switch no frame has a tag that means a segment: it is taken
 * off when the frame is classified, and put on while it is written out of a trunk.
 *
 * A map says which segment a tag means on a trunk, and the other way round: both are one array
 * access, however many members there are. Maps are values: main builds a new one and publishes it,
 * the old one is freed after a grace period.
 */
#pragma once

#include <linux/if_ether.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/frame.h"

#define VLAN_BYTES 4		/* of a tag */
#define VLAN_NOT_MEMBER UINT16_MAX

struct vlan_map {
	uint16_t native;	/* index of the segment without a tag; 0: none */
	uint16_t n_vlans, n_segments;	/* entries of the two parts of `entries` */
	uint16_t entries[];	/* by VLAN id: segment index or 0; then by segment: VLAN id or
				 * VLAN_NOT_MEMBER, 0 for the native one */
};

struct vlan_member {
	uint16_t segment, vlan;	/* index; 0: untagged */
};

/* --- main --- */

/* NULL: no memory. Freed by free(). */
struct vlan_map *vlan_create(const struct vlan_member *members, unsigned int n);

/* --- workers --- */

/* Segment index of a VLAN id, 0: not allowed here. */
static inline uint16_t vlan_segment(const struct vlan_map *map, uint16_t vlan)
{
	return vlan < map->n_vlans ? map->entries[vlan] : 0;
}

/* VLAN id of a segment, 0: untagged, VLAN_NOT_MEMBER. */
static inline uint16_t vlan_of(const struct vlan_map *map, uint16_t segment)
{
	return segment < map->n_segments ? map->entries[map->n_vlans + segment] : VLAN_NOT_MEMBER;
}

/* Does an EtherType say that a tag follows? 802.1Q, 802.1ad, and the older 0x9100 that some cards
 * still take for one. */
static inline bool vlan_is_tag(uint16_t ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD || ethertype == ETH_P_QINQ1;
}

/*
 * A frame that begins with a tag. map NULL: it came from an access port, where no tag is honoured
 * and only the priority tag (VLAN id 0) is taken off. takes_tags: the port may send a further tag
 * behind the first (on an access port: any tag), which is then payload: frame->has_tag. Sets
 * *segment on a trunk. DROP_NONE, or why not.
 */
enum drop_reason vlan_take(struct frame *frame, const struct vlan_map *map, bool takes_tags,
			   uint16_t *segment);

/* Adds to the burst `to` a copy of the frame with a tag (0: without one): the head is copied, the
 * body stays where it is, so the frame must live until `to` is sent. There must be room for its
 * pieces and one more. false: its checksum lies where no tag can be put before it. */
bool vlan_put(const struct frame *frame, uint16_t vlan, struct burst *to);
