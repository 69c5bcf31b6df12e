/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The answer to a frame that does not fit the tunnel, for its sender: ICMP "fragmentation needed"
 * (RFC 792, RFC 1191) or ICMPv6 "packet too big" (RFC 4443, RFC 8201). A switch has no address in
 * the segment, so it speaks for the host that the frame is meant for. Pure; any thread.
 */
#pragma once

#include <stdint.h>

#include "vxlan/vxlan_inner.h"

/* What is quoted of the frame's packet, at most: enough for the sender to find its socket, and far
 * below the 576 and 1,280 bytes that an error may have. */
#define VXLAN_TOO_BIG_QUOTE_MAX 128
/* MACs, two tags, EtherType; IPv6 and ICMPv6 headers; the quote. */
#define VXLAN_TOO_BIG_BYTES_MAX (22 + 40 + 8 + VXLAN_TOO_BIG_QUOTE_MAX)

/*
 * Writes the answer to a frame whose IP packet is longer than mtu_bytes, the largest that fits, and
 * returns its length. out: VXLAN_TOO_BIG_BYTES_MAX bytes, apart from the head. Tags are kept.
 *
 * 0: none is due, RFC 1122 section 3.2.2 and RFC 4443 section 2.4: not IP; IPv4 without DF; a later
 * fragment; an ICMP message that is, or may be, an error; to or from a group, or addresses that
 * name no single host; headers cut; or an MTU that the protocol does not have (below 68, 1,280).
 * How often one may answer (RFC 4443 section 2.4, f) is up to the caller.
 */
uint32_t vxlan_too_big(const uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner,
		       uint32_t mtu_bytes, uint8_t *out);
