/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage: (port, headers) -> segment, or why not. Worker threads. */
#include "dataplane/classify.h"

#include <endian.h>
#include <linux/if_ether.h>

#include "dataplane/fdb.h"

/* The tags that an access port must not send, IEEE 802.1Q and 802.1ad, and the older 0x9100 that
 * some cards still take for one: honouring any of them is how a guest hops into a neighbour's
 * VLAN. */
static inline bool is_tag(uint16_t ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD || ethertype == ETH_P_QINQ1;
}

/* 01-80-C2-00-00-00 to -0F: IEEE 802.1Q, table 8-1, never forwarded by a bridge. */
static inline bool is_link_local(const uint8_t mac[6])
{
	static const uint8_t prefix[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};

	return memcmp(mac, prefix, sizeof(prefix)) == 0 && mac[5] < 0x10;
}

static inline enum drop_reason judge(const struct frame *frame, uint16_t segment)
{
	const uint8_t *dst = frame->head, *src = frame->head + ETH_ALEN;
	uint16_t ethertype;

	if (frame->len < ETH_HLEN)
		return DROP_RUNT;
	memcpy(&ethertype, frame->head + 2 * ETH_ALEN, sizeof(ethertype));
	if (segment == 0)
		return DROP_NO_SEGMENT;
	/* The key of no segment and a zero MAC is zero. */
	if ((src[0] & 1) != 0 || fdb_key(0, src) == 0)
		return DROP_BAD_SOURCE;
	if (is_tag(be16toh(ethertype)))
		return DROP_TAGGED;
	return is_link_local(dst) ? DROP_LINK_LOCAL : DROP_NONE;
}

void classify_burst(struct burst *burst, uint16_t segment)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop != DROP_NONE)
			continue;
		frame->drop = (uint8_t)judge(frame, segment);
		frame->segment = segment;
		frame->dst_key = fdb_key(segment, frame->head);
		frame->src_key = fdb_key(segment, frame->head + ETH_ALEN);
	}
}

void classify_blocked(struct burst *burst)
{
	for (unsigned int i = 0; i < burst->n; i++)
		burst->frames[i].drop = DROP_BLOCKED;
}
