/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames for a receiver that takes fewer offloads than their senders use: checksums are completed,
 * TCP segments are cut to the size that the sender asked for. Between gate and port tx, for those
 * receivers and those frames only; and before they wait for a slow channel (lane.h), so that others
 * get their turn between the pieces. Worker threads.
 *
 * What has to be changed is first copied whole into private memory: the checksum is that of the
 * bytes which the receiver gets, whatever the sender does to its buffers meanwhile.
 */
#pragma once

#include "dataplane/frame.h"

struct counters_block;
struct port;

/* Room for several copies, so that small frames still leave in bursts. */
#define SEGMENTATION_BYTES (4 * FRAME_BYTES_MAX)
/* A frame of 64 KiB and the smallest MTU that people use (296) stay below it. Who wants more pieces
 * wants to keep us busy. */
#define SEGMENTATION_PIECES_MAX 256

/* A worker's scratch space, zeroed at start; empty between two calls. */
struct segmentation {
	struct burst out;	     /* what the receiver gets, ... */
	uint8_t order[BURST_FRAMES]; /* ... in a row */
	uint32_t bytes_used;
	uint8_t bytes[SEGMENTATION_BYTES];
};

/* Where frames go that were made ready: all n of a burst, in their order. */
struct segmentation_sink {
	void (*take)(struct segmentation_sink *sink, struct burst *burst, const uint8_t *order,
		     unsigned int n);
	uint32_t caps;	/* enum offload_cap: what whoever takes them takes */
};

/* Cuts one large frame. Returns the number of pieces that the sink got; 0: it cannot be cut. */
unsigned int segmentation_cut(struct segmentation *segmentation, const struct frame *frame,
			      struct segmentation_sink *sink);

/* Sends frames burst->frames[order[0 .. n)], in their order, in a form that `port` takes. Counts
 * the instances that cutting adds, and as `no-offload` what cannot be cut. */
void segmentation_transmit(struct segmentation *segmentation, struct port *port,
			   struct burst *burst, const uint8_t *order, unsigned int n,
			   struct counters_block *count);
