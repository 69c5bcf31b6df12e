/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bucket of bandwidth: so many bytes (and, if wanted, frames) per second, with debt. Who may
 * take takes whole frames until nothing is left and pays for all of them, so the rate in the long
 * run is exact, and what is wrong at any moment is one frame. Time is passed in.
 *
 * One word holds the state: the time up to which everything taken has been paid for. So debt is
 * time, and a change of the rate rescales it. Several workers may take of one bucket: the word
 * changes by compare and exchange. Ticks of 1/64 ns: 64 bytes at 100 Gbit/s are 328 of them, and
 * the clock goes on for four years.
 *
 *	        floor          paid             now       now + ahead
 *	----------|--------------|---------------|-------------|----> time
 *	          |              |<------ may be taken ------->|
 *	          |  an idle bucket saves no more than a burst
 *
 * Who has taken up to now + ahead waits until all is paid (bucket_due_ns()), and then takes as
 * much again: so frames go in bursts of BUCKET_AHEAD_NS at rates where that is several of them.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BUCKET_TICKS_PER_NS 64
#define BUCKET_COST_BITS 20	    /* fraction of a tick in `byte_cost` */
#define BUCKET_RATE_BPS_MIN 1000ULL /* bits per second */
#define BUCKET_RATE_BPS_MAX 400000000000ULL
/* How far ahead of its debt a bucket lets one take, so that frames still go in bursts: 2 % of the
 * 10 ms over which a rate has to be exact hold four of these. */
#define BUCKET_AHEAD_NS 50000ULL
/* Who has waited gets the time that a worker was late since then, up to this. */
#define BUCKET_LATE_NS 5000000ULL

#define BUCKET_UNLIMITED INT64_MAX

struct bucket {
	_Atomic int64_t paid_ticks;
	_Atomic uint64_t byte_cost;  /* ticks << BUCKET_COST_BITS; 0: no limit */
	_Atomic uint64_t frame_cost; /* ticks; 0: no limit of frames */
	_Atomic int64_t burst_ticks; /* what an idle one saves up, beside what it lets take ahead */
};

static inline int64_t bucket_ticks(uint64_t ns)
{
	return (int64_t)(ns * BUCKET_TICKS_PER_NS);
}

/* Ticks that so many bytes cost. */
static inline int64_t bucket_bytes_ticks(uint64_t byte_cost, uint64_t bytes)
{
	return (int64_t)(((unsigned __int128)byte_cost * bytes) >> BUCKET_COST_BITS);
}

/* Bytes that ticks > 0 are worth; byte_cost is not 0. */
static inline int64_t bucket_ticks_bytes(uint64_t byte_cost, int64_t ticks)
{
	/* As a rule it fits one word: a division of two words is a function. */
	if (__builtin_expect(ticks >> (63 - BUCKET_COST_BITS) == 0, 1))
		return (int64_t)(((uint64_t)ticks << BUCKET_COST_BITS) / byte_cost);
	return (int64_t)(((unsigned __int128)ticks << BUCKET_COST_BITS) / byte_cost);
}

/* The time of `bytes` at this rate, and at none: 0. */
static inline uint64_t bucket_bytes_ns(const struct bucket *bucket, uint64_t bytes)
{
	uint64_t cost = atomic_load_explicit(&bucket->byte_cost, memory_order_relaxed);

	return (uint64_t)bucket_bytes_ticks(cost, bytes) / BUCKET_TICKS_PER_NS;
}

/* The bytes of a time at this rate; BUCKET_UNLIMITED if there is none. */
static inline int64_t bucket_ns_bytes(const struct bucket *bucket, uint64_t ns)
{
	uint64_t cost = atomic_load_explicit(&bucket->byte_cost, memory_order_relaxed);

	return cost == 0 ? BUCKET_UNLIMITED : bucket_ticks_bytes(cost, bucket_ticks(ns));
}

/* The rate that it is at, bits per second; 0: no limit. Rounded: what bucket_set() got is within a
 * part in a million. */
static inline uint64_t bucket_rate_bps(const struct bucket *bucket)
{
	const uint64_t second = (8000000000ULL * BUCKET_TICKS_PER_NS) << BUCKET_COST_BITS;
	uint64_t cost = atomic_load_explicit(&bucket->byte_cost, memory_order_relaxed);

	return cost == 0 ? 0 : (second + cost / 2) / cost;
}

