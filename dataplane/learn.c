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

/* The ports that share a limit: those of a segment, or all. */
struct crowd {
	const struct dataplane *dp;
	const struct flood_list *list;	/* NULL: all */
};

static uint32_t crowd_size(const struct crowd *crowd)
{
	return crowd->list != NULL ? crowd->list->n : crowd->dp->n_ports;
}

/* The one with most addresses, and more than `share`; 0: none has more. */
static uint16_t crowd_largest(const struct crowd *crowd, uint32_t share)
{
	const struct dataplane *dp = crowd->dp;
	uint32_t n = crowd->list != NULL ? crowd->list->n : dp->ports_end, most = share;
	uint16_t largest = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint16_t port = crowd->list != NULL ? crowd->list->ports[i] : (uint16_t)i;
		uint32_t count = fdb_count_port(dp->fdb, port);

		/* The list of no port is that of static entries. */
		if (port == FDB_NO_PORT || count <= most)
			continue;
		largest = port;
		most = count;
	}
	return largest;
}

/* Room in what several ports share: who has its share gives up an address of its own, which costs
 * the same however many ports there are; for who has less, the one with most does. segment 0:
 * any. */
static bool make_shared_room(const struct crowd *crowd, uint32_t limit, uint16_t port,
			     uint16_t segment)
{
	struct fdb *fdb = crowd->dp->fdb;
	uint32_t n_ports = crowd_size(crowd);
	uint32_t share = n_ports != 0 ? limit / n_ports : limit;

	if (fdb_count_port(fdb, port) >= share)
		return fdb_evict(fdb, port, segment);
	uint16_t largest = crowd_largest(crowd, share);

	return largest != 0 && fdb_evict(fdb, largest, segment);
}

/* Room for one address more behind the port. A guest that floods addresses displaces its own, never
 * a neighbour's. */
static bool make_room(struct dataplane *dp, const struct port *port, uint16_t index)
{
	struct segment *segment = atomic_load(&dp->segments[index]);
	struct fdb *fdb = dp->fdb;

	if (segment == NULL)
		return false;
	if (fdb_count_port(fdb, port->index) >= port->max_macs &&
	    !fdb_evict(fdb, port->index, index) && !fdb_evict(fdb, port->index, 0))
		return false;
	if (fdb_count_segment(fdb, index) >= segment->max_macs) {
		const struct crowd crowd = {dp, atomic_load(&segment->flood)};

		if (!make_shared_room(&crowd, segment->max_macs, port->index, index))
			return false;
	}
	if (fdb_count(fdb) >= dp->config.fdb_capacity) {
		const struct crowd crowd = {.dp = dp};

		return make_shared_room(&crowd, dp->config.fdb_capacity, port->index, 0);
	}
	return true;
}

/* The port may have gone, left the segment or been blocked since its worker asked. */
static void carry_out(struct dataplane *dp, const struct learn_request *request)
{
	struct port *port = atomic_load(&dp->ports[request->port]);
	uint16_t segment = fdb_key_segment(request->key);
	uint16_t owner = fdb_owner(dp->fdb, request->key);

	if (port == NULL || !port_is_in(port, segment) ||
	    atomic_load(&port->state) != PORT_STATE_ACTIVE)
		return;
	if (owner == FDB_NO_PORT && !make_room(dp, port, segment))
		return;
	/* A port at its limit takes nothing over from others. */
	if (owner != FDB_NO_PORT && owner != port->index &&
	    fdb_count_port(dp->fdb, port->index) >= port->max_macs)
		return;
	fdb_learn(dp->fdb, request->key, request->port, request->now_s, &owner);
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
