/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handler for who wants to know what happens: a line of JSON for each event, without an end. A
 * client is a cursor in the one log, so a slow or dead one costs nothing, and what it has not taken
 * when the log moves on is lost for it, which it is told. Runs on weftd's thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/events.h"
#include "control/fastpath.h"
#include "control/http_limits.h"
#include "dataplane/base/loop.h"

#define ALIVE_NS 5000000000ULL /* a client that hears nothing for longer knows that weftd is gone */

struct control_watch {
	struct control *control;
	struct control_watch *next;
	char who[96];
	bool is_counted;
	uint64_t cursor;
	uint64_t next_alive_ns; /* 0: the first line is due */
	bool is_lost;
};

/* Says where the client stands. */
static int say(const struct control_watch *watch, const char *what, char *buffer,
	       size_t buffer_bytes)
{
	char position[EVENTS_POSITION_BYTES];

	events_position(watch->control->events, watch->cursor, position);
	return snprintf(buffer, buffer_bytes,
			"{\"event\":\"%s\",\"position\":\"%s\",\"revision\":\"%llu\"}\n", what,
			position, (unsigned long long)api_revision(watch->control));
}

static int read_events(void *ctx, char *buffer, size_t buffer_bytes)
{
	struct control_watch *watch = ctx;
	uint64_t now_ns = loop_clock_ns();

	if (watch->is_lost)
		return -ENODATA;
	int n = watch->next_alive_ns == 0
			? 0
			: events_read(watch->control->events, &watch->cursor, buffer, buffer_bytes);
	if (n < 0) {
		watch->is_lost = true;
		return say(watch, "lost", buffer, buffer_bytes);
	}
	if (n == 0 && now_ns >= watch->next_alive_ns)
		n = say(watch, "alive", buffer, buffer_bytes);
	if (n > 0)
		watch->next_alive_ns = now_ns + ALIVE_NS;
	return n;
}

static void close_watch(void *ctx)
{
	struct control_watch *watch = ctx;
	struct control_watch **link = &watch->control->watches;

	while (*link != watch)
		link = &(*link)->next;
	*link = watch->next;
	free(watch);
}

/* Root and the user that weftd runs as find a place when readers have taken all of theirs. */
static int check_places(const struct control *control, const struct http_request *request,
			struct problem *problem)
{
	unsigned int n = 0, n_same = 0;

	if (!http_limits_is_counted(request->uid))
		return 0;
	for (const struct control_watch *watch = control->watches; watch; watch = watch->next) {
		n += watch->is_counted;
		n_same += strcmp(watch->who, request->who) == 0;
	}
	if (n_same >= CONTROL_WATCHES_OF_ONE)
		return problem_set(problem, -EUSERS, 503, "watchers-many",
				   "%s watches %d times already; end one of them", request->who,
				   CONTROL_WATCHES_OF_ONE);
	if (n >= CONTROL_WATCHES_MAX)
		return problem_set(problem, -EUSERS, 503, "watchers-many",
				   "%d clients watch already; end one of them, or try again later",
				   CONTROL_WATCHES_MAX);
	return 0;
}

int api_watch(void *ctx, const struct http_request *request, struct http_reply *reply,
	      struct problem *problem)
{
	struct control *control = ctx;
	const char *since = http_query(request, "since");
	uint64_t cursor;

	if (check_places(control, request, problem) < 0)
		return -EUSERS;
	/* Nobody may have looked at ports for long. */
	fastpath_look(control->fastpath);
	events_look(control->events, control->model, control->fastpath);
	cursor = events_end(control->events);
	if (since != NULL && events_find(control->events, since, &cursor, problem) < 0)
		return -ESTALE;
	struct control_watch *watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return problem_system(problem, -ENOMEM, "answering");
	*watch = (struct control_watch){
		.control = control,
		.next = control->watches,
		.is_counted = http_limits_is_counted(request->uid),
		.cursor = cursor,
	};
	snprintf(watch->who, sizeof(watch->who), "%s", request->who);
	control->watches = watch;
	reply->stream = (struct http_stream){
		.type = API_WATCH_TYPE, .ctx = watch, .read = read_events, .close = close_watch};
	return 0;
}
