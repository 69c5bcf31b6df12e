/* SPDX-License-Identifier: BSD-3-Clause */
/* See lane.h. Worker threads; created and destroyed by main. */
#include "dataplane/channel/lane.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "dataplane/carry.h"
#include "dataplane/channel/account.h"
#include "dataplane/channel/channel.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/channel/shape.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/drop.h"
#include "dataplane/forward.h"
#include "dataplane/offload.h"
#include "dataplane/recorder.h"
#include "dataplane/segmentation.h"
#include "dataplane/worker.h"

/* A lane may hold what its rate carries in so many targets: four intervals of CoDel. */
#define LIMIT_TARGETS 80
#define LIMIT_BYTES_MIN (256u << 10)
#define LIMIT_BYTES_MAX (4u << 20)
/* For so long a lane waits for a receiver that has no room; then what it holds is lost there, as it
 * would be without a lane. A guest that is not scheduled is back by then. */
#define ROOM_WAIT_NS 50000000ULL
/* Pieces of a large frame leave so many blocks to others, who may take them at the same time. */
#define SPARE_BLOCKS 1024

/* --- life: main --- */

int lane_create(struct port *port, enum dp_way direction, uint16_t segment, struct lane **out)
{
	struct dataplane *dp = port->dp;
	struct lane *lane =
		calloc(1, sizeof(*lane) + dp->config.n_workers * sizeof(lane->waiters[0]));

	if (lane == NULL)
		return -ENOMEM;
	lane->port = port;
	lane->direction = direction;
	lane->segment = segment;
	rte_spinlock_init(&lane->lock);
	fq_init(&lane->fq, dp->buffers, (uint32_t)(dp->config.hash_seed >> 16));
	*out = lane;
	return 0;
}

/* --- what it is told as --- */

static struct counters_channel *counters_of(const struct worker *worker,
					    const struct channel_way *way)
{
	return counters_channel(worker->dp->counters, way->channel, worker->index,
				(enum dp_way)way->way);
}

