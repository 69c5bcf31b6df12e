/* SPDX-License-Identifier: BSD-3-Clause */
/* See lane_set.h. Main thread. */
#include "dataplane/channel/lane_set.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/api/port_options.h"
#include "dataplane/channel/channel.h"
#include "dataplane/channel/lane.h"
#include "dataplane/dataplane.h"

/* The one of all frames is not a segment's. */
#define ALL_SEGMENTS 0

static bool has_lane(const struct lane_set *set, const struct lane *lane)
{
	for (unsigned int i = 0; set != NULL && i < set->n_lanes; i++) {
		if (set->lanes[i] == lane)
			return true;
	}
	return false;
}

static struct lane *find_lane(const struct lane_set *set, uint16_t segment)
{
	for (unsigned int i = 0; set != NULL && i < set->n_lanes; i++) {
		if (set->lanes[i]->segment == segment)
			return set->lanes[i];
	}
	return NULL;
}

/* The lane that the old set has for it, or a new one. */
static int add(struct lane_set *set, struct port *port, enum dp_way direction,
	       const struct lane_set *old, uint16_t segment)
{
	struct lane *lane = find_lane(old, segment);

	if (lane == NULL) {
		int error = lane_create(port, direction, segment, &lane);

		if (error < 0)
			return error;
	}
	set->lanes[set->n_lanes++] = lane;
	if (set->by_segment != NULL)
		set->by_segment[segment] = set->n_lanes;
	return 0;
}

static int add_planned(struct lane_set *set, struct port *port, enum dp_way direction,
		       const struct lane_set *old, const struct lane_set_plan *plan)
{
	int error = 0;

	if (!plan->by_segment)
		return add(set, port, direction, old, ALL_SEGMENTS);
	for (unsigned int i = 0; error == 0 && i < plan->n_segments; i++)
		error = add(set, port, direction, old, plan->segments[i]);
	return error;
}

/* Lanes that are needed no more, but have not been seen empty. */
static void add_leaving(struct lane_set *set, const struct lane_set *old)
{
	for (unsigned int i = 0; old != NULL && i < old->n_lanes; i++) {
		struct lane *lane = old->lanes[i];

		if (!has_lane(set, lane) && (atomic_load(&lane->way) != NULL || lane_is_busy(lane)))
			set->lanes[set->n_lanes++] = lane;
	}
}

/* Is there a lane that still has to be there? */
static bool is_needed(const struct lane_set *old)
{
	for (unsigned int i = 0; old != NULL && i < old->n_lanes; i++) {
		if (atomic_load(&old->lanes[i]->way) != NULL || lane_is_busy(old->lanes[i]))
			return true;
	}
	return false;
}

static uint16_t last_segment(const struct lane_set_plan *plan)
{
	uint16_t last = 0;

	for (unsigned int i = 0; i < plan->n_segments; i++) {
		if (plan->segments[i] > last)
			last = plan->segments[i];
	}
	return last;
}

int lane_set_make(struct port *port, enum dp_way direction, const struct lane_set_plan *plan,
		  struct lane_set **out)
{
	const struct lane_set *old = atomic_load(&port->lanes[direction]);
	size_t n = (plan->by_segment ? plan->n_segments : 1) + (old != NULL ? old->n_lanes : 0u);
	struct lane_set *set;

	*out = NULL;
	if (!plan->has_channel && !is_needed(old))
		return 0;
	set = calloc(1, sizeof(*set) + n * sizeof(set->lanes[0]));
	if (set == NULL)
		return -ENOMEM;
	set->holds_all = plan->holds_all;
	if (plan->by_segment) {
		set->n_segments = (uint16_t)(last_segment(plan) + 1);
		set->by_segment = calloc(set->n_segments, sizeof(set->by_segment[0]));
	}
	int error = plan->by_segment && set->by_segment == NULL ? -ENOMEM : 0;

	if (error == 0)
		error = add_planned(set, port, direction, old, plan);
	if (error < 0) {
		lane_set_free(set, old);
		return error;
	}
	add_leaving(set, old);
	*out = set;
	return 0;
}

struct lane_set *lane_set_publish(struct port *port, enum dp_way direction, struct lane_set *set)
{
	for (unsigned int i = 0; set != NULL && i < set->n_lanes; i++)
		atomic_store(&set->lanes[i]->is_lossless, direction == DP_TX && !set->holds_all);
	return atomic_exchange(&port->lanes[direction], set);
}

/* Whose frames a lane of the set still gets. */
static bool is_in_use(const struct lane_set *set, const struct lane *lane)
{
	return lane_set_find(set, lane->segment) == lane;
}

static struct channel *find_channel(const struct port *port, const struct lane *lane)
{
	struct channel *channel = atomic_load(&port->channel);
	const struct segment *segment = atomic_load(&port->dp->segments[lane->segment]);

	if (channel == NULL && segment != NULL)
		channel = atomic_load(&segment->channel);
	return channel;
}

void lane_set_point(struct port *port)
{
	for (unsigned int way = 0; way < DP_WAYS; way++) {
		const struct lane_set *set = atomic_load(&port->lanes[way]);

		for (unsigned int i = 0; set != NULL && i < set->n_lanes; i++) {
			struct lane *lane = set->lanes[i];
			struct channel *channel =
				is_in_use(set, lane) ? find_channel(port, lane) : NULL;

			atomic_store_explicit(&lane->way,
					      channel != NULL ? &channel->ways[way] : NULL,
					      memory_order_release);
		}
	}
}

void lane_set_free(struct lane_set *set, const struct lane_set *kept)
{
	if (set == NULL)
		return;
	for (unsigned int i = 0; i < set->n_lanes; i++) {
		if (!has_lane(kept, set->lanes[i]))
			lane_destroy(set->lanes[i]);
	}
	free(set->by_segment);
	free(set);
}

bool lane_set_holds_all(bool is_trunk, bool has_own, bool holds_rx, unsigned int queue)
{
	return !holds_rx || queue == PORT_QUEUE_SWITCH || (is_trunk && !has_own);
}
