/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding table and the neighbours as messages of the control socket. Main thread. */
#pragma once

#include <stdint.h>

#include "dataplane/client.h"

struct dataplane;

/* One page of the forwarding table: what takes a turn of main about a millisecond. */
void server_table_fdb_page(struct dataplane *dp, struct client *client,
			   const struct dp_fdb_page *page, uint32_t now_s);

/* All neighbours, and the end of the answer. */
void server_table_neigh_dump(struct dataplane *dp, struct client *client, uint64_t cookie,
			     uint32_t now_s);
