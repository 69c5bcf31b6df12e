/* SPDX-License-Identifier: BSD-3-Clause */
/* weft where: finds a machine. */
#include "cli/cmds.h"

#include "cli/call.h"

static const struct print_column columns[] = {
	{.key = "segment", .heading = "SEGMENT"},
	{.key = "port", .heading = "PORT"},
	{.key = "vm", .heading = "VM"},
	{.key = "host", .heading = "HOST"},
	{.key = "mac", .heading = "MAC"},
	{.key = "ips", .heading = "IP"},
	{.key = "age_s", .heading = "SEEN", .format = print_cell_duration_s, .right = true},
	{.key = "sources", .heading = "KNOWN-FROM"},
};

int cmd_where_run(const struct call *call)
{
	char path[CLIENT_PATH_BYTES] = "/v1/where";
	json_t *answer;
	int code = call_add_query(call, path, "q", call->words[0]);

	if (!code)
		code = call_get(call, path, &answer);
	if (code)
		return code;
	bool is_found = json_array_size(json_object_get(answer, "places")) > 0;
	if (is_found || call_is_raw(call))
		code = call_print_rows(call, answer, "places", columns,
				       sizeof(columns) / sizeof(columns[0]));
	if (!code && json_is_false(json_object_get(answer, "complete")))
		fprintf(call->err,
			"weft: warning: weft-dataplane does not answer: this is what the "
			"configuration says\n");
	if (!code && !is_found)
		code = call_fail(call, CALL_FALSE, "nobody knows %.80s", call->words[0]);
	json_decref(answer);
	return code;
}
