/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Part of why.h: what has become of frames lately. Tables say what a frame would meet that is as it
 * should be; guests send others. So what was dropped in the last minute counts as a cause where it
 * is a good part of what the port has sent or was to get, and else is worth a word, as is what was
 * dropped before. Runs on weftd's thread.
 */
#include <inttypes.h>
#include <stdio.h>

#include "control/channels.h"
#include "control/doctor.h"
#include "control/fastpath.h"
#include "control/recent.h"
#include "control/reports.h"
#include "control/why.h"
#include "dataplane/base/loop.h"

#define GOOD_PART 10 /* one in so many */
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define HELD_NS_MIN (100 * NS_PER_MS) /* of the last second, that somebody waited */

/* Of what a machine sends; and of what it is sent. */
static const enum drop_reason of_sender[] = {
	DROP_MAC_SPOOF,	   DROP_IP_SPOOF,	 DROP_ARP_SPOOF,       DROP_ND_SPOOF,
	DROP_ROGUE_DHCP,   DROP_ROGUE_RA,	 DROP_UNREADABLE,      DROP_TAGGED,
	DROP_VLAN,	   DROP_TOO_BIG,	 DROP_BAD_SOURCE,      DROP_BAD_OFFLOAD,
	DROP_BAD_CHAIN,	   DROP_STORM_BROADCAST, DROP_STORM_MULTICAST, DROP_STORM_UNKNOWN,
	DROP_STORM_SEGMENT};
static const enum drop_reason of_receiver[] = {DROP_RING_FULL, DROP_TAP_FULL, DROP_NO_OFFLOAD,
					       DROP_QUEUE_FULL, DROP_QUEUE_DELAY};
static const enum drop_reason of_tunnels[] = {DROP_TUNNEL_PEER,	    DROP_TUNNEL_VNI,
					      DROP_TUNNEL_CHECKSUM, DROP_TUNNEL_TARGET,
					      DROP_TUNNEL_FRAGMENT, DROP_TUNNEL_MALFORMED};

static struct recent_port lately_of(const struct why *why, const struct model_port *port)
{
	struct fastpath *fastpath = why->control->fastpath;
	const struct meter *meter = fastpath_meter(fastpath);
	struct dp_port_state state = fastpath_state(fastpath, port->id);
	struct recent_port recent = {.span_ns = 0};

	if (meter != NULL && state.counters_slot != METER_RETIRED_SLOT)
		recent_read(why->control->recent, meter, state.counters_slot, loop_clock_ns(),
			    &recent);
	return recent;
}

/* Of `frames` of late. What has ended is not why nothing gets through now. */
static bool look_at(struct why *why, const char *port, const struct recent_port *recent,
		    enum drop_reason reason, uint64_t frames)
{
	uint64_t drops = recent->drops[reason];
	const char *name = drop_reason_name(reason), *help = drop_reason_help(reason);
	bool blocks = drops != 0 && drops * GOOD_PART >= frames;

	if (recent->all_drops[reason] == 0)
		return true;
	if (drops == 0) {
		doctor_say(why->checks, name, DOCTOR_WARN,
			   "%s: %" PRIu64 " frames were dropped there, none in the last %" PRIu64
			   " s: %s",
			   port, recent->all_drops[reason], recent->quiet_ns[reason] / NS_PER_S,
			   help);
		return true;
	}
	doctor_say(why->checks, name, blocks ? DOCTOR_FAIL : DOCTOR_WARN,
		   "%s: %" PRIu64 " of %" PRIu64 " frames were dropped there in the last %" PRIu64
		   " s: %s",
		   port, drops, frames, recent->span_ns / NS_PER_S + 1, help);
	why_fixes_say(why->checks, reason, port,
		      why->ends[0].segment != NULL ? why->ends[0].segment->name : "SEGMENT");
	return !blocks;
}

static bool look_at_end(struct why *why, const struct why_end *end)
{
	struct recent_port recent = lately_of(why, end->port);
	const struct recent_traffic *lately = &recent.lately;

	for (size_t i = 0; i < sizeof(of_sender) / sizeof(of_sender[0]); i++) {
		if (!look_at(why, end->port->name, &recent, of_sender[i], lately->rx_frames))
			return false;
	}
	for (size_t i = 0; i < sizeof(of_receiver) / sizeof(of_receiver[0]); i++) {
		enum drop_reason reason = of_receiver[i];

		if (!look_at(why, end->port->name, &recent, reason,
			     lately->tx_frames + recent.drops[reason]))
			return false;
	}
	return true;
}

/* What came out of no tunnel, at the uplinks of this host. */
bool why_counts_look_at_tunnels(struct why *why)
{
	const struct model *model = why->control->model;

	for (size_t p = 0; p < model->n_ports; p++) {
		if (!model_is_underlay(model->ports[p]))
			continue;
		struct recent_port recent = lately_of(why, model->ports[p]);
		uint64_t frames = recent.lately.rx_frames + recent.lately.carried_rx_frames;

		for (size_t i = 0; i < sizeof(of_tunnels) / sizeof(of_tunnels[0]); i++) {
			if (!look_at(why, model->ports[p]->name, &recent, of_tunnels[i], frames))
				return false;
		}
	}
	return true;
}

/* --- channels --- */

static bool look_at_channel(struct why *why, const struct model_port *port, enum dp_way way)
{
	const struct model *model = why->control->model;
	static const char *const ways[DP_WAYS] = {"tx", "rx"};
	struct model_channel channel;

	if (!channels_resolve(model, port, &channel) || channel.id == 0)
		return true;
	struct report report =
		reports_get(why->control->reports, (uint32_t)channel.id, way, WINDOW_SECOND);
	uint64_t ceiling_bps = channels_ceiling_bps(model_pool(model, channel.pool), &channel, way);
	uint64_t bps = report.span_ns != 0
			       ? report.passed_bytes * 8 * 1000 / (report.span_ns / NS_PER_MS + 1)
			       : 0;
	bool is_ceiling = ceiling_bps != 0 && bps >= ceiling_bps / 10 * 9;

	if (report.held_ns < HELD_NS_MIN && report.drops == 0)
		return true;
	doctor_say(why->checks, is_ceiling ? "channel-ceiling" : "pool-full", DOCTOR_FAIL,
		   "%s: channel %s %s passed %" PRIu64 " kbit/s in the last second, %s; frames "
		   "waited for %" PRIu64 " ms of it, %" PRIu64 " were dropped",
		   port->name, channel.name, ways[way], bps / 1000,
		   is_ceiling ? "its ceiling" : "all that its pool gave it",
		   report.held_ns / NS_PER_MS, report.drops);
	doctor_fix(why->checks,
		   is_ceiling ? "send less, or raise its ceiling: weft channel set %s %s.ceil="
			      : "weft channel plan shows who has what; or: weft channel lend ... "
				"to=%s way=%s",
		   channel.name, ways[way]);
	return false;
}

bool why_counts_look(struct why *why)
{
	for (int s = 0; s < 2; s++) {
		const struct model_port *port = why->ends[s].port;

		if (!look_at_channel(why, port, DP_TX) || !look_at_channel(why, port, DP_RX) ||
		    !look_at_end(why, &why->ends[s]))
			return false;
	}
	return true;
}
