/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flight recorder of a segment: the heads of the last frames that came into it, in a ring of each
 * worker that is written over, until something happens (a trigger). Then the rings take
 * FLIGHT_AFTER frames more and stop, so that whoever comes for them finds what was before; main
 * takes them out and arms the recorder again.
 *
 * A worker keeps no more than FLIGHT_PER_MS of a segment in a millisecond: under load it looks once
 * a burst whether it may, and the rings reach back further. Ports of segments without a recorder
 * pay nothing: their functions are not exchanged (recorder.h).
 */
#pragma once

#include "dataplane/api/flight_msg.h"
#include "dataplane/kept.h"

#define FLIGHT_FRAMES 256 /* of a worker */
#define FLIGHT_AFTER 32	  /* of them after the trigger */
#define FLIGHT_PER_MS 64
#define FLIGHT_PAUSE_NS 10000000000ULL /* between one that was taken and the next trigger */

struct burst;
struct dataplane;
struct port;

enum flight_state {
	FLIGHT_ARMED,
	FLIGHT_CLAIMED, /* somebody writes down what has happened */
	FLIGHT_TRIGGERED,
};

/* A worker's. */
struct flight_ring {
	struct kept entries[FLIGHT_FRAMES];
	_Atomic uint32_t next; /* the worker's; main walks from there */
	uint32_t n_after;      /* kept since the trigger */
	struct kept_pace pace;
	_Atomic uint64_t skipped; /* that came too fast */
};

struct flight {
	_Atomic uint32_t state;		 /* enum flight_state */
	_Atomic uint64_t quiet_until_ns; /* before then nothing is a trigger */
	struct dp_flight trigger;	 /* FLIGHT_TRIGGERED: what has happened */
	uint64_t skipped;		 /* main: when it was asked last */
	unsigned int n_rings;
	struct flight_ring rings[];
};

/* All its memory is there: a worker makes no page of it. NULL: there is none. Main. */
struct flight *flight_create(unsigned int n_workers);
void flight_destroy(struct flight *flight); /* NULL is legal; no worker knows it any more */

/* A frame that came from a port into the segment; all frames of a burst. as->reason: none.
 * Worker. */
void flight_put(struct flight *flight, unsigned int worker, const struct frame *frame,
		const struct kept_as *as);
void flight_put_burst(struct flight *flight, unsigned int worker, const struct burst *burst,
		      const struct kept_as *as);

/* Would a trigger be one now? Any thread, as the next. */
static inline bool flight_is_armed(const struct flight *flight, uint64_t now_ns)
{
	return atomic_load_explicit(&flight->state, memory_order_relaxed) == FLIGHT_ARMED &&
	       now_ns >= atomic_load_explicit(&flight->quiet_until_ns, memory_order_relaxed);
}

/* Something has happened: kind, reason, time, ports and address are filled in. false: there was
 * something else before that nobody has taken yet, or a moment ago. */
bool flight_trigger(struct flight *flight, const struct dp_flight *trigger);

/* The address of this key has moved to a port from that of the index: a trigger of its segment's
 * recorder, if it has one. Main. */
void flight_tell_move(const struct dataplane *dp, uint64_t key, const struct port *to,
		      uint16_t from_index);

/* Main: is there something to be taken? */
bool flight_is_triggered(const struct flight *flight);
/* What there is of frames, of each worker from the oldest on. */
void flight_walk(struct flight *flight, kept_fn fn, void *ctx);
/* How many there were beside them, since this was asked last. */
uint64_t flight_skipped(struct flight *flight);
/* It was taken: on again. */
void flight_arm(struct flight *flight, uint64_t now_ns);
