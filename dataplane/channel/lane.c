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
#include "dataplane/channel/lane_told.h"
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
/* What it holds meanwhile: as many small frames as half a large ring. */
#define ROOM_BLOCKS_MAX 512
/* In the middle of a turn a lane goes on only where there is room for so many buffers. */
#define ROOM_BUFFERS 32
/* Pieces of a large frame leave so many blocks to others. */
#define SPARE_BLOCKS 1024

/* --- life: main --- */

int lane_create(struct port *port, enum dp_way direction, uint16_t segment, struct lane **out)
{
	struct dataplane *dp = port->dp;
	struct lane *lane =
		calloc(1, sizeof(*lane) + dp->config.n_workers * sizeof(lane->places[0]));

	if (lane == NULL)
		return -ENOMEM;
	lane->port = port;
	lane->direction = direction;
	lane->segment = segment;
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		lane->places[i].lane = lane;
	rte_spinlock_init(&lane->lock);
	fq_init(&lane->fq, dp->buffers, dp->config.hash_seed);
	*out = lane;
	return 0;
}

void lane_destroy(struct lane *lane)
{
	if (lane == NULL)
		return;
	fq_clear(&lane->fq);
	lane_told_level(lane, NULL, 0);
	free(lane);
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
		lane_told_fate(entry->lane, entry->worker, frame, FATE_QUEUED);
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
	bool is_lossless = atomic_load_explicit(&lane->is_lossless, memory_order_relaxed);
	uint64_t target_ns;
	int64_t bytes;

	if (way == NULL || is_lossless) {
		fq_set(&lane->fq, 0, is_lossless ? UINT64_MAX : LIMIT_BYTES_MAX);
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
	struct waiter *waiter = &lane->places[worker->index].waiter;

	if (way == NULL) {
		worker->has_lanes = true;
		return;
	}
	waiter->serve = serve;
	turnstile_wait(worker, waiter, way);
}

/* Under the lock. A lane that only waits for room takes in no more than a receiver might. */
static void note_stuffed(struct lane *lane)
{
	uint32_t max =
		lane->fq.max_blocks < ROOM_BLOCKS_MAX ? lane->fq.max_blocks : ROOM_BLOCKS_MAX;

	atomic_store_explicit(&lane->is_stuffed, lane->fq.n_blocks >= max, memory_order_relaxed);
}

/* The owner, under the lock. */
static void set_wants_room(struct lane *lane, bool wants_room)
{
	atomic_store_explicit(&lane->wants_room, wants_room, memory_order_relaxed);
	if (wants_room)
		note_stuffed(lane);
	else
		atomic_store_explicit(&lane->is_stuffed, false, memory_order_relaxed);
}

static void count_entry(struct lane *lane, const struct entry *entry, struct counters_block *count)
{
	count->queued += entry->n;
	count->segments += entry->n_segments;
	count->drops[DROP_QUEUE_FULL] += entry->n_refused;
}

/* Has the receiver room for n buffers, and for one frame more? Under the lock. */
static bool has_room(const struct lane *lane, unsigned int n_buffers)
{
	const struct port *port = lane->port;

	return port->type->has_room == NULL || lane->direction != DP_RX ||
	       atomic_load_explicit(&lane->is_stuck, memory_order_relaxed) ||
	       port->type->has_room(port, n_buffers + shape_buffers(lane->fq.quantum_bytes));
}

/* The owner, no more under the lock: for room, or for credit. */
static void wait_for_any(struct lane *lane, struct worker *worker, struct channel_way *way)
{
	if (atomic_load_explicit(&lane->wants_room, memory_order_relaxed))
		room_wait(worker, &lane->places[worker->index]);
	else
		wait_for(lane, worker, way);
}

/* Under the lock. true: it is this worker's from now on, and nobody waits for it yet. */
static bool become_owner(struct lane *lane, const struct worker *worker,
			 const struct channel_way *way)
{
	if (lane->fq.n_frames == 0)
		fq_rest(&lane->fq);
	if (lane->fq.n_frames == 0 || lane_is_busy(lane))
		return false;
	atomic_store_explicit(&lane->owner, worker->index, memory_order_relaxed);
	if (way != NULL && !has_room(lane, 0)) {
		set_wants_room(lane, true);
		lane->full_since_ns = worker->burst->now_ns;
	}
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

	if (way != NULL && atomic_load_explicit(&lane->is_stuffed, memory_order_relaxed)) {
		lane_told_refuse(worker, way, burst, order, n, count);
		return;
	}
	rte_spinlock_lock(&lane->lock);
	struct fq_account before = lane->fq.account;
	struct lane_drops drops;

	lane_told_note(lane, worker, count, &drops);
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
	lane_told_settle(lane, worker, way, &before, count);
	bool is_new = become_owner(lane, worker, way);

	if (atomic_load_explicit(&lane->wants_room, memory_order_relaxed))
		note_stuffed(lane);
	rte_spinlock_unlock(&lane->lock);
	if (way != NULL) {
		struct counters_channel *channel = lane_told_counters(worker, way);

		channel->asked_frames += n;
		channel->asked_bytes += bytes;
		channel->drops += entry.n_refused;
	}
	if (is_new)
		wait_for_any(lane, worker, way);
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
	/* A guest's frames are not lost: others may take memory at the same time. */
	if (!fq_reserve(&lane->fq, pieces_blocks(frame))) {
		rte_spinlock_unlock(&lane->lock);
		return false;
	}
	struct fq_account before = lane->fq.account;
	struct lane_drops drops;

	lane_told_note(lane, worker, count, &drops);
	set_limits(lane, way);
	bool is_cut = put_cut(&entry, worker, frame);

	fq_end_reserve(&lane->fq);
	count_entry(lane, &entry, count);
	lane_told_settle(lane, worker, way, &before, count);
	bool is_new = become_owner(lane, worker, way);

	rte_spinlock_unlock(&lane->lock);
	if (is_new)
		wait_for_any(lane, worker, way);
	return is_cut;
}

/* --- out --- */

/* What leaves at once, in a burst. */
struct batch {
	struct burst *burst;
	uint64_t bytes;	 /* as accounted */
	bool wants_room; /* the receiver has none */
	bool has_marks;	 /* some are a replay's */
	unsigned int n_buffers;
	uint32_t blocks[BURST_FRAMES];
};

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
	struct burst *burst = batch->burst;
	struct fq_taken taken;

	if (!fq_take(&lane->fq, burst, burst->now_ns, &taken))
		return false;
	struct frame *frame = &burst->frames[burst->n - 1];

	batch->blocks[burst->n - 1] = taken.block;
	batch->n_buffers += shape_buffers(frame->len);
	burst->has_tags |= frame->has_tag;
	batch->has_marks |= lane_told_fate(lane, worker, frame, FATE_LEFT);
	if (knows_segments(lane) && taken.word != segment_id(worker->dp, frame->segment))
		frame->drop = DROP_WRONG_SEGMENT;
	if (way != NULL) {
		batch->bytes += account_frame(frame, way->frame_extra_bytes);
		lane_told_counters(worker, way)->delays[account_delay(taken.waited_ns)]++;
	}
	return true;
}

