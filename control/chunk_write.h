/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The chunks of a change: buckets that a plan touches are written anew, the others stay as they
 * are. Runs on weftd's thread.
 */
#pragma once

#include <jansson.h>

#include "control/batch.h"
#include "control/model.h"
#include "control/plan.h"

struct chunk_write {
	const char *cluster;
	const char *prefix; /* of the keys of chunks */
	const struct model *model;
	const json_t *present; /* buckets of the present root (root.h) */
	json_t *buckets;       /* filled: of the next one; an empty array before */
	json_t *written;       /* filled: ids of the new chunks; an empty object before */
};

/* Puts the chunks into the batch; the last of them are then still in it. */
int chunk_write_changed(struct chunk_write *job, const struct plan *plan, struct batch *batch);
