/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings within the credit of their channel. Worker threads. */
#include "dataplane/channel/hold.h"

#include "dataplane/carry.h"
#include "dataplane/channel/account.h"
#include "dataplane/channel/channel.h"
#include "dataplane/channel/ecn_mark.h"
#include "dataplane/channel/fair.h"
#include "dataplane/channel/lane.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/channel/turnstile.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/worker.h"

/* A large TCP frame that takes longer at the channel's rate comes alone. */
#define HOLD_ALONE_NS 200000ULL
/* A bucket in which a byte costs no more than this has no such frame: from 2.6 Gbit/s on. */
#define HOLD_NEVER_COST                                                                            \
	((HOLD_ALONE_NS * BUCKET_TICKS_PER_NS << BUCKET_COST_BITS) / FRAME_BYTES_MAX)

/* One poll of a queue, within credit. */
struct take {
	struct worker *worker;
	struct rxq *rxq;
	struct channel_way *way;
	int64_t budget_bytes;
	bool has_waited;
	uint64_t bytes; /* as the channel accounts them */
	bool is_cut;	/* its pieces are in the port's lane */
};

static struct rxq *rxq_of(struct waiter *waiter)
{
	return (struct rxq *)((char *)waiter - offsetof(struct rxq, waiter));
}

/* Bytes above which a large TCP frame comes alone. */
static inline uint32_t alone_bytes(const struct bucket *bucket)
{
	uint64_t cost = atomic_load_explicit(&bucket->byte_cost, memory_order_relaxed);

	if (cost <= HOLD_NEVER_COST)
		return UINT32_MAX;
	return (uint32_t)bucket_ticks_bytes(cost, bucket_ticks(HOLD_ALONE_NS));
}

static inline void set_budget(const struct take *take, struct burst *burst)
{
	const struct bucket *bucket = &take->way->bucket;
	int64_t frames = bucket_credit_frames(bucket, burst->now_ns, take->has_waited);

	if (frames > fair_frames(take->rxq))
		frames = fair_frames(take->rxq);
	burst->has_budget = take->budget_bytes != BUCKET_UNLIMITED || frames < BURST_FRAMES;
	if (!burst->has_budget)
		return;
	burst->budget_frames = (uint32_t)frames;
	burst->alone_bytes = alone_bytes(bucket);
	burst->budget_bytes = take->budget_bytes;
	burst->counts_left = take->has_waited;
}

/* How long a frame waits that comes to the end of the ring now: what lies before it over the part
 * of the rate that its ring has. */
static inline uint64_t estimate_delay_ns(const struct take *take, const struct burst *burst)
{
	uint64_t bytes = 0;

	if (!take->has_waited || burst->n_left == 0)
		return 0;
	unsigned int n_waiting = turnstile_count(take->worker->turnstiles, take->way);

	for (unsigned int i = 0; i < burst->n; i++)
		bytes += burst->frames[i].len;
	return bucket_bytes_ns(&take->way->bucket, bytes * burst->n_left / burst->n) *
	       (n_waiting != 0 ? n_waiting : 1);
}

static unsigned int mark(struct burst *burst)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop == DROP_NONE)
			n += ecn_mark(frame);
	}
	return n;
}

/* What large frames cost beside their bytes. */
static __attribute__((noinline)) uint64_t account_large(const struct burst *burst,
							uint32_t extra_bytes)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];

		if (frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE)
			bytes += account_frame(frame, extra_bytes) - frame->len - extra_bytes;
	}
	return bytes;
}

/* What a burst that was carried costs: its bytes were added up on the way (carry.c). */
static inline uint64_t account_burst(const struct burst *burst, uint32_t extra_bytes)
{
	uint64_t bytes = burst->bytes + burst->stripped_bytes + (uint64_t)burst->n * extra_bytes;

	if (__builtin_expect(burst->n_large != 0, 0))
		bytes += account_large(burst, extra_bytes);
	return bytes;
}

/* The lane of the port's pieces; NULL: none. */
static struct lane *lane_of(const struct port *port)
{
	const struct lane_set *lanes =
		atomic_load_explicit(&port->lanes[DP_TX], memory_order_acquire);

	return lanes == NULL ? NULL : lane_set_find(lanes, 0);
}

/* While pieces of a frame wait, what was sent after it waits, too. */
static bool is_behind_pieces(const struct port *port)
{
	const struct lane *lane = lane_of(port);

	return lane != NULL && lane_is_busy(lane);
}

/* A large TCP frame of a slow channel goes piece by piece, so that others need not wait for all of
 * it: who has waited with it, and the channel's other members. It is paid for when it leaves. */