/* Levels are added to by whoever holds the lane's lock, and by main when it is gone. */
static void add_level(struct dataplane *dp, const struct channel_way *way, unsigned int worker,
		      uint64_t bytes)
{
	struct counters_channel *count =
		counters_channel(dp->counters, way->channel, worker, (enum dp_way)way->way);

	__atomic_fetch_add(&count->queued_bytes, bytes, __ATOMIC_RELAXED);
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

static void tell_level(struct lane *lane, const struct channel_way *way, unsigned int worker)
{
	struct dataplane *dp = lane->port->dp;

	if (lane->level_way != way) {
		const struct channel_way *before = find_level_way(lane);

		if (before != NULL)
			add_level(dp, before, worker, -lane->level_bytes);
		lane->level_way = way;
		lane->level_channel = way != NULL ? way->channel : 0;
		lane->level_bytes = 0;
	}
	if (way != NULL)
		add_level(dp, way, worker, lane->fq.n_bytes - lane->level_bytes);
	lane->level_bytes = lane->fq.n_bytes;
}

void lane_destroy(struct lane *lane)
{
	if (lane == NULL)
		return;
	fq_clear(&lane->fq);
	tell_level(lane, NULL, 0);
	free(lane);
}

/* --- what is dropped, for who asks later --- */

struct lane_drops {
	struct fq_drops drops;
	struct worker *worker;
	const struct counters_block *count;
	uint16_t segment; /* index, 0: not known */
};

static void record_drop(struct fq_drops *drops, const uint8_t *bytes, uint32_t len, bool is_late)
{
	const struct lane_drops *to = (const struct lane_drops *)drops;
	struct frame frame;

	/* No more of it lies in a row. */
	frame.head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	frame.len = len;
	frame.n_iov = 0;
	frame.segment = to->segment;
	memcpy(frame.head, bytes, frame.head_len);
	recorder_drop(to->worker->recorder, to->count, &frame,
		      is_late ? DROP_QUEUE_DELAY : DROP_QUEUE_FULL);
}

/* Until settle(), under the lock. */
static void note_drops(struct lane *lane, struct worker *worker, const struct counters_block *count,
		       struct lane_drops *drops)
{
	bool has_one = lane->direction == DP_RX &&
		       atomic_load_explicit(&lane->port->vlans, memory_order_relaxed) == NULL;

	*drops = (struct lane_drops){
		.drops = {.take = record_drop},
		.worker = worker,
		.count = count,
		.segment =
			has_one ? atomic_load_explicit(&lane->port->segment, memory_order_relaxed)
				: 0,
	};
	lane->fq.drops = &drops->drops;
}

/* Counts what the queue has dropped and marked since. */
static void settle(struct lane *lane, struct worker *worker, const struct channel_way *way,
		   const struct fq_account *before, struct counters_block *count)
{
	const struct fq_account *now = &lane->fq.account;
	uint64_t late = now->late - before->late, full = now->full - before->full;

	lane->fq.drops = NULL;
	count->drops[DROP_QUEUE_DELAY] += late;
	count->drops[DROP_QUEUE_FULL] += full;
	count->queued -= late + full;
	if (way != NULL) {
		struct counters_channel *channel = counters_of(worker, way);

		channel->drops += late + full;
		channel->marks += now->marks - before->marks;
	}
	tell_level(lane, way, worker->index);
}

/* --- in --- */

/* What goes in at once, frames and pieces of them. */
struct entry {
	struct segmentation_sink sink;
	struct lane *lane;
	struct worker *worker;
	const struct counters_block *count;
	uint32_t word;
	uint64_t now_ns;
	uint64_t n, n_refused, n_segments;
};

static void put_frame(struct entry *entry, const struct frame *frame)
{
	if (fq_put(&entry->lane->fq, frame, entry->word, entry->now_ns)) {
		entry->n++;
	} else {
		entry->n_refused++;
		recorder_drop(entry->worker->recorder, entry->count, frame, DROP_QUEUE_FULL);
	}
}

static void put_pieces(struct segmentation_sink *sink, struct burst *burst, const uint8_t *order,
		       unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		put_frame((struct entry *)sink, &burst->frames[order[i]]);
}

/* 0: the segment is gone. */
static uint32_t segment_id(const struct dataplane *dp, uint16_t index)
{
	const struct segment *segment =
		atomic_load_explicit(&dp->segments[index], memory_order_acquire);

	return segment != NULL ? segment->id : 0;
}

/* Do its frames have a segment already? Else they get one when they leave. */
static bool knows_segments(const struct lane *lane)
{
	return lane->direction == DP_RX || lane->port->is_peer;
}

static bool is_to_cut(const struct frame *frame, const struct channel_way *way)
{
	return frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE && way != NULL &&
	       bucket_bytes_ns(&way->bucket, account_frame(frame, 0)) > LANE_CUT_NS;
}

static bool put_cut(struct entry *entry, struct worker *worker, const struct frame *frame)
{
	unsigned int n_pieces = segmentation_cut(worker->lists.segmentation, frame, &entry->sink);

	if (n_pieces == 0)
		return false;
	entry->n_segments += n_pieces - 1;
	return true;
}

static void set_limits(struct lane *lane, const struct channel_way *way)
{
	uint64_t target_ns;
	int64_t bytes;

	if (way == NULL || atomic_load_explicit(&lane->is_lossless, memory_order_relaxed)) {
		fq_set(&lane->fq, 0, UINT64_MAX);
		return;
	}
	target_ns = atomic_load_explicit(&way->target_ns, memory_order_relaxed);
	bytes = bucket_ns_bytes(&way->bucket, target_ns * LIMIT_TARGETS);
	if (bytes < LIMIT_BYTES_MIN)
		bytes = LIMIT_BYTES_MIN;
	fq_set(&lane->fq, target_ns, bytes < LIMIT_BYTES_MAX ? (uint64_t)bytes : LIMIT_BYTES_MAX);
}

static struct served serve(struct worker *worker, struct waiter *waiter, int64_t budget_bytes);

static void wait_for(struct lane *lane, struct worker *worker, struct channel_way *way)
{
	struct waiter *waiter = &lane->waiters[worker->index];

	if (way == NULL) {
		worker->has_lanes = true;
		return;
	}
	waiter->serve = serve;
	turnstile_wait(worker, waiter, way);
}

static void count_entry(struct lane *lane, const struct entry *entry, struct counters_block *count)
{
	count->queued += entry->n;
	count->segments += entry->n_segments;
	count->drops[DROP_QUEUE_FULL] += entry->n_refused;
}

/* Under the lock. true: it is this worker's from now on, and nobody waits for it yet. */
static bool become_owner(struct lane *lane, const struct worker *worker)
{
	if (lane->fq.n_frames == 0)
		fq_rest(&lane->fq);
	if (lane->fq.n_frames == 0 || lane_is_busy(lane))
		return false;
	atomic_store_explicit(&lane->owner, worker->index, memory_order_relaxed);
	atomic_store_explicit(&lane->is_busy, true, memory_order_release);
	return true;
}

void lane_hold(struct lane *lane, struct worker *worker, const struct burst *burst,
	       const uint8_t *order, unsigned int n, struct counters_block *count)
{
	struct channel_way *way = atomic_load_explicit(&lane->way, memory_order_acquire);
	uint32_t extra_bytes = way != NULL ? way->frame_extra_bytes : 0;
	struct entry entry = {
		.sink = {.take = put_pieces, .caps = OFFLOAD_CSUM},
		.lane = lane,
		.worker = worker,
		.count = count,
		.now_ns = burst->now_ns,
	};
	uint64_t bytes = 0;

	rte_spinlock_lock(&lane->lock);
	struct fq_account before = lane->fq.account;
	struct lane_drops drops;

	note_drops(lane, worker, count, &drops);
	set_limits(lane, way);
	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[order[i]];

		bytes += account_frame(frame, extra_bytes);
		if (knows_segments(lane))
			entry.word = segment_id(worker->dp, frame->segment);
		if (!is_to_cut(frame, way) || !put_cut(&entry, worker, frame))
			put_frame(&entry, frame);
	}
	count_entry(lane, &entry, count);
	settle(lane, worker, way, &before, count);
	bool is_new = become_owner(lane, worker);

	rte_spinlock_unlock(&lane->lock);
	if (way != NULL) {
		struct counters_channel *channel = counters_of(worker, way);

		channel->asked_frames += n;
		channel->asked_bytes += bytes;
		channel->drops += entry.n_refused;
	}
	if (is_new)
		wait_for(lane, worker, way);
}

