/* SPDX-License-Identifier: BSD-3-Clause */
/* See following.h. */
#include "control/following.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/places.h"
#include "control/tracing.h"
#include "control/utc.h"
#include "dataplane/base/loop.h"

#define NS_PER_MS 1000000ULL
#define ALIVE_NS (200 * NS_PER_MS) /* by it one learns of a client that has gone */
#define LOOK_NS (50 * NS_PER_MS)
#define LOOK_MS 50

struct following {
	struct control *control;
	struct dp_follow_open open;
	uint64_t dp_id;
	uint64_t epoch;	  /* of the dataplane */
	int64_t wall_ns;  /* what is added to the dataplane's time */
	uint64_t end_ns;  /* 0: it has none */
	uint64_t look_ns; /* when it is looked next */
	uint64_t alive_ns;
	uint64_t seen, missed;
	bool is_over; /* the last line is made */
	bool is_open; /* in the dataplane */
	/* Of one answer. */
	unsigned int n_frames;
	bool has_frame;
	struct dp_followed frame;
	struct tracing tracing; /* its steps so far */
	char *text;		/* lines */
	size_t at, bytes;
};

/* --- lines --- */

/* Without memory, a line is lost, and the number of frames that were seen says so. */
static void add_line(struct following *following, json_t *line)
{
	char *text = line != NULL ? json_dumps(line, JSON_COMPACT) : NULL;
	size_t n = text != NULL ? strlen(text) : 0;
	char *grown = n != 0 ? realloc(following->text, following->bytes + n + 1) : NULL;

	if (grown != NULL) {
		memcpy(grown + following->bytes, text, n);
		grown[following->bytes + n] = '\n';
		following->text = grown;
		following->bytes += n + 1;
	}
	free(text);
	json_decref(line);
}

static const char *port_name(const struct control *control, uint64_t id)
{
	const struct model_port *port = places_find_port(control->model, id);

	return port != NULL ? port->name : "";
}

/* The frame whose steps have all come. */
static void end_frame(struct following *following)
{
	const struct dp_followed *frame = &following->frame;
	char time[UTC_MS_BYTES];

	if (!following->has_frame)
		return;
	following->has_frame = false;
	following->seen++;
	utc_format_ms(((int64_t)frame->time_ns + following->wall_ns) / (int64_t)NS_PER_MS, time);
	add_line(following, json_pack("{s:s, s:I, s:s, s:s, s:I, s:o, s:i, s:o}", "event", "frame",
				      "number", (json_int_t)following->seen, "time", time, "port",
				      port_name(following->control, frame->port_id), "bytes",
				      (json_int_t)frame->len, "head",
				      api_format_hex(frame->head, frame->head_len), "receivers",
				      (int)tracing_count_receivers(&following->tracing), "steps",
				      tracing_format(following->control, &following->tracing)));
}

static void say(struct following *following, const char *event, const char *why)
{
	json_t *line =
		json_pack("{s:s, s:I, s:I}", "event", event, "seen", (json_int_t)following->seen,
			  "missed", (json_int_t)following->missed);

	if (why != NULL)
		json_object_set_new(line, "why", json_string(why));
	add_line(following, line);
}

/* --- the dataplane --- */

static void take_message(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct following *following = ctx;

	switch (message->type) {
	case DP_FOLLOW:
		following->dp_id = ((const struct dp_object *)message)->id;
		break;
	case DP_FOLLOWED:
		end_frame(following);
		following->frame = *(const struct dp_followed *)message;
		following->has_frame = true;
		following->tracing.n = 0;
		following->n_frames++;
		break;
	case DP_TRACE_STEP:
		tracing_take(&following->tracing, (const struct dp_trace_step *)message);
		break;
	case DP_FOLLOW_STATE:
		end_frame(following);
		following->missed = ((const struct dp_follow_state *)message)->missed;
		break;
	default:
		break;
	}
}

