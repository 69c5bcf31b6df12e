/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A chunk of the stored model: some objects as JSON, each with what weft added to what the user
 * wrote (id, generation, lab; of a loan how long it was made for, span_ms). Pure.
 *
 *     {"segments": {NAME: {"id", "generation", "lab", "spec"}}, "ports": {...}, ...}
 */
#pragma once

#include <jansson.h>

#include "control/model.h"
#include "control/problem.h"

/* Puts the objects of the chunk into the model: those of all kinds, or of one. -EBADMSG: not a
 * chunk. */
int chunk_load(const char *cluster, const json_t *chunk, struct model *model,
	       struct problem *problem);
int chunk_load_kind(const char *cluster, const json_t *chunk, enum model_kind kind,
		    struct model *model, struct problem *problem);

/* The record of one object. New reference; NULL: no memory. */
json_t *chunk_pack(const char *cluster, enum model_kind kind, const struct model_object *object);
