/* SPDX-License-Identifier: BSD-3-Clause */
/* DP_REPLAY_OPEN, _START, _LOOK and _CLOSE. All send their DP_DONE. Main thread. */
#pragma once

#include "dataplane/api/dp_msg.h"

struct client;
struct dataplane;

void server_replay_open(struct dataplane *dp, struct client *client,
			const struct dp_replay_open *open);
void server_replay_start(const struct dataplane *dp, struct client *client,
			 const struct dp_replay_start *start);
void server_replay_look(const struct dataplane *dp, struct client *client,
			const struct dp_object *object);
void server_replay_close(struct dataplane *dp, struct client *client,
			 const struct dp_object *object);
