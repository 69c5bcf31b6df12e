/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model in the store. A change of any size becomes true by one compare-and-put of one key:
 *
 *     /weft/v1/CLUSTER/cfg/chunk/ID    immutable: some objects, about 48 KiB at most (chunk.h)
 *     /weft/v1/CLUSTER/cfg/root        which chunks are the model, by bucket (root.h)
 *     /weft/v1/CLUSTER/cfg/history/N   the root of revision N, as it was (history.h)
 *
 * Objects are spread over the buckets by a hash of kind and name, so that changing one port writes
 * one chunk again. First the new chunks are written, in as many transactions as the store's limits
 * need; then the root is put, if nobody changed it in between, and the old one becomes history;
 * then the chunks that no root names any more are deleted. A small change does all three in one
 * transaction. Whoever dies in the middle leaves chunks without a root, which the next load
 * deletes; the model is the old one or the new one.
 *
 * What hosts say about themselves has other keys and one writer each, the host: node/HOST/info, and
 * claims seg/SEGMENT/port/PORT (claims.h). Status is not stored: it is asked of the dataplane.
 */
#pragma once

#include "control/model.h"
#include "control/plan.h"
#include "control/problem.h"
#include "control/root.h"
#include "control/store.h"

struct config;

/* Reads the model of `cluster` into *model and clears away what an interrupted write left, and
 * history beyond the newest `keep` revisions. The store stays the caller's and must live longer. */
int config_open(struct store *store, const char *cluster, unsigned int keep, struct config **config,
		struct model **model, struct problem *problem);
void config_close(struct config *config); /* NULL is legal */

/* Makes `model`, to which `plan` led, the stored one: the next revision. info: kept with it, and
 * given back as it is. trial_s: 0, or the seconds after which, unless confirmed, the present
 * revision shall come back. -EAGAIN: someone else changed it; else nothing is changed unless 0 is
 * returned. */
int config_write(struct config *config, const struct model *model, const struct plan *plan,
		 json_t *info, uint32_t trial_s, struct problem *problem);

/* Makes the loans of `model` the stored ones, and nothing else of it: the revision stays. As above.
 */
int config_write_loans(struct config *config, const struct model *model, struct problem *problem);

/* Counts changes, from 0 for a store that was never used. */
uint64_t config_revision(const struct config *config);

/* Is the present revision on trial? */
bool config_trial(const struct config *config, struct root_trial *trial);

/* Ends the trial: the present revision stays. */
int config_confirm(struct config *config, struct problem *problem);

/* The model as it was at a revision that is kept, with the ids of that time, without loans. */
int config_read(struct config *config, uint64_t revision, struct model **model,
		struct problem *problem);

/* The info of a revision, with "revision" in it; of all that are kept, the newest first. New
 * references. */
int config_describe(struct config *config, uint64_t revision, json_t **entry,
		    struct problem *problem);
int config_list(struct config *config, json_t **list, struct problem *problem);
