/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pools: a capacity for each way that channels divide (api/share.h). Every millisecond of the
 * workers' clock, and soon after something has changed, whichever worker comes first runs a round:
 * it looks at the channels that are used, and sets the rates of their buckets. An idle channel
 * costs a round nothing, and a dataplane without channels has no rounds.
 *
 * Shares are exact on the scale of some ten milliseconds, not only in each round: who was hungry of
 * late and pauses is owed what it is due meanwhile, by those that had it; when it comes back it has
 * that beside its share, up to its ceiling, out of what they have beyond their assured rates
 * (credit.h). A credit is bounded, and forgotten when the pause is a long one. No capacity waits
 * for anybody: what one does not take others have at once.
 *
 * A channel that does not use what it has lends it out, to those that wait for more. Its own bucket
 * stays at what it would have if it wanted all: so it need not wait for a round when it comes back.
 * What passes meanwhile beyond the capacity is owed by all, and taken off what is spare in the next
 * rounds; never off what is assured.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

#define POOLS_MAX 256 /* indices 1 .. POOLS_MAX - 1 */

#define POOL_ROUND_NS 1000000ULL
/* A change does not wait for the next millisecond, but a storm of them makes no storm of rounds. */
#define POOL_SOON_NS 100000ULL

struct channel_way;
struct dataplane;
struct pool_rounds;

struct pool {
	struct dataplane *dp;
	_Atomic uint64_t capacity_bps[DP_WAYS];
	uint16_t index; /* in dataplane.pools */

	/* Of the rounds: who runs one has its lock. */
	uint64_t seen_bps[DP_WAYS]; /* capacity at the last round */
	int64_t owed_bits[DP_WAYS]; /* that passed beyond the capacity */
	bool is_wanted[DP_WAYS];    /* there were those that could have had all of it */

	struct dp_pool spec; /* main */
};

/* Main. */

/* Not yet published. 0 or -errno (-ENOSPC: there are POOLS_MAX - 1). */
int pool_create(struct dataplane *dp, const struct dp_pool *spec, struct pool **pool);
void pool_destroy(struct pool *pool); /* NULL is legal; no channel names it, no worker knows it */
void pool_apply(struct pool *pool, const struct dp_pool *spec);
void pool_publish(struct pool *pool);
void pool_unpublish(struct pool *pool);
struct pool *pool_find(const struct dataplane *dp, uint32_t id); /* published ones */

int pool_create_rounds(struct dataplane *dp, struct pool_rounds **rounds);
void pool_destroy_rounds(struct dataplane *dp, struct pool_rounds *rounds); /* NULL is legal */

/* Main or worker: the next round has to look at the way, and comes soon. */
void pool_want_round(struct dataplane *dp, const struct channel_way *way);

/* When the next round is due; UINT64_MAX: when something is used. A worker at whose turnstiles
 * somebody waits does not sleep longer: more may be there then. Any thread. */
uint64_t pool_due_ns(const struct dataplane *dp);

/* Runs the round that is due, unless another worker does. */
void pool_turn(struct dataplane *dp, uint64_t now_ns);
