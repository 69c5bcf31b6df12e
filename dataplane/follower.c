/* SPDX-License-Identifier: BSD-3-Clause */
/* See follower.h. */
#include "dataplane/follower.h"

#include <stdatomic.h>
#include <string.h>

#include "dataplane/channel/lane.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/channel/shape.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/filter.h"
#include "dataplane/follow.h"
#include "dataplane/recorder.h"
#include "dataplane/segmentation.h"
#include "dataplane/worker.h"

/* A receiver, before it was sent to. */
struct receiver {
	const struct port *port;
	const struct counters_block *count;
	uint64_t tx_frames, tx_bytes;
	const struct lane *lane; /* NULL: nothing waits there */
	bool was_busy;
	uint8_t reason; /* for which it was dropped there */
};

struct follower {
	struct carry_observer observer; /* the first: the observer is the follower */
	struct trace_view view;
	struct follow *follow;
	struct worker *worker;
	/* Of the burst between rx and rx_done. */
	uint64_t wanted; /* bits */
	uint8_t drops[BURST_FRAMES];
	/* Of the frame that is followed. */
	struct follower_record *record;
	bool is_sending;
	unsigned int n_receivers;
	struct receiver receivers[FOLLOWER_RECEIVERS];
	_Atomic uint64_t missed;
	_Atomic uint32_t head, tail; /* of records, counted since the start */
	struct burst
		pieces[2]; /* of ports; of peers, whose burst may lie in one of their uplink's */
	struct follower_record records[FOLLOWER_RECORDS];
};

_Static_assert(BURST_FRAMES <= 64, "a bit for each frame");

/* --- records --- */

static uint32_t n_free(const struct follower *follower)
{
	return FOLLOWER_RECORDS - (atomic_load_explicit(&follower->head, memory_order_relaxed) -
				   atomic_load_explicit(&follower->tail, memory_order_acquire));
}

static void put_fact(void *ctx, const struct trace_fact *fact)
{
	const struct follower *follower = ctx;
	struct follower_record *record = follower->record;

	if (record->n_facts < FOLLOWER_FACTS)
		record->facts[record->n_facts++] = *fact;
}

static void put_port_fact(struct follower *follower, const struct port *port,
			  const struct trace_fact *fact)
{
	struct trace_fact full = *fact;

	full.port_id = port->spec.id;
	full.segment_id = follower->view.segment_id;
	put_fact(follower, &full);
}

static void begin_record(struct follower *follower, struct port *port, const struct frame *frame,
			 uint64_t now_ns)
{
	uint32_t head = atomic_load_explicit(&follower->head, memory_order_relaxed);
	struct follower_record *record = &follower->records[head % FOLLOWER_RECORDS];

	record->time_ns = now_ns;
	record->port_id = port->spec.id;
	record->len = frame->len;
	record->head_len = frame->head_len < FRAME_HEAD_BYTES ? frame->head_len : FRAME_HEAD_BYTES;
	record->n_facts = 0;
	memcpy(record->head, frame->head, record->head_len);
	follower->record = record;
	follower->view = (struct trace_view){
		.dp = follower->worker->dp,
		.fn = put_fact,
		.ctx = follower,
		.port = port,
		.now_s = (uint32_t)(now_ns / 1000000000ULL),
	};
	trace_view_say(&follower->view, &(struct trace_fact){.stage = DP_TRACE_PORT,
							     .word = TRACE_WORD_CAME,
							     .value = frame->len});
}

/* Main may have it. */
static void end_record(struct follower *follower)
{
	uint32_t head = atomic_load_explicit(&follower->head, memory_order_relaxed);

	follower->record = NULL;
	atomic_store_explicit(&follower->head, head + 1, memory_order_release);
}

/* --- receivers --- */

