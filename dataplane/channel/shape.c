/* SPDX-License-Identifier: BSD-3-Clause */
/* See shape.h. Worker threads. */
#include "dataplane/channel/shape.h"

#include <linux/if_ether.h>
#include <string.h>

#include "dataplane/channel/account.h"
#include "dataplane/channel/channel.h"
#include "dataplane/channel/lane.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/channel/turnstile.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/forward.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

#define VLAN_ID_MASK 0x0fff

/* What a channel lets pass now, of one lane. */
struct credit {
	int64_t bytes, frames;
	uint32_t extra_bytes; /* of each frame */
	const struct channel_way *way;
};

static void no_credit(struct credit *credit)
{
	*credit = (struct credit){.bytes = 0};
}

/* Nobody passes who waits already, here or in the lane itself. */
static void find_credit(struct worker *worker, const struct lane *lane,
			const struct channel_way *way, uint64_t now_ns, struct credit *credit)
{
	if (lane_is_busy(lane) || turnstile_count(worker->turnstiles, way) != 0) {
		no_credit(credit);
		return;
	}
	credit->bytes = bucket_credit(&way->bucket, now_ns, false);
	credit->frames = bucket_credit_frames(&way->bucket, now_ns, false);
	credit->extra_bytes = way->frame_extra_bytes;
	credit->way = way;
}

/* Takes one frame off the credit. false: it has to wait. */
static bool take(struct credit *credit, const struct frame *frame, uint64_t *bytes)
{
	uint64_t cost = account_frame(frame, credit->extra_bytes);

	if (credit->bytes <= 0 || credit->frames <= 0)
		return false;
	/* A large TCP frame that would take too long is cut first. */
	if (frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE &&
	    bucket_bytes_ns(&credit->way->bucket, cost) > LANE_CUT_NS)
		return false;
	if (credit->bytes != BUCKET_UNLIMITED)
		credit->bytes -= (int64_t)cost;
	if (credit->frames != BUCKET_UNLIMITED)
		credit->frames--;
	*bytes += cost;
	return true;
}

uint64_t shape_send(struct worker *worker, struct port *port, struct burst *burst,
		    struct egress *egress, uint64_t bytes, uint32_t extra_bytes,
		    struct counters_block *count)
{
	uint64_t frames = count->tx_frames, tx_bytes = count->tx_bytes;
	uint64_t segments = count->segments;
	unsigned int n = egress->n;

	forward_gate(&worker->lists, port, burst, egress, count);
	frames = count->tx_frames - frames;
	if (frames == n + count->segments - segments && bytes != 0)
		return bytes;
	return count->tx_bytes - tx_bytes + frames * extra_bytes;
}

static inline void charge(struct worker *worker, struct channel_way *way, unsigned int n,
			  uint64_t bytes, bool has_waited)
{
	bucket_charge(&way->bucket, worker->burst->now_ns, bytes, n, has_waited);
	channel_count_taken(way, bytes);
}

void shape_charge(struct worker *worker, struct channel_way *way, unsigned int n, uint64_t bytes,
		  bool has_waited)
{
	struct counters_channel *count = channel_counters(way, worker->index);

	charge(worker, way, n, bytes, has_waited);
	count->passed_frames += n;
	count->passed_bytes += bytes;
}

/* The same of frames that did not wait. */
static inline void pass(struct worker *worker, struct channel_way *way, unsigned int n,
			uint64_t bytes)
{
	charge(worker, way, n, bytes, false);
	channel_count_passed(channel_counters(way, worker->index), n, bytes, 0);
}

/* --- to a port --- */

/* How many of the first frames have credit; *bytes: what they cost, 0 where nobody needs to know:
 * all of them pass, and the port will say. */
static unsigned int count_fitting(const struct burst *burst, const uint8_t *order, unsigned int n,
				  struct credit *credit, uint64_t *bytes)
{
	unsigned int i = 0;

	*bytes = 0;
	/* As a rule there is credit for all that came. */
	if (burst->n_large == 0 && credit->frames >= n &&
	    credit->bytes > (int64_t)(burst->bytes + (uint64_t)n * credit->extra_bytes))
		return n;
	while (i < n && take(credit, &burst->frames[order[i]], bytes))
		i++;
	return i;
}

/* How many of the first n frames the receiver has room for, about. */
static unsigned int count_roomy(const struct port *port, const struct burst *burst,
				const uint8_t *order, unsigned int n)
{
	/* As a rule there is room for all that came. */
	if (port->type->has_room == NULL ||
	    port->type->has_room(port, n + shape_buffers(burst->bytes)))
		return n;
	while (n != 0) {
		unsigned int n_buffers = 0;

		for (unsigned int i = 0; i < n; i++)
			n_buffers += shape_buffers(burst->frames[order[i]].len);
		if (port->type->has_room(port, n_buffers))
			break;
		n /= 2;
	}
	return n;
}

