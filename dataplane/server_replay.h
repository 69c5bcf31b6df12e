/* SPDX-License-Identifier: BSD-3-Clause */
/* DP_REPLAY_OPEN, _START, _LOOK and _CLOSE. All send their DP_DONE. Main thread. */
#pragma once

#include "dataplane/api/dp_msg.h"

struct client;
struct dataplane;

/* Any of them, of the size that its type has. */
void server_replay(struct dataplane *dp, struct client *client, const struct dp_header *request);
