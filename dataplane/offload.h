/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtio-net header that comes with a frame from a guest or a tap: checked once, at the door.
 * After offload_check() every offset and size in it lies inside the frame, so nobody checks again.
 * Virtio 1.2, section 5.1.6. Pure; any thread.
 */
#pragma once

#include "dataplane/frame.h"

#define OFFLOAD_GSO_TYPE(vnet) ((vnet)->hdr.gso_type & ~VIRTIO_NET_HDR_GSO_ECN)

/* What a party may put into a header that it sends, or accepts in one that it receives. */
enum offload_cap {
	OFFLOAD_CSUM = 1 << 0,	/* checksum left to the receiver */
	OFFLOAD_TSO4 = 1 << 1,
	OFFLOAD_TSO6 = 1 << 2,
	OFFLOAD_ECN = 1 << 3,	/* TSO of segments with CWR set */
	OFFLOAD_TUNNEL = 1 << 4, /* what it says is of the frame inside a tunnel */
};

#define OFFLOAD_ALL (OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_ECN)

/* Checks frame->vnet against the frame and against what its sender may do (enum offload_cap).
 * Clears what receivers must not see. true: sound. */
bool offload_check(struct frame *frame, unsigned int caps);

/* The headers in front of what the offloads concern grew by `bytes` (or shrank). false: the offsets
 * do not make sense any more, or the frame is not what its offloads say. */
bool offload_shift(struct frame *frame, int bytes);

/* Whether a receiver with these capabilities can take the frame as it is. */
static inline bool offload_fits(const struct frame *frame, unsigned int caps)
{
	const struct virtio_net_hdr *hdr = &frame->vnet.hdr;
	unsigned int need = 0;

	if (hdr->flags == 0 && hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		need |= OFFLOAD_CSUM;
	if (OFFLOAD_GSO_TYPE(&frame->vnet) == VIRTIO_NET_HDR_GSO_TCPV4)
		need |= OFFLOAD_TSO4;
	if (OFFLOAD_GSO_TYPE(&frame->vnet) == VIRTIO_NET_HDR_GSO_TCPV6)
		need |= OFFLOAD_TSO6;
	if (hdr->gso_type & VIRTIO_NET_HDR_GSO_ECN)
		need |= OFFLOAD_ECN;
	return (need & ~caps) == 0;
}
