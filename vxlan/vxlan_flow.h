/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entropy for the underlay: a hash that is the same for all frames of an inner flow and differs
 * between flows, so that routers and bonds spread flows and never reorder one (RFC 7348 section 5,
 * "Source Port"). It has no key: a flow keeps its port when weft starts again. Pure; any thread.
 *
 * hashed: IP addresses, protocol and ports (of ESP: its SPI). Fragments, which do not all have
 * ports: addresses, so that those of one datagram stay together. No IP: MACs and EtherType.
 */
#pragma once

#include <linux/if_ether.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "vxlan/vxlan_bytes.h"
#include "vxlan/vxlan_inner.h"

/* inner: what vxlan_inner_read() says of this head. A head without room for MACs: 0. */
uint32_t vxlan_flow_hash(const uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner);

/* Ethernet, IPv4 without options, ports: what has less is not compared with others. */
#define VXLAN_FLOW_SAME_BYTES_MIN (ETH_HLEN + 20 + 4)

/* Of the bytes from an offset on: those in which two heads differ. */
static inline uint64_t vxlan_flow_differ64(const uint8_t *a, const uint8_t *b, uint32_t at)
{
	uint64_t word_a, word_b;

	memcpy(&word_a, a + at, sizeof(word_a));
	memcpy(&word_b, b + at, sizeof(word_b));
	return word_a ^ word_b;
}

static inline uint64_t vxlan_flow_differ32(const uint8_t *a, const uint8_t *b, uint32_t at)
{
	uint32_t word_a, word_b;

	memcpy(&word_a, a + at, sizeof(word_a));
	memcpy(&word_b, b + at, sizeof(word_b));
	return word_a ^ word_b;
}

/* What is compared of a head with those behind it, VXLAN_FLOW_SAME_BYTES_MIN at least. */
enum vxlan_flow_words {
	VXLAN_FLOW_NO_WORDS,	/* read it */
	VXLAN_FLOW_MACS,	/* and EtherType */
	VXLAN_FLOW_IPV4,	/* without options, and the ports or what is there */
};

static inline enum vxlan_flow_words vxlan_flow_words(const uint8_t *head, uint32_t head_len)
{
	if (head_len < VXLAN_FLOW_SAME_BYTES_MIN)
		return VXLAN_FLOW_NO_WORDS;
	uint16_t type = vxlan_load_be16(head + 2 * ETH_ALEN);

	if (type == ETH_P_IP)
		return head[ETH_HLEN] == 0x45 ? VXLAN_FLOW_IPV4 : VXLAN_FLOW_NO_WORDS;
	return type == ETH_P_IPV6 || vxlan_is_tag(type) ? VXLAN_FLOW_NO_WORDS : VXLAN_FLOW_MACS;
}

/* Do these words of two heads say the same? Those of IPv4 are version and TOS; fragment, TTL,
 * protocol; addresses; ports. For each frame. */
static inline bool vxlan_flow_are_equal(const uint8_t *a, const uint8_t *b,
					enum vxlan_flow_words words)
{
	uint64_t differences =
		vxlan_flow_differ64(a, b, 0) | vxlan_flow_differ64(a, b, ETH_HLEN - 8);

	if (words == VXLAN_FLOW_IPV4)
		differences |= vxlan_flow_differ32(a, b, ETH_HLEN - 2) |
			       vxlan_flow_differ32(a, b, ETH_HLEN + 6) |
			       vxlan_flow_differ64(a, b, ETH_HLEN + 12) |
			       vxlan_flow_differ32(a, b, ETH_HLEN + 20);
	return differences == 0;
}

/* Two heads that follow each other, of any length: are they of one flow, and has its hash and its
 * TOS the one if it is the other's? false: perhaps all the same. */
static inline bool vxlan_flow_is_same(const uint8_t *head, uint32_t head_len, const uint8_t *before,
				      uint32_t before_len)
{
	enum vxlan_flow_words words = vxlan_flow_words(before, before_len);

	return words != VXLAN_FLOW_NO_WORDS && head_len >= VXLAN_FLOW_SAME_BYTES_MIN &&
	       vxlan_flow_are_equal(head, before, words);
}

/* The UDP source port of a hash, 49152 to 65535 (RFC 7348 section 5, RFC 6335). */
static inline uint16_t vxlan_flow_port(uint32_t hash)
{
	return (uint16_t)(0xc000 | hash >> 18);
}

/* The flow label of a hash (RFC 6438): 20 bits of which the port does not hold most; 0 would say
 * that there is none. */
static inline uint32_t vxlan_flow_label(uint32_t hash)
{
	uint32_t label = hash & 0xfffff;

	return label != 0 ? label : 1;
}
