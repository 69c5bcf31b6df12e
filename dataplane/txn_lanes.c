/* SPDX-License-Identifier: BSD-3-Clause */
/* See txn_lanes.h. Main thread. */
#include "dataplane/txn_lanes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/channel/lane_set.h"
#include "dataplane/dataplane.h"
#include "dataplane/txn_check.h"

/* A port of the result. */
struct wanted {
	const struct dp_port *spec;
	struct port *port;
	bool is_trunk;
	bool has_own; /* a channel of its own, or of its machine */
	bool has_any; /* that, or one of its segments has one */
	unsigned int n_segments;
	uint16_t segments[DP_MEMBERS_MAX];
};

/* Of the result. */
static uint32_t segment_channel(const struct txn *txn, uint32_t id)
{
	const struct txn_segment *staged = txn_check_staged_segment(txn, id);
	const struct segment *segment = segment_find(txn->dp, id);

	if (staged != NULL)
		return staged->is_delete ? 0 : staged->spec.channel_id;
	return segment != NULL ? segment->spec.channel_id : 0;
}

static void look_at(const struct txn *txn, struct wanted *wanted)
{
	const struct dp_port *spec = wanted->spec;

	wanted->has_own = wanted->has_any = spec->channel_id != 0;
	wanted->n_segments = 0;
	/* Frames for a peer are of the channel that it has itself, or of none. */
	for (unsigned int i = 0; !wanted->port->is_peer && i < spec->n_members; i++) {
		uint32_t id = spec->members[i].segment_id;

		wanted->has_any |= segment_channel(txn, id) != 0;
		wanted->segments[wanted->n_segments++] = txn_segment_index(txn, id);
	}
}

static int make_sets(const struct wanted *wanted, struct txn_lane *lane)
{
	const struct dp_port *spec = wanted->spec;
	struct port *port = wanted->port;
	struct option_set options = port_kinds_options(port->type->kind);
	uint64_t queue = options_number(&options, spec->options, spec->n_options, "queue");
	struct lane_set_plan plan = {
		.has_channel = wanted->has_any,
		.by_segment = wanted->is_trunk,
		.n_segments = wanted->n_segments,
		.segments = wanted->segments,
	};
	int error = lane_set_make(port, DP_RX, &plan, &lane->sets[DP_RX]);

	plan.holds_all = lane_set_holds_all(wanted->is_trunk, wanted->has_own, port->type->holds_rx,
					    (unsigned int)queue);
	/* Pieces of large frames need one lane, whatever they are of. */
	plan.by_segment = wanted->is_trunk && plan.holds_all;
	if (error == 0)
		error = lane_set_make(port, DP_TX, &plan, &lane->sets[DP_TX]);
	return error;
}

static int add(struct txn *txn, struct wanted *wanted)
{
	struct txn_lanes *lanes = &txn->lanes;
	struct txn_lane *items;
	struct port *port = wanted->port;

	look_at(txn, wanted);
	if (!wanted->has_any && atomic_load(&port->lanes[DP_TX]) == NULL &&
	    atomic_load(&port->lanes[DP_RX]) == NULL)
		return 0;
	items = txn_make_room(lanes->items, lanes->n, sizeof(lanes->items[0]));
	if (items == NULL)
		return -ENOMEM;
	lanes->items = items;
	items[lanes->n] = (struct txn_lane){.port = port};
	return make_sets(wanted, &items[lanes->n++]);
}

static int add_staged(struct txn *txn, const struct txn_port *staged)
{
	struct wanted wanted = {
		.spec = &staged->spec,
		.port = staged->in_place ? staged->old : staged->made,
		.is_trunk = staged->vlans != NULL,
	};

	return staged->is_delete ? 0 : add(txn, &wanted);
}

/* Does a segment that is there get another channel? */
static bool moves_segments(const struct txn *txn)
{
	for (size_t i = 0; i < txn->n_segments; i++) {
		const struct txn_segment *staged = &txn->segments[i];

		if (!staged->is_delete && staged->old != NULL &&
		    staged->old->spec.channel_id != staged->spec.channel_id)
			return true;
	}
	return false;
}

/* Ports that are not in the transaction, which may be in such segments. */
static int add_others(struct txn *txn)
{
	struct dataplane *dp = txn->dp;
	bool *is_staged = calloc(PORTS_MAX, sizeof(is_staged[0]));
	int error = is_staged == NULL ? -ENOMEM : 0;

	for (size_t i = 0; error == 0 && i < txn->n_ports; i++) {
		if (txn->ports[i].old != NULL)
			is_staged[txn->ports[i].old->index] = true;
	}
	for (unsigned int i = 1; error == 0 && i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port == NULL || is_staged[i])
			continue;
		struct wanted wanted = {
			.spec = &port->spec,
			.port = port,
			.is_trunk = atomic_load(&port->vlans) != NULL,
		};

		error = add(txn, &wanted);
	}
	free(is_staged);
	return error;
}

int txn_lanes_prepare(struct txn *txn, char *why, size_t why_bytes)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < txn->n_ports; i++)
		error = add_staged(txn, &txn->ports[i]);
	if (error == 0 && moves_segments(txn))
		error = add_others(txn);
	if (error < 0)
		snprintf(why, why_bytes, "out of memory");
	return error;
}

void txn_lanes_publish(struct txn *txn)
{
	for (size_t i = 0; i < txn->lanes.n; i++) {
		struct txn_lane *lane = &txn->lanes.items[i];

		for (unsigned int way = 0; way < DP_WAYS; way++)
			lane->sets[way] =
				lane_set_publish(lane->port, (enum dp_way)way, lane->sets[way]);
		lane_set_point(lane->port);
	}
}

void txn_lanes_free(struct txn *txn)
{
	for (size_t i = 0; i < txn->lanes.n; i++) {
		struct txn_lane *lane = &txn->lanes.items[i];

		for (unsigned int way = 0; way < DP_WAYS; way++)
			lane_set_free(lane->sets[way], atomic_load(&lane->port->lanes[way]));
	}
	free(txn->lanes.items);
	txn->lanes = (struct txn_lanes){.n = 0};
}
