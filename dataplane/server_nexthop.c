/* SPDX-License-Identifier: BSD-3-Clause */
/* DP_NEXTHOP: checked at the door, then the peer's. Main thread. */
#include "dataplane/server_nexthop.h"

#include <errno.h>
#include <stdio.h>

#include "dataplane/client.h"
#include "dataplane/dataplane.h"
#include "dataplane/port_peer.h"

void server_nexthop(struct dataplane *dp, struct client *client, const struct dp_nexthop *nexthop)
{
	struct port *port = port_find(dp, nexthop->peer_id);
	char why[DP_TEXT_BYTES] = "no such port, or it is no peer";
	int error = -ENOENT;

	if (port != NULL && port->type == &port_peer_type)
		error = port_peer_nexthop(port, nexthop, why, sizeof(why));
	client_done(client, nexthop->header.cookie, error, error < 0 ? why : "");
}
