/* SPDX-License-Identifier: BSD-3-Clause */
/* What reports.h keeps: for reports_sample.c, which fills it in, and reports_read.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/borrow.h"
#include "control/reports.h"

#define REPORTS_NONE UINT32_MAX

/* A row of a channel's window: what it counts, then what was made of it. */
enum reports_value {
	REPORTS_ASSURED = sizeof(struct counters_channel) / sizeof(uint64_t),
	REPORTS_BORROWED,
	REPORTS_FREE,
	REPORTS_UNUSED,
	REPORTS_ACTIVE_NS,
	REPORTS_VALUES,
};

_Static_assert(REPORTS_VALUES <= WINDOW_VALUES_MAX, "a row fits");

/* And of a pool's: of what was borrowed that which was not free, and what borrow_share() divides
 * by. */
enum reports_pool_value {
	REPORTS_POOL_LENT,
	REPORTS_POOL_DIVISOR,
	REPORTS_POOL_VALUES,
};

/* A channel. */
struct reports_member {
	struct reports_channel spec;
	uint32_t pool;			 /* place in the pools; REPORTS_NONE */
	uint32_t slot;			 /* 0: has none yet */
	uint64_t since;			 /* the second from which on it has been in this pool */
	struct window *windows[DP_WAYS]; /* NULL: nothing moved in the last hour */
};

/* A pool. */
struct reports_group {
	struct reports_pool spec;
	uint64_t assured_bps[DP_WAYS]; /* of all its channels */
	struct window *windows[DP_WAYS];
};

/* Of the counters. */
struct reports_slot {
	struct counters_slot owner;
	uint32_t channel;	   /* place in the channels; REPORTS_NONE: not looked for */
	uint64_t changes[DP_WAYS]; /* of meter_look_at_channels(), at the last sample */
	struct counters_channel *last[DP_WAYS]; /* NULL: nothing counted */
};

/* Of the sample that is taken just now. */
struct reports_moved {
	uint32_t channel, pool;
	uint8_t way;
	struct borrow_member member;
};

struct reports {
	struct reports_member *channels; /* by id */
	size_t n_channels;
	struct reports_group *pools; /* by id */
	size_t n_pools;
	struct reports_slot *slots;
	uint64_t *changes;
	struct reports_moved *moved;
	uint32_t n_slots;
	size_t n_moved;
	uint64_t epoch; /* of the dataplane; 0: none was seen */
	bool is_begun;	/* second and sampled_ns are those of the last sample */
	uint64_t second, sampled_ns;
	struct window *time; /* one number: ns */
};

/* What a rate is in that time. */
uint64_t reports_bytes_in(uint64_t rate_bps, uint64_t span_ns);

/* NULL: it is unknown. */
struct reports_member *reports_find(const struct reports *reports, uint32_t channel_id);
