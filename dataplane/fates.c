/* SPDX-License-Identifier: BSD-3-Clause */
/* See fates.h. Worker threads; created and destroyed by main. */
#include "dataplane/fates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/captures.h"
#include "dataplane/dataplane.h"
#include "dataplane/recorder.h"

#define PLACE_BITS 4
#define PLACES (1u << PLACE_BITS)

_Static_assert(PLACES == DP_REPLAYS_MAX, "each replay has its place");
_Static_assert(BURST_FRAMES <= 64, "a burst is a word of bits");

/* Never 0. Frames of a replay that has ended may still wait for a channel: whoever has its place
 * later has another tag, for 4095 replays. */
static uint16_t make_tag(unsigned int place, uint64_t id)
{
	return (uint16_t)((id % 0xfff + 1) << PLACE_BITS | place);
}

int fates_create(struct dataplane *dp, unsigned int place, uint64_t id, uint64_t ring_bytes,
		 struct fates **out, int *fd)
{
	struct fates *fates = calloc(1, sizeof(*fates));

	if (fates == NULL)
		return -ENOMEM;
	int error = record_create(dp->config.n_workers, ring_bytes, &fates->map, fd);

	if (error < 0) {
		free(fates);
		return error;
	}
	fates->tag = make_tag(place, id);
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		record_writer_begin(&fates->writers[i], &fates->map, i);
	atomic_store_explicit(&dp->fates[place], fates, memory_order_release);
	atomic_fetch_add(&dp->n_fates, 1);
	captures_join_all(dp);
	*out = fates;
	return 0;
}

void fates_destroy(struct dataplane *dp, struct fates *fates)
{
	if (fates == NULL)
		return;
	atomic_store_explicit(&dp->fates[fates->tag % PLACES], NULL, memory_order_relaxed);
	atomic_fetch_sub(&dp->n_fates, 1);
	captures_join_all(dp);
	dataplane_synchronize(dp);
	record_end(&fates->map);
	record_close(&fates->map);
	free(fates);
}

/* The frame's; NULL: it has none (any more). */
static struct fates *fates_of(const struct dataplane *dp, const struct frame_mark *mark)
{
	struct fates *fates = mark->replay == 0
				      ? NULL
				      : atomic_load_explicit(&dp->fates[mark->replay % PLACES],
							     memory_order_acquire);

	return fates != NULL && fates->tag == mark->replay ? fates : NULL;
}

void fates_put(struct recorder *recorder, const struct frame *frame, enum fate_kind kind,
	       uint64_t port_id, enum drop_reason reason, uint64_t now_ns)
{
	const struct frame_mark *mark = &frame->mark;
	struct fates *fates = fates_of(recorder->dp, mark);

	if (fates == NULL)
		return;
	const struct fate fate = {
		.in_ns = mark->in_ns, .number = mark->number, .kind = (uint8_t)kind};
	struct record_writer *writer = &fates->writers[recorder->worker];
	struct record *record = record_writer_reserve(writer, sizeof(fate));

	if (record == NULL)
		return;
	record->wire_len = frame->len;
	record->way = kind == FATE_DROPPED ? RECORD_DROP : RECORD_TX;
	record->reason = (uint8_t)reason;
	record->reserved = 0;
	/* A turn's time is that of its beginning, before the frame was taken. */
	record->time_ns = now_ns > mark->in_ns ? now_ns : mark->in_ns;
	record->port_id = port_id;
	record->segment_id = record->reserved2 = 0;
	memcpy(record + 1, &fate, sizeof(fate));
	record_writer_commit(writer, record);
	/* Of an older frame, which a lane lets go meanwhile, this is none. */
	if (mark->replay == recorder->carried.replay &&
	    mark->number - recorder->carried.number < BURST_FRAMES)
		recorder->fated |= UINT64_C(1) << (mark->number - recorder->carried.number);
}

void fates_begin(struct recorder *recorder, struct burst *burst)
{
	recorder->carried = burst->frames[0].mark;
	recorder->fated = 0;
	burst->has_marks = true;
}

void fates_take_back(struct burst *burst)
{
	for (unsigned int i = 0; i < burst->n; i++)
		burst->frames[i].mark = (struct frame_mark){0};
}

unsigned int fates_end(struct recorder *recorder, struct burst *burst)
{
	recorder->carried.replay = 0;
	burst->has_marks = false;
	fates_take_back(burst);
	return (unsigned int)__builtin_popcountll(recorder->fated);
}
