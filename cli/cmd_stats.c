/* SPDX-License-Identifier: BSD-3-Clause */
/* weft fdb, stats, drops: what the dataplane has seen and counted. */
#include "cli/cmds.h"

#include <string.h>

#include "cli/call.h"

/* Frames of ports that are gone keep counting, under no name. */
static void cell_port(const json_t *value, char *cell, size_t cell_bytes)
{
	if (json_string_length(value) > 0)
		print_cell_plain(value, cell, cell_bytes);
	else
		snprintf(cell, cell_bytes, "(gone)");
}

static void cell_kind(const json_t *value, char *cell, size_t cell_bytes)
{
	snprintf(cell, cell_bytes, "%s", json_is_true(value) ? "static" : "learned");
}

static const struct print_column fdb_columns[] = {
	{.key = "segment", .heading = "SEGMENT"},
	{.key = "mac", .heading = "MAC"},
	{.key = "port", .heading = "PORT"},
	{.key = "vm", .heading = "VM"},
	{.key = "age_s", .heading = "AGE", .format = print_cell_duration_s, .right = true},
	{.key = "static", .heading = "KIND", .format = cell_kind},
};

static const struct print_column stats_columns[] = {
	{.key = "name", .heading = "PORT", .format = cell_port},
	{.key = "segment", .heading = "SEGMENT"},
	{.key = "rx_frames", .heading = "RX-FRAMES", .right = true},
	{.key = "rx_bytes", .heading = "RX-BYTES", .format = print_cell_bytes, .right = true},
	{.key = "rx_gso_frames", .heading = "RX-GSO", .right = true},
	{.key = "tx_frames", .heading = "TX-FRAMES", .right = true},
	{.key = "tx_bytes", .heading = "TX-BYTES", .format = print_cell_bytes, .right = true},
	{.key = "tx_gso_frames", .heading = "TX-GSO", .right = true},
	{.key = "drops", .heading = "DROPS", .right = true},
};

static const struct print_column drops_columns[] = {
	{.key = "port", .heading = "PORT", .format = cell_port},
	{.key = "reason", .heading = "REASON"},
	{.key = "frames", .heading = "FRAMES", .right = true},
	{.key = "help", .heading = "MEANING"},
};

int cmd_stats_fdb(const struct call *call)
{
	char path[CLIENT_PATH_BYTES] = "/v1/fdb";
	json_t *answer;
	int code = CALL_DONE;

	for (int i = 0; i < call->n_words && !code; i++) {
		const char *value;
		char key[64];

		if (args_split(call->words[i], key, sizeof(key), &value) ||
		    (strcmp(key, "segment") != 0 && strcmp(key, "port") != 0))
			return call_usage(call, "'%s' is neither segment=SEGMENT nor port=PORT",
					  call->words[i]);
		code = call_add_query(call, path, key, value);
	}
	if (!code)
		code = call_get(call, path, &answer);
	if (code)
		return code;
	code = call_print_rows(call, answer, "entries", fdb_columns,
			       sizeof(fdb_columns) / sizeof(fdb_columns[0]));
	json_decref(answer);
	return code;
}

static int get_by_port(const struct call *call, const char *path, json_t **answer)
{
	char with_port[CLIENT_PATH_BYTES] = "";
	int code;

	if (call->n_words == 0)
		return call_get(call, path, answer);
	client_path_add(with_port, path);
	code = call_add_query(call, with_port, "port", call->words[0]);
	return code ? code : call_get(call, with_port, answer);
}

/* What ports that are gone have counted is part of the sums: a row of its own, if there is any. */
static void append_retired(json_t *answer)
{
	json_t *retired = json_object_get(answer, "retired");

	if (json_integer_value(json_object_get(retired, "rx_frames")) ||
	    json_integer_value(json_object_get(retired, "tx_frames")) ||
	    json_integer_value(json_object_get(retired, "drops")))
		json_array_append(json_object_get(answer, "ports"), retired);
}

int cmd_stats_run(const struct call *call)
{
	json_t *answer;
	int code = get_by_port(call, "/v1/stats", &answer);

	if (code)
		return code;
	if (!call_is_raw(call) && call->n_words == 0)
		append_retired(answer);
	code = call_print_rows(call, answer, "ports", stats_columns,
			       sizeof(stats_columns) / sizeof(stats_columns[0]));
	json_decref(answer);
	return code;
}

int cmd_stats_drops(const struct call *call)
{
	json_t *answer;
	int code = get_by_port(call, "/v1/drops", &answer);

	if (code)
		return code;
	code = call_print_rows(call, answer, "drops", drops_columns,
			       sizeof(drops_columns) / sizeof(drops_columns[0]));
	json_decref(answer);
	return code;
}
