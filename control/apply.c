/* SPDX-License-Identifier: BSD-3-Clause */
/* A change, whole or not at all. Runs on weftd's thread. */
#include "control/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "control/config.h"
#include "control/fastpath.h"
#include "control/kinds.h"
#include "control/loans.h"
#include "control/plan.h"
#include "control/rules.h"
#include "control/speeds.h"
#include "control/taps.h"
#include "control/trial.h"
#include "control/utc.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define STEPS_LOGGED_MAX 20
#define NS_PER_MS UINT64_C(1000000)

void apply_start(const struct control *control, struct apply_change *change)
{
	change->start_ns = loop_clock_ns();
	change->devices_ns = taps_busy_ns(fastpath_taps(control->fastpath));
}

static void log_plan(const struct control *control, const struct plan *plan,
		     const struct apply_change *change)
{
	log_info("apply",
		 "%zu change(s) committed in %" PRIu64 " ms, %" PRIu64
		 " of it devices, revision=%" PRIu64,
		 plan->n_steps, (loop_clock_ns() - change->start_ns) / NS_PER_MS,
		 (taps_busy_ns(fastpath_taps(control->fastpath)) - change->devices_ns) / NS_PER_MS,
		 config_revision(control->config));
	for (size_t i = 0; i < plan->n_steps && i < STEPS_LOGGED_MAX; i++) {
		const struct plan_step *step = &plan->steps[i];

		log_info("apply", "%s %s %s", plan_action_name(step->action),
			 kinds[step->kind].noun, step->name);
	}
	if (plan->n_steps > STEPS_LOGGED_MAX)
		log_info("apply", "and %zu more", plan->n_steps - STEPS_LOGGED_MAX);
}

static json_t *count_steps(const struct plan *plan)
{
	json_int_t counts[PLAN_DELETE + 1] = {0};
	json_t *object = json_object();

	for (size_t i = 0; i < plan->n_steps; i++)
		counts[plan->steps[i].action]++;
	for (enum plan_action i = PLAN_CREATE; i <= PLAN_DELETE; i++) {
		if (counts[i] > 0)
			json_object_set_new(object, plan_action_name(i), json_integer(counts[i]));
	}
	return object;
}

/* What the history keeps of a change. The object is named where there is only one. */
static json_t *describe(const struct apply_change *change, const struct plan *plan)
{
	char when[UTC_BYTES], object[DP_NAME_BYTES + 16];

	utc_format((int64_t)time(NULL), when);
	snprintf(object, sizeof(object), "%s %s", kinds[plan->steps[0].kind].noun,
		 plan->steps[0].name);
	return json_pack("{s:s, s:s, s:o*, s:s, s:s*, s:s*, s:o, s:s*}", "time", when, "user",
			 change->user != NULL ? change->user : "weftd", "uid",
			 change->uid >= 0 ? json_integer(change->uid) : NULL, "how", change->how,
			 "lab", change->lab, "comment", change->comment, "counts",
			 count_steps(plan), "object", plan->n_steps == 1 ? object : NULL);
}

static int prepare(struct control *control, const struct model *wanted, const struct plan *plan,
		   enum apply_mode mode, bool *is_prepared, struct problem *problem)
{
	int error = fastpath_prepare(control->fastpath, control->model, wanted, plan, problem);

	*is_prepared = error == 0;
	if (error == 0 || mode == APPLY_FOR_REAL)
		return error;
	log_warn("apply", "stored, and tried again later, as it cannot be done now: %s",
		 problem->detail);
	return 0;
}

static int write_store(struct control *control, const struct model *wanted, const struct plan *plan,
		       const struct apply_change *change, struct problem *problem)
{
	if (change->is_of_loans)
		return config_write_loans(control->config, wanted, problem);
	json_t *info = describe(change, plan);

	if (info == NULL)
		return problem_system(problem, -ENOMEM, "describing the change");
	int error = config_write(control->config, wanted, plan, info, change->trial_s, problem);

	json_decref(info);
	return error;
}

