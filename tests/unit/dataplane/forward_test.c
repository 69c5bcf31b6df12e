/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/forward.c, most of them through whole turns: who gets which frame, and that
 * every frame is accounted for. */
#include "dataplane/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/classify.h"
#include "dataplane/counters.h"
#include "dataplane/offload.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define NOW_S 1000

static uint64_t drops(const struct dataplane *dp, uint64_t id, enum drop_reason reason)
{
	return rig_counters(dp, id)->drops[reason];
}

/* Makes station `id` known behind port `id`, and forgets what that sent around. */
static void teach(struct dataplane *dp, uint32_t id)
{
	rig_send(dp, id, RIG_BROADCAST, id, 60, 0);
	rig_turn(dp, NOW_S);
	for (uint64_t i = 1; i <= 4; i++)
		rig_port(dp, i)->n_out = 0;
}

static void assert_out(struct dataplane *dp, unsigned int n1, unsigned int n2, unsigned int n3)
{
	assert_int_equal(rig_port(dp, 1)->n_out, n1);
	assert_int_equal(rig_port(dp, 2)->n_out, n2);
	assert_int_equal(rig_port(dp, 3)->n_out, n3);
	assert_int_equal(rig_port(dp, 4)->n_out, 0);
}

static void an_unknown_address_goes_to_everyone_in_the_segment_but_the_sender(void **state)
{
	struct dataplane *dp = *state;

	rig_send(dp, 1, 77, 1, 60, 5);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 1, 1);
	assert_memory_equal(rig_port(dp, 3)->out[0].bytes, rig_port(dp, 1)->in[0].bytes, 60);
	assert_int_equal(rig_counters(dp, 1)->copies, 1);
}

static void broadcast_and_multicast_go_to_everyone_but_the_sender(void **state)
{
	struct dataplane *dp = *state;

	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 5);
	rig_send(dp, 1, 2, 1, 60, 5);
	rig_port(dp, 1)->in[1].bytes[0] |= 1;
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 2, 2);
}

static void a_known_address_goes_to_its_port_only(void **state)
{
	struct dataplane *dp = *state;

	teach(dp, 2);
	rig_send(dp, 1, 2, 1, 200, 9);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 1, 0);
	assert_int_equal(rig_port(dp, 2)->out[0].len, 200);
	assert_memory_equal(rig_port(dp, 2)->out[0].bytes, rig_port(dp, 1)->in[0].bytes, 200);
}

static void the_same_address_in_another_segment_is_another_one(void **state)
{
	struct dataplane *dp = *state;

	rig_send(dp, 4, RIG_BROADCAST, 2, 60, 0); /* station 2 in RIG_BETA, too */
	teach(dp, 2);
	rig_send(dp, 1, 2, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 1, 0);
}

static void an_aged_address_is_flooded_again(void **state)
{
	struct dataplane *dp = *state;

	teach(dp, 2);
	rig_send(dp, 1, 2, 1, 60, 0);
	rig_turn(dp, NOW_S + RIG_AGE_S + 1);
	assert_out(dp, 0, 1, 1);
}

static void what_is_behind_the_senders_port_stays_there(void **state)
{
	struct dataplane *dp = *state;

	teach(dp, 1);
	rig_send(dp, 1, 1, 9, 60, 0);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 0, 0);
	assert_int_equal(drops(dp, 1, DROP_SAME_PORT), 1);
}

