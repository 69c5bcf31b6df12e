/* SPDX-License-Identifier: BSD-3-Clause */
/* Handler for what channels would have, now and after a change. Runs on weftd's thread. */
#include <errno.h>
#include <string.h>

#include "control/api.h"
#include "control/forecast.h"
#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/plan.h"
#include "control/rules.h"
#include "control/speeds.h"

static const char *const way_names[DP_WAYS] = {"tx", "rx"};

static void set_number(json_t *object, const char *key, uint64_t number)
{
	json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void set_pool(json_t *object, const struct forecast *forecast, const struct model_pool *pool,
		     enum dp_way way)
{
	uint64_t assured_bps = forecast_assured_bps(forecast, (uint32_t)pool->id, way);

	set_number(object, "capacity_bps", pool->capacity_bps[way]);
	set_number(object, "assured_bps", assured_bps);
	json_object_set_new(object, "oversubscribed",
			    json_boolean(assured_bps > pool->capacity_bps[way]));
}

static void set_channel(json_t *object, const struct forecast *forecast,
			const struct contract *contract, enum dp_way way)
{
	const struct contract_way *terms = &contract->ways[way];

	set_number(object, "assured_bps", terms->assured_bps);
	set_number(object, "ceiling_bps", terms->ceiling_bps);
	set_number(object, "weight", terms->weight);
	set_number(object, "share_bps",
		   forecast->shares_bps[contract - forecast->contracts.items].ways[way]);
}

/* The model, and what it would give. */
struct side {
	const struct model *model;
	struct forecast forecast;
};

static const struct model_pool *find_pool(const struct model *model, uint64_t id)
{
	for (size_t i = 0; i < model->n_pools; i++) {
		if (model->pools[i]->id == id)
			return model->pools[i];
	}
	return NULL;
}

/* Those of one side; of the other side only what it has beside. */
static void add_pools(json_t *list, const struct side *before, const struct side *after,
		      bool is_gone)
{
	const struct side *side = is_gone ? before : after, *other = is_gone ? after : before;

	for (size_t i = 0; i < side->model->n_pools; i++) {
		const struct model_pool *pool = side->model->pools[i];
		const struct model_pool *twin = find_pool(other->model, pool->id);

		for (enum dp_way way = 0; way < DP_WAYS && !(is_gone && twin != NULL); way++) {
			json_t *row =
				json_pack("{s:s, s:s}", "pool", pool->name, "way", way_names[way]);
			json_t *former = json_object();

			if (!is_gone)
				set_pool(row, &after->forecast, pool, way);
			if (is_gone || twin != NULL)
				set_pool(former, &before->forecast, is_gone ? pool : twin, way);
			json_object_set_new(row, "before", former);
			json_array_append_new(list, row);
		}
	}
}

static void add_channels(json_t *list, const struct side *before, const struct side *after,
			 bool is_gone)
{
	const struct side *side = is_gone ? before : after, *other = is_gone ? after : before;
	const struct contracts *contracts = &side->forecast.contracts;

	for (size_t i = 0; i < contracts->n; i++) {
		const struct contract *contract = &contracts->items[i];
		const struct contract *twin =
			contracts_find(&other->forecast.contracts, contract->id);

		for (enum dp_way way = 0; way < DP_WAYS && !(is_gone && twin != NULL); way++) {
			json_t *row = json_pack("{s:s, s:s, s:s}", "channel", contract->name,
						"pool", contract->pool, "way", way_names[way]);
			json_t *former = json_object();

			if (!is_gone)
				set_channel(row, &after->forecast, contract, way);
			if (is_gone || twin != NULL)
				set_channel(former, &before->forecast, is_gone ? contract : twin,
					    way);
			json_object_set_new(row, "before", former);
			json_array_append_new(list, row);
		}
	}
}

/* refused: why the change could not be applied; "" : it could. */
static int answer(const struct control *control, const struct model *wanted, const char *refused,
		  struct http_reply *reply, struct problem *problem)
{
	struct side before = {.model = control->model}, after = {.model = wanted};
	int error = forecast_make(before.model, &before.forecast);

	if (error < 0)
		return problem_system(problem, error, "answering");
	error = forecast_make(after.model, &after.forecast);
	if (error < 0) {
		forecast_fini(&before.forecast);
		return problem_system(problem, error, "answering");
	}
	json_t *pools = json_array(), *channels = json_array();
	for (int is_gone = 0; is_gone <= 1; is_gone++) {
		add_pools(pools, &before, &after, is_gone != 0);
		add_channels(channels, &before, &after, is_gone != 0);
	}
	forecast_fini(&before.forecast);
	forecast_fini(&after.forecast);
	return api_reply(control,
			 json_pack("{s:o, s:o, s:s}", "pools", pools, "channels", channels,
				   "refused", refused),
			 reply, problem);
}

static int read_lab(const struct http_request *request, struct lab *lab, struct problem *problem)
{
	const char *type = http_header(request, "Content-Type");

	if (request->body_bytes == 0)
		return lab_parse_json("{}", 2, lab, problem);
	if (type != NULL && strstr(type, "yaml") != NULL)
		return lab_yaml_parse(request->body, request->body_bytes, lab, problem);
	return lab_parse_json(request->body, request->body_bytes, lab, problem);
}

int api_forecast(void *ctx, const struct http_request *request, struct http_reply *reply,
		 struct problem *problem)
{
	const struct control *control = ctx;
	struct problem refusal = {0};
	struct plan plan = {0};
	struct model *wanted;
	struct lab lab;
	int error = api_check_match(control, request, problem);

	if (error == 0)
		error = read_lab(request, &lab, problem);
	if (error < 0)
		return error;
	error = lab_merge(&lab, control->cluster, control->model,
			  http_query_is_on(request, "prune"), &wanted, problem);
	if (error < 0)
		lab_locate(&lab, problem);
	lab_fini(&lab);
	if (error < 0)
		return error;
	/* What is new gets its number, by which it is told from what is there. */
	error = plan_make(control->model, wanted, &plan);
	plan_fini(&plan);
	speeds_find(wanted, control->model, false);
	if (error == 0)
		rules_check(wanted, control->model, control->host, control->run_dir, &refusal);
	if (error < 0)
		error = problem_system(problem, error, "planning");
	else
		error = answer(control, wanted, refusal.detail, reply, problem);
	model_destroy(wanted);
	return error;
}
