/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kinds of objects that a model has, as one table: what each is called, and how it is read,
 * written and compared. Labs, plans, chunks of the store and the API go by it, so a new kind is a
 * row here. Pure.
 */
#pragma once

#include <jansson.h>

#include "control/model.h"
#include "control/plan.h"
#include "control/problem.h"
#include "control/spec.h"

struct kind {
	const char *noun;			/* "segment" */
	const char *plural;			/* "segments": the key in labs, chunks and lists */
	const char *unknown_code, *in_use_code; /* of problems; in_use: NULL if nobody uses it */
	const char *in_use_hint;		/* what to do first */
	bool is_configuration;			/* in labs, revisions and the history */
	size_t max;				/* how many there may be; 0: ruled elsewhere */

	/* As spec.h says. */
	int (*parse)(const char *cluster, const char *name, const json_t *json,
		     union model_any *object, struct problem *problem);
	json_t *(*format)(const char *cluster, const struct model_object *object,
			  enum spec_form form);

	/* Adds the keys that differ to the step, but for the owner (plan_compare.h). */
	void (*compare)(const struct model_object *from, const struct model_object *to,
			struct plan_step *step);

	/* Does `by`, of some kind, refer to the object of that name? */
	bool (*is_used)(const char *name, enum model_kind by_kind, const struct model_object *by);
};

extern const struct kind kinds[MODEL_KINDS];

/* Objects come after what they refer to, and go before it: this is the order in which they come. */
extern const enum model_kind kinds_order[MODEL_KINDS];

/* How many objects refer to it; the first few by their names, as "port web0, vm db and 3 more". */
size_t kinds_users(const struct model *model, enum model_kind kind, const char *name, char *text,
		   size_t text_bytes);
