/* SPDX-License-Identifier: BSD-3-Clause */
/* What leads from one model to another. Pure. */
#include "control/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/segment_options.h"

static int add_step(struct plan *plan, enum plan_action action, enum plan_kind kind,
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

static void add_field(struct plan_step *step, bool is_changed, const char *key)
{
	if (is_changed)
		step->fields[step->n_fields++] = key;
}

/* A set of options, and two lists of values. */
static void compare_options(const struct option_set *set, const struct dp_option *from,
			    unsigned int n_from, const struct dp_option *to, unsigned int n_to,
			    struct plan_step *step)
{
	for (int i = options_next(set, -1); i >= 0; i = options_next(set, i))
		add_field(step, !options_is_same(from, n_from, to, n_to, (unsigned int)i),
			  options_row(set, (unsigned int)i)->key);
}

static void compare_segments(const struct model_segment *from, const struct model_segment *to,
			     struct plan_step *step)
{
	add_field(step, from->vni != to->vni, "vni");
	add_field(step, from->vlan != to->vlan, "vlan");
	add_field(step, from->mtu != to->mtu, "mtu");
	add_field(step, from->age_s != to->age_s, "age");
	compare_options(&segment_options, from->options, from->n_options, to->options,
			to->n_options, step);
	add_field(step, strcmp(from->lab, to->lab) != 0, "lab");
}

static void compare_ports(const struct model_port *from, const struct model_port *to,
			  struct plan_step *step)
{
	struct option_set set = port_kinds_options(to->kind);

	add_field(step, from->kind != to->kind, "type");
	/* An access port's segment and a trunk's native one: two keys for one field. */
	bool by_vlan = to->kind->place == PORT_PLACE_VLAN;
	bool was_trunk = from->trunk != NULL, is_trunk = to->trunk != NULL;
	bool is_moved = strcmp(from->segment, to->segment) != 0;

	add_field(step, by_vlan && (was_trunk != is_trunk || (!is_trunk && is_moved)), "segment");
	add_field(step, !trunk_is_same(from->trunk, to->trunk), by_vlan ? "trunk" : "segments");
	add_field(step, by_vlan && is_trunk && is_moved, "native");
	add_field(step, strcmp(from->vm, to->vm) != 0, "vm");
	add_field(step, memcmp(from->mac, to->mac, sizeof(from->mac)) != 0, "mac");
	add_field(step, strcmp(from->host, to->host) != 0, "host");
	if (from->kind == to->kind)
		compare_options(&set, from->options, from->n_options, to->options, to->n_options,
				step);
	add_field(step, strcmp(from->lab, to->lab) != 0, "lab");
}

/* The owner alone is no difference here. */
static bool is_only_owner(const struct plan_step *step)
{
	return step->n_fields == 0 || (step->n_fields == 1 && strcmp(step->fields[0], "lab") == 0);
}

bool plan_is_same_segment(const struct model_segment *a, const struct model_segment *b)
{
	struct plan_step step = {.n_fields = 0};

	compare_segments(a, b, &step);
	return is_only_owner(&step);
}

bool plan_is_same_port(const struct model_port *a, const struct model_port *b)
{
	struct plan_step step = {.n_fields = 0};

	compare_ports(a, b, &step);
	return is_only_owner(&step);
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

/* Both lists are in the order of names: the place in `wanted` of what follows `name`, or is it. */
static size_t skip_to(void *const *objects, size_t n, size_t at, const char *name)
{
	/* casts: an object begins with its name (model.h) */
	while (at < n && strcmp((const char *)objects[at], name) < 0)
		at++;
	return at;
}

static int plan_deletes(const struct model *current, const struct model *wanted, struct plan *plan)
{
	size_t at = 0;
	int error = 0;

	for (size_t i = 0; i < current->n_ports && error == 0; i++) {
		const char *name = current->ports[i]->name;

		at = skip_to((void *const *)wanted->ports, wanted->n_ports, at, name);
		if (at == wanted->n_ports || strcmp(wanted->ports[at]->name, name) != 0)
			error = add_step(plan, PLAN_DELETE, PLAN_PORT, name, NULL);
	}
	for (size_t i = 0; i < current->n_segments && error == 0; i++) {
		const char *name = current->segments[i]->name;

		if (model_segment(wanted, name) == NULL)
			error = add_step(plan, PLAN_DELETE, PLAN_SEGMENT, name, NULL);
	}
	return error;
}

static int plan_segment(const struct model *current, struct model *wanted, struct model_segment *to,
			struct plan *plan)
{
	const struct model_segment *from = model_segment(current, to->name);
	struct plan_step *step;

	if (from == NULL) {
		to->id = (uint32_t)wanted->next_id++;
		to->generation = 1;
		return add_step(plan, PLAN_CREATE, PLAN_SEGMENT, to->name, NULL);
	}
	int error = add_step(plan, PLAN_UPDATE, PLAN_SEGMENT, to->name, &step);
	if (error < 0)
		return error;
	compare_segments(from, to, step);
	to->id = from->id;
	to->generation = from->generation + 1;
	if (step->n_fields == 0) {
		memcpy(to, from, model_segment_bytes(from));
		plan->n_steps--;
	}
	return 0;
}

/* Most ports of a host are copies that nobody touched. */
static bool is_copy(const struct model_port *from, const struct model_port *to)
{
	return from->n_options == to->n_options && memcmp(from, to, model_port_bytes(from)) == 0;
}

static int plan_port(const struct model_port *from, struct model *wanted, struct model_port *to,
		     struct plan *plan)
{
	struct plan_step *step;

	if (from != NULL && is_copy(from, to))
		return 0;
	if (from == NULL) {
		to->id = wanted->next_id++;
		to->generation = 1;
		return add_step(plan, PLAN_CREATE, PLAN_PORT, to->name, NULL);
	}
	int error = add_step(plan, PLAN_UPDATE, PLAN_PORT, to->name, &step);
	if (error < 0)
		return error;
	compare_ports(from, to, step);
	if (step->n_fields == 0) {
		plan->n_steps--;
		return model_put_port(wanted, from);
	}
	to->id = from->id;
	to->generation = from->generation + 1;
	if (is_replace(from, to, false)) {
		step->action = PLAN_REPLACE;
		/* The dataplane would take it for an update in place: delete and create. */
		if (!is_replace(from, to, true))
			to->id = wanted->next_id++;
	}
	return 0;
}

int plan_make(const struct model *current, struct model *wanted, struct plan *plan)
{
	*plan = (struct plan){0};
	wanted->next_id = current->next_id;
	int error = plan_deletes(current, wanted, plan);

	for (size_t i = 0; i < wanted->n_segments && error == 0; i++)
		error = plan_segment(current, wanted, wanted->segments[i], plan);
	for (size_t i = 0, at = 0; i < wanted->n_ports && error == 0; i++) {
		const char *name = wanted->ports[i]->name;

		at = skip_to((void *const *)current->ports, current->n_ports, at, name);
		bool is_there = at < current->n_ports &&
				strcmp(current->ports[at]->name, name) == 0;

		error = plan_port(is_there ? current->ports[at] : NULL, wanted, wanted->ports[i],
				  plan);
	}
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

const char *plan_kind_name(enum plan_kind kind)
{
	return kind == PLAN_SEGMENT ? "segment" : "port";
}

static json_t *format_step(const struct plan_step *step)
{
	json_t *object = json_pack("{s:s, s:s, s:s}", "action", plan_action_name(step->action),
				   "kind", plan_kind_name(step->kind), "name", step->name);

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
