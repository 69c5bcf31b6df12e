/* SPDX-License-Identifier: BSD-3-Clause */
/* A revision on trial: going back by itself. Runs on weftd's thread. */
#include "control/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/apply.h"
#include "control/config.h"
#include "control/utc.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define RETRY_MIN_S 2
#define RETRY_MAX_S 300
#define DOUBLINGS_MAX 8 /* beyond, it is the longest anyway */

void trial_arm(struct control *control)
{
	struct root_trial trial;

	control->trial_end_ns = 0;
	control->trial_retry = (struct trial_retry){0};
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
	if (control->trial_retry.n_tries == 0)
		log_warn("trial", "not confirmed in time: revision %" PRIu64 " comes back",
			 trial.back_to);
	error = apply_model(control, wanted, &change, &answer, problem);
	if (error == 0)
		json_decref(answer);
	return error;
}

/* The first refusal is logged, and each that says something else. */
static int put_off(struct trial_retry *retry, const struct problem *problem, uint64_t now_ns)
{
	unsigned int doublings = retry->n_tries < DOUBLINGS_MAX ? retry->n_tries : DOUBLINGS_MAX;
	unsigned int wait_s = RETRY_MIN_S << doublings;

	if (wait_s > RETRY_MAX_S)
		wait_s = RETRY_MAX_S;
	if (retry->n_tries++ == 0 || strcmp(retry->why, problem->detail) != 0)
		log_error("trial",
			  "going back: %s; tried again now and then; weft confirm or weft "
			  "rollback ends it",
			  problem->detail);
	snprintf(retry->why, sizeof(retry->why), "%s", problem->detail);
	retry->next_ns = now_ns + wait_s * NS_PER_S;
	return (int)wait_s * 1000;
}

int trial_run(struct control *control, uint64_t now_ns)
{
	struct problem problem = {0};

	if (control->trial_end_ns == 0)
		return -1;
	if (now_ns < control->trial_end_ns)
		return (int)((control->trial_end_ns - now_ns) / NS_PER_MS) + 1;
	struct trial_retry retry = control->trial_retry;
	if (now_ns < retry.next_ns)
		return (int)((retry.next_ns - now_ns) / NS_PER_MS) + 1;
	int error = go_back(control, &problem);
	trial_arm(control);
	if (error == 0)
		return -1;
	/* It is over all the same, and stays so. */
	control->trial_end_ns = now_ns;
	control->trial_retry = retry;
	return put_off(&control->trial_retry, &problem, now_ns);
}

static json_int_t seconds_to(uint64_t end_ns, uint64_t now_ns)
{
	return end_ns > now_ns ? (json_int_t)((end_ns - now_ns) / NS_PER_S + 1) : 0;
}

/* NULL: it was not. */
static json_t *format_refused(const struct trial_retry *retry, uint64_t now_ns)
{
	if (retry->n_tries == 0)
		return NULL;
	return json_pack("{s:i, s:I, s:s}", "tries", (int)retry->n_tries, "next_s",
			 seconds_to(retry->next_ns, now_ns), "why", retry->why);
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
	return json_pack("{s:s, s:I, s:s, s:o*}", "deadline", deadline, "left_s",
			 seconds_to(end_ns, now_ns), "back_to", back_to, "refused",
			 format_refused(&control->trial_retry, now_ns));
}
