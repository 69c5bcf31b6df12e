/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Marked frames: every test frame says which segment and port it came from, so that a receiver can
 * tell a frame that it should not see. Pure; any thread.
 *
 * The mark follows the frame's headers and is followed by a pattern that depends on it:
 *
 *     "WFTM" | segment u16 | port u16 | sequence u32 | kind u8 | check u8 | n fill u16 | fill ...
 *
 * big-endian. The source address says segment and port as well (mark_source), and is all that the
 * 14-byte and shorter kinds have.
 */
#pragma once

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/drop_reasons.h"

#define MARK_BYTES 16
#define MARK_FRAME_MAX 65600u /* largest frame that mark_build makes */

enum mark_kind {
	MARK_UNICAST,
	MARK_BROADCAST,
	MARK_MULTICAST,
	MARK_TAGGED,	      /* 802.1Q, VLAN 10 */
	MARK_DOUBLE_TAGGED,   /* 802.1ad VLAN 10, 802.1Q VLAN 20 */
	MARK_PRIORITY_TAGGED, /* 802.1Q, VLAN 0 */
	MARK_RUNT,	      /* 13 bytes */
	MARK_BARE,	      /* 14 bytes: a header and nothing more */
	MARK_SHORT,	      /* 42 bytes: below Ethernet's minimum of 60 */
	MARK_LENGTH,	      /* 802.3 length and LLC in place of an EtherType */
	MARK_LINK_LOCAL,      /* to 01-80-C2-00-00-0E */
	MARK_CHECKSUM,	      /* UDP, checksum left to the receiver (NEEDS_CSUM) */
	MARK_SEGMENTS,	      /* TCP, 4 segments' worth, to be cut later (TSO) */
	MARK_LARGE,	      /* the same with an IP packet of 65,535 bytes */
	MARK_KIND_COUNT
};

struct mark {
	uint16_t segment;
	uint16_t port;
	uint32_t sequence;
	enum mark_kind kind;
};

struct mark_kind_info {
	const char *name;
	const char *help;
	enum drop_reason drop; /* why an access port refuses it; DROP_NONE: it is delivered */
};

/* Of a kind below MARK_KIND_COUNT; and a kind by its name, or -ENOENT. */
const struct mark_kind_info *mark_kind(enum mark_kind kind);
int mark_kind_find(const char *name);

/* Source address of the frames of a port. */
void mark_source(uint16_t segment, uint16_t port, uint8_t mac[6]);

/* Builds a frame to `to` (kinds with an address of their own ignore it), and its virtio header.
 * frame: room for MARK_FRAME_MAX. Returns its bytes. */
size_t mark_build(const struct mark *mark, const uint8_t to[6], unsigned char *frame,
		  struct virtio_net_hdr *header);

/* Whose frame it is. 0; -ENOENT: not one of ours; -EBADMSG: ours, but damaged. A frame of 14 to 60
 * bytes without a mark is known by its source address, and has sequence 0. */
int mark_find(const unsigned char *frame, size_t n_bytes, struct mark *mark);
