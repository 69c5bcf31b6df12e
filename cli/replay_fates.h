/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file that says what became of each frame of a replay (fates=FILE). weftd tells events, as
 * lines; here they become fates: of a frame that waited for a channel nothing is said but what came
 * of it, unless it waits still; and those that nobody has told of are named, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/replay_feed.h"

/* A frame that began to wait, or ended it. */
struct replay_wait {
	uint64_t number, in_ns;
	uint16_t input, port; /* port: in `ports` */
	int16_t change;	      /* 1: began, -1: ended */
};

struct replay_fates {
	FILE *file; /* NULL: nobody asks */
	const struct replay_feed *feed;
	uint8_t *known[REPLAY_INPUTS_MAX]; /* a bit for each frame */
	struct replay_wait *waits;
	size_t n_waits, room_waits, settle_at;
	char (*ports)[64]; /* where frames waited */
	size_t n_ports;
	char rest[512]; /* of a line that has not ended */
	size_t n_rest;
};

/* Begins the file. The feed has been scanned, and outlasts it. 0, or -errno. */
int replay_fates_open(struct replay_fates *fates, const char *path, const struct replay_feed *feed);

/* A piece of weftd's lines. 0, -EBADMSG: they are none, or -errno. */
int replay_fates_push(struct replay_fates *fates, const char *text, size_t bytes);

/* The rest: what still waits, and of the frames that input i's port has taken, taken[i], those of
 * which nothing is known. 0, or -errno of writing. */
int replay_fates_end(struct replay_fates *fates, const uint64_t taken[REPLAY_INPUTS_MAX]);

void replay_fates_fini(struct replay_fates *fates); /* zeroed is legal */
