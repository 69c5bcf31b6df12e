/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools, channels and loans for a client. Main thread. */
#pragma once

#include <stdint.h>

struct client;
struct dataplane;

/* The part of DP_DUMP; no DP_DONE. Loans say what is left of their time. */
void server_channel_dump(const struct dataplane *dp, struct client *client, uint64_t cookie,
			 uint64_t now_ns);
