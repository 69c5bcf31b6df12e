/* SPDX-License-Identifier: BSD-3-Clause */
/* Handler for Prometheus: gathers what metrics.c writes. Runs on weftd's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/contracts.h"
#include "control/fastpath.h"
#include "control/metrics.h"
#include "control/reports.h"

/* The arrays that struct metrics points to. */
struct gathering {
	struct metrics_segment *segments;
	struct metrics_port *ports;
	struct counters_worker *workers;
	struct metrics_channel *channels;
};

/* The model keeps segments in the order of their names. */
static int compare_segments(const void *a, const void *b)
{
	const struct metrics_segment *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void gather_ports(const struct control *control, const struct meter *meter,
			 struct gathering *gathering, struct metrics *metrics)
{
	const struct model *model = control->model;

	for (size_t i = 0; i < model->n_segments; i++)
		gathering->segments[metrics->n_segments++] = (struct metrics_segment){
			.name = model->segments[i]->name,
			.vni = model->segments[i]->vni,
		};
	for (size_t i = 0; i < model->n_ports; i++) {
		const struct model_port *port = model->ports[i];
		struct dp_port_state state = fastpath_state(control->fastpath, port->id);
		struct metrics_segment key = {.name = port->segment};
		struct metrics_segment *segment =
			bsearch(&key, gathering->segments, metrics->n_segments, sizeof(key),
				compare_segments);
		struct metrics_port *row = &gathering->ports[metrics->n_ports++];

		*row = (struct metrics_port){
			.name = port->name,
			.segment = port->segment,
			.vm = port->vm,
			.is_up = state.link == DP_LINK_UP,
			.is_broken = state.link == DP_LINK_BROKEN,
			.attaches = state.attaches,
			.lost = api_port_lost(control, port, &state),
		};
		if (segment != NULL)
			segment->n_ports++;
		if (meter != NULL && state.counters_slot != METER_RETIRED_SLOT)
			row->sum = meter_sum(meter, state.counters_slot);
	}
}

/* Ports that are gone: without them a sum over all ports could go back. */
static void gather_rest(const struct meter *meter, struct gathering *gathering,
			struct metrics *metrics)
{
	metrics->tsc_hz = meter->header->tsc_hz;
	gathering->ports[metrics->n_ports++] = (struct metrics_port){
		.name = "",
		.segment = "",
		.vm = "",
		.sum = meter_sum(meter, METER_RETIRED_SLOT),
	};
	for (uint32_t i = 0; i < meter->header->n_workers; i++)
		gathering->workers[metrics->n_workers++] = meter_worker(meter, i);
}

/* Terms are told of all, counts of those that ever moved. */
static void gather_channels(const struct control *control, const struct meter *meter,
			    const struct contracts *contracts, struct gathering *gathering,
			    struct metrics *metrics)
{
	static const char *const way_names[DP_WAYS] = {"tx", "rx"};

	for (size_t i = 0; i < contracts->n * DP_WAYS; i++) {
		const struct contract *contract = &contracts->items[i / DP_WAYS];
		enum dp_way way = i % DP_WAYS;
		struct metrics_channel *row = &gathering->channels[metrics->n_channels++];

		*row = (struct metrics_channel){
			.name = contract->name,
			.pool = contract->pool,
			.way = way_names[way],
			.assured_bps = contract->ways[way].assured_bps,
			.ceiling_bps = contract->ways[way].ceiling_bps,
		};
		row->has_counted = meter != NULL &&
				   reports_total(control->reports, contract->id, way, &row->total);
		if (!row->has_counted)
			continue;
		struct report report =
			reports_get(control->reports, contract->id, way, WINDOW_MINUTE);

		row->queued_bytes =
			reports_queued_bytes(control->reports, meter, contract->id, way);
		row->n_delays = report.n_delays;
		row->p50_ns = report.p50_ns;
		row->p99_ns = report.p99_ns;
	}
}

static char *write_all(const struct control *control, const struct contracts *contracts)
{
	const struct meter *meter = fastpath_meter(control->fastpath);
	struct metrics metrics = {.version = WEFT_VERSION,
				  .host = control->host,
				  .is_up = meter != NULL &&
					   fastpath_silence_ms(control->fastpath) == 0,
				  .has_counters = meter != NULL};
	struct gathering gathering = {
		.segments = calloc(control->model->n_segments + 1, sizeof(struct metrics_segment)),
		.ports = calloc(control->model->n_ports + 1, sizeof(struct metrics_port)),
		.workers = calloc((meter != NULL ? meter->header->n_workers : 0) + 1,
				  sizeof(struct counters_worker)),
		.channels = calloc(contracts->n * DP_WAYS + 1, sizeof(struct metrics_channel)),
	};
	char *text = NULL;

	if (gathering.segments != NULL && gathering.ports != NULL && gathering.workers != NULL &&
	    gathering.channels != NULL) {
		gather_ports(control, meter, &gathering, &metrics);
		if (meter != NULL)
			gather_rest(meter, &gathering, &metrics);
		gather_channels(control, meter, contracts, &gathering, &metrics);
		metrics.segments = gathering.segments;
		metrics.ports = gathering.ports;
		metrics.workers = gathering.workers;
		metrics.channels = gathering.channels;
		text = metrics_write(&metrics);
	}
	free(gathering.segments);
	free(gathering.ports);
	free(gathering.workers);
	free(gathering.channels);
	return text;
}

int api_get_metrics(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	const struct control *control = ctx;
	struct contracts contracts;

	if (contracts_list(control->model, &contracts) < 0)
		return problem_system(problem, -ENOMEM, "answering");
	fastpath_look(control->fastpath);
	reply->text = write_all(control, &contracts);
	contracts_fini(&contracts);
	reply->text_type = METRICS_TYPE;
	return reply->text != NULL ? 0 : problem_system(problem, -ENOMEM, "answering");
}
