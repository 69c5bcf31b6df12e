/* SPDX-License-Identifier: BSD-3-Clause */
/* See room.h. Worker threads. */
#include "dataplane/channel/room.h"

#include <stddef.h>

#include "dataplane/channel/lane.h"
#include "dataplane/worker.h"

/* Lanes that are asked for in a turn: each costs a look at memory that a guest writes. */
#define ASKED_MAX 32

static void append(struct room *room, struct lane_place *place)
{
	place->link.next = NULL;
	if (room->n == 0)
		room->first = place;
	else
		room->last->link.next = place;
	room->last = place;
	room->n++;
}

void room_wait(struct worker *worker, struct lane_place *place)
{
	struct room *room = &worker->room;

	if (room_is_waiting(room, &place->link))
		return;
	place->link.epoch = room->epoch + 1;
	append(room, place);
}

void room_turn(struct worker *worker)
{
	struct room *room = &worker->room;

	for (unsigned int left = room->n < ASKED_MAX ? room->n : ASKED_MAX; left != 0; left--) {
		struct lane_place *place = room->first;

		room->first = place->link.next;
		room->n--;
		if (lane_still_wants_room(place->lane, worker))
			append(room, place);
		else
			place->link.epoch = 0;
	}
}

void room_forget(struct worker *worker)
{
	worker->room.n = 0;
	worker->room.epoch++;
}
