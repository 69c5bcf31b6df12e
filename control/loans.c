/* SPDX-License-Identifier: BSD-3-Clause */
/* Loans that end. Runs on weftd's thread. */
#include "control/loans.h"

#include <errno.h>

#include "control/apply.h"
#include "control/rules_channel.h"
#include "control/utc.h"
#include "dataplane/base/log.h"

#define NS_PER_MS UINT64_C(1000000)
#define RETRY_MS 2000
#define WAIT_MAX_MS 60000 /* the wall clock may be set meanwhile */

int loans_carry(const struct model *current, struct model *wanted, bool is_forced)
{
	for (size_t i = 0; i < current->n_loans; i++) {
		if (model_put(wanted, MODEL_LOAN, &current->loans[i]->object) < 0)
			return -ENOMEM;
	}
	for (size_t i = wanted->n_loans; is_forced && i-- > 0;) {
		struct problem problem = {0};

		if (rules_channel_check_loan(wanted, wanted->loans[i], &problem) == 0)
			continue;
		log_warn("loans", "%s; it ends", problem.detail);
		model_del(wanted, MODEL_LOAN, wanted->loans[i]->name);
	}
	return 0;
}

/* Without those that are due. */
static int take_out(const struct model *current, int64_t now_ms, struct model **out)
{
	struct model *wanted;
	int error = model_copy(current, &wanted);

	for (size_t i = 0; i < current->n_loans && error == 0; i++) {
		const struct model_loan *loan = current->loans[i];

		if (loan->end_ms > now_ms)
			continue;
		log_info("loans", "loan %s from %s to %s has ended", loan->name, loan->from,
			 loan->to);
		model_del(wanted, MODEL_LOAN, loan->name);
	}
	*out = wanted;
	return error;
}

static int end_due(struct control *control, int64_t now_ms)
{
	struct apply_change change = {
		.mode = APPLY_REGARDLESS, .is_of_loans = true, .how = "expired", .uid = -1};
	struct problem problem = {0};
	struct model *wanted;
	json_t *answer;
	int error = take_out(control->model, now_ms, &wanted);

	if (error == 0)
		error = apply_model(control, wanted, &change, &answer, &problem);
	else
		problem_system(&problem, error, "ending loans");
	if (error == 0)
		json_decref(answer);
	else
		log_error("loans", "%s; tried again", problem.detail);
	return error;
}

static int64_t next_end_ms(const struct model *model)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < model->n_loans; i++)
		next_ms = model->loans[i]->end_ms < next_ms ? model->loans[i]->end_ms : next_ms;
	return next_ms;
}

int loans_run(struct control *control, uint64_t now_ns)
{
	int64_t now_ms = utc_now_ms();
	int64_t wait_ms = next_end_ms(control->model) - now_ms;

	if (control->model->n_loans == 0)
		return -1;
	if (wait_ms <= 0 && now_ns >= control->loans_retry_ns) {
		if (end_due(control, now_ms) < 0)
			control->loans_retry_ns = now_ns + RETRY_MS * NS_PER_MS;
		wait_ms = control->model->n_loans > 0 ? next_end_ms(control->model) - now_ms : -1;
	}
	if (wait_ms <= 0 && control->loans_retry_ns > now_ns)
		wait_ms = (int64_t)((control->loans_retry_ns - now_ns) / NS_PER_MS) + 1;
	return wait_ms < WAIT_MAX_MS ? (int)wait_ms : WAIT_MAX_MS;
}
