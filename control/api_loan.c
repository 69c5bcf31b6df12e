/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers for loans: lend, call back, show. Runs on weftd's thread. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/api.h"
#include "control/kinds.h"
#include "control/loans.h"
#include "control/spec.h"
#include "control/utc.h"
#include "dataplane/base/loop.h"

#define MS_PER_S 1000

json_t *api_describe_loan(const struct api_view *view, const struct model_object *object)
{
	const struct model_loan *loan = (const struct model_loan *)object;
	uint64_t left_ms = model_loan_left_ms(loan, loop_clock_ns());

	return json_pack("{s:I}", "left_s", (json_int_t)((left_ms + MS_PER_S - 1) / MS_PER_S));
}

static int refuse(const struct http_request *request, struct problem *problem, const char *text)
{
	return problem_set(problem, -EINVAL, 422, "value-invalid", "loan %s: %s", request->name,
			   text);
}

/* for: 10m, as the time of its end. */
static int read_end(const struct http_request *request, json_t *body, int64_t now_ms,
		    struct problem *problem)
{
	json_t *word = json_object_get(body, "for");
	char until[UTC_MS_BYTES], text[160];
	uint32_t duration_s;

	if (word == NULL)
		return 0;
	if (json_object_get(body, "until") != NULL)
		return refuse(request, problem, "for and until say the same; leave one out");
	if (!json_is_string(word) ||
	    spec_parse_duration(json_string_value(word), MODEL_LOAN_S_MAX, &duration_s) < 0) {
		snprintf(text, sizeof(text),
			 "for: %.40s is not a time from 1s to 30d; write it as 30s, 10m, 2h or 1d",
			 json_is_string(word) ? json_string_value(word) : "this");
		return refuse(request, problem, text);
	}
	utc_format_ms(now_ms + (int64_t)duration_s * MS_PER_S, until);
	json_object_set_new(body, "until", json_string(until));
	json_object_del(body, "for");
	return 0;
}

/* Without a word, the ways for which the lender has something to lend. */
static void choose_ways(const struct model *model, struct model_loan *loan)
{
	const struct model_channel *from = model_channel(model, loan->from);
	uint32_t ways = 0;

	for (enum dp_way way = DP_TX; from != NULL && way < DP_WAYS; way++)
		ways |= from->ways[way].rate_bps > 0 ? 1U << way : 0;
	if (ways != 0)
		loan->ways = ways;
}

static int read_loan(const struct control *control, const struct http_request *request,
		     json_t *body, union model_any *object, struct problem *problem)
{
	int64_t now_ms = utc_now_ms();
	bool has_way = json_object_get(body, "way") != NULL;
	int error = read_end(request, body, now_ms, problem);

	if (error == 0)
		error = api_read_object(control, request, body, object, problem);
	if (error < 0)
		return error;
	if (!has_way)
		choose_ways(control->model, &object->loan);
	if (object->loan.end_ms <= now_ms)
		return refuse(request, problem, "until: this time is over; choose a later one");
	if (object->loan.end_ms - now_ms > (int64_t)MODEL_LOAN_S_MAX * MS_PER_S)
		return refuse(request, problem, "until: a loan ends within 30 days");
	object->loan.span_ms = (uint64_t)(object->loan.end_ms - now_ms);
	loans_arm(&object->loan, now_ms, loop_clock_ns());
	return 0;
}

static int change_loans(struct control *control, const struct http_request *request,
			struct model *wanted, struct http_reply *reply, struct problem *problem)
{
	struct apply_change change;
	json_t *answer;
	int error = api_describe(request, "change", &change, problem);

	if (error < 0) {
		model_destroy(wanted);
		return error;
	}
	change.is_of_loans = true;
	error = apply_model(control, wanted, &change, &answer, problem);
	return error < 0 ? error : api_reply_objects(control, MODEL_LOAN, answer, reply, problem);
}

int api_put_loan(void *ctx, const struct http_request *request, struct http_reply *reply,
		 struct problem *problem)
{
	struct control *control = ctx;
	struct model *wanted;
	int error = api_read_wanted(control, request, read_loan, &wanted, problem);

	return error < 0 ? error : change_loans(control, request, wanted, reply, problem);
}

int api_post_loan(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem)
{
	struct control *control = ctx;
	struct http_request named = *request;
	char name[DP_NAME_BYTES] = "loan1";

	/* There are fewer loans than this finds names for. */
	for (int i = 2; model_loan(control->model, name) != NULL; i++)
		snprintf(name, sizeof(name), "loan%d", i);
	named.name = name;
	return api_put_loan(ctx, &named, reply, problem);
}

int api_delete_loan(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	struct control *control = ctx;
	struct model *wanted;
	int error = api_check_match(control, request, problem);

	if (error == 0 && api_find(control, MODEL_LOAN, request->name, problem) == NULL)
		error = -ENOENT;
	if (error < 0)
		return error;
	if (model_copy(control->model, &wanted) < 0)
		return problem_system(problem, -ENOMEM, "calling back");
	model_del(wanted, MODEL_LOAN, request->name);
	return change_loans(control, request, wanted, reply, problem);
}
