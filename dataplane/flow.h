/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flows: which of a receiver's queues a frame goes to. All frames of a flow have one hash, so they
 * take one queue and stay in order, while flows spread over the queues. Worker threads; ports with
 * several queues come here, and queues of channels (channel/fq.h).
 */
#pragma once

#include <stdint.h>

#include "dataplane/api/port_kinds.h"
#include "dataplane/frame.h"

/* Of the addresses and, where the whole packet has them, the ports. Looks at the head alone. Who
 * does not know the seed cannot say which flows have the same hash. */
uint32_t flow_hash(const struct frame *frame, uint64_t seed);

/* A burst's frames by queue, each queue's in their order. */
struct flow_lists {
	uint8_t n[PORT_QUEUES_MAX];
	uint8_t order[PORT_QUEUES_MAX][BURST_FRAMES];
};

/* Fills the first `n_queues` lists with the n frames of `order`. */
void flow_spread(const struct burst *burst, const uint8_t *order, unsigned int n,
		 unsigned int n_queues, struct flow_lists *lists);
