/* SPDX-License-Identifier: BSD-3-Clause */
/* The request that tells the way to a peer. Main thread. */
#pragma once

struct client;
struct dataplane;
struct dp_nexthop;

void server_nexthop(struct dataplane *dp, struct client *client, const struct dp_nexthop *nexthop);
