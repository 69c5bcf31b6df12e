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
	{.key = "lost", .heading = "LOST", .right = true, .rare = true},
	{.key = "drops", .heading = "DROPS", .right = true},
};

static const struct print_column drops_columns[] = {
	{.key = "port", .heading = "PORT", .format = cell_port},
	{.key = "reason", .heading = "REASON"},
	{.key = "frames", .heading = "FRAMES", .right = true},
	{.key = "help", .heading = "MEANING"},
};

/* One answer of a walk that begins at `path`; position "" : the first. Then *position is where the
 * next begins, "" : there is none. */
static int get_page(const struct call *call, const char *path, char position[24], json_t **answer)
{
	char page[CLIENT_PATH_BYTES] = "";
	int code = CALL_DONE;

	client_path_add(page, path);
	if (*position)
		code = call_add_query(call, page, "after", position);
	if (!code)
		code = call_get(call, page, answer);
	if (code)
		return code;
	const char *next = json_string_value(json_object_get(*answer, "next"));

	snprintf(position, 24, "%s", next ? next : "");
	return CALL_DONE;
}

/* As it is, all pages in one. */
static int print_raw_pages(const struct call *call, const char *path, char position[24],
			   json_t *first)
{
	json_t *entries = json_object_get(first, "entries"), *answer;

	while (*position) {
		int code = get_page(call, path, position, &answer);

		if (code)
			return code;
		json_array_extend(entries, json_object_get(answer, "entries"));
		json_decref(answer);
	}
	json_object_del(first, "next");
	return call_print_raw(call, first);
}

/* Page by page, each sorted by itself: a million entries need no memory here. */
static int print_pages(const struct call *call, const char *path)
{
	char position[24] = "";
	json_t *answer;
	int code;

	do {
		code = get_page(call, path, position, &answer);
		if (code)
			return code;
		if (call_is_raw(call))
			code = print_raw_pages(call, path, position, answer);
		else
			code = call_print_rows(call, answer, "entries", fdb_columns,
					       sizeof(fdb_columns) / sizeof(fdb_columns[0]));
		json_decref(answer);
	} while (!code && *position);
	return code;
}

int cmd_stats_fdb(const struct call *call)
{
	char path[CLIENT_PATH_BYTES] = "/v1/fdb";
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
	return code ? code : print_pages(call, path);
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

/* Adds the counter `carried` of a row to its `own`. */
static void add_to(json_t *row, const char *own, const char *carried)
{
	json_int_t sum = json_integer_value(json_object_get(row, own)) +
			 json_integer_value(json_object_get(row, carried));

	json_object_set_new(row, own, json_integer(sum));
}

/* What went over the wire of an uplink is its own frames and those that it carried for tunnels. */
static void add_carried(json_t *answer)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(answer, "ports"), i, row) {
		add_to(row, "rx_frames", "carried_rx_frames");
		add_to(row, "rx_bytes", "carried_rx_bytes");
		add_to(row, "tx_frames", "carried_tx_frames");
		add_to(row, "tx_bytes", "carried_tx_bytes");
	}
}

/* Below the ports, as it is nobody's in particular. */
static void print_memory(const struct call *call, const json_t *answer)
{
	const json_t *memory = json_object_get(answer, "memory_bytes");
	char cell[32];

	if (json_integer_value(memory) == 0)
		return;
	print_cell_bytes(memory, cell, sizeof(cell));
	fprintf(call->out, "memory of weft-dataplane: %s\n", cell);
}

int cmd_stats_run(const struct call *call)
{
	json_t *answer;
	int code = get_by_port(call, "/v1/stats", &answer);

	if (code)
		return code;
	if (!call_is_raw(call) && call->n_words == 0)
		append_retired(answer);
	if (!call_is_raw(call))
		add_carried(answer);
	code = call_print_rows(call, answer, "ports", stats_columns,
			       sizeof(stats_columns) / sizeof(stats_columns[0]));
	if (!code && !call_is_raw(call) && call->n_words == 0)
		print_memory(call, answer);
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
