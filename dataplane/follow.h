/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The next real frames that match, followed through the path: asked for by a client, one at a time
 * in a dataplane. Workers do it (follower.h); main opens, reads what they found out, and closes.
 * docs/adr/0017-followed-frames.md. Main thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

#define FOLLOW_FRAMES_MAX 1000

struct dataplane;
struct follower;
struct follower_record;
struct port;

/* Published like a capture: read by workers, freed after a grace period. */
struct follow {
	uint64_t id;
	const void *owner; /* the client whose it is */
	struct dp_follow_open spec;
	_Atomic uint32_t left; /* frames that are still wanted */
	unsigned int n_followers;
	struct follower *followers[]; /* one each worker's */
};

/* 0 or -errno with one line in `why`. */
int follow_open(struct dataplane *dp, const struct dp_follow_open *open, const void *owner,
		uint64_t *id, char *why, size_t why_bytes);

/* -ENOENT: the owner has none of this id. */
int follow_close(struct dataplane *dp, uint64_t id, const void *owner);
void follow_close_all(struct dataplane *dp, const void *owner); /* NULL: whoever's */

/* The owner's of this id, or NULL. */
struct follow *follow_find(const struct dataplane *dp, uint64_t id, const void *owner);

/* Is the port one of those whose frames are wanted? */
bool follow_concerns(const struct dataplane *dp, const struct port *port);

/* Takes out the oldest record of all workers. false: there is none now. */
bool follow_next(struct follow *follow, struct follower_record *record);
uint64_t follow_missed(const struct follow *follow);
