/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VXLAN's wire format and limits (RFC 7348). A leaf: bytes and numbers, no I/O, any thread.
 *
 * A frame in the tunnel, from the underlay's Ethernet header to the inner frame:
 *
 *     Ethernet 14 | IPv4 20 or IPv6 40 | UDP 8 | VXLAN 8 | inner Ethernet frame without FCS
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VXLAN_PORT 4789			/* UDP destination port, section 5 */
#define VXLAN_VNI_MAX 16777215u		/* 24 bits, section 5 */

/* What a tunnel adds to a frame, outer Ethernet header included. */
#define VXLAN_OVERHEAD_IPV4_BYTES 50
#define VXLAN_OVERHEAD_IPV6_BYTES 70

#define VXLAN_FLAG_VNI 0x08		/* the "I" bit: must be set, section 5 */

/* Section 5. Reserved fields are sent as zero and ignored when received. */
struct vxlan_header {
	uint8_t flags;
	uint8_t reserved[3];
	uint8_t vni[3];		/* network order */
	uint8_t reserved2;
};

_Static_assert(sizeof(struct vxlan_header) == 8, "RFC 7348 section 5");

/* VNI 0 fits the wire, but means "no overlay" in weft, so no segment may have it. */
bool vxlan_vni_is_valid(uint32_t vni);
