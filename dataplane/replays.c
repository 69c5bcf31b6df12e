/* SPDX-License-Identifier: BSD-3-Clause */
/* See replays.h. Main thread. */
#include "dataplane/replays.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/dataplane.h"
#include "dataplane/fates.h"
#include "dataplane/port.h"
#include "dataplane/replay.h"

static int find_place(const struct dataplane *dp)
{
	for (int i = 0; i < DP_REPLAYS_MAX; i++) {
		if (dp->replays[i] == NULL)
			return i;
	}
	return -EBUSY;
}

static int check(const struct dataplane *dp, const struct port *port, char *why, size_t why_bytes)
{
	int error = 0;

	if (port == NULL) {
		snprintf(why, why_bytes, "the port is not in the dataplane (any more)");
		return -ENOENT;
	}
	if (port->is_peer) {
		snprintf(why, why_bytes, "port %s: a peer has no wire of its own; its uplink has",
			 port->spec.name);
		return -EINVAL;
	}
	if (find_place(dp) < 0) {
		snprintf(why, why_bytes, "frames are replayed into %d ports already; wait",
			 DP_REPLAYS_MAX);
		return -EBUSY;
	}
	for (unsigned int i = 0; i < DP_REPLAYS_MAX; i++) {
		if (dp->replays[i] != NULL && dp->replays[i]->port == port)
			error = -EBUSY;
	}
	if (error < 0)
		snprintf(why, why_bytes, "frames are replayed into port %s already; wait",
			 port->spec.name);
	return error;
}

/* What became of its frames is asked for. */
static int add_fates(struct dataplane *dp, struct replay *replay, int place, uint64_t ring_bytes,
		     int *fd)
{
	if (ring_bytes == 0)
		return 0;
	return fates_create(dp, (unsigned int)place, replay->id, ring_bytes, &replay->fates, fd);
}

static int create(struct dataplane *dp, struct port *port, const struct dp_replay_open *open,
		  int place, int fds[2])
{
	struct replay *replay;
	int error = replay_create(port, open->ring_bytes, &replay, &fds[0]);

	if (error < 0)
		return error;
	replay->id = ++dp->last_replay_id;
	error = add_fates(dp, replay, place, open->fates_bytes, &fds[1]);
	if (error == 0)
		error = port_attach_rxq(&replay->source, &replay->rxq);
	if (error == 0) {
		dp->replays[place] = replay;
		return 0;
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	fates_destroy(dp, replay->fates);
	replay_destroy(replay);
	return error;
}

int replays_open(struct dataplane *dp, const struct dp_replay_open *open, const void *owner,
		 uint64_t *id, int fds[2], char *why, size_t why_bytes)
{
	struct port *port = port_find(dp, open->port_id);
	int place = find_place(dp);
	int error = check(dp, port, why, why_bytes);

	fds[0] = fds[1] = -1;
	if (error < 0)
		return error;
	error = create(dp, port, open, place, fds);
	if (error < 0) {
		snprintf(why, why_bytes, "the replay cannot be made: %s", strerror(-error));
		return error;
	}
	dp->replays[place]->owner = owner;
	*id = dp->replays[place]->id;
	return 0;
}

struct replay *replays_find(const struct dataplane *dp, uint64_t id, const void *owner)
{
	for (unsigned int i = 0; i < DP_REPLAYS_MAX; i++) {
		struct replay *replay = dp->replays[i];

		if (replay != NULL && replay->id == id && replay->owner == owner)
			return replay;
	}
	return NULL;
}

void replays_start(struct replay *replay, uint64_t start_ns)
{
	atomic_store_explicit(&replay->start_ns, start_ns, memory_order_release);
	port_wake_rxq(&replay->source, &replay->rxq);
}

void replays_close(struct dataplane *dp, struct replay *replay)
{
	for (unsigned int i = 0; i < DP_REPLAYS_MAX; i++) {
		if (dp->replays[i] == replay)
			dp->replays[i] = NULL;
	}
	struct fates *fates = replay->fates;

	replay_destroy(replay);
	fates_destroy(dp, fates);
}

void replays_close_all(struct dataplane *dp, const void *owner)
{
	for (unsigned int i = 0; i < DP_REPLAYS_MAX; i++) {
		struct replay *replay = dp->replays[i];

		if (replay != NULL && (owner == NULL || replay->owner == owner))
			replays_close(dp, replay);
	}
}

void replays_leave(const struct port *port)
{
	const struct dataplane *dp = port->dp;

	for (unsigned int i = 0; i < DP_REPLAYS_MAX; i++) {
		struct replay *replay = dp->replays[i];

		if (replay == NULL || replay->port != port)
			continue;
		port_detach_rxq(&replay->source, &replay->rxq);
		atomic_store(&replay->fault, DP_REPLAY_PORT_GONE);
		replay->port = NULL;
	}
}