/* Blocks that the pieces take, at most. */
static uint32_t pieces_blocks(const struct frame *frame)
{
	uint32_t piece_bytes = le16toh(frame->vnet.hdr.gso_size);

	return (frame->len / piece_bytes + 1) * fq_n_blocks(piece_bytes + FRAME_HEAD_BYTES);
}

bool lane_hold_pieces(struct lane *lane, struct worker *worker, const struct frame *frame,
		      struct counters_block *count)
{
	struct channel_way *way = atomic_load_explicit(&lane->way, memory_order_acquire);
	struct entry entry = {
		.sink = {.take = put_pieces, .caps = OFFLOAD_CSUM},
		.lane = lane,
		.worker = worker,
		.count = count,
		.now_ns = worker->burst->now_ns,
	};

	if (frame->vnet.hdr.gso_size == 0 ||
	    buffers_n_free(worker->dp->buffers) / 2 < pieces_blocks(frame) + SPARE_BLOCKS)
		return false;
	rte_spinlock_lock(&lane->lock);
	struct fq_account before = lane->fq.account;
	struct lane_drops drops;

	note_drops(lane, worker, count, &drops);
	set_limits(lane, way);
	bool is_cut = put_cut(&entry, worker, frame);

	count_entry(lane, &entry, count);
	settle(lane, worker, way, &before, count);
	bool is_new = become_owner(lane, worker);

