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

/* Of the ports that share a limit, the one with most addresses. */
struct crowd {
	uint32_t n_ports;
	uint16_t largest;
	uint32_t largest_count;
};

static void add_to_crowd(struct crowd *crowd, const struct fdb *fdb, uint16_t port)
{
	uint32_t count = fdb_count_port(fdb, port);

	crowd->n_ports++;
	if (count > crowd->largest_count) {
		crowd->largest = port;
		crowd->largest_count = count;
	}
}

static struct crowd crowd_of_segment(const struct dataplane *dp, uint16_t index)
{
	struct segment *segment = atomic_load(&dp->segments[index]);
	const struct flood_list *list = atomic_load(&segment->flood);
	struct crowd crowd = {0};

	for (uint32_t i = 0; i < list->n; i++)
		add_to_crowd(&crowd, dp->fdb, list->ports[i]);
	return crowd;
}

static struct crowd crowd_of_all(const struct dataplane *dp)
{
	struct crowd crowd = {0};

	for (unsigned int i = 1; i < dp->ports_end; i++) {
		if (atomic_load(&dp->ports[i]) != NULL)
			add_to_crowd(&crowd, dp->fdb, (uint16_t)i);
	}
	return crowd;
}

/* Room in what several ports share: who has its share gives up an address of its own; for who has
 * less, the one with most does. segment 0: any. */
static bool make_shared_room(struct fdb *fdb, const struct crowd *crowd, uint32_t limit,
			     uint16_t port, uint16_t segment)
{
	uint32_t share = crowd->n_ports != 0 ? limit / crowd->n_ports : limit;

	if (fdb_count_port(fdb, port) >= share)
		return fdb_evict(fdb, port, segment);
	return crowd->largest_count > share && fdb_evict(fdb, crowd->largest, segment);
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
		struct crowd crowd = crowd_of_segment(dp, index);

		if (!make_shared_room(fdb, &crowd, segment->max_macs, port->index, index))
			return false;
	}
	if (fdb_count(fdb) >= dp->config.fdb_capacity) {
		struct crowd crowd = crowd_of_all(dp);

		return make_shared_room(fdb, &crowd, dp->config.fdb_capacity, port->index, 0);
	}
	return true;
}

/* The port may have gone, left the segment or been blocked since its worker asked. */
static void carry_out(struct dataplane *dp, const struct learn_request *request)
{
	struct port *port = atomic_load(&dp->ports[request->port]);
	uint16_t segment = fdb_key_segment(request->key);
	uint16_t owner = fdb_owner(dp->fdb, request->key);

	if (port == NULL || !port_is_in(port, segment) || !atomic_load(&port->is_teaching) ||
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
