/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Congestion marks through a tunnel (RFC 6040, which RFC 9599 extends to VXLAN). On the way in the
 * outer header gets the inner one's mark (vxlan_tunnel.h does); here is the way out. Pure; any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vxlan/vxlan_inner.h"

/* The last two bits of a TOS byte or traffic class (RFC 3168 section 5). */
enum vxlan_ecn {
	VXLAN_ECN_NONE = 0,	/* Not-ECT: the sender does not know of marks */
	VXLAN_ECN_ECT1 = 1,
	VXLAN_ECN_ECT0 = 2,
	VXLAN_ECN_CE = 3,	/* congestion experienced */
};

/* What a frame leaves the tunnel with, RFC 6040 section 4.2. -1: it is to be dropped, since its
 * sender would not understand the mark. */
int vxlan_ecn_combine(uint8_t outer_tos, uint8_t inner_tos);

/* Combines for an inner frame and writes what has changed into its IP header, checksum included;
 * `inner` follows. What is not IP has no mark and passes. false: drop the frame. */
bool vxlan_ecn_decap(uint8_t *head, struct vxlan_inner *inner, uint8_t outer_tos);
