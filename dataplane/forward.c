/* SPDX-License-Identifier: BSD-3-Clause */
/* Stages: FDB answer -> egress lists -> port tx. Worker threads. */
#include "dataplane/forward.h"

#include "dataplane/api/segment_options.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/drop.h"
#include "dataplane/offload.h"
#include "dataplane/segmentation.h"

/* What flooding may write for one burst, in bytes: a thousand receivers of a full burst of small
 * frames, or 256 of one frame of 64 KiB. Everyone else on the worker waits for it: a few ms. */
#define FLOOD_BYTES_MAX (16u << 20)
#define FLOOD_BYTES_MIN 256 /* what a copy costs, however small */

void forward_lookup(struct dataplane *dp, struct burst *burst, uint16_t from)
{
	uint64_t last_key = 0;
	uint16_t last_out = FRAME_OUT_FLOOD;

	burst->n_flooded = 0;
	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop != DROP_NONE)
			continue;
		if ((frame->head[0] & 1) != 0) {
			frame->out = FRAME_OUT_FLOOD;
			burst->n_flooded++;
			continue;
		}
		if (frame->dst_key != last_key) {
			struct segment *segment = atomic_load_explicit(
				&dp->segments[frame->segment], memory_order_acquire);
			uint32_t age_s = segment != NULL
						 ? atomic_load_explicit(&segment->age_s,
									memory_order_relaxed)
						 : 0;

			last_key = frame->dst_key;
			last_out = fdb_lookup(dp->fdb, last_key, burst->now_s, age_s);
			if (last_out == FDB_NO_PORT)
				last_out = FRAME_OUT_FLOOD;
		}
		frame->out = last_out;
		burst->n_flooded += last_out == FRAME_OUT_FLOOD;
		if (last_out == from)
			frame->drop = DROP_SAME_PORT;
	}
}

static inline void push(struct forward_lists *lists, uint16_t port, unsigned int position)
{
	struct egress *egress = &lists->egress[port];

	if (egress->n == 0)
		lists->touched[lists->n_touched++] = port;
	egress->order[egress->n++] = (uint8_t)position;
}

/* What the segment does with a frame that would be flooded. Not flooding is rare. */
static inline enum drop_reason judge_flood(const struct segment *segment, const struct frame *frame)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if ((frame->head[0] & 1) == 0)
		return atomic_load_explicit(&segment->on_unknown, memory_order_relaxed) ==
				       SEGMENT_FLOOD
			       ? DROP_NONE
			       : DROP_UNKNOWN;
	if (memcmp(frame->head, broadcast, sizeof(broadcast)) == 0)
		return atomic_load_explicit(&segment->on_broadcast, memory_order_relaxed) ==
				       SEGMENT_FLOOD
			       ? DROP_NONE
			       : DROP_BROADCAST;
	return atomic_load_explicit(&segment->on_multicast, memory_order_relaxed) == SEGMENT_FLOOD
		       ? DROP_NONE
		       : DROP_MULTICAST;
}

/* Everyone in the segment but the sender; from an isolated one, only those that are not; nobody if
 * that is too much for one turn. Returns the number of receivers; none: the frame has its drop
 * reason. */
static unsigned int spread_flood(struct dataplane *dp, struct frame *frame, unsigned int position,
				 const struct port *from, struct forward_lists *lists)
{
	struct segment *segment =
		atomic_load_explicit(&dp->segments[frame->segment], memory_order_acquire);
	uint64_t bytes = frame->len < FLOOD_BYTES_MIN ? FLOOD_BYTES_MIN : frame->len;
	unsigned int n = 0;

	frame->drop = DROP_NO_RECEIVER;
	if (segment == NULL)
		return 0;
	enum drop_reason reason = judge_flood(segment, frame);

	if (reason != DROP_NONE) {
		frame->drop = (uint8_t)reason;
		return 0;
	}
	const struct flood_list *list = atomic_load_explicit(&segment->flood, memory_order_acquire);
	uint32_t end = atomic_load_explicit(&from->is_isolated, memory_order_relaxed) ? list->n_open
										      : list->n;

	if (bytes * end > lists->flood_bytes_left) {
		frame->drop = DROP_FLOOD_LIMIT;
		return 0;
	}
	lists->flood_bytes_left -= (uint32_t)(bytes * end);
	for (uint32_t i = 0; i < end; i++) {
		if (list->ports[i] == from->index)
			continue;
		push(lists, list->ports[i], position);
		n++;
	}
	if (n != 0)
		frame->drop = DROP_NONE;
	return n;
}

uint64_t forward_spread(struct dataplane *dp, struct burst *burst, const struct port *from,
			struct forward_lists *lists)
{
	uint64_t copies = 0;

	lists->flood_bytes_left = FLOOD_BYTES_MAX;
	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop != DROP_NONE)
			continue;
		if (frame->out != FRAME_OUT_FLOOD) {
			push(lists, frame->out, i);
			continue;
		}
		unsigned int receivers = spread_flood(dp, frame, i, from, lists);

		if (receivers != 0)
			copies += receivers - 1;
	}
	return copies;
}

/* The last gate between segments: whatever the tables said before, a frame leaves only through a
 * port that is in the frame's segment now. Compacts the list; returns how many may go, and in
 * *offloads whether any of them leaves work to the receiver. */
static unsigned int gate(const struct burst *burst, const struct port *from,
			 const struct port *port, struct egress *egress,
			 struct counters_block *count, unsigned int *offloads)
{
	uint16_t segment = atomic_load_explicit(&port->segment, memory_order_acquire);
	unsigned int n = 0;

	*offloads = 0;
	if (atomic_load_explicit(&port->is_isolated, memory_order_relaxed) &&
	    atomic_load_explicit(&from->is_isolated, memory_order_relaxed)) {
		count->drops[DROP_ISOLATED] += egress->n;
		return 0;
	}
	if (port_state_blocks(atomic_load_explicit(&port->state, memory_order_relaxed))) {
		count->drops[DROP_BLOCKED] += egress->n;
		return 0;
	}
	for (unsigned int i = 0; i < egress->n; i++) {
		const struct frame *frame = &burst->frames[egress->order[i]];

		if (frame->segment == segment) {
			egress->order[n++] = egress->order[i];
			*offloads |= frame->vnet.hdr.flags | frame->vnet.hdr.gso_type;
		} else {
			drop_count(count, DROP_WRONG_SEGMENT);
		}
	}
	return n;
}

static bool takes_all(const struct port *port)
{
	return atomic_load_explicit(&port->offload_caps, memory_order_relaxed) == OFFLOAD_ALL;
}

void forward_transmit(struct dataplane *dp, struct burst *burst, const struct port *from,
		      struct forward_lists *lists, unsigned int worker,
		      struct counters_block *from_count)
{
	for (unsigned int t = 0; t < lists->n_touched; t++) {
		uint16_t index = lists->touched[t];
		struct egress *egress = &lists->egress[index];
		struct port *port = atomic_load_explicit(&dp->ports[index], memory_order_acquire);

		if (port != NULL) {
			struct counters_block *count =
				counters_block(dp->counters, port->slot, worker);
			unsigned int offloads;
			unsigned int n = gate(burst, from, port, egress, count, &offloads);

			if (offloads != 0 && !takes_all(port))
				segmentation_transmit(lists->segmentation, port, burst,
						      egress->order, n, count);
			else if (n != 0)
				port->type->tx(port, burst, egress->order, n, count);
		} else {
			/* Gone since the tables were read: it has no counters any more. */
			from_count->drops[DROP_PORT_GONE] += egress->n;
		}
		egress->n = 0;
	}
	lists->n_touched = 0;
}
