/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stages have made of a frame, as facts: the same for one that is traced (trace.h, main) and
 * for one that is followed (follower.h, workers). Facts name objects by their ids and hold no text:
 * the words are trace_text.h's, and main's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/carry.h"

struct dataplane;
struct frame;

/* What is said of it. `bits`, `other_id` as named. */
enum trace_word {
	TRACE_WORD_REASON = 0,	/* what the drop reason says */
	TRACE_WORD_TUNNELLED,	/* of a known peer */
	TRACE_WORD_SEGMENT,	/* bits: 1: a tag was taken off, 2: one stays */
	TRACE_WORD_TOO_BIG,	/* value: bytes; limit: the segment's */
	TRACE_WORD_GUARDS,	/* bits: enum dp_guard that are on */
	TRACE_WORD_NOT_LEARNED, /* its port does not teach */
	TRACE_WORD_KNOWN,
	TRACE_WORD_STATIC, /* other: the port where it is so */
	TRACE_WORD_MOVES,  /* other: the port where it was seen last */
	TRACE_WORD_NEW,
	TRACE_WORD_LIMIT,   /* new, and the port has as many as it may: value of limit */
	TRACE_WORD_TOLD,    /* its sender, of too big a packet */
	TRACE_WORD_AT_PORT, /* other: the port */
	TRACE_WORD_GROUP,
	TRACE_WORD_UNKNOWN,
	TRACE_WORD_WITHIN, /* floods are, their rates */
	TRACE_WORD_SPREAD, /* value: how many get it */
	/* Of real frames alone. */
	TRACE_WORD_CAME,   /* value: bytes */
	TRACE_WORD_WAITS,  /* for a channel */
	TRACE_WORD_PASSES, /* the gate */
	TRACE_WORD_OUTER,  /* has got outer headers */
	TRACE_WORD_TAKEN,  /* by the receiver; value: bytes */
	TRACE_WORD_UNSEEN, /* neither taken nor dropped */
	TRACE_WORD_REST,   /* value: receivers that are not followed */
};

struct trace_fact {
	uint16_t stage;	 /* enum dp_trace_stage */
	uint8_t verdict; /* enum dp_trace_verdict */
	uint8_t reason;	 /* enum drop_reason */
	uint16_t word;	 /* enum trace_word */
	uint16_t bits;
	uint32_t segment_id; /* 0: not known */
	uint64_t port_id, other_id;
	uint64_t value, limit;
};

/* The fact is the receiver's to keep. */
typedef void (*trace_view_fn)(void *ctx, const struct trace_fact *fact);

struct trace_view {
	const struct dataplane *dp;
	trace_view_fn fn;
	void *ctx;
	struct port *port; /* whose facts come: the sender's at first */
	uint16_t segment;  /* index; 0: not known yet */
	uint32_t segment_id;
	uint32_t now_s;
	bool is_over; /* a stage has dropped it: nothing more is said */
};

/* A stage has judged a burst of one. */
void trace_view_note(struct trace_view *view, enum dp_trace_stage stage, struct port *port,
		     const struct burst *burst);

/* Behind the last one: it was spread, and goes to so many ports. */
void trace_view_spread(const struct trace_view *view, const struct frame *frame, unsigned int n);

/* One more fact of the port and the segment. */
void trace_view_say(const struct trace_view *view, const struct trace_fact *fact);
