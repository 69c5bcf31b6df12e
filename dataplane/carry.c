/* SPDX-License-Identifier: BSD-3-Clause */
/* The path of a burst, in one place. Worker threads. */
#include "dataplane/carry.h"

#include "dataplane/answer.h"
#include "dataplane/channel/fair.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/channel/shape.h"
#include "dataplane/classify.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/decap.h"
#include "dataplane/drop.h"
#include "dataplane/follower.h"
#include "dataplane/guard.h"
#include "dataplane/learn.h"
#include "dataplane/overlay.h"
#include "dataplane/probe.h"
#include "dataplane/recorder.h"
#include "dataplane/storm.h"
#include "dataplane/worker.h"

/* Counts what the stages decided to drop, and what there is in all. */
static void count_burst(struct burst *burst, struct counters_block *count)
{
	uint32_t bytes = 0, gso = 0;
	unsigned int any_drop = DROP_NONE;

	for (unsigned int i = 0; i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];

		bytes += frame->len;
		gso += frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
		any_drop |= frame->drop;
	}
	for (unsigned int i = 0; any_drop != DROP_NONE && i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];

		if (frame->drop != DROP_NONE && frame->drop != SHAPE_HELD)
			drop_frame(burst->recorder, count, frame, (enum drop_reason)frame->drop);
	}
	burst->bytes = bytes;
	burst->n_large = (uint16_t)gso;
}

/* Those that lanes of the port let go were counted when they came. */
static inline void count_rx(const struct burst *burst, struct counters_block *count)
{
	count->rx_frames += burst->n;
	count->rx_bytes += burst->bytes + burst->stripped_bytes;
	count->rx_gso_frames += burst->n_large;
}

/* For who observes, for whom the path is compiled once more: for all others nothing is asked. */
static inline void note(struct carry_observer *observer, enum dp_trace_stage stage,
			struct port *port, struct burst *burst)
{
	if (observer != NULL && burst->n != 0)
		observer->note(observer, stage, port, burst);
}

/* What a burst has behind it. */
enum past {
	PAST_NONE,
	PAST_COUNTED, /* as received */
	PAST_HELD,    /* the same, and a lane has let it go */
};

/* The path of a burst from a port: shape -> classify -> guard -> learn -> answer -> look up ->
 * storm -> spread -> shape -> tx. */
static inline __attribute__((always_inline)) void carry(struct worker *worker, struct port *port,
							struct burst *burst, enum past past,
							struct carry_observer *observer)
{
	struct dataplane *dp = worker->dp;
	struct counters_block *count = counters_block(dp->counters, port->slot, worker->index);
	const struct lane_set *lanes =
		atomic_load_explicit(&port->lanes[DP_TX], memory_order_acquire);
	uint8_t state = atomic_load_explicit(&port->state, memory_order_relaxed);

	if (__builtin_expect(port_state_blocks(state), 0))
		classify_blocked(burst);
	else if (__builtin_expect(lanes != NULL, 0) && past != PAST_HELD && lanes->holds_all)
		shape_from_port(worker, port, lanes, burst, count);
	classify_burst(dp, port, burst);
	note(observer, DP_TRACE_CLASSIFY, port, burst);
	worker->main_has_work |= guard_burst(worker, port, burst);
	note(observer, DP_TRACE_GUARD, port, burst);
	if (__builtin_expect(state == PORT_STATE_ACTIVE &&
				     atomic_load_explicit(&port->is_teaching, memory_order_relaxed),
			     1))
		worker->main_has_work |= learn_burst(dp->fdb, worker->learn, burst, port,
						     &worker->count->learn_lost);
	if (__builtin_expect(burst->services != 0, 0))
		answer_burst(worker, port, burst, count);
	note(observer, DP_TRACE_ANSWER, port, burst);
	forward_lookup(dp, burst, port->index);
	note(observer, DP_TRACE_LOOKUP, port, burst);
	storm_burst(dp, port, burst);
	note(observer, DP_TRACE_STORM, port, burst);
	uint64_t copies = forward_spread(dp, burst, port, &worker->lists);

