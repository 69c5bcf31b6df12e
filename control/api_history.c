/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers for former configurations: history, rollback, confirm. Runs on weftd's thread. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "control/api.h"
#include "control/config.h"
#include "control/plan.h"
#include "control/trial.h"

int api_list_history(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem)
{
	struct control *control = ctx;
	json_t *list;
	int error = config_list(control->config, &list, problem);

	if (error < 0)
		return error;
	return api_reply(control,
			 json_pack("{s:o, s:o*}", "revisions", list, "confirm",
				   trial_format(control)),
			 reply, problem);
}

/* What led to a revision. null: the one before it is no longer kept. */
static int list_changes(struct control *control, uint64_t revision, json_t **changes,
			struct problem *problem)
{
	struct model *before, *after;
	struct plan plan;
	int error = revision > 0 ? config_read(control->config, revision - 1, &before, problem)
				 : -ENOENT;

	*changes = json_null();
	if (error < 0)
		return error == -ENOENT ? 0 : error;
	error = config_read(control->config, revision, &after, problem);
	if (error == 0) {
		if (plan_make(before, after, &plan) == 0) {
			*changes = plan_format(&plan);
			plan_fini(&plan);
		} else {
			error = problem_system(problem, -ENOMEM, "answering");
		}
		model_destroy(after);
	}
	model_destroy(before);
	return error;
}

int api_get_history(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	struct control *control = ctx;
	json_t *entry, *changes;
	uint64_t revision;
	int error = api_read_revision(request->name, &revision, problem);

	if (error == 0)
		error = config_describe(control->config, revision, &entry, problem);
	if (error < 0)
		return error;
	error = list_changes(control, revision, &changes, problem);
	if (error == 0 && json_object_set_new(entry, "changes", changes) < 0)
		error = problem_system(problem, -ENOMEM, "answering");
	if (error == 0)
		return api_reply(control, entry, reply, problem);
	json_decref(entry);
	return error;
}

/* The revision to go back to: the given one, else the one before the present. */
static int read_target(const struct control *control, const struct http_request *request,
		       uint64_t *revision, struct problem *problem)
{
	const char *word = http_query(request, "revision");
	uint64_t present = config_revision(control->config);

	if (word != NULL)
		return api_read_revision(word, revision, problem);
	if (present == 0)
		return problem_set(problem, -ENOENT, 404, "revision-unknown",
				   "nothing was ever changed, so there is nothing to go back to");
	*revision = present - 1;
	return 0;
}

int api_rollback(void *ctx, const struct http_request *request, struct http_reply *reply,
		 struct problem *problem)
{
	struct control *control = ctx;
	struct apply_change change;
	struct model *wanted;
	json_t *answer;
	uint64_t revision;
	char comment[48];
	int error = api_check_match(control, request, problem);

	if (error == 0)
		error = api_describe(request, "rollback", &change, problem);
	if (error == 0)
		error = read_target(control, request, &revision, problem);
	if (error == 0)
		error = config_read(control->config, revision, &wanted, problem);
	if (error < 0)
		return error;
	snprintf(comment, sizeof(comment), "back to revision %" PRIu64, revision);
	if (change.comment == NULL)
		change.comment = comment;
	change.ends_trial = true;
	error = apply_model(control, wanted, &change, &answer, problem);
	return error < 0 ? error : api_reply(control, answer, reply, problem);
}

int api_confirm(void *ctx, const struct http_request *request, struct http_reply *reply,
		struct problem *problem)
{
	struct control *control = ctx;
	struct root_trial trial;
	char revision[24];
	int error = api_check_match(control, request, problem);

	if (error < 0)
		return error;
	if (!config_trial(control->config, &trial))
		return problem_set(problem, -ENOENT, 409, "confirm-none",
				   "nothing waits to be confirmed; weft history shows what "
				   "happened");
	error = config_confirm(control->config, problem);
	if (error < 0)
		return error;
	trial_arm(control);
	snprintf(revision, sizeof(revision), "%" PRIu64, config_revision(control->config));
	return api_reply(control, json_pack("{s:s}", "revision", revision), reply, problem);
}
