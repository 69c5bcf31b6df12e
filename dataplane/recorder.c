/* SPDX-License-Identifier: BSD-3-Clause */
/* See recorder.h. Worker threads. */
#include "dataplane/recorder.h"

#include <linux/if_ether.h>
#include <string.h>

#include "dataplane/captures.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/fates.h"
#include "dataplane/filter.h"
#include "dataplane/flight.h"
#include "dataplane/follow.h"
#include "dataplane/follower.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

#define OUTER_BYTES_MAX 128
#define VLAN_ID_MASK 0x0fff

/* A frame as it is to be kept. */
struct view {
	const struct frame *frame;
	const uint8_t *outer; /* in front of it; NULL: nothing */
	uint32_t outer_len;
	uint32_t segment_id;
};

/* What is to be kept, of one port, in one burst. */
struct take {
	struct recorder *recorder;
	const struct port *port;
	enum record_way way;
};

static const struct segment *segment_at(const struct dataplane *dp, uint16_t index)
{
	return atomic_load_explicit(&dp->segments[index], memory_order_acquire);
}

/* The segment of a frame that was not classified yet: as classify will see it. 0: none. */
static uint16_t rx_segment(const struct port *port, const struct frame *frame)
{
	const struct vlan_map *vlans = atomic_load_explicit(&port->vlans, memory_order_acquire);
	const uint8_t *tag = frame->head + 2 * ETH_ALEN;
	uint16_t vlan = 0;

	if (port->is_peer)
		return frame->segment;
	if (vlans == NULL)
		return atomic_load_explicit(&port->segment, memory_order_acquire);
	if (frame->head_len >= 2 * ETH_ALEN + VLAN_BYTES &&
	    (uint16_t)(tag[0] << 8 | tag[1]) == ETH_P_8021Q)
		vlan = (uint16_t)((tag[2] << 8 | tag[3]) & VLAN_ID_MASK);
	return vlan == 0 ? vlans->native : vlan_segment(vlans, vlan);
}

/* --- copies --- */

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t head_bytes(const struct frame *frame)
{
	return min_u32(frame->head_len, FRAME_HEAD_BYTES);
}

/* Bytes of the frame that are there: of a broken one not all. */
static uint32_t view_bytes(const struct view *view)
{
	uint32_t bytes = view->outer_len + head_bytes(view->frame);

	for (unsigned int i = 0; i < view->frame->n_iov; i++)
		bytes += (uint32_t)view->frame->iov[i].iov_len;
	return bytes;
}

static uint32_t append(uint8_t *to, uint32_t at, uint32_t max, const void *from, size_t bytes)
{
	uint32_t n = min_u32(max - at, bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX);

	if (n != 0)
		memcpy(to + at, from, n);
	return at + n;
}

static void copy_bytes(const struct view *view, uint8_t *to, uint32_t max)
{
	const struct frame *frame = view->frame;
	uint32_t n = append(to, 0, max, view->outer, view->outer_len);

	n = append(to, n, max, frame->head, head_bytes(frame));
	for (unsigned int i = 0; i < frame->n_iov && n < max; i++)
		n = append(to, n, max, frame->iov[i].iov_base, frame->iov[i].iov_len);
}

static bool passes_filter(const struct capture *capture, const struct view *view)
{
	const struct frame *frame = view->frame;
	uint8_t bytes[OUTER_BYTES_MAX + FRAME_HEAD_BYTES];

	if (capture->spec.n_insns == 0)
		return true;
	if (view->outer_len == 0)
		return filter_run(capture->spec.insns, frame->head, head_bytes(frame), frame->len);
	uint32_t n = append(bytes, 0, sizeof(bytes), view->outer, view->outer_len);

	n = append(bytes, n, sizeof(bytes), frame->head, head_bytes(frame));
	return filter_run(capture->spec.insns, bytes, n, view->outer_len + frame->len);
}

static void keep(struct capture *capture, const struct recorder *recorder, const struct view *view,
		 enum record_way way, uint64_t port_id, enum drop_reason reason)
{
	uint32_t bytes = view_bytes(view);
	struct record_writer *writer = &capture->writers[recorder->worker];

	if (capture->spec.snaplen != 0)
		bytes = min_u32(bytes, capture->spec.snaplen);
	/* No frame is longer: of one that says so, this is enough. */
	bytes = min_u32(bytes, FRAME_BYTES_MAX + OUTER_BYTES_MAX);
	struct record *record = record_writer_reserve(writer, bytes);

