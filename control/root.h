/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A root: the one record that says what the stored model is, and how it came about. Former roots
 * are the history, word for word. Pure.
 *
 *     {"revision": 17, "next_id": 7, "buckets": [[CHUNK, ...], ...], "info": {...},
 *      "confirm": {"back_to": 16, "deadline_s": 1790000000, "wait_s": 60},
 *      "loans": {...}}
 *
 * `info` is apply's: who changed what, when. `confirm` is there while the revision is on trial.
 * `loans` are those that run now (chunk.h has the form). They pass by themselves, and are no part
 * of a revision: a change of them puts the root again under the number that it has, and those of a
 * former root mean nothing any more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define ROOT_BUCKETS 64

/* A trial: without a word from the user, `back_to` comes back at the deadline (wall clock, UTC). */
struct root_trial {
	uint64_t back_to;
	int64_t deadline_s;
	uint32_t wait_s;
};

/* Revision 0: nothing was ever asked for. New reference; NULL: no memory. */
json_t *root_create(void);

/* The one after `old`, with other buckets. info is taken by reference, trial may be NULL. */
json_t *root_next(const json_t *old, uint64_t next_id, json_t *buckets, json_t *info,
		  const struct root_trial *trial);

/* The same again with other loans, taken by reference; NULL: none. */
json_t *root_with_loans(json_t *root, uint64_t next_id, json_t *loans);

/* Of what was read from a store: has it all that a root has? */
bool root_is_valid(const json_t *root);

uint64_t root_revision(const json_t *root);
uint64_t root_next_id(const json_t *root);

/* The ids of chunk i of bucket b stand in [b][i]. Borrowed. */
json_t *root_buckets(const json_t *root);

/* Is it on trial? */
bool root_trial(const json_t *root, struct root_trial *trial);

/* Sets every chunk id of the root as a key of `set`. 0 or -ENOMEM. */
int root_list_chunks(const json_t *root, json_t *set);
