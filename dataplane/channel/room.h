/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes whose receiver has no room: they wait for that, not for credit, so they stand at no
 * turnstile, and nobody else of their channel waits behind them. A worker asks the receivers of
 * some of them each turn, in turn; a lane whose receiver has room waits at its turnstile again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lane_place;
struct worker;

/* A worker's, in turn. Who is in the list may have left since: it is found out when its turn
 * comes. */
struct room {
	struct lane_place *first, *last;
	unsigned int n;
	uint32_t epoch; /* of the list: counts up when it is forgotten */
};

/* In a lane. Zero: in no list. */
struct room_link {
	struct lane_place *next;
	uint32_t epoch; /* in the list if it is one more than the list's */
};

/* Is it in the list, as that is now? */
static inline bool room_is_waiting(const struct room *room, const struct room_link *link)
{
	return link->epoch == room->epoch + 1;
}

/* Puts it at the end of the list; one that is in it: nothing. */
void room_wait(struct worker *worker, struct lane_place *place);

/* Beginning of a turn: asks. */
void room_turn(struct worker *worker);

/* Forgets all, without looking at who waited. */
void room_forget(struct worker *worker);
