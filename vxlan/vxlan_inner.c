/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the headers of an inner frame. Every step is bounded by the head. Any thread. */
#include "vxlan/vxlan_inner.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include "vxlan/vxlan_bytes.h"

/* Offsets and lengths of RFC 791 and RFC 8200. */
#define IPV4_BYTES 20
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET_MASK 0x1fff
#define IPV6_BYTES 40
#define IPV6_FRAGMENT_OFFSET_MASK 0xfff8
#define EXTENSION_BYTES 8

/* ip: n bytes from the IP header on. */
static void read_ipv4(const uint8_t *ip, uint32_t n, struct vxlan_inner *inner)
{
	uint32_t header = n >= IPV4_BYTES ? (ip[0] & 15) * 4u : 0;

	if (header < IPV4_BYTES || header > n || ip[0] >> 4 != 4)
		return;
	uint16_t fragment = vxlan_load_be16(ip + 6);

	inner->ip_version = 4;
	inner->tos = ip[1];
	inner->ip_bytes = vxlan_load_be16(ip + 2);
	inner->protocol = ip[9];
	inner->is_fragment = (fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK)) != 0;
	if ((fragment & IPV4_OFFSET_MASK) == 0)
		inner->upper_offset = (uint16_t)(inner->ip_offset + header);
}

/* Those that can be stepped over: what an authentication header covers is left alone. */
static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS;
}

static void read_ipv6(const uint8_t *ip, uint32_t n, struct vxlan_inner *inner)
{
	if (n < IPV6_BYTES || ip[0] >> 4 != 6)
		return;
	uint8_t next = ip[6];
	uint32_t at = IPV6_BYTES;

	inner->ip_version = 6;
	inner->tos = (uint8_t)(vxlan_load_be16(ip) >> 4);
	inner->ip_bytes = IPV6_BYTES + vxlan_load_be16(ip + 4);
	for (int i = 0; is_extension(next); i++) {
		if (i == VXLAN_INNER_EXTENSIONS_MAX || n - at < EXTENSION_BYTES)
			return;
		const uint8_t *extension = ip + at;
		uint32_t bytes = EXTENSION_BYTES;

		if (next == IPPROTO_FRAGMENT) {
			inner->is_fragment = true;
			if ((vxlan_load_be16(extension + 2) & IPV6_FRAGMENT_OFFSET_MASK) != 0)
				return;
		} else {
			bytes += extension[1] * 8u;
		}
		if (n - at < bytes)
			return;
		next = extension[0];
		at += bytes;
	}
	inner->protocol = next;
	inner->upper_offset = (uint16_t)(inner->ip_offset + at);
}

void vxlan_inner_read(const uint8_t *head, uint32_t head_len, struct vxlan_inner *inner)
{
	uint32_t at = ETH_HLEN;

	*inner = (struct vxlan_inner){0};
	if (head_len < ETH_HLEN)
		return;
	uint16_t type = vxlan_load_be16(head + at - 2);

	while (vxlan_is_tag(type) && inner->n_tags < VXLAN_INNER_TAGS_MAX && head_len - at >= 4) {
		inner->n_tags++;
		at += 4;
		type = vxlan_load_be16(head + at - 2);
	}
	inner->ether_type = type;
	inner->ip_offset = (uint16_t)at;
	if (type == ETH_P_IP)
		read_ipv4(head + at, head_len - at, inner);
	else if (type == ETH_P_IPV6)
		read_ipv6(head + at, head_len - at, inner);
}
