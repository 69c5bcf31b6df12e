/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a capacity is divided: each first gets what it is assured of, as far as it wants it; what is
 * then spare goes to those that want more, by their weights, up to what they may have. Pure: the
 * dataplane divides by it every millisecond, weftd foretells by it what a change would give.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SHARE_ALL UINT64_MAX

/* One that shares; rates in bits per second. */
struct share {
	struct share *next; /* of the same capacity; NULL: the last */
	uint64_t assured_bps;
	uint64_t ceiling_bps;	 /* 0: none but the capacity */
	uint64_t demand_bps;	 /* SHARE_ALL: as much as there is */
	uint32_t weight;	 /* 1 .. DP_WEIGHT_MAX */
	uint64_t given_bps;	 /* what comes out */
	struct share *next_open; /* share_out()'s own */
};

/* Divides up to `capacity_bps` (at most BUCKET_RATE_BPS_MAX). owed_bps is taken off what is spare,
 * or, below zero, added to it. Where more is assured and wanted than there is, all get the same
 * part of it. */
void share_out(uint64_t capacity_bps, int64_t owed_bps, struct share *first);
