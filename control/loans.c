/* SPDX-License-Identifier: BSD-3-Clause */
/* Loans that end. Runs on weftd's thread. */
#include "control/loans.h"

#include <errno.h>

#include "control/apply.h"
#include "control/rules_channel.h"
#include "control/utc.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define NS_PER_MS UINT64_C(1000000)
#define RETRY_MS 2000
#define WAIT_MAX_MS 60000 /* an int has no room for 30 days */

void loans_arm(struct model_loan *loan, int64_t now_ms, uint64_t now_ns)
{
	uint64_t left_ms = loan->end_ms > now_ms ? (uint64_t)(loan->end_ms - now_ms) : 0;

	/* A clock that was set back shall not make it longer than was asked for. */
	if (left_ms > loan->span_ms)
		left_ms = loan->span_ms;
	loan->end_ns = now_ns + left_ms * NS_PER_MS;
}

void loans_start(struct control *control)
{
	int64_t now_ms = utc_now_ms();
	uint64_t now_ns = loop_clock_ns();

	for (size_t i = 0; i < control->model->n_loans; i++)
		loans_arm(control->model->loans[i], now_ms, now_ns);
}

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
static int take_out(const struct model *current, uint64_t now_ns, struct model **out)
{
	struct model *wanted;
	int error = model_copy(current, &wanted);

	for (size_t i = 0; i < current->n_loans && error == 0; i++) {
		const struct model_loan *loan = current->loans[i];

		if (model_loan_left_ms(loan, now_ns) > 0)
			continue;
		log_info("loans", "loan %s from %s to %s has ended", loan->name, loan->from,
			 loan->to);
		model_del(wanted, MODEL_LOAN, loan->name);
	}
	*out = wanted;
	return error;
}

static int end_due(struct control *control, uint64_t now_ns)
{
	struct apply_change change = {
		.mode = APPLY_REGARDLESS, .is_of_loans = true, .how = "expired", .uid = -1};
	struct problem problem = {0};
	struct model *wanted;
	json_t *answer;
	int error = take_out(control->model, now_ns, &wanted);

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

/* Of the loan that ends first; -1: there is none. */
static int64_t next_left_ms(const struct model *model, uint64_t now_ns)
{
	int64_t next_ms = -1;

	for (size_t i = 0; i < model->n_loans; i++) {
		int64_t left_ms = (int64_t)model_loan_left_ms(model->loans[i], now_ns);

		next_ms = next_ms < 0 || left_ms < next_ms ? left_ms : next_ms;
	}
	return next_ms;
}

int loans_run(struct control *control, uint64_t now_ns)
{
	int64_t wait_ms = next_left_ms(control->model, now_ns);

	if (wait_ms == 0 && now_ns >= control->loans_retry_ns) {
		if (end_due(control, now_ns) < 0)
			control->loans_retry_ns = now_ns + RETRY_MS * NS_PER_MS;
		wait_ms = next_left_ms(control->model, now_ns);
	}
	if (wait_ms == 0 && control->loans_retry_ns > now_ns)
		wait_ms = (int64_t)((control->loans_retry_ns - now_ns) / NS_PER_MS) + 1;
	return wait_ms < WAIT_MAX_MS ? (int)wait_ms : WAIT_MAX_MS;
}
