/* SPDX-License-Identifier: BSD-3-Clause */
/* weft port doctor: weftd's examination of a port, line by line. */
#include "cli/call.h"
#include "cli/cmds.h"

void cmd_doctor_print(FILE *out, const json_t *checks)
{
	static const char *const keys[] = {"result", "check", "detail", "fix"};
	const json_t *check;
	size_t i;

	json_array_foreach(checks, i, check) {
		char cells[4][PRINT_CELL_BYTES];

		for (size_t k = 0; k < 4; k++)
			print_cell_plain(json_object_get(check, keys[k]), cells[k],
					 sizeof(cells[k]));
		fprintf(out, "%-4s  %-9s  %s\n", cells[0], cells[1], cells[2]);
		if (json_string_length(json_object_get(check, "fix")) != 0)
			fprintf(out, "%17sfix: %s\n", "", cells[3]);
	}
}

int cmd_doctor_run(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	json_t *answer;
	int code = call_name_path(call, path, "/v1/ports", call->words[0]);

	if (!code && client_path_add(path, "/doctor"))
		code = call_usage(call, "the name is too long");
	if (!code)
		code = call_get(call, path, &answer);
	if (code)
		return code;
	if (call_is_raw(call))
		code = call_print_raw(call, answer);
	else
		cmd_doctor_print(call->out, json_object_get(answer, "checks"));
	if (!code && !json_is_true(json_object_get(answer, "healthy")))
		code = CALL_FALSE;
	json_decref(answer);
	return code;
}
