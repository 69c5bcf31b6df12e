/* SPDX-License-Identifier: BSD-3-Clause */
/* weft watch: prints what happens as it happens, until it is interrupted. */
#include "cli/cmds.h"

#include <string.h>

#include "cli/call.h"
#include "cli/format.h"
#include "cli/lines.h"

struct watch {
	const struct call *call;
	struct lines lines;
	bool is_lost;
};

/* "port c1" and what is new about it. */
static void describe(const json_t *event, char *what, size_t what_bytes, char *news,
		     size_t news_bytes)
{
	const char *kind = lines_word(event, "event");

	what[0] = news[0] = '\0';
	if (strcmp(kind, "change") == 0) {
		char fields[PRINT_CELL_BYTES];

		print_cell_plain(json_object_get(event, "fields"), fields, sizeof(fields));
		snprintf(what, what_bytes, "%s %s", lines_word(event, "kind"),
			 lines_word(event, "name"));
		snprintf(news, news_bytes, "%s%s%s", lines_word(event, "action"),
			 json_object_get(event, "fields") ? ": " : "",
			 json_object_get(event, "fields") ? fields : "");
	} else if (strcmp(kind, "state") == 0) {
		snprintf(what, what_bytes, "port %s", lines_word(event, "port"));
		snprintf(news, news_bytes, "%s%s%s", lines_word(event, "link"),
			 *lines_word(event, "reason") ? ": " : "", lines_word(event, "reason"));
	} else if (strcmp(kind, "flight") == 0) {
		snprintf(what, what_bytes, "segment %s", lines_word(event, "segment"));
		snprintf(news, news_bytes, "%s; %s%s", lines_word(event, "what"),
			 *lines_word(event, "problem") ? "not saved: " : "saved: ",
			 *lines_word(event, "problem") ? lines_word(event, "problem")
						       : lines_word(event, "name"));
	} else if (strcmp(kind, "dataplane") == 0) {
		snprintf(what, what_bytes, "dataplane");
		snprintf(news, news_bytes, "%s",
			 json_is_true(json_object_get(event, "connected")) ? "connected" : "lost");
	}
	format_clean(what);
	format_clean(news);
}

static void print_event(struct watch *watch, json_t *event)
{
	FILE *out = watch->call->out;
	char what[PRINT_CELL_BYTES], news[2 * PRINT_CELL_BYTES];
	const char *time = lines_word(event, "time");

	watch->is_lost |= strcmp(lines_word(event, "event"), "lost") == 0;
	if (!call_print_one(watch->call, event)) {
		describe(event, what, sizeof(what), news, sizeof(news));
		/* The clock of the time alone, in UTC as weftd says it. */
		if (*what)
			fprintf(out, "%.12s  %-24s  %s\n", strlen(time) > 11 ? time + 11 : time,
				what, news);
	}
	fflush(out);
}

static int take_event(void *ctx, json_t *event)
{
	print_event(ctx, event);
	return 0;
}

static int take_piece(void *ctx, const char *data, size_t bytes)
{
	struct watch *watch = ctx;

	return lines_push(&watch->lines, data, bytes);
}

static int follow(const struct call *call, const char *path)
{
	struct watch watch = {.call = call, .lines = {.fn = take_event, .ctx = &watch}};
	struct client_request request = {
		.method = "GET", .path = path, .take = take_piece, .take_ctx = &watch};
	struct client_answer answer;
	int code = call_send(call, &request, &answer);

	lines_fini(&watch.lines);
	if (code)
		return code;
	code = call_check(call, &answer);
	client_release(&answer);
	if (code)
		return code;
	if (watch.is_lost)
		return call_fail(call, CALL_REFUSED,
				 "more happened than could be taken; read everything, then watch "
				 "again");
	return call_fail(call, CALL_UNREACHABLE, "weftd ended; watch again when it is back");
}

int cmd_watch_run(const struct call *call)
{
	char path[CLIENT_PATH_BYTES] = "/v1/watch", key[16];
	const char *since;

	if (call->n_words == 1) {
		if (args_split(call->words[0], key, sizeof(key), &since) ||
		    strcmp(key, "since") != 0)
			return call_usage(call, "'%s' is not since=POSITION", call->words[0]);
		int code = call_add_query(call, path, key, since);
		if (code)
			return code;
	}
	return follow(call, path);
}
