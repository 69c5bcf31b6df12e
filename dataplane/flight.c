/* SPDX-License-Identifier: BSD-3-Clause */
/* See flight.h. */
#include "dataplane/flight.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/loop.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/frame.h"

struct flight *flight_create(unsigned int n_workers)
{
	size_t bytes = sizeof(struct flight) + n_workers * sizeof(struct flight_ring);
	struct flight *flight = malloc(bytes);

	if (flight == NULL)
		return NULL;
	memset(flight, 0, bytes);
	flight->n_rings = n_workers;
	return flight;
}

void flight_destroy(struct flight *flight)
{
	free(flight);
}

/* --- workers --- */

static void skip(struct flight_ring *ring, unsigned int n)
{
	uint64_t skipped = atomic_load_explicit(&ring->skipped, memory_order_relaxed);

	atomic_store_explicit(&ring->skipped, skipped + n, memory_order_relaxed);
}

/* After the trigger the ring takes some more, and then no frame that would be written over one from
 * before. */
static bool has_ended(const struct flight *flight, struct flight_ring *ring)
{
	if (atomic_load_explicit(&flight->state, memory_order_acquire) == FLIGHT_ARMED)
		ring->n_after = 0;
	return ring->n_after == FLIGHT_AFTER;
}

/* false: as many came in this millisecond as are kept. */
static bool put(const struct flight *flight, struct flight_ring *ring, const struct frame *frame,
		const struct kept_as *as)
{
	if (!kept_is_in_time(&ring->pace, FLIGHT_PER_MS, as->time_ns))
		return false;
	ring->n_after += atomic_load_explicit(&flight->state, memory_order_relaxed) != FLIGHT_ARMED;
	uint32_t next = atomic_load_explicit(&ring->next, memory_order_relaxed);

	kept_write(&ring->entries[next % FLIGHT_FRAMES], frame, as);
	atomic_store_explicit(&ring->next, next + 1, memory_order_relaxed);
	return true;
}

void flight_put(struct flight *flight, unsigned int worker, const struct frame *frame,
		const struct kept_as *as)
{
	struct flight_ring *ring = &flight->rings[worker];

	if (!has_ended(flight, ring) && !put(flight, ring, frame, as))
		skip(ring, 1);
}

void flight_put_burst(struct flight *flight, unsigned int worker, const struct burst *burst,
		      const struct kept_as *as)
{
	struct flight_ring *ring = &flight->rings[worker];

	for (unsigned int i = 0; i < burst->n && !has_ended(flight, ring); i++) {
		if (!put(flight, ring, &burst->frames[i], as)) {
			/* The burst's time stands still. */
			skip(ring, burst->n - i);
			return;
		}
	}
}

bool flight_trigger(struct flight *flight, const struct dp_flight *trigger)
{
	uint32_t armed = FLIGHT_ARMED;

	if (!flight_is_armed(flight, trigger->time_ns) ||
	    !atomic_compare_exchange_strong(&flight->state, &armed, FLIGHT_CLAIMED))
		return false;
	flight->trigger = *trigger;
	atomic_store_explicit(&flight->state, FLIGHT_TRIGGERED, memory_order_release);
	return true;
}

/* --- main --- */

void flight_tell_move(const struct dataplane *dp, uint64_t key, const struct port *to,
		      uint16_t from_index)
{
	const struct segment *segment = atomic_load(&dp->segments[fdb_key_segment(key)]);
	struct flight *flight = segment != NULL ? atomic_load(&segment->flight) : NULL;
	const struct port *from = atomic_load(&dp->ports[from_index]);
	uint64_t mac_le = htole64(key);

	if (flight == NULL)
		return;
	struct dp_flight trigger = {
		.time_ns = loop_clock_ns(),
		.port_id = to->spec.id,
		.old_port_id = from != NULL ? from->spec.id : 0,
		.segment_id = segment->id,
		.kind = DP_FLIGHT_MOVE,
	};

	memcpy(trigger.mac, &mac_le, sizeof(trigger.mac));
	if (flight_trigger(flight, &trigger))
		counters_add_flight(dp->counters);
}

bool flight_is_triggered(const struct flight *flight)
{
	return atomic_load_explicit(&flight->state, memory_order_acquire) == FLIGHT_TRIGGERED;
}

void flight_walk(struct flight *flight, kept_fn fn, void *ctx)
{
	for (unsigned int i = 0; i < flight->n_rings; i++) {
		struct flight_ring *ring = &flight->rings[i];
		uint32_t at = atomic_load_explicit(&ring->next, memory_order_relaxed);

		at %= FLIGHT_FRAMES;
		kept_walk(ring->entries + at, FLIGHT_FRAMES - at, fn, ctx);
		kept_walk(ring->entries, at, fn, ctx);
	}
}

uint64_t flight_skipped(struct flight *flight)
{
	uint64_t before = flight->skipped;

	flight->skipped = 0;
	for (unsigned int i = 0; i < flight->n_rings; i++)
		flight->skipped +=
			atomic_load_explicit(&flight->rings[i].skipped, memory_order_relaxed);
	return flight->skipped - before;
}

void flight_arm(struct flight *flight, uint64_t now_ns)
{
	atomic_store_explicit(&flight->quiet_until_ns, now_ns + FLIGHT_PAUSE_NS,
			      memory_order_relaxed);
	atomic_store_explicit(&flight->state, FLIGHT_ARMED, memory_order_release);
}
