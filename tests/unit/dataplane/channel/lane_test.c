/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/lane.c and lane_set.c: frames on their way from ports that no ring can
 * hold, lanes of trunks, pieces, and two workers. */
#include "dataplane/channel/lane.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/api/port_options.h"
#include "dataplane/base/loop.h"
#include "dataplane/channel/buffers.h"
#include "dataplane/counters.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/channel/shape_rig.h"
#include "tests/unit/dataplane/rig.h"

#define ALPHA 1
#define BETA 2
#define TRUNK 5
#define VLAN_BETA 20
#define M 1000000ULL
#define G 1000000000ULL
#define SECOND 1000000000ULL
#define MS 1000000ULL
#define US 1000ULL
#define FULL 1514

/* Ports 1 and 2 in ALPHA, 3 in BETA, trunk 5: ALPHA without a tag, BETA with one. */
static void create(struct shape_rig *rig, unsigned int n_workers)
{
	struct dp_port trunk = rig_port_spec(TRUNK, ALPHA);

	shape_rig_create(rig, n_workers, 0);
	rig_put_segment(rig->dp, ALPHA);
	rig_put_segment(rig->dp, BETA);
	for (uint64_t id = 1; id <= 3; id++)
		rig_put_port(rig->dp, id, id <= 2 ? ALPHA : BETA);
	trunk.n_members = 2;
	trunk.members[1] = (struct dp_member){.segment_id = BETA, .vlan = VLAN_BETA};
	rig_put_port_spec(rig->dp, &trunk);
}

static int set_up(void **state)
{
	struct shape_rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	create(rig, 1);
	shape_rig_teach(rig);
	/* The trunk's station in BETA, too. */
	shape_rig_send_frame(rig, TRUNK,
			     (struct shape_frame){.dst = 3, .len = 60, .vlan = VLAN_BETA});
	shape_rig_turn(rig, MS);
	*state = rig;
	return 0;
}

/* --- tx --- */

static void what_a_port_sends_is_exactly_its_rate(void **state)
{
	static const uint64_t rates_bps[] = {10 * M, 100 * M, G};
	struct shape_rig *rig = *state;
	struct shape_port *to = shape_rig_port(rig, 2);

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t bps = rates_bps[i], bytes = to->got_bytes, right = bps / 80;

		shape_rig_assign(rig, 1, shape_rig_channel(rig, 10 + i, bps, 0));
		for (unsigned int k = 0; k < 15000; k++) {
			if (k == 5000)
				bytes = to->got_bytes;
			while (shape_rig_port(rig, 1)->n < 4)
				shape_rig_send(rig, 1, 2, 1, FULL);
			shape_rig_turn(rig, 10 * US);
		}
		bytes = to->got_bytes - bytes;
		if (llabs((long long)(bytes - right)) > (long long)(right / 1000 + FULL))
			fail_msg("%llu bit/s: %llu bytes, not %llu", (unsigned long long)bps,
				 (unsigned long long)bytes, (unsigned long long)right);
		shape_rig_assign(rig, 1, NULL);
		shape_rig_turn(rig, US);
	}
}

static void what_waits_counts_as_received_and_queued(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, M, 0);
	uint64_t rx_frames = rig_counters(rig->dp, 1)->rx_frames;
	uint64_t rx_bytes = rig_counters(rig->dp, 1)->rx_bytes;

	shape_rig_assign(rig, 1, channel);
	for (unsigned int i = 0; i < 40; i++)
		shape_rig_send(rig, 1, 2, 1, FULL);
	shape_rig_turn(rig, US);
	assert_int_equal(rig_counters(rig->dp, 1)->rx_frames, rx_frames + 40);
	assert_int_equal(rig_counters(rig->dp, 1)->queued,
			 40 - shape_rig_port(rig, 2)->got[1].frames);
	assert_int_equal(shape_rig_counts(rig, channel, DP_TX).asked_frames, 40);
	rig_assert_accounted(rig->dp);
	for (unsigned int i = 0; i < 8000 && shape_rig_queued(rig) != 0; i++)
		shape_rig_turn(rig, 100 * US);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].frames +
				 shape_rig_drops(rig, 1, DROP_QUEUE_DELAY),
			 40);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].reordered, 0);
	assert_int_equal(rig_counters(rig->dp, 1)->rx_frames, rx_frames + 40);
	assert_int_equal(rig_counters(rig->dp, 1)->rx_bytes, rx_bytes + 40 * FULL);
}

