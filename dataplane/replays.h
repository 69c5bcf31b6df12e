/* SPDX-License-Identifier: BSD-3-Clause */
/* The replays of a dataplane: opened and closed by clients of the control socket. Main thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct dataplane;
struct port;
struct replay;

/* A replay into a port, whose ring is fds[0], and where its fates are fds[1], -1 if nobody asks;
 * they are the caller's. 0, or -errno with a line in `why`. */
int replays_open(struct dataplane *dp, const struct dp_replay_open *open, const void *owner,
		 uint64_t *id, int fds[2], char *why, size_t why_bytes);

/* One of this owner's; NULL: there is no such. */
struct replay *replays_find(const struct dataplane *dp, uint64_t id, const void *owner);
void replays_start(struct replay *replay, uint64_t start_ns);
void replays_close(struct dataplane *dp, struct replay *replay);

/* All of an owner; NULL: of all. */
void replays_close_all(struct dataplane *dp, const void *owner);

/* The port is about to be closed: nothing enters it any more. */
void replays_leave(const struct port *port);
