/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of weft replay: its words, its conversation with weftd, its report. */
#pragma once

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/call.h"
#include "cli/replay_fates.h"
#include "cli/replay_feed.h"

#define REPLAY_EXPECTS_MAX 16

struct replay_expect {
	char port[64];
	const char *path;
	char name[64]; /* of the capture */
	char seen[PATH_MAX]; /* file of what came; "": not made */
	pid_t pid;     /* that captures; 0: none does */
};

struct replay {
	const struct call *call;
	struct replay_feed feed;
	struct replay_expect expects[REPLAY_EXPECTS_MAX];
	size_t n_expects;
	const char *report; /* file; NULL: none */
	const char *fates_path; /* the same */
	struct replay_fates fates;
	/* Of the conversation. */
	char path[128];		/* "/v1/replays/replay1"; "": it is not open */
	json_t *state;		/* weftd's last word on it */
	json_t *before, *after; /* counters of all ports */
	uint64_t taken;		/* frames that ports have taken */
	int signals_fd;		/* readable: ctrl-C */
	bool is_interrupted;
};

/* replay_words.c: 0 or CALL_USAGE. */
int replay_parse(struct replay *replay);

/* replay_drive.c: opens, sends, waits, ends. An exit code. */
int replay_drive(struct replay *replay);

/* replay_expect.c: captures where something is expected; ends that; compares: worst exit code. */
int replay_expect_begin(struct replay *replay);
void replay_expect_end(struct replay *replay);
int replay_expect_check(const struct replay *replay);
void replay_expect_fini(struct replay *replay);

/* replay_report.c: prints what became of it; CALL_DONE or CALL_FALSE, or another exit code. */
int replay_report(struct replay *replay);

/* Counters of all ports, as {"PORT": {"rx_frames", "tx_frames", "drops": {REASON: n}}}. */
int replay_read_counters(const struct call *call, json_t **counters);
