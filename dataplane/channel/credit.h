/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Credits, by which shares of a pool are exact over pauses (pool.h): what a channel was due and did
 * not take others have had, and it gets that back. Assured rates come first: who owes pays out of
 * what it is due beyond its own, and nothing where that is nothing. A part of a round: who runs one
 * calls these.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/channel/channel.h"

/* Who was hungry of late counts as such: it may be a TCP sender that is just not scheduled. */
#define CREDIT_RECENT_NS 10000000ULL

static inline bool credit_is_recent(const struct channel_way *way, uint64_t now_ns)
{
	return way->hungry_ns != 0 && now_ns - way->hungry_ns < CREDIT_RECENT_NS;
}

/* What it was due and did not take since the last round, or took beyond it. It was due nothing
 * before it was hungry. */
void credit_note(struct channel_way *way, bool is_same_pool, int64_t used_bytes, uint64_t passed_ns,
		 uint64_t now_ns);

/* Gives each what it is due with its credit; what those leave that do not want it now goes to the
 * others by weight. Returns the sum of what is due. */
uint64_t credit_give(uint64_t capacity_bps, int64_t owed_bps, struct share *first, uint64_t now_ns);
