/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model in the store. A change of any size becomes true by one compare-and-put of one key:
 *
 *     /weft/v1/CLUSTER/cfg/chunk/ID    immutable: some objects, as JSON, about 48 KiB at most
 *     /weft/v1/CLUSTER/cfg/root        {"next_id": 7, "buckets": [[ID, ...], ...]}
 *
 * Objects are spread over CONFIG_BUCKETS buckets by a hash of kind and name, so that changing one
 * port writes one chunk again. First the new chunks are written, in as many transactions as the
 * store's limits need; then the root is put, if nobody changed it in between; then the chunks that
 * no root names are deleted. A small change does all three in one transaction. Whoever dies in the
 * middle leaves chunks without a root, which the next load deletes; the model is the old one or
 * the new one.
 *
 * What hosts say about themselves has other keys and one writer each, the host: node/HOST/info, and
 * claims seg/SEGMENT/port/PORT (claims.h). Status is not stored: it is asked of the dataplane.
 */
#pragma once

#include "control/model.h"
#include "control/plan.h"
#include "control/problem.h"
#include "control/store.h"

#define CONFIG_BUCKETS 64
#define CONFIG_CHUNK_BYTES (48u * 1024)

struct config;

/* Reads the model of `cluster` into *model and clears away what an interrupted write left. The
 * store stays the caller's and must live longer. */
int config_open(struct store *store, const char *cluster, struct config **config,
		struct model **model, struct problem *problem);
void config_close(struct config *config); /* NULL is legal */

/* Makes `model`, to which `plan` led, the stored one. -EAGAIN: someone else changed it; else
 * nothing is changed unless 0 is returned. */
int config_write(struct config *config, const struct model *model, const struct plan *plan,
		 struct problem *problem);

/* Of the last change; opaque. */
store_rev config_revision(const struct config *config);
