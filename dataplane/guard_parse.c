/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the headers that guards judge. Every step is bounded by the head. Pure; any thread. */
#include "dataplane/guard_parse.h"

#include <net/if_arp.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Offsets and lengths of RFC 791, 826, 4861, 8200. */
#define ARP_BYTES 28
#define IPV4_BYTES 20
#define IPV4_OFFSET_MASK 0x1fff
#define IPV6_BYTES 40
#define IPV6_LENGTH_OFFSET 4
#define ND_FLAGS_OFFSET 4
#define ND_ROUTER 0x80
#define ND_TARGET_OFFSET 8
#define ND_TARGET_BYTES 24	/* neighbour solicitation and advertisement up to the options */
#define ND_RS_BYTES 8
#define ND_SOURCE_MAC 1
#define ND_TARGET_MAC 2
/* Extension headers that <netinet/in.h> has no name for. */
#define NEXT_HIP 139
#define NEXT_SHIM6 140
/* A later fragment may not reach back into the headers that were judged in the first. No sender
 * cuts that small: every link of IPv6 carries 1,280 bytes. */
#define FRAGMENT_OFFSET_MIN 128

enum {
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_NEIGHBOUR_SOLICIT = 135,
	ICMP6_NEIGHBOUR_ADVERT = 136,
};

/* What is left of the head. */
struct cursor {
	const uint8_t *at, *end;
};

/* The next n bytes, or NULL if there are fewer. */
static const uint8_t *take(struct cursor *cursor, size_t n)
{
	const uint8_t *bytes = cursor->at;

	if ((size_t)(cursor->end - cursor->at) < n)
		return NULL;
	cursor->at += n;
	return bytes;
}

static uint16_t load_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= bytes[i];
	return any == 0;
}

/* Goes through tags and SNAP headers. false: deeper than we look, or cut. A length field that no
 * SNAP header follows ends it: that is no IP. */
static bool skip_to_protocol(struct cursor *cursor, uint16_t *protocol)
{
	static const uint8_t snap[3] = {0xaa, 0xaa, 0x03};
	static const uint8_t bridge_tunnel[3] = {0x00, 0x00, 0xf8}; /* IEEE 802.1H */
	const uint8_t *bytes = take(cursor, sizeof(uint16_t));

	for (int i = 0; i <= GUARD_PARSE_TAGS_MAX && bytes != NULL; i++) {
		*protocol = load_be16(bytes);
		if (*protocol == ETH_P_8021Q || *protocol == ETH_P_8021AD ||
		    *protocol == ETH_P_QINQ1) {
			bytes = take(cursor, 4);
			bytes = bytes != NULL ? bytes + 2 : NULL;
			continue;
		}
		if (*protocol >= ETH_P_802_3_MIN || cursor->end - cursor->at < 8 ||
		    memcmp(cursor->at, snap, sizeof(snap)) != 0 ||
		    (!is_zero(cursor->at + 3, 3) &&
		     memcmp(cursor->at + 3, bridge_tunnel, sizeof(bridge_tunnel)) != 0))
			return true;
		bytes = take(cursor, 8) + 6;
	}
	return false;
}

static enum guard_kind parse_arp(struct cursor *cursor, struct guard_headers *headers)
{
	const uint8_t *arp = take(cursor, ARP_BYTES);

	if (arp == NULL || load_be16(arp) != ARPHRD_ETHER || load_be16(arp + 2) != ETH_P_IP ||
	    arp[4] != ETH_ALEN || arp[5] != 4)
		return GUARD_UNREADABLE;
	headers->claim_mac = arp + 8;
	headers->claim_ip = arp + 14;
	headers->claim_version = 4;
	return GUARD_ARP;
}

static enum guard_kind parse_udp(struct cursor *cursor, struct guard_headers *headers)
{
	const uint8_t *udp = take(cursor, 4);

	if (udp == NULL)
		return GUARD_UNREADABLE;
	headers->src_port = load_be16(udp);
	headers->dst_port = load_be16(udp + 2);
	return GUARD_UDP;
}

/* The one option of this type. false: cut, of no length, or there twice, where one receiver takes
 * the first and another the last. */
static bool find_nd_option(struct cursor *cursor, uint8_t type, const uint8_t **mac)
{
	while (cursor->at != cursor->end) {
		const uint8_t *option = cursor->at;

		if (cursor->end - option < 2 || option[1] == 0 ||
		    take(cursor, option[1] * 8u) == NULL)
			return false;
		if (option[0] != type)
			continue;
		if (*mac != NULL)
			return false;
		*mac = option + 2;
	}
	return true;
}

/* Solicitations and neighbour advertisements say who has an address. n_bytes: of the message. */
static enum guard_kind parse_nd(struct cursor *cursor, size_t n_bytes,
				struct guard_headers *headers)
{
	bool is_rs = headers->icmp_type == ICMP6_ROUTER_SOLICIT;
	uint8_t option = headers->icmp_type == ICMP6_NEIGHBOUR_ADVERT ? ND_TARGET_MAC
								      : ND_SOURCE_MAC;
	struct cursor message = {.at = cursor->at, .end = cursor->at + n_bytes};

	if ((size_t)(cursor->end - cursor->at) < n_bytes)
		return GUARD_UNREADABLE;
	const uint8_t *nd = take(&message, is_rs ? ND_RS_BYTES : ND_TARGET_BYTES);

