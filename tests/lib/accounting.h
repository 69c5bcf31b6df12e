/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The accounting identity, held against a live dataplane: every frame instance that came in went
 * out, was dropped for a named reason, or is still held (dataplane/api/counters.h). Reads only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/api/counters.h"
#include "dataplane/api/dp_msg.h"

struct accounting {
	const struct counters_header *header; /* the mapped memfd */
	uint64_t mapped_bytes;
	struct dp_welcome welcome;
};

/* Connects to RUN-DIR/dataplane.sock, takes the counters and hangs up. 0; -errno with one line in
 * why. */
int accounting_open(struct accounting *accounting, const char *run_dir, char why[DP_TEXT_BYTES]);

/* Maps counters that come from elsewhere; the descriptor stays the caller's. -EBADMSG: not the
 * layout that this program knows. */
int accounting_map(struct accounting *accounting, int fd, char why[DP_TEXT_BYTES]);
void accounting_close(struct accounting *accounting);

/* The identity: what came in less what went out, was dropped or is held; 0 is right. */
int64_t accounting_difference(const struct counters_block *sum);

/* Waits until the counters stand still for quiet_ms and add up: a worker that waits for a CPU
 * stands still in the middle of a burst, too. 0; after timeout_ms -EUCLEAN: they stand still and do
 * not add up; -ETIMEDOUT: they did not stop. sum: as last read. */
int accounting_check(const struct accounting *accounting, unsigned int quiet_ms,
		     unsigned int timeout_ms, struct counters_block *sum);

/* Every term, one a line. */
void accounting_print(const struct counters_block *sum, FILE *out);