static void alone_in_a_segment_there_is_no_receiver(void **state)
{
	struct dataplane *dp = *state;

	rig_send(dp, 4, RIG_BROADCAST, 4, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(drops(dp, 4, DROP_NO_RECEIVER), 1);
	assert_int_equal(rig_counters(dp, 4)->copies, 0);
}

/* --- policies --- */

static void isolate(struct dataplane *dp, uint64_t id)
{
	struct dp_port port = rig_port_spec(id, RIG_ALPHA);

	rig_set_port(&port, "isolated", "on");
	rig_put_port_spec(dp, &port);
}

static void isolated_ports_reach_only_those_that_are_not(void **state)
{
	struct dataplane *dp = *state;

	isolate(dp, 1);
	isolate(dp, 2);
	teach(dp, 1);
	teach(dp, 2);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_send(dp, 1, 2, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 0, 1);
	assert_int_equal(drops(dp, 2, DROP_ISOLATED), 1);
	rig_send(dp, 3, RIG_BROADCAST, 3, 60, 0);
	rig_send(dp, 3, 1, 3, 60, 0);
	rig_turn(dp, NOW_S);
	assert_out(dp, 2, 1, 1);
}

static void isolation_ends_with_the_next_change(void **state)
{
	struct dataplane *dp = *state;

	isolate(dp, 1);
	isolate(dp, 2);
	rig_put_port(dp, 2, RIG_ALPHA);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 1, 1);
}

/* Three frames, for a group, for all, for nobody that is known: what is left of them. */
static void check_action(struct dataplane *dp, const char *key, enum drop_reason reason)
{
	struct dp_segment segment = rig_segment(RIG_ALPHA);

	rig_set_segment(&segment, key, "drop");
	rig_put_segment_spec(dp, &segment);
	rig_port(dp, 2)->n_out = 0;
	rig_send(dp, 1, 77, 1, 60, 0);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_send(dp, 1, 1, 1, 60, 0);
	rig_port(dp, 1)->in[rig_port(dp, 1)->n_in - 1].bytes[0] |= 1;
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 2)->n_out, 2);
	assert_int_equal(drops(dp, 1, reason), 1);
}

static void a_segment_drops_what_it_does_not_flood(void **state)
{
	check_action(*state, "unknown", DROP_UNKNOWN);
	check_action(*state, "broadcast", DROP_BROADCAST);
	check_action(*state, "multicast", DROP_MULTICAST);
}

/* --- the last gate: tables that are older than the ports --- */

/* What a worker would have at hand: one frame of port 1 for `dst`, looked up and on its list. */
static struct burst *one_on_its_way(struct dataplane *dp, uint32_t dst)
{
	struct worker *worker = dp->workers[0];
	struct burst *burst = worker->burst;
	struct counters_block *count = counters_block(dp->counters, port_find(dp, 1)->slot, 0);

	burst->n = 0;
	burst->now_s = NOW_S;
	rig_add_frame(burst, dst, 1, 60);
	count->rx_frames++;
	classify_burst(dp, port_find(dp, 1), burst);
	forward_lookup(dp, burst, 1);
	count->copies += forward_spread(dp, burst, port_find(dp, 1), &worker->lists);
	return burst;
}

static void transmit(struct dataplane *dp, struct burst *burst)
{
	struct worker *worker = dp->workers[0];

	forward_transmit(dp, burst, port_find(dp, 1), worker,
			 counters_block(dp->counters, port_find(dp, 1)->slot, 0));
	assert_int_equal(worker->lists.n_touched, 0);
}

static void no_frame_leaves_through_a_port_that_changed_its_segment(void **state)
{
	struct dataplane *dp = *state;

	teach(dp, 2);
	struct burst *burst = one_on_its_way(dp, 2);

	atomic_store(&port_find(dp, 2)->segment, RIG_BETA);
	transmit(dp, burst);
	assert_out(dp, 0, 0, 0);
	assert_int_equal(drops(dp, 2, DROP_WRONG_SEGMENT), 1);
}

static void a_flood_passes_only_the_ports_that_are_still_in_the_segment(void **state)
{
	struct dataplane *dp = *state;
	struct burst *burst = one_on_its_way(dp, RIG_BROADCAST);

	atomic_store(&port_find(dp, 2)->segment, 0);
	transmit(dp, burst);
	assert_out(dp, 0, 0, 1);
	assert_int_equal(drops(dp, 2, DROP_WRONG_SEGMENT), 1);
}

