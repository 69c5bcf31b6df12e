/* SPDX-License-Identifier: BSD-3-Clause */
/* Stages: FDB answer -> egress lists -> port tx. Worker threads. */
#include "dataplane/forward.h"

#include "dataplane/api/segment_options.h"
#include "dataplane/channel/shape.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/drop.h"
#include "dataplane/fdb_table.h"
#include "dataplane/offload.h"
#include "dataplane/segment_set.h"
#include "dataplane/segmentation.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

/* What flooding may write for one burst, in bytes: a thousand receivers of a full burst of small
 * frames, or 256 of one frame of 64 KiB. Everyone else on the worker waits for it: a few ms. */
#define FLOOD_BYTES_MAX (16u << 20)
#define FLOOD_BYTES_MIN 256 /* what a copy costs, however small */
/* Ports that are told of frames to come. Of more, the cache would lose the first again. */
#define ANNOUNCED_MAX 8
/* Changes of address in a burst that are looked up one by one: of few, most are in the nearest
 * cache. */
#define FEW_ADDRESSES 2

static inline uint32_t age_of(const struct dataplane *dp, const struct frame *frame)
{
	const struct segment *segment =
		atomic_load_explicit(&dp->segments[frame->segment], memory_order_acquire);

	return segment != NULL ? atomic_load_explicit(&segment->age_s, memory_order_relaxed) : 0;
}

static inline bool is_group(uint64_t key)
{
	return (key & FDB_KEY_GROUP) != 0;
}

/* The frames up to the change of address that would be one more than a few. Returns that frame's
 * number, or the end of the burst. */
static inline unsigned int look_up_few(const struct dataplane *dp, struct burst *burst,
				       uint16_t from)
{
	uint64_t last_key = 0;
	uint16_t out = FRAME_OUT_FLOOD;
	uint8_t drop = DROP_NONE;
	unsigned int n_asked = 0, n_flooded = 0, i;

	for (i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop != DROP_NONE)
			continue;
		if (frame->dst_key != last_key) {
			uint16_t port = FDB_NO_PORT;

			last_key = frame->dst_key;
			if (!is_group(last_key)) {
				if (n_asked++ == FEW_ADDRESSES)
					break;
				port = fdb_lookup(dp->fdb, last_key, burst->now_s,
						  age_of(dp, frame));
			}
			out = port != FDB_NO_PORT ? port : FRAME_OUT_FLOOD;
			drop = port == from ? DROP_SAME_PORT : DROP_NONE;
		}
		frame->out = out;
		frame->drop = drop;
		n_flooded += out == FRAME_OUT_FLOOD;
	}
	burst->n_flooded = n_flooded;
	return i;
}

/* The frames from number `at` on, all addresses together. */
static __attribute__((noinline)) void look_up_many(const struct dataplane *dp, struct burst *burst,
						   unsigned int at, uint16_t from)
{
	struct fdb_table *table = fdb_table(dp->fdb);
	struct frame *frames = &burst->frames[at];
	uint64_t hashes[BURST_FRAMES];
	uint32_t now_s = burst->now_s, age_s = 0;
	uint16_t aged = 0; /* segment of which age_s is */
	unsigned int n = burst->n - at, n_flooded = 0;

	/* Of dropped ones and groups, too: that is cheaper than to ask which they are. */
	for (size_t i = 0; i < n; i++)
		hashes[i] = fdb_table_ask(table, frames[i].dst_key);
	for (size_t i = 0; i < n; i++) {
		struct frame *frame = &frames[i];
		uint16_t port = FDB_NO_PORT;

		if (frame->drop != DROP_NONE)
			continue;
		if (frame->segment != aged) {
			aged = frame->segment;
			age_s = age_of(dp, frame);
		}
		if (!is_group(frame->dst_key))
			port = fdb_table_look_up(table, frame->dst_key, hashes[i], now_s, age_s);
		frame->out = port != FDB_NO_PORT ? port : FRAME_OUT_FLOOD;
		n_flooded += port == FDB_NO_PORT;
		if (port == from)
			frame->drop = DROP_SAME_PORT;
	}
	burst->n_flooded += n_flooded;
}

