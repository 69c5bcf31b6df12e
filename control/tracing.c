/* SPDX-License-Identifier: BSD-3-Clause */
/* See tracing.h. Runs on weftd's thread. */
#include "control/tracing.h"

#include <errno.h>
#include <string.h>

#include "control/fastpath.h"
#include "control/places.h"
#include "dataplane/api/drop_reasons.h"

void tracing_take(struct tracing *tracing, const struct dp_trace_step *step)
{
	if (tracing->n < DP_TRACE_STEPS_MAX)
		tracing->steps[tracing->n++] = *step;
}

static void take_step(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	if (message->type == DP_TRACE_STEP)
		tracing_take(ctx, (const struct dp_trace_step *)message);
}

int tracing_run(const struct control *control, const struct model_port *port, const uint8_t *bytes,
		size_t n_bytes, struct tracing *tracing, struct problem *problem)
{
	struct dp_trace request = {.port_id = port->id, .n_bytes = (uint32_t)n_bytes};

	tracing->n = 0;
	if (n_bytes == 0 || n_bytes > sizeof(request.bytes))
		return problem_set(problem, -EINVAL, 422, "value-invalid",
				   "frame: %zu bytes; a frame has 1 to %d", n_bytes,
				   DP_TRACE_BYTES);
	memcpy(request.bytes, bytes, n_bytes);
	return fastpath_ask(control->fastpath, DP_TRACE, &request, sizeof(request), take_step,
			    tracing, problem);
}

const struct dp_trace_step *tracing_find(const struct tracing *tracing, enum dp_trace_stage stage,
					 uint64_t port_id)
{
	for (size_t i = tracing->n; i-- > 0;) {
		if (tracing->steps[i].stage == stage &&
		    (port_id == 0 || tracing->steps[i].port_id == port_id))
			return &tracing->steps[i];
	}
	return NULL;
}

const struct dp_trace_step *tracing_first(const struct tracing *tracing,
					  enum dp_trace_verdict verdict, uint64_t port_id,
					  uint64_t other_id)
{
	for (size_t i = 0; i < tracing->n; i++) {
		const struct dp_trace_step *step = &tracing->steps[i];

		if (step->verdict == verdict &&
		    (step->port_id == port_id || step->port_id == other_id))
			return step;
	}
	return NULL;
}

unsigned int tracing_count_receivers(const struct tracing *tracing)
{
	unsigned int n = 0;

	for (size_t i = 0; i < tracing->n; i++)
		n += tracing->steps[i].stage == DP_TRACE_LINK &&
		     tracing->steps[i].verdict != DP_TRACE_DROP;
	return n;
}

static const char *const stage_names[DP_TRACE_STAGES] = {
	[DP_TRACE_PORT] = "port",
	[DP_TRACE_TX_CHANNEL] = "tx-channel",
	[DP_TRACE_DECAP] = "decap",
	[DP_TRACE_CLASSIFY] = "classify",
	[DP_TRACE_GUARD] = "guard",
	[DP_TRACE_LEARN] = "learn",
	[DP_TRACE_ANSWER] = "answer",
	[DP_TRACE_LOOKUP] = "look-up",
	[DP_TRACE_STORM] = "storm",
	[DP_TRACE_SPREAD] = "flood",
	[DP_TRACE_GATE] = "gate",
	[DP_TRACE_TUNNEL] = "tunnel",
	[DP_TRACE_RX_CHANNEL] = "rx-channel",
	[DP_TRACE_LINK] = "link",
	[DP_TRACE_REST] = "rest",
};

static const char *const verdict_names[DP_TRACE_VERDICTS] = {
	[DP_TRACE_PASS] = "pass",
	[DP_TRACE_NOTE] = "note",
	[DP_TRACE_WAIT] = "wait",
	[DP_TRACE_DROP] = "drop",
};

static json_t *format_step(const struct places *places, const struct dp_trace_step *step)
{
	const struct model_port *port = places_port(places, step->port_id);
	const struct model_segment *segment = places_segment(places, step->segment_id);

	if (step->stage == 0 || step->stage >= DP_TRACE_STAGES ||
	    step->verdict >= DP_TRACE_VERDICTS)
		return NULL;
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "stage", stage_names[step->stage],
		"port", port != NULL ? port->name : "", "segment",
		segment != NULL ? segment->name : "", "verdict", verdict_names[step->verdict],
		"reason", step->reason != DROP_NONE ? drop_reason_name(step->reason) : "", "detail",
		step->text, "value", (json_int_t)step->value, "limit", (json_int_t)step->limit);
}

json_t *tracing_format(const struct control *control, const struct tracing *tracing)
{
	json_t *list = json_array();
	struct places places;

	if (list == NULL || places_init(&places, control->model) < 0) {
		json_decref(list);
		return NULL;
	}
	for (size_t i = 0; i < tracing->n; i++)
		json_array_append_new(list, format_step(&places, &tracing->steps[i]));
	places_fini(&places);
	return list;
}
