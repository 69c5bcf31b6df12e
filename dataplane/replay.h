/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A replay: frames of a capture enter a port as if its machine had sent them, when they are due.
 *
 *     weftd -- ring in shared memory --> queue of the replay --> the path of the port's frames
 *
 * It is a receive queue of its own, of a port that nobody else knows (`source`), attached to a
 * worker like any other. Its rx carries what is due on behalf of the real port and then says that
 * there was nothing: so the worker's turn knows nothing of replays. Between two frames it sleeps on
 * the queue's timer. What the ring says is checked once, after it was copied.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"
#include "dataplane/api/record.h"
#include "dataplane/port.h"

struct replay {
	struct rxq rxq;
	struct port source; /* the queue's */
	struct port *port;  /* whose frames they are */

	/* Main's. */
	const void *owner; /* the client */
	uint64_t id;
	struct record_map map;

	_Atomic uint64_t start_ns; /* main writes; 0: not yet */
	struct fates *fates;	   /* NULL: nobody asks */

	/* The worker's; main reads. */
	struct record_reader reader;
	int timer_fd;
	_Atomic uint32_t fault; /* enum dp_replay_fault */
	_Atomic uint64_t frames, bytes, fated;
	_Atomic uint64_t first_ns, last_ns, first_due_ns, last_due_ns;
	_Atomic uint64_t late_max_ns, gap_error_max_ns;
	_Atomic uint64_t gap_errors[DP_REPLAY_BUCKETS];
};

/* For a port that is published. *fd: of the ring, the caller's. Attaches nothing yet. Main. 0 or
 * -errno. */
int replay_create(struct port *port, uint64_t ring_bytes, struct replay **replay, int *fd);
/* Ends to be polled, if it is; what was not due is lost. Main. */
void replay_destroy(struct replay *replay);

/* What became of the frames so far. Main. */
void replay_look(const struct replay *replay, struct dp_replay_state *state);