static void add_receiver(struct follower *follower, uint16_t index, const struct frame *frame)
{
	const struct dataplane *dp = follower->worker->dp;
	const struct port *port = atomic_load_explicit(&dp->ports[index], memory_order_acquire);
	struct receiver *receiver = &follower->receivers[follower->n_receivers];

	if (port == NULL)
		return;
	const struct counters_block *count =
		counters_block(dp->counters, port->slot, follower->worker->index);
	const struct lane_set *lanes =
		atomic_load_explicit(&port->lanes[DP_RX], memory_order_acquire);
	const struct lane *lane = lanes != NULL ? lane_set_find(lanes, frame->segment) : NULL;

	*receiver = (struct receiver){.port = port,
				      .count = count,
				      .tx_frames = count->tx_frames,
				      .tx_bytes = count->tx_bytes,
				      .lane = lane,
				      .was_busy = lane != NULL && lane_is_busy(lane)};
	follower->n_receivers++;
}

static void note_receivers(struct follower *follower, const struct frame *frame)
{
	const struct forward_lists *lists = &follower->worker->lists;

	if (frame->drop == DROP_NONE)
		trace_view_spread(&follower->view, frame, lists->n_touched);
	for (unsigned int i = 0; i < lists->n_touched && i < FOLLOWER_RECEIVERS; i++)
		add_receiver(follower, lists->touched[i], frame);
	follower->is_sending = true;
}

/* Whether it waits now. Nobody passes those who wait: where others do so before and after, what
 * was sent meanwhile was theirs. */
static bool is_held(const struct receiver *receiver)
{
	if (receiver->lane == NULL || !lane_is_busy(receiver->lane))
		return false;
	return receiver->was_busy || receiver->count->tx_frames == receiver->tx_frames;
}

/* What the port itself refuses, and what is refused on the way there. */
static enum dp_trace_stage stage_of(const struct port *port, uint8_t reason)
{
	switch (reason) {
	case DROP_BLOCKED:
	case DROP_ISOLATED:
	case DROP_WRONG_SEGMENT:
	case DROP_TAGGED:
	case DROP_TUNNEL_LOOP:
	case DROP_PORT_GONE:
		return DP_TRACE_GATE;
	case DROP_QUEUE_FULL:
	case DROP_QUEUE_DELAY:
		return DP_TRACE_RX_CHANNEL;
	default:
		return port->is_peer ? DP_TRACE_TUNNEL : DP_TRACE_LINK;
	}
}

static void say_receiver(struct follower *follower, const struct receiver *receiver)
{
	const struct port *port = receiver->port;
	enum dp_trace_stage stage = stage_of(port, receiver->reason);
	bool is_sent = receiver->count->tx_frames != receiver->tx_frames;

	if (receiver->reason == DROP_NONE || stage != DP_TRACE_GATE)
		put_port_fact(
			follower, port,
			&(struct trace_fact){.stage = DP_TRACE_GATE, .word = TRACE_WORD_PASSES});
	if (receiver->reason != DROP_NONE) {
		put_port_fact(follower, port,
			      &(struct trace_fact){.stage = (uint16_t)stage,
						   .verdict = DP_TRACE_DROP,
						   .reason = receiver->reason});
	} else if (is_held(receiver)) {
		put_port_fact(follower, port,
			      &(struct trace_fact){.stage = DP_TRACE_RX_CHANNEL,
						   .verdict = DP_TRACE_WAIT,
						   .word = TRACE_WORD_WAITS});
	} else {
		if (is_sent && port->is_peer)
			put_port_fact(follower, port,
				      &(struct trace_fact){.stage = DP_TRACE_TUNNEL,
							   .word = TRACE_WORD_OUTER});
		put_port_fact(follower, port,
			      &(struct trace_fact){
				      .stage = DP_TRACE_LINK,
				      .verdict = is_sent ? DP_TRACE_PASS : DP_TRACE_NOTE,
				      .word = is_sent ? TRACE_WORD_TAKEN : TRACE_WORD_UNSEEN,
				      .value = receiver->count->tx_bytes - receiver->tx_bytes});
	}
}

