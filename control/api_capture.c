/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers for captures, and for the frames that were dropped last. What a body asks for is checked
 * here in words, and in the dataplane once more. Runs on weftd's thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/places.h"
#include "control/recording.h"
#include "control/utc.h"
#include "dataplane/api/drop_reasons.h"
#include "dataplane/api/record.h"
#include "dataplane/base/loop.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define SNAPLEN_MAX 262144
#define COUNT_MAX 1000000000000LL
#define SECONDS_MAX (7 * 86400)
#define WAYS_BOTH (1u << RECORD_RX | 1u << RECORD_TX)

static int refuse(struct problem *problem, const char *key, const char *why)
{
	return problem_set(problem, -EINVAL, 422, "value-invalid", "%s: %s", key, why);
}

/* --- what is asked for --- */

struct asked {
	const struct control *control;
	struct recording_spec *spec;
	struct problem *problem;
};

static int read_segment(const struct asked *asked, const json_t *value)
{
	const struct model_object *segment;

	if (!json_is_string(value))
		return refuse(asked->problem, "segment", "the name of a segment");
	segment = api_find(asked->control, MODEL_SEGMENT, json_string_value(value), asked->problem);
	asked->spec->open.segment_id = segment != NULL ? (uint32_t)segment->id : 0;
	return segment != NULL ? 0 : -ENOENT;
}

static int read_channel(const struct asked *asked, const json_t *value)
{
	const struct model_object *channel;

	if (!json_is_string(value))
		return refuse(asked->problem, "channel", "the name of a channel");
	channel = api_find(asked->control, MODEL_CHANNEL, json_string_value(value), asked->problem);
	asked->spec->open.channel_id = channel != NULL ? (uint32_t)channel->id : 0;
	return channel != NULL ? 0 : -ENOENT;
}

static int read_way(const struct asked *asked, const json_t *value)
{
	const char *word = json_is_string(value) ? json_string_value(value) : "";

	if (strcmp(word, "rx") == 0)
		asked->spec->open.ways = 1u << RECORD_RX;
	else if (strcmp(word, "tx") == 0)
		asked->spec->open.ways = 1u << RECORD_TX;
	else if (strcmp(word, "both") == 0)
		asked->spec->open.ways = WAYS_BOTH;
	else if (strcmp(word, "drops") == 0)
		asked->spec->open.ways = 1u << RECORD_DROP;
	else
		return refuse(asked->problem, "way", "say rx, tx, both or drops");
	return 0;
}

static int read_name(const struct asked *asked, const json_t *value)
{
	struct recording_spec *spec = asked->spec;
	const char *name = json_is_string(value) ? json_string_value(value) : "";

	if (!model_is_name(name))
		return refuse(asked->problem, "name", "1 to 63 of A-Z a-z 0-9 . _ -");
	if (recording_find(asked->control, name) != NULL)
		return refuse(asked->problem, "name", "a capture of this name runs already");
	snprintf(spec->name, sizeof(spec->name), "%s", name);
	return 0;
}

static int read_key(const struct asked *asked, const char *key, const json_t *value)
{
	struct recording_spec *spec = asked->spec;
	struct dp_capture_open *open = &spec->open;
	uint64_t number = 0;
	int error;

	if (strcmp(key, "ports") == 0)
		return api_read_ports(asked->control, value, open->port_ids, &open->n_ports,
				      asked->problem);
	if (strcmp(key, "segment") == 0)
		return read_segment(asked, value);
	if (strcmp(key, "channel") == 0)
		return read_channel(asked, value);
	if (strcmp(key, "way") == 0)
		return read_way(asked, value);
	if (strcmp(key, "filter") == 0)
		return api_read_filter(value, open->insns, &open->n_insns, asked->problem);
	if (strcmp(key, "name") == 0)
		return read_name(asked, value);
	if (strcmp(key, "count") == 0)
		return api_read_number(key, value, COUNT_MAX, &spec->max_frames, asked->problem);
	if (strcmp(key, "snaplen") == 0) {
		error = api_read_number(key, value, SNAPLEN_MAX, &number, asked->problem);
		spec->open.snaplen = (uint32_t)number;
		return error;
	}
	if (strcmp(key, "seconds") == 0) {
		error = api_read_number(key, value, SECONDS_MAX, &number, asked->problem);
		spec->max_ns = number * NS_PER_S;
		return error;
	}
	return problem_set(asked->problem, -EINVAL, 422, "key-unknown",
			   "unknown key '%.60s'; known: ports, segment, channel, way, filter, "
			   "snaplen, count, seconds, name",
			   key);
}

