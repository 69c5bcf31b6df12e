/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flight recorders of segments, seen from weftd: when one has stopped, what it has becomes a pcapng
 * in the state directory (flight_files.h), and who watches is told. That one has stopped, a counter
 * in the dataplane's memory says: looking costs nothing. Runs on weftd's thread.
 */
#pragma once

#include "control/flight_files.h"
#include "control/model.h"

struct control;
struct flights;
struct problem;

/* Of this state directory. 0 or -errno. */
int flights_create(const char *state_dir, struct flights **flights);
void flights_destroy(struct flights *flights); /* NULL is legal */

/* The directory, for flight_files.h. */
int flights_dir_fd(const struct flights *flights);

/* Saves what has stopped since the last turn. Returns ms until it wants to be called again; -1: no
 * hurry. */
int flights_turn(struct control *control);

/* Saves what the segment's recorder has now. 0, or -errno with *problem filled. */
int flights_save(struct control *control, const struct model_object *segment,
		 char name[FLIGHT_FILES_NAME_BYTES], struct problem *problem);
