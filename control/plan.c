/* SPDX-License-Identifier: BSD-3-Clause */
/* What leads from one model to another. Pure. */
#include "control/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/kinds.h"

static int add_step(struct plan *plan, enum plan_action action, enum model_kind kind,
		    const char *name, struct plan_step **out)
{
	if (plan->n_steps == plan->max_steps) {
		size_t max = plan->max_steps == 0 ? 16 : plan->max_steps * 2;
		struct plan_step *steps = realloc(plan->steps, max * sizeof(*steps));

		if (steps == NULL)
			return -ENOMEM;
		plan->steps = steps;
		plan->max_steps = max;
	}
	struct plan_step *step = &plan->steps[plan->n_steps++];
	*step = (struct plan_step){.action = action, .kind = kind};
	snprintf(step->name, sizeof(step->name), "%s", name);
	if (out != NULL)
		*out = step;
	return 0;
}

static void compare(enum model_kind kind, const struct model_object *from,
		    const struct model_object *to, struct plan_step *step)
{
	kinds[kind].compare(from, to, step);
	if (strcmp(from->lab, to->lab) != 0)
		step->fields[step->n_fields++] = "lab";
}

bool plan_is_same(enum model_kind kind, const struct model_object *a, const struct model_object *b)
{
	struct plan_step step = {.n_fields = 0};

	kinds[kind].compare(a, b, &step);
	return step.n_fields == 0;
}

/* The part of a port that decides whether it must be closed. */
static struct dp_port identity_of(const struct model_port *port, bool is_seen_by_dataplane)
{
	struct option_set set = port_kinds_options(port->kind);
	struct dp_port identity = {.n_options = 0};

	snprintf(identity.name, sizeof(identity.name), "%s", port->name);
	snprintf(identity.kind, sizeof(identity.kind), "%s", port->kind->name);
	for (unsigned int i = 0; i < port->n_options; i++) {
		const struct option_def *def = options_row(&set, port->options[i].index);

		if (!is_seen_by_dataplane || def->user == OPTION_FOR_DATAPLANE)
			identity.options[identity.n_options++] = port->options[i];
	}
	return identity;
}

static bool is_replace(const struct model_port *from, const struct model_port *to,
		       bool is_seen_by_dataplane)
{
	struct dp_port a = identity_of(from, is_seen_by_dataplane);
	struct dp_port b = identity_of(to, is_seen_by_dataplane);

	return port_kinds_is_replace(&a, &b);
}

/* Of a sorted list, from *at on: the object of that name, or NULL; *at: where it is or would be. */
static struct model_object *skip_to(const struct model_list *list, size_t *at, const char *name)
{
	int order = -1;

	while (*at < list->n && (order = strcmp(list->items[*at]->name, name)) < 0)
		++*at;
	return order == 0 ? list->items[*at] : NULL;
}

static int plan_deletes(const struct model *current, const struct model *wanted,
			enum model_kind kind, struct plan *plan)
{
	const struct model_list *list = &current->lists[kind];
	int error = 0;

	for (size_t i = 0, at = 0; i < list->n && error == 0; i++) {
		if (skip_to(&wanted->lists[kind], &at, list->items[i]->name) == NULL)
			error = add_step(plan, PLAN_DELETE, kind, list->items[i]->name, NULL);
	}
	return error;
}

/* Most objects of a host are copies that nobody touched. */
static bool is_copy(enum model_kind kind, const struct model_object *from,
		    const struct model_object *to)
{
	size_t bytes = model_bytes(kind, from);

	return bytes == model_bytes(kind, to) && memcmp(from, to, bytes) == 0;
}

static int plan_object(const struct model_object *from, struct model *wanted, enum model_kind kind,
		       struct model_object *to, struct plan *plan)
{
	struct plan_step *step;

	if (from != NULL && is_copy(kind, from, to))
		return 0;
	if (from == NULL) {
		to->id = wanted->next_id++;
		to->generation = 1;
		return add_step(plan, PLAN_CREATE, kind, to->name, NULL);
	}
	int error = add_step(plan, PLAN_UPDATE, kind, to->name, &step);
	if (error < 0)
		return error;
	compare(kind, from, to, step);
	if (step->n_fields == 0) {
		plan->n_steps--;
		return model_put(wanted, kind, from);
	}
	to->id = from->id;
	to->generation = from->generation + 1;
	if (kind != MODEL_PORT || !is_replace((const void *)from, (const void *)to, false))
		return 0;
	step->action = PLAN_REPLACE;
	/* The dataplane would take it for an update in place: delete and create. */
	if (!is_replace((const void *)from, (const void *)to, true))
		to->id = wanted->next_id++;
	return 0;
}

static int plan_puts(const struct model *current, struct model *wanted, enum model_kind kind,
		     struct plan *plan)
{
	const struct model_list *list = &wanted->lists[kind];
	int error = 0;

	for (size_t i = 0, at = 0; i < list->n && error == 0; i++) {
		struct model_object *to = list->items[i];

		error = plan_object(skip_to(&current->lists[kind], &at, to->name), wanted, kind, to,
				    plan);
	}
	return error;
}

int plan_make(const struct model *current, struct model *wanted, struct plan *plan)
{
	int error = 0;

	*plan = (struct plan){0};
	wanted->next_id = current->next_id;
	for (int i = MODEL_KINDS - 1; i >= 0 && error == 0; i--)
		error = plan_deletes(current, wanted, kinds_order[i], plan);
	for (int i = 0; i < MODEL_KINDS && error == 0; i++)
		error = plan_puts(current, wanted, kinds_order[i], plan);
	if (error < 0)
		plan_fini(plan);
	return error;
}

void plan_fini(struct plan *plan)
{
	free(plan->steps);
	*plan = (struct plan){0};
}

const char *plan_action_name(enum plan_action action)
{
	static const char *const names[] = {
		[PLAN_CREATE] = "create",
		[PLAN_UPDATE] = "update",
		[PLAN_REPLACE] = "replace",
		[PLAN_DELETE] = "delete",
	};

	return names[action];
}

static json_t *format_step(const struct plan_step *step)
{
	json_t *object = json_pack("{s:s, s:s, s:s}", "action", plan_action_name(step->action),
				   "kind", kinds[step->kind].noun, "name", step->name);

	if (object == NULL || step->n_fields == 0)
		return object;
	json_t *fields = json_array();
	int error = 0;
	for (unsigned int i = 0; i < step->n_fields; i++)
		error |= json_array_append_new(fields, json_string(step->fields[i]));
	error |= json_object_set_new(object, "fields", fields);
	if (error == 0)
		return object;
	json_decref(object);
	return NULL;
}

json_t *plan_format(const struct plan *plan)
{
	json_t *changes = json_array();
	int error = 0;

	for (size_t i = 0; i < plan->n_steps; i++)
		error |= json_array_append_new(changes, format_step(&plan->steps[i]));
	if (error == 0)
		return changes;
	json_decref(changes);
	return NULL;
}
