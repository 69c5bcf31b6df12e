/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claims: what this host says it carries, one record for each port, written by this host only,
 * after the dataplane has it. /weft/v1/CLUSTER/seg/SEGMENT/port/PORT = {"host", "mac", "ip"}. On
 * several hosts, others learn from them where a machine is. Runs on weftd's thread.
 */
#pragma once

#include "control/model.h"
#include "control/store.h"

struct claims;

/* Reads which claims stand in the store. The store stays the caller's. 0 or -errno. */
int claims_open(struct store *store, const char *cluster, const char *host, struct claims **claims);
void claims_close(struct claims *claims); /* NULL is legal */

/* Makes the claims those of the model's ports, except where is_left_out() says so. 0, or -errno of
 * the store: call it again later. */
int claims_sync(struct claims *claims, const struct model *model,
		bool (*is_left_out)(void *ctx, const struct model_port *port), void *ctx);
