/* SPDX-License-Identifier: BSD-3-Clause */
/* weft overlay test: what weftd's probes of peers have shown. */
#include <string.h>

#include "cli/call.h"
#include "cli/cmds.h"

/* *json: the answer of one peer's test. */
static int test_peer(const struct call *call, const char *peer, json_t **json)
{
	char path[CLIENT_PATH_BYTES];
	int code = call_name_path(call, path, "/v1/ports", peer);

	if (!code && client_path_add(path, "/test"))
		code = call_usage(call, "the name is too long");
	if (!code)
		code = call_ask(call, &(struct client_request){.method = "POST", .path = path},
				json);
	return code;
}

static int healthy(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "healthy")) ? CALL_DONE : CALL_FALSE;
}

static int test_one(const struct call *call)
{
	json_t *answer;
	int code = test_peer(call, call->words[0], &answer);

	if (code)
		return code;
	if (call_is_raw(call))
		code = call_print_raw(call, answer);
	else
		cmd_doctor_print(call->out, json_object_get(answer, "checks"));
	if (!code)
		code = healthy(answer);
	json_decref(answer);
	return code;
}

/* One after the other: together they would be in each other's way. The answers go into `tests`. */
static int test_all(const struct call *call, const json_t *ports, json_t *tests)
{
	const json_t *port;
	int result = CALL_DONE;
	size_t i;

	json_array_foreach(ports, i, port) {
		const char *type = json_string_value(json_object_get(port, "type"));
		const char *name = json_string_value(json_object_get(port, "name"));
		json_t *answer;

		if (!type || !name || strcmp(type, "peer") != 0)
			continue;
		int code = test_peer(call, name, &answer);

		if (code)
			return code;
		if (!call_is_raw(call)) {
			fprintf(call->out, "%s:\n", name);
			cmd_doctor_print(call->out, json_object_get(answer, "checks"));
			fflush(call->out);
		}
		if (healthy(answer) != CALL_DONE)
			result = CALL_FALSE;
		json_array_append_new(tests, answer);
	}
	return result;
}

int cmd_overlay_test(const struct call *call)
{
	json_t *ports, *all;

	if (call->n_words == 1)
		return test_one(call);
	int code = call_get(call, "/v1/ports", &ports);

	if (code)
		return code;
	json_t *tests = json_array();

	all = json_pack("{s:o}", "tests", tests);
	code = test_all(call, json_object_get(ports, "ports"), tests);
	if (code <= CALL_FALSE && call_is_raw(call)) {
		int error = call_print_raw(call, all);

		code = error ? error : code;
	}
	if (code == CALL_DONE && json_array_size(tests) == 0)
		code = call_fail(call, CALL_FALSE,
				 "there are no peers; see weft help port add, type=peer");
	json_decref(all);
	json_decref(ports);
	return code;
}
