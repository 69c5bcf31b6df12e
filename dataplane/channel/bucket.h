/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bucket of bandwidth: so many bytes (and, if wanted, frames) per second, with debt. Who may take
 * takes whole frames until nothing is left and pays for all of them, so the rate in the long run is
 * exact, and what is wrong at any moment is one frame. Time is passed in.
 *
 * One word holds the state: the time up to which everything taken has been paid for. So debt is
 * time, and a change of the rate rescales it. Several workers may take of one bucket: the word
 * changes by compare and exchange, or by addition. Ticks of 1/64 ns: 64 bytes at 100 Gbit/s are 328
 * of them, and the clock goes on for four years.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BUCKET_TICKS_PER_NS 64
#define BUCKET_COST_BITS 20		/* fraction of a tick in `byte_cost` */
#define BUCKET_RATE_BPS_MIN 1000ULL	/* bits per second */
#define BUCKET_RATE_BPS_MAX 400000000000ULL
/* How far ahead of its debt a bucket lets one take, so that frames still go in bursts: 2 % of the
 * 10 ms over which a rate has to be exact hold four of these. */
#define BUCKET_AHEAD_NS 50000ULL
/* Who has waited gets the time that a worker was late, up to this. */
#define BUCKET_LATE_NS 1000000ULL

#define BUCKET_UNLIMITED INT64_MAX

struct bucket {
	_Atomic int64_t paid_ticks;
	_Atomic uint64_t byte_cost;	/* ticks << BUCKET_COST_BITS; 0: no limit */
	_Atomic uint64_t frame_cost;	/* ticks; 0: no limit of frames */
	_Atomic int64_t burst_ticks;	/* what an idle bucket saves up */
};
