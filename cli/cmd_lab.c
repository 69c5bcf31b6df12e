/* SPDX-License-Identifier: BSD-3-Clause */
/* weft apply, diff, export: lab files. The file goes to weftd as it is; weftd parses it. */
#include "cli/cmds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/changes.h"

#define FILE_BYTES_MAX (8u << 20) /* weftd's own limit */

static const char *file_name(const struct call *call)
{
	return strcmp(call->args->file, "-") == 0 ? "standard input" : call->args->file;
}

static int refuse_file(const struct call *call, int err)
{
	return call_fail(call, CALL_REFUSED, "reading %s: %s", file_name(call), strerror(err));
}

/* Reads to the end, at most FILE_BYTES_MAX. *data is the caller's on CALL_DONE. */
static int read_stream(const struct call *call, FILE *stream, char **data, size_t *data_bytes)
{
	size_t room_bytes = 65536, used = 0;
	char *buffer = NULL, *larger;

	for (;;) {
		larger = realloc(buffer, room_bytes);
		if (!larger) {
			free(buffer);
			return refuse_file(call, ENOMEM);
		}
		buffer = larger;
		used += fread(buffer + used, 1, room_bytes - used, stream);
		if (used < room_bytes || used > FILE_BYTES_MAX)
			break;
		room_bytes *= 2;
	}
	if (ferror(stream)) {
		free(buffer);
		return refuse_file(call, errno);
	}
	if (used > FILE_BYTES_MAX) {
		free(buffer);
		return call_fail(call, CALL_REFUSED,
				 "reading %s: larger than %u MiB, which no lab is", file_name(call),
				 FILE_BYTES_MAX >> 20);
	}
	*data = buffer;
	*data_bytes = used;
	return CALL_DONE;
}

static int read_file(const struct call *call, char **data, size_t *data_bytes)
{
	struct stat status;
	FILE *stream;
	int code;

	if (strcmp(call->args->file, "-") == 0)
		return read_stream(call, call->in, data, data_bytes);
	stream = fopen(call->args->file, "re");
	if (!stream)
		return refuse_file(call, errno);
	if (fstat(fileno(stream), &status) == 0 && S_ISDIR(status.st_mode))
		code = refuse_file(call, EISDIR);
	else
		code = read_stream(call, stream, data, data_bytes);
	fclose(stream);
	return code;
}

/* YAML takes JSON in too, but not JSON indented with tabs. */
static const char *content_type(const char *file)
{
	size_t chars = strlen(file);
	static const char json[] = ".json";
	size_t json_chars = sizeof(json) - 1;

	if (chars > json_chars && strcasecmp(file + chars - json_chars, json) == 0)
		return "application/json";
	return "application/yaml";
}

/* Posts the file and prints the plan that comes back; *plan is the caller's on CALL_DONE. */
static int post(const struct call *call, const char *where, json_t **plan)
{
	char path[CLIENT_PATH_BYTES] = "", *data = NULL;
	struct client_request request = {.method = "POST", .path = path};
	int code = CALL_DONE;

	client_path_add(path, where);
	if (call->args->dry_run)
		code = call_add_query(call, path, "dry_run", "1");
	if (!code && call->args->prune)
		code = call_add_query(call, path, "prune", "1");
	if (!code && call->args->confirm)
		code = call_add_query(call, path, "confirm", call->args->confirm);
	if (!code && call->args->comment)
		code = call_add_query(call, path, "comment", call->args->comment);
	if (!code)
		code = read_file(call, &data, &request.body_bytes);
	if (code)
		return code;
	request.body = data;
	request.content_type = content_type(call->args->file);
	code = call_ask(call, &request, plan);
	free(data);
	if (code)
		return code;
	code = changes_print(call, *plan, true);
	if (code)
		json_decref(*plan);
	return code;
}

int cmd_lab_apply(const struct call *call)
{
	json_t *plan;
	int code = post(call, "/v1/apply", &plan);

	if (code)
		return code;
	json_decref(plan);
	return CALL_DONE;
}

int cmd_lab_diff(const struct call *call)
{
	json_t *plan;
	bool is_same;
	int code = post(call, "/v1/diff", &plan);

	if (code)
		return code;
	is_same = changes_is_empty(plan);
	json_decref(plan);
	return is_same ? CALL_DONE : CALL_FALSE;
}

int cmd_lab_export(const struct call *call)
{
	char path[CLIENT_PATH_BYTES] = "";
	struct client_request request = {.method = "GET", .path = path};
	struct client_answer answer;
	json_t *lab;
	int code = CALL_DONE;

	if (call->args->style == PRINT_TABLE)
		return call_usage(call, "a lab has no table; say -o yaml or -o json");
	client_path_add(path, "/v1/export");
	if (call->n_words > 0)
		code = call_add_query(call, path, "revision", call->words[0]);
	if (code)
		return code;
	if (call->args->style == PRINT_JSON) {
		code = call_ask(call, &request, &lab);
		if (code)
			return code;
		code = call_print_raw(call, lab);
		json_decref(lab);
		return code;
	}
	request.accept = "application/yaml";
	code = call_send(call, &request, &answer);
	if (code)
		return code;
	code = call_check(call, &answer);
	if (!code)
		fwrite(answer.body, 1, answer.body_bytes, call->out);
	client_release(&answer);
	return code;
}
