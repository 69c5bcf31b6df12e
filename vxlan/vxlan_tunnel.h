/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Into a tunnel: the outer headers of all frames from one address to another, made once, and
 * stamped per frame. Pure; a tunnel that is not being initialised can be used by any thread.
 *
 *     Ethernet 14 | IPv4 20 or IPv6 40 | UDP 8 | VXLAN 8
 *                   TOS, length,         ports,  VNI        <- stamped
 *                   checksum or label    length
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vxlan/vxlan.h"
#include "vxlan/vxlan_sum.h"

#define VXLAN_TUNNEL_TTL 64
/* The longest inner frames: IPv4 counts its header in 16 bits of length, IPv6 does not. */
#define VXLAN_TUNNEL_INNER_MAX_IPV4 (65535u - 20 - 8 - 8)
#define VXLAN_TUNNEL_INNER_MAX_IPV6 (65535u - 8 - 8)

/* The outer UDP checksum: RFC 7348 section 5 wants none; IPv6 has one (RFC 8200 section 8.1) unless
 * both ends are set up to do without (RFC 6935, RFC 6936). */
enum vxlan_tunnel_checksum {
	VXLAN_TUNNEL_CHECKSUM_DEFAULT,	/* IPv4 none, IPv6 yes */
	VXLAN_TUNNEL_CHECKSUM_NONE,
	VXLAN_TUNNEL_CHECKSUM_FULL,
};

struct vxlan_tunnel_options {
	uint8_t ip_version;		/* 4, 6 */
	uint8_t src_mac[6], dst_mac[6];	/* dst: of the next hop */
	uint8_t src_ip[16], dst_ip[16];	/* IPv4: the first four */
	uint16_t port;			/* UDP destination; 0: VXLAN_PORT */
	uint8_t ttl;			/* 0: VXLAN_TUNNEL_TTL */
	uint8_t dscp;			/* of the outer header, 0 to 63 */
	bool inherits_dscp;		/* the inner header's instead; `dscp` must be 0 */
	enum vxlan_tunnel_checksum checksum;
};

struct vxlan_tunnel {
	uint8_t header[VXLAN_OVERHEAD_IPV6_BYTES];	/* what is stamped is 0 */
	uint8_t header_bytes;		/* VXLAN_OVERHEAD_IPV4_BYTES or _IPV6_BYTES */
	uint8_t ip_version;
	uint8_t tos;			/* the fixed part */
	uint8_t inner_tos_mask;		/* what comes from inside: ECN, perhaps DSCP */
	bool has_checksum;		/* vxlan_tunnel_seal() is to be called */
	struct vxlan_sum ip_sum;	/* of `header`'s IPv4 header */
};

/* -EINVAL: a number out of its range, or an address that is zero or multicast. */
int vxlan_tunnel_init(struct vxlan_tunnel *tunnel, const struct vxlan_tunnel_options *options);

/*
 * Stamps the headers of one frame into `out`, which has room for tunnel->header_bytes, and returns
 * how many these are. 0: an inner frame of inner_bytes fits no datagram.
 *
 * flow_hash: vxlan_flow_hash(); it makes the source port and IPv6's flow label. inner_tos: struct
 * vxlan_inner; its ECN goes out (RFC 6040 section 4.1, normal mode). IPv4 goes with DF, since a
 * tunnel must not be fragmented (RFC 7348 section 4.3), and so with an identification of 0
 * (RFC 6864). The UDP checksum is 0 until the datagram is sealed.
 */
uint32_t vxlan_tunnel_encap(const struct vxlan_tunnel *tunnel, uint32_t vni, uint32_t inner_bytes,
			    uint32_t flow_hash, uint8_t inner_tos, uint8_t *out);

/* From the tunnel's port to another one, as a server answers: for headers that are stamped and not
 * yet sealed. */
void vxlan_tunnel_set_ports(const struct vxlan_tunnel *tunnel, uint8_t *out, uint16_t dst_port);

/* Writes the UDP checksum into headers that vxlan_tunnel_encap() has stamped. inner: the sum of
 * the inner frame, started at {0}. */
void vxlan_tunnel_seal(const struct vxlan_tunnel *tunnel, uint8_t *out,
		       const struct vxlan_sum *inner);
