/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP and neighbour discovery for others. Worker threads. */
#include "vxlan/vxlan_neigh.h"

#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "vxlan/vxlan_bytes.h"
#include "vxlan/vxlan_sum.h"

/* RFC 826 */
#define ARP_BYTES 28
#define ARP_OPERATION 6
#define ARP_SENDER_MAC 8
#define ARP_SENDER_IP 14
#define ARP_TARGET_MAC 18
#define ARP_TARGET_IP 24
/* RFC 8200, RFC 4861 */
#define IPV6_BYTES 40
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24
#define HOP_LIMIT 255
#define ND_TARGET 8
#define ND_BYTES 24			/* up to the options */
#define ND_OPTION_BYTES 8
#define ND_SOLICITATION 135
#define ND_ADVERTISEMENT 136
#define ND_CHECKSUM 2
#define ND_ROUTER 0x80
#define ND_SOLICITED 0x40
#define ND_OVERRIDE 0x20
#define OPTION_SOURCE_MAC 1
#define OPTION_TARGET_MAC 2

static bool read_arp(const uint8_t *arp, uint32_t n, struct vxlan_neigh_question *question)
{
	static const uint8_t request[8] = {
		0, ARPHRD_ETHER, ETH_P_IP >> 8, ETH_P_IP & 0xff, ETH_ALEN, 4, 0, ARPOP_REQUEST};

	if (n < ARP_BYTES || memcmp(arp, request, sizeof(request)) != 0)
		return false;
	question->ip_version = 4;
	question->asker_mac = arp + ARP_SENDER_MAC;
	question->asker_ip = arp + ARP_SENDER_IP;
	question->target = arp + ARP_TARGET_IP;
	return true;
}

/* The one source link-layer option, which who asks all must have (RFC 4861 section 4.3). NULL: none
 * of this size, several, or options that are broken. */
static const uint8_t *find_source_mac(const uint8_t *options, uint32_t n)
{
	const uint8_t *mac = NULL;

	while (n != 0) {
		uint32_t bytes = n >= ND_OPTION_BYTES ? options[1] * 8u : 0;

		if (bytes == 0 || bytes > n)
			return NULL;
		if (options[0] == OPTION_SOURCE_MAC) {
			if (mac != NULL || bytes != ND_OPTION_BYTES)
				return NULL;
			mac = options + 2;
		}
		options += bytes;
		n -= bytes;
	}
	return mac;
}