/* A time ahead of now, or behind it, as it is at another cost. What was taken ahead at the old
 * rate was that of this time: 50 us at 1 Gbit/s are 5 ms at 10 Mbit/s, and who takes ahead is in
 * debt by so much at any moment. Going up and down, what this gives is what it takes. */
static inline int64_t bucket_rescale(int64_t ticks, uint64_t old_cost, uint64_t new_cost)
{
	const int64_t ahead = bucket_ticks(BUCKET_AHEAD_NS);
	int64_t kept = ticks < 0 ? 0 : ticks < ahead ? ticks : ahead;
	__int128 scaled = (__int128)(ticks - kept) * new_cost / old_cost + kept;

	return scaled > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)scaled;
}

/*
 * rate_bps 0: no limit, else BUCKET_RATE_BPS_MIN .. _MAX. frames_per_s 0: no limit of frames. What
 * was taken stays taken, and what was saved up stays saved as far as the new burst goes. One at a
 * time (main, or who divides the pool); workers may take meanwhile, and pay for one burst at the
 * old rate.
 */
static inline void bucket_set(struct bucket *bucket, uint64_t rate_bps, uint64_t burst_bytes,
			      uint32_t frames_per_s, uint64_t now_ns)
{
	const uint64_t second = (8000000000ULL * BUCKET_TICKS_PER_NS) << BUCKET_COST_BITS;
	const int64_t ahead = bucket_ticks(BUCKET_AHEAD_NS), now = bucket_ticks(now_ns);
	uint64_t old_cost = atomic_load_explicit(&bucket->byte_cost, memory_order_relaxed);
	int64_t oldest = -atomic_load_explicit(&bucket->burst_ticks, memory_order_relaxed);
	uint64_t cost = rate_bps == 0 ? 0 : (second + rate_bps / 2) / rate_bps;
	int64_t burst = bucket_bytes_ticks(cost, burst_bytes) - ahead;
	int64_t paid = atomic_load_explicit(&bucket->paid_ticks, memory_order_relaxed);
	int64_t next;

	atomic_store_explicit(&bucket->burst_ticks, burst > 0 ? burst : 0, memory_order_relaxed);
	atomic_store_explicit(&bucket->byte_cost, cost, memory_order_relaxed);
	atomic_store_explicit(
		&bucket->frame_cost,
		frames_per_s == 0 ? 0 : 1000000000ULL * BUCKET_TICKS_PER_NS / frames_per_s,
		memory_order_relaxed);
	if (cost == old_cost)
		return;
	/* Who waits may be owed the time that a worker was late. */
	if (oldest > -bucket_ticks(BUCKET_LATE_NS))
		oldest = -bucket_ticks(BUCKET_LATE_NS);
	do {
		int64_t lag = paid - now;

		/* From now on if it had no limit before. */
		next = now;
		if (old_cost != 0 && cost != 0)
			next += bucket_rescale(lag < oldest ? oldest : lag, old_cost, cost);
	} while (!atomic_compare_exchange_weak_explicit(
		&bucket->paid_ticks, &paid, next, memory_order_relaxed, memory_order_relaxed));
}

/* The same for one that nobody uses yet: full, whatever the clock says. */
static inline void bucket_init(struct bucket *bucket, uint64_t rate_bps, uint64_t burst_bytes,
			       uint32_t frames_per_s)
{
	atomic_store_explicit(&bucket->byte_cost, 0, memory_order_relaxed);
	atomic_store_explicit(&bucket->burst_ticks, 0, memory_order_relaxed);
	bucket_set(bucket, rate_bps, burst_bytes, frames_per_s, 0);
	atomic_store_explicit(&bucket->paid_ticks, INT64_MIN / 2, memory_order_relaxed);
}

/* What so many bytes and frames cost: the dearer of the two; 0 without any limit. */
static inline int64_t bucket_cost_ticks(const struct bucket *bucket, uint64_t bytes,
					uint64_t frames)
{
	uint64_t byte_cost = atomic_load_explicit(&bucket->byte_cost, memory_order_relaxed);
	uint64_t frame_cost = atomic_load_explicit(&bucket->frame_cost, memory_order_relaxed);
	int64_t ticks = bucket_bytes_ticks(byte_cost, bytes);
	int64_t frame_ticks = (int64_t)(frame_cost * frames);

	return frame_ticks > ticks ? frame_ticks : ticks;
}

/* Up to where all counts as paid: an idle bucket saves up a burst, and who has waited gets what a
 * worker was late, too. */
