/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classify: which segment does a frame belong to, and may it be there at all? First stage after rx.
 * Worker threads.
 */
#pragma once

#include "dataplane/frame.h"

struct dataplane;
struct port;

/* Gives every live frame of the burst, which came from `port`, its segment and keys, or a drop
 * reason. A tag that means a segment is taken off. */
void classify_burst(struct dataplane *dp, const struct port *port, struct burst *burst);

/* Drops all of the burst: it came from a port that lets no frame pass. */
void classify_blocked(struct burst *burst);
