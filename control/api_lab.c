/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers for whole labs: apply, diff, export. Runs on weftd's thread. */
#include <errno.h>
#include <string.h>

#include "control/api.h"
#include "control/apply.h"
#include "control/lab.h"
#include "control/lab_yaml.h"

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

static int apply_lab(struct control *control, const struct http_request *request,
		     enum apply_mode mode, struct http_reply *reply, struct problem *problem)
{
	struct lab lab;
	struct model *wanted;
	json_t *answer;
	int error = api_check_match(control, request, problem);

	if (error == 0)
		error = read_lab(request, &lab, problem);
	if (error < 0)
		return error;
	error = lab_merge(&lab, control->cluster, control->model,
			  http_query_is_on(request, "prune"), &wanted, problem);
	if (error == 0) {
		error = apply_model(control, wanted, mode, &answer, problem);
		if (error < 0)
			lab_locate(&lab, problem);
	}
	lab_fini(&lab);
	return error < 0 ? error : api_reply(control, answer, reply, problem);
}

int api_apply(void *ctx, const struct http_request *request, struct http_reply *reply,
	      struct problem *problem)
{
	enum apply_mode mode = http_query_is_on(request, "dry_run") ? APPLY_DIFF : APPLY_FOR_REAL;

	return apply_lab(ctx, request, mode, reply, problem);
}

int api_diff(void *ctx, const struct http_request *request, struct http_reply *reply,
	     struct problem *problem)
{
	return apply_lab(ctx, request, APPLY_DIFF, reply, problem);
}

int api_export(void *ctx, const struct http_request *request, struct http_reply *reply,
	       struct problem *problem)
{
	const struct control *control = ctx;
	json_t *lab = lab_format(control->cluster, control->model);

	if (!is_yaml(http_header(request, "Accept")) || lab == NULL)
		return api_reply(control, lab, reply, problem);
	reply->text = lab_yaml_format(lab);
	reply->text_type = "application/yaml";
	reply->etag = api_revision(control);
	json_decref(lab);
	return reply->text != NULL ? 0 : problem_system(problem, -ENOMEM, "answering");
}
