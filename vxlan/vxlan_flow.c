/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash of a flow. Worker threads, for each frame that enters a tunnel. */
#include "vxlan/vxlan_flow.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "vxlan/vxlan_bytes.h"

/* Odd numbers without a pattern: the first 64 bits of the fractions of the square roots of 2, 3, 5
 * and 7. */
#define KEY_0 0x6a09e667f3bcc909ULL
#define KEY_1 0xbb67ae8584caa73bULL
#define KEY_2 0x3c6ef372fe94f82bULL
#define KEY_3 0xa54ff53a5f1d36f1ULL

/* Every bit of the result depends on every bit of both: the halves of the long product. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load64(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static uint32_t load32(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Its first four bytes name the flow. */
static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE || protocol == IPPROTO_ESP;
}

/* What tells apart the flows between two addresses. */
static uint64_t upper_word(const uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner)
{
	if (inner->is_fragment || inner->upper_offset == 0)
		return 0;
	uint64_t word = (uint64_t)inner->protocol << 32;

	if (has_ports(inner->protocol) && head_len - inner->upper_offset >= 4)
		word |= load32(head + inner->upper_offset);
	return word;
}

uint32_t vxlan_flow_hash(const uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner)
{
	const uint8_t *ip = head + inner->ip_offset;
	uint64_t hash, upper;

	if (head_len < ETH_HLEN)
		return 0;
	if (inner->ip_version == 4) {
		upper = upper_word(head, head_len, inner);
		hash = mix(load64(ip + 12) ^ KEY_0, upper ^ KEY_1);
	} else if (inner->ip_version == 6) {
		upper = upper_word(head, head_len, inner);
		hash = mix(load64(ip + 8) ^ KEY_0, load64(ip + 16) ^ KEY_1);
		hash ^= mix(load64(ip + 24) ^ KEY_2, load64(ip + 32) ^ KEY_3);
		hash = mix(hash ^ KEY_0, upper ^ KEY_1);
	} else {
		upper = (uint64_t)inner->ether_type << 32 | load32(head + 8);
		hash = mix(load64(head) ^ KEY_0, upper ^ KEY_1);
	}
	return (uint32_t)(mix(hash ^ KEY_2, KEY_3) >> 32);
}