static void a_large_frame_that_a_port_sends_is_cut(void **state)
{
	struct shape_rig *rig = *state;

	shape_rig_assign(rig, 1, shape_rig_channel(rig, 11, 10 * M, 0));
	shape_rig_send_frame(
		rig, 1,
		(struct shape_frame){
			.dst = 2, .flow = 1, .len = 54 + 20 * 1448, .gso_bytes = 1448});
	shape_rig_turn(rig, US);
	assert_int_equal(rig_counters(rig->dp, 1)->segments, 19);
	assert_int_equal(rig_counters(rig->dp, 1)->queued, 20);
	rig_assert_accounted(rig->dp);
	for (unsigned int i = 0; i < 1000; i++)
		shape_rig_turn(rig, 100 * US);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].frames, 20);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].large, 0);
}

/* --- trunks --- */

/* Sends 80 frames of each segment over the trunk for 100 ms. */
static void use_trunk(struct shape_rig *rig)
{
	for (unsigned int i = 0; i < 1000; i++) {
		shape_rig_send(rig, TRUNK, 2, 1, FULL);
		shape_rig_send_frame(
			rig, TRUNK,
			(struct shape_frame){.dst = 3, .flow = 2, .len = FULL, .vlan = VLAN_BETA});
		shape_rig_turn(rig, 100 * US);
	}
}

static void the_segments_of_a_trunk_have_their_own_rates(void **state)
{
	struct shape_rig *rig = *state;

	shape_rig_assign_segment(rig, ALPHA, shape_rig_channel(rig, 11, 10 * M, 0));
	shape_rig_assign_segment(rig, BETA, shape_rig_channel(rig, 12, 40 * M, 0));
	use_trunk(rig);
	/* 100 ms of 10 and 40 Mbit/s. */
	assert_in_range(shape_rig_port(rig, 2)->got[1].bytes, 122000, 132000);
	assert_in_range(shape_rig_port(rig, 3)->got[2].bytes, 490000, 512000);
	assert_int_equal(shape_rig_port(rig, 2)->got[2].frames, 0);
	assert_int_equal(shape_rig_port(rig, 3)->got[1].frames, 0);
	assert_int_equal(shape_rig_drops(rig, TRUNK, DROP_WRONG_SEGMENT), 0);
}

static void towards_a_trunk_the_same(void **state)
{
	struct shape_rig *rig = *state;

	shape_rig_assign_segment(rig, ALPHA, shape_rig_channel(rig, 11, 0, 10 * M));
	shape_rig_assign_segment(rig, BETA, shape_rig_channel(rig, 12, 0, 40 * M));
	for (unsigned int i = 0; i < 1000; i++) {
		shape_rig_send(rig, 1, TRUNK, 1, FULL);
		shape_rig_send(rig, 3, TRUNK, 2, FULL);
		shape_rig_turn(rig, 100 * US);
	}
	const struct shape_flow *got = shape_rig_port(rig, TRUNK)->got;

	assert_in_range(got[1].bytes, 122000, 132000);
	assert_in_range(got[2].bytes, 490000, 513000);
	assert_int_equal(got[1].reordered + got[2].reordered, 0);
}

static void one_segment_may_have_no_channel(void **state)
{
	struct shape_rig *rig = *state;

	shape_rig_assign_segment(rig, BETA, shape_rig_channel(rig, 12, 10 * M, 0));
	use_trunk(rig);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].frames, 1000);
	assert_in_range(shape_rig_port(rig, 3)->got[2].bytes, 122000, 132000);
}

