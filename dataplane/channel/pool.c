/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools as objects, and the rounds that divide them. Objects: main; rounds: any worker, one at a
 * time. */
#include "dataplane/channel/pool.h"

#include <errno.h>
#include <stddef.h>

#include "dataplane/channel/channel.h"
#include "dataplane/channel/credit.h"
#include "dataplane/dataplane.h"

#define SECOND_NS 1000000000ULL
/* What many channels take to look at may be no more than a small part of the time of a worker. */
#define ROUND_NS_PER_WAY 2000ULL
#define IDLE_AFTER_NS 10000000ULL
#define SMOOTH_NS 1000000ULL /* over which use is averaged */
#define OWED_NS 4000000ULL   /* in which what is owed comes back */
#define OWED_NS_MAX 50000000ULL
/* What a pool that was not full for a moment may give out more afterwards: a part in a thousand of
 * 100 ms. */
#define UNUSED_NS_MAX 100000ULL
/* The same while there were those that could have had it: they pause and come back, and what passes
 * swings about the capacity. What is above it is owed, so what is below it counts, too. */
#define PAUSED_NS_MAX 2000000ULL
/* An idle way that is assured of nothing: rate over capacity until the round that follows its first
 * frames. */
#define IDLE_PART 64

#define WORD_BITS 64
#define WORDS (CHANNELS_MAX * DP_WAYS / WORD_BITS)

/* The ways of one pool that a round looks at. */
struct group {
	struct group *next; /* that has a way */
	struct pool *pool;
	struct share *first;
	int64_t used_bytes;
};

struct pool_rounds {
	_Atomic uint64_t due_ns;
	_Atomic uint64_t last_ns;
	_Atomic uint64_t soon_ns; /* from one round to the next, at least */
	atomic_flag is_running;
	_Atomic uint64_t active[WORDS];		 /* bits by index of the channel and way */
	struct group groups[POOLS_MAX][DP_WAYS]; /* empty between rounds */
	struct group *first;
};

/* --- when --- */

static void bring_forward(struct pool_rounds *rounds, uint64_t due_ns)
{
	uint64_t old_ns = atomic_load(&rounds->due_ns);

	while (due_ns < old_ns && !atomic_compare_exchange_weak(&rounds->due_ns, &old_ns, due_ns))
		;
}

static void want_soon(struct pool_rounds *rounds)
{
	bring_forward(rounds, atomic_load(&rounds->last_ns) + atomic_load(&rounds->soon_ns));
}

static unsigned int bit_of(const struct channel_way *way)
{
	return way->channel * DP_WAYS + way->way;
}

void pool_want_round(struct dataplane *dp, const struct channel_way *way)
{
	struct pool_rounds *rounds = dp->rounds;
	unsigned int bit = bit_of(way);

	atomic_fetch_or(&rounds->active[bit / WORD_BITS], 1ULL << bit % WORD_BITS);
	want_soon(rounds);
}

uint64_t pool_due_ns(const struct dataplane *dp)
{
	return atomic_load_explicit(&dp->rounds->due_ns, memory_order_relaxed);
}

/* --- objects --- */

int pool_create(struct dataplane *dp, const struct dp_pool *spec, struct pool **out)
{
	struct pool *pool = dp->config.memory.alloc(sizeof(*pool), 64);

	if (pool == NULL)
		return -ENOMEM;
	pool->dp = dp;
	for (unsigned int i = 1; i < POOLS_MAX && pool->index == 0; i++) {
		if (!dp->pools_taken[i])
			pool->index = (uint16_t)i;
	}
	if (pool->index == 0) {
		dp->config.memory.free(pool);
		return -ENOSPC;
	}
	dp->pools_taken[pool->index] = true;
	pool_apply(pool, spec);
	*out = pool;
	return 0;
}

void pool_destroy(struct pool *pool)
{
	if (pool == NULL)
		return;
	pool->dp->pools_taken[pool->index] = false;
	pool->dp->config.memory.free(pool);
}