void forward_lookup(struct dataplane *dp, struct burst *burst, uint16_t from)
{
	unsigned int at = look_up_few(dp, burst, from);

	if (at < burst->n)
		look_up_many(dp, burst, at, from);
}

static inline struct egress *touch(struct forward_lists *lists, uint16_t port)
{
	struct egress *egress = &lists->egress[port];

	if (egress->n == 0)
		lists->touched[lists->n_touched++] = port;
	return egress;
}

static inline void push(struct forward_lists *lists, uint16_t port, unsigned int position)
{
	struct egress *egress = touch(lists, port);

	egress->order[egress->n++] = (uint8_t)position;
}

/* The frame at `position` and those behind it that go the same way. Returns the next one. */
static inline unsigned int push_run(struct forward_lists *lists, const struct burst *burst,
				    unsigned int position)
{
	uint16_t out = burst->frames[position].out;
	struct egress *egress = touch(lists, out);
	unsigned int n = egress->n;

	do
		egress->order[n++] = (uint8_t)position++;
	while (position < burst->n && burst->frames[position].out == out &&
	       burst->frames[position].drop == DROP_NONE);
	egress->n = (uint8_t)n;
	return position;
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

/* Everyone in the segment but the sender; from an isolated one, only those that are not; from a
 * peer, only ports of this host; nobody if that is too much for one turn. Returns the number of
 * receivers; none: the frame has its drop reason. */
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
	bool is_isolated = atomic_load_explicit(&from->is_isolated, memory_order_relaxed);
	uint32_t begin = is_isolated ? list->ports_open : 0;
	uint32_t end = is_isolated ? list->peers_isolated : list->n;

	if (from->is_peer)
		end = list->peers_begin;
	if (bytes * (end - begin) > lists->flood_bytes_left) {
		frame->drop = DROP_FLOOD_LIMIT;
		return 0;
	}
	lists->flood_bytes_left -= (uint32_t)(bytes * (end - begin));
	for (uint32_t i = begin; i < end; i++) {
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
	for (unsigned int i = 0; i < burst->n;) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop != DROP_NONE) {
			i++;
		} else if (frame->out != FRAME_OUT_FLOOD) {
			i = push_run(lists, burst, i);
		} else {
			unsigned int receivers = spread_flood(dp, frame, i++, from, lists);

			if (receivers != 0)
				copies += receivers - 1;
		}
	}
	return copies;
}

void forward_announce(const struct dataplane *dp, const struct forward_lists *lists)
{
	for (unsigned int t = 0; t < lists->n_touched && t < ANNOUNCED_MAX; t++) {
		const struct port *port =
			atomic_load_explicit(&dp->ports[lists->touched[t]], memory_order_acquire);

		if (port != NULL && port->type->tx_soon != NULL)
			port->type->tx_soon(port);
	}
}

static bool takes_all(const struct port *port)
{
	return atomic_load_explicit(&port->offload_caps, memory_order_relaxed) == OFFLOAD_ALL;
}

/* offloads: whether any of the frames leaves work to the receiver. */
static void send_out(struct forward_lists *lists, struct port *port, struct burst *burst,
		     const uint8_t *order, unsigned int n, unsigned int offloads,
		     struct counters_block *count)
{
	if (offloads != 0 && !takes_all(port))
		segmentation_transmit(lists->segmentation, port, burst, order, n, count);
	else if (n != 0)
		port_io(port)->tx(port, burst, order, n, count);
}

/* Takes off the list what may not leave there; returns how many are left. */
static unsigned int turn_back(const struct burst *burst, uint16_t segment, bool takes_tags,
			      struct egress *egress, struct counters_block *count)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < egress->n; i++) {
		const struct frame *frame = &burst->frames[egress->order[i]];

		if (frame->segment != segment)
			drop_frame(burst->recorder, count, frame, DROP_WRONG_SEGMENT);
		else if (!takes_tags && frame->has_tag)
			drop_frame(burst->recorder, count, frame, DROP_TAGGED);
		else
			egress->order[n++] = egress->order[i];
	}
	return n;
}

