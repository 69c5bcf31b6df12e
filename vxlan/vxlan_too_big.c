/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors for senders. Worker threads. */
#include "vxlan/vxlan_too_big.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "vxlan/vxlan_bytes.h"
#include "vxlan/vxlan_sum.h"

/* RFC 791, RFC 792, RFC 1191 */
#define IPV4_BYTES 20
#define IPV4_DONT_FRAGMENT 0x40
#define IPV4_CHECKSUM 10
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV4_MTU_MIN 68
#define ICMP_BYTES 8
#define ICMP_CHECKSUM 2
#define ICMP_MTU 6
#define ICMP_UNREACHABLE 3
#define ICMP_NEEDS_FRAGMENTATION 4
#define ICMP_ECHO_REPLY 0
#define ICMP_ECHO 8
#define ICMP_QUOTE_MIN 8		/* behind the IP header: RFC 792 */
#define TOS_INTERNETWORK_CONTROL 0xc0	/* RFC 1812 section 4.3.2.5 */
/* RFC 8200, RFC 4443 */
#define IPV6_BYTES 40
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24
#define IPV6_MTU_MIN 1280
#define ICMP6_TOO_BIG 2
#define ICMP6_INFORMATION 128		/* types from here on are no errors */
#define ICMP6_REDIRECT 137
#define HOP_LIMIT 64