void pool_apply(struct pool *pool, const struct dp_pool *spec)
{
	pool->spec = *spec;
	for (unsigned int i = 0; i < DP_WAYS; i++)
		atomic_store(&pool->capacity_bps[i], spec->capacity_bps[i]);
	want_soon(pool->dp->rounds);
}

void pool_publish(struct pool *pool)
{
	pool->dp->pools[pool->index] = pool;
}

void pool_unpublish(struct pool *pool)
{
	pool->dp->pools[pool->index] = NULL;
}

struct pool *pool_find(const struct dataplane *dp, uint32_t id)
{
	for (unsigned int i = 1; i < POOLS_MAX; i++) {
		if (dp->pools[i] != NULL && dp->pools[i]->spec.id == id)
			return dp->pools[i];
	}
	return NULL;
}

int pool_create_rounds(struct dataplane *dp, struct pool_rounds **out)
{
	struct pool_rounds *rounds = dp->config.memory.alloc(sizeof(*rounds), 64);

	if (rounds == NULL)
		return -ENOMEM;
	atomic_store(&rounds->due_ns, UINT64_MAX);
	atomic_store(&rounds->soon_ns, POOL_SOON_NS);
	atomic_flag_clear(&rounds->is_running);
	*out = rounds;
	return 0;
}

void pool_destroy_rounds(struct dataplane *dp, struct pool_rounds *rounds)
{
	dp->config.memory.free(rounds);
}

/* --- a round --- */

/* Does it use all it gets? Who waits says so when the wait begins, which may be rounds ago: then
 * the bucket is still in debt. (A bucket that nobody waits at is in debt too, but not often.) */
static bool is_hungry(const struct channel_way *way, uint64_t last_ns, uint64_t now_ns)
{
	uint64_t due_ns = bucket_due_ns(&way->bucket);
	bool was_hungry = atomic_load_explicit(&way->is_hungry, memory_order_relaxed);

	return atomic_load_explicit(&way->waited_ns, memory_order_relaxed) >= last_ns ||
	       due_ns > now_ns + (was_hungry ? 0 : BUCKET_AHEAD_NS);
}

/* A channel with a limit of frames may wait for that one, with bytes left that it cannot use. */
static uint64_t demand_of(const struct channel_way *way, bool is_hungry, uint64_t now_ns)
{
	uint64_t used_bps = way->used_bps + BUCKET_RATE_BPS_MIN;

	/* It pauses: who then has more than there is when it comes back owes that. */
	if (!is_hungry && credit_is_recent(way, now_ns) &&
	    atomic_load_explicit(&way->waited_ns, memory_order_relaxed) == 0)
		return BUCKET_RATE_BPS_MIN;
	if (!is_hungry)
		return used_bps + used_bps / 8;
	return way->set_frames_per_s != 0 ? 2 * used_bps : SHARE_ALL;
}

static int64_t debt_bytes(const struct bucket *bucket, uint64_t now_ns)
{
	uint64_t cost = atomic_load_explicit(&bucket->byte_cost, memory_order_relaxed);
	int64_t ticks = atomic_load_explicit(&bucket->paid_ticks, memory_order_relaxed) -
			bucket_ticks(now_ns);

	return cost != 0 && ticks > 0 ? bucket_ticks_bytes(cost, ticks) : 0;
}

static uint64_t average(uint64_t old_bps, int64_t bytes, uint64_t passed_ns)
{
	uint64_t part_ns = passed_ns < SMOOTH_NS ? passed_ns : SMOOTH_NS;
	__int128 bits = (__int128)bytes * 8 * part_ns * SECOND_NS / passed_ns;

	return (uint64_t)(((__int128)old_bps * (SMOOTH_NS - part_ns) + bits) / SMOOTH_NS);
}

/* What it has used since the last round: taken, and paid for by time. What is in debt it still has
 * to wait for, so nobody else has less for it. */
