/* SPDX-License-Identifier: BSD-3-Clause */
/* Outer headers. Init: main thread; the rest: worker threads. */
#include "vxlan/vxlan_tunnel.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "vxlan/vxlan_bytes.h"
#include "vxlan/vxlan_flow.h"

/* Offsets and lengths of RFC 791, RFC 8200, RFC 768. */
#define IPV4_BYTES 20
#define IPV4_DONT_FRAGMENT 0x40
#define IPV4_CHECKSUM 10
#define IPV4_ADDRESSES 12
#define IPV6_BYTES 40
#define IPV6_ADDRESSES 8
#define UDP_BYTES 8
#define UDP_CHECKSUM 6
#define DSCP_MAX 63
#define ECN_MASK 3

static bool is_usable_address(const uint8_t *ip, uint8_t version)
{
	if (vxlan_is_zero(ip, version == 4 ? 4 : 16))
		return false;
	return version == 4 ? ip[0] < 224 : ip[0] != 0xff;
}

static bool is_valid(const struct vxlan_tunnel_options *options)
{
	return (options->ip_version == 4 || options->ip_version == 6) &&
	       is_usable_address(options->src_ip, options->ip_version) &&
	       is_usable_address(options->dst_ip, options->ip_version) &&
	       vxlan_is_host_mac(options->src_mac) && vxlan_is_host_mac(options->dst_mac) &&
	       options->dscp <= DSCP_MAX && (!options->inherits_dscp || options->dscp == 0) &&
	       (unsigned int)options->checksum <= VXLAN_TUNNEL_CHECKSUM_FULL;
}

static void write_ipv4(uint8_t *ip, const struct vxlan_tunnel_options *options)
{
	ip[0] = 0x45;
	ip[6] = IPV4_DONT_FRAGMENT;
	ip[8] = options->ttl != 0 ? options->ttl : VXLAN_TUNNEL_TTL;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + IPV4_ADDRESSES, options->src_ip, 4);
	memcpy(ip + IPV4_ADDRESSES + 4, options->dst_ip, 4);
}

static void write_ipv6(uint8_t *ip, const struct vxlan_tunnel_options *options)
{
	ip[0] = 0x60;
	ip[6] = IPPROTO_UDP;
	ip[7] = options->ttl != 0 ? options->ttl : VXLAN_TUNNEL_TTL;
	memcpy(ip + IPV6_ADDRESSES, options->src_ip, 16);
	memcpy(ip + IPV6_ADDRESSES + 16, options->dst_ip, 16);
}

int vxlan_tunnel_init(struct vxlan_tunnel *tunnel, const struct vxlan_tunnel_options *options)
{
	if (!is_valid(options))
		return -EINVAL;
	bool is_ipv4 = options->ip_version == 4;

	*tunnel = (struct vxlan_tunnel){
		.ip_version = options->ip_version,
		.header_bytes = is_ipv4 ? VXLAN_OVERHEAD_IPV4_BYTES : VXLAN_OVERHEAD_IPV6_BYTES,
		.tos = (uint8_t)(options->dscp << 2),
		.inner_tos_mask = options->inherits_dscp ? UINT8_MAX : ECN_MASK,
		.has_checksum = options->checksum == VXLAN_TUNNEL_CHECKSUM_DEFAULT
					? !is_ipv4
					: options->checksum == VXLAN_TUNNEL_CHECKSUM_FULL,
	};
	memcpy(tunnel->header, options->dst_mac, ETH_ALEN);
	memcpy(tunnel->header + ETH_ALEN, options->src_mac, ETH_ALEN);
	uint8_t *ip = tunnel->header + ETH_HLEN;

	vxlan_store_be16(ip - 2, is_ipv4 ? ETH_P_IP : ETH_P_IPV6);
	if (is_ipv4) {
		write_ipv4(ip, options);
		vxlan_sum_add(&tunnel->ip_sum, ip, IPV4_BYTES);
	} else {
		write_ipv6(ip, options);
	}
	uint8_t *vxlan = tunnel->header + tunnel->header_bytes - sizeof(struct vxlan_header);

	vxlan_store_be16(vxlan - UDP_BYTES + 2, options->port != 0 ? options->port : VXLAN_PORT);
	vxlan[0] = VXLAN_FLAG_VNI;
	return 0;
}

