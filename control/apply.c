/* SPDX-License-Identifier: BSD-3-Clause */
/* A change, whole or not at all. Runs on weftd's thread. */
#include "control/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "control/config.h"
#include "control/fastpath.h"
#include "control/plan.h"
#include "control/rules.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define STEPS_LOGGED_MAX 20

static void log_plan(const struct control *control, const struct plan *plan)
{
	log_info("apply", "%zu change(s) committed, revision=%" PRIu64, plan->n_steps,
		 config_revision(control->config));
	for (size_t i = 0; i < plan->n_steps && i < STEPS_LOGGED_MAX; i++) {
		const struct plan_step *step = &plan->steps[i];

		log_info("apply", "%s %s %s", plan_action_name(step->action),
			 plan_kind_name(step->kind), step->name);
	}
	if (plan->n_steps > STEPS_LOGGED_MAX)
		log_info("apply", "and %zu more", plan->n_steps - STEPS_LOGGED_MAX);
}

static int carry_out(struct control *control, struct model *wanted, const struct plan *plan,
		     struct problem *problem)
{
	int error = fastpath_prepare(control->fastpath, wanted, problem);

	if (error < 0)
		return error;
	error = config_write(control->config, wanted, plan, problem);
	if (error < 0) {
		fastpath_abort(control->fastpath);
		return error;
	}
	/* From here on it is true, whatever happens: a dataplane lost now catches up when it is
	 * back. */
	fastpath_commit(control->fastpath);
	model_destroy(control->model);
	control->model = wanted;
	control_claim(control);
	log_plan(control, plan);
	return 0;
}

static json_t *format_answer(const struct control *control, const struct plan *plan, bool is_diff)
{
	char revision[24];

	snprintf(revision, sizeof(revision), "%" PRIu64, config_revision(control->config));
	return json_pack("{s:o, s:b, s:s}", "changes", plan_format(plan), "dry_run", is_diff,
			 "revision", revision);
}

int apply_model(struct control *control, struct model *wanted, enum apply_mode mode,
		json_t **answer, struct problem *problem)
{
	struct plan plan = {0};
	bool is_taken = false;
	int error = rules_check(wanted, control->host, control->run_dir, problem);

	if (error == 0 && plan_make(control->model, wanted, &plan) < 0)
		error = problem_system(problem, -ENOMEM, "planning");
	/* Also when nothing changes: who applies again expects what was broken to be tried. */
	if (error == 0 && mode == APPLY_FOR_REAL)
		fastpath_retry(control->fastpath, control->model, loop_clock_ns());
	if (error == 0 && mode == APPLY_FOR_REAL && plan.n_steps > 0) {
		error = carry_out(control, wanted, &plan, problem);
		is_taken = error == 0;
	}
	if (error == 0) {
		*answer = format_answer(control, &plan, mode == APPLY_DIFF);
		if (*answer == NULL)
			error = problem_system(problem, -ENOMEM, "answering");
	}
	plan_fini(&plan);
	if (!is_taken)
		model_destroy(wanted);
	return error;
}
