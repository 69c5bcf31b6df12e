/* SPDX-License-Identifier: BSD-3-Clause */
/* weft why: weftd's walk from one machine to another, line by line, and its verdict. */
#include <string.h>

#include "cli/call.h"
#include "cli/cmds.h"

static int read_size(const struct call *call, const char *word, const char **size)
{
	char key[16];

	if (args_split(word, key, sizeof(key), size) < 0 || strcmp(key, "size") != 0)
		return call_usage(call, "%.40s: say size=BYTES, or nothing", word);
	return CALL_DONE;
}

int cmd_why_run(const struct call *call)
{
	char path[CLIENT_PATH_BYTES] = "/v1/why", verdict[PRINT_CELL_BYTES * 2];
	const char *size = NULL;
	json_t *answer;
	int code = call->n_words > 2 ? read_size(call, call->words[2], &size) : CALL_DONE;

	if (!code)
		code = call_add_query(call, path, "from", call->words[0]);
	if (!code)
		code = call_add_query(call, path, "to", call->words[1]);
	if (!code && size)
		code = call_add_query(call, path, "size", size);
	if (!code)
		code = call_get(call, path, &answer);
	if (code)
		return code;
	bool is_blocked = json_is_true(json_object_get(answer, "blocked"));

	if (call_is_raw(call)) {
		code = call_print_raw(call, answer);
	} else {
		print_cell_plain(json_object_get(answer, "verdict"), verdict, sizeof(verdict));
		cmd_doctor_print(call->out, json_object_get(answer, "checks"));
		fprintf(call->out, "%s%s\n", is_blocked ? "blocked: " : "", verdict);
	}
	json_decref(answer);
	return code ? code : is_blocked ? CALL_FALSE : CALL_DONE;
}
