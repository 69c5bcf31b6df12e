/* SPDX-License-Identifier: BSD-3-Clause */
/* See why_frames.h. Pure. */
#include "control/why_frames.h"

#include <linux/if_ether.h>
#include <string.h>

#define ETHERTYPE_EXPERIMENT 0x88b5 /* IEEE 802, local experimental 1 */
#define FRAME_BYTES_MIN 60
#define IPV4_BYTES 20
#define IPV6_BYTES 40
#define UDP_BYTES 8
#define UDP_DISCARD 9
#define TTL 64

static size_t put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return 2;
}

/* With the tag of the sender's segment, if its wire has tags. */
static size_t put_header(const struct why_end *from, const uint8_t dst[6], unsigned int ethertype,
			 uint8_t *bytes)
{
	size_t n = 2 * ETH_ALEN;

	memset(bytes, 0, WHY_FRAME_BYTES);
	memcpy(bytes, dst, ETH_ALEN);
	memcpy(bytes + ETH_ALEN, from->mac, ETH_ALEN);
	if (from->vlan != 0) {
		n += put16(bytes + n, ETH_P_8021Q);
		n += put16(bytes + n, from->vlan);
	}
	return n + put16(bytes + n, ethertype);
}

size_t why_frames_question(const struct why_end *from, const struct why_end *to,
			   uint8_t bytes[WHY_FRAME_BYTES])
{
	static const uint8_t broadcast[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t request[8] = {0, 1, 8, 0, 6, 4, 0, 1}; /* RFC 826: Ethernet, IPv4 */
	bool is_arp = from->ip_version == 4 && to->ip_version == 4;
	size_t n = put_header(from, broadcast, is_arp ? ETH_P_ARP : ETHERTYPE_EXPERIMENT, bytes);

	if (is_arp) {
		memcpy(bytes + n, request, sizeof(request));
		memcpy(bytes + n + 8, from->mac, ETH_ALEN);
		memcpy(bytes + n + 14, from->ip, 4);
		memcpy(bytes + n + 24, to->ip, 4);
		n += 28;
	}
	return n < FRAME_BYTES_MIN ? FRAME_BYTES_MIN : n;
}

/* RFC 1071. */
static unsigned int sum_of(const uint8_t *bytes, size_t n)
{
	unsigned int sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (unsigned int)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void put_udp(uint8_t *at, size_t bytes)
{
	put16(at, UDP_DISCARD);
	put16(at + 2, UDP_DISCARD);
	put16(at + 4, (unsigned int)bytes);
}

static void put_ipv4(const struct why_end *from, const struct why_end *to, size_t ip_bytes,
		     uint8_t *at)
{
	at[0] = 0x45;
	put16(at + 2, (unsigned int)ip_bytes);
	at[6] = 0x40; /* not to be fragmented */
	at[8] = TTL;
	at[9] = 17;
	memcpy(at + 12, from->ip, 4);
	memcpy(at + 16, to->ip, 4);
	put16(at + 10, sum_of(at, IPV4_BYTES));
	put_udp(at + IPV4_BYTES, ip_bytes - IPV4_BYTES);
}

static void put_ipv6(const struct why_end *from, const struct why_end *to, size_t ip_bytes,
		     uint8_t *at)
{
	at[0] = 0x60;
	put16(at + 4, (unsigned int)(ip_bytes - IPV6_BYTES));
	at[6] = 17;
	at[7] = TTL;
	memcpy(at + 8, from->ip, 16);
	memcpy(at + 24, to->ip, 16);
	put_udp(at + IPV6_BYTES, ip_bytes - IPV6_BYTES);
}

size_t why_frames_packet(const struct why_end *from, const struct why_end *to, size_t ip_bytes,
			 uint8_t bytes[WHY_FRAME_BYTES])
{
	size_t room = WHY_FRAME_BYTES - ETH_HLEN - 4, least = IPV6_BYTES + UDP_BYTES, n;
	uint8_t version = from->ip_version == to->ip_version ? from->ip_version : 0;

	ip_bytes = ip_bytes > room ? room : ip_bytes < least ? least : ip_bytes;
	n = put_header(from, to->mac,
		       version == 4   ? ETH_P_IP
		       : version == 6 ? ETH_P_IPV6
				      : ETHERTYPE_EXPERIMENT,
		       bytes);
	if (version == 4)
		put_ipv4(from, to, ip_bytes, bytes + n);
	else if (version == 6)
		put_ipv6(from, to, ip_bytes, bytes + n);
	n += ip_bytes;
	return n < FRAME_BYTES_MIN ? FRAME_BYTES_MIN : n;
}
