/* SPDX-License-Identifier: BSD-3-Clause */
/* See trace_ends.h. Main thread. */
#include "dataplane/trace_ends.h"

#include <inttypes.h>
#include <stdio.h>

#include "dataplane/channel/channel.h"
#include "dataplane/channel/lane.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/channel/shape.h"
#include "dataplane/counters.h"
#include "dataplane/port_peer.h"
#include "dataplane/worker.h"

/* Who waited at a turnstile this short a time ago does so still. */
#define WAITED_NS 20000000ULL

static const struct port *real_port(const struct trace *trace, uint16_t index)
{
	return atomic_load(&trace->real->ports[index]);
}

/* --- links --- */

static void say_link(struct trace *trace, const struct port *port, enum dp_trace_stage stage,
		     unsigned int reason)
{
	struct dp_port_state state = {.id = 0};

	port->type->state(port, &state);
	if (state.link == DP_LINK_UP)
		trace_say(trace, stage, DP_TRACE_PASS, "%s %s, link up", port->spec.kind,
			  port->spec.name);
	else if (stage == DP_TRACE_PORT)
		trace_say(trace, stage, DP_TRACE_NOTE, "%s %s, no link: %.150s", port->spec.kind,
			  port->spec.name, state.reason);
	else
		trace_say(trace, stage, DP_TRACE_DROP, "%s %s, no link: %.150s", port->spec.kind,
			  port->spec.name, state.reason)
			->reason = (uint8_t)reason;
}

/* What a frame is counted as where the receiver's link is not up. */
static unsigned int reason_of(const struct port *port)
{
	if (port->type->send != NULL)
		return DROP_UPLINK_ERROR;
	return port->type->holds_rx ? DROP_PORT_DOWN : DROP_TAP_ERROR;
}

/* --- channels --- */

static const char *const way_names[DP_WAYS] = {"tx", "rx"};

static void say_channel(struct trace *trace, enum dp_trace_stage stage, struct channel_way *way,
			bool passes)
{
	const struct channel *channel = channel_of(way);
	uint64_t rate_bps = bucket_rate_bps(&way->bucket), due_ns = bucket_due_ns(&way->bucket);
	uint64_t wait_us = due_ns > trace->now_ns ? (due_ns - trace->now_ns) / 1000 : 0;
	uint64_t waited_ns = atomic_load(&way->waited_ns);
	struct dp_trace_step *step;

	passes = passes && (waited_ns == 0 || trace->now_ns > waited_ns + WAITED_NS);
	if (passes)
		step = trace_say(trace, stage, DP_TRACE_PASS,
				 "channel %s %s, now at %" PRIu64 " bit/s", channel->spec.name,
				 way_names[way->way], rate_bps);
	else
		step = trace_say(trace, stage, DP_TRACE_WAIT,
				 "channel %s %s has used up its %" PRIu64
				 " bit/s: waits about %" PRIu64 " us",
				 channel->spec.name, way_names[way->way], rate_bps, wait_us);
	step->value = rate_bps;
	step->limit = atomic_load(&way->ceiling_bps);
}

static void look_at_lane(struct trace *trace, enum dp_trace_stage stage, const struct lane *lane)
{
	struct channel_way *way = lane != NULL ? atomic_load(&lane->way) : NULL;

	if (way != NULL)
		say_channel(trace, stage, way,
			    shape_passes(trace->copy.worker, lane, &trace->frame, trace->now_ns));
}

static void look_at_tx_channel(struct trace *trace, const struct port *real)
{
	const struct lane_set *lanes = atomic_load(&real->lanes[DP_TX]);
	struct channel *channel = atomic_load(&real->channel);

	if (lanes != NULL && lanes->holds_all)
		look_at_lane(trace, DP_TRACE_TX_CHANNEL, shape_lane(real, lanes, &trace->frame));
	else if (channel != NULL && real->type->holds_rx)
		say_channel(trace, DP_TRACE_TX_CHANNEL, &channel->ways[DP_TX],
			    bucket_credit(&channel->ways[DP_TX].bucket, trace->now_ns, false) > 0);
}

/* --- both ends --- */

void trace_ends_sender(struct trace *trace, const struct frame *frame)
{
	const struct port *real = real_port(trace, trace->port->index);

	trace->frame = *frame;
	say_link(trace, real, DP_TRACE_PORT, DROP_NONE);
	if (!port_state_blocks(atomic_load(&real->state)))
		look_at_tx_channel(trace, real);
}

/* To a peer: outer headers have been made, and its uplink's copy has got them. */
static void say_tunnel(struct trace *trace, const struct port *peer, uint64_t bytes)
{
	struct port_peer_way way;
	const struct port *uplink = port_peer_way(peer, &way) ? real_port(trace, way.uplink) : NULL;
	struct dp_trace_step *step;

	if (uplink == NULL)
		return;
	step = trace_say(trace, DP_TRACE_TUNNEL, DP_TRACE_PASS,
			 "VXLAN to %s through uplink %s, %" PRIu64 " bytes", peer->spec.name,
			 uplink->spec.name, bytes + way.outer_bytes);
	step->value = bytes + way.outer_bytes;
	step->limit = way.max_inner_bytes;
	say_link(trace, uplink, DP_TRACE_LINK, DROP_UPLINK_ERROR);
}

/* What is too big for a way is so by the bytes that the way carries. */
static void say_refused(struct trace *trace, const struct port *port, unsigned int reason)
{
	struct port_peer_way way;

	trace_drop(trace, port->is_peer ? DP_TRACE_TUNNEL : DP_TRACE_GATE, reason);
	if (reason != DROP_TOO_BIG || !port->is_peer || !port_peer_way(port, &way))
		return;
	trace->step.value = trace->frame.len;
	trace->step.limit = way.max_inner_bytes;
	snprintf(trace->step.text, sizeof(trace->step.text),
		 "the way to %s carries frames of %u bytes, this one has %u", port->spec.name,
		 way.max_inner_bytes, trace->frame.len);
}

static unsigned int reason_in(const struct counters_block *count)
{
	for (unsigned int i = 1; i < DROP_COUNT; i++) {
		if (count->drops[i] != 0)
			return i;
	}
	return DROP_NONE;
}

void trace_ends_receiver(struct trace *trace, uint16_t index)
{
	struct dataplane *dp = trace->copy.dp;
	struct port *port = atomic_load(&dp->ports[index]);
	const struct port *real = real_port(trace, index);
	const struct counters_block *count = counters_block(dp->counters, port->slot, 0);
	const struct lane_set *lanes = atomic_load(&real->lanes[DP_RX]);
	unsigned int reason = reason_in(count);

	trace->port = port;
	if (reason != DROP_NONE) {
		say_refused(trace, port, reason);
		return;
	}
	trace_say(trace, DP_TRACE_GATE, DP_TRACE_PASS, "port %s may have it", port->spec.name)
		->value = count->tx_bytes;
	if (lanes != NULL)
		look_at_lane(trace, DP_TRACE_RX_CHANNEL,
			     lane_set_find(lanes, trace->frame.segment));
	if (port->is_peer)
		say_tunnel(trace, port, count->tx_bytes);
	else
		say_link(trace, real, DP_TRACE_LINK, reason_of(real));
}