/* The last gate between segments: whatever the tables said before, a frame leaves only through a
 * port that is in the frame's segment now. Nearly always all are: one look at the whole list. */
static void transmit_untagged(struct forward_lists *lists, struct port *port, struct burst *burst,
			      struct egress *egress, struct counters_block *count)
{
	uint16_t segment = atomic_load_explicit(&port->segment, memory_order_acquire);
	bool takes_tags =
		!burst->has_tags || atomic_load_explicit(&port->takes_tags, memory_order_relaxed);
	unsigned int n = egress->n, offloads = 0, differences = 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[egress->order[i]];

		differences |= frame->segment ^ segment;
		offloads |= frame->vnet.hdr.flags | frame->vnet.hdr.gso_type;
	}
	if (__builtin_expect(differences != 0 || !takes_tags, 0))
		n = turn_back(burst, segment, takes_tags, egress, count);
	send_out(lists, port, burst, egress->order, n, offloads, count);
}

/* Sends what is ready for a trunk, all of it in a row. */
static void flush_tagged(struct forward_lists *lists, struct port *port, struct burst *burst,
			 struct counters_block *count)
{
	struct burst *tagged = lists->tagged;
	uint8_t order[BURST_FRAMES];
	unsigned int offloads = 0;

	for (unsigned int i = 0; i < tagged->n; i++) {
		order[i] = (uint8_t)i;
		offloads |= tagged->frames[i].vnet.hdr.flags | tagged->frames[i].vnet.hdr.gso_type;
	}
	tagged->attention = false;
	send_out(lists, port, tagged, order, tagged->n, offloads, count);
	burst->attention |= tagged->attention;
	tagged->n = tagged->n_pieces = 0;
}

/* The gate of a trunk: each frame gets the tag of its segment, in a copy of its head. */
static void transmit_tagged(struct forward_lists *lists, struct port *port,
			    const struct vlan_map *vlans, struct burst *burst,
			    const struct egress *egress, struct counters_block *count)
{
	bool takes_tags = atomic_load_explicit(&port->takes_tags, memory_order_relaxed);
	struct burst *tagged = lists->tagged;

	tagged->n = tagged->n_pieces = 0;
	for (unsigned int i = 0; i < egress->n; i++) {
		const struct frame *frame = &burst->frames[egress->order[i]];
		uint16_t vlan = vlan_of(vlans, frame->segment);

		if (tagged->n_pieces + frame->n_iov + 1u > BURST_PIECES)
			flush_tagged(lists, port, burst, count);
		if (vlan == VLAN_NOT_MEMBER)
			drop_frame(burst->recorder, count, frame, DROP_WRONG_SEGMENT);
		/* Without a tag in front, a tag in the payload would choose the segment. */
		else if (burst->has_tags && frame->has_tag && (vlan == 0 || !takes_tags))
			drop_frame(burst->recorder, count, frame, DROP_TAGGED);
		else if (!vlan_put(frame, vlan, tagged))
			drop_frame(burst->recorder, count, frame, DROP_BAD_OFFLOAD);
	}
	flush_tagged(lists, port, burst, count);
}

/* As turn_back(), at a peer. */
static unsigned int turn_back_from_peer(const struct burst *burst,
					const struct segment_set *segments, bool takes_tags,
					struct egress *egress, struct counters_block *count)
{
	unsigned int n = 0;
	uint16_t asked = 0; /* segment of which is_member tells */
	bool is_member = false;

	for (unsigned int i = 0; i < egress->n; i++) {
		const struct frame *frame = &burst->frames[egress->order[i]];

		if (frame->segment != asked) {
			asked = frame->segment;
			is_member = segment_set_has(segments, asked);
		}
		if (!is_member)
			drop_frame(burst->recorder, count, frame, DROP_WRONG_SEGMENT);
		else if (!takes_tags && frame->has_tag)
			drop_frame(burst->recorder, count, frame, DROP_TAGGED);
		else
			egress->order[n++] = egress->order[i];
	}
	return n;
}

/* The gate of a peer: it has the frame's segment. Nearly always all are of one: one look at the
 * whole list. */
