/* SPDX-License-Identifier: BSD-3-Clause */
/* A revision on trial: going back by itself. Runs on weftd's thread. */
#include "control/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "control/apply.h"
#include "control/config.h"
#include "control/utc.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define RETRY_S 2

void trial_arm(struct control *control)
{
	struct root_trial trial;

	control->trial_end_ns = 0;
	if (!config_trial(control->config, &trial))
		return;
	/* A clock that was set back shall not make the trial longer than was asked for. */
	int64_t left_s = trial.deadline_s - (int64_t)time(NULL);
	if (left_s > trial.wait_s)
		left_s = trial.wait_s;
	if (left_s < 0)
		left_s = 0;
	control->trial_end_ns = loop_clock_ns() + (uint64_t)left_s * NS_PER_S;
}

/* There is nothing to go back to: what is there stays, which is better than nothing. */
static int give_up(struct control *control, uint64_t revision, struct problem *problem)
{
	log_error("trial", "not confirmed in time, but revision %" PRIu64 " cannot come back: %s",
		  revision, problem->detail);
	return config_confirm(control->config, problem);
}

static int go_back(struct control *control, struct problem *problem)
{
	struct apply_change change = {
		.mode = APPLY_REGARDLESS, .how = "expired", .uid = -1, .ends_trial = true};
	struct root_trial trial;
	struct model *wanted;
	json_t *answer;

	config_trial(control->config, &trial);
	int error = config_read(control->config, trial.back_to, &wanted, problem);
	if (error == -ENOENT || error == -EBADMSG || error == -EINVAL)
		return give_up(control, trial.back_to, problem);
	if (error < 0)
		return error;
	log_warn("trial", "not confirmed in time: revision %" PRIu64 " comes back", trial.back_to);
	error = apply_model(control, wanted, &change, &answer, problem);
	if (error == 0)
		json_decref(answer);
	return error;
}

int trial_run(struct control *control, uint64_t now_ns)
{
	struct problem problem = {0};

	if (control->trial_end_ns == 0)
		return -1;
	if (now_ns < control->trial_end_ns)
		return (int)((control->trial_end_ns - now_ns) / NS_PER_MS) + 1;
	int error = go_back(control, &problem);
	trial_arm(control);
	if (error == 0)
		return -1;
	log_error("trial", "going back: %s; trying again", problem.detail);
	control->trial_end_ns = now_ns + RETRY_S * NS_PER_S;
	return RETRY_S * 1000;
}

json_t *trial_format(const struct control *control)
{
	struct root_trial trial;
	char deadline[UTC_BYTES];
	char back_to[24];
	uint64_t now_ns = loop_clock_ns();
	uint64_t end_ns = control->trial_end_ns;

	if (!config_trial(control->config, &trial))
		return NULL;
	utc_format(trial.deadline_s, deadline);
	snprintf(back_to, sizeof(back_to), "%" PRIu64, trial.back_to);
	return json_pack("{s:s, s:I, s:s}", "deadline", deadline, "left_s",
			 (json_int_t)(end_ns > now_ns ? (end_ns - now_ns) / NS_PER_S + 1 : 0),
			 "back_to", back_to);
}
