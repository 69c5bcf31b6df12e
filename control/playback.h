/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A replay that runs: what a client sends as bodies goes into the rings of the dataplane, one for
 * each port (record.h). It ends when the client says so, when it says nothing for some seconds, and
 * with weftd. No file is opened here: the client reads them. Bodies: playback_body.h. Runs on
 * weftd's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/outcomes.h"
#include "control/problem.h"
#include "dataplane/api/dp_msg.h"

struct control;
struct model_port;
struct playback;

#define PLAYBACK_LEASE_S 5

/* `who` is copied. has_lines: what becomes of each frame is kept for playback_fates(); else it is
 * only summed up. 0 or -errno. */
int playback_open(struct control *control, const struct model_port *const *ports, size_t n_ports,
		  bool has_lines, const char *who, struct playback **playback,
		  struct problem *problem);

/* NULL: none of this name runs. playback_next(NULL): the first. */
struct playback *playback_find(const struct control *control, const char *name);
struct playback *playback_next(const struct control *control, const struct playback *playback);

/* Takes what there is room for, from the beginning; *taken: bytes. Nothing of a body that is
 * malformed. */
int playback_put(struct playback *playback, const char *body, size_t bytes, size_t *taken,
		 struct problem *problem);

int playback_start(struct playback *playback, struct problem *problem);

/* The client was heard. */
void playback_renew(struct playback *playback);

const char *playback_name(const struct playback *playback);
const char *playback_who(const struct playback *playback);
bool playback_is_started(const struct playback *playback);

struct playback_port {
	const char *name;
	uint64_t put; /* frames that were sent to it */
	struct dp_replay_state state;
};

size_t playback_n_ports(const struct playback *playback);
int playback_look(const struct playback *playback, size_t port, struct playback_port *look,
		  struct problem *problem);

/* What became of the frames, as far as it was read. */
const struct outcomes *playback_outcomes(const struct playback *playback);
/* Fates that found no room to be kept. */
uint64_t playback_lost(const struct playback *playback);

/* Reads what there is, for the sums; of one that has lines it does nothing. */
void playback_sum_up(struct playback *playback);

/* Of one that has lines: "NUMBER,FROM,IN_NS,FATE,PORT,REASON,AT_NS\n" for each, numbers from 1,
 * times from the start, as many as one answer has; the caller's to free. 0 or -errno. */
int playback_fates(struct playback *playback, char **text, struct problem *problem);

void playback_end(struct playback *playback);
void playback_end_all(struct control *control);

/* Ends those that nobody asks for any more. Returns ms until it wants to be called again; -1: there
 * are none. */
int playback_turn(struct control *control, uint64_t now_ns);