static bool is_in(const struct burst *burst, const struct frame *frame)
{
	return frame >= burst->frames && frame < burst->frames + BURST_FRAMES;
}

/* Is it the frame, or a copy that was made on its way out? Others that leave meanwhile, because
 * they have waited, do so by another burst. */
static bool is_followed(const struct follower *follower, const struct frame *frame)
{
	const struct worker *worker = follower->worker;

	return is_in(&follower->pieces[0], frame) || is_in(&follower->pieces[1], frame) ||
	       is_in(worker->tunnelled, frame) || is_in(worker->lists.tagged, frame) ||
	       is_in(&worker->lists.segmentation->out, frame);
}

void follower_drop(struct follower *follower, const struct counters_block *count,
		   const struct frame *frame, enum drop_reason reason)
{
	if (!follower->is_sending || !is_followed(follower, frame))
		return;
	for (unsigned int i = 0; i < follower->n_receivers; i++) {
		struct receiver *receiver = &follower->receivers[i];

		if (receiver->count == count && receiver->reason == DROP_NONE)
			receiver->reason = (uint8_t)reason;
	}
}

/* --- the frame --- */

static void note(struct carry_observer *observer, enum dp_trace_stage stage, struct port *port,
		 struct burst *burst)
{
	struct follower *follower = (struct follower *)observer;
	const struct frame *frame = &burst->frames[0];

	if (follower->view.is_over)
		return;
	if (frame->drop == SHAPE_HELD) {
		trace_view_say(&follower->view, &(struct trace_fact){.stage = DP_TRACE_TX_CHANNEL,
								     .verdict = DP_TRACE_WAIT,
								     .word = TRACE_WORD_WAITS});
		follower->view.is_over = true;
		return;
	}
	trace_view_note(&follower->view, stage, port, burst);
	if (stage == DP_TRACE_SPREAD && !follower->view.is_over)
		note_receivers(follower, frame);
}

/* Carries the frames [begin, end) of a burst, as a burst of their own; alone, if followed. */
static void carry_piece(struct follower *follower, struct port *port, struct burst *burst,
			unsigned int begin, unsigned int end, bool was_counted, bool is_wanted)
{
	struct worker *worker = follower->worker;
	struct burst *piece = &follower->pieces[port->is_peer ? 1 : 0];

	piece->n = end - begin;
	piece->n_pieces = 0;
	piece->now_s = burst->now_s;
	piece->now_ns = burst->now_ns;
	piece->attention = false;
	piece->has_marks = burst->has_marks;
	memcpy(piece->frames, burst->frames + begin, piece->n * sizeof(piece->frames[0]));
	if (is_wanted) {
		begin_record(follower, port, &piece->frames[0], burst->now_ns);
		follower->is_sending = false;
		follower->n_receivers = 0;
		worker->recorder->follower = follower;
	}
	carry_observed(worker, port, piece, was_counted, is_wanted ? &follower->observer : NULL);
	burst->attention |= piece->attention;
	if (!is_wanted)
		return;
	worker->recorder->follower = NULL;
	for (unsigned int i = 0; i < follower->n_receivers; i++)
		say_receiver(follower, &follower->receivers[i]);
	end_record(follower);
}

/* Those from `begin` on, piece by piece. */
static void carry_pieces(struct follower *follower, struct port *port, struct burst *burst,
			 unsigned int begin, uint64_t wanted, bool was_counted)
{
	while (begin < burst->n) {
		bool is_wanted = (wanted >> begin & 1) != 0;
		unsigned int end = begin + 1;

		while (!is_wanted && end < burst->n && (wanted >> end & 1) == 0)
			end++;
		carry_piece(follower, port, burst, begin, end, was_counted, is_wanted);
		begin = end;
	}
}

/* --- which --- */

