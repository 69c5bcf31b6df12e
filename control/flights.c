/* SPDX-License-Identifier: BSD-3-Clause */
/* See flights.h. */
#include "control/flights.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture_writer.h"
#include "control/control.h"
#include "control/events.h"
#include "control/fastpath.h"
#include "control/places.h"
#include "control/problem.h"
#include "control/table.h"
#include "control/utc.h"
#include "dataplane/api/drop_reasons.h"
#include "dataplane/api/flight_msg.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define NS_PER_MS 1000000
#define AT_ONCE 4 /* in a turn: others want something, too */
#define RETRY_MS 500
#define FRAMES_MAX (64 * 512)
#define SNAPLEN sizeof(((struct dp_dropped_frame *)0)->head)

struct flights {
	int dir_fd;
	uint32_t n_seen; /* of the dataplane's counter */
	uint64_t epoch;	 /* of which dataplane */
	bool is_failing; /* which was said */
};

/* A recording on its way from the dataplane into a file. */
struct saving {
	const struct control *control;
	struct places places;
	bool is_there;
	struct dp_flight flight;
	int64_t wall_ns; /* what is added to the dataplane's time */
	struct dp_dropped_frame *frames;
	size_t n_frames;
	struct table interfaces; /* port id -> interface */
	char what[CAPTURE_COMMENT_BYTES];
	char segment[DP_NAME_BYTES];
	char *bytes; /* the file */
	size_t n_bytes;
	FILE *stream;
};

static const char *const triggers[DP_FLIGHT_KINDS] = {
	[DP_FLIGHT_ASKED] = "asked", [DP_FLIGHT_STORM] = "storm", [DP_FLIGHT_MOVE] = "move",
	[DP_FLIGHT_RATE] = "rate",   [DP_FLIGHT_LEARN] = "learn",
};

int flights_create(const char *state_dir, struct flights **out)
{
	struct flights *flights = calloc(1, sizeof(*flights));

	if (flights == NULL)
		return -ENOMEM;
	flights->dir_fd = flight_files_open(state_dir);
	if (flights->dir_fd < 0) {
		int error = flights->dir_fd;

		free(flights);
		return error;
	}
	*out = flights;
	return 0;
}

void flights_destroy(struct flights *flights)
{
	if (flights == NULL)
		return;
	close(flights->dir_fd);
	free(flights);
}

int flights_dir_fd(const struct flights *flights)
{
	return flights->dir_fd;
}

/* --- from the dataplane --- */

static void take_frames(struct saving *saving, const struct dp_dropped *batch)
{
	size_t n = saving->n_frames + batch->n_entries;

	if (n > FRAMES_MAX || batch->n_entries == 0)
		return;
	struct dp_dropped_frame *frames = realloc(saving->frames, n * sizeof(saving->frames[0]));

	/* Without memory there are fewer. */
	if (frames == NULL)
		return;
	saving->frames = frames;
	memcpy(frames + saving->n_frames, batch->entries, batch->n_entries * sizeof(frames[0]));
	saving->n_frames = n;
}

static void take_message(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct saving *saving = ctx;

	if (message->type == DP_FLIGHT &&
	    ((const struct dp_flight *)message)->kind < DP_FLIGHT_KINDS) {
		saving->flight = *(const struct dp_flight *)message;
		saving->is_there = true;
	} else if (message->type == DP_DROPPED) {
		take_frames(saving, (const struct dp_dropped *)message);
	}
}

static int compare_age(const void *a, const void *b)
{
	const struct dp_dropped_frame *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns > y->time_ns ? 1 : -1;
	return memcmp(x->reserved, y->reserved, sizeof(x->reserved));
}

/* Frames of one time stay in the order in which their worker had them. */
static void sort(struct saving *saving)
{
	struct dp_dropped_frame *frames = saving->frames;

	for (size_t i = 0; i < saving->n_frames; i++)
		memcpy(frames[i].reserved, &(uint32_t){htobe32((uint32_t)i)}, sizeof(uint32_t));
	if (saving->n_frames != 0)
		qsort(frames, saving->n_frames, sizeof(frames[0]), compare_age);
}

/* --- the file --- */

