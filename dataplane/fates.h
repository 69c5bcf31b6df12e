/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What becomes of the frames of a replay, in rings that the client of the replay reads
 * (api/fate.h).
 *
 * A frame carries a mark (frame.h): tag of its replay, number, and when it entered. Where frames
 * are counted as dropped, where a captured port has taken them and where lanes hold them, those
 * that are marked are told of. While no replay asks, no frame has a mark, no port is captured for
 * it, and nothing of this is on the path of a frame.
 */
#pragma once

#include <stdint.h>

#include "dataplane/api/drop_reasons.h"
#include "dataplane/api/fate.h"
#include "dataplane/api/record.h"
#include "dataplane/frame.h"

struct dataplane;
struct recorder;

struct fates {
	uint16_t tag; /* its place among those of the dataplane, and who has it */
	struct record_map map;
	struct record_writer writers[RECORD_RINGS_MAX]; /* one each worker's */
};

/* At that place, of replay number `id`. *fd: of the rings, the caller's. From now on all ports are
 * captured. Main. 0 or -errno. */
int fates_create(struct dataplane *dp, unsigned int place, uint64_t id, uint64_t ring_bytes,
		 struct fates **fates, int *fd);
/* After a grace period nobody tells it anything. NULL is legal. Main. */
void fates_destroy(struct dataplane *dp, struct fates *fates);

/* Workers. A frame that has no mark, or that of a replay that has ended, is nobody's. `now_ns`: of
 * the event. */
void fates_put(struct recorder *recorder, const struct frame *frame, enum fate_kind kind,
	       uint64_t port_id, enum drop_reason reason, uint64_t now_ns);

/* Around the path of a burst whose marks have been set: how many of its frames got a fate. Takes
 * the marks back. */
void fates_begin(struct recorder *recorder, struct burst *burst);
void fates_take_back(struct burst *burst);
unsigned int fates_end(struct recorder *recorder, struct burst *burst);
