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
	log_info("apply", "%zu change(s) committed, revision=%" PRIu64, plan->n_steps,
		 config_revision(control->config));
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
	int error = rules_check(wanted, control->host, problem);

	if (error == 0 && plan_make(control->model, wanted, &plan) < 0)
		error = problem_system(problem, -ENOMEM, "planning");
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
