/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turnstiles: where those wait who may not take from their channel just now. Each worker has one
 * for each way of each channel; the waiting are rings that are not polled meanwhile (hold.h), and
 * lanes (lane.h), which hold frames. When the bucket allows, they are served in turn, each up to a
 * quantum of bytes: deficit round robin. Nothing here is per frame, and a worker looks only at the
 * turnstiles that somebody waits at: at their times, which lie close together in one array.
 *
 * Main changes channels, ports and queues without knowing who waits where: it makes the change,
 * then counts dataplane.channels_epoch up, then waits for a grace period. A worker that sees
 * another epoch at the start of a turn forgets all turnstiles without looking at who waited (they
 * may be gone): queues are polled as any other again, and of the lanes of published ports those
 * that this worker owns and that hold frames wait anew, at the channel that they now have.
 *
 * Who makes a bucket faster (the pool, every millisecond) counts dataplane.rates_epoch up when
 * it has done so for all of them: then workers read the times of the waiting anew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/channel/channel.h"

#define TURNSTILE_NEVER_NS UINT64_MAX
#define TURNSTILE_PLACES (CHANNELS_MAX * DP_WAYS)

struct waiter;
struct worker;

/* What a service did. */
struct served {
	int64_t bytes;	     /* charged to the channel */
	unsigned int frames; /* moved: the turn was not idle */
	bool is_done;	     /* has nothing more: leaves */
	bool yields;	     /* has had its part of the worker's time: the next one's turn */
};

/* In a queue or a lane. Written by the worker that it belongs to; zero: waits nowhere. */
struct waiter {
	/* Moves frames while budget_bytes (BUCKET_UNLIMITED: any) is positive, a burst at most;
	 * what it moves it charges itself, as of one that has waited. */
	struct served (*serve)(struct worker *worker, struct waiter *waiter, int64_t budget_bytes);
	struct waiter *next;
	struct channel_way *way;
	uint32_t epoch; /* waits only if it is the worker's */
	/* What it may still take; what a service leaves of it counts the next time, be it soon. */
	int32_t deficit_bytes;
	bool has_turn; /* is first, and has got its quantum */
};

struct turnstile {
	struct channel_way *way;
	struct waiter *first, *last;
	uint16_t n;	   /* in the line */
	uint16_t place;	   /* of the way, which may be gone */
	uint64_t since_ns; /* counted as held up to then */
};

/* A worker's. The arrays are as long as can be, and used from their beginning: what was never used
 * was never touched. Here for those who look once per burst. */
struct turnstiles {
	uint32_t epoch;	      /* dataplane.channels_epoch */
	uint32_t rates_epoch; /* dataplane.rates_epoch */
	unsigned int n;	      /* somebody waits at */
	uint64_t earliest_ns; /* no due_ns is less */
	uint64_t due_ns[TURNSTILE_PLACES];
	struct turnstile at[TURNSTILE_PLACES];
	/* By channel and way: index in `at`, plus 1; 0: nobody waits. */
	uint16_t places[TURNSTILE_PLACES];
};

int turnstile_create(struct turnstiles **turnstiles);
void turnstile_destroy(struct turnstiles *turnstiles); /* NULL is legal */

/* Waits at the end of the line for a way, with serve set; one that waits already: nothing. From a
 * turn, or from a service, but not from its own. */
void turnstile_wait(struct worker *worker, struct waiter *waiter, struct channel_way *way);

/* Does it wait, in this worker's epoch? */
static inline bool turnstile_is_waiting(const struct turnstiles *turnstiles,
					const struct waiter *waiter)
{
	return waiter->epoch == turnstiles->epoch;
}

static inline unsigned int turnstile_place(const struct channel_way *way)
{
	return way->channel * DP_WAYS + way->way;
}

/* How many wait for a way at this worker. */
static inline unsigned int turnstile_count(const struct turnstiles *turnstiles,
					   const struct channel_way *way)
{
	uint16_t index = turnstiles->places[turnstile_place(way)];

	return __builtin_expect(index == 0, 1) ? 0 : turnstiles->at[index - 1].n;
}

/* Beginning of a turn: forgets all if the epoch has changed. Then serves those whose time has
 * come, as many bursts at a turnstile as wait there at most, and some more of lanes to ports;
 * frames moved. */
unsigned int turnstile_turn(struct worker *worker, uint64_t now_ns);

/* In the middle of a turn: serves some bursts of those who wait for the rx way of a channel, if
 * their time has come. So what fills lanes empties them, too, however long the turn is. */
void turnstile_serve(struct worker *worker, const struct channel_way *way);

/* When somebody is to be served, at the earliest; TURNSTILE_NEVER_NS: nobody waits. */
uint64_t turnstile_next_due_ns(const struct worker *worker);
