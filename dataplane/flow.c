/* SPDX-License-Identifier: BSD-3-Clause */
/* Flow hash over a frame's private head. Worker threads. */
#include "dataplane/flow.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#define TAGS_MAX 2
#define NO_SEED 0	     /* some queues: which flows share one is found out by trying, too */
#define IPV4_FRAGMENT 0x3fff /* more fragments, or an offset */

/* Any odd constant with many bits would do; this one is 2^64 over the golden ratio. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

static uint64_t mix_bytes(uint64_t hash, const uint8_t *at, unsigned int bytes)
{
	while (bytes != 0) {
		uint64_t word = 0;
		unsigned int part = bytes < sizeof(word) ? bytes : sizeof(word);

		memcpy(&word, at, part);
		hash = mix(hash, word);
		at += part;
		bytes -= part;
	}
	return hash;
}

static uint16_t read_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint64_t mix_ports(uint64_t hash, const struct frame *frame, unsigned int at,
			  uint8_t protocol)
{
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP)
		return hash;
	return at + 4 <= frame->head_len ? mix_bytes(hash, frame->head + at, 4) : hash;
}

static uint64_t mix_ipv4(uint64_t hash, const struct frame *frame, unsigned int at)
{
	const uint8_t *ip = frame->head + at;
	unsigned int header_bytes;

	if (at + 20 > frame->head_len)
		return hash;
	hash = mix(mix_bytes(hash, ip + 12, 8), ip[9]);
	/* Only the first fragment has ports: all of a packet must go the same way. */
	if ((read_u16(ip + 6) & IPV4_FRAGMENT) != 0)
		return hash;
	header_bytes = (ip[0] & 15u) * 4;
	return mix_ports(hash, frame, at + header_bytes, ip[9]);
}

static uint64_t mix_ipv6(uint64_t hash, const struct frame *frame, unsigned int at)
{
	const uint8_t *ip = frame->head + at;

	if (at + 40 > frame->head_len)
		return hash;
	/* Behind an extension header, a fragment's among them, addresses have to do. */
	hash = mix_bytes(hash, ip + 8, 32);
	return mix_ports(hash, frame, at + 40, ip[6]);
}

static bool is_tag(uint16_t type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD || type == ETH_P_QINQ1;
}

uint32_t flow_hash(const struct frame *frame, uint64_t seed)
{
	unsigned int at = 2 * ETH_ALEN;
	uint64_t hash;

	if (frame->head_len < 2 * ETH_ALEN + 2)
		return 0;
	hash = mix_bytes(seed, frame->head, 2 * ETH_ALEN);
	for (unsigned int i = 0; i < TAGS_MAX && at + 6 <= frame->head_len; i++) {
		if (!is_tag(read_u16(frame->head + at)))
			break;
		at += 4;
	}
	uint16_t type = read_u16(frame->head + at);

	if (type == ETH_P_IP)
		hash = mix_ipv4(hash, frame, at + 2);
	else if (type == ETH_P_IPV6)
		hash = mix_ipv6(hash, frame, at + 2);
	return (uint32_t)hash;
}

void flow_spread(const struct burst *burst, const uint8_t *order, unsigned int n,
		 unsigned int n_queues, struct flow_lists *lists)
{
	memset(lists->n, 0, n_queues);
	for (unsigned int i = 0; i < n; i++) {
		uint64_t hash = flow_hash(&burst->frames[order[i]], NO_SEED);
		unsigned int queue = (unsigned int)(hash * n_queues >> 32);

		lists->order[queue][lists->n[queue]++] = order[i];
	}
}
