/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers for counters: read from the dataplane's memory, summed over its workers. The slot of a
 * port is asked of the dataplane first, so a port made a moment ago counts too. Runs on weftd's
 * thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/api.h"
#include "control/api_worker.h"
#include "control/fastpath.h"

static json_t *format_block(const struct counters_block *sum)
{
	/* The last four are an uplink's: outer frames of tunnels, which count at the peers. */
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{"rx_frames", sum->rx_frames},
		{"rx_bytes", sum->rx_bytes},
		{"rx_gso_frames", sum->rx_gso_frames},
		{"tx_frames", sum->tx_frames},
		{"tx_bytes", sum->tx_bytes},
		{"tx_gso_frames", sum->tx_gso_frames},
		{"generated", sum->generated},
		{"copies", sum->copies},
		{"segments", sum->segments},
		{"queued", sum->queued},
		{"carried_rx_frames", sum->carried_rx_frames},
		{"carried_rx_bytes", sum->carried_rx_bytes},
		{"carried_tx_frames", sum->carried_tx_frames},
		{"carried_tx_bytes", sum->carried_tx_bytes},
	};
	json_t *object = json_object();
	uint64_t drops = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_object_set_new(object, counts[i].key,
				    json_integer((json_int_t)counts[i].value));
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		drops += sum->drops[i];
	json_object_set_new(object, "drops", json_integer((json_int_t)drops));
	return object;
}

/* What both handlers walk over: each port of the model (or the one asked for) with its sums. */
typedef void (*port_fn)(json_t *list, const struct control *control, const struct model_port *port,
			const struct dp_port_state *state, const struct counters_block *sum);

static int walk_ports(struct control *control, const struct http_request *request, port_fn fn,
		      json_t *list, struct problem *problem)
{
	const char *only = http_query(request, "port");

	if (only != NULL && api_find_port(control, only, problem) == NULL)
		return -ENOENT;
	fastpath_look(control->fastpath);
	/* The question may have shown that the dataplane is gone. */
	const struct meter *meter = fastpath_meter(control->fastpath);
	for (size_t i = 0; i < control->model->n_ports && meter != NULL; i++) {
		const struct model_port *port = control->model->ports[i];
		struct dp_port_state state = fastpath_state(control->fastpath, port->id);
		struct counters_block sum = {0};

		if (only != NULL && strcmp(only, port->name) != 0)
			continue;
		if (state.counters_slot != METER_RETIRED_SLOT)
			sum = meter_sum(meter, state.counters_slot);
		fn(list, control, port, &state, &sum);
	}
	return meter != NULL ? 0 : fastpath_unreachable(control->fastpath, problem);
}

static void add_stats(json_t *list, const struct control *control, const struct model_port *port,
		      const struct dp_port_state *state, const struct counters_block *sum)
{
	json_t *object = format_block(sum);

	json_object_set_new(object, "name", json_string(port->name));
	json_object_set_new(object, "segment", json_string(port->segment));
	json_object_set_new(object, "lost",
			    json_integer((json_int_t)api_port_lost(control, port, state)));
	json_array_append_new(list, object);
}

int api_get_stats(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem)
{
	struct control *control = ctx;
	json_t *ports = json_array();
	int error = walk_ports(control, request, add_stats, ports, problem);

	if (error < 0) {
		json_decref(ports);
		return error;
	}
	const struct meter *meter = fastpath_meter(control->fastpath);
	struct counters_block retired = meter_sum(meter, METER_RETIRED_SLOT);
	return api_reply(control,
			 json_pack("{s:o, s:o, s:o, s:I}", "ports", ports, "retired",
				   format_block(&retired), "workers", api_worker_format(meter),
				   "memory_bytes", (json_int_t)meter_memory_bytes(meter)),
			 reply, problem);
}

static void add_reasons(json_t *list, const char *port, const struct counters_block *sum)
{
	for (unsigned int i = 0; i < DROP_COUNT; i++) {
		if (sum->drops[i] == 0)
			continue;
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:I}", "port", port, "reason",
						drop_reason_name(i), "help", drop_reason_help(i),
						"frames", (json_int_t)sum->drops[i]));
	}
}

static void add_drops(json_t *list, const struct control *control, const struct model_port *port,
		      const struct dp_port_state *state, const struct counters_block *sum)
{
	add_reasons(list, port->name, sum);
}

int api_get_drops(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem)
{
	struct control *control = ctx;
	json_t *drops = json_array();
	int error = walk_ports(control, request, add_drops, drops, problem);

	if (error < 0) {
		json_decref(drops);
		return error;
	}
	if (http_query(request, "port") == NULL) {
		struct counters_block retired =
			meter_sum(fastpath_meter(control->fastpath), METER_RETIRED_SLOT);

		add_reasons(drops, "", &retired);
	}
	return api_reply(control, json_pack("{s:o}", "drops", drops), reply, problem);
}
