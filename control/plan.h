/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plan: what leads from one model to another, as an ordered list of steps. Deletes come first,
 * so that what they free can be taken by the rest; ports leave before their segment, and come after
 * it, and so all that refers to something else. Pure.
 */
#pragma once

#include <jansson.h>

#include "control/model.h"

#define PLAN_FIELDS_MAX (DP_OPTIONS_MAX + 15)

enum plan_action {
	PLAN_CREATE,
	PLAN_UPDATE,  /* in place: whoever is attached does not notice */
	PLAN_REPLACE, /* closed and opened anew */
	PLAN_DELETE,
};

struct plan_step {
	enum plan_action action;
	enum model_kind kind;
	char name[DP_NAME_BYTES];
	unsigned int n_fields; /* update, replace: which keys differ */
	const char *fields[PLAN_FIELDS_MAX];
};

struct plan {
	struct plan_step *steps;
	size_t n_steps;
	size_t max_steps;
};

/*
 * Fills *plan with the steps from `current` to `wanted`, and numbers `wanted`: what stays keeps its
 * id and generation; what changes gets the next generation; what is new, a new id. 0 or -ENOMEM.
 */
int plan_make(const struct model *current, struct model *wanted, struct plan *plan);
void plan_fini(struct plan *plan);

/* Did the user ask for the same? Whose it is does not count. */
bool plan_is_same(enum model_kind kind, const struct model_object *a, const struct model_object *b);

/* As the API says it: "create". */
const char *plan_action_name(enum plan_action action);

/* The `changes` of the API. New reference; NULL: no memory. */
json_t *plan_format(const struct plan *plan);
