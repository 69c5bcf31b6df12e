/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channels: a share of bandwidth each, for what the machines of a channel send (tx) and for what
 * they receive (rx). A channel is made, changed and given to ports by main; workers take from its
 * buckets and count. A pool (pool.h) divides its capacity among channels: it sets the rate at which
 * a bucket fills, between what the channel is assured of and its ceiling.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"
#include "dataplane/channel/bucket.h"

#define CHANNELS_MAX 16384	/* indices 1 .. CHANNELS_MAX - 1 */
#define POOLS_MAX 256

struct dataplane;
struct pool;

/* One way of a channel: what buckets, workers and the pool need. Workers find it through a lane or
 * a receive queue; its address says which it is. */
struct channel_way {
	struct bucket bucket;		/* at the rate that the pool says now */
	_Atomic uint64_t taken_bytes;	/* ever; workers add what they charge */
	_Atomic uint32_t n_waiting;	/* workers at whose turnstile somebody waits */
	_Atomic uint64_t assured_bps, ceiling_bps;	/* with loans; ceiling 0: none */
	_Atomic uint32_t weight;
	_Atomic uint32_t target_ns;	/* delay above which frames are marked, then dropped */
	uint16_t channel;		/* index */
	uint8_t way;			/* enum dp_way */
	uint8_t frame_extra_bytes;	/* account: wire: what a frame takes on a wire beside its bytes */
} __attribute__((aligned(64)));

struct channel {
	struct channel_way ways[DP_WAYS];
	struct pool *pool;		/* NULL: none; then the bucket is at the ceiling */
	uint16_t index;
	uint16_t slot;			/* in the counters */
	struct channel *next_by_id;
	struct dp_channel spec;		/* main */
};