	if (record == NULL)
		return;
	record->wire_len = view->outer_len + view->frame->len;
	record->way = (uint8_t)way;
	record->reason = (uint8_t)reason;
	record->reserved = 0;
	record->time_ns = recorder->clock->now_ns;
	record->port_id = port_id;
	record->segment_id = view->segment_id;
	record->reserved2 = 0;
	copy_bytes(view, (uint8_t *)(record + 1), bytes);
	record_writer_commit(writer, record);
}

/* --- what is sent and received --- */

/* Has the frame the segment and the channel that are asked for? */
static bool is_meant(const struct capture *capture, const struct port *port, uint16_t segment_index,
		     const struct segment *segment)
{
	if (capture->spec.segment_id != 0 &&
	    (segment == NULL || segment->id != capture->spec.segment_id))
		return false;
	if (capture->spec.channel_id == 0)
		return true;
	const struct channel *channel =
		atomic_load_explicit(&capture->channel, memory_order_acquire);
	const struct channel *own = atomic_load_explicit(&port->channel, memory_order_acquire);

	if (own == NULL && segment != NULL)
		own = atomic_load_explicit(&segment->channel, memory_order_acquire);
	return channel != NULL && own == channel;
}

/* A reader that is behind, at full load: nobody looks at frames that nobody keeps. */
static bool loses_all(const struct take *take, struct capture *capture, unsigned int n)
{
	const struct dp_capture_open *spec = &capture->spec;

	return spec->segment_id == 0 && spec->channel_id == 0 && spec->n_insns == 0 &&
	       record_writer_lose(&capture->writers[take->recorder->worker], n);
}

static void take_frame(const struct take *take, struct capture *capture, struct view *view)
{
	uint16_t index =
		take->way == RECORD_RX ? rx_segment(take->port, view->frame) : view->frame->segment;
	const struct segment *segment = segment_at(take->recorder->dp, index);

	view->segment_id = segment != NULL ? segment->id : 0;
	if (is_meant(capture, take->port, index, segment) && passes_filter(capture, view))
		keep(capture, take->recorder, view, take->way, take->port->spec.id, DROP_NONE);
}

/* The next capture of the bits; NULL: there are no more. */
static struct capture *next_capture(const struct dataplane *dp, unsigned int *bits,
				    enum record_way way)
{
	while (*bits != 0) {
		unsigned int i = (unsigned int)__builtin_ctz(*bits);
		struct capture *capture =
			atomic_load_explicit(&dp->captures[i], memory_order_acquire);

		*bits &= *bits - 1;
		if (capture != NULL && (capture->spec.ways & 1u << way) != 0)
			return capture;
	}
	return NULL;
}

static unsigned int captures_of(const struct port *port)
{
	return atomic_load_explicit(&port->captures, memory_order_relaxed) &
	       ~(CAPTURES_FOLLOWED | CAPTURES_IN_FLIGHT);
}

/* --- flight recorders --- */

static struct flight *flight_of(const struct segment *segment)
{
	return segment != NULL ? atomic_load_explicit(&segment->flight, memory_order_acquire)
			       : NULL;
}

/* Of a trunk or a peer each frame may be of another segment. */
static void fly_each(const struct recorder *recorder, const struct port *port,
		     const struct burst *burst, struct kept_as *as)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];
		const struct segment *segment = segment_at(recorder->dp, rx_segment(port, frame));
		struct flight *flight = flight_of(segment);

		if (flight == NULL)
			continue;
		as->segment_id = segment->id;
		flight_put(flight, recorder->worker, frame, as);
	}
}

static void fly(const struct recorder *recorder, const struct port *port, const struct burst *burst)
{
	struct kept_as as = {.time_ns = recorder->clock->now_ns, .port_id = port->spec.id};

	if (port->is_peer || atomic_load_explicit(&port->vlans, memory_order_acquire) != NULL) {
		fly_each(recorder, port, burst, &as);
		return;
	}
	const struct segment *segment = segment_at(
		recorder->dp, atomic_load_explicit(&port->segment, memory_order_acquire));
	struct flight *flight = flight_of(segment);

	if (flight == NULL)
		return;
	as.segment_id = segment->id;
	flight_put_burst(flight, recorder->worker, burst, &as);
}

/* What has happened is a trigger of the segment's recorder, if it has one. */
static void __attribute__((cold))
trigger(const struct recorder *recorder, const struct frame *frame, uint16_t segment_index,
	struct dp_flight *trigger)
{
	const struct segment *segment = segment_at(recorder->dp, segment_index);
	struct flight *flight = flight_of(segment);