static const char *port_name(const struct saving *saving, uint64_t id)
{
	const struct model_port *port = places_port(&saving->places, id);

	return port != NULL ? port->name : "(gone)";
}

/* What has happened, in one line. */
static void describe(struct saving *saving)
{
	const struct dp_flight *flight = &saving->flight;
	const uint8_t *mac = flight->mac;
	const char *port = port_name(saving, flight->port_id);
	char address[18];

	snprintf(address, sizeof(address), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	switch ((enum dp_flight_kind)flight->kind) {
	case DP_FLIGHT_STORM:
	case DP_FLIGHT_RATE:
		snprintf(saving->what, sizeof(saving->what), "%s at port %s: %s; source %s",
			 drop_reason_name(flight->reason), port, drop_reason_help(flight->reason),
			 address);
		break;
	case DP_FLIGHT_MOVE:
		snprintf(saving->what, sizeof(saving->what), "%s moved from port %s to port %s",
			 address, port_name(saving, flight->old_port_id), port);
		break;
	case DP_FLIGHT_LEARN:
		snprintf(saving->what, sizeof(saving->what),
			 "port %s brings new addresses faster than they are learned; %s", port,
			 address);
		break;
	default:
		snprintf(saving->what, sizeof(saving->what), "saved by hand");
	}
}

static int put_bytes(void *ctx, const void *bytes, size_t n)
{
	return n != 0 && fwrite(bytes, n, 1, ctx) != 1 ? -ENOMEM : 0;
}

static int interface_of(struct saving *saving, struct capture_writer *writer, uint64_t port_id)
{
	const struct table_row *row = table_find(&saving->interfaces, port_id);
	struct capture_interface interface = {.link = CAPTURE_LINK_ETHERNET, .snaplen = SNAPLEN};
	uint32_t index = writer->n_interfaces;

	if (row != NULL)
		return (int)row->digest;
	snprintf(interface.name, sizeof(interface.name), "%s", port_name(saving, port_id));
	int error = capture_writer_add_interface(writer, &interface);

	if (error == 0)
		error = table_put(&saving->interfaces,
				  (struct table_row){.id = port_id, .digest = index});
	return error < 0 ? error : (int)index;
}

static int put_frame(struct saving *saving, struct capture_writer *writer,
		     const struct dp_dropped_frame *frame, const char *comment)
{
	int interface = interface_of(saving, writer, frame->port_id);
	uint32_t len = frame->head_len < SNAPLEN ? frame->head_len : SNAPLEN;
	struct capture_packet packet = {
		.time_ns = frame->time_ns + (uint64_t)saving->wall_ns,
		.len = len,
		.wire_len = frame->len > len ? frame->len : len,
		.interface = (uint32_t)interface,
		.direction = CAPTURE_DIRECTION_IN,
		.bytes = frame->head,
		.comment = comment,
	};

	return interface < 0 ? interface : capture_writer_put(writer, &packet);
}

/* The last frame that had come when it happened says so. */
static int put_frames(struct saving *saving, struct capture_writer *writer)
{
	const struct dp_dropped_frame *frames = saving->frames;
	size_t n = saving->n_frames;
	int error = 0;

	for (size_t i = 0; i < n && error == 0; i++) {
		bool is_it = frames[i].time_ns <= saving->flight.time_ns &&
			     (i + 1 == n || frames[i + 1].time_ns > saving->flight.time_ns);

		error = put_frame(saving, writer, &frames[i], is_it ? saving->what : NULL);
	}
	return error;
}

static int make_file(struct saving *saving, const char *time)
{
	char comment[CAPTURE_SECTION_COMMENT_BYTES];
	struct capture_writer writer;

	snprintf(comment, sizeof(comment),
		 "weft flight recorder of segment %s, %s: %s; %zu frames, %llu more came too fast",
		 saving->segment, time, saving->what, saving->n_frames,
		 (unsigned long long)saving->flight.skipped);
	saving->stream = open_memstream(&saving->bytes, &saving->n_bytes);
	if (saving->stream == NULL)
		return -ENOMEM;
	int error = capture_writer_begin_section(&writer, comment, put_bytes, saving->stream);

	if (error == 0)
		error = put_frames(saving, &writer);
	if (fclose(saving->stream) != 0 && error == 0)
		error = -ENOMEM;
	return error;
}

/* --- saving --- */

/* For who watches, and for the log: that it fails is said once. */
static void tell(struct control *control, const struct saving *saving, const char *name, int error)
{
	struct flights *flights = control->flights;
	json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "flight", "segment",
				  saving->segment, "trigger", triggers[saving->flight.kind], "name",
				  error < 0 ? "" : name, "what", saving->what);

	if (error < 0 && !flights->is_failing)
		log_error("flight", "segment %s: %s; not saved: %s; weft flight del makes room",
			  saving->segment, saving->what, strerror(-error));
	if (error < 0)
		json_object_set_new(event, "problem", json_string(strerror(-error)));
	if (error == 0 || !flights->is_failing)
		events_add(control->events, event);
	else
		json_decref(event);
	flights->is_failing = error < 0;
}