static int ask(struct following *following, enum dp_type type)
{
	struct dp_object object = {.id = following->dp_id};
	struct problem problem = {0};
	int error = fastpath_ask(following->control->fastpath, type, &object, sizeof(object),
				 take_message, following, &problem);

	if (error < 0)
		problem_fini(&problem);
	return error;
}

static bool is_left_alone(const struct following *following)
{
	const struct dp_welcome *welcome = fastpath_welcome(following->control->fastpath);

	return welcome == NULL || welcome->epoch != following->epoch;
}

static void close_in_dataplane(struct following *following)
{
	/* Without an answer the dataplane has gone, and what it followed with it. */
	if (following->is_open && !is_left_alone(following))
		ask(following, DP_FOLLOW_CLOSE);
	following->is_open = false;
}

static void finish(struct following *following, const char *why)
{
	close_in_dataplane(following);
	following->is_over = true;
	say(following, "end", why);
}

/* Makes the lines for which there is something. */
static void look(struct following *following, uint64_t now_ns)
{
	/* Before the answer: what comes after the end is no more of it. */
	bool is_due = following->end_ns != 0 && now_ns >= following->end_ns;

	following->n_frames = 0;
	following->look_ns = now_ns + LOOK_NS;
	if (is_left_alone(following) || ask(following, DP_FOLLOW_LOOK) < 0)
		finish(following, "dataplane");
	else if (following->seen >= following->open.n_frames)
		finish(following, "count");
	else if (is_due && following->n_frames == 0)
		finish(following, "seconds");
	else if (following->n_frames == 0 && now_ns >= following->alive_ns)
		say(following, "alive", NULL);
	if (following->bytes != 0)
		following->alive_ns = now_ns + ALIVE_NS;
}

/* --- the stream --- */

static int read_following(void *ctx, char *buffer, size_t buffer_bytes)
{
	struct following *following = ctx;
	uint64_t now_ns = loop_clock_ns();

	if (following->at == following->bytes) {
		following->at = following->bytes = 0;
		if (following->is_over)
			return -ENODATA;
		if (now_ns >= following->look_ns)
			look(following, now_ns);
	}
	size_t n = following->bytes - following->at;

	n = n < buffer_bytes ? n : buffer_bytes;
	if (n != 0)
		memcpy(buffer, following->text + following->at, n);
	following->at += n;
	return (int)n;
}

static void close_following(void *ctx)
{
	struct following *following = ctx;

	close_in_dataplane(following);
	if (following->control->following == following)
		following->control->following = NULL;
	free(following->text);
	free(following);
}

int following_open(struct control *control, const struct dp_follow_open *open, uint64_t max_ns,
		   struct http_stream *stream, struct problem *problem)
{
	struct following *following = calloc(1, sizeof(*following));
	uint64_t now_ns = loop_clock_ns();

	if (following == NULL)
		return problem_system(problem, -ENOMEM, "answering");
	following->control = control;
	following->open = *open;
	following->wall_ns = utc_offset_ns(now_ns);
	following->end_ns = max_ns != 0 ? now_ns + max_ns : 0;
	int error = fastpath_ask(control->fastpath, DP_FOLLOW_OPEN, &following->open,
				 sizeof(following->open), take_message, following, problem);

	if (error < 0)
		free(following);
	if (error == -EBUSY)
		return problem_set(
			problem, error, 503, "traces-many",
			"somebody follows frames already; try again when that has ended");
	if (error < 0)
		return error;
	following->is_open = true;
	following->epoch = fastpath_welcome(control->fastpath)->epoch;
	control->following = following;
	*stream = (struct http_stream){.type = API_WATCH_TYPE,
				       .ctx = following,
				       .read = read_following,
				       .close = close_following};
	return 0;
}

int following_turn(struct control *control)
{
	if (control->following == NULL)
		return -1;
	control_wake(control);
	return LOOK_MS;
}
