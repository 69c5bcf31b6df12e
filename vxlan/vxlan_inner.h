/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the headers of an inner frame lie, read once: the flow hash, ECN, the MSS clamp and the
 * answers that are made for a sender all go by it. Pure; any thread.
 *
 *     MACs 12 | up to two tags | EtherType 2 | IP, options | upper layer
 *     0       12                             ip_offset     upper_offset
 *
 * It looks at headers, not at their honesty: it is no guard (dataplane/guard_parse.h is).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VXLAN_INNER_TAGS_MAX 2		/* 802.1Q, 802.1ad */
#define VXLAN_INNER_EXTENSIONS_MAX 8	/* IPv6 extension headers */

struct vxlan_inner {
	uint8_t ip_version;	/* 4, 6; 0: not IP, or its header is cut or wrong */
	uint8_t n_tags;
	uint8_t tos;		/* DSCP << 2 | ECN (RFC 2474, RFC 3168); 0 if not IP */
	uint8_t protocol;	/* of the upper layer, if upper_offset is not 0 */
	bool is_fragment;	/* any of several, the first included */
	uint16_t ether_type;	/* behind the tags; a tag's if that is cut or one too many */
	uint16_t ip_offset;	/* of what follows the EtherType, be it IP or not */
	uint16_t upper_offset;	/* 0: none in sight: a later fragment, or headers cut */
	uint32_t ip_bytes;	/* by its header; may be more than there is */
};

/* head: head_len bytes of the frame, from its destination MAC on; any number. */
void vxlan_inner_read(const uint8_t *head, uint32_t head_len, struct vxlan_inner *inner);