/* The frames that wait in the lane of a segment that the trunk has left meanwhile. */
static void a_lane_that_is_needed_no_more_empties_itself(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, 0, M);
	struct port *port = port_find(rig->dp, TRUNK);

	shape_rig_assign(rig, TRUNK, channel);
	for (unsigned int i = 0; i < 30; i++)
		shape_rig_send(rig, 3, TRUNK, 2, FULL);
	shape_rig_turn(rig, US);
	uint64_t queued = shape_rig_queued(rig);

	assert_true(queued > 20);
	rig_put_port(rig->dp, TRUNK, ALPHA);
	assert_int_equal(atomic_load(&port->lanes[DP_RX])->n_lanes, 3);
	shape_rig_turn(rig, US);
	assert_int_equal(shape_rig_queued(rig), 0);
	assert_int_equal(shape_rig_drops(rig, TRUNK, DROP_WRONG_SEGMENT), queued);
	shape_rig_assign(rig, TRUNK, NULL);
	assert_null(atomic_load(&port->lanes[DP_RX]));
}

static void the_plan_says_who_holds_all(void **state)
{
	assert_true(lane_set_holds_all(false, true, false, PORT_QUEUE_RING));
	assert_false(lane_set_holds_all(false, true, true, PORT_QUEUE_RING));
	assert_false(lane_set_holds_all(true, true, true, PORT_QUEUE_RING));
	assert_true(lane_set_holds_all(true, false, true, PORT_QUEUE_RING));
	assert_true(lane_set_holds_all(false, true, true, PORT_QUEUE_SWITCH));
}

/* --- pieces --- */

static void pieces_of_a_ring_lose_nothing(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, M, 0);
	struct port *port = port_find(rig->dp, 1);
	struct worker *worker = rig->dp->workers[0];
	struct counters_block *count = counters_block(rig->dp->counters, port->slot, 0);

	shape_rig_assign(rig, 1, channel);
	struct lane *lane = atomic_load(&port->lanes[DP_TX])->lanes[0];

	atomic_store(&lane->is_lossless, true);
	shape_rig_send_frame(
		rig, 1,
		(struct shape_frame){
			.dst = 2, .flow = 1, .len = 54 + 44 * 1448, .gso_bytes = 1448});
	worker->burst->n = worker->burst->n_pieces = 0;
	port->type->rx(&shape_rig_port(rig, 1)->rxq, worker->burst);
	assert_true(lane_hold_pieces(lane, worker, &worker->burst->frames[0], count));
	count->rx_frames++;
	assert_true(lane_is_busy(lane));
	assert_int_equal(count->queued, 44);
	rig_assert_accounted(rig->dp);
	for (unsigned int i = 0; i < 6000; i++)
		shape_rig_turn(rig, 100 * US);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].frames, 44);
	assert_int_equal(shape_rig_counts(rig, channel, DP_TX).drops, 0);
	assert_false(lane_is_busy(lane));
}

static void what_cannot_be_cut_is_left_alone(void **state)
{
	struct shape_rig *rig = *state;
	struct port *port = port_find(rig->dp, 1);
	struct worker *worker = rig->dp->workers[0];
	struct counters_block *count = counters_block(rig->dp->counters, port->slot, 0);

	shape_rig_assign(rig, 1, shape_rig_channel(rig, 11, M, 0));
	struct lane *lane = atomic_load(&port->lanes[DP_TX])->lanes[0];

	shape_rig_send_frame(
		rig, 1,
		(struct shape_frame){
			.dst = 2, .flow = 1, .len = 54 + 44 * 1448, .gso_bytes = 1448});
	worker->burst->n = worker->burst->n_pieces = 0;
	port->type->rx(&shape_rig_port(rig, 1)->rxq, worker->burst);
	/* There is hardly any memory left. */
	uint32_t all = buffers_take(rig->dp->buffers, rig->dp->buffers->n - 1000);

	assert_false(lane_hold_pieces(lane, worker, &worker->burst->frames[0], count));
	buffers_give(rig->dp->buffers, all);
	worker->burst->frames[0].head[23] = 17; /* not TCP */
	assert_false(lane_hold_pieces(lane, worker, &worker->burst->frames[0], count));
	assert_false(lane_is_busy(lane));
	assert_int_equal(count->queued + count->segments, 0);
}

/* --- two workers --- */

static unsigned int count_waiting(const struct shape_rig *rig, const struct channel *channel)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 2; i++)
		n += turnstile_count(rig->dp->workers[i]->turnstiles, &channel->ways[DP_RX]);
	return n;
}

