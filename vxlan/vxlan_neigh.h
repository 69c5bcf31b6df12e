/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers in place of a neighbour whose MAC is known, so that its questions need not be flooded
 * over the underlay: ARP (RFC 826) and neighbour discovery (RFC 4861), as RFC 9161 does it. Pure;
 * any thread.
 *
 *     vxlan_neigh_read(head, ..., &question)     who is asked for, if it is ours to answer
 *     mac = ... question.target ...              the caller's table
 *     vxlan_neigh_answer(&question, mac, ...)    the frame for who asked
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vxlan/vxlan_inner.h"

/* MACs, two tags, EtherType; IPv6 header; neighbour advertisement with one option. */
#define VXLAN_NEIGH_BYTES_MAX (22 + 40 + 32)

/* The pointers point into the head. An address has 4 or 16 bytes. */
struct vxlan_neigh_question {
	uint8_t ip_version;	/* 4, 6 */
	uint16_t ip_offset;	/* of the answer, too: tags are kept */
	const uint8_t *head;
	const uint8_t *asker_mac, *asker_ip;
	const uint8_t *target;
};

/*
 * true: an ARP request or a neighbour solicitation that goes to all and asks for somebody else.
 * false: anything else, and what has to pass so that others see it: probes and duplicate address
 * detection (RFC 5227, RFC 4862), announcements, a question to one host (is it still there?),
 * one that names another MAC than it comes from, or that a receiver would not take (RFC 4861
 * section 7.1.1). is_sum_open: the sender left the ICMPv6 checksum open, so it cannot be checked.
 */
bool vxlan_neigh_read(const uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner,
		      bool is_sum_open, struct vxlan_neigh_question *question);

/* Writes the answer, VXLAN_NEIGH_BYTES_MAX bytes at most, and returns its length. is_router: the
 * R flag that the neighbour's own advertisements have. The S and O flags are set. 0: who asks has
 * this MAC itself; some hosts take an answer to that for a duplicate. */
uint32_t vxlan_neigh_answer(const struct vxlan_neigh_question *question, const uint8_t mac[6],
			    bool is_router, uint8_t *out);
