/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage: refresh known sources, ask main to store the others. Worker threads; requests: main. */
#include "dataplane/learn.h"

#include <rte_ring_elem.h>

#include "dataplane/dataplane.h"
#include "dataplane/fdb_table.h"
#include "dataplane/flight.h"
#include "dataplane/recorder.h"

#define REQUESTS_AT_ONCE 64

/* May the port ask main for one more? What comes at an easy pace finds room in the ring whatever
 * others do: those that ask for more get no more than half of it. */
static bool may_ask(struct port *port, const struct rte_ring *requests, uint64_t now_ns)
{
	return rate_take(&port->learns_easy, now_ns) ||
	       (rate_take(&port->learns, now_ns) && rte_ring_count(requests) < LEARN_REQUESTS / 2);
}

/* Asks main for the n frames of the burst with these numbers. Returns whether it has something to
 * do. */
static __attribute__((noinline)) bool ask(struct rte_ring *requests, struct burst *burst,
					  const uint8_t *numbers, size_t n, struct port *port,
					  uint64_t *lost)
{
	bool asked = false, is_spent = false;

	for (size_t i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[numbers[i]];
		struct learn_request request = {
			.key = frame->src_key, .now_s = burst->now_s, .port = port->index};

		/* The burst's time stands still: who may not now may not later in it. */
		if (!is_spent && !may_ask(port, requests, burst->now_ns)) {
			is_spent = true;
			if (burst->recorder != NULL)
				recorder_learn_limit(burst->recorder, port, frame);
		}
		if (is_spent || rte_ring_sp_enqueue_elem(requests, &request, sizeof(request)) < 0)
			(*lost)++;
		else
			asked = true;
	}
	return asked;
}

bool learn_burst(struct fdb *fdb, struct rte_ring *requests, struct burst *burst, struct port *port,
		 uint64_t *lost)
{
	struct fdb_table *table = fdb_table(fdb);
	uint64_t seen_now = fdb_value(port->index, 0, burst->now_s), last_key = 0;
	uint64_t keys[BURST_FRAMES], hashes[BURST_FRAMES];
	uint8_t numbers[BURST_FRAMES];
	size_t n = 0, n_unknown = 0;

	for (size_t i = 0; i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];

		/* Most bursts come from one or two sources: one look per run of the same. */
		if (frame->drop != DROP_NONE || frame->src_key == last_key)
			continue;
		last_key = keys[n] = frame->src_key;
		hashes[n] = fdb_table_ask(table, last_key);
		numbers[n++] = (uint8_t)i;
	}
	for (size_t i = 0; i < n; i++) {
		if (!fdb_table_refresh(table, keys[i], hashes[i], seen_now))
			numbers[n_unknown++] = numbers[i];
	}
	return n_unknown != 0 && ask(requests, burst, numbers, n_unknown, port, lost);
}

/* What several share: a limit of addresses, and how many share it. segment 0: the whole table. */
struct shared {
	uint16_t segment;
	uint32_t limit, n_ports;
	struct learn_crowd *crowd;
};

static uint32_t count_of(const struct dataplane *dp, const struct shared *shared, uint16_t port)
{
	return shared->segment != 0 ? fdb_count_in(dp->fdb, port, shared->segment)
				    : fdb_count_port(dp->fdb, port);
}

/* The port that has most, or nearly so: looking at all is dear, so the last answer stands until
 * that port has given up an eighth. */
static uint16_t find_largest(const struct dataplane *dp, const struct shared *shared)
{
	struct learn_crowd *crowd = shared->crowd;
	uint32_t most = 0;

	/* What is behind no port is static. */
	if (crowd->largest != FDB_NO_PORT && count_of(dp, shared, crowd->largest) > crowd->floor)
		return crowd->largest;
	crowd->largest = FDB_NO_PORT;
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		uint32_t count = count_of(dp, shared, (uint16_t)i);

		if (count > most) {
			most = count;
			crowd->largest = (uint16_t)i;
		}
	}
	crowd->floor = most - most / 8;
	return crowd->largest;
}

/* Room in what several ports share: who has its share gives up an address of its own; for who has
 * less, the one with most does. */
static bool make_shared_room(struct dataplane *dp, const struct shared *shared, uint16_t port)
{
	uint32_t share = shared->n_ports < shared->limit ? shared->limit / shared->n_ports : 1;

	if (count_of(dp, shared, port) >= share)
		return fdb_evict(dp->fdb, port, shared->segment);
	uint16_t largest = find_largest(dp, shared);

	return count_of(dp, shared, largest) > share &&
	       fdb_evict(dp->fdb, largest, shared->segment);
}

/* Room behind a port at its limit. The segments of a trunk share it in the same way: a flood in one
 * does not take the place of the others. */
static bool make_own_room(struct fdb *fdb, const struct port *port, uint16_t segment)
{
	uint32_t own = fdb_count_in(fdb, port->index, segment);
	uint32_t n_segments = fdb_count_segments(fdb, port->index) + (own == 0);
	bool has_share = own != 0 && own >= port->max_macs / n_segments;

	return fdb_evict(fdb, port->index, has_share ? segment : 0);
}

/* Room for one address more behind the port. A guest that floods addresses displaces its own, never
 * a neighbour's. */
static bool make_room(struct dataplane *dp, const struct port *port, uint16_t index)
{
	struct segment *segment = atomic_load(&dp->segments[index]);

	if (segment == NULL)
		return false;
	if (fdb_count_port(dp->fdb, port->index) >= port->max_macs &&
	    !make_own_room(dp->fdb, port, index))
		return false;
	if (fdb_count_segment(dp->fdb, index) >= segment->max_macs) {
		const struct shared shared = {
			.segment = index,
			.limit = segment->max_macs,
			.n_ports = atomic_load(&segment->flood)->n,
			.crowd = &segment->crowd,
		};

		if (!make_shared_room(dp, &shared, port->index))
			return false;
	}
	if (fdb_count(dp->fdb) >= dp->config.fdb_capacity) {
		const struct shared shared = {
			.limit = dp->config.fdb_capacity,
			.n_ports = dp->n_ports,
			.crowd = &dp->crowd,
		};

		return make_shared_room(dp, &shared, port->index);
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
	if (fdb_learn(dp->fdb, request->key, request->port, request->now_s, &owner) ==
	    FDB_LEARNED_MOVED)
		flight_tell_move(dp, request->key, port, owner);
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