static bool take_one(struct follow *follow)
{
	uint32_t left = atomic_load_explicit(&follow->left, memory_order_relaxed);

	while (left != 0 &&
	       !atomic_compare_exchange_weak_explicit(&follow->left, &left, left - 1,
						      memory_order_relaxed, memory_order_relaxed))
		continue;
	return left != 0;
}

/* As bits. What there is no room for is counted, and wanted no more. */
static uint64_t find_wanted(struct follower *follower, const struct port *port,
			    const struct burst *burst)
{
	struct follow *follow = follower->follow;
	const struct dp_follow_open *spec = &follow->spec;
	uint32_t room = n_free(follower);
	uint64_t wanted = 0;

	if (atomic_load_explicit(&follow->left, memory_order_relaxed) == 0 ||
	    (atomic_load_explicit(&port->captures, memory_order_relaxed) & CAPTURES_FOLLOWED) == 0)
		return 0;
	for (unsigned int i = 0; i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];
		uint32_t n_bytes =
			frame->head_len < FRAME_HEAD_BYTES ? frame->head_len : FRAME_HEAD_BYTES;

		if (spec->n_insns != 0 &&
		    !filter_run(spec->insns, frame->head, n_bytes, frame->len))
			continue;
		if (room == 0) {
			atomic_fetch_add_explicit(&follower->missed, 1, memory_order_relaxed);
		} else if (take_one(follow)) {
			wanted |= UINT64_C(1) << i;
			room--;
		}
	}
	return wanted;
}

bool follower_hold(struct follower *follower, const struct port *port, struct burst *burst)
{
	follower->wanted = find_wanted(follower, port, burst);
	if (follower->wanted == 0)
		return false;
	for (unsigned int i = (unsigned int)__builtin_ctzll(follower->wanted); i < burst->n; i++) {
		follower->drops[i] = burst->frames[i].drop;
		burst->frames[i].drop = SHAPE_HELD;
	}
	return true;
}

void follower_release(struct follower *follower, struct port *port, struct burst *burst)
{
	uint64_t wanted = follower->wanted;
	unsigned int first = (unsigned int)__builtin_ctzll(wanted);

	for (unsigned int i = first; i < burst->n; i++)
		burst->frames[i].drop = follower->drops[i];
	carry_pieces(follower, port, burst, first, wanted, true);
}

bool follower_carry(struct worker *worker, struct port *port, struct burst *burst)
{
	struct follow *follow = atomic_load_explicit(&worker->dp->follow, memory_order_acquire);
	struct follower *follower = follow != NULL ? follow->followers[worker->index] : NULL;
	uint64_t wanted = follower != NULL ? find_wanted(follower, port, burst) : 0;

	if (wanted != 0)
		carry_pieces(follower, port, burst, 0, wanted, false);
	return wanted != 0;
}

/* --- main --- */

struct follower *follower_create(struct follow *follow, struct worker *worker)
{
	struct follower *follower = worker->dp->config.memory.alloc(sizeof(*follower), 64);

	if (follower == NULL)
		return NULL;
	follower->observer.note = note;
	follower->follow = follow;
	follower->worker = worker;
	follower->pieces[0].recorder = follower->pieces[1].recorder = worker->recorder;
	return follower;
}

void follower_destroy(struct follower *follower)
{
	if (follower != NULL)
		follower->worker->dp->config.memory.free(follower);
}

const struct follower_record *follower_peek(const struct follower *follower)
{
	uint32_t tail = atomic_load_explicit(&follower->tail, memory_order_relaxed);

	if (atomic_load_explicit(&follower->head, memory_order_acquire) == tail)
		return NULL;
	return &follower->records[tail % FOLLOWER_RECORDS];
}

void follower_take(struct follower *follower)
{
	atomic_fetch_add_explicit(&follower->tail, 1, memory_order_release);
}

uint64_t follower_missed(const struct follower *follower)
{
	return atomic_load_explicit(&follower->missed, memory_order_relaxed);
}
