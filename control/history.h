/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Former roots in the store, cfg/history/REVISION, word for word, so that what they name can be
 * read again: the newest `keep` of them. A chunk stays as long as a root that is kept names it. As
 * a chunk is never taken up again once it was replaced, what goes with the oldest root is what the
 * second oldest does not name. Runs on weftd's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "control/batch.h"
#include "control/store.h"

#define HISTORY_KEEP_DEFAULT 100
#define HISTORY_KEEP_MAX 1000

struct history {
	struct store *store;
	unsigned int keep;
	char prefix[128]; /* of the keys */
};

void history_init(struct history *history, struct store *store, const char *cluster,
		  unsigned int keep);

/* Is it a key of the history, and of which revision? */
bool history_is_key(const struct history *history, const char *key, uint64_t *revision);

/* Is that revision beyond what is kept, when `present` is the present one? */
bool history_is_expired(const struct history *history, uint64_t revision, uint64_t present);

/* A former root. New reference. -ENOENT: not kept, or never was; -EBADMSG: damaged. */
int history_get(const struct history *history, uint64_t revision, json_t **root);

/* Appends every former root to `list`, newest first. */
int history_list(const struct history *history, json_t *list);

/* Adds to the batch what makes `old` history: two operations at most. Chunks that no root will name
 * any more become keys of `garbage`. */
#define HISTORY_OPS_MAX 2
int history_push(const struct history *history, struct batch *batch, json_t *old, json_t *garbage);
