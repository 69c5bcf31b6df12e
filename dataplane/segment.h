/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments: isolated layer-2 networks. A segment is its index, its settings and the list of ports
 * that a flood reaches. Lists are values: main builds a new one and publishes it, workers read it
 * once per burst, the old one is freed after a grace period.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"
#include "dataplane/storm.h"

#define SEGMENTS_MAX 8192	/* indices 1 .. SEGMENTS_MAX - 1 */

struct channel;
struct dataplane;
struct flight;
struct frame;
struct port;

/*
 * Ordered so that each kind of sender reads one run of it:
 *
 *     isolated ports | other ports | other peers | isolated peers
 *     0         ports_open    peers_begin    peers_isolated      n
 *
 * A port floods to all of it, an isolated one from ports_open up to peers_isolated; a peer floods
 * to ports alone.
 */
struct flood_list {
	uint32_t n;
	uint32_t ports_open, peers_begin, peers_isolated;
	uint16_t ports[];	/* indices of the member ports */
};

/* Of the ports that share a limit of addresses: who had most at the last look, and down to which
 * count that stands (learn.c). Main. */
struct learn_crowd {
	uint16_t largest;
	uint32_t floor;
};

struct segment {
	_Atomic(struct flood_list *) flood;
	_Atomic uint32_t age_s;
	_Atomic uint32_t vni;
	_Atomic uint32_t max_frame_bytes;	/* by the MTU, without a tag */
	_Atomic uint8_t passes;		/* link-local protocols: bits, segment.c */
	_Atomic uint8_t on_unknown, on_broadcast, on_multicast;	/* enum segment_action */
	_Atomic uint16_t guards;	/* enum dp_guard, of its ports */
	_Atomic uint8_t services;	/* enum frame_service */
	_Atomic(struct channel *) channel;	/* of ports without one of their own; or NULL */
	_Atomic(struct flight *) flight;	/* its recorder; NULL: off */
	struct storm storm;
	uint16_t index;
	uint32_t id;			/* as in the spec; never changes */
	uint32_t max_macs;		/* main only, as the rest */
	struct learn_crowd crowd;
	struct segment *next_by_id;	/* in dataplane.segments_by_id */
	struct dp_segment spec;
};

/* Not yet published. 0 or -errno. Main, as all here. */
int segment_create(struct dataplane *dp, const struct dp_segment *spec, struct segment **segment);
void segment_destroy(struct segment *segment);	/* NULL is legal */

/* Makes the segment what the spec says, under traffic. */
void segment_apply(struct segment *segment, const struct dp_segment *spec);

/* Workers find it, or no longer do once they pass a quiescent point. */
void segment_publish(struct dataplane *dp, struct segment *segment);
void segment_unpublish(struct dataplane *dp, struct segment *segment);

/* Does the spec ask for another recorder than the segment has (NULL: it is not there yet)? *flight:
 * that one, or NULL. 0 or -ENOMEM. */
int segment_make_flight(const struct dataplane *dp, const struct segment *segment,
			const struct dp_segment *spec, bool *is_other, struct flight **flight);
/* Gives a published segment another recorder, or none. Returns the one that it had. */
struct flight *segment_swap_flight(struct dataplane *dp, struct segment *segment,
				   struct flight *flight);

/* Nothing names the index any more. */
void segment_return_index(struct dataplane *dp, uint16_t index);

struct segment *segment_find(const struct dataplane *dp, uint32_t id);

/* Whether a frame to a link-local address is of a protocol that the segment passes on. Worker. */
bool segment_passes(const struct segment *segment, const struct frame *frame);

/* By index of the published segments that are marked: the ports that are in each; NULL where there
 * is no memory. One walk over the ports for all. The array and each list are freed by free(). */
struct flood_list **segment_flood_lists(const struct dataplane *dp, const bool *marked);