static inline int64_t bucket_floor(const struct bucket *bucket, int64_t now_ticks, bool has_waited)
{
	const int64_t late = bucket_ticks(BUCKET_LATE_NS);
	int64_t burst = atomic_load_explicit(&bucket->burst_ticks, memory_order_relaxed);

	return now_ticks - (has_waited && burst < late ? late : burst);
}

/* Time that may be taken now, in ticks; 0 or less: none. */
static inline int64_t bucket_credit_ticks(const struct bucket *bucket, uint64_t now_ns,
					  bool has_waited)
{
	int64_t now = bucket_ticks(now_ns);
	int64_t paid = atomic_load_explicit(&bucket->paid_ticks, memory_order_relaxed);
	int64_t floor = bucket_floor(bucket, now, has_waited);

	return now + bucket_ticks(BUCKET_AHEAD_NS) - (paid > floor ? paid : floor);
}

/* Bytes that may be taken now: whole frames, while it is positive. BUCKET_UNLIMITED: any number.
 * has_waited: as for bucket_charge(). Any worker. */
static inline int64_t bucket_credit(const struct bucket *bucket, uint64_t now_ns, bool has_waited)
{
	uint64_t cost = atomic_load_explicit(&bucket->byte_cost, memory_order_relaxed);
	int64_t ticks;

	if (cost == 0 && atomic_load_explicit(&bucket->frame_cost, memory_order_relaxed) == 0)
		return BUCKET_UNLIMITED;
	ticks = bucket_credit_ticks(bucket, now_ns, has_waited);
	if (ticks <= 0)
		return 0;
	/* Where a byte costs more than there is, the one frame that goes into debt may go. */
	return cost == 0 ? BUCKET_UNLIMITED : bucket_ticks_bytes(cost, ticks) + 1;
}

/* The same in frames, for those that are limited in their number; 0 only with no bytes either. */
static inline int64_t bucket_credit_frames(const struct bucket *bucket, uint64_t now_ns,
					   bool has_waited)
{
	uint64_t cost = atomic_load_explicit(&bucket->frame_cost, memory_order_relaxed);

	if (__builtin_expect(cost == 0, 1))
		return BUCKET_UNLIMITED;
	int64_t ticks = bucket_credit_ticks(bucket, now_ns, has_waited);

	return ticks <= 0 ? 0 : ticks / (int64_t)cost + 1;
}

/* May so much be taken now, and something would be left? Bytes and frames as for bucket_charge(),
 * of a taker that has not waited. Any worker. */
static inline bool bucket_has(const struct bucket *bucket, uint64_t now_ns, uint64_t bytes,
			      uint64_t frames)
{
	int64_t ticks = bucket_cost_ticks(bucket, bytes, frames);

	return ticks == 0 || ticks < bucket_credit_ticks(bucket, now_ns, false);
}

/* Pays for what was taken: the dearer of its bytes and its frames. has_waited: the taker waited at
 * the turnstile, so the time since then is its own, and not that of an idle bucket. Any worker. */
static inline void bucket_charge(struct bucket *bucket, uint64_t now_ns, uint64_t bytes,
				 uint64_t frames, bool has_waited)
{
	int64_t ticks = bucket_cost_ticks(bucket, bytes, frames);

	if (ticks == 0)
		return;
	int64_t floor = bucket_floor(bucket, bucket_ticks(now_ns), has_waited);
	int64_t paid = atomic_load_explicit(&bucket->paid_ticks, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(&bucket->paid_ticks, &paid,
						      (paid > floor ? paid : floor) + ticks,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

/* Somebody begins to wait, and nobody did of late: until now it was idle, and saved up a burst. So
 * what a worker is late counts from here. Any worker. */
static inline void bucket_settle(struct bucket *bucket, uint64_t now_ns)
{
	int64_t floor = bucket_floor(bucket, bucket_ticks(now_ns), false);
	int64_t paid = atomic_load_explicit(&bucket->paid_ticks, memory_order_relaxed);

	while (paid < floor &&
	       !atomic_compare_exchange_weak_explicit(&bucket->paid_ticks, &paid, floor,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

/* When all is paid, and who has waited is served. */
static inline uint64_t bucket_due_ns(const struct bucket *bucket)
{
	int64_t paid = atomic_load_explicit(&bucket->paid_ticks, memory_order_relaxed);

	return paid <= 0 ? 0 : ((uint64_t)paid + BUCKET_TICKS_PER_NS - 1) / BUCKET_TICKS_PER_NS;
}
