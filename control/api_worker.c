/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers for workers: who polls which queue, how busy they are, and moves by hand. All of it is
 * the dataplane's: nothing is stored. Runs on weftd's thread.
 */
#include "control/api_worker.h"

#include <errno.h>
#include <string.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/table.h"

static json_t *format_percent(unsigned int permille)
{
	return json_real((double)permille / 10);
}

json_t *api_worker_format(const struct meter *meter)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < meter->header->n_workers; i++) {
		struct counters_worker worker = meter_worker(meter, i);

		json_array_append_new(
			list, json_pack("{s:i, s:i, s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
					"worker", (int)i, "cpu", (int)worker.cpu, "queues",
					(int)worker.n_queues, "busy_percent",
					format_percent(worker.busy_permille), "turns",
					(json_int_t)worker.turns, "busy_cycles",
					(json_int_t)worker.busy_cycles, "idle_cycles",
					(json_int_t)worker.idle_cycles, "busy_frames",
					(json_int_t)worker.busy_frames, "sleeps",
					(json_int_t)worker.sleeps, "learn_lost",
					(json_int_t)worker.learn_lost, "tsc_hz",
					(json_int_t)meter->header->tsc_hz));
	}
	return list;
}

struct listing {
	const struct model *model;
	struct table ports; /* id -> index in the model's */
	json_t *queues;
};

static void take_queue(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	const struct dp_queue *queue = (const void *)message;
	struct listing *listing = ctx;

	if (message->type != DP_QUEUE)
		return;
	const struct table_row *row = table_find(&listing->ports, queue->port_id);

	/* Of a port that goes just now. */
	if (row == NULL)
		return;
	json_array_append_new(listing->queues,
			      json_pack("{s:s, s:i, s:i, s:b, s:o}", "port",
					listing->model->ports[row->digest]->name, "queue",
					(int)queue->queue, "worker", (int)queue->worker, "pinned",
					(int)queue->is_pinned, "busy_percent",
					format_percent(queue->busy_permille)));
}

int api_get_workers(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	struct control *control = ctx;
	struct listing listing = {.model = control->model, .queues = json_array()};
	int error = 0;

	for (size_t i = 0; i < control->model->n_ports && error == 0; i++)
		error = table_put(
			&listing.ports,
			(struct table_row){.id = control->model->ports[i]->id, .digest = i});
	if (error < 0)
		error = problem_system(problem, error, "answering");
	else
		error = fastpath_ask(control->fastpath, DP_QUEUE_DUMP, NULL, 0, take_queue,
				     &listing, problem);
	table_fini(&listing.ports);
	if (error < 0) {
		json_decref(listing.queues);
		return error;
	}
	return api_reply(control,
			 json_pack("{s:o, s:o}", "workers",
				   api_worker_format(fastpath_meter(control->fastpath)), "queues",
				   listing.queues),
			 reply, problem);
}

static int refuse(struct problem *problem, const char *key, const char *what)
{
	return problem_set(problem, -EINVAL, 422, "value-invalid",
			   "%s: %s, as {\"port\": \"web0\", \"queue\": 0, \"worker\": 1}", key,
			   what);
}

/* {"port": NAME, "queue": N, "worker": N or "auto"} */
static int read_move(const struct control *control, const json_t *body, struct dp_queue *move,
		     struct problem *problem)
{
	json_t *port_name = json_object_get(body, "port");
	json_t *queue = json_object_get(body, "queue");
	json_t *worker = json_object_get(body, "worker");
	const char *word = json_string_value(worker);

	if (!json_is_object(body) || json_object_size(body) != 3)
		return refuse(problem, "move", "give port, queue and worker");
	if (!json_is_string(port_name))
		return refuse(problem, "port", "give the name of a port");
	if (!json_is_integer(queue) || json_integer_value(queue) < 0 ||
	    json_integer_value(queue) >= PORT_QUEUES_MAX)
		return refuse(problem, "queue", "give a number from 0");
	if (json_is_integer(worker) && json_integer_value(worker) >= 0 &&
	    json_integer_value(worker) < DP_WORKER_ANY)
		move->worker = (uint16_t)json_integer_value(worker);
	else if (word != NULL && strcmp(word, "auto") == 0)
		move->worker = DP_WORKER_ANY;
	else
		return refuse(problem, "worker", "give a number from 0, or \"auto\"");
	const struct model_port *port =
		api_find_port(control, json_string_value(port_name), problem);

	if (port == NULL)
		return -ENOENT;
	move->port_id = port->id;
	move->queue = (uint16_t)json_integer_value(queue);
	return 0;
}

int api_move_queue(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem)
{
	const struct control *control = ctx;
	struct dp_queue move = {0};
	json_t *body = NULL;
	int error = api_check_match(control, request, problem);

	if (error == 0)
		error = api_read_json(request, &body, problem);
	if (error == 0)
		error = read_move(control, body, &move, problem);
	if (error == 0)
		error = fastpath_ask(control->fastpath, DP_QUEUE_MOVE, &move, sizeof(move), NULL,
				     NULL, problem);
	if (error < 0) {
		json_decref(body);
		return error;
	}
	return api_reply(control, body, reply, problem);
}