	rte_spinlock_unlock(&lane->lock);
	if (is_new)
		wait_for(lane, worker, way);
	return is_cut;
}

/* --- out --- */

/* What leaves at once, in worker->burst. */
struct batch {
	uint64_t bytes; /* as accounted */
	unsigned int n_buffers;
	uint32_t blocks[BURST_FRAMES];
};

/* Has the receiver room for one frame more? */
static bool has_room(const struct lane *lane, const struct batch *batch, uint64_t now_ns)
{
	const struct port *port = lane->port;

	if (port->type->has_room == NULL || lane->direction != DP_RX ||
	    port->type->has_room(port, batch->n_buffers + shape_buffers(lane->fq.quantum_bytes)))
		return true;
	return batch->n_buffers == 0 && now_ns - fq_oldest_ns(&lane->fq) > ROOM_WAIT_NS;
}

static unsigned int frames_max(const struct channel_way *way, uint64_t now_ns)
{
	int64_t frames =
		way != NULL ? bucket_credit_frames(&way->bucket, now_ns, true) : BUCKET_UNLIMITED;

	return frames < BURST_FRAMES ? (unsigned int)frames : BURST_FRAMES;
}

/* Adds one to the burst. false: there is none. */
static bool take_one(struct lane *lane, struct worker *worker, const struct channel_way *way,
		     struct batch *batch)
{
	struct burst *burst = worker->burst;
	struct fq_taken taken;

	if (!fq_take(&lane->fq, burst, burst->now_ns, &taken))
		return false;
	struct frame *frame = &burst->frames[burst->n - 1];

	batch->blocks[burst->n - 1] = taken.block;
	batch->n_buffers += shape_buffers(frame->len);
	burst->has_tags |= frame->has_tag;
	if (knows_segments(lane) && taken.word != segment_id(worker->dp, frame->segment))
		frame->drop = DROP_WRONG_SEGMENT;
	if (way != NULL) {
		batch->bytes += account_frame(frame, way->frame_extra_bytes);
		counters_of(worker, way)->delays[account_delay(taken.waited_ns)]++;
	}
	return true;
}

/* Fills worker->burst while the budget lasts. */
static void take_out(struct lane *lane, struct worker *worker, const struct channel_way *way,
		     int64_t budget_bytes, struct counters_block *count, struct batch *batch)
{
	struct burst *burst = worker->burst;
	unsigned int max = frames_max(way, burst->now_ns);

	burst->n = burst->n_pieces = 0;
	burst->has_tags = false;
	rte_spinlock_lock(&lane->lock);
	struct fq_account before = lane->fq.account;
	struct lane_drops drops;

	note_drops(lane, worker, count, &drops);
	set_limits(lane, way);
	while (lane->fq.n_frames != 0 && burst->n < max && (int64_t)batch->bytes < budget_bytes &&
	       burst->n_pieces + FRAME_PIECES_MAX <= BURST_PIECES &&
	       (way == NULL || has_room(lane, batch, burst->now_ns)) &&
	       take_one(lane, worker, way, batch))
		;
	count->queued -= burst->n;
	settle(lane, worker, way, &before, count);
	rte_spinlock_unlock(&lane->lock);
}

