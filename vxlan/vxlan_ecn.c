/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion marks out of a tunnel. Worker threads. */
#include "vxlan/vxlan_ecn.h"

#include "vxlan/vxlan_bytes.h"
#include "vxlan/vxlan_sum.h"

#define ECN_MASK 3
#define IPV4_CHECKSUM 10

int vxlan_ecn_combine(uint8_t outer_tos, uint8_t inner_tos)
{
	/* RFC 6040 figure 4; [inner][outer]. */
	static const int8_t leaves[4][4] = {
		[VXLAN_ECN_NONE] = {0, 0, 0, -1},
		[VXLAN_ECN_ECT1] = {VXLAN_ECN_ECT1, VXLAN_ECN_ECT1, VXLAN_ECN_ECT1, VXLAN_ECN_CE},
		[VXLAN_ECN_ECT0] = {VXLAN_ECN_ECT0, VXLAN_ECN_ECT1, VXLAN_ECN_ECT0, VXLAN_ECN_CE},
		[VXLAN_ECN_CE] = {VXLAN_ECN_CE, VXLAN_ECN_CE, VXLAN_ECN_CE, VXLAN_ECN_CE},
	};

	return leaves[inner_tos & ECN_MASK][outer_tos & ECN_MASK];
}

bool vxlan_ecn_decap(uint8_t *head, struct vxlan_inner *inner, uint8_t outer_tos)
{
	uint8_t *ip = head + inner->ip_offset;
	int ecn = inner->ip_version != 0 ? vxlan_ecn_combine(outer_tos, inner->tos) : 0;

	if (ecn < 0)
		return false;
	if (inner->ip_version == 0 || ecn == (inner->tos & ECN_MASK))
		return true;
	inner->tos = (uint8_t)((inner->tos & ~ECN_MASK) | ecn);
	if (inner->ip_version == 4)
		vxlan_sum_change(ip + IPV4_CHECKSUM, ip, (uint16_t)(ip[0] << 8 | inner->tos),
				 false);
	else /* the traffic class is bits 4 to 11; no checksum has it */
		ip[1] = (uint8_t)(inner->tos << 4 | (ip[1] & 15));
	return true;
}
