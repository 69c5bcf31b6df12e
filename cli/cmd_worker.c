/* SPDX-License-Identifier: BSD-3-Clause */
/* weft worker ...: who polls which queue, and moving one. */
#include "cli/cmds.h"

#include <stdlib.h>
#include <string.h>

#include "cli/call.h"

static void cell_percent(const json_t *value, char *cell, size_t cell_bytes)
{
	snprintf(cell, cell_bytes, "%.1f%%", json_number_value(value));
}

static const struct print_column worker_columns[] = {
	{.key = "worker", .heading = "WORKER", .right = true},
	{.key = "cpu", .heading = "CPU", .right = true},
	{.key = "queues", .heading = "QUEUES", .right = true},
	{.key = "busy_percent", .heading = "BUSY", .format = cell_percent, .right = true},
	{.key = "busy_frames", .heading = "FRAMES", .right = true},
	{.key = "busy_cycles", .heading = "BUSY-CYCLES", .right = true},
	{.key = "idle_cycles", .heading = "IDLE-CYCLES", .right = true},
	{.key = "turns", .heading = "TURNS", .right = true},
	{.key = "sleeps", .heading = "SLEEPS", .right = true},
};

static const struct print_column queue_columns[] = {
	{.key = "port", .heading = "PORT"},
	{.key = "queue", .heading = "QUEUE", .right = true},
	{.key = "worker", .heading = "WORKER", .right = true},
	{.key = "pinned", .heading = "PINNED"},
	{.key = "busy_percent", .heading = "BUSY", .format = cell_percent, .right = true},
};

static int print_part(const struct call *call, const char *key, const struct print_column *columns,
		      size_t n_columns)
{
	json_t *answer;
	int code = call_get(call, "/v1/workers", &answer);

	if (code)
		return code;
	code = call_print_rows(call, answer, key, columns, n_columns);
	json_decref(answer);
	return code;
}

int cmd_worker_list(const struct call *call)
{
	return print_part(call, "workers", worker_columns,
			  sizeof(worker_columns) / sizeof(worker_columns[0]));
}

int cmd_worker_queues(const struct call *call)
{
	return print_part(call, "queues", queue_columns,
			  sizeof(queue_columns) / sizeof(queue_columns[0]));
}

/* A number, or NULL: then it is none. */
static json_t *read_number(const char *word)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);

	return *word >= '0' && *word <= '9' && *end == '\0' && number <= 65535
		       ? json_integer((json_int_t)number)
		       : NULL;
}

int cmd_worker_move(const struct call *call)
{
	json_t *queue = read_number(call->words[1]);
	json_t *worker = strcmp(call->words[2], "auto") == 0 ? json_string("auto")
							     : read_number(call->words[2]);
	json_t *answer;

	if (queue == NULL || worker == NULL) {
		const char *bad = call->words[queue == NULL ? 1 : 2];

		json_decref(queue);
		json_decref(worker);
		return call_usage(call, "'%s' is no number", bad);
	}
	json_t *move = json_pack("{s:s, s:o, s:o}", "port", call->words[0], "queue", queue,
				 "worker", worker);
	char *body = json_dumps(move, 0);
	struct client_request request = {
		.method = "POST",
		.path = "/v1/workers/move",
		.body = body,
		.body_bytes = body != NULL ? strlen(body) : 0,
	};
	int code = call_ask(call, &request, &answer);

	free(body);
	json_decref(move);
	if (code)
		return code;
	if (call_is_raw(call))
		code = call_print_raw(call, answer);
	json_decref(answer);
	return code;
}
