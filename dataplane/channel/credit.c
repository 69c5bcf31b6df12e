/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is owed what of a pool, and gets it back. Who runs a round. */
#include "dataplane/channel/credit.h"

#include <stddef.h>

#define SECOND_NS 1000000000ULL
/* What one is due and does not take while it pauses it is owed, up to so much time of it, and gets
 * back in so much. */
#define CREDIT_NS 20000000ULL
#define RETURN_NS 2500000ULL

void credit_note(struct channel_way *way, bool is_same_pool, int64_t used_bytes, uint64_t passed_ns,
		 uint64_t now_ns)
{
	__int128 due_bits = (__int128)way->due_bps * passed_ns / SECOND_NS;
	uint64_t part_ns = passed_ns < CREDIT_NS ? passed_ns : CREDIT_NS;

	/* What it is owed for is no longer ago than that: as long its peak is remembered. */
	way->peak_bps -= (uint64_t)((unsigned __int128)way->peak_bps * part_ns / CREDIT_NS);
	if (way->peak_bps < way->due_bps)
		way->peak_bps = way->due_bps;
	if (credit_is_recent(way, now_ns) && is_same_pool && way->has_account)
		way->credit_bits += (int64_t)(due_bits - (__int128)used_bytes * 8);
	else
		way->credit_bits = 0;
}

/* What each is due on the scale of some milliseconds: all who were hungry of late want all. Returns
 * the sum of it. */
static uint64_t find_due(uint64_t capacity_bps, int64_t owed_bps, struct share *first,
			 uint64_t now_ns)
{
	uint64_t sum_bps = 0;

	for (struct share *share = first; share != NULL; share = share->next) {
		const struct channel_way *way = channel_way_of(share);

		share->demand_bps = credit_is_recent(way, now_ns) ? SHARE_ALL : way->wanted_bps;
	}
	share_out(capacity_bps, owed_bps, first);
	for (struct share *share = first; share != NULL; share = share->next) {
		struct channel_way *way = channel_way_of(share);

		way->has_account = credit_is_recent(way, now_ns);
		way->due_bps = way->has_account ? share->given_bps : 0;
		sum_bps += share->given_bps;
	}
	return sum_bps;
}

/* What one is owed, others have had: the sum is nothing. What nobody had is lost to all, and what
 * is owed to nobody any more is left to all, by weight. */
static void balance_credits(struct share *first)
{
	uint64_t weights = 0;
	__int128 sum_bits = 0;

	for (struct share *share = first; share != NULL; share = share->next) {
		const struct channel_way *way = channel_way_of(share);

		if (!way->has_account)
			continue;
		weights += share->weight;
		sum_bits += way->credit_bits;
	}
	for (struct share *share = first; share != NULL; share = share->next) {
		struct channel_way *way = channel_way_of(share);

		if (way->has_account)
			way->credit_bits -= (int64_t)(sum_bits * share->weight / (int64_t)weights);
	}
}

/* What one may have at most. */
static uint64_t limit_of(const struct channel_way *way, uint64_t capacity_bps)
{
	return way->share.ceiling_bps != 0 && way->share.ceiling_bps < capacity_bps
		       ? way->share.ceiling_bps
		       : capacity_bps;
}

/* Bounds what it is owed, or owes: to what it can use. */
static void bound_credit(struct channel_way *way, uint64_t capacity_bps)
{
	uint64_t limit_bps = limit_of(way, capacity_bps);
	uint64_t room_bps = limit_bps > way->due_bps ? limit_bps - way->due_bps : 0;
	/* A round that leaves it little, or nothing, is no reason to forget what it is owed. */
	uint64_t peak_bps = way->due_bps > way->peak_bps ? way->due_bps : way->peak_bps;
	uint64_t most_bps = peak_bps < room_bps ? peak_bps : room_bps;
	int64_t most = (int64_t)(most_bps * (CREDIT_NS / 1000) / (SECOND_NS / 1000));
	int64_t least = -(int64_t)(capacity_bps * (CREDIT_NS / 1000) / (SECOND_NS / 1000));

	if (way->credit_bits > most)
		way->credit_bits = most;
	if (way->credit_bits < least)
		way->credit_bits = least;
}

