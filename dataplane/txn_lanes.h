/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes in a transaction (txn.h): which ports need them, by their channels and segments in the
 * result. Prepared with all else, published when ports have their channels. Main thread.
 */
#pragma once

#include <stddef.h>

#include "dataplane/api/dp_msg.h"

struct lane_set;
struct port;
struct txn;

struct txn_lane {
	struct port *port;
	struct lane_set *sets[DP_WAYS];	/* to be published; then those before */
};

/* Part of struct txn. */
struct txn_lanes {
	struct txn_lane *items;
	size_t n;
};

/* After segments and ports are prepared. 0, or -errno with one line. */
int txn_lanes_prepare(struct txn *txn, char *why, size_t why_bytes);

/* When segments and ports have their channels; the epoch of channels is to change after it. */
void txn_lanes_publish(struct txn *txn);

/* Frees what was not published, or what is not any more after a grace period; ports that were made
 * and not published are still there. */
void txn_lanes_free(struct txn *txn);
