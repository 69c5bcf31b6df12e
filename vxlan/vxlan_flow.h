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

#include <stdbool.h>
#include <stdint.h>

#include "vxlan/vxlan_inner.h"

/* inner: what vxlan_inner_read() says of this head. A head without room for MACs: 0. */
uint32_t vxlan_flow_hash(const uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner);

/* Two heads that follow each other, of any length: are they of one flow, and has its hash and its
 * TOS the one if it is the other's? false: perhaps all the same. */
bool vxlan_flow_is_same(const uint8_t *head, uint32_t head_len, const uint8_t *before,
			uint32_t before_len);

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
