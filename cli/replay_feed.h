/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames that weft replay sends, in the order in which they are due: of several captures on one
 * timeline, as often as is asked for. First every file is read to its end, so that nothing is sent
 * of one that is damaged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture_file.h"
#include "cli/replay_rewrite.h"

#define REPLAY_INPUTS_MAX 16 /* as many ports as a replay has */
#define REPLAY_WHY_BYTES 512
#define REPLAY_HEAD_BYTES 16

enum replay_pace {
	REPLAY_PACE_TIMES, /* those of the captures, by `speed` */
	REPLAY_PACE_PPS,   /* of each file */
	REPLAY_PACE_RATE,  /* of each file */
	REPLAY_PACE_MAX,
};

struct replay_input {
	const char *path, *port;
	/* Of the scan. */
	uint64_t packets, bytes;
	uint64_t first_ns, last_ns;
	uint64_t backwards; /* times that were before the one before */
	/* Where it stands. */
	struct capture_file *file;
	struct capture_packet packet; /* the next one, if has_packet */
	bool has_packet;
	uint64_t round;	     /* of loop */
	uint64_t sent, bits; /* ever */
	uint64_t latest_ns;  /* time of a packet, so far */
	uint64_t due_ns;     /* of `packet` */
};

struct replay_feed {
	struct replay_input inputs[REPLAY_INPUTS_MAX];
	size_t n_inputs;
	enum replay_pace pace;
	double speed; /* 1: as it was */
	uint64_t pps;
	uint64_t rate_bps; /* layer-2 bits */
	uint64_t loops;
	struct replay_rewrite rewrite;
	/* Of all files. */
	uint64_t epoch_ns, period_ns;
	uint64_t packets; /* to be sent in all */
	char why[REPLAY_WHY_BYTES];
};

/* Reads all files once. 0, or -errno with feed->why. */
int replay_feed_scan(struct replay_feed *feed);

/* Writes whole frames with their heads (control/playback_body.h) into the buffer; *n: bytes. With 0
 * and *n 0 there are no more. -errno with feed->why: a file has changed since. */
int replay_feed_fill(struct replay_feed *feed, uint8_t *buffer, size_t buffer_bytes, size_t *n);

void replay_feed_fini(struct replay_feed *feed);
