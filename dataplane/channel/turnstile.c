/* SPDX-License-Identifier: BSD-3-Clause */
/* Who waits for credit, and their turns. Worker threads. */
#include "dataplane/channel/turnstile.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/channel/bucket.h"
#include "dataplane/channel/channel.h"
#include "dataplane/channel/lane.h"
#include "dataplane/channel/room.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/worker.h"

/* At least a full frame, so that each visit moves one. */
#define QUANTUM_BYTES_MIN 1600
#define QUANTUM_BYTES_MAX (1 << 20)
/* Bursts beyond one for each who waits, of lanes to ports: many may have filled them. */
#define MORE_BURSTS 7
/* Bursts that leave when one comes. */
#define PASSING_BURSTS 2
#define PASSING_TICKS (bucket_ticks(BUCKET_AHEAD_NS) / 2) /* and the credit for that */

_Static_assert(TURNSTILE_PLACES <= UINT16_MAX, "places are 16 bits");

int turnstile_create(struct turnstiles **out)
{
	struct turnstiles *turnstiles = calloc(1, sizeof(*turnstiles));

	if (turnstiles == NULL)
		return -ENOMEM;
	turnstiles->epoch = 1;
	turnstiles->earliest_ns = TURNSTILE_NEVER_NS;
	*out = turnstiles;
	return 0;
}

void turnstile_destroy(struct turnstiles *turnstiles)
{
	free(turnstiles);
}

static void set_due(struct turnstiles *turnstiles, unsigned int i, uint64_t due_ns)
{
	turnstiles->due_ns[i] = due_ns;
	if (due_ns < turnstiles->earliest_ns)
		turnstiles->earliest_ns = due_ns;
}

static struct turnstile *open_turnstile(struct turnstiles *turnstiles, struct channel_way *way,
					uint64_t now_ns)
{
	uint16_t place = (uint16_t)turnstile_place(way), index = turnstiles->places[place];

	if (index != 0) {
		if (turnstiles->at[index - 1].n == 0)
			turnstiles->at[index - 1].since_ns = now_ns;
		return &turnstiles->at[index - 1];
	}
	unsigned int i = turnstiles->n++;

	/* Another worker may have waited since our turn began. */
	if ((int64_t)(now_ns - atomic_load_explicit(&way->waited_ns, memory_order_relaxed)) >
	    (int64_t)BUCKET_LATE_NS)
		bucket_settle(&way->bucket, now_ns);
	turnstiles->places[place] = (uint16_t)(i + 1);
	turnstiles->at[i] = (struct turnstile){.way = way, .place = place, .since_ns = now_ns};
	set_due(turnstiles, i, bucket_due_ns(&way->bucket));
	channel_note_wait(way, now_ns);
	return &turnstiles->at[i];
}

/* The last takes its place. */
static void close_turnstile(struct turnstiles *turnstiles, unsigned int i)
{
	unsigned int last = --turnstiles->n;

	turnstiles->places[turnstiles->at[i].place] = 0;
	if (i == last)
		return;
	turnstiles->at[i] = turnstiles->at[last];
	turnstiles->due_ns[i] = turnstiles->due_ns[last];
	turnstiles->places[turnstiles->at[i].place] = (uint16_t)(i + 1);
}

static void append(struct turnstile *turnstile, struct waiter *waiter)
{
	waiter->next = NULL;
	if (turnstile->first == NULL)
		turnstile->first = waiter;
	else
		turnstile->last->next = waiter;
	turnstile->last = waiter;
	turnstile->n++;
}

static struct waiter *pop(struct turnstile *turnstile)
{
	struct waiter *waiter = turnstile->first;

	turnstile->first = waiter->next;
	turnstile->n--;
	waiter->has_turn = false;
	return waiter;
}

void turnstile_wait(struct worker *worker, struct waiter *waiter, struct channel_way *way)
{
	struct turnstiles *turnstiles = worker->turnstiles;

	if (turnstile_is_waiting(turnstiles, waiter))
		return;
	waiter->way = way;
	waiter->epoch = turnstiles->epoch;
	waiter->has_turn = false;
	append(open_turnstile(turnstiles, way, worker->burst->now_ns), waiter);
}

uint64_t turnstile_next_due_ns(const struct worker *worker)
{
	return worker->turnstiles->earliest_ns;
}

/* Ways and who waits may be gone: nobody looks at them. */
static void forget_all(struct turnstiles *turnstiles, uint32_t epoch)
{
	for (unsigned int i = 0; i < turnstiles->n; i++)
		turnstiles->places[turnstiles->at[i].place] = 0;
	turnstiles->n = 0;
	turnstiles->earliest_ns = TURNSTILE_NEVER_NS;
	turnstiles->epoch = epoch;
}

static void read_times(struct turnstiles *turnstiles)
{
	for (unsigned int i = 0; i < turnstiles->n; i++)
		set_due(turnstiles, i, bucket_due_ns(&turnstiles->at[i].way->bucket));
}

static void count_held(struct worker *worker, struct turnstile *turnstile, uint64_t now_ns)
{
	const struct channel_way *way = turnstile->way;
	struct counters_channel *count = channel_counters(way, worker->index);

	if (now_ns > turnstile->since_ns)
		count->held_ns += now_ns - turnstile->since_ns;
	turnstile->since_ns = now_ns;
}