static int save(struct control *control, struct saving *saving, char name[FLIGHT_FILES_NAME_BYTES])
{
	const struct model_segment *segment =
		places_segment(&saving->places, saving->flight.segment_id);
	char time[UTC_MS_BYTES];
	int64_t time_ms = ((int64_t)saving->flight.time_ns + saving->wall_ns) / NS_PER_MS;

	snprintf(saving->segment, sizeof(saving->segment), "%s",
		 segment != NULL ? segment->name : "gone");
	sort(saving);
	describe(saving);
	utc_format_ms(time_ms, time);
	flight_files_name(time_ms, triggers[saving->flight.kind], saving->segment, name);
	int error = make_file(saving, time);

	if (error == 0)
		error = flight_files_write(control->flights->dir_fd, name, saving->bytes,
					   saving->n_bytes);
	tell(control, saving, name, error);
	return error;
}

/* segment_id 0: of any that has stopped. 1: saved, 0: there is none; -errno with *problem filled.
 */
static int take(struct control *control, uint32_t segment_id, char name[FLIGHT_FILES_NAME_BYTES],
		struct problem *problem)
{
	struct dp_object object = {.id = segment_id};
	struct saving saving = {
		.control = control,
		.wall_ns = utc_offset_ns(loop_clock_ns()),
	};

	if (places_init(&saving.places, control->model) < 0)
		return problem_system(problem, -ENOMEM, "answering");
	int error = fastpath_ask(control->fastpath, DP_FLIGHT_TAKE, &object, sizeof(object),
				 take_message, &saving, problem);

	if (error == 0 && saving.is_there) {
		error = save(control, &saving, name);
		if (error < 0)
			problem_set(problem, error, error == -ENOSPC ? 507 : 503,
				    error == -ENOSPC ? "store-full" : "store-failed",
				    "saving in the state directory's flight: %s", strerror(-error));
	}
	places_fini(&saving.places);
	table_fini(&saving.interfaces);
	free(saving.frames);
	free(saving.bytes);
	return error < 0 ? error : saving.is_there;
}

int flights_save(struct control *control, const struct model_object *segment,
		 char name[FLIGHT_FILES_NAME_BYTES], struct problem *problem)
{
	int n = take(control, (uint32_t)segment->id, name, problem);

	if (n == -ENOENT) {
		problem_fini(problem);
		return problem_set(
			problem, n, 409, "flight-off",
			"segment %s has no flight recorder; weft segment set %s flight=on",
			segment->name, segment->name);
	}
	return n < 0 ? n : 0;
}

int flights_turn(struct control *control)
{
	struct flights *flights = control->flights;
	const struct meter *meter = fastpath_meter(control->fastpath);
	char name[FLIGHT_FILES_NAME_BYTES];

	if (meter == NULL)
		return -1;
	uint32_t n = meter_flights(meter);

	if (n == flights->n_seen && meter->header->epoch == flights->epoch)
		return -1;
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		struct problem problem = {0};
		int taken = take(control, 0, name, &problem);

		problem_fini(&problem);
		if (taken == 0) {
			flights->n_seen = n;
			flights->epoch = meter->header->epoch;
		}
		if (taken == 0 || fastpath_welcome(control->fastpath) == NULL)
			return -1;
		/* A dataplane that hangs does not answer; it may come back. */
		if (taken < 0)
			return RETRY_MS;
	}
	return 0;
}
