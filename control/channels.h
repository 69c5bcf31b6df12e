/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What channels mean: which one counts for a port, and what is in force where the user left
 * something open. Derived each time, never stored. Pure.
 *
 * A port's frames go through the first of: its own channel, its vm's, that of the segment they are
 * in, the default. The default is a channel that weft makes if there is a pool named "host":
 * nothing assured, up to the pool's capacity. Peers of an uplink that has a channel go through it.
 */
#pragma once

#include "control/model.h"

#define CHANNELS_HOST_POOL "host"
#define CHANNELS_DEFAULT "host/default" /* no name that a user could give */

/* What the default is, as if it were in the model; false: there is none. */
bool channels_default(const struct model *model, struct model_channel *channel);

/* Of a channel of the model, or the default. frame_bytes: channels_frame_bytes(), for which all
 * segments are looked at: once, by who derives many. */
void channels_derive(const struct model *model, const struct model_channel *channel,
		     uint64_t frame_bytes, struct dp_channel_way ways[DP_WAYS]);

/* What a way may use at most: its own word, else its pool's capacity, but no less than what it is
 * assured of; outside of pools (NULL) what is assured is all there is. 0: no limit. */
uint64_t channels_ceiling_bps(const struct model_pool *pool, const struct model_channel *channel,
			      enum dp_way way);

/* Bytes of the largest frame that a channel may have to pass: bursts are not smaller. */
uint64_t channels_frame_bytes(const struct model *model);

/* The channel that counts for all frames of a port, "" if it has none of its own: then those of
 * its segments count. */
const char *channels_of_port(const struct model *model, const struct model_port *port);

/* The one channel that all frames of a port go through, as it is: also a segment's, or the default;
 * false: there is none, or several (a trunk's segments may differ). */
bool channels_resolve(const struct model *model, const struct model_port *port,
		      struct model_channel *channel);

/* Their ids for the dataplane; 0: none. Of a segment: with the default. */
uint32_t channels_port_id(const struct model *model, const struct model_port *port);
uint32_t channels_segment_id(const struct model *model, const struct model_segment *segment);

/* What loans take from a channel in a way: bits per second. */
uint64_t channels_lent_bps(const struct model *model, const char *channel, enum dp_way way);

/* The interface of the uplink that a pool stands for; NULL: there is none. */
const char *channels_pool_ifname(const struct model *model, const struct model_pool *pool);

/* All that is assured to the channels of each pool, summed up once. */
struct channels_assured {
	const struct model *model; /* must not change meanwhile */
	uint64_t (*bps)[DP_WAYS];  /* of the pool in this place of the model */
};

/* 0 or -ENOMEM; *assured is then empty. */
int channels_assured_init(struct channels_assured *assured, const struct model *model);
void channels_assured_fini(struct channels_assured *assured);
uint64_t channels_assured_bps(const struct channels_assured *assured, const char *pool,
			      enum dp_way way);
