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
#include "control/states.h"

#define RETIRED_SLOT 0

/* Workers write while we read: each counter is right, their sums are a moment apart. */
static uint64_t load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static const struct counters_block *block_of(const struct counters_header *header, uint32_t slot,
					     uint32_t worker)
{
	const struct counters_block *blocks =
		(const void *)((const uint8_t *)header + header->blocks_offset);

	return &blocks[(size_t)slot * header->n_workers + worker];
}

static struct counters_block sum_slot(const struct counters_header *header, uint32_t slot)
{
	struct counters_block sum = {0};

	for (uint32_t w = 0; w < header->n_workers; w++) {
		const struct counters_block *block = block_of(header, slot, w);

		sum.rx_frames += load(&block->rx_frames);
		sum.rx_bytes += load(&block->rx_bytes);
		sum.rx_gso_frames += load(&block->rx_gso_frames);
		sum.tx_frames += load(&block->tx_frames);
		sum.tx_bytes += load(&block->tx_bytes);
		sum.tx_gso_frames += load(&block->tx_gso_frames);
		sum.generated += load(&block->generated);
		sum.copies += load(&block->copies);
		sum.segments += load(&block->segments);
		sum.queued += load(&block->queued);
		for (unsigned int i = 0; i < DROP_COUNT; i++)
			sum.drops[i] += load(&block->drops[i]);
	}
	return sum;
}

static json_t *format_block(const struct counters_block *sum)
{
	uint64_t drops = 0;

	for (unsigned int i = 0; i < DROP_COUNT; i++)
		drops += sum->drops[i];
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "rx_frames", (json_int_t)sum->rx_frames,
			 "rx_bytes", (json_int_t)sum->rx_bytes,
			 "rx_gso_frames", (json_int_t)sum->rx_gso_frames,
			 "tx_frames", (json_int_t)sum->tx_frames,
			 "tx_bytes", (json_int_t)sum->tx_bytes,
			 "tx_gso_frames", (json_int_t)sum->tx_gso_frames,
			 "generated", (json_int_t)sum->generated,
			 "copies", (json_int_t)sum->copies,
			 "segments", (json_int_t)sum->segments,
			 "queued", (json_int_t)sum->queued,
			 "drops", (json_int_t)drops);
}

/* What both handlers walk over: each port of the model (or the one asked for) with its sums. */
typedef void (*port_fn)(json_t *list, const struct model_port *port,
			const struct counters_block *sum);

static int walk_ports(struct control *control, const struct http_request *request, port_fn fn,
		      json_t *list, struct problem *problem)
{
	const struct counters_header *header = fastpath_counters(control->fastpath);
	const char *only = http_query(request, "port");
	struct states states;

	if (only != NULL && api_find_port(control, only, problem) == NULL)
		return -ENOENT;
	if (states_read(control->fastpath, &states) < 0)
		return problem_system(problem, -ENOMEM, "answering");
	/* The question may have shown that the dataplane is gone. */
	header = fastpath_counters(control->fastpath);
	for (size_t i = 0; i < control->model->n_ports && header != NULL; i++) {
		const struct model_port *port = control->model->ports[i];
		struct dp_port_state state = states_find(&states, control->fastpath, port->id);
		struct counters_block sum = {0};

		if (only != NULL && strcmp(only, port->name) != 0)
			continue;
		if (state.counters_slot > RETIRED_SLOT && state.counters_slot < header->n_slots)
			sum = sum_slot(header, state.counters_slot);
		fn(list, port, &sum);
	}
	states_fini(&states);
	if (header != NULL)
		return 0;
	return problem_set(problem, -ENOTCONN, 503, "dataplane-unreachable",
			   "weft-dataplane does not answer; see: systemctl status weft-dataplane");
}

static void add_stats(json_t *list, const struct model_port *port, const struct counters_block *sum)
{
	json_t *object = format_block(sum);

	json_object_set_new(object, "name", json_string(port->name));
	json_object_set_new(object, "segment", json_string(port->segment));
	json_array_append_new(list, object);
}

static json_t *format_workers(const struct counters_header *header)
{
	const struct counters_worker *workers =
		(const void *)((const uint8_t *)header + header->workers_offset);
	json_t *list = json_array();

	for (uint32_t i = 0; i < header->n_workers; i++) {
		const struct counters_worker *worker = &workers[i];

		json_array_append_new(list, json_pack(
			"{s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			"turns", (json_int_t)load(&worker->turns),
			"busy_cycles", (json_int_t)load(&worker->busy_cycles),
			"idle_cycles", (json_int_t)load(&worker->idle_cycles),
			"busy_frames", (json_int_t)load(&worker->busy_frames),
			"sleeps", (json_int_t)load(&worker->sleeps),
			"learn_lost", (json_int_t)load(&worker->learn_lost),
			"tsc_hz", (json_int_t)header->tsc_hz));
	}
	return list;
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
	const struct counters_header *header = fastpath_counters(control->fastpath);
	struct counters_block retired = sum_slot(header, RETIRED_SLOT);
	return api_reply(control, json_pack("{s:o, s:o, s:o}", "ports", ports, "retired",
					    format_block(&retired), "workers",
					    format_workers(header)), reply, problem);
}

static void add_reasons(json_t *list, const char *port, const struct counters_block *sum)
{
	for (unsigned int i = 0; i < DROP_COUNT; i++) {
		if (sum->drops[i] == 0)
			continue;
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I}", "port", port, "reason",
						      drop_reason_name(i), "help",
						      drop_reason_help(i), "frames",
						      (json_int_t)sum->drops[i]));
	}
}

static void add_drops(json_t *list, const struct model_port *port, const struct counters_block *sum)
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
			sum_slot(fastpath_counters(control->fastpath), RETIRED_SLOT);

		add_reasons(drops, "", &retired);
	}
	return api_reply(control, json_pack("{s:o}", "drops", drops), reply, problem);
}
