/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recorder of a worker: copies of frames for captures, and of those that are dropped; and where
 * frames that are followed (follower.h) leave the path of all others.
 *
 * Nothing of it is on the path of a frame while nobody captures: main points port.io of the ports
 * that are captured at recorder_io, whose functions call those of the port's type and keep copies.
 * A drop is off the path anyway. Flight recorders (flight.h) are fed in the same way, and some of
 * the drops are what they wait for.
 *
 * rx is what came from the port, before anything is decided; tx what it took, after everything
 * (tags, cut segments, outer headers). Worker threads.
 */
#pragma once

#include <stdint.h>

#include "dataplane/api/drop_reasons.h"
#include "dataplane/dropped.h"
#include "dataplane/frame.h"

struct counters_block;
struct dataplane;
struct follower;
struct port;
struct port_type;

struct recorder {
	struct dataplane *dp;
	unsigned int worker;
	const struct burst *clock; /* the worker's own burst: now_ns */
	/* While a port that is captured sends: what it could not. */
	unsigned int n_sending, n_failed;
	const struct frame *failed[BURST_FRAMES];
	struct follower *held;	   /* which has held back frames of this burst; NULL: none has */
	struct follower *follower; /* which follows the frame that is carried; NULL: none does */
	/* While frames of a replay are carried whose fates are kept: the first, and those of the
	 * burst that got one, as bits. */
	struct frame_mark carried;
	uint64_t fated;
	struct dropped dropped;
};

/* rx, rx_done, tx and send of a port that is captured or followed, or in a segment with a flight
 * recorder. */
extern const struct port_type recorder_io;

/* Copies of what came from a port that nobody polls: a peer. */
void recorder_take(struct recorder *recorder, const struct port *port, const struct burst *burst);

/* A port brings new addresses faster than they are learned of it, this frame's too. */
void recorder_learn_limit(struct recorder *recorder, const struct port *port,
			  const struct frame *frame) __attribute__((cold));

/* A frame was dropped, and counted in this block. */
void recorder_drop(struct recorder *recorder, const struct counters_block *count,
		   const struct frame *frame, enum drop_reason reason);

/* The recorder of the worker whose block this is, of a port of its dataplane. */
struct recorder *recorder_of(const struct port *port, const struct counters_block *count);