/* What each of the waiting may take in a round. */
static int32_t quantum_of(const struct channel_way *way)
{
	int64_t ahead_bytes = bucket_ns_bytes(&way->bucket, BUCKET_AHEAD_NS);

	if (ahead_bytes < QUANTUM_BYTES_MIN)
		return QUANTUM_BYTES_MIN;
	return ahead_bytes > QUANTUM_BYTES_MAX ? QUANTUM_BYTES_MAX : (int32_t)ahead_bytes;
}

static void begin_turn(struct waiter *waiter, int32_t quantum)
{
	if (waiter->has_turn)
		return;
	if (waiter->deficit_bytes > quantum)
		waiter->deficit_bytes = quantum;
	waiter->deficit_bytes += quantum;
	waiter->has_turn = true;
}

/* The first of the line, who has a deficit above zero. Returns the bytes it took. */
static int64_t serve_first(struct worker *worker, struct turnstile *turnstile, int64_t credit,
			   unsigned int *frames)
{
	struct waiter *waiter = turnstile->first;
	int64_t budget = credit == BUCKET_UNLIMITED || credit < waiter->deficit_bytes
				 ? credit
				 : waiter->deficit_bytes;
	struct served served = waiter->serve(worker, waiter, budget);

	*frames += served.frames;
	waiter->deficit_bytes -= (int32_t)served.bytes;
	if (served.is_done) {
		pop(turnstile)->epoch = 0;
	} else if (waiter->deficit_bytes <= 0 || served.yields) {
		append(turnstile, pop(turnstile));
	}
	return served.bytes;
}

/* As far as the credit goes, and no more bursts than `left`. Who is left in the middle of its
 * quantum stays first and goes on there. */
static unsigned int serve(struct worker *worker, struct turnstile *turnstile, unsigned int left,
			  uint64_t now_ns)
{
	struct channel_way *way = turnstile->way;
	int64_t credit = bucket_credit(&way->bucket, now_ns, true);
	int32_t quantum = quantum_of(way);
	unsigned int frames = 0;

	while (left != 0 && turnstile->n != 0 && credit > 0) {
		struct waiter *first = turnstile->first;

		begin_turn(first, quantum);
		/* One large frame may have been many quanta. */
		if (first->deficit_bytes <= 0) {
			append(turnstile, pop(turnstile));
			continue;
		}
		int64_t bytes = serve_first(worker, turnstile, credit, &frames);

		if (credit != BUCKET_UNLIMITED)
			credit -= bytes;
		left--;
	}
	return frames;
}

/* Returns false if nobody waits here any more. */
static bool look_at(struct worker *worker, unsigned int i, uint64_t now_ns, unsigned int *frames)
{
	struct turnstiles *turnstiles = worker->turnstiles;
	struct turnstile *turnstile = &turnstiles->at[i];
	struct channel_way *way = turnstile->way;
	unsigned int n = turnstile->n, more = way->way == DP_RX ? MORE_BURSTS : 0;

	/* Another worker may have taken meanwhile. */
	if (bucket_due_ns(&way->bucket) <= now_ns)
		*frames += serve(worker, turnstile, n + more, now_ns);
	/* Else all have been served in the middle of the last turn. */
	if (n != 0)
		count_held(worker, turnstile, now_ns);
	if (turnstile->n == 0) {
		close_turnstile(turnstiles, i);
		channel_note_rest(way);
		return false;
	}
	channel_note_wait(way, now_ns);
	set_due(turnstiles, i, bucket_due_ns(&way->bucket));
	return true;
}

unsigned int turnstile_turn(struct worker *worker, uint64_t now_ns)
{
	struct turnstiles *turnstiles = worker->turnstiles;
	struct dataplane *dp = worker->dp;
	/* 0 is the epoch of who waits nowhere. */
	uint32_t epoch =
		atomic_load_explicit(&dp->channels_epoch, memory_order_acquire) | UINT32_C(1) << 31;
	uint32_t rates_epoch = atomic_load_explicit(&dp->rates_epoch, memory_order_acquire);
	unsigned int frames = 0;

	if (__builtin_expect(epoch != turnstiles->epoch, 0)) {
		forget_all(turnstiles, epoch);
		room_forget(worker);
		worker->has_lanes = true;
	}
	if (__builtin_expect(worker->has_lanes, 0))
		lane_wait_anew(worker);
	if (__builtin_expect(worker->room.n != 0, 0))
		room_turn(worker);
	if (rates_epoch != turnstiles->rates_epoch) {
		turnstiles->rates_epoch = rates_epoch;
		read_times(turnstiles);
	}
	if (now_ns < turnstiles->earliest_ns)
		return 0;
	turnstiles->earliest_ns = TURNSTILE_NEVER_NS;
	for (unsigned int i = 0; i < turnstiles->n;) {
		uint64_t due_ns = turnstiles->due_ns[i];

		if (due_ns <= now_ns)
			i += look_at(worker, i, now_ns, &frames);
		else
			set_due(turnstiles, i++, due_ns);
	}
	return frames;
}

/* A turnstile that this leaves empty is closed at the next turn: others may look at it just now. */
void turnstile_serve(struct worker *worker, const struct channel_way *way)
{
	struct turnstiles *turnstiles = worker->turnstiles;
	uint16_t index = turnstiles->places[turnstile_place(way)];
	uint64_t now_ns = worker->burst->now_ns;

	/* A little at a time would make many small bursts. */
	if (index == 0 || bucket_credit_ticks(&way->bucket, now_ns, true) < PASSING_TICKS)
		return;
	struct turnstile *turnstile = &turnstiles->at[index - 1];

	serve(worker, turnstile, PASSING_BURSTS, now_ns);
	if (turnstile->n == 0)
		count_held(worker, turnstile, now_ns);
}
