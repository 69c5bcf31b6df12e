/* SPDX-License-Identifier: BSD-3-Clause */
/* Division of a capacity: progressive filling. Any thread. */
#include "dataplane/api/share.h"

#include <stddef.h>

/* Each pass fills at least one up to what it may have; as a rule four do for all. What would be
 * left after so many is lost to nobody for longer than until the next division. */
#define PASSES_MAX 24
#define LEVEL_BITS 16 /* fraction of a level: bits per second for each unit of weight */

static uint64_t limit_of(const struct share *share, uint64_t capacity_bps)
{
	uint64_t limit_bps = share->ceiling_bps != 0 ? share->ceiling_bps : capacity_bps;

	if (limit_bps > capacity_bps)
		limit_bps = capacity_bps;
	return share->demand_bps < limit_bps ? share->demand_bps : limit_bps;
}

/* Gives what is assured. The sum of it. */
static uint64_t give_assured(uint64_t capacity_bps, struct share *first)
{
	uint64_t sum_bps = 0;

	for (struct share *share = first; share != NULL; share = share->next) {
		uint64_t limit_bps = limit_of(share, capacity_bps);

		share->given_bps = share->assured_bps < limit_bps ? share->assured_bps : limit_bps;
		sum_bps += share->given_bps;
	}
	return sum_bps;
}

static void scale(struct share *first, uint64_t to_bps, uint64_t of_bps)
{
	for (struct share *share = first; share != NULL; share = share->next)
		share->given_bps =
			(uint64_t)((unsigned __int128)share->given_bps * to_bps / of_bps);
}

/* Those that may have more than they are given. */
static struct share *find_open(uint64_t capacity_bps, struct share *first, uint64_t *weights)
{
	struct share *open = NULL, **end = &open;

	*weights = 0;
	for (struct share *share = first; share != NULL; share = share->next) {
		if (share->given_bps >= limit_of(share, capacity_bps))
			continue;
		*weights += share->weight;
		*end = share;
		end = &share->next_open;
	}
	*end = NULL;
	return open;
}

static uint64_t at_level(uint64_t level, const struct share *share)
{
	return (level * share->weight) >> LEVEL_BITS;
}

static void fill(uint64_t capacity_bps, uint64_t spare_bps, struct share *first)
{
	uint64_t weights, level = 0;
	struct share *open = find_open(capacity_bps, first, &weights);
	bool has_filled = true;

	for (int pass = 0; open != NULL && has_filled && pass < PASSES_MAX; pass++) {
		struct share **link = &open;

		level = (spare_bps << LEVEL_BITS) / weights;
		has_filled = false;
		for (struct share *share = open; share != NULL; share = share->next_open) {
			uint64_t room_bps = limit_of(share, capacity_bps) - share->given_bps;

			if (room_bps > at_level(level, share)) {
				link = &share->next_open;
				continue;
			}
			share->given_bps += room_bps;
			spare_bps -= room_bps;
			weights -= share->weight;
			*link = share->next_open;
			has_filled = true;
		}
	}
	for (struct share *share = open; share != NULL; share = share->next_open)
		share->given_bps += at_level(level, share);
}

void share_out(uint64_t capacity_bps, int64_t owed_bps, struct share *first)
{
	uint64_t assured_bps = give_assured(capacity_bps, first);
	int64_t left_bps = (int64_t)capacity_bps - owed_bps;

	if (assured_bps > capacity_bps) {
		if (left_bps < (int64_t)capacity_bps / 2)
			left_bps = (int64_t)capacity_bps / 2;
		scale(first, (uint64_t)left_bps, assured_bps);
	} else if (left_bps > (int64_t)assured_bps) {
		fill(capacity_bps, (uint64_t)left_bps - assured_bps, first);
	}
}