/* The checksum of the header is the sum of what is the same for all frames and of these two. */
static void stamp_ipv4(const struct vxlan_tunnel *tunnel, uint8_t *ip, uint8_t tos, uint32_t n)
{
	uint64_t words = tunnel->ip_sum.words + htons(tos) + htons((uint16_t)n);
	uint16_t checksum = (uint16_t)~vxlan_sum_fold_words(words);

	ip[1] = tos;
	vxlan_store_be16(ip + 2, n);
	memcpy(ip + IPV4_CHECKSUM, &checksum, sizeof(checksum));
}

static void stamp_ipv6(uint8_t *ip, uint8_t tos, uint32_t label, uint32_t n)
{
	ip[0] = (uint8_t)(0x60 | tos >> 4);
	ip[1] = (uint8_t)(tos << 4 | label >> 16);
	vxlan_store_be16(ip + 2, label);
	vxlan_store_be16(ip + 4, n);
}

uint32_t vxlan_tunnel_encap(const struct vxlan_tunnel *tunnel, uint32_t vni, uint32_t inner_bytes,
			    uint32_t flow_hash, uint8_t inner_tos, uint8_t *out)
{
	uint8_t tos = tunnel->tos | (inner_tos & tunnel->inner_tos_mask);
	uint32_t n = inner_bytes + UDP_BYTES + sizeof(struct vxlan_header);
	uint8_t *udp;

	/* Copies of a known length are a few instructions. */
	if (tunnel->ip_version == 4) {
		if (inner_bytes > VXLAN_TUNNEL_INNER_MAX_IPV4)
			return 0;
		memcpy(out, tunnel->header, VXLAN_OVERHEAD_IPV4_BYTES);
		stamp_ipv4(tunnel, out + ETH_HLEN, tos, n + IPV4_BYTES);
		udp = out + ETH_HLEN + IPV4_BYTES;
	} else {
		if (inner_bytes > VXLAN_TUNNEL_INNER_MAX_IPV6)
			return 0;
		memcpy(out, tunnel->header, VXLAN_OVERHEAD_IPV6_BYTES);
		stamp_ipv6(out + ETH_HLEN, tos, vxlan_flow_label(flow_hash), n);
		udp = out + ETH_HLEN + IPV6_BYTES;
	}
	vxlan_store_be16(udp, vxlan_flow_port(flow_hash));
	vxlan_store_be16(udp + 4, n);
	udp[UDP_BYTES + offsetof(struct vxlan_header, vni)] = (uint8_t)(vni >> 16);
	vxlan_store_be16(udp + UDP_BYTES + offsetof(struct vxlan_header, vni) + 1, vni);
	return tunnel->header_bytes;
}

void vxlan_tunnel_set_ports(const struct vxlan_tunnel *tunnel, uint8_t *out, uint16_t dst_port)
{
	uint8_t *udp = out + tunnel->header_bytes - sizeof(struct vxlan_header) - UDP_BYTES;

	memcpy(udp, udp + 2, 2);
	vxlan_store_be16(udp + 2, dst_port);
}

void vxlan_tunnel_seal(const struct vxlan_tunnel *tunnel, uint8_t *out,
		       const struct vxlan_sum *inner)
{
	bool is_ipv4 = tunnel->ip_version == 4;
	const uint8_t *addresses = out + ETH_HLEN + (is_ipv4 ? IPV4_ADDRESSES : IPV6_ADDRESSES);
	uint8_t *udp = out + ETH_HLEN + (is_ipv4 ? IPV4_BYTES : IPV6_BYTES);
	struct vxlan_sum sum = {.words = inner->words};
	uint16_t checksum;

	memset(udp + UDP_CHECKSUM, 0, sizeof(checksum));
	vxlan_sum_add_pseudo(&sum, addresses, is_ipv4 ? 8 : 32, vxlan_load_be16(udp + 4),
			     IPPROTO_UDP);
	vxlan_sum_add(&sum, udp, UDP_BYTES + sizeof(struct vxlan_header));
	checksum = (uint16_t)~vxlan_sum_fold(&sum);
	/* Both mean zero, but 0 says that there is no checksum (RFC 768). */
	if (checksum == 0)
		checksum = UINT16_MAX;
	memcpy(udp + UDP_CHECKSUM, &checksum, sizeof(checksum));
}