static int check_spec(const struct asked *asked)
{
	const struct dp_capture_open *open = &asked->spec->open;

	if (open->ways == 1u << RECORD_DROP) {
		if (open->channel_id != 0)
			return refuse(asked->problem, "channel",
				      "what is dropped has none; say ports or segment, or nothing");
		return 0;
	}
	if (open->n_ports == 0 && open->segment_id == 0 && open->channel_id == 0)
		return problem_set(asked->problem, -EINVAL, 422, "key-missing",
				   "say ports, segment or channel; only of drops all are taken");
	return 0;
}

/* Names and words for people. */
static void name_it(const struct control *control, const struct http_request *request,
		    const json_t *body, struct recording_spec *spec)
{
	static const char *const ways[] = {[1u << RECORD_RX] = "rx",
					   [1u << RECORD_TX] = "tx",
					   [WAYS_BOTH] = "both",
					   [1u << RECORD_DROP] = "drops"};
	const json_t *ports = json_object_get(body, "ports");
	const char *first = json_string_value(json_array_get(ports, 0));
	const char *segment = json_string_value(json_object_get(body, "segment"));
	const char *channel = json_string_value(json_object_get(body, "channel"));

	snprintf(spec->who, sizeof(spec->who), "%s", request->who);
	snprintf(spec->what, sizeof(spec->what), "%s%s%s%s%s%s%s%s", ways[spec->open.ways],
		 first != NULL ? " port " : "", first != NULL ? first : "",
		 spec->open.n_ports > 1 ? "..." : "", segment != NULL ? " segment " : "",
		 segment != NULL ? segment : "", channel != NULL ? " channel " : "",
		 channel != NULL ? channel : "");
	snprintf(spec->interface, sizeof(spec->interface), "%s",
		 spec->open.n_ports == 1 ? first : "weft");
	if (spec->open.n_ports == 1)
		spec->interface_port_id = spec->open.port_ids[0];
	for (unsigned int i = 1; spec->name[0] == '\0'; i++) {
		char name[RECORDING_NAME_BYTES];

		snprintf(name, sizeof(name), "capture%u", i);
		if (recording_find(control, name) == NULL)
			memcpy(spec->name, name, sizeof(name));
	}
}

static int read_spec(const struct asked *asked, json_t *body)
{
	const char *key;
	json_t *value;
	int error = 0;

	if (!json_is_object(body))
		return problem_set(asked->problem, -EINVAL, 422, "value-invalid",
				   "a capture is an object, as {\"ports\": [\"web0\"]}");
	asked->spec->open.ways = WAYS_BOTH;
	asked->spec->open.ring_bytes = RECORDING_RING_BYTES;
	json_object_foreach(body, key, value) {
		if (error == 0)
			error = read_key(asked, key, value);
	}
	return error == 0 ? check_spec(asked) : error;
}

int api_post_capture(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem)
{
	struct control *control = ctx;
	struct recording_spec *spec = calloc(1, sizeof(*spec));
	const struct asked asked = {.control = control, .spec = spec, .problem = problem};
	json_t *body = NULL;
	int error = spec != NULL ? api_check_match(control, request, problem)
				 : problem_system(problem, -ENOMEM, "answering");

	if (error == 0)
		error = api_read_json(request, &body, problem);
	if (error == 0)
		error = read_spec(&asked, body);
	if (error == 0) {
		name_it(control, request, body, spec);
		error = recording_open(control, spec, &reply->stream, problem);
	}
	json_decref(body);
	free(spec);
	return error;
}

/* --- those that run --- */

static json_t *list(const struct control *control)
{
	const struct recording *recording = NULL;
	json_t *captures = json_array();

	while ((recording = recording_next(control, recording)) != NULL) {
		struct recording_report report;

		recording_describe(recording, &report);
		json_array_append_new(captures,
				      json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "name",
						report.name, "what", report.what, "who", report.who,
						"frames", (json_int_t)report.written, "not_kept",
						(json_int_t)report.lost, "age_s",
						(json_int_t)(report.age_ns / NS_PER_S)));
	}
	return json_pack("{s:o}", "captures", captures);
}

