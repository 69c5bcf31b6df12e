/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A token bucket that several workers share without a lock: so many events per second, and up to
 * `burst` of them at once after a pause. Time is passed in.
 *
 * One word holds the state: the time up to which everything taken has been paid for. Taking moves
 * it ahead by the cost of one event; it may not pass now, and lies at most a burst's cost behind
 * now. Times are in ticks of 1/16 ns: a million a second is exact to a part in a thousand.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RATE_TICKS_PER_NS 16
#define RATE_PER_S_MAX 100000000

struct rate {
	_Atomic int64_t paid_ticks;	/* workers */
	_Atomic int64_t cost_ticks;	/* of one event; 0: no limit. Main writes, as the next */
	_Atomic int64_t burst_ticks;	/* cost of a burst */
};

/* per_s 0: no limit; else at most RATE_PER_S_MAX. Of a bucket in use: what was taken stays taken.
 * Main. */
static inline void rate_set(struct rate *rate, uint32_t per_s, uint32_t burst)
{
	int64_t cost = per_s == 0 ? 0 : 1000000000LL * RATE_TICKS_PER_NS / per_s;

	atomic_store_explicit(&rate->burst_ticks, cost * burst, memory_order_relaxed);
	atomic_store_explicit(&rate->cost_ticks, cost, memory_order_relaxed);
}

/* The same for one that nobody uses yet: full, whatever the clock says. Main. */
static inline void rate_init(struct rate *rate, uint32_t per_s, uint32_t burst)
{
	rate_set(rate, per_s, burst);
	atomic_store_explicit(&rate->paid_ticks, INT64_MIN / 2, memory_order_relaxed);
}

/* As it is now, of one in use. Main. */
static inline void rate_copy(struct rate *to, const struct rate *from)
{
	atomic_init(&to->paid_ticks, atomic_load_explicit(&from->paid_ticks, memory_order_relaxed));
	atomic_init(&to->cost_ticks, atomic_load_explicit(&from->cost_ticks, memory_order_relaxed));
	atomic_init(&to->burst_ticks,
		    atomic_load_explicit(&from->burst_ticks, memory_order_relaxed));
}

/* May one more event happen? If so it is counted. Any worker. */
static inline bool rate_take(struct rate *rate, uint64_t now_ns)
{
	int64_t cost = atomic_load_explicit(&rate->cost_ticks, memory_order_relaxed);

	if (cost == 0)
		return true;
	int64_t now = (int64_t)(now_ns * RATE_TICKS_PER_NS);
	int64_t oldest = now - atomic_load_explicit(&rate->burst_ticks, memory_order_relaxed);
	int64_t paid = atomic_load_explicit(&rate->paid_ticks, memory_order_relaxed);
	int64_t next;

	do {
		next = (paid > oldest ? paid : oldest) + cost;
		if (next > now)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&rate->paid_ticks, &paid, next,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}