/* In one thread: both send to a port whose lane is the one's that came first, until it is empty. It
 * waits for credit there and nowhere else, also at another channel. */
static void a_lane_is_of_one_worker_at_a_time(void **state)
{
	static struct shape_rig rig;
	struct channel *channels[2];
	struct lane *lane;

	create(&rig, 2);
	shape_rig_teach(&rig);
	channels[0] = shape_rig_channel(&rig, 11, 0, 10 * M);
	channels[1] = shape_rig_channel(&rig, 12, 0, 20 * M);
	shape_rig_assign(&rig, 2, channels[0]);
	lane = atomic_load(&port_find(rig.dp, 2)->lanes[DP_RX])->lanes[0];
	assert_int_not_equal(shape_rig_port(&rig, 1)->rxq.worker,
			     shape_rig_port(&rig, TRUNK)->rxq.worker);
	for (unsigned int i = 0; i < 10; i++) {
		shape_rig_send(&rig, 1, 2, 1, 1000);
		shape_rig_send(&rig, TRUNK, 2, 2, 1000);
		shape_rig_turn(&rig, 10 * US);
	}
	assert_true(lane_is_busy(lane));
	assert_int_equal(count_waiting(&rig, channels[0]), 1);
	shape_rig_assign(&rig, 2, channels[1]);
	for (unsigned int i = 0; i < 3; i++) {
		shape_rig_send(&rig, 1, 2, 1, 1000);
		shape_rig_send(&rig, TRUNK, 2, 2, 1000);
		shape_rig_turn(&rig, 10 * US);
		assert_int_equal(count_waiting(&rig, channels[0]), 0);
		assert_int_equal(count_waiting(&rig, channels[1]), 1);
	}
	shape_rig_turn(&rig, SECOND);
	for (unsigned int i = 0; i < 100; i++)
		shape_rig_turn(&rig, MS);
	assert_false(lane_is_busy(lane));
	assert_int_equal(count_waiting(&rig, channels[1]), 0);
	assert_int_equal(shape_rig_port(&rig, 2)->got[1].reordered, 0);
	shape_rig_destroy(&rig);
}

#define FLOOD_BURSTS 1000

/* Port 2 has lost its channel while frames from port 1 were held for it; more come by another
 * worker than the lane's. */
struct flood {
	struct shape_rig rig;
	struct lane *lane;
	struct worker *owner, *other;
	_Atomic unsigned int n_bursts; /* that the other one has brought */
	uint64_t n_sleeps;	       /* of the owner until then */
};

static void bring_more(void *ctx)
{
	struct flood *flood = ctx;

	if (flood->n_bursts == FLOOD_BURSTS)
		return;
	flood->n_bursts++;
	flood->n_sleeps = flood->owner->count->sleeps;
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		shape_rig_send(&flood->rig, TRUNK, 2, 2, 100);
	worker_turn(flood->other, flood->rig.now_ns);
}

/* For the trunk, whose lane is of the same worker, n_trunk frames wait: it has no room for any. */
static void begin_flood(struct flood *flood, unsigned int n_trunk)
{
	struct shape_rig *rig = &flood->rig;

	create(rig, 2);
	/* Of a worker that runs, the clock is the real one. */
	rig->now_ns = loop_clock_ns() - 2 * SECOND;
	shape_rig_teach(rig);
	flood->owner = rig->dp->workers[shape_rig_port(rig, 1)->rxq.worker];
	flood->other = rig->dp->workers[shape_rig_port(rig, TRUNK)->rxq.worker];
	flood->n_bursts = 0;
	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, M));
	shape_rig_assign(rig, TRUNK, shape_rig_channel(rig, 12, 0, G));
	shape_rig_port(rig, TRUNK)->room = 0;
	flood->lane = atomic_load(&port_find(rig->dp, 2)->lanes[DP_RX])->lanes[0];
	for (unsigned int i = 0; i < n_trunk; i++)
		shape_rig_send(rig, 1, TRUNK, 3, 100);
	for (unsigned int i = 0; i < 100; i++)
		shape_rig_send(rig, 1, 2, 1, 100);
	for (unsigned int i = 0; i < 4; i++)
		shape_rig_turn(rig, US);
	assert_true(lane_is_busy(flood->lane) && shape_rig_queued(rig) > 50 + n_trunk);
	assert_int_equal(atomic_load(&flood->lane->owner), flood->owner->index);
	assert_ptr_not_equal(flood->owner, flood->other);
	shape_rig_assign(rig, 2, NULL);
}

