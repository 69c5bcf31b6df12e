/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture that runs: what the dataplane puts into its rings becomes pcapng, piece by piece, as
 * the client takes it. A client that is too slow costs frames, which the dataplane counts; it holds
 * up nobody. Runs on weftd's thread.
 *
 * Interface 0 is the port, or, of a capture of more than one, "weft"; the others are added when
 * their first frame comes. Twice a second, and at the end, a statistics block of interface 0 says
 * how many frames came so far and how many were not kept; by it one learns of a client that has
 * gone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/model.h"
#include "dataplane/api/dp_msg.h"

#define RECORDING_NAME_BYTES 64
#define RECORDING_RING_BYTES (8u << 20) /* of each worker */

struct control;
struct http_stream;
struct problem;
struct recording;

struct recording_spec {
	char name[RECORDING_NAME_BYTES]; /* unique among those that run */
	char what[160];			 /* in a few words, for people */
	char who[96];
	char interface[DP_NAME_BYTES]; /* name of interface 0 */
	uint64_t interface_port_id;    /* 0: of no port */
	uint64_t max_frames;	       /* 0: no limit, as the next one */
	uint64_t max_ns;
	struct dp_capture_open open;
};

/* What is told of one that runs. */
struct recording_report {
	const char *name, *what, *who;
	uint64_t written, lost;
	uint64_t age_ns;
};

/* Opens the capture in the dataplane; *stream is the answer. 0, or -errno with *problem filled. */
int recording_open(struct control *control, const struct recording_spec *spec,
		   struct http_stream *stream, struct problem *problem);

struct recording *recording_find(const struct control *control, const char *name);
struct recording *recording_next(const struct control *control, const struct recording *recording);
void recording_describe(const struct recording *recording, struct recording_report *report);

/* Ends it in good order: what was captured still goes to its client. */
void recording_end(struct recording *recording);

/* Wakes the streams. Returns ms until it wants to be called again; -1: none runs. */
int recording_turn(struct control *control);
