/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weftd's end of the conversation with weft-dataplane, level-triggered: on every connect it reads
 * what the dataplane has, compares with the model and sends the difference. A restart of weftd, a
 * restart of the dataplane and a change by the user are one code path, which differs only in what
 * happens to a port that cannot be made: a change is refused whole; when catching up, the other
 * ports come up, this one is reported broken with the reason, and it is tried again.
 *
 * Changes block, with deadlines of seconds; the dataplane answers in microseconds. What reads need
 * is asked without blocking: a dataplane that hangs delays the first of them by two seconds
 * (STATES_PATIENCE_MS) and the others not at all. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/meter.h"
#include "control/model.h"
#include "control/problem.h"
#include "dataplane/api/dp_client.h"

struct fastpath;
struct loop;
struct plan;

/* run_dir is copied. Nothing is connected yet. 0 or -errno. */
int fastpath_create(struct loop *loop, const char *run_dir, struct fastpath **fastpath);
void fastpath_destroy(struct fastpath *fastpath); /* NULL is legal */

/* Connects, catches up, tries again what was broken: whatever is due. Returns ms until it wants to
 * be called again, at most. */
int fastpath_run(struct fastpath *fastpath, const struct model *model, uint64_t now_ns);

/* NULL while not connected. */
const struct dp_welcome *fastpath_welcome(const struct fastpath *fastpath);

/* The dataplane's counters; NULL while not connected. */
const struct meter *fastpath_meter(const struct fastpath *fastpath);

/* One line if the dataplane holds what a store that was never used cannot know, else NULL. Nothing
 * is sent then: an empty or wrong state directory must not delete what is running. */
const char *fastpath_foreign(const struct fastpath *fastpath);

/* Fills in the 503 of a question that the dataplane does not answer. Returns -ENOTCONN. */
int fastpath_unreachable(const struct fastpath *fastpath, struct problem *problem);

/* A change from `current` to `wanted` by the steps of `plan`: everything that can fail. On -errno
 * nothing has changed. */
int fastpath_prepare(struct fastpath *fastpath, const struct model *current,
		     const struct model *wanted, const struct plan *plan, struct problem *problem);
void fastpath_abort(struct fastpath *fastpath);

/* Publishes what was prepared. If the dataplane is lost just now, the next connect does it. */
void fastpath_commit(struct fastpath *fastpath);

/* Tries at once what is broken: the user may have put it right just now. */
void fastpath_retry(struct fastpath *fastpath, const struct model *model, uint64_t now_ns);

/* The model means something else than when it was given last: looks again for what differs. */
void fastpath_recheck(struct fastpath *fastpath);

/* The devices of the ports. */
struct taps *fastpath_taps(const struct fastpath *fastpath);

/* Grows whenever what the dataplane carries changes. */
uint64_t fastpath_version(const struct fastpath *fastpath);

/* Why the port could not be made; NULL: it was. */
const char *fastpath_broken(const struct fastpath *fastpath, uint64_t port_id);

/* Asks for the states of all ports, and returns at once; the answer comes with the loop. */
void fastpath_poke(struct fastpath *fastpath);
bool fastpath_is_asking(const struct fastpath *fastpath); /* it has not come, and is in time */

/* The same, and waits for the answer: at most STATES_PATIENCE_MS from the question. What is
 * known stays if there is none. */
void fastpath_look(struct fastpath *fastpath);

/* For how long the dataplane has owed an answer; 0: it has answered, or has time left. */
uint64_t fastpath_silence_ms(const struct fastpath *fastpath);

/* What is known of a port, with the reason if that is nothing good. */
struct dp_port_state fastpath_state(const struct fastpath *fastpath, uint64_t port_id);

/* Grows whenever fastpath_state() may say something else. */
uint64_t fastpath_states_version(const struct fastpath *fastpath);

/* Asks the dataplane now. message, fn as in dp_client_request(). */
int fastpath_ask(struct fastpath *fastpath, enum dp_type type, void *message, size_t bytes,
		 dp_client_fn fn, void *ctx, struct problem *problem);