/* Sends the first n of a list, which is left as it is. */
static uint64_t send_first(struct worker *worker, struct port *port, struct burst *burst,
			   const uint8_t *order, unsigned int n, uint64_t bytes,
			   uint32_t extra_bytes, struct counters_block *count)
{
	struct egress egress;

	memcpy(egress.order, order, n);
	egress.n = (uint8_t)n;
	return shape_send(worker, port, burst, &egress, bytes, extra_bytes, count);
}

/* To a receiver for which nobody waits any more: what it does not take is lost, and was asked for,
 * too. */
static void send_stuck(struct worker *worker, struct port *port, struct channel_way *way,
		       struct burst *burst, const uint8_t *order, unsigned int n,
		       uint32_t extra_bytes, struct counters_block *count)
{
	struct counters_channel *channel = channel_counters(way, worker->index);
	uint64_t frames = count->tx_frames - count->segments, asked_bytes = 0;

	for (unsigned int i = 0; i < n; i++)
		asked_bytes += account_frame(&burst->frames[order[i]], extra_bytes);
	uint64_t bytes = send_first(worker, port, burst, order, n, asked_bytes, extra_bytes, count);

	frames = count->tx_frames - count->segments - frames;
	pass(worker, way, (unsigned int)frames, bytes);
	channel->asked_frames += n - frames;
	if (bytes < asked_bytes)
		channel->asked_bytes += asked_bytes - bytes;
	channel->drops += n - frames;
}

/* Frames of one lane, in a row. */
static void shape_run(struct worker *worker, struct port *port, struct lane *lane,
		      struct burst *burst, const uint8_t *order, unsigned int n,
		      struct counters_block *count)
{
	struct channel_way *way =
		lane != NULL ? atomic_load_explicit(&lane->way, memory_order_acquire) : NULL;
	struct credit credit;
	uint64_t bytes;

	if (lane == NULL || (way == NULL && !lane_is_busy(lane))) {
		send_first(worker, port, burst, order, n, 0, 0, count);
		return;
	}
	if (way != NULL && __builtin_expect(lane_is_busy(lane), 0))
		lane_let_go(lane, worker, way);
	if (way == NULL)
		no_credit(&credit);
	else
		find_credit(worker, lane, way, burst->now_ns, &credit);
	unsigned int fitting =
		credit.bytes <= 0 ? 0 : count_fitting(burst, order, n, &credit, &bytes);
	bool is_stuck = lane_is_stuck(lane);
	unsigned int passing =
		fitting == 0 || is_stuck ? fitting : count_roomy(port, burst, order, fitting);

	if (passing != 0 && __builtin_expect(is_stuck, 0)) {
		send_stuck(worker, port, way, burst, order, passing, credit.extra_bytes, count);
	} else if (passing != 0) {
		/* What those cost that have no room is not known apart. */
		bytes = send_first(worker, port, burst, order, passing,
				   passing == fitting ? bytes : 0, credit.extra_bytes, count);
		pass(worker, way, passing, bytes);
	}
	if (passing != n)
		lane_hold(lane, worker, burst, order + passing, n - passing, count);
}

/* As a rule there is credit and room for all that came, and nobody waits: then it goes as it came,
 * and what the port has counted is paid for. false: nothing was done. */
static inline bool send_whole(struct worker *worker, struct port *port, struct lane *lane,
			      struct burst *burst, struct egress *egress,
			      struct counters_block *count)
{
	struct channel_way *way = atomic_load_explicit(&lane->way, memory_order_acquire);
	uint64_t frames = count->tx_frames, bytes = count->tx_bytes;
	unsigned int n = egress->n;

	if (way == NULL || lane_is_busy(lane) || burst->n_large != 0)
		return false;
	uint32_t extra_bytes = atomic_load_explicit(&way->frame_extra_bytes, memory_order_relaxed);

	/* All bytes of the burst: some may be for others. */
	if (!bucket_has(&way->bucket, burst->now_ns, burst->bytes + (uint64_t)n * extra_bytes, n) ||
	    turnstile_count(worker->turnstiles, way) != 0 || lane_is_stuck(lane) ||
	    (port->type->has_room != NULL &&
	     !port->type->has_room(port, n + shape_buffers(burst->bytes))))
		return false;
	forward_gate(&worker->lists, port, burst, egress, count);
	pass(worker, way, n, count->tx_bytes - bytes + (count->tx_frames - frames) * extra_bytes);
	return true;
}

void shape_to_port(struct worker *worker, struct port *port, const struct lane_set *set,
		   struct burst *burst, struct egress *egress, struct counters_block *count)
{
	const uint8_t *order = egress->order;
	unsigned int n = egress->n;