static void a_frame_for_a_port_that_has_gone_is_counted_at_the_sender(void **state)
{
	struct dataplane *dp = *state;
	struct port *port = port_find(dp, 2);

	teach(dp, 2);
	struct burst *burst = one_on_its_way(dp, 2);

	port_unpublish(port);
	transmit(dp, burst);
	assert_int_equal(drops(dp, 1, DROP_PORT_GONE), 1);
	port_destroy(port);
}

static void a_segment_that_has_gone_has_no_receivers(void **state)
{
	struct dataplane *dp = *state;
	struct segment *segment = segment_find(dp, RIG_ALPHA);

	atomic_store(&dp->segments[segment->index], NULL);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 0, 0);
	assert_int_equal(drops(dp, 1, DROP_NO_SEGMENT), 1);
	atomic_store(&dp->segments[segment->index], segment);
}

/* --- bursts --- */

static void a_full_burst_goes_out_whole_and_in_order(void **state)
{
	struct dataplane *dp = *state;

	teach(dp, 2);
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		rig_send(dp, 1, 2, 1, 60, (uint8_t)i);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, BURST_FRAMES, 0);
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		assert_int_equal(rig_port(dp, 2)->out[i].bytes[14], i);
}

static void a_burst_of_everything_is_accounted_frame_by_frame(void **state)
{
	struct dataplane *dp = *state;

	teach(dp, 1);
	teach(dp, 2);
	for (unsigned int i = 0; i < BURST_FRAMES; i++) {
		static const uint32_t dst[8] = {2, RIG_BROADCAST, 1, 2, 77, 2, 2, RIG_BROADCAST};

		rig_send(dp, 1, dst[i % 8], 1, 60, (uint8_t)i);
		if (i % 8 == 5) /* a tagged one */
			rig_port(dp, 1)->in[1 + i].bytes[12] = 0x81;
		if (i % 8 == 6) /* a runt */
			rig_port(dp, 1)->in[1 + i].len = 10;
	}
	rig_turn(dp, NOW_S);
	const struct counters_block *count = rig_counters(dp, 1);

	assert_out(dp, 0, 16 + 24, 24);
	assert_int_equal(count->rx_frames, 1 + BURST_FRAMES);
	assert_int_equal(count->rx_bytes, 60 + 56 * 60 + 8 * 10);
	assert_int_equal(count->copies, 1 + 24);
	assert_int_equal(count->drops[DROP_SAME_PORT], 8);
	assert_int_equal(count->drops[DROP_TAGGED], 8);
	assert_int_equal(count->drops[DROP_RUNT], 8);
}

/* --- bounds --- */

/* RIG_ALPHA, with room for frames of 64 KiB. */
static void put_wide_segment(struct dataplane *dp)
{
	struct dp_segment segment = rig_segment(RIG_ALPHA);

	segment.mtu = UINT16_MAX;
	rig_put_segment_spec(dp, &segment);
}

static void spread_one(struct dataplane *dp, uint32_t len)
{
	struct worker *worker = dp->workers[0];
	struct burst *burst = worker->burst;

	burst->n = 0;
	rig_add_frame(burst, RIG_BROADCAST, 1, len);
	classify_burst(dp, port_find(dp, 1), burst);
	forward_lookup(dp, burst, 1);
	forward_spread(dp, burst, port_find(dp, 1), &worker->lists);
	for (unsigned int i = 0; i < worker->lists.n_touched; i++)
		worker->lists.egress[worker->lists.touched[i]].n = 0;
}

static void a_flood_that_would_hold_up_the_worker_is_dropped_whole(void **state)
{
	struct dataplane *dp = rig_create(1);
	struct worker *worker = dp->workers[0];

	put_wide_segment(dp);
	for (uint64_t id = 1; id <= 256; id++)
		rig_put_port(dp, id, RIG_ALPHA);
	spread_one(dp, 65536);
	assert_int_equal(worker->burst->frames[0].drop, DROP_NONE);
	assert_int_equal(worker->lists.n_touched, 255);
	worker->lists.n_touched = 0;
	rig_put_port(dp, 257, RIG_ALPHA);
	spread_one(dp, 65536);
	assert_int_equal(worker->burst->frames[0].drop, DROP_FLOOD_LIMIT);
	assert_int_equal(worker->lists.n_touched, 0);
	spread_one(dp, 60);
	assert_int_equal(worker->burst->frames[0].drop, DROP_NONE);
	dataplane_destroy(dp);
}

