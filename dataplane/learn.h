/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Learn: sources teach the FDB where they are. A worker only refreshes what is known; what is new
 * or has moved goes to main as a request, so there is one writer. A new source therefore counts
 * from main's next turn, and answers that come earlier are flooded.
 *
 * A port asks at a limited rate, so one that floods addresses keeps neither main nor the ring busy,
 * and what others have to say is learned as ever.
 */
#pragma once

#include <rte_ring.h>

#include "dataplane/fdb.h"
#include "dataplane/frame.h"

#define LEARN_REQUESTS 4096	/* that fit a worker's ring to main */
#define LEARN_PER_S 10000	/* of one port */
#define LEARN_BURST 2048
#define LEARN_EASY_PER_S 100	/* of one port: they find room in the ring whatever others do */
#define LEARN_EASY_BURST 64

struct dataplane;
struct port;

struct learn_request {
	uint64_t key;
	uint32_t now_s;
	uint16_t port;
	uint16_t reserved;
};

/* Stage. Requests beyond the port's rate, and those that do not fit the ring, are lost and counted
 * in *lost: the address will send again. Returns whether main has something to do. Worker. */
bool learn_burst(struct fdb *fdb, struct rte_ring *requests, struct burst *burst, struct port *port,
		 uint64_t *lost);

/* Carries out the requests of one worker. Main. */
void learn_requests(struct dataplane *dp, struct rte_ring *requests);
