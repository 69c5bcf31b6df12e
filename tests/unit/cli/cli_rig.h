/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For the tests of cli/: runs the program in this process, and a fake weftd that gives canned
 * answers and keeps the requests. It stands for the wire only, never for weftd's behaviour.
 */
#pragma once

#include <stddef.h>

#define CLI_RIG_REQUESTS_MAX 4 /* kept: the last ones, i modulo this */
#define CLI_RIG_REQUEST_BYTES 4096

struct cli_rig;

/* Listens in a run directory of its own and answers connection i with the bytes answers[i]. */
struct cli_rig *cli_rig_create(const char *const *answers, size_t n_answers);

/* The same, but accepts nothing. */
struct cli_rig *cli_rig_create_silent(void);

void cli_rig_destroy(struct cli_rig *rig);
const char *cli_rig_run_dir(const struct cli_rig *rig);

/* Ends the server and returns what arrived on connection i, "" if there was none. */
const char *cli_rig_request(struct cli_rig *rig, size_t i);

/* A whole HTTP answer with its length, written into `room`. */
const char *cli_rig_answer(char room[CLI_RIG_REQUEST_BYTES], const char *status_and_headers,
			   const char *body);

struct cli_rig_result {
	int code;
	char *out, *err; /* free with cli_rig_release() */
};

/* Runs `weft` with words ended by NULL; `in` is its standard input. rig may be NULL. */
struct cli_rig_result cli_rig_run_in(struct cli_rig *rig, const char *in, const char *const *words);
void cli_rig_release(struct cli_rig_result *result);

#define cli_rig_run(rig, ...) cli_rig_run_in(rig, "", (const char *const[]){__VA_ARGS__, NULL})
