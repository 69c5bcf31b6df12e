/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Captures that run, and which ports they concern, they or flight recorders. A capture is a value:
 * it is published, read by workers, and freed after a grace period. Main thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"
#include "dataplane/api/record.h"

struct channel;
struct dataplane;
struct port;

struct capture {
	uint64_t id;
	const void *owner; /* the client whose it is */
	struct dp_capture_open spec;
	_Atomic(struct channel *) channel; /* NULL: any, or it is gone and takes nothing */
	struct record_map map;
	struct record_writer writers[RECORD_RINGS_MAX]; /* one each worker's */
};

/* *fd: the memory, which becomes the caller's. 0 or -errno with one line in `why`. */
int captures_open(struct dataplane *dp, const struct dp_capture_open *spec, const void *owner,
		  uint64_t *id, int *fd, char *why, size_t why_bytes);

/* -ENOENT: the owner has none of this id. */
int captures_close(struct dataplane *dp, uint64_t id, const void *owner);
void captures_close_all(struct dataplane *dp, const void *owner); /* NULL: everybody's */

/* A port is about to be published: what runs may concern it, captures, fates (fates.h), a flight
 * recorder (flight.h). */
void captures_join(struct port *port);
/* The same for all: something has begun or ended, or segments have changed. */
void captures_join_all(struct dataplane *dp);

/* A channel goes: no capture names it any more after the next grace period. */
void captures_forget(struct dataplane *dp, const struct channel *channel);