	if (flight == NULL)
		return;
	trigger->time_ns = recorder->clock->now_ns;
	trigger->segment_id = segment->id;
	memcpy(trigger->mac, frame->head + ETH_ALEN, ETH_ALEN);
	if (flight_trigger(flight, trigger))
		counters_add_flight(recorder->dp->counters);
}

static bool has_flights(const struct recorder *recorder)
{
	return atomic_load_explicit(&recorder->dp->n_flights, memory_order_relaxed) != 0;
}

void recorder_learn_limit(struct recorder *recorder, const struct port *port,
			  const struct frame *frame)
{
	struct dp_flight happened = {.kind = DP_FLIGHT_LEARN, .port_id = port->spec.id};

	if (has_flights(recorder))
		trigger(recorder, frame, fdb_key_segment(frame->src_key), &happened);
}

/* Is it one of those that recorders wait for? */
static bool is_trigger(enum drop_reason reason, struct dp_flight *happened)
{
	switch (reason) {
	case DROP_STORM_BROADCAST:
	case DROP_STORM_MULTICAST:
	case DROP_STORM_UNKNOWN:
	case DROP_STORM_SEGMENT:
		happened->kind = DP_FLIGHT_STORM;
		break;
	case DROP_QUEUE_FULL:
		happened->kind = DP_FLIGHT_RATE;
		break;
	default:
		return false;
	}
	happened->reason = (uint8_t)reason;
	return true;
}

/* --- what is sent and received: recorder_io --- */

void recorder_take(struct recorder *recorder, const struct port *port, const struct burst *burst)
{
	struct take take = {.recorder = recorder, .port = port, .way = RECORD_RX};
	unsigned int bits = captures_of(port);
	struct capture *capture;

	if ((atomic_load_explicit(&port->captures, memory_order_relaxed) & CAPTURES_IN_FLIGHT) != 0)
		fly(recorder, port, burst);
	while ((capture = next_capture(recorder->dp, &bits, RECORD_RX)) != NULL) {
		if (loses_all(&take, capture, burst->n))
			continue;
		for (unsigned int i = 0; i < burst->n; i++)
			take_frame(&take, capture, &(struct view){.frame = &burst->frames[i]});
	}
}

static void record_rx(struct rxq *rxq, struct burst *burst)
{
	struct recorder *recorder = burst->recorder;

	rxq->port->type->rx(rxq, burst);
	if (burst->n == 0 || recorder == NULL)
		return;
	recorder_take(recorder, rxq->port, burst);

	struct follow *follow = atomic_load_explicit(&recorder->dp->follow, memory_order_acquire);

	if (follow != NULL && follower_hold(follow->followers[recorder->worker], rxq->port, burst))
		recorder->held = follow->followers[recorder->worker];
}

static void record_rx_done(struct rxq *rxq, struct burst *burst)
{
	struct recorder *recorder = burst->recorder;

	if (recorder != NULL && recorder->held != NULL) {
		follower_release(recorder->held, rxq->port, burst);
		recorder->held = NULL;
	}
	rxq->port->type->rx_done(rxq, burst);
}

static bool has_failed(const struct recorder *recorder, const struct frame *frame)
{
	for (unsigned int i = 0; i < recorder->n_failed; i++) {
		if (recorder->failed[i] == frame)
			return true;
	}
	return false;
}

/* What became of those that are a replay's. */
static void tell_delivered(struct recorder *recorder, const struct port *port,
			   const struct burst *burst, const uint8_t *order, unsigned int n)
{
	const struct dataplane_config *config = &recorder->dp->config;
	uint64_t now_ns = 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[order[i]];

		if (frame->mark.replay == 0 || has_failed(recorder, frame))
			continue;
		if (now_ns == 0)
			now_ns = config->clock_ns != NULL ? config->clock_ns()
							  : recorder->clock->now_ns;
		fates_put(recorder, frame, FATE_DELIVERED, port->spec.id, DROP_NONE, now_ns);
	}
}

/* The outermost port that sends forgets what failed: an uplink sends for a peer. */
static void end_sending(struct recorder *recorder)
{
	if (--recorder->n_sending == 0)
		recorder->n_failed = 0;
}

