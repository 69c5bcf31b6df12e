/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Real frames that the dataplane follows (DP_FOLLOW_OPEN), as a stream: a line of JSON for each,
 * one five times a second that says that it goes on, and one at the end. A client that goes ends
 * it. Runs on weftd's thread.
 */
#pragma once

#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct control;
struct following;
struct http_stream;
struct problem;

/* max_ns: 0: no limit. 0, or -errno with *problem filled. */
int following_open(struct control *control, const struct dp_follow_open *open, uint64_t max_ns,
		   struct http_stream *stream, struct problem *problem);

/* Wakes the stream. Returns ms until it wants to be called again; -1: none runs. */
int following_turn(struct control *control);
