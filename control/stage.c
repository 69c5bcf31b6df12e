/* SPDX-License-Identifier: BSD-3-Clause */
/* What a transaction with the dataplane is made of. Runs on weftd's thread. */
#include "control/stage.h"

#include <stdio.h>
#include <string.h>

/* "port c1: " before what is wrong with its device. */
static int stage_port(struct mirror *mirror, const struct model *model,
		      const struct model_port *port, char *why)
{
	char text[DP_TEXT_BYTES];
	int error = mirror_stage(mirror, model, MODEL_PORT, &port->object, why);

	if (error == 0)
		return 0;
	snprintf(text, sizeof(text), "port %s: ", port->name);
	size_t len = strlen(text);
	snprintf(text + len, sizeof(text) - len, "%s", why);
	memcpy(why, text, sizeof(text));
	return error;
}

int stage_all(struct mirror *mirror, const struct model *model, const struct table *wanted,
	      const struct broken_list *broken, char why[DP_TEXT_BYTES])
{
	int error = mirror_begin(mirror, why);

	if (error == 0)
		error = mirror_stage_deletes(mirror, wanted, true, why);
	if (error == 0)
		error = mirror_stage_deletes(mirror, wanted, false, why);
	if (error == 0)
		error = mirror_stage_rest(mirror, model, why);
	for (size_t i = 0; i < model->n_ports && error == 0; i++) {
		const struct model_port *port = model->ports[i];
		const struct broken_port *known = broken_find(broken, port->id);

		/* What was broken before and is not touched now shall not stand in the way. */
		if (known == NULL || known->generation != port->generation)
			error = stage_port(mirror, model, port, why);
	}
	return error == 0 ? mirror_prepare(mirror, why) : error;
}

static bool is_underlay(const struct model *model, const char *name)
{
	const struct model_port *port = model_port(model, name);

	return port != NULL && model_is_underlay(port);
}

bool stage_can_follow(const struct model *current, const struct model *wanted,
		      const struct plan *plan)
{
	/* Of the largest frame: what channels may send at once. */
	if (model_largest_mtu(current) != model_largest_mtu(wanted))
		return false;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *step = &plan->steps[i];

		if ((step->kind == MODEL_SEGMENT && step->action == PLAN_UPDATE) ||
		    step->kind == MODEL_POOL || step->kind == MODEL_VM)
			return false;
		/* Peers go through its channel. */
		if (step->kind == MODEL_PORT &&
		    (is_underlay(current, step->name) || is_underlay(wanted, step->name)))
			return false;
	}
	return true;
}

/* A step's object as it was goes, unless it is kept under its id. */
static int stage_departure(struct mirror *mirror, const struct model *current,
			   const struct model *wanted, const struct plan_step *step, char *why)
{
	const struct model_object *before = model_find(current, step->kind, step->name);
	const struct model_object *after = model_find(wanted, step->kind, step->name);

	if (before == NULL || (after != NULL && after->id == before->id))
		return 0;
	return mirror_stage_delete(mirror, step->kind, before->id, why);
}

static int stage_arrival(struct mirror *mirror, const struct model *wanted,
			 const struct plan_step *step, char *why)
{
	if (step->action == PLAN_DELETE)
		return 0;
	if (step->kind == MODEL_PORT)
		return stage_port(mirror, wanted, model_port(wanted, step->name), why);
	return mirror_stage(mirror, wanted, step->kind, model_find(wanted, step->kind, step->name),
			    why);
}

int stage_steps(struct mirror *mirror, const struct model *current, const struct model *wanted,
		const struct plan *plan, char why[DP_TEXT_BYTES])
{
	int error = mirror_begin(mirror, why);

	for (size_t i = 0; i < plan->n_steps && error == 0; i++)
		error = stage_departure(mirror, current, wanted, &plan->steps[i], why);
	for (size_t i = 0; i < plan->n_steps && error == 0; i++)
		error = stage_arrival(mirror, wanted, &plan->steps[i], why);
	return error == 0 ? mirror_prepare(mirror, why) : error;
}
