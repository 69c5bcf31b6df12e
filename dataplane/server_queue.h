/* SPDX-License-Identifier: BSD-3-Clause */
/* DP_QUEUE_DUMP and DP_QUEUE_MOVE: who polls what, seen and changed from outside. Main thread. */
#pragma once

#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct client;
struct dataplane;

/* Both send their DP_DONE. */
void server_queue_dump(struct dataplane *dp, struct client *client, uint64_t cookie);
void server_queue_move(struct dataplane *dp, struct client *client, const struct dp_queue *move);