static inline bool is_to_cut(const struct burst *burst)
{
	const struct frame *frame = &burst->frames[0];

	return burst->n == 1 && frame->len > burst->alone_bytes && frame->drop == DROP_NONE &&
	       frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

static __attribute__((noinline)) bool cut(struct worker *worker, const struct port *port,
					  const struct channel_way *way,
					  struct counters_channel *count)
{
	struct frame *frame = &worker->burst->frames[0];
	struct counters_block *block =
		counters_block(worker->dp->counters, port->slot, worker->index);
	struct lane *lane = lane_of(port);

	frame->segment = port_only_segment(port);
	if (lane == NULL || !lane_hold_pieces(lane, worker, frame, block))
		return false;
	block->rx_frames++;
	block->rx_bytes += frame->len;
	block->rx_gso_frames++;
	count->asked_frames += account_pieces(frame);
	count->asked_bytes += account_frame(
		frame, atomic_load_explicit(&way->frame_extra_bytes, memory_order_relaxed));
	return true;
}

/* Takes what the budget allows and carries it; pays for it. Returns the frames; burst->n_left says
 * whether there are more. Compiled for each of its two callers, who know has_waited. */
static inline __attribute__((always_inline)) unsigned int take_frames(struct take *take)
{
	struct worker *worker = take->worker;
	struct burst *burst = worker->burst;
	struct port *port = take->rxq->port;
	struct channel_way *way = take->way;

	burst->n = burst->n_pieces = burst->n_left = 0;
	set_budget(take, burst);
	bool had_budget = burst->has_budget;

	port_io(port)->rx(take->rxq, burst);
	burst->has_budget = false;
	if (burst->n == 0)
		return 0;
	struct counters_channel *count = channel_counters(way, worker->index);
	uint64_t delay_ns = estimate_delay_ns(take, burst);

	if (delay_ns != 0) {
		uint64_t target_ns = atomic_load_explicit(&way->target_ns, memory_order_relaxed);

		if (target_ns != 0 && delay_ns > target_ns)
			count->marks += mark(burst);
	}
	take->is_cut = had_budget && is_to_cut(burst) && cut(worker, port, way, count);
	if (!take->is_cut)
		carry_burst(worker, port, burst);
	port_io(port)->rx_done(take->rxq, burst);
	if (take->is_cut)
		return burst->n;
	take->bytes = account_burst(
		burst, atomic_load_explicit(&way->frame_extra_bytes, memory_order_relaxed));
	bucket_charge(&way->bucket, burst->now_ns, take->bytes, burst->n, take->has_waited);
	channel_count_taken(way, take->bytes);
	channel_count_passed(count, burst->n, take->bytes, account_delay(delay_ns));
	return burst->n;
}

static struct served serve(struct worker *worker, struct waiter *waiter, int64_t budget_bytes)
{
	struct take take = {
		.worker = worker,
		.rxq = rxq_of(waiter),
		.way = waiter->way,
		.budget_bytes = budget_bytes,
		.has_waited = true,
	};
	uint32_t work = worker->work, fair = fair_frames(take.rxq);

	if (take.rxq->owed_work > 0 || is_behind_pieces(take.rxq->port))
		return (struct served){.yields = true};
	unsigned int frames = take_frames(&take);

	if (frames != 0 && worker->has_channels)
		fair_charge(take.rxq, frames, worker->work - work);
	return (struct served){
		.bytes = (int64_t)take.bytes,
		.frames = frames,
		.yields = take.is_cut || (fair < BURST_FRAMES && frames == fair),
		.is_done = worker->burst->n_left == 0, /* none is known without a budget */
	};
}

unsigned int hold_poll(struct worker *worker, struct rxq *rxq, struct channel_way *way)
{
	struct take take = {.worker = worker, .rxq = rxq, .way = way};
	struct waiter *waiter = &rxq->waiter;

	if (turnstile_is_waiting(worker->turnstiles, waiter))
		return 0;
	bool others_wait =
		turnstile_count(worker->turnstiles, way) != 0 || is_behind_pieces(rxq->port);

	/* Nobody passes those who wait; a look shows whether there is something to wait for. */
	take.budget_bytes =
		others_wait ? 0 : bucket_credit(&way->bucket, worker->burst->now_ns, false);
	unsigned int frames = take_frames(&take);

	/* The burst may have been full before the credit was used up. */
	if (worker->burst->n_left != 0 && take.budget_bytes <= (int64_t)take.bytes) {
		waiter->serve = serve;
		turnstile_wait(worker, waiter, way);
	}
	return frames;
}
