/* SPDX-License-Identifier: BSD-3-Clause */
/* See answer.h. Worker threads. */
#include "dataplane/answer.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/forward.h"
#include "dataplane/neigh.h"
#include "dataplane/segmentation.h"
#include "dataplane/worker.h"
#include "vxlan/vxlan_inner.h"
#include "vxlan/vxlan_mss.h"
#include "vxlan/vxlan_neigh.h"
#include "vxlan/vxlan_too_big.h"

_Static_assert(VXLAN_NEIGH_BYTES_MAX <= FRAME_HEAD_BYTES, "an answer for a neighbour is a head");
_Static_assert(BURST_FRAMES *VXLAN_TOO_BIG_BYTES_MAX <= SEGMENTATION_BYTES, "answers fit");

/* IP's share of the segment's largest frame. */
static uint32_t mtu_of(const struct segment *segment)
{
	uint32_t bytes = atomic_load_explicit(&segment->max_frame_bytes, memory_order_relaxed);

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

static bool is_sum_open(const struct frame *frame)
{
	return (frame->vnet.hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
}

/* The burst that is looked at, and that of the answers. */
struct answering {
	struct worker *worker;
	struct port *port;
	struct burst *burst, *answers;	/* answers: NULL if nobody is there to be answered */
	struct counters_block *count;
};

/* Can the port that asks reach that neighbour now, where it claimed to be? */
static bool is_reachable(const struct answering *answering, const struct segment *segment,
			 const struct neigh_entry *neighbour)
{
	const struct dataplane *dp = answering->worker->dp;
	const struct port *asker = answering->port;
	uint32_t now_s = answering->burst->now_s;
	uint32_t age_s = atomic_load_explicit(&segment->age_s, memory_order_relaxed);
	const struct port *port =
		atomic_load_explicit(&dp->ports[neighbour->port], memory_order_acquire);

	/* Behind the asker's own port it hears the question itself. */
	return (int32_t)(now_s - neighbour->seen_s) <= (int32_t)age_s && port != NULL &&
	       port != asker &&
	       fdb_lookup(dp->fdb, neighbour->key, now_s, age_s) == neighbour->port &&
	       !port_state_blocks(atomic_load_explicit(&port->state, memory_order_relaxed)) &&
	       !(atomic_load_explicit(&port->is_isolated, memory_order_relaxed) &&
		 atomic_load_explicit(&asker->is_isolated, memory_order_relaxed));
}

/* Adds the answer to a question for a neighbour. false: it is none, or all are to be asked. */
static bool add_neigh(const struct answering *answering, const struct segment *segment,
		      const struct frame *frame, const struct vxlan_inner *inner)
{
	struct burst *to = answering->answers;
	struct frame *answer = &to->frames[to->n];
	struct vxlan_neigh_question question;
	struct neigh_entry neighbour;
	uint8_t ip[16] = {0}, mac[ETH_ALEN];

	if (!vxlan_neigh_read(frame->head, frame->head_len, inner, is_sum_open(frame), &question))
		return false;
	memcpy(ip, question.target, question.ip_version == 4 ? 4 : 16);
	if (!neigh_find(answering->worker->dp->neigh, frame->segment, question.ip_version, ip,
			&neighbour) ||
	    (question.ip_version == 6 && neighbour.role == NEIGH_ROLE_UNKNOWN) ||
	    !is_reachable(answering, segment, &neighbour))
		return false;
	fdb_key_mac(neighbour.key, mac);
	memset(answer, 0, offsetof(struct frame, head));
	answer->len = vxlan_neigh_answer(&question, mac, neighbour.role == NEIGH_ROLE_ROUTER,
					 answer->head);
	if (answer->len == 0)
		return false;
	answer->vnet.num_buffers = htole16(1);
	answer->head_len = (uint16_t)answer->len;
	answer->segment = frame->segment;
	answer->has_tag = frame->has_tag;
	to->has_tags |= frame->has_tag;
	to->n++;
	return true;
}

/* A frame that goes on. */
static void serve(const struct answering *answering, const struct segment *segment,
		  struct frame *frame)
{
	uint8_t services = atomic_load_explicit(&segment->services, memory_order_relaxed);
	bool may_ask = (services & FRAME_NEIGH) != 0 && answering->answers != NULL &&
		       (frame->head[0] & 1) != 0;
	struct vxlan_inner inner;

	if ((services & FRAME_MSS) == 0 && !may_ask)
		return;
	vxlan_inner_read(frame->head, frame->head_len, &inner);
	if (may_ask && add_neigh(answering, segment, frame, &inner)) {
		frame->drop = DROP_ANSWERED;
		answering->count->generated++;
	} else if ((services & FRAME_MSS) != 0) {
		vxlan_mss_clamp(frame->head, frame->head_len, &inner, mtu_of(segment),
				is_sum_open(frame));
	}
}

static void tell_too_big(const struct answering *answering, const struct segment *segment,
			 const struct frame *frame, uint8_t *rest)
{
	struct vxlan_inner inner;

	vxlan_inner_read(frame->head, frame->head_len, &inner);
	if (rate_take(&answering->port->answers, answering->burst->now_ns) &&
	    add_too_big(frame, &inner, mtu_of(segment), rest, answering->answers))
		answering->count->generated++;
}

/* Between bursts the worker's second one is free; a peer's burst, which lies in it, has no
 * answers. */
static struct burst *begin_answers(struct worker *worker, const struct port *port,
				   const struct burst *burst)
{
	struct burst *answers = worker->tunnelled;

	if (port->is_peer || (burst->services & (FRAME_TOO_BIG | FRAME_NEIGH)) == 0)
		return NULL;
	answers->n = answers->n_pieces = 0;
	answers->has_tags = answers->attention = false;
	answers->now_s = burst->now_s;
	answers->now_ns = burst->now_ns;
	return answers;
}

void answer_burst(struct worker *worker, struct port *port, struct burst *burst,
		  struct counters_block *count)
{
	const struct answering answering = {
		.worker = worker,
		.port = port,
		.burst = burst,
		.answers = begin_answers(worker, port, burst),
		.count = count,
	};
	struct burst *answers = answering.answers;
	uint8_t *rest = worker->lists.segmentation->bytes; /* free between bursts, too */

	for (unsigned int i = 0; i < burst->n; i++, rest += VXLAN_TOO_BIG_BYTES_MAX) {
		struct frame *frame = &burst->frames[i];
		const struct segment *segment = atomic_load_explicit(
			&worker->dp->segments[frame->segment], memory_order_acquire);

		if (segment != NULL && frame->drop == DROP_NONE)
			serve(&answering, segment, frame);
		else if (segment != NULL && frame->drop == DROP_TOO_BIG && answers != NULL)
			tell_too_big(&answering, segment, frame, rest);
	}
	if (answers != NULL && answers->n != 0) {
		forward_answer(answers, port, &worker->lists, count);
		burst->attention |= answers->attention;
	}
}
