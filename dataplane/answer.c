/* SPDX-License-Identifier: BSD-3-Clause */
/* See answer.h. Worker threads. */
#include "dataplane/answer.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/forward.h"
#include "dataplane/segmentation.h"
#include "dataplane/worker.h"
#include "vxlan/vxlan_inner.h"
#include "vxlan/vxlan_mss.h"
#include "vxlan/vxlan_too_big.h"

_Static_assert(BURST_FRAMES *VXLAN_TOO_BIG_BYTES_MAX <= SEGMENTATION_BYTES, "answers fit");

/* IP's share of the segment's largest frame; 0: the segment has gone. */
static uint32_t mtu_of(const struct segment *segment)
{
	uint32_t bytes = segment != NULL ? atomic_load_explicit(&segment->max_frame_bytes,
								memory_order_relaxed)
					 : 0;

	return bytes > ETH_HLEN ? bytes - ETH_HLEN : 0;
}

/* Adds the answer to the burst `to`; what does not fit a head lies in `rest`, which has room for
 * the whole. false: none is due. */
static bool add_too_big(const struct frame *frame, const struct vxlan_inner *inner, uint32_t mtu,
			uint8_t *rest, struct burst *to)
{
	struct frame *answer = &to->frames[to->n];
	uint32_t len = vxlan_too_big(frame->head, frame->head_len, inner, mtu, rest);

	if (len == 0)
		return false;
	memset(answer, 0, offsetof(struct frame, head));
	answer->vnet.num_buffers = htole16(1);
	answer->len = len;
	answer->head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	memcpy(answer->head, rest, answer->head_len);
	answer->segment = frame->segment;
	answer->has_tag = frame->has_tag;
	to->has_tags |= frame->has_tag;
	if (len > FRAME_HEAD_BYTES) {
		answer->iov = &to->pieces[to->n_pieces++];
		answer->n_iov = 1;
		to->pieces[to->n_pieces - 1] = (struct iovec){.iov_base = rest + FRAME_HEAD_BYTES,
							      .iov_len = len - FRAME_HEAD_BYTES};
	}
	to->n++;
	return true;
}

static void clamp(struct frame *frame, const struct vxlan_inner *inner, uint32_t mtu)
{
	bool is_open = (frame->vnet.hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;

	vxlan_mss_clamp(frame->head, frame->head_len, inner, mtu, is_open);
}

void answer_burst(struct worker *worker, struct port *port, struct burst *burst,
		  struct counters_block *count)
{
	/* Between bursts both are free; a peer's burst, which lies in the first, has no answers. */
	struct burst *answers = worker->tunnelled;
	uint8_t *bytes = worker->lists.segmentation->bytes;
	bool is_answered = !port->is_peer && (burst->services & FRAME_TOO_BIG) != 0;

	if (is_answered) {
		answers->n = answers->n_pieces = 0;
		answers->has_tags = answers->attention = false;
		answers->now_s = burst->now_s;
		answers->now_ns = burst->now_ns;
	}
	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];
		bool is_too_big = is_answered && frame->drop == DROP_TOO_BIG;
		struct vxlan_inner inner;

		if (!is_too_big && frame->drop != DROP_NONE)
			continue;
		const struct segment *segment = atomic_load_explicit(
			&worker->dp->segments[frame->segment], memory_order_acquire);
		bool clamps = segment != NULL &&
			      (atomic_load_explicit(&segment->services, memory_order_relaxed) &
			       FRAME_MSS) != 0;

		if (!is_too_big && !clamps)
			continue;
		vxlan_inner_read(frame->head, frame->head_len, &inner);
		if (!is_too_big)
			clamp(frame, &inner, mtu_of(segment));
		else if (rate_take(&port->answers, burst->now_ns) &&
			 add_too_big(frame, &inner, mtu_of(segment),
				     bytes + (size_t)i * VXLAN_TOO_BIG_BYTES_MAX, answers))
			count->generated++;
	}
	if (is_answered && answers->n != 0) {
		forward_answer(answers, port, &worker->lists, count);
		burst->attention |= answers->attention;
	}
}
