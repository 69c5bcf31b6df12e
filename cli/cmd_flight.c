/* SPDX-License-Identifier: BSD-3-Clause */
/* weft flight: what flight recorders of segments had when something happened. */
#include "cli/cmds.h"

#include <string.h>

#include "cli/call.h"
#include "cli/capture_out.h"

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "time", .heading = "TIME"},
	{.key = "segment", .heading = "SEGMENT"},
	{.key = "trigger", .heading = "TRIGGER"},
	{.key = "bytes", .heading = "BYTES", .right = true},
};

int cmd_flight_list(const struct call *call)
{
	json_t *answer;
	int code = call_get(call, "/v1/flights", &answer);

	if (code)
		return code;
	code = call_print_rows(call, answer, "flights", columns,
			       sizeof(columns) / sizeof(columns[0]));
	json_decref(answer);
	return code;
}

/* PREFIX and the word, whatever it is: weftd knows what is a name. */
static int make_path(const struct call *call, char path[CLIENT_PATH_BYTES], const char *prefix)
{
	snprintf(path, CLIENT_PATH_BYTES, "%s", prefix);
	return client_path_add_escaped(path, call->words[0])
		       ? call_usage(call, "the name is too long")
		       : CALL_DONE;
}

static int ask(const struct call *call, const char *method, const char *path, json_t **answer)
{
	struct client_request request = {.method = method, .path = path};

	return call_ask(call, &request, answer);
}

int cmd_flight_save(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	json_t *answer;
	int code = call_name_path(call, path, "/v1/segments", call->words[0]);

	if (!code && client_path_add(path, "/flight"))
		code = call_usage(call, "the name is too long");
	if (!code)
		code = ask(call, "POST", path, &answer);
	if (code)
		return code;
	if (call_is_raw(call))
		code = call_print_raw(call, answer);
	else
		fprintf(call->out, "%s\n", json_string_value(json_object_get(answer, "name")));
	json_decref(answer);
	return code;
}

int cmd_flight_del(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	json_t *answer;
	int code = make_path(call, path, "/v1/flights/");

	if (!code)
		code = ask(call, "DELETE", path, &answer);
	if (!code)
		json_decref(answer);
	return code;
}

/* --- one of them --- */

static int take_piece(void *ctx, const char *data, size_t bytes)
{
	return capture_out_push(ctx, data, bytes);
}

/* weftd refuses, and no file is made or touched, or sends all of it. */
static int fetch(const struct call *call, const char *path, struct capture_out *out)
{
	struct client_request request = {.method = "GET",
					 .path = path,
					 .accept = "application/x-pcapng",
					 .take = take_piece,
					 .take_ctx = out};
	struct client_answer answer;
	char why[CLIENT_WHY_BYTES];
	int err = client_run(call->args->run_dir, &request, &answer, why, sizeof(why));

	if (out->err)
		return CALL_REFUSED;
	if (err)
		return call_fail(call, CALL_UNREACHABLE, "%s", why);
	int code = call_check(call, &answer);

	client_release(&answer);
	return code;
}

int cmd_flight_get(const struct call *call)
{
	const char *to = call->args->write;
	char path[CLIENT_PATH_BYTES], name[CLIENT_PATH_BYTES];
	struct capture_out out;
	int code = make_path(call, path, "/v1/flights/");

	if (code)
		return code;
	if (!to && strchr(call->words[0], '/'))
		return call_usage(call, "'%s' is no name; weft flight list shows them",
				  call->words[0]);
	snprintf(name, sizeof(name), "%s.pcapng", call->words[0]);
	if (!to)
		to = name;
	capture_out_open(&out, to, call->out, 0, 0);
	code = fetch(call, path, &out);
	int err = capture_out_close(&out);

	return err ? call_fail(call, CALL_REFUSED, "%s: %s", to, strerror(-err)) : code;
}