static void transmit_to_peer(struct forward_lists *lists, struct port *port, struct burst *burst,
			     struct egress *egress, struct counters_block *count)
{
	const struct segment_set *segments =
		atomic_load_explicit(&port->segments, memory_order_acquire);
	bool takes_tags =
		!burst->has_tags || atomic_load_explicit(&port->takes_tags, memory_order_relaxed);
	unsigned int n = egress->n, offloads = 0, differences = 0;
	uint16_t segment = n != 0 ? burst->frames[egress->order[0]].segment : 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[egress->order[i]];

		differences |= frame->segment ^ segment;
		offloads |= frame->vnet.hdr.flags | frame->vnet.hdr.gso_type;
	}
	if (__builtin_expect(differences != 0 || !takes_tags || !segment_set_has(segments, segment),
			     0))
		n = turn_back_from_peer(burst, segments, takes_tags, egress, count);
	send_out(lists, port, burst, egress->order, n, offloads, count);
}

void forward_gate(struct forward_lists *lists, struct port *port, struct burst *burst,
		  struct egress *egress, struct counters_block *count)
{
	const struct vlan_map *vlans = atomic_load_explicit(&port->vlans, memory_order_acquire);

	if (port->is_peer)
		transmit_to_peer(lists, port, burst, egress, count);
	else if (vlans != NULL)
		transmit_tagged(lists, port, vlans, burst, egress, count);
	else
		transmit_untagged(lists, port, burst, egress, count);
}

static bool are_isolated(const struct port *a, const struct port *b)
{
	return atomic_load_explicit(&a->is_isolated, memory_order_relaxed) &&
	       atomic_load_explicit(&b->is_isolated, memory_order_relaxed);
}

void forward_answer(struct burst *burst, struct port *port, struct forward_lists *lists,
		    struct counters_block *count)
{
	struct egress *egress = &lists->egress[port->index];

	for (unsigned int i = 0; i < burst->n; i++)
		egress->order[i] = (uint8_t)i;
	egress->n = (uint8_t)burst->n;
	if (port_state_blocks(atomic_load_explicit(&port->state, memory_order_relaxed)))
		drop_frames(burst, count, egress->order, egress->n, DROP_BLOCKED);
	else
		forward_gate(lists, port, burst, egress, count);
	egress->n = 0;
}

/* To a port that is there. Some frames never pass, whatever the frame. */
static void transmit(struct worker *worker, const struct port *from, struct port *port,
		     struct burst *burst, struct egress *egress, struct counters_block *count)
{
	const struct lane_set *lanes =
		atomic_load_explicit(&port->lanes[DP_RX], memory_order_acquire);

	if (are_isolated(from, port))
		drop_frames(burst, count, egress->order, egress->n, DROP_ISOLATED);
	else if (port_state_blocks(atomic_load_explicit(&port->state, memory_order_relaxed)))
		drop_frames(burst, count, egress->order, egress->n, DROP_BLOCKED);
	else if (from->is_peer && port->is_peer)
		drop_frames(burst, count, egress->order, egress->n, DROP_TUNNEL_LOOP);
	else if (__builtin_expect(lanes != NULL, 0))
		shape_to_port(worker, port, lanes, burst, egress, count);
	else
		forward_gate(&worker->lists, port, burst, egress, count);
}

void forward_transmit(struct dataplane *dp, struct burst *burst, const struct port *from,
		      struct worker *worker, struct counters_block *from_count)
{
	struct forward_lists *lists = &worker->lists;

	for (unsigned int t = 0; t < lists->n_touched; t++) {
		uint16_t index = lists->touched[t];
		struct egress *egress = &lists->egress[index];
		struct port *port = atomic_load_explicit(&dp->ports[index], memory_order_acquire);

		/* One that has gone since the tables were read has no counters any more. */
		if (port != NULL)
			transmit(worker, from, port, burst, egress,
				 counters_block(dp->counters, port->slot, worker->index));
		else
			drop_frames(burst, from_count, egress->order, egress->n, DROP_PORT_GONE);
		egress->n = 0;
	}
	lists->n_touched = 0;
}
