/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers for reports of channels. Runs on weftd's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/channels.h"
#include "control/contracts.h"
#include "control/fastpath.h"
#include "control/reports.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_US 1000.0
#define LENDERS_MAX 16 /* that are told by name */

static const char *const span_names[WINDOW_SPANS] = {"second", "minute", "hour"};
static const char *const way_names[DP_WAYS] = {"tx", "rx"};

static json_t *rate_of(uint64_t bytes, uint64_t span_ns)
{
	if (span_ns == 0)
		return json_integer(0);
	return json_integer((json_int_t)((unsigned __int128)bytes * 8 * NS_PER_S / span_ns));
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
	json_object_set_new(object, key, json_integer((json_int_t)number));
}

/* Delays are there if any was measured. */
static void set_report(json_t *object, const struct report *report)
{
	const struct {
		const char *key;
		uint64_t bytes;
	} rates[] = {
		{"asked_bps", report->asked_bytes},	  {"passed_bps", report->passed_bytes},
		{"borrowed_bps", report->borrowed_bytes}, {"free_bps", report->free_bytes},
		{"lent_bps", report->lent_bytes},
	};

	json_object_set_new(object, "seconds", json_real((double)report->span_ns / NS_PER_S));
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		json_object_set_new(object, rates[i].key, rate_of(rates[i].bytes, report->span_ns));
	set_number(object, "asked_frames", report->asked_frames);
	set_number(object, "passed_frames", report->passed_frames);
	set_number(object, "held_ms", report->held_ns / NS_PER_MS);
	set_number(object, "marks", report->marks);
	set_number(object, "drops", report->drops);
	if (report->n_delays == 0)
		return;
	json_object_set_new(object, "delay_p50_us", json_real((double)report->p50_ns / NS_PER_US));
	json_object_set_new(object, "delay_p99_us", json_real((double)report->p99_ns / NS_PER_US));
}

/* Whom it borrowed from: the largest lenders, then the sum of all others. */
static int set_lenders(json_t *object, const struct reports *reports,
		       const struct contracts *contracts, uint32_t id, enum dp_way way,
		       enum window_span span, uint64_t span_ns)
{
	struct report_lender *lenders;
	json_t *list = json_array();
	uint64_t others_bytes = 0;
	size_t n;
	int error = reports_list_lenders(reports, id, way, span, &lenders, &n);

	for (size_t i = 0; i < n; i++) {
		const struct contract *lender = contracts_find(contracts, lenders[i].id);

		if (i >= LENDERS_MAX || lender == NULL)
			others_bytes += lenders[i].bytes;
		else
			json_array_append_new(list,
					      json_pack("{s:s, s:o}", "channel", lender->name,
							"bps", rate_of(lenders[i].bytes, span_ns)));
	}
	free(lenders);
	json_object_set_new(object, "borrowed_from", list);
	json_object_set_new(object, "borrowed_of_others_bps", rate_of(others_bytes, span_ns));
	return error;
}

static void set_terms(json_t *object, const struct contract_way *terms)
{
	set_number(object, "assured_bps", terms->assured_bps);
	set_number(object, "ceiling_bps", terms->ceiling_bps);
	set_number(object, "weight", terms->weight);
	set_number(object, "loans_out_bps", terms->lent_bps);
	set_number(object, "loans_in_bps", terms->borrowed_bps);
}

static int format_way(const struct control *control, const struct contracts *contracts,
		      const struct contract *contract, enum dp_way way, json_t *object)
{
	const struct meter *meter = fastpath_meter(control->fastpath);
	int error = 0;

	set_terms(object, &contract->ways[way]);
	set_number(object, "queued_bytes",
		   reports_queued_bytes(control->reports, meter, contract->id, way));
	for (enum window_span span = 0; span < WINDOW_SPANS && error == 0; span++) {
		struct report report = reports_get(control->reports, contract->id, way, span);
		json_t *part = json_object();

		set_report(part, &report);
		error = set_lenders(part, control->reports, contracts, contract->id, way, span,
				    report.span_ns);
		json_object_set_new(object, span_names[span], part);
	}
	return error;
}

static int format_all(const struct control *control, const struct contracts *contracts, uint32_t id,
		      json_t *object)
{
	const struct contract *contract = contracts_find(contracts, id);
	int error = contract != NULL ? 0 : -ENOENT;

	if (contract != NULL) {
		json_object_set_new(object, "channel", json_string(contract->name));
		json_object_set_new(object, "pool", json_string(contract->pool));
	}
	for (enum dp_way way = 0; way < DP_WAYS && error == 0; way++) {
		json_t *part = json_object();

		error = format_way(control, contracts, contract, way, part);
		json_object_set_new(object, way_names[way], part);
	}
	return error;
}

int api_get_report(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem)
{
	const struct control *control = ctx;
	struct model_channel fallback;
	const struct model_object *channel = api_find_shown(control, request, &fallback, problem);
	struct contracts contracts;

	if (channel == NULL)
		return -ENOENT;
	int error = contracts_list(control->model, &contracts);
	if (error < 0)
		return problem_system(problem, error, "answering");
	json_t *object = json_object();
	error = format_all(control, &contracts, (uint32_t)channel->id, object);
	contracts_fini(&contracts);
	if (error == 0)
		return api_reply(control, object, reply, problem);
	json_decref(object);
	return problem_system(problem, error, "answering");
}

static int read_span(const struct http_request *request, enum window_span *span,
		     struct problem *problem)
{
	const char *word = http_query(request, "span");

	for (*span = 0; *span < WINDOW_SPANS; ++*span) {
		if (strcmp(word != NULL ? word : span_names[0], span_names[*span]) == 0)
			return 0;
	}
	return problem_set(problem, -EINVAL, 422, "value-invalid",
			   "span: %.40s is not second, minute or hour", word);
}

static json_t *format_row(const struct control *control, const struct contract *contract,
			  enum dp_way way, enum window_span span)
{
	struct report report = reports_get(control->reports, contract->id, way, span);
	json_t *row = json_pack("{s:s, s:s, s:s}", "channel", contract->name, "pool",
				contract->pool, "way", way_names[way]);

	set_terms(row, &contract->ways[way]);
	set_number(row, "queued_bytes",
		   reports_queued_bytes(control->reports, fastpath_meter(control->fastpath),
					contract->id, way));
	set_report(row, &report);
	return row;
}

int api_list_reports(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem)
{
	const struct control *control = ctx;
	struct contracts contracts;
	enum window_span span;
	int error = read_span(request, &span, problem);

	if (error < 0)
		return error;
	error = contracts_list(control->model, &contracts);
	if (error < 0)
		return problem_system(problem, error, "answering");
	json_t *list = json_array();
	for (size_t i = 0; i < contracts.n; i++) {
		for (enum dp_way way = 0; way < DP_WAYS; way++)
			json_array_append_new(list,
					      format_row(control, &contracts.items[i], way, span));
	}
	contracts_fini(&contracts);
	return api_reply(control, json_pack("{s:o}", "reports", list), reply, problem);
}