	note(observer, DP_TRACE_SPREAD, port, burst);
	count->copies += copies;
	forward_announce(dp, &worker->lists);
	count_burst(burst, count);
	if (worker->has_channels)
		worker->work += fair_work(burst->n, burst->bytes, copies);
	if (past == PAST_NONE)
		count_rx(burst, count);
	forward_transmit(dp, burst, port, worker, count);
}

void carry_burst(struct worker *worker, struct port *port, struct burst *burst)
{
	carry(worker, port, burst, PAST_NONE, NULL);
}

void carry_held(struct worker *worker, struct port *port, struct burst *burst)
{
	carry(worker, port, burst, PAST_HELD, NULL);
}

/* Counts at the uplink what decap has refused there, and beside it what the rest took on the wire:
 * as frames those are counted at their peers. What is held is counted when it is carried. */
static void count_carried(const struct burst *burst, struct counters_block *count)
{
	uint64_t frames = 0, bytes = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];

		if (frame->drop == DROP_NONE) {
			frames++;
			bytes += frame->len;
		} else if (frame->drop != SHAPE_HELD) {
			count->rx_frames++;
			count->rx_bytes += frame->len;
			count->rx_gso_frames += frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
			drop_frame(burst->recorder, count, frame, (enum drop_reason)frame->drop);
		}
	}
	count->carried_rx_frames += frames;
	count->carried_rx_bytes += bytes;
}

/* The path of a burst from an underlay: decap, then that of a port for each peer. false: the uplink
 * is none, but a port as any other. */
static inline __attribute__((always_inline)) bool carry_outer(struct worker *worker,
							      struct port *port,
							      struct burst *burst,
							      struct carry_observer *observer)
{
	struct dataplane *dp = worker->dp;
	const struct overlay *overlay = atomic_load_explicit(&dp->overlay, memory_order_acquire);
	const struct overlay_underlay *underlay =
		overlay != NULL ? overlay_underlay(overlay, port->index) : NULL;
	struct decap decap;
	struct port *peer;

	if (underlay == NULL)
		return false;
	if (port_state_blocks(atomic_load_explicit(&port->state, memory_order_relaxed)))
		classify_blocked(burst);
	decap_burst(dp, overlay, underlay, burst, &decap);
	note(observer, DP_TRACE_DECAP, port, burst);
	count_carried(burst, counters_block(dp->counters, port->slot, worker->index));
	if (__builtin_expect(decap.n_probes != 0, 0))
		probe_answer(dp, decap.probes, decap.n_probes, worker->index);
	worker->tunnelled->attention = false;
	while ((peer = decap_take(burst, &decap, worker->tunnelled)) != NULL) {
		if (observer != NULL) {
			if (atomic_load_explicit(&peer->captures, memory_order_relaxed) != 0)
				recorder_take(worker->recorder, peer, worker->tunnelled);
			carry(worker, peer, worker->tunnelled, PAST_NONE, observer);
		} else if (__builtin_expect(
				   atomic_load_explicit(&peer->captures, memory_order_relaxed) != 0,
				   0)) {
			carry_recorded(worker, peer, worker->tunnelled);
		} else {
			carry_burst(worker, peer, worker->tunnelled);
		}
	}
	burst->attention |= worker->tunnelled->attention;
	return true;
}

bool carry_tunnels(struct worker *worker, struct port *port, struct burst *burst)
{
	return carry_outer(worker, port, burst, NULL);
}

void carry_recorded(struct worker *worker, struct port *port, struct burst *burst)
{
	recorder_take(worker->recorder, port, burst);
	if (follower_carry(worker, port, burst))
		return;
	if (port->type->send == NULL || !carry_tunnels(worker, port, burst))
		carry_burst(worker, port, burst);
}

void carry_observed(struct worker *worker, struct port *port, struct burst *burst, bool was_counted,
		    struct carry_observer *observer)
{
	if (port->type->send == NULL || !carry_outer(worker, port, burst, observer))
		carry(worker, port, burst, was_counted ? PAST_COUNTED : PAST_NONE, observer);
}
