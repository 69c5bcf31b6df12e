/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps that commands share, and the one place where failures become lines and exit codes. */
#include "cli/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cmd.h"
#include "cli/format.h"

#define NAME_CHARS_MAX 63
#define TOO_MANY_NS 50000000L /* where weftd wants fewer requests */

static void print_reason(const struct call *call, const char *format, va_list values)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, values);
	format_clean(line);
	fprintf(call->err, "weft: %s", line);
}

int call_usage(const struct call *call, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	print_reason(call, format, values);
	va_end(values);
	fprintf(call->err, "; usage: weft %s\n", call->cmd->usage);
	return CALL_USAGE;
}

int call_fail(const struct call *call, enum call_exit code, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	print_reason(call, format, values);
	va_end(values);
	fputc('\n', call->err);
	return code;
}

int call_send(const struct call *call, const struct client_request *request,
	      struct client_answer *answer)
{
	char why[CLIENT_WHY_BYTES];
	int err = client_run(call->args->run_dir, request, answer, why, sizeof(why));

	if (!err)
		return CALL_DONE;
	return call_fail(call, err == -ECONNREFUSED ? CALL_UNREACHABLE : CALL_REFUSED, "%s", why);
}

int call_send_patiently(const struct call *call, const struct client_request *request,
			struct client_answer *answer)
{
	for (;;) {
		int code = call_send(call, request, answer);

		if (code || answer->status != 429)
			return code;
		client_release(answer);
		nanosleep(&(struct timespec){.tv_nsec = TOO_MANY_NS}, NULL);
	}
}

/* Faults of a file, as compilers print them, so that editors find the places. False: none. */
static bool print_faults(const struct call *call, const json_t *faults)
{
	const json_t *fault;
	size_t i;

	json_array_foreach(faults, i, fault) {
		char line[1024];
		json_int_t row = json_integer_value(json_object_get(fault, "line"));
		const char *detail = json_string_value(json_object_get(fault, "detail"));

		if (row > 0)
			snprintf(line, sizeof(line),
				 "%s:%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT ": %s",
				 call->args->file, row,
				 json_integer_value(json_object_get(fault, "column")),
				 detail ? detail : "");
		else
			snprintf(line, sizeof(line), "%s: %s", call->args->file,
				 detail ? detail : "");
		format_clean(line);
		fprintf(call->err, "%s\n", line);
	}
	return json_array_size(faults) > 0;
}

int call_check(const struct call *call, const struct client_answer *answer)
{
	json_t *problem;
	const char *detail;

	if (answer->status >= 200 && answer->status < 300)
		return CALL_DONE;
	problem = json_loadb(answer->body ? answer->body : "", answer->body_bytes, 0, NULL);
	detail = json_string_value(json_object_get(problem, "detail"));
	if (!detail)
		detail = json_string_value(json_object_get(problem, "title"));
	bool is_said = call->args->file && print_faults(call, json_object_get(problem, "errors"));
	if (!is_said && detail)
		call_fail(call, CALL_REFUSED, "%s", detail);
	else if (!is_said)
		call_fail(call, CALL_REFUSED,
			  "HTTP status %ld without a reason; is it weftd that answers in %s?",
			  answer->status, call->args->run_dir);
	if (json_is_object(problem) && call->args->style == PRINT_JSON)
		call_print_raw(call, problem);
	json_decref(problem);
	return CALL_REFUSED;
}

int call_parse(const struct call *call, const struct client_answer *answer, json_t **json)
{
	json_error_t error;
	json_t *body = json_loadb(answer->body ? answer->body : "", answer->body_bytes, 0, &error);

	if (json_is_object(body)) {
		*json = body;
		return CALL_DONE;
	}
	call_fail(call, CALL_REFUSED,
		  "the answer is no JSON object (%s); is it weftd that answers in %s?",
		  body ? "another value" : error.text, call->args->run_dir);
	json_decref(body);
	return CALL_REFUSED;
}

/* `code` is that of sending. */
static int take_answer(const struct call *call, int code, struct client_answer *answer,
		       json_t **json)
{
	if (code)
		return code;
	code = call_check(call, answer);
	if (!code)
		code = call_parse(call, answer, json);
	client_release(answer);
	return code;
}

int call_ask(const struct call *call, const struct client_request *request, json_t **json)
{
	struct client_answer answer;
	int code = call_send(call, request, &answer);

	return take_answer(call, code, &answer, json);
}

int call_ask_patiently(const struct call *call, const struct client_request *request, json_t **json)
{
	struct client_answer answer;
	int code = call_send_patiently(call, request, &answer);

	return take_answer(call, code, &answer, json);
}

int call_get(const struct call *call, const char *path, json_t **json)
{
	return call_ask(call, &(struct client_request){.method = "GET", .path = path}, json);
}

bool call_is_raw(const struct call *call)
{
	return call->args->style == PRINT_JSON || call->args->style == PRINT_YAML;
}

static int check_print(const struct call *call, int err)
{
	if (!err)
		return CALL_DONE;
	return call_fail(call, CALL_REFUSED, "printing the answer: %s", strerror(-err));
}

int call_print_raw(const struct call *call, json_t *json)
{
	return check_print(call, print_value(call->out, call->args->style, json));
}

bool call_print_one(const struct call *call, json_t *json)
{
	if (call->args->style == PRINT_JSON) {
		json_dumpf(json, call->out, JSON_COMPACT);
		fputc('\n', call->out);
	} else if (call->args->style == PRINT_YAML) {
		fputs("---\n", call->out);
		print_value(call->out, PRINT_YAML, json);
	}
	return call_is_raw(call);
}

int call_print_rows(const struct call *call, json_t *json, const char *key,
		    const struct print_column *columns, size_t n_columns)
{
	const json_t *rows = json_object_get(json, key);

	if (call_is_raw(call))
		return call_print_raw(call, json);
	if (!json_is_array(rows))
		return call_fail(call, CALL_REFUSED,
				 "the answer has no list \"%s\"; weft and weftd differ in version",
				 key);
	return check_print(call, print_rows(call->out, columns, n_columns, rows));
}

int call_print_object(const struct call *call, json_t *json)
{
	if (call_is_raw(call))
		return call_print_raw(call, json);
	print_object(call->out, json);
	return CALL_DONE;
}

int call_add_query(const struct call *call, char *path, const char *key, const char *value)
{
	if (client_path_add(path, strchr(path, '?') ? "&" : "?") ||
	    client_path_add_escaped(path, key) || client_path_add(path, "=") ||
	    client_path_add_escaped(path, value))
		return call_usage(call, "%s: too long", key);
	return CALL_DONE;
}

/* weftd's rule, kept here too: a path with another name in it would not reach what checks it. */
static bool is_name(const char *word)
{
	size_t chars = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._-");

	return word[chars] == '\0' && chars >= 1 && chars <= NAME_CHARS_MAX &&
	       !strchr("._-", *word);
}

int call_name_path(const struct call *call, char path[CLIENT_PATH_BYTES], const char *prefix,
		   const char *name)
{
	path[0] = '\0';
	if (*name == '\0' || strchr(name, '='))
		return call_usage(call, "a name is expected, not '%s'", name);
	if (!is_name(name))
		return call_usage(call,
				  "'%.70s' is not a name: use 1 to 63 of A-Z a-z 0-9 . _ -, "
				  "first a letter or digit",
				  name);
	client_path_add(path, prefix);
	client_path_add(path, "/");
	client_path_add(path, name);
	return CALL_DONE;
}