int api_list_captures(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem)
{
	return api_reply(ctx, list(ctx), reply, problem);
}

int api_delete_capture(void *ctx, const struct http_request *request, struct http_reply *reply,
		       struct problem *problem)
{
	struct recording *recording = recording_find(ctx, request->name);
	int error = api_check_match(ctx, request, problem);

	if (error < 0)
		return error;
	if (recording == NULL)
		return problem_set(problem, -ENOENT, 404, "capture-unknown",
				   "no capture %.60s runs; weft capture list shows those that do",
				   request->name);
	recording_end(recording);
	return api_reply(ctx, list(ctx), reply, problem);
}

/* --- the frames that were dropped last --- */

struct dropped {
	const struct model_port *port;
	struct places places;
	int64_t wall_ns; /* what is added to the dataplane's time */
	uint64_t skipped;
	json_t *frames;
};

static void add_dropped(struct dropped *dropped, const struct dp_dropped_frame *frame)
{
	const struct model_segment *segment = places_segment(&dropped->places, frame->segment_id);
	char time[UTC_MS_BYTES];
	json_t *object;

	if (frame->port_id != dropped->port->id || frame->reason >= DROP_COUNT ||
	    frame->head_len > sizeof(frame->head))
		return;
	int64_t time_ns = (int64_t)frame->time_ns + dropped->wall_ns;

	utc_format_ms(time_ns / (int64_t)NS_PER_MS, time);
	object = json_pack("{s:s, s:I, s:s, s:I, s:o}", "time", time, "time_ns",
			   (json_int_t)time_ns, "reason", drop_reason_name(frame->reason), "bytes",
			   (json_int_t)frame->len, "head",
			   api_format_hex(frame->head, frame->head_len));
	if (segment != NULL)
		json_object_set_new(object, "segment", json_string(segment->name));
	json_array_append_new(dropped->frames, object);
}

static void take_dropped(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	const struct dp_dropped *batch = (const void *)message;
	struct dropped *dropped = ctx;

	if (message->type != DP_DROPPED)
		return;
	dropped->skipped = batch->skipped;
	for (uint32_t i = 0; i < batch->n_entries; i++)
		add_dropped(dropped, &batch->entries[i]);
}

static int compare_age(const void *a, const void *b)
{
	json_int_t time_a = json_integer_value(json_object_get(*(json_t *const *)a, "time_ns"));
	json_int_t time_b = json_integer_value(json_object_get(*(json_t *const *)b, "time_ns"));

	return time_a < time_b ? -1 : time_a > time_b;
}

/* The oldest first. Returns a new list, and lets the old one go. */
static json_t *sort(json_t *frames)
{
	size_t n = json_array_size(frames);
	json_t **items = calloc(n + 1, sizeof(json_t *)), *sorted = json_array();

	for (size_t i = 0; i < n && items != NULL; i++)
		items[i] = json_array_get(frames, i);
	if (items != NULL)
		qsort(items, n, sizeof(items[0]), compare_age);
	for (size_t i = 0; i < n && items != NULL; i++)
		json_array_append(sorted, items[i]);
	free(items);
	json_decref(frames);
	return sorted;
}

int api_get_dropped(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	struct control *control = ctx;
	struct dp_plain plain = {.header = {.cookie = 0}};
	struct dropped dropped = {
		.port = api_find_port(control, request->name, problem),
		.wall_ns = utc_offset_ns(loop_clock_ns()),
	};

	if (dropped.port == NULL)
		return -ENOENT;
	if (places_init(&dropped.places, control->model) < 0)
		return problem_system(problem, -ENOMEM, "answering");
	dropped.frames = json_array();
	int error = fastpath_ask(control->fastpath, DP_DROPPED_DUMP, &plain, sizeof(plain),
				 take_dropped, &dropped, problem);

	places_fini(&dropped.places);
	if (error < 0) {
		json_decref(dropped.frames);
		return error;
	}
	return api_reply(control,
			 json_pack("{s:o, s:I}", "frames", sort(dropped.frames), "skipped",
				   (json_int_t)dropped.skipped),
			 reply, problem);
}