static int64_t look(struct channel_way *way, uint64_t last_ns, uint64_t now_ns)
{
	uint64_t taken_bytes = atomic_load(&way->taken_bytes);
	int64_t paid_bytes = (int64_t)taken_bytes - debt_bytes(&way->bucket, now_ns);
	int64_t used_bytes = paid_bytes - way->paid_bytes;
	bool hungry = is_hungry(way, last_ns, now_ns);

	if (now_ns != last_ns)
		way->used_bps =
			average(way->used_bps, used_bytes > 0 ? used_bytes : 0, now_ns - last_ns);
	if (taken_bytes != way->seen_bytes || hungry || way->used_ns == 0)
		way->used_ns = now_ns;
	way->seen_bytes = taken_bytes;
	way->paid_bytes = paid_bytes;
	atomic_store_explicit(&way->is_hungry, hungry, memory_order_relaxed);
	if (hungry && way->set_frames_per_s == 0)
		way->hungry_ns = now_ns;
	way->share = (struct share){
		.demand_bps = demand_of(way, hungry, now_ns),
		.assured_bps = atomic_load_explicit(&way->assured_bps, memory_order_relaxed),
		.ceiling_bps = atomic_load_explicit(&way->ceiling_bps, memory_order_relaxed),
		.weight = atomic_load_explicit(&way->weight, memory_order_relaxed),
	};
	return used_bytes;
}

/* Have those that wait to reckon anew, for it is much sooner? */
static bool is_news(struct channel_way *way)
{
	bool is_raised = way->told_bps != 0 &&
			 (way->rate_bps == 0 || way->rate_bps > way->told_bps + way->told_bps / 16);

	if (is_raised || way->rate_bps < way->told_bps || way->told_bps == 0)
		way->told_bps = way->rate_bps;
	return is_raised;
}

/* rate_bps 0: no limit. Is it news to those that wait? */
static bool set_rate(struct channel_way *way, uint64_t rate_bps, uint64_t now_ns)
{
	uint64_t burst_bytes = atomic_load_explicit(&way->burst_bytes, memory_order_relaxed);
	uint32_t frames_per_s = atomic_load_explicit(&way->frames_per_s, memory_order_relaxed);
	bool has_new_frames = frames_per_s != way->set_frames_per_s;

	if (rate_bps == way->rate_bps && burst_bytes == way->set_burst_bytes && !has_new_frames)
		return false;
	way->rate_bps = rate_bps;
	way->set_burst_bytes = burst_bytes;
	way->set_frames_per_s = frames_per_s;
	bucket_set(&way->bucket, rate_bps, burst_bytes, frames_per_s, now_ns);
	return is_news(way) || has_new_frames;
}

static void clear_bit(struct pool_rounds *rounds, const struct channel_way *way)
{
	unsigned int bit = bit_of(way);

	atomic_fetch_and(&rounds->active[bit / WORD_BITS], ~(1ULL << bit % WORD_BITS));
}

/* Without a pool: at its ceiling, and rounds have nothing more to do with it. */
static bool settle_alone(struct pool_rounds *rounds, struct channel_way *way, uint64_t now_ns)
{
	clear_bit(rounds, way);
	atomic_store(&way->is_active, true);
	atomic_store_explicit(&way->is_hungry, true, memory_order_relaxed);
	return set_rate(way, atomic_load_explicit(&way->ceiling_bps, memory_order_relaxed), now_ns);
}

