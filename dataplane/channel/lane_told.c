/* SPDX-License-Identifier: BSD-3-Clause */
/* See lane_told.h. Worker threads, and main when a lane goes. */
#include "dataplane/channel/lane_told.h"

#include "dataplane/channel/account.h"
#include "dataplane/channel/channel.h"
#include "dataplane/channel/lane.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/drop.h"
#include "dataplane/fates.h"
#include "dataplane/recorder.h"
#include "dataplane/worker.h"

struct counters_channel *lane_told_counters(const struct worker *worker,
					    const struct channel_way *way)
{
	return channel_counters(way, worker->index);
}

/* Levels are added to by whoever holds the lane's lock, and by main when it is gone. */
static void add_level(const struct channel_way *way, unsigned int worker, uint64_t bytes)
{
	__atomic_fetch_add(&channel_counters(way, worker)->queued_bytes, bytes, __ATOMIC_RELAXED);
}

/* The way that the lane was told in, if it still exists. */
static const struct channel_way *find_level_way(const struct lane *lane)
{
	const struct channel *channel = atomic_load_explicit(
		&lane->port->dp->channels[lane->level_channel], memory_order_acquire);

	return channel != NULL && &channel->ways[lane->direction] == lane->level_way
		       ? lane->level_way
		       : NULL;
}

void lane_told_level(struct lane *lane, const struct channel_way *way, unsigned int worker)
{
	if (lane->level_way != way) {
		const struct channel_way *before = find_level_way(lane);

		if (before != NULL)
			add_level(before, worker, -lane->level_bytes);
		lane->level_way = way;
		lane->level_channel = way != NULL ? way->channel : 0;
		lane->level_bytes = 0;
	}
	if (way != NULL)
		add_level(way, worker, lane->fq.n_bytes - lane->level_bytes);
	lane->level_bytes = lane->fq.n_bytes;
}

static void record_drop(struct fq_drops *drops, const struct fq_dropped *dropped)
{
	const struct lane_drops *to = (const struct lane_drops *)drops;
	struct recorder *recorder = to->worker->recorder;
	uint32_t len = dropped->len;
	struct frame frame;

	/* No more of it lies in a row. */
	frame.head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	frame.len = len;
	frame.n_iov = 0;
	frame.segment = to->segment;
	frame.mark = dropped->mark;
	memcpy(frame.head, dropped->bytes, frame.head_len);
	if (frame.mark.replay != 0)
		fates_put(recorder, &frame, FATE_LEFT, to->port_id, DROP_NONE,
			  to->worker->burst->now_ns);
	recorder_drop(recorder, to->count, &frame, dropped->reason);
}

void lane_told_note(struct lane *lane, struct worker *worker, const struct counters_block *count,
		    struct lane_drops *drops)
{
	bool has_one = lane->direction == DP_RX &&
		       atomic_load_explicit(&lane->port->vlans, memory_order_relaxed) == NULL;

	*drops = (struct lane_drops){
		.drops = {.take = record_drop},
		.worker = worker,
		.count = count,
		.port_id = lane->port->spec.id,
		.segment =
			has_one ? atomic_load_explicit(&lane->port->segment, memory_order_relaxed)
				: 0,
	};
	lane->fq.drops = &drops->drops;
}

/* Counts what the queue has dropped and marked since. */
void lane_told_settle(struct lane *lane, struct worker *worker, const struct channel_way *way,
		      const struct fq_account *before, struct counters_block *count)
{
	const struct fq_account *now = &lane->fq.account;
	uint64_t late = now->late - before->late, full = now->full - before->full;

	lane->fq.drops = NULL;
	count->drops[DROP_QUEUE_DELAY] += late;
	count->drops[DROP_QUEUE_FULL] += full;
	count->queued -= late + full;
	if (way != NULL) {
		struct counters_channel *channel = lane_told_counters(worker, way);

		channel->drops += late + full;
		channel->marks += now->marks - before->marks;
	}
	lane_told_level(lane, way, worker->index);
}

void lane_told_refuse(struct worker *worker, const struct channel_way *way,
		      const struct burst *burst, const uint8_t *order, unsigned int n,
		      struct counters_block *count)
{
	struct counters_channel *channel = lane_told_counters(worker, way);

	drop_frames(burst, count, order, n, DROP_RING_FULL);
	channel->drops += n;
	channel->asked_frames += n;
	for (unsigned int i = 0; i < n; i++)
		channel->asked_bytes +=
			account_frame(&burst->frames[order[i]], way->frame_extra_bytes);
}

bool lane_told_fate(const struct lane *lane, struct worker *worker, const struct frame *frame,
		    enum fate_kind kind)
{
	if (__builtin_expect(frame->mark.replay == 0, 1))
		return false;
	fates_put(worker->recorder, frame, kind, lane->port->spec.id, DROP_NONE,
		  worker->burst->now_ns);
	return true;
}

void lane_told_lose(struct lane *lane, struct worker *worker, const struct channel_way *way,
		    struct counters_block *count)
{
	uint32_t n = lane->fq.n_frames;
	struct lane_drops drops;

	lane_told_note(lane, worker, count, &drops);
	count->queued -= n;
	count->drops[DROP_RING_FULL] += n;
	if (way != NULL)
		lane_told_counters(worker, way)->drops += n;
	fq_clear(&lane->fq);
	lane->fq.drops = NULL;
	lane_told_level(lane, way, worker->index);
}
