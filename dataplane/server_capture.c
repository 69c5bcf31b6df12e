/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures opened and closed from outside, and the frames that were dropped last. Main thread. */
#include "dataplane/server_capture.h"

#include <unistd.h>

#include "dataplane/captures.h"
#include "dataplane/client.h"
#include "dataplane/dataplane.h"
#include "dataplane/dropped.h"
#include "dataplane/recorder.h"
#include "dataplane/worker.h"

#define FRAMES_PER_MESSAGE                                                                         \
	((DP_MESSAGE_BYTES - sizeof(struct dp_dropped)) / sizeof(struct dp_dropped_frame))

void server_capture_open(struct dataplane *dp, struct client *client,
			 const struct dp_capture_open *open)
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

void server_capture_close(struct dataplane *dp, struct client *client,
			  const struct dp_object *object)
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

void server_capture_dropped(struct dataplane *dp, struct client *client, uint64_t cookie)
{
	struct dump dump = {.client = client, .cookie = cookie};

	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		dump.message.skipped += atomic_load(&dp->workers[i]->recorder->dropped.skipped);
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		dropped_walk(&dp->workers[i]->recorder->dropped, add_frame, &dump);
	flush(&dump);
	client_done(client, cookie, 0, "");
}