/* It passes on what there was when the turn began, in order, and comes back for the rest. For the
 * trunk nobody waits any longer than else. */
static void a_lane_that_fills_as_fast_as_it_empties_holds_no_turn_up(void **state)
{
	static struct flood flood;

	begin_flood(&flood, 100);
	struct shape_port *to = shape_rig_port(&flood.rig, 2);

	to->on_tx = bring_more;
	to->on_tx_ctx = &flood;
	for (unsigned int i = 0; i < 5; i++) {
		unsigned int n_before = flood.n_bursts;

		worker_turn(flood.owner, flood.rig.now_ns += 20 * MS);
		assert_in_range(flood.n_bursts - n_before, 1, 8);
		assert_true(lane_is_busy(flood.lane) && flood.owner->has_lanes);
	}
	assert_int_equal(shape_rig_drops(&flood.rig, TRUNK, DROP_RING_FULL), 100);
	assert_int_equal(to->got[1].frames, 100);
	to->on_tx = NULL;
	worker_turn(flood.owner, flood.rig.now_ns += US);
	assert_false(lane_is_busy(flood.lane) || flood.owner->has_lanes);
	assert_int_equal(to->got[2].frames, flood.n_bursts * BURST_FRAMES);
	assert_int_equal(to->got[1].reordered + to->got[2].reordered, 0);
	shape_rig_destroy(&flood.rig);
}

static void a_lane_without_a_channel_holds_no_more_than_4_mib(void **state)
{
	static struct flood flood;

	begin_flood(&flood, 0);
	struct shape_port *to = shape_rig_port(&flood.rig, 2);

	for (unsigned int i = 0; i < 50; i++)
		bring_more(&flood);
	assert_in_range(flood.lane->fq.n_blocks, 2000, (4u << 20) / BUFFERS_BLOCK_BYTES);
	worker_turn(flood.owner, flood.rig.now_ns += US);
	assert_int_equal(to->got_frames + shape_rig_drops(&flood.rig, 2, DROP_QUEUE_FULL),
			 100 + 50 * BURST_FRAMES);
	assert_int_equal(to->got[1].reordered + to->got[2].reordered, 0);
	shape_rig_destroy(&flood.rig);
}

struct runner {
	struct shape_rig *rig;
	struct worker *worker;
	pthread_t thread;
};

static void *run(void *ctx)
{
	struct runner *runner = ctx;

	worker_run(runner->worker);
	return NULL;
}

#define RUN_FRAMES 3000

/* Two workers send to one port, whose lane now one of them owns, now the other; main moves the port
 * from channel to channel meanwhile. */
