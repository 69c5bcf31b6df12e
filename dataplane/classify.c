/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage: (port, headers) -> segment, or why not. Worker threads. */
#include "dataplane/classify.h"

#include <endian.h>
#include <linux/if_ether.h>

#include "dataplane/channel/shape.h"
#include "dataplane/dataplane.h"
#include "dataplane/vlan.h"

#define TCP_OFFSET_AT 12	/* byte whose upper half is the header's length in words */
#define TCP_HEADER_MIN 20

/* What of the burst's port and segment the frames are judged by, read once. */
struct context {
	struct dataplane *dp;
	struct burst *burst;
	const struct vlan_map *vlans;	/* NULL: access port */
	bool takes_tags;
	uint16_t segment;		/* of untagged frames */
	uint32_t max_len;		/* of a frame there; 0: there is no such segment */
	const struct segment *policy;
	uint16_t refused;		/* segment of what is refused before it is in any */
};

static void enter_segment(struct context *context, uint16_t index)
{
	const struct segment *policy =
		atomic_load_explicit(&context->dp->segments[index], memory_order_acquire);

	context->segment = index;
	context->policy = policy;
	context->max_len = policy != NULL ? atomic_load_explicit(&policy->max_frame_bytes,
								 memory_order_relaxed)
					  : 0;
	if (policy != NULL)
		context->burst->services |=
			atomic_load_explicit(&policy->services, memory_order_relaxed);
}

/* 01-80-C2-00-00-00 to -0F: IEEE 802.1Q, table 8-1, what a bridge keeps to itself. In a key, the
 * first byte is the lowest. */
static inline bool is_link_local(uint64_t key)
{
	return (key & 0xf0ffffffffff) == 0xc28001;
}

/* Frames longer than the MTU: large ones to be cut later count as what they will be cut into, and a
 * tag in the payload is no part of the packet. */
static bool is_too_big(const struct frame *frame, const struct context *context)
{
	const struct virtio_net_hdr *hdr = &frame->vnet.hdr;
	uint32_t max_len = context->max_len + (frame->has_tag ? VLAN_BYTES : 0);
	uint32_t tcp_at = le16toh(hdr->csum_start), tcp_bytes = TCP_HEADER_MIN;

	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return frame->len > max_len;
	if (tcp_at + TCP_OFFSET_AT < frame->head_len)
		tcp_bytes = (uint32_t)(frame->head[tcp_at + TCP_OFFSET_AT] >> 4) * 4;
	return tcp_at + tcp_bytes + le16toh(hdr->gso_size) > max_len;
}

/* Puts it into the segment and tells whether it may be there. */
static inline enum drop_reason judge(struct frame *frame, const struct context *context)
{
	uint64_t dst = fdb_key_in_frame(context->segment, frame->head);
	uint64_t src = fdb_key_in_frame(context->segment, frame->head + ETH_ALEN);

	frame->segment = context->segment;
	frame->dst_key = dst;
	frame->src_key = src;
	if (context->max_len == 0)
		return DROP_NO_SEGMENT;
	if ((src & FDB_KEY_GROUP) != 0 || (src & FDB_KEY_MAC) == 0)
		return DROP_BAD_SOURCE;
	if (frame->len > context->max_len && is_too_big(frame, context)) {
		context->burst->services |= FRAME_TOO_BIG;
		return DROP_TOO_BIG;
	}
	if (__builtin_expect(is_link_local(dst), 0))
		return segment_passes(context->policy, frame) ? DROP_NONE : DROP_LINK_LOCAL;
	return DROP_NONE;
}

/* A frame with a tag: off with it, then as any other, in the segment that it means. */
static enum drop_reason judge_tagged(struct burst *burst, struct frame *frame,
				     const struct context *untagged)
{
	struct context context = *untagged;
	uint16_t segment = untagged->segment;
	uint32_t len = frame->len;
	enum drop_reason reason = vlan_take(frame, untagged->vlans, untagged->takes_tags, &segment);

	burst->stripped_bytes += len - frame->len;
	burst->has_tags |= frame->has_tag;
	if (reason != DROP_NONE) {
		frame->segment = untagged->refused;
		return reason;
	}
	if (segment != untagged->segment)
		enter_segment(&context, segment);
	return judge(frame, &context);
}

static inline void classify_frame(struct burst *burst, struct frame *frame,
				  const struct context *context)
{
	uint16_t ethertype;

	if (frame->len < ETH_HLEN) {
		frame->segment = context->refused;
		frame->drop = DROP_RUNT;
		return;
	}
	memcpy(&ethertype, frame->head + 2 * ETH_ALEN, sizeof(ethertype));
	frame->has_tag = false;
	if (__builtin_expect(vlan_is_tag(be16toh(ethertype)), 0))
		frame->drop = (uint8_t)judge_tagged(burst, frame, context);
	else
		frame->drop = (uint8_t)judge(frame, context);
}

/* From a peer: the VNI has said which segment, tags are the frame's own. */
static void classify_tunnelled(struct dataplane *dp, const struct port *port, struct burst *burst)
{
	struct context context = {
		.dp = dp,
		.burst = burst,
		.takes_tags = atomic_load_explicit(&port->takes_tags, memory_order_relaxed),
	};

	burst->services = 0;
	burst->stripped_bytes = 0;
	burst->has_tags = false;
	burst->is_mixed = true;
	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop != DROP_NONE)
			continue;
		if (frame->segment != context.segment)
			enter_segment(&context, frame->segment);
		context.refused = frame->segment;
		classify_frame(burst, frame, &context);
	}
}

void classify_burst(struct dataplane *dp, const struct port *port, struct burst *burst)
{
	if (__builtin_expect(port->is_peer, 0)) {
		classify_tunnelled(dp, port, burst);
		return;
	}

	struct context context = {
		.dp = dp,
		.burst = burst,
		.vlans = atomic_load_explicit(&port->vlans, memory_order_acquire),
		.takes_tags = atomic_load_explicit(&port->takes_tags, memory_order_relaxed),
		.refused = port_only_segment(port),
	};

	burst->services = 0;
	enter_segment(&context, context.vlans != NULL ? context.vlans->native
						      : atomic_load_explicit(&port->segment,
									     memory_order_acquire));
	burst->stripped_bytes = 0;
	burst->has_tags = false;
	burst->is_mixed = context.vlans != NULL;
	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop == DROP_NONE)
			classify_frame(burst, frame, &context);
		else
			frame->segment = context.refused;
	}
}

void classify_blocked(struct burst *burst)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		if (burst->frames[i].drop != SHAPE_HELD)
			burst->frames[i].drop = DROP_BLOCKED;
	}
}
