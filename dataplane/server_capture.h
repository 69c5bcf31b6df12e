/* SPDX-License-Identifier: BSD-3-Clause */
/* DP_CAPTURE_OPEN, DP_CAPTURE_CLOSE, DP_DROPPED_DUMP. All send their DP_DONE. Main thread. */
#pragma once

#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct client;
struct dataplane;

void server_capture_open(struct dataplane *dp, struct client *client,
			 const struct dp_capture_open *open);
void server_capture_close(struct dataplane *dp, struct client *client,
			  const struct dp_object *object);
void server_capture_dropped(struct dataplane *dp, struct client *client, uint64_t cookie);