/* Nobody uses it: from now on it is not looked at, until it is told of. */
static bool put_to_rest(struct pool_rounds *rounds, struct channel_way *way, uint64_t capacity_bps,
			uint64_t now_ns)
{
	uint64_t rate_bps = way->share.ceiling_bps != 0 && way->share.ceiling_bps < capacity_bps
				    ? way->share.ceiling_bps
				    : capacity_bps;

	rate_bps /= IDLE_PART;
	if (rate_bps < way->share.assured_bps)
		rate_bps = way->share.assured_bps;
	if (rate_bps < BUCKET_RATE_BPS_MIN)
		rate_bps = BUCKET_RATE_BPS_MIN;
	bool is_new = set_rate(way, rate_bps, now_ns);

	way->used_ns = 0;
	way->used_bps = 0;
	way->hungry_ns = 0;
	way->due_bps = way->peak_bps = 0;
	way->has_account = false;
	clear_bit(rounds, way);
	atomic_store(&way->is_active, false);
	/* Either this sees what was taken meanwhile, or who took it sees that it has to tell. */
	if (atomic_load(&way->taken_bytes) != way->seen_bytes)
		pool_want_round(channel_of(way)->dp, way);
	return is_new;
}

/* What passed beyond the capacity, or below it. */
static void note_owed(struct pool *pool, unsigned int way, int64_t used_bytes, uint64_t passed_ns)
{
	uint64_t capacity_bps = pool->seen_bps[way];
	__int128 owed_bits = (__int128)pool->owed_bits[way] + (__int128)used_bytes * 8 -
			     (__int128)capacity_bps * passed_ns / SECOND_NS;
	__int128 most = (__int128)capacity_bps * OWED_NS_MAX / SECOND_NS;
	uint64_t unused_ns = pool->is_wanted[way] ? PAUSED_NS_MAX : UNUSED_NS_MAX;
	__int128 least = -((__int128)capacity_bps * unused_ns / SECOND_NS);

	owed_bits = owed_bits > most ? most : owed_bits < least ? least : owed_bits;
	pool->owed_bits[way] = (int64_t)owed_bits;
}

/* What each would have if all wanted all: who does not now is to find that when it comes back. */
static void find_entitled(uint64_t capacity_bps, struct share *first)
{
	bool has_lenders = false;

	for (struct share *share = first; share != NULL; share = share->next) {
		channel_way_of(share)->wanted_bps = share->demand_bps;
		has_lenders |= share->demand_bps != SHARE_ALL;
		share->demand_bps = SHARE_ALL;
	}
	if (!has_lenders)
		return;
	share_out(capacity_bps, 0, first);
	for (struct share *share = first; share != NULL; share = share->next)
		channel_way_of(share)->entitled_bps = share->given_bps;
}

static bool divide(struct group *group, unsigned int index, uint64_t passed_ns, uint64_t now_ns)
{
	struct pool *pool = group->pool;
	uint64_t capacity_bps = atomic_load(&pool->capacity_bps[index]);
	bool is_new = false;

	note_owed(pool, index, group->used_bytes, passed_ns);
	pool->seen_bps[index] = capacity_bps;
	find_entitled(capacity_bps, group->first);
	int64_t owed_bps = pool->owed_bits[index] * (int64_t)(SECOND_NS / OWED_NS);
	uint64_t due_bps = credit_give(capacity_bps, owed_bps, group->first, now_ns);

	pool->is_wanted[index] =
		(int64_t)due_bps >= (int64_t)(capacity_bps - capacity_bps / 64) - owed_bps;
	for (struct share *share = group->first; share != NULL; share = share->next) {
		struct channel_way *way = channel_way_of(share);
		uint64_t rate_bps = share->given_bps;

		/* Nothing is left, but 0 were no limit at all. */
		if (rate_bps < BUCKET_RATE_BPS_MIN)
			rate_bps = BUCKET_RATE_BPS_MIN;
		if (share->demand_bps != SHARE_ALL && rate_bps < way->entitled_bps)
			rate_bps = way->entitled_bps;
		if (now_ns - way->used_ns > IDLE_AFTER_NS)
			is_new |= put_to_rest(pool->dp->rounds, way, capacity_bps, now_ns);
		else
			is_new |= set_rate(way, rate_bps, now_ns);
	}
	return is_new;
}

