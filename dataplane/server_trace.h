/* SPDX-License-Identifier: BSD-3-Clause */
/* The answer to DP_TRACE. Main thread. */
#pragma once

#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct client;
struct dataplane;

void server_trace(struct dataplane *dp, struct client *client, const struct dp_trace *request,
		  uint64_t now_ns);