static void with_two_workers_nothing_is_lost_or_reordered(void **state)
{
	static struct shape_rig rig;
	struct runner runners[2];
	struct channel *channels[2];

	create(&rig, 2);
	channels[0] = shape_rig_channel(&rig, 11, 0, 500 * M);
	channels[1] = shape_rig_channel(&rig, 12, 0, G);
	shape_rig_assign(&rig, 2, channels[0]);
	for (unsigned int i = 0; i < RUN_FRAMES; i++) {
		shape_rig_send(&rig, 1, 2, 1, 200 + i % 100);
		shape_rig_send(&rig, TRUNK, 2, 2, 200 + i % 100);
	}
	shape_rig_port(&rig, 1)->n_allowed = shape_rig_port(&rig, TRUNK)->n_allowed = 0;
	for (unsigned int i = 0; i < 2; i++) {
		runners[i] = (struct runner){.rig = &rig, .worker = rig.dp->workers[i]};
		assert_int_equal(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
	}
	uint64_t end_ns = loop_clock_ns() + 20 * SECOND;

	for (unsigned int i = 0; loop_clock_ns() < end_ns; i++) {
		shape_rig_port(&rig, 1)->n_allowed += 20;
		shape_rig_port(&rig, TRUNK)->n_allowed += 20;
		shape_rig_assign(&rig, 2, channels[i % 2]);
		dataplane_turn(rig.dp, loop_clock_ns());
		const struct lane_set *set = atomic_load(&port_find(rig.dp, 2)->lanes[DP_RX]);

		if (!lane_is_busy(set->lanes[0]) && atomic_load(&shape_rig_port(&rig, 1)->n) == 0 &&
		    atomic_load(&shape_rig_port(&rig, TRUNK)->n) == 0)
			break;
	}
	for (unsigned int i = 0; i < 2; i++) {
		worker_stop(runners[i].worker);
		pthread_join(runners[i].thread, NULL);
	}
	const struct shape_flow *got = shape_rig_port(&rig, 2)->got;
	uint64_t late = shape_rig_drops(&rig, 2, DROP_QUEUE_DELAY) +
			shape_rig_drops(&rig, 2, DROP_QUEUE_FULL);

	assert_int_equal(got[1].frames + got[2].frames + late, 2 * RUN_FRAMES);
	/* A worker that does not run for a while makes frames late. */
	assert_true(got[1].frames > 100 && got[2].frames > 100);
	assert_int_equal(got[1].reordered + got[2].reordered, 0);
	uint64_t queued_bytes = 0, n_waited = 0;

	for (unsigned int i = 0; i < 4; i++) {
		const struct counters_channel *count =
			counters_channel(rig.dp->counters, channels[i / 2]->index, i % 2, DP_RX);

		queued_bytes += count->queued_bytes;
		for (unsigned int k = 1; k < COUNTERS_DELAYS; k++)
			n_waited += count->delays[k];
	}
	assert_int_equal(queued_bytes, 0);
	assert_true(n_waited > 100);
	shape_rig_destroy(&rig);
}

/* A lane that is not empty yet is work, though no queue has anything. */
static void nobody_sleeps_on_a_lane_without_a_channel(void **state)
{
	static struct flood flood;

	begin_flood(&flood, 0);
	struct runner runner = {.rig = &flood.rig, .worker = flood.owner};
	struct shape_port *to = shape_rig_port(&flood.rig, 2);
	uint64_t end_ns = loop_clock_ns() + 20 * SECOND;

	for (uint64_t id = 1; id <= TRUNK; id++) {
		if (port_find(flood.rig.dp, id) != NULL)
			shape_rig_port(&flood.rig, id)->lets_sleep = true;
	}
	to->on_tx = bring_more;
	to->on_tx_ctx = &flood;
	assert_int_equal(pthread_create(&runner.thread, NULL, run, &runner), 0);
	while ((flood.n_bursts != FLOOD_BURSTS || lane_is_busy(flood.lane)) &&
	       loop_clock_ns() < end_ns)
		sched_yield();
	worker_stop(runner.worker);
	pthread_join(runner.thread, NULL);
	assert_false(lane_is_busy(flood.lane));
	assert_int_equal(flood.n_sleeps, 0);
	assert_int_equal(to->got[2].frames, FLOOD_BURSTS * BURST_FRAMES);
	shape_rig_destroy(&flood.rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, shape_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_a_port_sends_is_exactly_its_rate),
		TEST(what_waits_counts_as_received_and_queued),
		TEST(a_large_frame_that_a_port_sends_is_cut),
		TEST(the_segments_of_a_trunk_have_their_own_rates),
		TEST(towards_a_trunk_the_same),
		TEST(one_segment_may_have_no_channel),
		TEST(a_lane_that_is_needed_no_more_empties_itself),
		TEST(the_plan_says_who_holds_all),
		TEST(pieces_of_a_ring_lose_nothing),
		TEST(what_cannot_be_cut_is_left_alone),
		cmocka_unit_test(a_lane_is_of_one_worker_at_a_time),
		cmocka_unit_test(a_lane_that_fills_as_fast_as_it_empties_holds_no_turn_up),
		cmocka_unit_test(a_lane_without_a_channel_holds_no_more_than_4_mib),
		cmocka_unit_test(with_two_workers_nothing_is_lost_or_reordered),
		cmocka_unit_test(nobody_sleeps_on_a_lane_without_a_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