	if (nd == NULL || !find_nd_option(&message, option, &headers->claim_mac))
		return GUARD_UNREADABLE;
	if (headers->icmp_type == ICMP6_NEIGHBOUR_ADVERT) {
		headers->claim_ip = nd + ND_TARGET_OFFSET;
		headers->claims_router = (nd[ND_FLAGS_OFFSET] & ND_ROUTER) != 0;
	} else if (!is_zero(headers->ip_source, 16))
		headers->claim_ip = headers->ip_source;
	else if (!is_rs) /* duplicate address detection, RFC 4862 */
		headers->claim_ip = nd + ND_TARGET_OFFSET;
	headers->claim_version = headers->claim_ip != NULL ? 6 : 0;
	return GUARD_ND;
}

static enum guard_kind parse_ipv4(struct cursor *cursor, struct guard_headers *headers)
{
	const uint8_t *ip = take(cursor, IPV4_BYTES);

	if (ip == NULL || ip[0] >> 4 != 4 || (ip[0] & 15) < 5 ||
	    take(cursor, (ip[0] & 15) * 4u - IPV4_BYTES) == NULL)
		return GUARD_UNREADABLE;
	headers->ip_version = 4;
	headers->ip_source = ip + 12;
	if ((load_be16(ip + 6) & IPV4_OFFSET_MASK) != 0)
		return GUARD_PLAIN;
	if (ip[9] == IPPROTO_UDP)
		return parse_udp(cursor, headers);
	if (ip[9] != IPPROTO_ICMP)
		return GUARD_PLAIN;
	const uint8_t *icmp = take(cursor, 1);

	if (icmp == NULL)
		return GUARD_UNREADABLE;
	headers->icmp_type = icmp[0];
	return GUARD_ICMP;
}

/* Where the chain of extension headers has led. */
struct chain {
	uint8_t next;
	bool is_fragment, is_later_fragment;
};

/* One extension header. false: cut, or a later fragment that could rewrite headers. */
static bool skip_extension(struct cursor *cursor, struct chain *chain)
{
	const uint8_t *extension = take(cursor, 8);

	if (extension == NULL)
		return false;
	uint8_t type = chain->next;

	chain->next = extension[0];
	if (type == IPPROTO_FRAGMENT) {
		uint16_t offset = load_be16(extension + 2) & 0xfff8;

		chain->is_fragment = true;
		chain->is_later_fragment = offset != 0;
		return offset == 0 || offset >= FRAGMENT_OFFSET_MIN;
	}
	/* The length counts what follows these eight bytes: in words of four for an authentication
	 * header (RFC 4302), in words of eight for the others. */
	return take(cursor, extension[1] * (type == IPPROTO_AH ? 4u : 8u)) != NULL;
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_AH || next == IPPROTO_MH ||
	       next == NEXT_HIP || next == NEXT_SHIM6;
}

/* n_bytes: of the message, as the IP header has it. */
static enum guard_kind parse_icmp6(struct cursor *cursor, const struct chain *chain,
				   ptrdiff_t n_bytes, struct guard_headers *headers)
{
	if (cursor->at == cursor->end || n_bytes <= 0)
		return GUARD_UNREADABLE;
	headers->icmp_type = cursor->at[0];
	if (headers->icmp_type != ICMP6_ROUTER_SOLICIT &&
	    headers->icmp_type != ICMP6_NEIGHBOUR_SOLICIT &&
	    headers->icmp_type != ICMP6_NEIGHBOUR_ADVERT)
		return GUARD_ICMP;
	/* RFC 6980: neighbour discovery does not come in fragments. */
	if (chain->is_fragment)
		return GUARD_UNREADABLE;
	return parse_nd(cursor, (size_t)n_bytes, headers);
}

static enum guard_kind parse_ipv6(struct cursor *cursor, struct guard_headers *headers)
{
	const uint8_t *ip = take(cursor, IPV6_BYTES);

	if (ip == NULL || ip[0] >> 4 != 6)
		return GUARD_UNREADABLE;
	struct chain chain = {.next = ip[6]};
	const uint8_t *payload = cursor->at;
	int n = 0;

	headers->ip_version = 6;
	headers->ip_source = ip + 8;
	for (; is_extension(chain.next) && n < GUARD_PARSE_EXTENSIONS_MAX; n++) {
		if (!skip_extension(cursor, &chain))
			return GUARD_UNREADABLE;
		if (chain.is_later_fragment)
			return GUARD_PLAIN;
	}
	if (is_extension(chain.next))
		return GUARD_UNREADABLE;
	if (chain.next == IPPROTO_UDP)
		return parse_udp(cursor, headers);
	if (chain.next == IPPROTO_ICMPV6)
		return parse_icmp6(cursor, &chain,
				   load_be16(ip + IPV6_LENGTH_OFFSET) - (cursor->at - payload),
				   headers);
	return GUARD_PLAIN;
}

void guard_parse(const uint8_t *head, uint16_t n_bytes, struct guard_headers *headers)
{
	struct cursor cursor = {.at = head + 2 * ETH_ALEN, .end = head + n_bytes};
	uint16_t protocol = 0;

	*headers = (struct guard_headers){.kind = GUARD_PLAIN};
	if (!skip_to_protocol(&cursor, &protocol))
		headers->kind = GUARD_UNREADABLE;
	else if (protocol == ETH_P_ARP)
		headers->kind = parse_arp(&cursor, headers);
	else if (protocol == ETH_P_IP)
		headers->kind = parse_ipv4(&cursor, headers);
	else if (protocol == ETH_P_IPV6)
		headers->kind = parse_ipv6(&cursor, headers);
}
