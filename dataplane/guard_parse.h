/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the guards need to know of a frame, read from its private head. Pure; any thread.
 *
 * The reader goes where a receiver's reader would go: through VLAN and priority tags, LLC/SNAP
 * (a frame with a length field can carry IP too), IPv4 options, IPv6 extension headers and the
 * first of several fragments. It goes no further than the head and a fixed number of steps. Where a
 * receiver could read on and it cannot, the answer is GUARD_UNREADABLE, never "nothing there":
 * hiding a header deeper than a guard looks is how guards are evaded (RFC 6105, RFC 7113).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GUARD_PARSE_TAGS_MAX 4		/* tags and SNAP headers in front of the protocol */
#define GUARD_PARSE_EXTENSIONS_MAX 8	/* IPv6 extension headers */

enum guard_kind {
	GUARD_PLAIN,	/* nothing that a guard looks at, but perhaps a source address */
	GUARD_UDP,
	GUARD_ICMP,	/* of ip_version */
	GUARD_ARP,
	GUARD_ND,	/* ICMPv6 router or neighbour solicitation, neighbour advertisement */
	GUARD_UNREADABLE,
};

/* The pointers point into the head, or are NULL. An address has 4 or 16 bytes. */
struct guard_headers {
	enum guard_kind kind;
	uint8_t ip_version;	/* 4, 6; 0: not IP */
	uint8_t icmp_type;
	uint16_t src_port, dst_port;
	const uint8_t *ip_source;
	/* ARP, ND: the sender says that this address is at this MAC (NULL: at the frame's). */
	uint8_t claim_version;	/* 4, 6; 0: it says no such thing */
	const uint8_t *claim_ip;
	const uint8_t *claim_mac;
	bool claims_router;	/* a neighbour advertisement with the R flag */
};

/* head: n_bytes of the frame from its destination address on, at least an Ethernet header. */
void guard_parse(const uint8_t *head, uint16_t n_bytes, struct guard_headers *headers);
