/* SPDX-License-Identifier: BSD-3-Clause */
/* Replays opened, started, looked at and closed from outside. Main thread. */
#include "dataplane/server_replay.h"

#include <errno.h>
#include <unistd.h>

#include "dataplane/client.h"
#include "dataplane/replay.h"
#include "dataplane/replays.h"

static void do_open(struct dataplane *dp, struct client *client, const struct dp_replay_open *open)
{
	struct dp_object answer = {.header = {.cookie = open->header.cookie}};
	char why[DP_TEXT_BYTES] = "";
	int fds[2];
	int error = replays_open(dp, open, client, &answer.id, fds, why, sizeof(why));

	if (error == 0) {
		client_send(client, &answer, sizeof(answer), DP_REPLAY, fds[0]);
		close(fds[0]);
	}
	if (error == 0 && fds[1] >= 0) {
		client_send(client, &answer, sizeof(answer), DP_REPLAY_FATES, fds[1]);
		close(fds[1]);
	}
	client_done(client, open->header.cookie, error, why);
}

/* The replay, or NULL after the end of the answer. */
static struct replay *find(const struct dataplane *dp, struct client *client, uint64_t id,
			   uint64_t cookie)
{
	struct replay *replay = replays_find(dp, id, client);

	if (replay == NULL)
		client_done(client, cookie, -ENOENT, "there is no such replay (any more)");
	return replay;
}

static void do_start(const struct dataplane *dp, struct client *client,
		     const struct dp_replay_start *start)
{
	struct replay *replay = find(dp, client, start->id, start->header.cookie);

	if (replay == NULL)
		return;
	if (start->start_ns == 0) {
		client_done(client, start->header.cookie, -EINVAL, "a replay has to start");
		return;
	}
	replays_start(replay, start->start_ns);
	client_done(client, start->header.cookie, 0, "");
}

static void do_look(const struct dataplane *dp, struct client *client,
		    const struct dp_object *object)
{
	struct dp_replay_state state = {.header = {.cookie = object->header.cookie}};
	const struct replay *replay = find(dp, client, object->id, object->header.cookie);

	if (replay == NULL)
		return;
	replay_look(replay, &state);
	client_send(client, &state, sizeof(state), DP_REPLAY_STATE, -1);
	client_done(client, object->header.cookie, 0, "");
}

static void do_close(struct dataplane *dp, struct client *client, const struct dp_object *object)
{
	struct replay *replay = find(dp, client, object->id, object->header.cookie);

	if (replay == NULL)
		return;
	replays_close(dp, replay);
	client_done(client, object->header.cookie, 0, "");
}

void server_replay(struct dataplane *dp, struct client *client, const struct dp_header *request)
{
	/* server.c has looked at sizes. */
	switch (request->type) {
	case DP_REPLAY_OPEN:
		do_open(dp, client, (const struct dp_replay_open *)request);
		break;
	case DP_REPLAY_START:
		do_start(dp, client, (const struct dp_replay_start *)request);
		break;
	case DP_REPLAY_LOOK:
		do_look(dp, client, (const struct dp_object *)request);
		break;
	default:
		do_close(dp, client, (const struct dp_object *)request);
		break;
	}
}
