/* SPDX-License-Identifier: BSD-3-Clause */
/* weft trace --next: real frames, as the dataplane has followed them. */
#include "cli/cmds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/filter.h"
#include "cli/interrupt.h"
#include "cli/lines.h"

#define FILTER_BYTES 4096

struct next {
	const struct call *call;
	struct lines lines;
	struct interrupt interrupt;
	char why[16]; /* it has ended */
	bool has_begun;
	long long seen, missed;
	bool is_interrupted;
};

/* --- what is asked for --- */

static int add_port(const struct call *call, json_t *body, const char *name)
{
	json_t *ports = json_object_get(body, "ports");

	if (!*name)
		return call_usage(call, "port=: say which");
	if (!ports) {
		ports = json_array();
		json_object_set_new(body, "ports", ports);
	}
	json_array_append_new(ports, json_string(name));
	return CALL_DONE;
}

/* All words but those of ports are one filter, as tcpdump reads them. */
static int make_body(const struct call *call, json_t *body)
{
	char filter[FILTER_BYTES] = "";
	size_t len = 0;
	int code = CALL_DONE;

	json_object_set_new(body, "next", json_integer(call->args->next));
	if (call->args->seconds)
		json_object_set_new(body, "seconds", json_integer(call->args->seconds));
	for (int i = 0; i < call->n_words && !code; i++) {
		const char *word = call->words[i];

		if (strncmp(word, "port=", 5) == 0) {
			code = add_port(call, body, word + 5);
			continue;
		}
		len += (size_t)snprintf(filter + len, sizeof(filter) - len, "%s%s", len ? " " : "",
					word);
		if (len >= sizeof(filter))
			return call_usage(call, "the filter is too long");
	}
	return !code && len ? filter_add(call, filter, body) : code;
}

/* --- what comes --- */

static void print_frame(const struct next *next, const json_t *line)
{
	FILE *out = next->call->out;
	const char *time = lines_word(line, "time");
	char port[PRINT_CELL_BYTES];

	print_cell_plain(json_object_get(line, "port"), port, sizeof(port));
	fprintf(out, "frame %lld, %.12s, port %s, %lld bytes\n",
		json_integer_value(json_object_get(line, "number")),
		strlen(time) > 11 ? time + 11 : "", port,
		json_integer_value(json_object_get(line, "bytes")));
	cmd_trace_print(out, json_object_get(line, "steps"));
}

static int take_line(void *ctx, json_t *line)
{
	struct next *next = ctx;
	const struct call *call = next->call;
	const char *event = lines_word(line, "event");

	/* The first line comes at once: who reads it may send. */
	if (!next->has_begun)
		fprintf(call->err, "following; Ctrl-C ends it\n");
	next->has_begun = true;
	if (strcmp(event, "frame") == 0) {
		next->seen++;
		if (!call_print_one(call, line))
			print_frame(next, line);
		fflush(call->out);
		return 0;
	}
	next->missed = json_integer_value(json_object_get(line, "missed"));
	if (strcmp(event, "end") == 0)
		snprintf(next->why, sizeof(next->why), "%s", lines_word(line, "why"));
	return 0;
}

static int take_piece(void *ctx, const char *data, size_t bytes)
{
	struct next *next = ctx;
	int err = lines_push(&next->lines, data, bytes);

	next->is_interrupted = !err && !*next->why && interrupt_has_come(&next->interrupt);
	return next->is_interrupted ? -EINTR : err;
}

/* Exit code 1: not all have come. */
static int report(const struct next *next)
{
	const struct call *call = next->call;
	bool has_all = next->seen == call->args->next;

	if (!*next->why && !next->is_interrupted)
		return call_fail(call, CALL_UNREACHABLE, "weftd ended after %lld frames",
				 next->seen);
	if (strcmp(next->why, "dataplane") == 0)
		return call_fail(call, CALL_UNREACHABLE, "weft-dataplane ended after %lld frames",
				 next->seen);
	fprintf(call->err, "%lld of %u frames followed", next->seen, call->args->next);
	if (next->missed)
		fprintf(call->err, ", %lld more came too fast", next->missed);
	fputc('\n', call->err);
	return has_all ? CALL_DONE : CALL_FALSE;
}

static int run(struct next *next, const char *body)
{
	const struct call *call = next->call;
	struct client_request request = {.method = "POST",
					 .path = "/v1/traces",
					 .body = body,
					 .body_bytes = strlen(body),
					 .take = take_piece,
					 .take_ctx = next};
	struct client_answer answer;
	char why[CLIENT_WHY_BYTES];
	int err = client_run(call->args->run_dir, &request, &answer, why, sizeof(why));

	if (err)
		return next->is_interrupted ? report(next)
					    : call_fail(call, CALL_UNREACHABLE, "%s", why);
	int code = call_check(call, &answer);

	client_release(&answer);
	return code ? code : report(next);
}

int cmd_trace_next(const struct call *call)
{
	struct next next = {.call = call, .lines = {.fn = take_line, .ctx = &next}};
	json_t *body = json_object();
	int code = make_body(call, body);
	char *text = code ? NULL : json_dumps(body, JSON_COMPACT);

	json_decref(body);
	if (code)
		return code;
	if (!text)
		return call_fail(call, CALL_REFUSED, "out of memory");
	interrupt_hold(&next.interrupt);
	code = run(&next, text);
	interrupt_restore(&next.interrupt);
	lines_fini(&next.lines);
	free(text);
	return code;
}
