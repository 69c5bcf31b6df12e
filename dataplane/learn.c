/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage: refresh known sources, ask main to store the others. Worker threads; requests: main. */
#include "dataplane/learn.h"

#include <rte_ring_elem.h>

#include "dataplane/dataplane.h"

#define REQUESTS_AT_ONCE 64

bool learn_burst(struct fdb *fdb, struct rte_ring *requests, struct burst *burst, uint16_t port,
		 uint64_t *lost)
{
	uint64_t last_key = 0;
	bool asked = false;

	for (unsigned int i = 0; i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];

		/* Most bursts come from one or two sources: one look per run of the same. */
		if (frame->drop != DROP_NONE || frame->src_key == last_key)
			continue;
		last_key = frame->src_key;
		if (fdb_refresh(fdb, frame->src_key, port, burst->now_s))
			continue;
		struct learn_request request = {
			.key = frame->src_key, .now_s = burst->now_s, .port = port};

		if (rte_ring_sp_enqueue_elem(requests, &request, sizeof(request)) < 0)
			(*lost)++;
		else
			asked = true;
	}
	return asked;
}

/* The port may have gone, left the segment or been blocked since its worker asked. */
static void carry_out(struct dataplane *dp, const struct learn_request *request)
{
	struct port *port = atomic_load(&dp->ports[request->port]);
	uint16_t old_index;

	if (port == NULL || !port_is_in(port, fdb_key_segment(request->key)) ||
	    atomic_load(&port->state) != PORT_STATE_ACTIVE)
		return;
	/* A port at its limit keeps what it has: a guest that floods addresses evicts nobody. */
	if (port->n_macs >= port->max_macs)
		return;
	switch (fdb_learn(dp->fdb, request->key, request->port, request->now_s, &old_index)) {
	case FDB_LEARNED_MOVED:
		if (atomic_load(&dp->ports[old_index]) != NULL)
			atomic_load(&dp->ports[old_index])->n_macs--;
		port->n_macs++;
		break;
	case FDB_LEARNED_NEW:
		port->n_macs++;
		break;
	case FDB_LEARNED_SAME:
	case FDB_LEARNED_FULL:
		break;
	}
}

void learn_requests(struct dataplane *dp, struct rte_ring *requests)
{
	struct learn_request batch[REQUESTS_AT_ONCE];
	unsigned int n = REQUESTS_AT_ONCE;

	/* All that were there at the start, and no more than a ring holds: a guest that floods
	 * addresses does not keep main here. */
	for (unsigned int done = 0; n == REQUESTS_AT_ONCE && done < LEARN_REQUESTS; done += n) {
		n = rte_ring_sc_dequeue_burst_elem(requests, batch, sizeof(batch[0]),
						   REQUESTS_AT_ONCE, NULL);
		for (unsigned int i = 0; i < n; i++)
			carry_out(dp, &batch[i]);
	}
}