/* To the group that this target listens to, ff02::1:ffXX:XXXX (RFC 4291 section 2.7.1). */
static bool is_to_group_of(const uint8_t *destination, const uint8_t *target)
{
	static const uint8_t group[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

	return memcmp(destination, group, sizeof(group)) == 0 &&
	       memcmp(destination + sizeof(group), target + sizeof(group), 3) == 0;
}

static bool read_nd(const uint8_t *ip, uint32_t n, const struct vxlan_inner *inner,
		    bool is_sum_open, struct vxlan_neigh_question *question)
{
	const uint8_t *icmp = ip + IPV6_BYTES;

	/* Right behind the IP header, and whole; RFC 6980 wants no fragments. */
	if (inner->protocol != IPPROTO_ICMPV6 || inner->is_fragment || inner->ip_bytes > n ||
	    inner->upper_offset != inner->ip_offset + IPV6_BYTES ||
	    inner->ip_bytes < IPV6_BYTES + ND_BYTES || ip[7] != HOP_LIMIT ||
	    icmp[0] != ND_SOLICITATION || icmp[1] != 0)
		return false;
	uint32_t n_nd = inner->ip_bytes - IPV6_BYTES;
	struct vxlan_sum sum = {0};

	vxlan_sum_add_pseudo(&sum, ip + IPV6_SOURCE, 32, n_nd, IPPROTO_ICMPV6);
	vxlan_sum_add(&sum, icmp, n_nd);
	if (!is_sum_open && vxlan_sum_fold(&sum) != UINT16_MAX)
		return false;
	question->ip_version = 6;
	question->asker_ip = ip + IPV6_SOURCE;
	question->target = icmp + ND_TARGET;
	question->asker_mac = find_source_mac(icmp + ND_BYTES, n_nd - ND_BYTES);
	return question->asker_mac != NULL && question->target[0] != 0xff &&
	       is_to_group_of(ip + IPV6_DESTINATION, question->target);
}

bool vxlan_neigh_read(const uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner,
		      bool is_sum_open, struct vxlan_neigh_question *question)
{
	const uint8_t *at = head + inner->ip_offset;
	uint32_t n = head_len - inner->ip_offset;
	bool is_read = false;

	*question = (struct vxlan_neigh_question){.head = head, .ip_offset = inner->ip_offset};
	if (inner->ether_type == ETH_P_ARP)
		is_read = read_arp(at, n, question);
	else if (inner->ip_version == 6)
		is_read = read_nd(at, n, inner, is_sum_open, question);
	if (!is_read)
		return false;
	size_t n_ip = question->ip_version == 4 ? 4 : 16;
	const uint8_t *src_mac = head + ETH_ALEN;

	return (head[0] & 1) != 0 && (src_mac[0] & 1) == 0 &&
	       memcmp(question->asker_mac, src_mac, ETH_ALEN) == 0 &&
	       !vxlan_is_zero(question->asker_ip, n_ip) && !vxlan_is_zero(question->target, n_ip) &&
	       memcmp(question->asker_ip, question->target, n_ip) != 0;
}

static void write_arp(uint8_t *arp, const struct vxlan_neigh_question *question, const uint8_t *mac)
{
	memcpy(arp, question->head + question->ip_offset, ARP_OPERATION);
	vxlan_store_be16(arp + ARP_OPERATION, ARPOP_REPLY);
	memcpy(arp + ARP_SENDER_MAC, mac, ETH_ALEN);
	memcpy(arp + ARP_SENDER_IP, question->target, 4);
	memcpy(arp + ARP_TARGET_MAC, question->asker_mac, ETH_ALEN);
	memcpy(arp + ARP_TARGET_IP, question->asker_ip, 4);
}

static void write_nd(uint8_t *ip, const struct vxlan_neigh_question *question, const uint8_t *mac,
		     bool is_router)
{
	uint8_t *icmp = ip + IPV6_BYTES;
	struct vxlan_sum sum = {0};
	uint16_t checksum;

	memset(ip, 0, IPV6_BYTES + ND_BYTES);
	ip[0] = 0x60;
	vxlan_store_be16(ip + 4, ND_BYTES + ND_OPTION_BYTES);
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = HOP_LIMIT;
	memcpy(ip + IPV6_SOURCE, question->target, 16);
	memcpy(ip + IPV6_DESTINATION, question->asker_ip, 16);
	icmp[0] = ND_ADVERTISEMENT;
	icmp[4] = (uint8_t)(ND_SOLICITED | ND_OVERRIDE | (is_router ? ND_ROUTER : 0));
	memcpy(icmp + ND_TARGET, question->target, 16);
	icmp[ND_BYTES] = OPTION_TARGET_MAC;
	icmp[ND_BYTES + 1] = 1;
	memcpy(icmp + ND_BYTES + 2, mac, ETH_ALEN);
	vxlan_sum_add_pseudo(&sum, ip + IPV6_SOURCE, 32, ND_BYTES + ND_OPTION_BYTES,
			     IPPROTO_ICMPV6);
	vxlan_sum_add(&sum, icmp, ND_BYTES + ND_OPTION_BYTES);
	checksum = (uint16_t)~vxlan_sum_fold(&sum);
	memcpy(icmp + ND_CHECKSUM, &checksum, sizeof(checksum));
}

uint32_t vxlan_neigh_answer(const struct vxlan_neigh_question *question, const uint8_t mac[6],
			    bool is_router, uint8_t *out)
{
	uint32_t at = question->ip_offset;

	if (memcmp(mac, question->asker_mac, ETH_ALEN) == 0)
		return 0;
	memcpy(out, question->asker_mac, ETH_ALEN);
	memcpy(out + ETH_ALEN, mac, ETH_ALEN);
	memcpy(out + 2 * ETH_ALEN, question->head + 2 * ETH_ALEN, at - 2 * ETH_ALEN);
	if (question->ip_version == 4) {
		write_arp(out + at, question, mac);
		return at + ARP_BYTES;
	}
	write_nd(out + at, question, mac, is_router);
	return at + IPV6_BYTES + ND_BYTES + ND_OPTION_BYTES;
}
