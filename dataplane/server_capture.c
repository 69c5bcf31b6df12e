/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures opened and closed from outside, the frames that were dropped last, and what flight
 * recorders have. Main thread. */
#include "dataplane/server_capture.h"

#include <errno.h>
#include <unistd.h>

#include "dataplane/captures.h"
#include "dataplane/client.h"
#include "dataplane/dataplane.h"
#include "dataplane/dropped.h"
#include "dataplane/flight.h"
#include "dataplane/recorder.h"
#include "dataplane/worker.h"

#define FRAMES_PER_MESSAGE                                                                         \
	((DP_MESSAGE_BYTES - sizeof(struct dp_dropped)) / sizeof(struct dp_dropped_frame))

static void do_open(struct dataplane *dp, struct client *client, const struct dp_capture_open *open)
{
	struct dp_object answer = {.header = {.cookie = open->header.cookie}};
	char why[DP_TEXT_BYTES] = "";
	int fd = -1, error = captures_open(dp, open, client, &answer.id, &fd, why, sizeof(why));

	if (error == 0) {
		client_send(client, &answer, sizeof(answer), DP_CAPTURE, fd);
		close(fd);
	}
	client_done(client, open->header.cookie, error, why);
}

static void do_close(struct dataplane *dp, struct client *client, const struct dp_object *object)
{
	int error = captures_close(dp, object->id, client);

	client_done(client, object->header.cookie, error,
		    error < 0 ? "there is no such capture (any more)" : "");
}

struct dump {
	struct client *client;
	uint64_t cookie;
	union {
		struct dp_dropped message;
		char bytes[DP_MESSAGE_BYTES];
	};
};

static void flush(struct dump *dump)
{
	dump->message.header.cookie = dump->cookie;
	client_send(dump->client, &dump->message,
		    sizeof(dump->message) +
			    dump->message.n_entries * sizeof(dump->message.entries[0]),
		    DP_DROPPED, -1);
	dump->message.n_entries = 0;
}

static void add_frame(void *ctx, const struct dp_dropped_frame *frame)
{
	struct dump *dump = ctx;

	dump->message.entries[dump->message.n_entries++] = *frame;
	if (dump->message.n_entries == FRAMES_PER_MESSAGE)
		flush(dump);
}

static void do_dropped(struct dataplane *dp, struct client *client, uint64_t cookie)
{
	struct dump dump = {.client = client, .cookie = cookie};

	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		dump.message.skipped += atomic_load(&dp->workers[i]->recorder->dropped.skipped);
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		dropped_walk(&dp->workers[i]->recorder->dropped, add_frame, &dump);
	flush(&dump);
	client_done(client, cookie, 0, "");
}

/* --- flight recorders --- */

/* Of this id; 0: any that has stopped. NULL: there is none. */
static struct segment *find_flight(const struct dataplane *dp, uint64_t id)
{
	for (unsigned int i = 1; i < dp->segments_end; i++) {
		struct segment *segment = atomic_load(&dp->segments[i]);
		const struct flight *flight =
			segment != NULL ? atomic_load(&segment->flight) : NULL;

		if (flight != NULL && (id != 0 ? segment->id == id : flight_is_triggered(flight)))
			return segment;
	}
	return NULL;
}

static void do_flight(struct dataplane *dp, struct client *client, const struct dp_object *object,
		      uint64_t now_ns)
{
	struct dump dump = {.client = client, .cookie = object->header.cookie};
	const struct segment *segment = find_flight(dp, object->id);

	if (segment == NULL) {
		client_done(client, dump.cookie, object->id != 0 ? -ENOENT : 0,
			    object->id != 0 ? "the segment has no flight recorder: flight is off"
					    : "");
		return;
	}
	struct flight *flight = atomic_load(&segment->flight);
	struct dp_flight answer = {.time_ns = now_ns, .segment_id = segment->id};
	bool was_triggered = flight_is_triggered(flight);

	if (was_triggered)
		answer = flight->trigger;
	answer.header.cookie = dump.cookie;
	answer.skipped = flight_skipped(flight);
	client_send(client, &answer, sizeof(answer), DP_FLIGHT, -1);
	flight_walk(flight, add_frame, &dump);
	flush(&dump);
	if (was_triggered)
		flight_arm(flight, now_ns);
	client_done(client, dump.cookie, 0, "");
}

void server_capture(struct dataplane *dp, struct client *client, const struct dp_header *request,
		    uint64_t now_ns)
{
	/* server.c has looked at sizes. */
	switch (request->type) {
	case DP_CAPTURE_OPEN:
		do_open(dp, client, (const struct dp_capture_open *)request);
		break;
	case DP_CAPTURE_CLOSE:
		do_close(dp, client, (const struct dp_object *)request);
		break;
	case DP_DROPPED_DUMP:
		do_dropped(dp, client, request->cookie);
		break;
	default:
		do_flight(dp, client, (const struct dp_object *)request, now_ns);
		break;
	}
}
