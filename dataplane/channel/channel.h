/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channels: a share of bandwidth each, for what the machines of a channel send (tx) and for what
 * they receive (rx). A channel is made, changed and given to ports by main; workers take from its
 * buckets and count. A pool (pool.h) divides its capacity among channels: it sets the rate at which
 * a bucket fills, between what the channel is assured of and its ceiling.
 *
 * Main never sets the rate of a bucket that workers use, for a rate changes at a moment of the
 * workers' clock. It stores what the channel is to have, says so by channel_change(), and the next
 * turn of any worker sets the rates (pool.h).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/counters.h"
#include "dataplane/api/dp_msg.h"
#include "dataplane/api/share.h"
#include "dataplane/channel/bucket.h"

#define CHANNELS_MAX 16384  /* indices 1 .. CHANNELS_MAX - 1 */
#define CHANNELS_BY_ID 4096 /* chains of dataplane.channels_by_id */

struct dataplane;
struct pool;
struct port;
struct segment;

/* One way of a channel: what buckets, workers and the pool need. Workers find it through a lane or
 * a receive queue; its address says which it is. */
struct channel_way {
	struct bucket bucket;	      /* at the rate that the pool says now */
	_Atomic uint64_t taken_bytes; /* ever, as accounted; workers add what they charge */
	_Atomic uint64_t waited_ns;   /* when somebody last waited at a turnstile */
	_Atomic bool is_active;	      /* the pool looks at it; else it is to be told of charges */
	_Atomic bool is_hungry;	      /* the pool knows that it wants more than it has */
	uint8_t way;		      /* enum dp_way */
	_Atomic uint8_t frame_extra_bytes; /* account: wire: beside the bytes of a frame */
	uint16_t channel;		   /* index, also in the counters */
	struct counters_channel *counts;   /* of worker 0; those of others follow */
	_Atomic uint64_t target_ns;	   /* delay above which frames are marked, then dropped */
	_Atomic uint32_t weight;
	_Atomic uint32_t frames_per_s;		   /* 0: no limit */
	_Atomic uint64_t assured_bps, ceiling_bps; /* with loans; ceiling 0: none */
	_Atomic uint64_t burst_bytes;

	/* Of the rounds (pool.c): who runs one has its lock. */
	struct share share;
	uint64_t seen_bytes; /* taken_bytes at the last round */
	int64_t paid_bytes;  /* less its debt then */
	uint64_t used_bps;   /* of late */
	uint64_t used_ns;    /* when it was last seen to be used; 0: it was at rest */
	uint64_t hungry_ns;  /* when it last was hungry; 0: not of late */
	uint64_t due_bps;    /* while it is hungry, or was of late; may be nothing */
	uint64_t peak_bps;   /* of due_bps; follows it down, CREDIT_NS (credit.c) behind */
	int64_t credit_bits; /* that it was due and did not get; below zero: has had beyond */
	uint64_t wanted_bps, entitled_bps;
	uint64_t rate_bps; /* that its bucket was last set to, with the next two */
	uint64_t set_burst_bytes;
	uint32_t set_frames_per_s;
	uint16_t pool;	   /* index of the pool in which it was then */
	bool has_account;  /* of credit: it is hungry, or was of late */
	uint64_t told_bps; /* rate that waiters reckon with */
} __attribute__((aligned(64)));

struct channel {
	struct channel_way ways[DP_WAYS];
	struct dataplane *dp;
	_Atomic(struct pool *) pool; /* NULL: none; then the bucket is at the ceiling */
	uint16_t index;		     /* in dataplane.channels, and slot in the counters */

	/* Main. */
	int64_t lent_bps[DP_WAYS]; /* by loans: what it is assured of less; below zero: more */
	struct channel *next_by_id;
	struct dp_channel spec;
};

/* The channel that a way is of. */
static inline struct channel *channel_of(struct channel_way *way)
{
	return (struct channel *)(void *)(way - way->way);
}

static inline struct channel_way *channel_way_of(struct share *share)
{
	return (struct channel_way *)(void *)((char *)share - offsetof(struct channel_way, share));
}

/* Main. */

/* Not yet published; channel_apply() comes after. 0 or -errno (-ENOSPC: there are
 * CHANNELS_MAX - 1). */
int channel_create(struct dataplane *dp, const struct dp_channel *spec, struct channel **channel);
void channel_destroy(struct channel *channel); /* NULL is legal; no worker knows it any more */

void channel_publish(struct channel *channel);
void channel_unpublish(struct channel *channel);

struct channel *channel_find(const struct dataplane *dp, uint32_t id); /* published ones */

/* Makes the channel what `spec`, `pool` and lent_bps say, under traffic. The caller calls
 * channel_changed() when it has changed all it wanted to. */
void channel_apply(struct channel *channel, const struct dp_channel *spec, struct pool *pool);
/* It is assured of so much less; below zero: more. As channel_apply(). */
void channel_lend(struct channel *channel, enum dp_way way, int64_t bps);
void channel_changed(struct dataplane *dp);

/* Finds the channel of a port, or of a segment for its ports that have none, after their channel_id
 * or their segments have changed. Does the segment have another one than before? Then its ports
 * have to be resolved, too. */
void channel_resolve_port(struct dataplane *dp, struct port *port);
bool channel_resolve_segment(struct dataplane *dp, struct segment *segment);

/* Workers. */

/* What a worker counts of a way. */
static inline struct counters_channel *channel_counters(const struct channel_way *way,
						      unsigned int worker)
{
	return way->counts + (size_t)worker * DP_WAYS;
}

/* Frames that have passed in the burst in which they came. delay: place of what they waited
 * (account.h). */
static inline void channel_count_passed(struct counters_channel *count, unsigned int n,
					uint64_t bytes, unsigned int delay)
{
	count->asked_frames += n;
	count->passed_frames += n;
	count->delays[delay] += n;
	/* For the compiler only. Else it gathers neighbours in vectors, which takes it three times
	 * the instructions. */
	atomic_signal_fence(memory_order_seq_cst);
	count->asked_bytes += bytes;
	count->passed_bytes += bytes;
}

/* Out of line: tells the pool that the way is used again, or that somebody begins to wait. */
void channel_wake(struct channel_way *way);

/* Counts what was charged to the bucket. Once per burst. */
static inline void channel_count_taken(struct channel_way *way, uint64_t bytes)
{
	/* In this order, each a full barrier: either this sees that the pool has stopped to look,
	 * or the pool sees these bytes. */
	atomic_fetch_add(&way->taken_bytes, bytes);
	if (!atomic_load(&way->is_active))
		channel_wake(way);
}

/* Somebody waits at a turnstile of the way: when one begins to, and at each service after which one
 * still does. A moment, not a level: then nobody has to say that he waits no more. */
static inline void channel_note_wait(struct channel_way *way, uint64_t now_ns)
{
	atomic_store_explicit(&way->waited_ns, now_ns, memory_order_relaxed);
	if (!atomic_load_explicit(&way->is_hungry, memory_order_relaxed))
		channel_wake(way);
}

/* Nobody waits at this worker any more: others may have what it leaves before the next round. */
static inline void channel_note_rest(struct channel_way *way)
{
	atomic_store_explicit(&way->waited_ns, 0, memory_order_relaxed);
	if (atomic_load_explicit(&way->is_hungry, memory_order_relaxed))
		channel_wake(way);
}
