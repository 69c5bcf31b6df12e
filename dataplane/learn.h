/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Learn: sources teach the FDB where they are. A worker only refreshes what is known; what is new
 * or has moved goes to main as a request, so there is one writer. A new source therefore counts
 * from main's next turn, and answers that come earlier are flooded.
 */
#pragma once

#include <rte_ring.h>

#include "dataplane/fdb.h"
#include "dataplane/frame.h"

#define LEARN_REQUESTS 4096	/* that fit a worker's ring to main */

struct dataplane;

struct learn_request {
	uint64_t key;
	uint32_t now_s;
	uint16_t port;
	uint16_t reserved;
};

/* Stage. Requests that do not fit are lost and counted in *lost: the address will send again.
 * Returns whether main has something to do. Worker. */
bool learn_burst(struct fdb *fdb, struct rte_ring *requests, struct burst *burst, uint16_t port,
		 uint64_t *lost);

/* Carries out the requests of one worker. Main. */
void learn_requests(struct dataplane *dp, struct rte_ring *requests);