static bool divide_all(struct dataplane *dp, uint64_t passed_ns, uint64_t now_ns)
{
	bool is_new = false;

	for (struct group *group = dp->rounds->first, *next; group != NULL; group = next) {
		next = group->next;
		is_new |= divide(group, channel_way_of(group->first)->way, passed_ns, now_ns);
		*group = (struct group){0};
	}
	dp->rounds->first = NULL;
	return is_new;
}

/* Puts the way into its group. */
static bool gather(struct dataplane *dp, unsigned int bit, uint64_t last_ns, uint64_t now_ns)
{
	struct pool_rounds *rounds = dp->rounds;
	struct channel *channel = atomic_load(&dp->channels[bit / DP_WAYS]);

	if (channel == NULL) {
		atomic_fetch_and(&rounds->active[bit / WORD_BITS], ~(1ULL << bit % WORD_BITS));
		return false;
	}
	struct channel_way *way = &channel->ways[bit % DP_WAYS];
	/* Main may move it to another pool meanwhile. */
	struct pool *pool = atomic_load(&channel->pool);

	if (pool == NULL)
		return settle_alone(rounds, way, now_ns);
	struct group *group = &rounds->groups[pool->index][way->way];

	atomic_store(&way->is_active, true);
	int64_t used_bytes = look(way, last_ns, now_ns);

	/* What it had of another pool is not owed by this one. */
	if (way->pool == pool->index)
		group->used_bytes += used_bytes;
	credit_note(way, way->pool == pool->index, used_bytes, now_ns - last_ns, now_ns);
	way->pool = pool->index;
	if (group->first == NULL) {
		group->next = rounds->first;
		rounds->first = group;
	}
	way->share.next = group->first;
	group->first = &way->share;
	group->pool = pool;
	return false;
}

/* How many there are to look at. */
static unsigned int gather_all(struct dataplane *dp, uint64_t last_ns, uint64_t now_ns,
			       bool *is_new)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < WORDS; i++) {
		uint64_t bits = atomic_load_explicit(&dp->rounds->active[i], memory_order_relaxed);

		for (; bits != 0; bits &= bits - 1) {
			unsigned int bit = i * WORD_BITS + (unsigned int)__builtin_ctzll(bits);

			*is_new |= gather(dp, bit, last_ns, now_ns);
			n++;
		}
	}
	return n;
}

static void run_round(struct dataplane *dp, uint64_t last_ns, uint64_t now_ns)
{
	struct pool_rounds *rounds = dp->rounds;
	bool is_new = false;

	/* Who wants a round from here on gets another one. */
	atomic_store(&rounds->due_ns, UINT64_MAX);
	uint64_t gap_ns = gather_all(dp, last_ns, now_ns, &is_new) * ROUND_NS_PER_WAY;

	is_new |= divide_all(dp, now_ns - last_ns, now_ns);
	atomic_store(&rounds->last_ns, now_ns);
	atomic_store(&rounds->soon_ns, gap_ns > POOL_SOON_NS ? gap_ns : POOL_SOON_NS);
	if (gap_ns != 0)
		bring_forward(rounds, now_ns + (gap_ns > POOL_ROUND_NS ? gap_ns : POOL_ROUND_NS));
	if (is_new)
		atomic_fetch_add(&dp->rates_epoch, 1);
}

void pool_turn(struct dataplane *dp, uint64_t now_ns)
{
	struct pool_rounds *rounds = dp->rounds;

	if (now_ns < pool_due_ns(dp) ||
	    atomic_flag_test_and_set_explicit(&rounds->is_running, memory_order_acquire))
		return;
	/* Another worker may have read its clock later than this one, and been here already. */
	uint64_t last_ns = atomic_load(&rounds->last_ns);

	if (now_ns >= last_ns)
		run_round(dp, last_ns, now_ns);
	atomic_flag_clear_explicit(&rounds->is_running, memory_order_release);
}