static void record_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		      struct counters_block *count)
{
	struct recorder *recorder = burst->recorder;
	struct take take = {.recorder = recorder, .port = port, .way = RECORD_TX};
	unsigned int bits = captures_of(port);
	struct capture *capture;

	if (recorder == NULL) {
		port->type->tx(port, burst, order, n, count);
		return;
	}
	recorder->n_sending++;
	port->type->tx(port, burst, order, n, count);
	while ((capture = next_capture(recorder->dp, &bits, RECORD_TX)) != NULL) {
		if (recorder->n_failed == 0 && loses_all(&take, capture, n))
			continue;
		for (unsigned int i = 0; i < n; i++) {
			const struct frame *frame = &burst->frames[order[i]];

			if (!has_failed(recorder, frame))
				take_frame(&take, capture, &(struct view){.frame = frame});
		}
	}
	if (atomic_load_explicit(&recorder->dp->n_fates, memory_order_relaxed) != 0)
		tell_delivered(recorder, port, burst, order, n);
	end_sending(recorder);
}

static void record_send(struct port *port, const struct port_out *out, unsigned int n,
			struct counters_block *count)
{
	struct recorder *recorder = recorder_of(port, count);
	struct take take = {.recorder = recorder, .port = port, .way = RECORD_TX};
	unsigned int bits = captures_of(port);
	struct capture *capture;

	recorder->n_sending++;
	port->type->send(port, out, n, count);
	while ((capture = next_capture(recorder->dp, &bits, RECORD_TX)) != NULL) {
		for (unsigned int i = 0; i < n; i++) {
			struct view view = {.frame = out[i].frame,
					    .outer = out[i].outer,
					    .outer_len = out[i].outer_len};

			if (!has_failed(recorder, view.frame))
				take_frame(&take, capture, &view);
		}
	}
	end_sending(recorder);
}

const struct port_type recorder_io = {
	.rx = record_rx,
	.rx_done = record_rx_done,
	.tx = record_tx,
	.send = record_send,
};

/* --- drops --- */

static bool is_port_meant(const struct capture *capture, uint64_t port_id)
{
	for (unsigned int i = 0; i < capture->spec.n_ports; i++) {
		if (capture->spec.port_ids[i] == port_id)
			return true;
	}
	return capture->spec.n_ports == 0;
}

static void capture_drop(const struct recorder *recorder, const struct view *view, uint64_t port_id,
			 enum drop_reason reason, unsigned int bits)
{
	struct capture *capture;

	while ((capture = next_capture(recorder->dp, &bits, RECORD_DROP)) != NULL) {
		if (is_port_meant(capture, port_id) &&
		    (capture->spec.segment_id == 0 ||
		     capture->spec.segment_id == view->segment_id) &&
		    passes_filter(capture, view))
			keep(capture, recorder, view, RECORD_DROP, port_id, reason);
	}
}

void recorder_drop(struct recorder *recorder, const struct counters_block *count,
		   const struct frame *frame, enum drop_reason reason)
{
	const struct dataplane *dp = recorder->dp;
	uint64_t port_id = counters_owner(dp->counters, count);
	const struct segment *segment = segment_at(dp, frame->segment);
	unsigned int bits = atomic_load_explicit(&dp->drop_captures, memory_order_relaxed);
	struct view view = {.frame = frame, .segment_id = segment != NULL ? segment->id : 0};
	struct kept_as as = {.time_ns = recorder->clock->now_ns,
			     .port_id = port_id,
			     .segment_id = view.segment_id,
			     .reason = (uint8_t)reason};
	struct dp_flight happened = {.port_id = port_id};

	if (recorder->n_sending != 0 && recorder->n_failed < BURST_FRAMES)
		recorder->failed[recorder->n_failed++] = frame;
	if (recorder->follower != NULL)
		follower_drop(recorder->follower, count, frame, reason);
	dropped_put(&recorder->dropped, frame, &as);
	if (has_flights(recorder) && is_trigger(reason, &happened))
		trigger(recorder, frame, frame->segment, &happened);
	if (frame->mark.replay != 0)
		fates_put(recorder, frame, FATE_DROPPED, port_id, reason, recorder->clock->now_ns);
	if (bits != 0)
		capture_drop(recorder, &view, port_id, reason, bits);
}

struct recorder *recorder_of(const struct port *port, const struct counters_block *count)
{
	if (port == NULL)
		return NULL;
	const struct dataplane *dp = port->dp;
	const struct worker *worker = dp->workers[counters_worker_of(dp->counters, count)];

	return worker->recorder;
}