/* One host's address, as a source or as the destination that we answer for. */
static bool is_host_ipv4(const uint8_t *ip)
{
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

static bool is_host_ipv6(const uint8_t *ip)
{
	bool is_unspecified_or_loopback = vxlan_is_zero(ip, 15) && ip[15] <= 1;

	return ip[0] != 0xff && !is_unspecified_or_loopback;
}

/* How much of the packet is quoted: what there is, and no byte behind its end. */
static uint32_t quote_bytes(uint32_t head_len, const struct vxlan_inner *inner)
{
	uint32_t n = head_len - inner->ip_offset;

	if (n > inner->ip_bytes)
		n = inner->ip_bytes;
	return n < VXLAN_TOO_BIG_QUOTE_MAX ? n : VXLAN_TOO_BIG_QUOTE_MAX;
}

static bool is_due_ipv4(const uint8_t *head, uint32_t quoted, const struct vxlan_inner *inner,
			uint32_t mtu_bytes)
{
	const uint8_t *ip = head + inner->ip_offset, *upper = head + inner->upper_offset;
	uint32_t header = (uint32_t)(upper - ip);

	if (mtu_bytes < IPV4_MTU_MIN || mtu_bytes > UINT16_MAX || quoted < header + ICMP_QUOTE_MIN)
		return false;
	if ((ip[6] & IPV4_DONT_FRAGMENT) == 0 || !is_host_ipv4(ip + IPV4_SOURCE) ||
	    !is_host_ipv4(ip + IPV4_DESTINATION))
		return false;
	/* No other query is long enough to be too big. */
	return inner->protocol != IPPROTO_ICMP || upper[0] == ICMP_ECHO ||
	       upper[0] == ICMP_ECHO_REPLY;
}

static bool is_due_ipv6(const uint8_t *head, uint32_t quoted, const struct vxlan_inner *inner,
			uint32_t mtu_bytes)
{
	const uint8_t *ip = head + inner->ip_offset, *upper = head + inner->upper_offset;

	if (mtu_bytes < IPV6_MTU_MIN || quoted <= (uint32_t)(upper - ip) ||
	    !is_host_ipv6(ip + IPV6_SOURCE) || !is_host_ipv6(ip + IPV6_DESTINATION))
		return false;
	return inner->protocol != IPPROTO_ICMPV6 ||
	       (upper[0] >= ICMP6_INFORMATION && upper[0] != ICMP6_REDIRECT);
}

/* Atomic, with DF, so that 0 identifies it (RFC 6864). */
static void write_ipv4(uint8_t *out, const uint8_t *ip, uint32_t quoted, uint32_t mtu_bytes)
{
	uint8_t *icmp = out + IPV4_BYTES;
	struct vxlan_sum ip_sum = {0}, icmp_sum = {0};
	uint16_t checksum;

	memset(out, 0, IPV4_BYTES + ICMP_BYTES);
	out[0] = 0x45;
	out[1] = TOS_INTERNETWORK_CONTROL;
	vxlan_store_be16(out + 2, IPV4_BYTES + ICMP_BYTES + quoted);
	out[6] = IPV4_DONT_FRAGMENT;
	out[8] = HOP_LIMIT;
	out[9] = IPPROTO_ICMP;
	memcpy(out + IPV4_SOURCE, ip + IPV4_DESTINATION, 4);
	memcpy(out + IPV4_DESTINATION, ip + IPV4_SOURCE, 4);
	vxlan_sum_add(&ip_sum, out, IPV4_BYTES);
	checksum = (uint16_t)~vxlan_sum_fold(&ip_sum);
	memcpy(out + IPV4_CHECKSUM, &checksum, sizeof(checksum));

	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = ICMP_NEEDS_FRAGMENTATION;
	vxlan_store_be16(icmp + ICMP_MTU, mtu_bytes);
	memcpy(icmp + ICMP_BYTES, ip, quoted);
	vxlan_sum_add(&icmp_sum, icmp, ICMP_BYTES + quoted);
	checksum = (uint16_t)~vxlan_sum_fold(&icmp_sum);
	memcpy(icmp + ICMP_CHECKSUM, &checksum, sizeof(checksum));
}

static void write_ipv6(uint8_t *out, const uint8_t *ip, uint32_t quoted, uint32_t mtu_bytes)
{
	uint8_t *icmp = out + IPV6_BYTES;
	struct vxlan_sum sum = {0};
	uint16_t checksum;

	memset(out, 0, IPV6_BYTES + ICMP_BYTES);
	out[0] = 0x60;
	vxlan_store_be16(out + 4, ICMP_BYTES + quoted);
	out[6] = IPPROTO_ICMPV6;
	out[7] = HOP_LIMIT;
	memcpy(out + IPV6_SOURCE, ip + IPV6_DESTINATION, 16);
	memcpy(out + IPV6_DESTINATION, ip + IPV6_SOURCE, 16);

	icmp[0] = ICMP6_TOO_BIG;
	vxlan_store_be16(icmp + ICMP_MTU - 2, mtu_bytes >> 16);
	vxlan_store_be16(icmp + ICMP_MTU, mtu_bytes);
	memcpy(icmp + ICMP_BYTES, ip, quoted);
	vxlan_sum_add_pseudo(&sum, out + IPV6_SOURCE, 32, ICMP_BYTES + quoted, IPPROTO_ICMPV6);
	vxlan_sum_add(&sum, icmp, ICMP_BYTES + quoted);
	checksum = (uint16_t)~vxlan_sum_fold(&sum);
	memcpy(icmp + ICMP_CHECKSUM, &checksum, sizeof(checksum));
}

uint32_t vxlan_too_big(const uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner,
		       uint32_t mtu_bytes, uint8_t *out)
{
	/* No upper layer in sight: a later fragment, or something that may hide an ICMP error. */
	if (inner->ip_version == 0 || inner->upper_offset == 0 || !vxlan_is_host_mac(head) ||
	    !vxlan_is_host_mac(head + ETH_ALEN))
		return 0;
	const uint8_t *ip = head + inner->ip_offset;
	uint32_t quoted = quote_bytes(head_len, inner);

	memcpy(out, head + ETH_ALEN, ETH_ALEN);
	memcpy(out + ETH_ALEN, head, ETH_ALEN);
	memcpy(out + 2 * ETH_ALEN, head + 2 * ETH_ALEN, inner->ip_offset - 2 * ETH_ALEN);
	if (inner->ip_version == 4) {
		if (!is_due_ipv4(head, quoted, inner, mtu_bytes))
			return 0;
		write_ipv4(out + inner->ip_offset, ip, quoted, mtu_bytes);
		return inner->ip_offset + IPV4_BYTES + ICMP_BYTES + quoted;
	}
	if (!is_due_ipv6(head, quoted, inner, mtu_bytes))
		return 0;
	write_ipv6(out + inner->ip_offset, ip, quoted, mtu_bytes);
	return inner->ip_offset + IPV6_BYTES + ICMP_BYTES + quoted;
}
