/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures, last drops and flight recorders as messages. Main thread. */
#pragma once

#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct client;
struct dataplane;

/* DP_CAPTURE_OPEN, DP_CAPTURE_CLOSE, DP_DROPPED_DUMP, DP_FLIGHT_TAKE, of the right size. All send
 * their DP_DONE. */
void server_capture(struct dataplane *dp, struct client *client, const struct dp_header *request,
		    uint64_t now_ns);
