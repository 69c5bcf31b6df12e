/* SPDX-License-Identifier: BSD-3-Clause */
/* See trace_view.h. Main and worker threads. */
#include "dataplane/trace_view.h"

#include "dataplane/dataplane.h"
#include "dataplane/guard.h"

void trace_view_say(const struct trace_view *view, const struct trace_fact *fact)
{
	struct trace_fact full = *fact;

	full.port_id = view->port->spec.id;
	full.segment_id = view->segment_id;
	view->fn(view->ctx, &full);
}

static void say_word(const struct trace_view *view, enum dp_trace_stage stage, enum trace_word word)
{
	trace_view_say(view,
		       &(struct trace_fact){.stage = (uint16_t)stage, .word = (uint16_t)word});
}

static void say_drop(const struct trace_view *view, enum dp_trace_stage stage, uint8_t reason)
{
	trace_view_say(view, &(struct trace_fact){.stage = (uint16_t)stage,
						  .verdict = DP_TRACE_DROP,
						  .reason = reason});
}

static const struct segment *segment_at(const struct trace_view *view)
{
	return atomic_load_explicit(&view->dp->segments[view->segment], memory_order_acquire);
}

static const struct port *port_at(const struct trace_view *view, uint16_t index)
{
	return index < PORTS_MAX
		       ? atomic_load_explicit(&view->dp->ports[index], memory_order_acquire)
		       : NULL;
}

static void note_classify(struct trace_view *view, const struct burst *burst)
{
	const struct frame *frame = &burst->frames[0];
	struct trace_fact fact = {.stage = DP_TRACE_CLASSIFY, .word = TRACE_WORD_SEGMENT};

	view->segment = frame->segment;

	const struct segment *segment = segment_at(view);

	view->segment_id = segment != NULL ? segment->id : 0;
	if (frame->drop == DROP_TOO_BIG && segment != NULL) {
		fact.verdict = DP_TRACE_DROP;
		fact.reason = frame->drop;
		fact.word = TRACE_WORD_TOO_BIG;
		fact.value = frame->len;
		fact.limit = atomic_load_explicit(&segment->max_frame_bytes, memory_order_relaxed);
	} else if (frame->drop != DROP_NONE) {
		fact.verdict = DP_TRACE_DROP;
		fact.reason = frame->drop;
		fact.word = TRACE_WORD_REASON;
	} else {
		fact.bits =
			(uint16_t)((burst->stripped_bytes != 0 ? 1 : 0) | (frame->has_tag ? 2 : 0));
	}
	trace_view_say(view, &fact);
}

static void note_guard(const struct trace_view *view)
{
	const struct guard *guard = atomic_load_explicit(&view->port->guard, memory_order_acquire);
	const struct segment *segment = segment_at(view);
	uint16_t guards =
		segment != NULL ? atomic_load_explicit(&segment->guards, memory_order_relaxed) : 0;

	trace_view_say(
		view, &(struct trace_fact){.stage = DP_TRACE_GUARD,
					   .word = TRACE_WORD_GUARDS,
					   .bits = (uint16_t)((guards & ~guard->off) | guard->on)});
}

/* Before the stage itself, which would refresh the age of who is known. */
static void note_learn(const struct trace_view *view, const struct frame *frame)
{
	const struct port *port = view->port;
	struct fdb *fdb = view->dp->fdb;
	uint16_t owner = fdb_owner(fdb, frame->src_key);
	const struct port *other = port_at(view, owner);
	struct trace_fact fact = {.stage = DP_TRACE_LEARN, .word = TRACE_WORD_NEW};

	if (!atomic_load_explicit(&port->is_teaching, memory_order_relaxed) ||
	    atomic_load_explicit(&port->state, memory_order_relaxed) != PORT_STATE_ACTIVE) {
		fact.word = TRACE_WORD_NOT_LEARNED;
	} else if (owner == port->index) {
		fact.word = TRACE_WORD_KNOWN;
	} else if (owner != FDB_NO_PORT && other != NULL) {
		/* Of an entry of another port this reads only. */
		bool is_static = fdb_refresh(fdb, frame->src_key, port->index, view->now_s);

		fact.verdict = DP_TRACE_NOTE;
		fact.word = is_static ? TRACE_WORD_STATIC : TRACE_WORD_MOVES;
		fact.other_id = other->spec.id;
	}
	trace_view_say(view, &fact);
}

static void note_lookup(const struct trace_view *view, const struct frame *frame)
{
	const struct port *out = port_at(view, frame->out);
	bool is_group = (frame->head[0] & 1) != 0;

	if (out != NULL)
		trace_view_say(view, &(struct trace_fact){.stage = DP_TRACE_LOOKUP,
							  .word = TRACE_WORD_AT_PORT,
							  .other_id = out->spec.id});
	else
		trace_view_say(view,
			       &(struct trace_fact){
				       .stage = DP_TRACE_LOOKUP,
				       .verdict = is_group ? DP_TRACE_PASS : DP_TRACE_NOTE,
				       .word = is_group ? TRACE_WORD_GROUP : TRACE_WORD_UNKNOWN});
}

/* It passes. */
static void note_pass(const struct trace_view *view, enum dp_trace_stage stage,
		      const struct frame *frame)
{
	switch (stage) {
	case DP_TRACE_DECAP:
		say_word(view, stage, TRACE_WORD_TUNNELLED);
		break;
	case DP_TRACE_GUARD:
		note_guard(view);
		note_learn(view, frame);
		break;
	case DP_TRACE_LOOKUP:
		note_lookup(view, frame);
		break;
	case DP_TRACE_STORM:
		if (frame->out == FRAME_OUT_FLOOD)
			say_word(view, stage, TRACE_WORD_WITHIN);
		break;
	default:
		break;
	}
}

void trace_view_spread(const struct trace_view *view, const struct frame *frame, unsigned int n)
{
	if (frame->out == FRAME_OUT_FLOOD)
		trace_view_say(view, &(struct trace_fact){.stage = DP_TRACE_SPREAD,
							  .word = TRACE_WORD_SPREAD,
							  .value = n});
}

/* Of a packet that is too big its sender may be told: is_over waits for that. */
static void note_too_big(struct trace_view *view, enum dp_trace_stage stage)
{
	if (stage != DP_TRACE_ANSWER)
		return;
	trace_view_say(view, &(struct trace_fact){.stage = DP_TRACE_ANSWER,
						  .verdict = DP_TRACE_NOTE,
						  .word = TRACE_WORD_TOLD});
	view->is_over = true;
}

void trace_view_note(struct trace_view *view, enum dp_trace_stage stage, struct port *port,
		     const struct burst *burst)
{
	const struct frame *frame = &burst->frames[0];

	if (view->is_over)
		return;
	view->port = port;
	if (stage == DP_TRACE_CLASSIFY) {
		note_classify(view, burst);
		view->is_over = frame->drop != DROP_NONE && frame->drop != DROP_TOO_BIG;
	} else if (frame->drop == DROP_TOO_BIG && stage != DP_TRACE_DECAP) {
		note_too_big(view, stage);
	} else if (frame->drop != DROP_NONE) {
		say_drop(view, stage, frame->drop);
		view->is_over = true;
	} else {
		note_pass(view, stage, frame);
	}
}