static void floods_of_one_burst_share_the_limit(void **state)
{
	struct dataplane *dp = rig_create(1);
	struct worker *worker = dp->workers[0];
	struct burst *burst = worker->burst;

	put_wide_segment(dp);
	for (uint64_t id = 1; id <= 8; id++)
		rig_put_port(dp, id, RIG_ALPHA);
	burst->n = 0;
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		rig_add_frame(burst, RIG_BROADCAST, 1, 65536);
	classify_burst(dp, port_find(dp, 1), burst);
	forward_lookup(dp, burst, 1);
	assert_int_equal(forward_spread(dp, burst, port_find(dp, 1), &worker->lists), 32 * 6);
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		assert_int_equal(burst->frames[i].drop, i < 32 ? DROP_NONE : DROP_FLOOD_LIMIT);
	dataplane_destroy(dp);
}

/* --- receivers without offloads --- */

static void a_flood_is_cut_for_some_and_whole_for_others(void **state)
{
	struct dataplane *dp = *state;
	struct burst *burst = one_on_its_way(dp, RIG_BROADCAST);
	struct frame *frame = &burst->frames[0];

	/* TCP/IPv4 that says 48 bytes a segment, and carries 58. */
	frame->len = frame->head_len = 112;
	memcpy(frame->head + 14, "\x45\0\0\x62\0\1\0\0\x40\6", 10);
	frame->head[34 + 12] = 0x50;
	frame->vnet.hdr = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
						  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
						  .gso_size = htole16(48),
						  .csum_start = htole16(34),
						  .csum_offset = htole16(16)};
	atomic_store(&port_find(dp, 3)->offload_caps, OFFLOAD_ALL);
	transmit(dp, burst);
	assert_out(dp, 0, 2, 1);
	assert_int_equal(rig_port(dp, 2)->out[0].len, 54 + 48);
	assert_int_equal(rig_port(dp, 2)->out[1].len, 54 + 10);
	assert_int_equal(rig_port(dp, 3)->out[0].len, 112);
	assert_int_equal(rig_counters(dp, 2)->segments, 1);
	assert_int_equal(rig_counters(dp, 3)->segments, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_unknown_address_goes_to_everyone_in_the_segment_but_the_sender),
		TEST(broadcast_and_multicast_go_to_everyone_but_the_sender),
		TEST(a_known_address_goes_to_its_port_only),
		TEST(the_same_address_in_another_segment_is_another_one),
		TEST(an_aged_address_is_flooded_again),
		TEST(what_is_behind_the_senders_port_stays_there),
		TEST(alone_in_a_segment_there_is_no_receiver),
		TEST(isolated_ports_reach_only_those_that_are_not),
		TEST(isolation_ends_with_the_next_change),
		TEST(a_segment_drops_what_it_does_not_flood),
		TEST(no_frame_leaves_through_a_port_that_changed_its_segment),
		TEST(a_flood_passes_only_the_ports_that_are_still_in_the_segment),
		TEST(a_frame_for_a_port_that_has_gone_is_counted_at_the_sender),
		TEST(a_segment_that_has_gone_has_no_receivers),
		TEST(a_full_burst_goes_out_whole_and_in_order),
		TEST(a_burst_of_everything_is_accounted_frame_by_frame),
		cmocka_unit_test(a_flood_that_would_hold_up_the_worker_is_dropped_whole),
		cmocka_unit_test(floods_of_one_burst_share_the_limit),
		TEST(a_flood_is_cut_for_some_and_whole_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
