/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classify: which segment does a frame belong to, and may it be there at all? First stage after rx.
 * Worker threads.
 */
#pragma once

#include "dataplane/frame.h"

/* Gives every live frame of the burst its segment and keys, or a drop reason. segment: of the
 * access port that the frames came from, index; 0: it has none. */
void classify_burst(struct burst *burst, uint16_t segment);

/* Drops all of the burst: it came from a port that lets no frame pass. */
void classify_blocked(struct burst *burst);