/* What it pays back of its debt until the next round: out of what it is due beyond its assured
 * rate, and no more. */
static uint64_t repaid_bps(const struct channel_way *way)
{
	uint64_t assured_bps = way->share.assured_bps;
	uint64_t spare_bps = way->due_bps > assured_bps ? way->due_bps - assured_bps : 0;
	uint64_t debt_bps =
		way->credit_bits < 0 ? (uint64_t)-way->credit_bits * (SECOND_NS / RETURN_NS) : 0;

	return debt_bps < spare_bps ? debt_bps : spare_bps;
}

/* What it gets back, if all that owe can pay. */
static uint64_t returned_bps(const struct channel_way *way, uint64_t capacity_bps)
{
	uint64_t limit_bps = limit_of(way, capacity_bps);
	uint64_t room_bps = limit_bps > way->due_bps ? limit_bps - way->due_bps : 0;
	uint64_t credit_bps =
		way->credit_bits > 0 ? (uint64_t)way->credit_bits * (SECOND_NS / RETURN_NS) : 0;

	return credit_bps < room_bps ? credit_bps : room_bps;
}

/* Those that owe leave what they pay back, and those that are owed get it, and what others leave
 * that pause: all that is left when each has what it is due, at least what it is assured of. */
static void settle_credits(uint64_t capacity_bps, uint64_t due_bps, struct share *first)
{
	uint64_t kept_bps = 0, returned_sum_bps = 0;

	for (struct share *share = first; share != NULL; share = share->next) {
		struct channel_way *way = channel_way_of(share);

		bound_credit(way, capacity_bps);
		if (way->has_account)
			share->assured_bps = way->due_bps - repaid_bps(way);
		kept_bps += share->demand_bps < share->assured_bps ? share->demand_bps
								   : share->assured_bps;
		if (share->demand_bps == SHARE_ALL)
			returned_sum_bps += returned_bps(way, capacity_bps);
	}
	uint64_t left_bps = due_bps > kept_bps ? due_bps - kept_bps : 0;

	for (struct share *share = first; share != NULL; share = share->next) {
		struct channel_way *way = channel_way_of(share);
		unsigned __int128 more_bps = returned_bps(way, capacity_bps);

		if (!way->has_account)
			continue;
		/* Who comes back has all of it until the round that follows at once. */
		way->entitled_bps = share->assured_bps + (uint64_t)more_bps;
		if (share->demand_bps != SHARE_ALL)
			continue;
		if (returned_sum_bps > left_bps)
			more_bps = more_bps * left_bps / returned_sum_bps;
		share->assured_bps += (uint64_t)more_bps;
	}
}

/* What is owed of the pool and was not taken off what is due: all of that is assured, or those that
 * pause were counted as if they wanted all. It is taken off what these
 * leave and nobody is owed. */
static int64_t unpaid_bps(uint64_t capacity_bps, uint64_t due_bps, int64_t owed_bps)
{
	int64_t paid_bps = (int64_t)capacity_bps - (int64_t)due_bps;

	return owed_bps > paid_bps && owed_bps > 0 ? owed_bps - paid_bps : 0;
}

uint64_t credit_give(uint64_t capacity_bps, int64_t owed_bps, struct share *first, uint64_t now_ns)
{
	uint64_t due_bps = find_due(capacity_bps, owed_bps, first, now_ns);

	balance_credits(first);
	for (struct share *share = first; share != NULL; share = share->next)
		share->demand_bps = channel_way_of(share)->wanted_bps;
	settle_credits(capacity_bps, due_bps, first);
	share_out(due_bps, unpaid_bps(capacity_bps, due_bps, owed_bps), first);
	return due_bps;
}