/* Fills the burst while the budget lasts, and the receiver's room. */
static void take_out(struct lane *lane, struct worker *worker, const struct channel_way *way,
		     int64_t budget_bytes, struct counters_block *count, struct batch *batch)
{
	struct burst *burst = batch->burst;
	unsigned int max = frames_max(way, burst->now_ns);

	burst->n = burst->n_pieces = 0;
	burst->has_tags = false;
	rte_spinlock_lock(&lane->lock);
	struct fq_account before = lane->fq.account;
	struct lane_drops drops;

	lane_told_note(lane, worker, count, &drops);
	set_limits(lane, way);
	while (lane->fq.n_frames != 0 && burst->n < max && (int64_t)batch->bytes < budget_bytes &&
	       burst->n_pieces + FRAME_PIECES_MAX <= BURST_PIECES) {
		batch->wants_room = way != NULL && !has_room(lane, batch->n_buffers);
		if (batch->wants_room || !take_one(lane, worker, way, batch))
			break;
	}
	count->queued -= burst->n;
	lane_told_settle(lane, worker, way, &before, count);
	rte_spinlock_unlock(&lane->lock);
}

/* To the port, through the gate. Returns the bytes to pay for: of what was really sent. */
static uint64_t send_to_port(struct lane *lane, struct worker *worker, const struct batch *batch,
			     uint32_t extra_bytes, struct counters_block *count)
{
	struct burst *burst = batch->burst;
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

/* Has it left? Else it may wait for room, if it does not wait for credit. */
static bool leave(struct lane *lane, struct worker *worker, const struct batch *batch)
{
	rte_spinlock_lock(&lane->lock);
	bool is_empty = lane->fq.n_frames == 0, wants_room = batch->wants_room && !is_empty;

	set_wants_room(lane, wants_room);
	if (is_empty) {
		fq_rest(&lane->fq);
		atomic_store_explicit(&lane->is_busy, false, memory_order_release);
	}
	rte_spinlock_unlock(&lane->lock);
	if (wants_room) {
		lane->full_since_ns = batch->burst->now_ns;
		room_wait(worker, &lane->places[worker->index]);
	}
	return is_empty || wants_room;
}

/* Where frames go from here: those to a port may leave while another burst is on its way. */
static struct burst *burst_of(const struct lane *lane, struct worker *worker)
{
	if (lane->direction == DP_TX)
		return worker->burst;
	worker->let_go->now_s = worker->burst->now_s;
	worker->let_go->now_ns = worker->burst->now_ns;
	worker->let_go->attention = false;
	return worker->let_go;
}

/* One burst. */
static struct served move(struct lane *lane, struct worker *worker, struct channel_way *way,
			  int64_t budget_bytes)
{
	struct burst *burst = burst_of(lane, worker);
	struct port *port = lane->port;
	struct counters_block *count =
		counters_block(worker->dp->counters, port->slot, worker->index);
	uint32_t extra_bytes = way != NULL ? way->frame_extra_bytes : 0;
	struct batch batch; /* filled as far as it is used */

	batch.burst = burst;
	batch.bytes = batch.n_buffers = 0;
	batch.wants_room = batch.has_marks = false;
	take_out(lane, worker, way, budget_bytes, count, &batch);
	unsigned int n = burst->n;
	uint64_t bytes = batch.bytes;

	if (n != 0 && lane->direction == DP_RX)
		bytes = send_to_port(lane, worker, &batch, extra_bytes, count);
	else if (n != 0)
		carry_held(worker, port, burst);
	worker->burst->attention |= burst->attention;
	if (__builtin_expect(batch.has_marks, 0))
		fates_take_back(burst);
	for (unsigned int i = 0; i < n; i++)
		buffers_give(worker->dp->buffers, batch.blocks[i]);
	if (way != NULL && n != 0)
		shape_charge(worker, way, n, bytes, true);
	bool is_done = leave(lane, worker, &batch);

	return (struct served){.bytes = (int64_t)bytes, .frames = n, .is_done = is_done};
}

static struct served serve(struct worker *worker, struct waiter *waiter, int64_t budget_bytes)
{
	struct lane_place *place =
		(struct lane_place *)((char *)waiter - offsetof(struct lane_place, waiter));

	return move(place->lane, worker, waiter->way, budget_bytes);
}

static bool is_own(const struct lane *lane, const struct worker *worker)
{
	return lane_is_busy(lane) &&
	       atomic_load_explicit(&lane->owner, memory_order_relaxed) == worker->index;
}

/* --- room --- */

static bool finds_room(struct lane *lane, unsigned int n_buffers)
{
	rte_spinlock_lock(&lane->lock);
	bool finds = has_room(lane, n_buffers);

	if (finds)
		set_wants_room(lane, false);
	rte_spinlock_unlock(&lane->lock);
	return finds;
}

void lane_let_go(struct lane *lane, struct worker *worker, struct channel_way *way)
{
	if (!is_own(lane, worker))
		return;
	if (atomic_load_explicit(&lane->wants_room, memory_order_relaxed)) {
		if (!finds_room(lane, ROOM_BUFFERS))
			return;
		wait_for(lane, worker, way);
	}
	turnstile_serve(worker, way);
}

bool lane_is_still_stuck(struct lane *lane)
{
	const struct port *port = lane->port;

	if (!port->type->has_room(port, shape_buffers(FQ_QUANTUM_BYTES)))
		return true;
	atomic_store_explicit(&lane->is_stuck, false, memory_order_relaxed);
	return false;
}

/* All that it holds, at once: it is not much, by ROOM_BLOCKS_MAX. */
static void lose_all(struct lane *lane, struct worker *worker)
{
	struct channel_way *way = atomic_load_explicit(&lane->way, memory_order_acquire);
	struct counters_block *count =
		counters_block(worker->dp->counters, lane->port->slot, worker->index);

	rte_spinlock_lock(&lane->lock);
	lane_told_lose(lane, worker, way, count);
	set_wants_room(lane, false);
	atomic_store_explicit(&lane->is_stuck, true, memory_order_relaxed);
	atomic_store_explicit(&lane->is_busy, false, memory_order_release);
	rte_spinlock_unlock(&lane->lock);
}

bool lane_still_wants_room(struct lane *lane, struct worker *worker)
{
	if (!is_own(lane, worker) || !atomic_load_explicit(&lane->wants_room, memory_order_relaxed))
		return false;
	if (finds_room(lane, 0)) {
		wait_for(lane, worker, atomic_load_explicit(&lane->way, memory_order_acquire));
		return false;
	}
	if (worker->burst->now_ns - lane->full_since_ns <= ROOM_WAIT_NS)
		return true;
	lose_all(lane, worker);
	return false;
}

/* --- another epoch --- */

/* Others may bring more than leaves: what comes meanwhile is for the next turn. */
static void go_on(struct lane *lane, struct worker *worker)
{
	struct channel_way *way = atomic_load_explicit(&lane->way, memory_order_acquire);
	struct served served = {.is_done = false};
	uint32_t n = 0, n_held;

	if (turnstile_is_waiting(worker->turnstiles, &lane->places[worker->index].waiter) ||
	    room_is_waiting(&worker->room, &lane->places[worker->index].link))
		return;
	rte_spinlock_lock(&lane->lock);
	n_held = lane->fq.n_frames;
	lane_told_level(lane, way, worker->index);
	set_wants_room(lane, false);
	rte_spinlock_unlock(&lane->lock);
	while (way == NULL && !served.is_done && n <= n_held) {
		served = move(lane, worker, NULL, BUCKET_UNLIMITED);
		n += served.frames;
	}
	if (!served.is_done)
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
