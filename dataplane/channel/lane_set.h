/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lanes of a port, one way: one for all its frames, or one for each segment of a trunk. A set
 * is a value: main makes a new one, which takes over the lanes that both have, publishes it, and
 * frees the old one after a grace period. A lane that the port needs no more, but that held
 * something when the new set was made, stays in it until the next: it has no channel, so it empties
 * itself through the gate.
 *
 * In a transaction:
 *
 *     prepare  lane_set_make()     can fail; nothing has changed
 *     commit   lane_set_publish()  for sets that were made, when the port has its segments
 *              lane_set_point()    when it and its segments have their channels
 *              epoch of channels + 1, grace period
 *     release  lane_set_free()     the old set
 *     abort    lane_set_free()     the new set
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct lane;
struct port;

struct lane_set {
	bool holds_all;	     /* tx: all frames; else only pieces, for the ring can wait */
	uint16_t n_segments; /* entries of by_segment */
	uint16_t n_lanes;
	uint16_t *by_segment; /* index in `lanes` plus 1; 0: none. NULL: all frames to lanes[0] */
	struct lane *lanes[];
};

/* What the lanes are to be. */
struct lane_set_plan {
	bool has_channel; /* the port, or a segment of it, will have one */
	bool holds_all;	  /* for tx, as above */
	bool by_segment;  /* a trunk's */
	unsigned int n_segments;
	const uint16_t *segments; /* of a trunk: their indices */
};

/* Main, as all that follows. 0 or -ENOMEM. *set NULL: the port needs no lanes, and has none. port:
 * a published one, or one that is not yet. */
int lane_set_make(struct port *port, enum dp_way direction, const struct lane_set_plan *plan,
		  struct lane_set **set);

/* The port's from now on. Returns what was there before. */
struct lane_set *lane_set_publish(struct port *port, enum dp_way direction, struct lane_set *set);

/* Each lane of the port gets the way of the channel that its frames have now. */
void lane_set_point(struct port *port);

/* Frees a set and those of its lanes that `kept` has not. NULL is legal for both. */
void lane_set_free(struct lane_set *set, const struct lane_set *kept);

/* What rx and tx of a port are to be. is_trunk: it has tags. has_own: a channel of its own, or of
 * its machine; holds_rx: of its type; queue: the option (enum port_queue). */
bool lane_set_holds_all(bool is_trunk, bool has_own, bool holds_rx, unsigned int queue);

/* Workers. The lane of a segment's frames; NULL: they pass as if there were none. */
static inline struct lane *lane_set_find(const struct lane_set *set, uint16_t segment)
{
	if (set->by_segment == NULL)
		return set->lanes[0];
	if (segment >= set->n_segments || set->by_segment[segment] == 0)
		return NULL;
	return set->lanes[set->by_segment[segment] - 1];
}