	if (set->by_segment == NULL &&
	    send_whole(worker, port, set->lanes[0], burst, egress, count))
		return;
	for (unsigned int begin = 0, end; begin < n; begin = end) {
		struct lane *lane = lane_set_find(set, burst->frames[order[begin]].segment);

		end = set->by_segment == NULL ? n : begin + 1;
		while (end < n && lane_set_find(set, burst->frames[order[end]].segment) == lane)
			end++;
		shape_run(worker, port, lane, burst, order + begin, end - begin, count);
	}
}

/* --- from a port --- */

struct lane *shape_lane(const struct port *port, const struct lane_set *set,
			const struct frame *frame)
{
	const struct vlan_map *vlans = atomic_load_explicit(&port->vlans, memory_order_acquire);
	const uint8_t *tag = frame->head + 2 * ETH_ALEN;
	uint16_t segment, vlan = 0;

	if (set->by_segment == NULL)
		return set->lanes[0];
	if (vlans == NULL)
		return NULL;
	if (frame->head_len >= 2 * ETH_ALEN + VLAN_BYTES &&
	    (uint16_t)(tag[0] << 8 | tag[1]) == ETH_P_8021Q)
		vlan = (uint16_t)((tag[2] << 8 | tag[3]) & VLAN_ID_MASK);
	segment = vlan == 0 ? vlans->native : vlan_segment(vlans, vlan);
	return lane_set_find(set, segment);
}

/* Frames of one lane, in a row, that are alive. */
static void shape_run_from(struct worker *worker, struct lane *lane, struct burst *burst,
			   const uint8_t *order, unsigned int n, struct counters_block *count)
{
	struct channel_way *way = atomic_load_explicit(&lane->way, memory_order_acquire);
	struct credit credit;
	uint64_t bytes = 0;
	unsigned int passing = 0;

	if (way == NULL && !lane_is_busy(lane))
		return;
	if (way == NULL)
		no_credit(&credit);
	else
		find_credit(worker, lane, way, burst->now_ns, &credit);
	while (passing < n && take(&credit, &burst->frames[order[passing]], &bytes))
		passing++;
	if (passing != 0) {
		pass(worker, way, passing, bytes);
	}
	if (passing == n)
		return;
	lane_hold(lane, worker, burst, order + passing, n - passing, count);
	for (unsigned int i = passing; i < n; i++)
		burst->frames[order[i]].drop = SHAPE_HELD;
}

/* As a rule there is credit for all that came, and nothing odd about it. */
static bool passes_whole(struct worker *worker, struct lane *lane, const struct burst *burst)
{
	struct channel_way *way = atomic_load_explicit(&lane->way, memory_order_acquire);
	uint64_t bytes = 0;
	unsigned int odd = 0, n = burst->n;

	if (way == NULL || lane_is_busy(lane) || turnstile_count(worker->turnstiles, way) != 0)
		return false;
#pragma GCC unroll 8
	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[i];

		bytes += frame->len;
		odd |= frame->drop | frame->vnet.hdr.gso_type;
	}
	bytes += (uint64_t)n * atomic_load_explicit(&way->frame_extra_bytes, memory_order_relaxed);
	if (odd != 0 || !bucket_has(&way->bucket, burst->now_ns, bytes, n))
		return false;
	pass(worker, way, n, bytes);
	return true;
}

void shape_from_port(struct worker *worker, struct port *port, const struct lane_set *set,
		     struct burst *burst, struct counters_block *count)
{
	struct lane *lane = NULL;
	uint8_t order[BURST_FRAMES];
	uint16_t segment = port_only_segment(port); /* for who is refused here, before classify */
	unsigned int n = 0;

	if (set->by_segment == NULL && passes_whole(worker, set->lanes[0], burst))
		return;
	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop != DROP_NONE)
			continue;
		/* Out of a tunnel it has one already. */
		if (!port->is_peer)
			frame->segment = segment;
		struct lane *next = shape_lane(port, set, frame);

		if (next != lane && n != 0) {
			shape_run_from(worker, lane, burst, order, n, count);
			n = 0;
		}
		lane = next;
		if (lane != NULL)
			order[n++] = (uint8_t)i;
	}
	if (n != 0)
		shape_run_from(worker, lane, burst, order, n, count);
}

/* --- for a trace --- */

bool shape_passes(struct worker *worker, const struct lane *lane, const struct frame *frame,
		  uint64_t now_ns)
{
	const struct channel_way *way = atomic_load_explicit(&lane->way, memory_order_acquire);
	struct credit credit;
	uint64_t bytes = 0;

	if (way == NULL)
		return !lane_is_busy(lane);
	find_credit(worker, lane, way, now_ns, &credit);
	return take(&credit, frame, &bytes);
}
