/* SPDX-License-Identifier: BSD-3-Clause */
/* Followed frames as messages. Main thread. */
#include "dataplane/server_follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/client.h"
#include "dataplane/follow.h"
#include "dataplane/follower.h"
#include "dataplane/trace_text.h"

#define FRAMES_PER_LOOK 16

static void do_open(struct dataplane *dp, struct client *client, const struct dp_follow_open *open)
{
	struct dp_object answer = {.header = {.cookie = open->header.cookie}};
	char why[DP_TEXT_BYTES] = "";
	int error = follow_open(dp, open, client, &answer.id, why, sizeof(why));

	if (error == 0)
		client_send(client, &answer, sizeof(answer), DP_FOLLOW, -1);
	client_done(client, open->header.cookie, error, why);
}

static void send_record(const struct dataplane *dp, struct client *client, uint64_t cookie,
			const struct follower_record *record)
{
	struct dp_followed frame = {
		.header = {.cookie = cookie},
		.time_ns = record->time_ns,
		.port_id = record->port_id,
		.len = record->len,
		.head_len = record->head_len,
		.n_steps = record->n_facts,
	};

	memcpy(frame.head, record->head, record->head_len);
	client_send(client, &frame, sizeof(frame), DP_FOLLOWED, -1);
	for (unsigned int i = 0; i < record->n_facts; i++) {
		struct dp_trace_step step;

		trace_text(dp, &record->facts[i], &step);
		step.header.cookie = cookie;
		client_send(client, &step, sizeof(step), DP_TRACE_STEP, -1);
	}
}

static void do_look(const struct dataplane *dp, struct client *client,
		    const struct dp_object *object)
{
	uint64_t cookie = object->header.cookie;
	struct follow *follow = follow_find(dp, object->id, client);
	struct follower_record *record = malloc(sizeof(*record));

	if (follow == NULL || record == NULL) {
		free(record);
		client_done(client, cookie, follow == NULL ? -ENOENT : -ENOMEM,
			    follow == NULL ? "nothing of this id is followed (any more)"
					   : "out of memory");
		return;
	}
	struct dp_follow_state state = {.header = {.cookie = cookie},
					.missed = follow_missed(follow)};

	for (unsigned int i = 0; i < FRAMES_PER_LOOK && follow_next(follow, record); i++)
		send_record(dp, client, cookie, record);
	free(record);
	client_send(client, &state, sizeof(state), DP_FOLLOW_STATE, -1);
	client_done(client, cookie, 0, "");
}

void server_follow(struct dataplane *dp, struct client *client, const struct dp_header *request)
{
	const struct dp_object *object = (const struct dp_object *)request;
	int error;

	/* server.c has looked at sizes. */
	switch (request->type) {
	case DP_FOLLOW_OPEN:
		do_open(dp, client, (const struct dp_follow_open *)request);
		break;
	case DP_FOLLOW_LOOK:
		do_look(dp, client, object);
		break;
	default:
		error = follow_close(dp, object->id, client);
		client_done(client, request->cookie, error,
			    error < 0 ? "nothing of this id is followed (any more)" : "");
		break;
	}
}
