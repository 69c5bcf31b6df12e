/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers for what flight recorders had when something happened. Runs on weftd's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/api.h"
#include "control/flights.h"

static json_t *format(const struct flight_file *file)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", file->name, "segment", file->segment,
			 "trigger", file->trigger, "time", file->time, "bytes",
			 (json_int_t)file->bytes);
}

static int unknown(const struct http_request *request, struct problem *problem)
{
	return problem_set(problem, -ENOENT, 404, "flight-unknown",
			   "there is no recording %.120s; weft flight list shows those there are",
			   request->name);
}

/* All of them; of a name that is given, that one alone. */
static int reply_with(struct control *control, const char *name, struct http_reply *reply,
		      struct problem *problem)
{
	json_t *list = json_array(), *one = NULL;
	struct flight_file *files;
	size_t n;
	int error = flight_files_list(flights_dir_fd(control->flights), &files, &n);

	if (error < 0) {
		json_decref(list);
		return problem_system(problem, error, "reading the state directory");
	}
	for (size_t i = 0; i < n; i++) {
		if (name != NULL && strcmp(files[i].name, name) == 0)
			one = format(&files[i]);
		json_array_append_new(list, format(&files[i]));
	}
	free(files);
	if (name == NULL)
		return api_reply(control, json_pack("{s:o}", "flights", list), reply, problem);
	json_decref(list);
	if (one == NULL)
		return problem_set(problem, -ENOENT, 503, "store-failed",
				   "it was saved, and is gone: newer ones need the room");
	return api_reply(control, one, reply, problem);
}

int api_list_flights(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem)
{
	return reply_with(ctx, NULL, reply, problem);
}

/* --- one of them, as it is --- */

struct reading {
	int fd;
};

static int read_piece(void *ctx, char *buffer, size_t buffer_bytes)
{
	const struct reading *reading = ctx;
	ssize_t n = read(reading->fd, buffer, buffer_bytes);

	if (n < 0)
		return -errno;
	return n > 0 ? (int)n : -ENODATA;
}

static void close_reading(void *ctx)
{
	struct reading *reading = ctx;

	close(reading->fd);
	free(reading);
}

int api_get_flight(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem)
{
	const struct control *control = ctx;
	int fd = flight_files_read(flights_dir_fd(control->flights), request->name);
	struct reading *reading = fd >= 0 ? malloc(sizeof(*reading)) : NULL;

	if (fd == -ENOENT)
		return unknown(request, problem);
	if (fd < 0)
		return problem_system(problem, fd, "reading the state directory");
	if (reading == NULL) {
		close(fd);
		return problem_system(problem, -ENOMEM, "answering");
	}
	reading->fd = fd;
	reply->stream = (struct http_stream){.type = API_CAPTURE_TYPE,
					     .ctx = reading,
					     .read = read_piece,
					     .close = close_reading};
	return 0;
}

int api_delete_flight(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem)
{
	struct control *control = ctx;
	int error = api_check_match(control, request, problem);

	if (error < 0)
		return error;
	error = flight_files_remove(flights_dir_fd(control->flights), request->name);
	if (error == -ENOENT)
		return unknown(request, problem);
	if (error < 0)
		return problem_system(problem, error, "writing the state directory");
	return reply_with(control, NULL, reply, problem);
}

int api_save_flight(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	struct control *control = ctx;
	char name[FLIGHT_FILES_NAME_BYTES];
	int error = api_check_match(control, request, problem);
	const struct model_object *segment =
		error == 0 ? api_find(control, MODEL_SEGMENT, request->name, problem) : NULL;

	if (segment == NULL)
		return error < 0 ? error : -ENOENT;
	error = flights_save(control, segment, name, problem);
	return error < 0 ? error : reply_with(control, name, reply, problem);
}