/* To the port, through the gate. Returns the bytes to pay for: of what was really sent. */
static uint64_t send_to_port(struct lane *lane, struct worker *worker, const struct batch *batch,
			     uint32_t extra_bytes, struct counters_block *count)
{
	struct burst *burst = worker->burst;
	struct port *port = lane->port;
	struct egress egress = {.n = 0};

	for (unsigned int i = 0; i < burst->n; i++) {
		if (burst->frames[i].drop == DROP_NONE)
			egress.order[egress.n++] = (uint8_t)i;
		else
			drop_frame(burst->recorder, count, &burst->frames[i],
				   (enum drop_reason)burst->frames[i].drop);
	}
	if (egress.n != 0 &&
	    port_state_blocks(atomic_load_explicit(&port->state, memory_order_relaxed))) {
		drop_frames(burst, count, egress.order, egress.n, DROP_BLOCKED);
		return 0;
	}
	return shape_send(worker, port, burst, &egress, egress.n == burst->n ? batch->bytes : 0,
			  extra_bytes, count);
}

/* One burst. */
static struct served move(struct lane *lane, struct worker *worker, struct channel_way *way,
			  int64_t budget_bytes)
{
	struct burst *burst = worker->burst;
	struct port *port = lane->port;
	struct counters_block *count =
		counters_block(worker->dp->counters, port->slot, worker->index);
	uint32_t extra_bytes = way != NULL ? way->frame_extra_bytes : 0;
	struct batch batch; /* filled as far as it is used */

	batch.bytes = batch.n_buffers = 0;
	take_out(lane, worker, way, budget_bytes, count, &batch);
	unsigned int n = burst->n;
	uint64_t bytes = batch.bytes;

	if (n != 0 && lane->direction == DP_RX)
		bytes = send_to_port(lane, worker, &batch, extra_bytes, count);
	else if (n != 0)
		carry_held(worker, port, burst);
	for (unsigned int i = 0; i < n; i++)
		buffers_give(worker->dp->buffers, batch.blocks[i]);
	if (way != NULL && n != 0)
		shape_charge(worker, way, n, bytes, true);
	rte_spinlock_lock(&lane->lock);
	bool is_done = lane->fq.n_frames == 0;

	if (is_done) {
		fq_rest(&lane->fq);
		atomic_store_explicit(&lane->is_busy, false, memory_order_release);
	}
	rte_spinlock_unlock(&lane->lock);
	return (struct served){.bytes = (int64_t)bytes, .frames = n, .is_done = is_done};
}

static struct served serve(struct worker *worker, struct waiter *waiter, int64_t budget_bytes)
{
	struct waiter *first = waiter - worker->index;
	struct lane *lane = (struct lane *)((char *)first - offsetof(struct lane, waiters));

	return move(lane, worker, waiter->way, budget_bytes);
}

/* --- another epoch --- */

static bool is_own(const struct lane *lane, const struct worker *worker)
{
	return lane_is_busy(lane) &&
	       atomic_load_explicit(&lane->owner, memory_order_relaxed) == worker->index;
}

static void go_on(struct lane *lane, struct worker *worker)
{
	struct channel_way *way = atomic_load_explicit(&lane->way, memory_order_acquire);

	if (way == NULL) {
		while (!move(lane, worker, NULL, BUCKET_UNLIMITED).is_done)
			;
		return;
	}
	rte_spinlock_lock(&lane->lock);
	tell_level(lane, way, worker->index);
	rte_spinlock_unlock(&lane->lock);
	wait_for(lane, worker, way);
}

void lane_wait_anew(struct worker *worker)
{
	struct dataplane *dp = worker->dp;

	worker->has_lanes = false;
	for (unsigned int i = 1; i < PORTS_MAX; i++) {
		const struct port *port = atomic_load_explicit(&dp->ports[i], memory_order_acquire);

		for (unsigned int way = 0; port != NULL && way < DP_WAYS; way++) {
			const struct lane_set *set =
				atomic_load_explicit(&port->lanes[way], memory_order_acquire);

			for (unsigned int k = 0; set != NULL && k < set->n_lanes; k++) {
				if (is_own(set->lanes[k], worker))
					go_on(set->lanes[k], worker);
			}
		}
	}
}
