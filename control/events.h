/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happened, as lines of JSON: one bounded log for all who watch, each of whom is no more than
 * a position in it. Changes of the configuration are put in when they are made; ports are compared
 * with what was last said of them, so a change back and forth that nobody looked at is not seen,
 * but the last state always is. Runs on weftd's thread.
 *
 * A position is "RUN-COUNT": after a restart of weftd, or when the log has moved on, it is gone,
 * and who comes with it has to read everything anew.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "control/model.h"
#include "control/plan.h"
#include "control/problem.h"

#define EVENTS_MAX 16384
#define EVENTS_LINE_BYTES 2048 /* no line is longer */
#define EVENTS_POSITION_BYTES 40

struct events;
struct fastpath;

/* revision: of the configuration now. */
int events_create(uint64_t revision, struct events **events);
void events_destroy(struct events *events); /* NULL is legal */

/* A change that was carried out, which led to `revision`. */
void events_add_plan(struct events *events, const struct plan *plan, uint64_t revision);

/* Something else that is told: `event` and what belongs to it, which becomes ours. */
void events_add(struct events *events, json_t *event);

/* What is different since the last time, of the dataplane and of each port. */
void events_look(struct events *events, const struct model *model, struct fastpath *fastpath);

/* How many there were: a cursor that has read everything. */
uint64_t events_end(const struct events *events);

/* The cursor of `since`: a position, or a revision that a GET showed. -ESTALE with a 410. */
int events_find(const struct events *events, const char *since, uint64_t *cursor,
		struct problem *problem);

/* Copies whole lines from the cursor on and moves it. Bytes; -ESTALE: what it points to is gone. */
int events_read(const struct events *events, uint64_t *cursor, char *text, size_t text_bytes);

void events_position(const struct events *events, uint64_t cursor,
		     char position[EVENTS_POSITION_BYTES]);