static int carry_out(struct control *control, struct model *wanted, const struct plan *plan,
		     const struct apply_change *change, struct problem *problem)
{
	bool is_prepared;
	int error = prepare(control, wanted, plan, change->mode, &is_prepared, problem);

	if (error < 0)
		return error;
	error = write_store(control, wanted, plan, change, problem);
	if (error < 0) {
		if (is_prepared)
			fastpath_abort(control->fastpath);
		return error;
	}
	/* From here on it is true, whatever happens: a dataplane lost now catches up when it is
	 * back. */
	if (is_prepared)
		fastpath_commit(control->fastpath);
	model_destroy(control->model);
	control->model = wanted;
	control->is_reported = false;
	if (!is_prepared)
		fastpath_retry(control->fastpath, wanted, loop_clock_ns());
	/* Loans leave a trial alone. Armed again it would follow a wall clock that was set. */
	if (!change->is_of_loans)
		trial_arm(control);
	control_claim(control);
	control_publish(control, plan);
	return 0;
}

static json_t *format_answer(const struct control *control, const struct plan *plan, bool is_diff)
{
	char revision[24];

	snprintf(revision, sizeof(revision), "%" PRIu64, config_revision(control->config));
	return json_pack("{s:o, s:b, s:s, s:o*}", "changes", plan_format(plan), "dry_run", is_diff,
			 "revision", revision, "confirm", trial_format(control));
}

/* Who tries something out wants exactly the state before it back. */
static int check_trial(const struct control *control, const struct apply_change *change,
		       struct problem *problem)
{
	struct root_trial trial;

	if (change->ends_trial || change->is_of_loans || !config_trial(control->config, &trial))
		return 0;
	return problem_set(problem, -EBUSY, 409, "confirm-pending",
			   "revision %" PRIu64 " waits for weft confirm; confirm it, or go back "
			   "with weft rollback, then try again",
			   config_revision(control->config));
}

int apply_model(struct control *control, struct model *wanted, const struct apply_change *change,
		json_t **answer, struct problem *problem)
{
	bool is_diff = change->mode == APPLY_DIFF;
	/* What was in force once is measured by itself: links may have become slower since. */
	bool is_back = change->ends_trial || change->mode == APPLY_REGARDLESS;
	struct apply_change timed = *change;
	struct plan plan = {0};
	bool is_taken = false;

	wanted->tunnel_mtu = control->model->tunnel_mtu;
	speeds_find(wanted, control->model, change->mode == APPLY_REGARDLESS);
	if (timed.start_ns == 0)
		apply_start(control, &timed);
	int error = 0;
	if (!change->is_of_loans &&
	    loans_carry(control->model, wanted, change->mode == APPLY_REGARDLESS) < 0)
		error = problem_system(problem, -ENOMEM, "planning");
	if (error == 0)
		error = rules_check(wanted, is_back ? wanted : control->model, control->host,
				    control->run_dir, problem);
	if (error == 0 && plan_make(control->model, wanted, &plan) < 0)
		error = problem_system(problem, -ENOMEM, "planning");
	/* Also when nothing changes: who applies again expects what was broken to be tried. */
	if (error == 0 && !is_diff)
		fastpath_retry(control->fastpath, control->model, loop_clock_ns());
	if (error == 0 && !is_diff && plan.n_steps > 0) {
		error = check_trial(control, change, problem);
		if (error == 0)
			error = carry_out(control, wanted, &plan, change, problem);
		is_taken = error == 0;
	}
	if (error == 0 && !is_diff)
		log_plan(control, &plan, &timed);
	if (error == 0) {
		*answer = format_answer(control, &plan, is_diff);
		if (*answer == NULL)
			error = problem_system(problem, -ENOMEM, "answering");
	}
	plan_fini(&plan);
	if (!is_taken)
		model_destroy(wanted);
	return error;
}
