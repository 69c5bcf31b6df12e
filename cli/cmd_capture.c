/* SPDX-License-Identifier: BSD-3-Clause */
/* weft capture: frames of ports, segments and channels, and what is dropped, as pcapng. */
#include "cli/cmds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/capture_out.h"
#include "cli/filter.h"
#include "cli/interrupt.h"

#define FILE_BYTES_DEFAULT 100000000u

struct capture {
	const struct call *call;
	struct capture_out out;
	char name[64]; /* by which it is ended */
	struct interrupt interrupt;
	bool is_ending;
};

/* --- what is asked for --- */

static void add_port(json_t *body, const char *name)
{
	json_t *ports = json_object_get(body, "ports");

	if (!ports) {
		ports = json_array();
		json_object_set_new(body, "ports", ports);
	}
	json_array_append_new(ports, json_string(name));
}

static int add_word(const struct call *call, json_t *body, const char *word)
{
	const char *value;
	char key[16];

	if (strcmp(word, "drops") == 0) {
		json_object_set_new(body, "way", json_string("drops"));
	} else if (args_split(word, key, sizeof(key), &value)) {
		if (strchr(word, '='))
			return call_usage(call, "'%s' is no KEY=VALUE", word);
		add_port(body, word);
	} else if (strcmp(key, "port") == 0) {
		add_port(body, value);
	} else if (strcmp(key, "segment") == 0 || strcmp(key, "channel") == 0) {
		json_object_set_new(body, key, json_string(value));
	} else if (strcmp(key, "dir") == 0 &&
		   (strcmp(value, "rx") == 0 || strcmp(value, "tx") == 0)) {
		if (json_object_get(body, "way"))
			return call_usage(call, "dir=%s and drops, or dir= twice", value);
		json_object_set_new(body, "way", json_string(value));
	} else {
		return call_usage(call,
				  "'%s' is none of PORT, segment=SEGMENT, channel=CHANNEL, drops, "
				  "dir=rx, dir=tx",
				  word);
	}
	return CALL_DONE;
}

static int make_body(struct capture *capture, json_t *body)
{
	const struct args *args = capture->call->args;
	int code = CALL_DONE;

	for (int i = 0; i < capture->call->n_words && !code; i++)
		code = add_word(capture->call, body, capture->call->words[i]);
	if (args->snaplen)
		json_object_set_new(body, "snaplen", json_integer(args->snaplen));
	if (args->count)
		json_object_set_new(body, "count", json_integer(args->count));
	if (args->seconds)
		json_object_set_new(body, "seconds", json_integer(args->seconds));
	json_object_set_new(body, "name", json_string(capture->name));
	return !code && args->filter ? filter_add(capture->call, args->filter, body) : code;
}

/* --- the stream --- */

/* weftd sends what is left, and the stream ends. */
static int end_capture(struct capture *capture)
{
	char path[CLIENT_PATH_BYTES] = "/v1/captures/";
	struct client_request request = {.method = "DELETE", .path = path};
	struct client_answer answer;

	if (capture->is_ending)
		return -EINTR;
	capture->is_ending = true;
	client_path_add(path, capture->name);
	if (call_send(capture->call, &request, &answer))
		return -EINTR;
	client_release(&answer);
	return 0;
}

static int take_piece(void *ctx, const char *data, size_t bytes)
{
	struct capture *capture = ctx;
	int err = capture_out_push(&capture->out, data, bytes);

	return !err && interrupt_has_come(&capture->interrupt) ? end_capture(capture) : err;
}

static int follow(struct capture *capture, const char *body)
{
	const struct call *call = capture->call;
	struct client_request request = {.method = "POST",
					 .path = "/v1/captures",
					 .accept = "application/x-pcapng",
					 .body = body,
					 .body_bytes = strlen(body),
					 .take = take_piece,
					 .take_ctx = capture};
	struct client_answer answer;
	char why[CLIENT_WHY_BYTES];
	int err = client_run(call->args->run_dir, &request, &answer, why, sizeof(why));

	if (capture->out.err && capture->out.err != -EBADMSG)
		return call_fail(call, CALL_REFUSED, "%s: %s", call->args->write,
				 strerror(-capture->out.err));
	/* A second Ctrl-C does not wait for the rest. */
	if (err && !capture->is_ending)
		return call_fail(call, CALL_UNREACHABLE, "%s", why);
	if (err)
		return CALL_DONE;
	int code = call_check(call, &answer);

	client_release(&answer);
	return code;
}

static int run(struct capture *capture)
{
	const struct args *args = capture->call->args;
	uint64_t file_bytes = args->file_bytes ? args->file_bytes : FILE_BYTES_DEFAULT;
	json_t *body = json_object();
	int code = make_body(capture, body);
	char *text = code ? NULL : json_dumps(body, JSON_COMPACT);

	json_decref(body);
	if (code)
		return code;
	if (!text)
		return call_fail(capture->call, CALL_REFUSED, "out of memory");
	capture_out_open(&capture->out, args->write, capture->call->out, args->n_files, file_bytes);
	code = follow(capture, text);
	free(text);
	int err = capture_out_close(&capture->out);

	if (err && !code)
		code = call_fail(capture->call, CALL_REFUSED, "%s: %s", args->write,
				 strerror(-err));
	if (!code)
		fprintf(capture->call->err, "%llu frames, %llu more could not be kept\n",
			(unsigned long long)capture->out.n_packets,
			(unsigned long long)capture->out.n_dropped);
	return code;
}

int cmd_capture_run(const struct call *call)
{
	struct capture capture = {.call = call};
	struct timespec now;

	if (!call->args->write)
		return call_usage(call, "say where to with -w FILE, or -w - for standard output");
	if (strcmp(call->args->write, "-") == 0 &&
	    (isatty(fileno(call->out)) || call->args->n_files))
		return call_usage(call, "-w - is for a pipe, as | wireshark -k -i -");
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(capture.name, sizeof(capture.name), "weft.%ld.%llx", (long)getpid(),
		 (unsigned long long)now.tv_nsec);
	interrupt_hold(&capture.interrupt);
	int code = run(&capture);

	interrupt_restore(&capture.interrupt);
	return code;
}

/* --- those that run --- */

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "what", .heading = "WHAT"},
	{.key = "who", .heading = "WHO"},
	{.key = "frames", .heading = "FRAMES", .right = true},
	{.key = "not_kept", .heading = "NOT-KEPT", .right = true},
	{.key = "age_s", .heading = "AGE", .format = print_cell_duration_s, .right = true},
};

int cmd_capture_list(const struct call *call)
{
	json_t *answer;
	int code = call_get(call, "/v1/captures", &answer);

	if (code)
		return code;
	code = call_print_rows(call, answer, "captures", columns,
			       sizeof(columns) / sizeof(columns[0]));
	json_decref(answer);
	return code;
}

int cmd_capture_end(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	struct client_request request = {.method = "DELETE", .path = path};
	json_t *answer;
	int code = call_name_path(call, path, "/v1/captures", call->words[0]);

	if (!code)
		code = call_ask(call, &request, &answer);
	if (!code)
		json_decref(answer);
	return code;
}
