/* SPDX-License-Identifier: BSD-3-Clause */
/* DP_FOLLOW_OPEN, DP_FOLLOW_LOOK, DP_FOLLOW_CLOSE. All send their DP_DONE. Main thread. */
#pragma once

#include "dataplane/api/dp_msg.h"

struct client;
struct dataplane;

void server_follow(struct dataplane *dp, struct client *client, const struct dp_header *request);
