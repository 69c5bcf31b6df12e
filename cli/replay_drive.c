/* SPDX-License-Identifier: BSD-3-Clause */
/* weft replay's conversation with weftd: frames go up piece by piece, ahead of their time. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/replay.h"

#define NS_PER_S 1000000000ULL
#define BUFFER_BYTES (4u << 20)
#define WAIT_MS 15    /* where there is no room */
#define LOOK_MS 50    /* while all is sent */
#define SETTLE_MS 100 /* until what waits in queues has left */
#define BAR_NS (200 * 1000000ULL)
#define BAR_CELLS 30

/* Waits, but not when it is interrupted: whether it is. */
static bool wait_ms(const struct replay *replay, int ms)
{
	struct pollfd signals = {.fd = replay->signals_fd, .events = POLLIN};

	return poll(&signals, 1, ms) > 0;
}

static bool is_interrupted(const struct replay *replay)
{
	return wait_ms(replay, 0);
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* One request about the replay; its state is then weftd's answer. An exit code. */
static int ask(struct replay *replay, const char *method, const char *path, const char *type,
	       const void *body, size_t bytes)
{
	const struct client_request request = {.method = method,
					       .path = path,
					       .content_type = type,
					       .body = body,
					       .body_bytes = bytes};
	json_t *state;
	int code = call_ask_patiently(replay->call, &request, &state);

	if (code)
		return code;
	json_decref(replay->state);
	replay->state = state;
	return CALL_DONE;
}

static int ask_part(struct replay *replay, const char *method, const char *part, const void *body,
		    size_t bytes)
{
	char path[sizeof(replay->path) + 16];

	snprintf(path, sizeof(path), "%s%s", replay->path, part);
	return ask(replay, method, path, "application/octet-stream", body, bytes);
}

static int open_replay(struct replay *replay)
{
	json_t *ports = json_array(), *body;

	for (size_t i = 0; i < replay->feed.n_inputs; i++)
		json_array_append_new(ports, json_string(replay->feed.inputs[i].port));
	body = json_pack("{s:o, s:b}", "ports", ports, "fates", replay->fates.file != NULL);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	if (!text)
		return call_fail(replay->call, CALL_REFUSED, "out of memory");
	int code = ask(replay, "POST", "/v1/replays", NULL, text, strlen(text));

	free(text);
	if (!code)
		snprintf(replay->path, sizeof(replay->path), "/v1/replays/%.60s",
			 json_string_value(json_object_get(replay->state, "name")));
	return code;
}

/* What the ports have taken; *why: the fault of one that cannot go on, or "". */
static uint64_t count_taken(const json_t *state, const char **why)
{
	const json_t *port;
	uint64_t taken = 0;
	size_t i;

	*why = "";
	json_array_foreach(json_object_get(state, "ports"), i, port) {
		const char *fault = json_string_value(json_object_get(port, "fault"));

		taken += (uint64_t)json_integer_value(json_object_get(port, "frames"));
		if (fault && *fault)
			*why = fault;
	}
	return taken;
}

/* --- the bar --- */

struct bar {
	bool is_shown;
	uint64_t begun_ns, drawn_ns;
};

static void draw(struct bar *bar, const struct replay *replay)
{
	char cells[BAR_CELLS + 1];
	uint64_t now_ns = clock_ns(), total = replay->feed.packets;
	uint64_t full = replay->taken * BAR_CELLS / (total ? total : 1);

	if (!bar->is_shown || now_ns < bar->drawn_ns + BAR_NS)
		return;
	bar->drawn_ns = now_ns;
	for (unsigned int i = 0; i < BAR_CELLS; i++)
		cells[i] = i < full ? '#' : '.';
	cells[BAR_CELLS] = '\0';
	fprintf(replay->call->err, "\r[%s] %3llu%%  %llu of %llu frames  %llu s ", cells,
		(unsigned long long)(replay->taken * 100 / (total ? total : 1)),
		(unsigned long long)replay->taken, (unsigned long long)total,
		(unsigned long long)((now_ns - bar->begun_ns) / NS_PER_S));
	fflush(replay->call->err);
}

static void wipe(const struct bar *bar, const struct replay *replay)
{
	if (bar->is_shown && bar->drawn_ns)
		fprintf(replay->call->err, "\r\033[K");
}

/* --- sending --- */

struct upload {
	uint8_t *buffer;
	size_t bytes; /* in it, not yet taken */
	bool is_all;  /* the captures have no more */
};

static int fill(struct replay *replay, struct upload *upload)
{
	size_t n = 0;

	if (upload->is_all)
		return CALL_DONE;
	if (replay_feed_fill(&replay->feed, upload->buffer + upload->bytes,
			     BUFFER_BYTES - upload->bytes, &n))
		return call_fail(replay->call, CALL_REFUSED, "%s", replay->feed.why);
	upload->bytes += n;
	/* A frame that does not fit leaves room for none; an empty buffer has room for any. */
	upload->is_all = upload->bytes == 0;
	return CALL_DONE;
}

/* Sends what there is; *has_room: all of it was taken. */
static int send_some(struct replay *replay, struct upload *upload, bool *has_room)
{
	int code = fill(replay, upload);

	*has_room = false;
	if (code || upload->bytes == 0)
		return code ? code : ask_part(replay, "GET", "", NULL, 0);
	code = ask_part(replay, "POST", "/frames", upload->buffer, upload->bytes);
	if (code)
		return code;
	size_t taken = (size_t)json_integer_value(json_object_get(replay->state, "taken"));

	if (taken > upload->bytes)
		return call_fail(replay->call, CALL_REFUSED, "weftd took more than it was sent");
	memmove(upload->buffer, upload->buffer + taken, upload->bytes - taken);
	upload->bytes -= taken;
	*has_room = upload->bytes == 0;
	return CALL_DONE;
}

/* What became of frames since the last look, if somebody asks. */
static int fetch_fates(struct replay *replay)
{
	char path[sizeof(replay->path) + 16];
	const struct client_request request = {.method = "GET", .path = path};
	struct client_answer answer;
	size_t bytes = 1;
	int code = CALL_DONE;

	snprintf(path, sizeof(path), "%s/fates", replay->path);
	while (replay->fates.file && !code && bytes != 0) {
		code = call_send_patiently(replay->call, &request, &answer);
		if (code)
			break;
		bytes = answer.body_bytes;
		code = call_check(replay->call, &answer);
		int err = code ? 0 : replay_fates_push(&replay->fates, answer.body, bytes);

		client_release(&answer);
		if (err)
			code = call_fail(replay->call, CALL_REFUSED, "%s: %s", replay->fates_path,
					 strerror(-err));
	}
	return code;
}

/* Ahead of the start, as much as there is room for. */
static int prepare(struct replay *replay, struct upload *upload)
{
	bool has_room = true;
	int code = CALL_DONE;

	while (!code && has_room && !upload->is_all && !is_interrupted(replay))
		code = send_some(replay, upload, &has_room);
	return code;
}

static int go_on(struct replay *replay, struct upload *upload, struct bar *bar)
{
	for (;;) {
		const char *why;
		bool has_room;
		int code = send_some(replay, upload, &has_room);

		if (!code)
			code = fetch_fates(replay);
		if (code)
			return code;
		replay->taken = count_taken(replay->state, &why);
		if (*why)
			return call_fail(replay->call, CALL_REFUSED, "the replay ended: %s", why);
		draw(bar, replay);
		if (is_interrupted(replay) ||
		    (upload->is_all && replay->taken >= replay->feed.packets))
			return CALL_DONE;
		if (!has_room)
			wait_ms(replay, upload->is_all ? LOOK_MS : WAIT_MS);
	}
}

static int run(struct replay *replay)
{
	struct bar bar = {.is_shown = isatty(fileno(replay->call->err)), .begun_ns = clock_ns()};
	struct upload upload = {.buffer = malloc(BUFFER_BYTES)};
	int code = CALL_DONE;

	if (!upload.buffer)
		return call_fail(replay->call, CALL_REFUSED, "out of memory");
	code = prepare(replay, &upload);
	if (!code && !is_interrupted(replay))
		code = ask_part(replay, "POST", "/start", "", 0);
	if (!code && !is_interrupted(replay))
		code = go_on(replay, &upload, &bar);
	wipe(&bar, replay);
	free(upload.buffer);
	return code;
}

/* Until what waits has left, as far as it does. */
static int settle(struct replay *replay)
{
	nanosleep(&(struct timespec){.tv_nsec = SETTLE_MS * 1000000L}, NULL);
	return fetch_fates(replay);
}

/* Frames that the inputs' ports have taken; the file of fates ends with that. */
static int end_fates(struct replay *replay)
{
	const json_t *port, *ports = json_object_get(replay->state, "ports");
	uint64_t taken[REPLAY_INPUTS_MAX] = {0};
	size_t i;

	json_array_foreach(ports, i, port) {
		if (i < REPLAY_INPUTS_MAX)
			taken[i] = (uint64_t)json_integer_value(json_object_get(port, "frames"));
	}
	int err = replay->fates.file ? replay_fates_end(&replay->fates, taken) : 0;

	return err ? call_fail(replay->call, CALL_REFUSED, "%s: %s", replay->fates_path,
			       strerror(-err))
		   : CALL_DONE;
}

/* Opens, runs and ends; between two looks at the counters. */
static int drive(struct replay *replay)
{
	const char *why;
	int code = replay_read_counters(replay->call, &replay->before);

	if (!code)
		code = replay_expect_begin(replay);
	if (!code)
		code = open_replay(replay);
	if (code)
		return code;
	code = run(replay);
	if (!code)
		code = settle(replay);
	/* One that failed ends by itself, after a while: what went wrong first is what is said. */
	if (code)
		return code;
	int end_code = ask_part(replay, "DELETE", "", NULL, 0);

	if (end_code)
		return end_code;
	replay->is_interrupted = is_interrupted(replay);
	replay->taken = count_taken(replay->state, &why);
	replay_expect_end(replay);
	code = end_fates(replay);
	return code ? code : replay_read_counters(replay->call, &replay->after);
}

int replay_drive(struct replay *replay)
{
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	replay->signals_fd = signalfd(-1, &set, SFD_CLOEXEC);
	int code = replay->signals_fd < 0
			   ? call_fail(replay->call, CALL_REFUSED, "signals: %s", strerror(errno))
			   : drive(replay);

	/* What interrupted it has been obeyed. */
	while (is_interrupted(replay)) {
		struct signalfd_siginfo info;

		if (read(replay->signals_fd, &info, sizeof(info)) < 0)
			break;
	}
	if (replay->signals_fd >= 0)
		close(replay->signals_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return code;
}
