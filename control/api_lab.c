/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers for whole labs: apply, diff, export. Runs on weftd's thread. */
#include <errno.h>
#include <string.h>

#include "control/api.h"
#include "control/config.h"
#include "control/fastpath.h"
#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/spec.h"
#include "control/taps.h"
#include "control/trial.h"

static bool is_yaml(const char *type)
{
	return type != NULL && strstr(type, "yaml") != NULL;
}

static int read_lab(const struct http_request *request, struct lab *lab, struct problem *problem)
{
	if (is_yaml(http_header(request, "Content-Type")))
		return lab_yaml_parse(request->body, request->body_bytes, lab, problem);
	return lab_parse_json(request->body, request->body_bytes, lab, problem);
}

/* ?confirm=60s */
static int read_trial(const struct http_request *request, struct apply_change *change,
		      struct problem *problem)
{
	const char *word = http_query(request, "confirm");

	if (word == NULL || change->mode == APPLY_DIFF ||
	    spec_parse_duration(word, TRIAL_S_MAX, &change->trial_s) == 0)
		return 0;
	return problem_set(problem, -EINVAL, 422, "value-invalid",
			   "confirm: %.40s is not a time from 1s to 1d; write it as 60s or 5m",
			   word);
}

static int apply_lab(struct control *control, const struct http_request *request,
		     struct apply_change *change, struct http_reply *reply, struct problem *problem)
{
	struct lab lab;
	struct model *wanted;
	json_t *answer;

	apply_start(control, change);
	int error = api_check_match(control, request, problem);

	if (error == 0)
		error = read_trial(request, change, problem);
	/* From here on a lab with several faults is told all of them. */
	if (error == 0)
		problem->errors = json_array();
	if (error == 0)
		error = read_lab(request, &lab, problem);
	if (error < 0)
		return error;
	change->lab = lab_name(&lab);
	error = lab_merge(&lab, control->cluster, control->model,
			  http_query_is_on(request, "prune"), &wanted, problem);
	if (error == 0) {
		/* Who applies a lab expects the host to be as it says, whoever changed what. */
		if (change->mode == APPLY_FOR_REAL)
			taps_repair(fastpath_taps(control->fastpath));
		error = apply_model(control, wanted, change, &answer, problem);
	}
	if (error < 0)
		lab_locate(&lab, problem);
	lab_fini(&lab);
	return error < 0 ? error : api_reply(control, answer, reply, problem);
}

int api_apply(void *ctx, const struct http_request *request, struct http_reply *reply,
	      struct problem *problem)
{
	struct apply_change change;
	int error = api_describe(request, "apply", &change, problem);

	return error < 0 ? error : apply_lab(ctx, request, &change, reply, problem);
}

int api_diff(void *ctx, const struct http_request *request, struct http_reply *reply,
	     struct problem *problem)
{
	struct apply_change change = {.mode = APPLY_DIFF};

	return apply_lab(ctx, request, &change, reply, problem);
}

/* The whole model as a lab: the present one, or ?revision=17. */
static int format_lab(struct control *control, const struct http_request *request, json_t **lab,
		      struct problem *problem)
{
	const char *word = http_query(request, "revision");
	struct model *former = NULL;
	uint64_t revision;
	int error = 0;

	if (word != NULL) {
		error = api_read_revision(word, &revision, problem);
		if (error == 0)
			error = config_read(control->config, revision, &former, problem);
		if (error < 0)
			return error;
	}
	*lab = lab_format(control->cluster, former != NULL ? former : control->model);
	model_destroy(former);
	return *lab != NULL ? 0 : problem_system(problem, -ENOMEM, "answering");
}

int api_export(void *ctx, const struct http_request *request, struct http_reply *reply,
	       struct problem *problem)
{
	struct control *control = ctx;
	json_t *lab;
	int error = format_lab(control, request, &lab, problem);

	if (error < 0)
		return error;
	if (!is_yaml(http_header(request, "Accept")))
		return api_reply(control, lab, reply, problem);
	reply->text = lab_yaml_format(lab);
	reply->text_type = "application/yaml";
	reply->etag = api_revision(control);
	json_decref(lab);
	return reply->text != NULL ? 0 : problem_system(problem, -ENOMEM, "answering");
}
