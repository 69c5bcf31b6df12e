/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/shape.c and lane.c, frames on their way to ports, in virtual time. */
#include "dataplane/channel/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/captures.h"
#include "dataplane/channel/buffers.h"
#include "dataplane/counters.h"
#include "dataplane/txn.h"
#include "tests/unit/dataplane/channel/shape_rig.h"
#include "tests/unit/dataplane/rig.h"

#define ALPHA 1
#define BETA 2
#define M 1000000ULL
#define G 1000000000ULL
#define SECOND 1000000000ULL
#define MS 1000000ULL
#define US 1000ULL
#define FULL 1514

/* Port 1 sends twice what the channel of port 2 lets pass, for a second, in turns of step_ns.
 * Returns the bytes that came within it. */
static uint64_t saturate(struct shape_rig *rig, uint64_t bps, uint32_t len, uint64_t step_ns)
{
	struct shape_port *port = shape_rig_port(rig, 2);
	uint64_t begin_ns = rig->now_ns, sent_bytes = 0, begin_bytes;

	/* What an idle channel has saved up is gone after this. */
	while (port->got_bytes < 8000 || rig->now_ns - begin_ns < 60 * MS) {
		shape_rig_send(rig, 1, 2, 1, len);
		shape_rig_turn(rig, len * 8 * SECOND / bps / 2 + 1);
	}
	begin_ns = rig->now_ns;
	begin_bytes = port->got_bytes;
	while (rig->now_ns - begin_ns < SECOND) {
		uint64_t passed_ns = rig->now_ns - begin_ns + step_ns;

		while (sent_bytes < 2 * (bps / 8 * (passed_ns / US) / 1000000)) {
			shape_rig_send(rig, 1, 2, 1, len);
			sent_bytes += len;
		}
		shape_rig_turn(rig, step_ns);
	}
	return port->got_bytes - begin_bytes;
}

static void check_rate(struct shape_rig *rig, uint32_t id, uint64_t bps, uint32_t len,
		       uint64_t step_ns)
{
	shape_rig_assign(rig, 2, shape_rig_channel(rig, id, 0, bps));
	uint64_t bytes = saturate(rig, bps, len, step_ns), right = bps / 8;
	uint64_t slack = right / 1000 > len ? right / 1000 : len;

	if (bytes + slack < right || bytes > right + slack)
		fail_msg("%llu bit/s, %u bytes: %llu bytes, not %llu", (unsigned long long)bps, len,
			 (unsigned long long)bytes, (unsigned long long)right);
	shape_rig_assign(rig, 2, NULL);
	shape_rig_turn(rig, step_ns);
	assert_int_equal(shape_rig_queued(rig), 0);
	rig_assert_accounted(rig->dp);
}

static void what_a_port_receives_is_exactly_its_rate(void **state)
{
	struct shape_rig *rig = *state;

	check_rate(rig, 11, M, FULL, 100 * US);
	check_rate(rig, 12, M, 64, 100 * US);
	check_rate(rig, 13, 10 * M, FULL, 20 * US);
	check_rate(rig, 14, 10 * M, 64, 20 * US);
	check_rate(rig, 15, 100 * M, FULL, 10 * US);
	check_rate(rig, 16, 100 * M, 64, 10 * US);
	check_rate(rig, 17, G, FULL, 10 * US);
	check_rate(rig, 18, 10 * G, FULL, 10 * US);
}

static void a_channel_that_is_not_limiting_holds_nothing(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, 0, G);

	shape_rig_assign(rig, 2, channel);
	for (unsigned int i = 0; i < 1000; i++) {
		shape_rig_send(rig, 1, 2, 1, FULL);
		shape_rig_turn(rig, 20 * US);
	}
	struct shape_port *port = shape_rig_port(rig, 2);
	struct counters_channel count = shape_rig_counts(rig, channel, DP_RX);

	assert_int_equal(port->got[1].frames, 1000);
	assert_int_equal(port->got[1].delay_max_ns, 20 * US);
	assert_int_equal(count.asked_frames, 1000);
	assert_int_equal(count.asked_bytes, 1000 * FULL);
	assert_int_equal(count.passed_frames, 1000);
	assert_int_equal(count.passed_bytes, 1000 * FULL);
	assert_int_equal(count.delays[0], 1000);
}

static void what_is_counted_of_a_channel_adds_up(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, 0, 10 * M);

	shape_rig_assign(rig, 2, channel);
	for (unsigned int i = 0; i < 600; i++) {
		shape_rig_send(rig, 1, 2, 1, FULL);
		shape_rig_turn(rig, 600 * US);
		struct counters_channel count = shape_rig_counts(rig, channel, DP_RX);

		assert_int_equal(count.asked_frames,
				 count.passed_frames + count.drops + count.queued_bytes / FULL);
		assert_int_equal(shape_rig_queued(rig), count.queued_bytes / FULL);
		if (i % 100 == 0)
			rig_assert_accounted(rig->dp);
	}
	struct counters_channel count = shape_rig_counts(rig, channel, DP_RX);
	uint64_t delays = 0;

	for (unsigned int i = 0; i < COUNTERS_DELAYS; i++)
		delays += count.delays[i];
	assert_int_equal(delays, count.passed_frames);
	assert_true(count.drops != 0 && count.queued_bytes != 0);
	assert_int_equal(count.drops, shape_rig_drops(rig, 2, DROP_QUEUE_DELAY) +
					      shape_rig_drops(rig, 2, DROP_QUEUE_FULL));
	assert_int_equal(shape_rig_port(rig, 2)->got[1].reordered, 0);
}

static void two_flows_in_a_lane_get_half_each(void **state)
{
	struct shape_rig *rig = *state;

	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, 100 * M));
	for (unsigned int i = 0; i < 5000; i++) {
		shape_rig_send(rig, 1, 2, 1, FULL);
		shape_rig_send(rig, 3, 2, 2, FULL);
		shape_rig_send(rig, 3, 2, 2, FULL);
		shape_rig_send(rig, 3, 2, 2, FULL);
		shape_rig_turn(rig, 100 * US);
	}
	const struct shape_flow *got = shape_rig_port(rig, 2)->got;

	assert_true(got[1].bytes > 3000 * 1000 && got[1].reordered + got[2].reordered == 0);
	assert_true(llabs((long long)(got[1].bytes - got[2].bytes)) <=
		    (long long)got[1].bytes / 100);
}

/* A FIFO of 1,000 full frames would be 121 ms. */
static void a_sparse_probe_passes_a_full_lane(void **state)
{
	struct shape_rig *rig = *state;

	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, 100 * M));
	for (unsigned int i = 0; i < 20000; i++) {
		shape_rig_send(rig, 1, 2, 1, FULL);
		shape_rig_send(rig, 1, 2, 1, FULL);
		if (i % 100 == 50)
			shape_rig_send(rig, 3, 2, 2, 100);
		shape_rig_turn(rig, 50 * US);
	}
	const struct shape_flow *got = shape_rig_port(rig, 2)->got;

	assert_int_equal(got[2].frames, 200);
	assert_true(got[2].delay_max_ns < 400 * US);
	assert_true(shape_rig_drops(rig, 2, DROP_QUEUE_DELAY) != 0);
}

static void what_knows_ecn_is_marked(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, 0, 100 * M);

	shape_rig_assign(rig, 2, channel);
	for (unsigned int i = 0; i < 2000; i++) {
		shape_rig_send_frame(
			rig, 1, (struct shape_frame){.dst = 2, .flow = 1, .len = FULL, .tos = 2});
		shape_rig_turn(rig, 119 * US);
	}
	assert_true(shape_rig_counts(rig, channel, DP_RX).marks != 0);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].marks,
			 shape_rig_counts(rig, channel, DP_RX).marks);
	assert_int_equal(shape_rig_counts(rig, channel, DP_RX).drops, 0);
}

static void what_has_waited_is_in_a_capture_as_well(void **state)
{
	struct shape_rig *rig = *state;
	struct dp_capture_open open = {.ways = 1u << RECORD_TX,
				       .n_ports = 1,
				       .port_ids = {2},
				       .ring_bytes = RECORD_RING_BYTES_MIN};
	struct record_map map;
	struct record_reader reader;
	struct record record;
	const uint8_t *bytes;
	char why[DP_TEXT_BYTES];
	unsigned int n = 0;
	uint64_t id;
	int fd;

	assert_int_equal(captures_open(rig->dp, &open, rig, &id, &fd, why, sizeof(why)), 0);
	assert_int_equal(record_open(fd, &map), 0);
	record_reader_begin(&reader, &map, 0);
	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, M));
	for (unsigned int i = 0; i < 20; i++)
		shape_rig_send(rig, 1, 2, 1, FULL);
	shape_rig_turn(rig, 10 * US);
	assert_true(shape_rig_queued(rig) > 10);
	for (unsigned int i = 0; i < 1000 && shape_rig_port(rig, 2)->got[1].frames < 20; i++)
		shape_rig_turn(rig, MS);
	for (; record_reader_next(&reader, &record, &bytes) == 1; n++)
		record_reader_take(&reader, &record);
	assert_int_equal(n, 20);
	assert_int_equal(captures_close(rig->dp, id, rig), 0);
	record_close(&map);
	close(fd);
}

/* --- changes under load --- */

/* 60 frames for port 2, all but a few of them in its lane. */
static void fill_lane(struct shape_rig *rig)
{
	for (unsigned int i = 0; i < 60; i++)
		shape_rig_send(rig, 1, 2, 1, FULL);
	shape_rig_turn(rig, 10 * US);
	assert_true(shape_rig_queued(rig) > 50);
}

static void drain(struct shape_rig *rig)
{
	for (unsigned int i = 0; i < 20000 && shape_rig_queued(rig) != 0; i++)
		shape_rig_turn(rig, 100 * US);
	assert_int_equal(shape_rig_queued(rig), 0);
}

static void a_port_that_moves_to_another_channel_loses_nothing(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *slow = shape_rig_channel(rig, 11, 0, M);
	struct channel *fast = shape_rig_channel(rig, 12, 0, 200 * M);

	shape_rig_assign(rig, 2, slow);
	fill_lane(rig);
	uint64_t queued = shape_rig_queued(rig);

	shape_rig_assign(rig, 2, fast);
	shape_rig_send(rig, 1, 2, 1, FULL);
	shape_rig_turn(rig, 10 * US);
	assert_int_equal(shape_rig_counts(rig, slow, DP_RX).queued_bytes, 0);
	assert_true(shape_rig_counts(rig, fast, DP_RX).queued_bytes >= (queued - 20) * FULL);
	for (unsigned int i = 0; i < 500; i++)
		shape_rig_turn(rig, 10 * US);
	const struct shape_flow *got = shape_rig_port(rig, 2)->got;

	assert_int_equal(got[1].frames, 61);
	assert_int_equal(got[1].reordered, 0);
	assert_int_equal(shape_rig_counts(rig, fast, DP_RX).queued_bytes, 0);
}

static void a_port_that_loses_its_channel_gets_what_was_held_at_once(void **state)
{
	struct shape_rig *rig = *state;

	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, M));
	fill_lane(rig);
	shape_rig_assign(rig, 2, NULL);
	shape_rig_send(rig, 1, 2, 1, FULL);
	shape_rig_turn(rig, US);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].frames, 61);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].reordered, 0);
	assert_int_equal(shape_rig_queued(rig), 0);
	/* The lane was kept for what it held: with the next change it goes. */
	assert_non_null(atomic_load(&port_find(rig->dp, 2)->lanes[DP_RX]));
	shape_rig_assign(rig, 2, NULL);
	assert_null(atomic_load(&port_find(rig->dp, 2)->lanes[DP_RX]));
}

static void what_waits_for_a_port_that_leaves_its_segment_goes_nowhere(void **state)
{
	struct shape_rig *rig = *state;

	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, 10 * M));
	fill_lane(rig);
	uint64_t queued = shape_rig_queued(rig), before = shape_rig_port(rig, 2)->got_frames;

	rig_put_port(rig->dp, 2, BETA);
	shape_rig_turn(rig, US);
	drain(rig);
	assert_int_equal(shape_rig_port(rig, 2)->got_frames, before);
	assert_int_equal(shape_rig_drops(rig, 2, DROP_WRONG_SEGMENT), queued);
}

/* The new segment gets the index of the old one. */
static void an_index_that_another_segment_has_got_is_no_way_out(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, 0, 10 * M);
	uint16_t index = segment_find(rig->dp, ALPHA)->index;
	struct dp_segment gamma = rig_segment(3);
	struct txn *txn = NULL;
	char why[DP_TEXT_BYTES];

	shape_rig_assign(rig, 2, channel);
	fill_lane(rig);
	uint64_t queued = shape_rig_queued(rig), before = shape_rig_port(rig, 2)->got_frames;

	for (uint64_t id = 1; id <= 3; id++)
		rig_put_port(rig->dp, id, BETA);
	assert_int_equal(txn_begin(rig->dp, &txn), 0);
	assert_int_equal(txn_del_segment(txn, ALPHA), 0);
	assert_int_equal(txn_prepare(txn, why, sizeof(why)), 0);
	txn_commit(txn);
	rig_put_segment_spec(rig->dp, &gamma);
	assert_int_equal(segment_find(rig->dp, 3)->index, index);
	rig_put_port(rig->dp, 2, 3);
	shape_rig_assign(rig, 2, channel);
	drain(rig);
	assert_int_equal(shape_rig_port(rig, 2)->got_frames, before);
	assert_int_equal(shape_rig_drops(rig, 2, DROP_WRONG_SEGMENT), queued);
}

static void what_waits_for_a_port_that_goes_is_counted(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, 0, M);

	shape_rig_assign(rig, 2, channel);
	fill_lane(rig);
	uint64_t queued = shape_rig_queued(rig);

	rig_del_port(rig->dp, 2);
	assert_int_equal(rig_sum(rig->dp).drops[DROP_PORT_GONE], queued);
	assert_int_equal(shape_rig_queued(rig), 0);
	assert_int_equal(shape_rig_counts(rig, channel, DP_RX).queued_bytes, 0);
	assert_int_equal(buffers_n_free(rig->dp->buffers), rig->dp->buffers->n);
	for (unsigned int i = 0; i < 100; i++)
		shape_rig_turn(rig, MS);
}

static void a_port_that_is_blocked_gets_nothing_of_what_was_held(void **state)
{
	struct shape_rig *rig = *state;
	struct dp_port spec = rig_port_spec(2, ALPHA);

	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, 10 * M));
	fill_lane(rig);
	uint64_t queued = shape_rig_queued(rig);

	rig_set_port(&spec, "state", "blocked");
	rig_put_port_spec(rig->dp, &spec);
	drain(rig);
	assert_int_equal(shape_rig_drops(rig, 2, DROP_BLOCKED), queued);
}

/* --- receivers --- */

static void what_a_full_receiver_has_no_room_for_waits(void **state)
{
	struct shape_rig *rig = *state;
	struct shape_port *port = shape_rig_port(rig, 2);

	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, 10 * G));
	port->room = 20;
	for (unsigned int i = 0; i < 50; i++)
		shape_rig_send(rig, 1, 2, 1, 100);
	shape_rig_turn(rig, US);
	assert_in_range(port->got[1].frames, 10, 20);
	for (unsigned int i = 0; i < 400; i++)
		shape_rig_turn(rig, 100 * US);
	assert_in_range(port->got[1].frames, 19, 20);
	port->room = 100;
	shape_rig_turn(rig, US);
	assert_int_equal(port->got[1].frames, 50);
	assert_int_equal(port->got[1].reordered, 0);
	assert_int_equal(shape_rig_drops(rig, 2, DROP_RING_FULL), 0);
	/* The frames are in the lane: CoDel does not take a receiver that stands still for one that
	 * is slow. */
	assert_int_equal(shape_rig_drops(rig, 2, DROP_QUEUE_DELAY), 0);
}

static void what_a_receiver_never_has_room_for_is_lost_there(void **state)
{
	struct shape_rig *rig = *state;
	struct shape_port *port = shape_rig_port(rig, 2);
	struct channel *channel = shape_rig_channel(rig, 11, 0, 10 * G);

	shape_rig_assign(rig, 2, channel);
	port->room = 0;
	for (unsigned int i = 0; i < 50; i++)
		shape_rig_send(rig, 1, 2, 1, 100);
	for (unsigned int i = 0; i < 490; i++)
		shape_rig_turn(rig, 100 * US);
	assert_int_equal(shape_rig_queued(rig), 50);
	for (unsigned int i = 0; i < 300; i++)
		shape_rig_turn(rig, 100 * US);
	assert_int_equal(shape_rig_queued(rig), 0);
	assert_int_equal(shape_rig_drops(rig, 2, DROP_RING_FULL), 50);
	/* What nobody waits for any more was asked for all the same. */
	port->room = 1;
	for (unsigned int i = 0; i < 5; i++)
		shape_rig_send(rig, 1, 2, 1, 100);
	shape_rig_turn(rig, 100 * US);
	struct counters_channel count = shape_rig_counts(rig, channel, DP_RX);

	assert_int_equal(count.asked_frames, 55);
	assert_int_equal(count.asked_bytes, 5500);
	assert_int_equal(count.passed_frames, 1);
	assert_int_equal(count.passed_bytes, 100);
	assert_int_equal(count.drops, 54);
}

/* --- large frames --- */

static void send_large(struct shape_rig *rig, uint16_t flow)
{
	shape_rig_send_frame(
		rig, 1,
		(struct shape_frame){
			.dst = 2, .flow = flow, .len = 54 + 44 * 1448, .gso_bytes = 1448});
}

/* 64 KiB at 100 Mbit/s would be 5 ms. */
static void a_large_frame_of_a_slow_channel_is_cut_and_others_pass_between(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, 0, 100 * M);

	shape_rig_assign(rig, 2, channel);
	for (unsigned int i = 0; i < 200; i++) {
		if (i % 20 == 0)
			send_large(rig, 1);
		if (i % 20 == 5)
			shape_rig_send(rig, 3, 2, 2, 100);
		for (unsigned int k = 0; k < 10; k++)
			shape_rig_turn(rig, 50 * US);
	}
	drain(rig);
	const struct shape_flow *got = shape_rig_port(rig, 2)->got;

	assert_int_equal(got[1].large, 0);
	assert_int_equal(got[1].frames, 10 * 44);
	assert_int_equal(got[1].bytes, 10 * 44 * 1502);
	assert_true(got[2].frames == 10 && got[2].delay_max_ns < 400 * US);
	assert_int_equal(shape_rig_counts(rig, channel, DP_RX).passed_bytes,
			 got[1].bytes + got[2].bytes);
	assert_int_equal(rig_counters(rig->dp, 2)->segments, 10 * 43);
}

static void a_large_frame_of_a_fast_channel_stays_whole_and_pays_for_all(void **state)
{
	struct shape_rig *rig = *state;
	struct channel *channel = shape_rig_channel(rig, 11, 0, 10 * G);

	shape_rig_assign(rig, 2, channel);
	for (unsigned int i = 0; i < 20; i++)
		send_large(rig, 1);
	for (unsigned int i = 0; i < 200; i++)
		shape_rig_turn(rig, 10 * US);
	assert_int_equal(shape_rig_port(rig, 2)->got[1].large, 20);
	assert_int_equal(shape_rig_counts(rig, channel, DP_RX).passed_bytes, 20 * 44 * 1502);
	assert_int_equal(shape_rig_counts(rig, channel, DP_RX).asked_bytes, 20 * 44 * 1502);
}

/* --- memory --- */

static void a_flood_is_bounded_and_leaves_room_for_others(void **state)
{
	struct shape_rig *rig = *state;

	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, M));
	shape_rig_assign(rig, 3, shape_rig_channel(rig, 12, 0, M));
	for (unsigned int i = 0; i < 1000; i++) {
		for (unsigned int k = 0; k < 20; k++)
			shape_rig_send(rig, 1, 2, 1, 64);
		if (i % 100 == 0)
			shape_rig_send(rig, 1, 3, 2, FULL);
		shape_rig_turn(rig, 100 * US);
	}
	assert_true(shape_rig_queued(rig) <= 300); /* 256 KiB in blocks, and the other's */
	assert_true(shape_rig_drops(rig, 2, DROP_QUEUE_FULL) > 15000);
	drain(rig);
	assert_int_equal(shape_rig_port(rig, 3)->got[2].frames, 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, shape_rig_set_up, shape_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_a_port_receives_is_exactly_its_rate),
		TEST(a_channel_that_is_not_limiting_holds_nothing),
		TEST(what_is_counted_of_a_channel_adds_up),
		TEST(what_has_waited_is_in_a_capture_as_well),
		TEST(two_flows_in_a_lane_get_half_each),
		TEST(a_sparse_probe_passes_a_full_lane),
		TEST(what_knows_ecn_is_marked),
		TEST(a_port_that_moves_to_another_channel_loses_nothing),
		TEST(a_port_that_loses_its_channel_gets_what_was_held_at_once),
		TEST(what_waits_for_a_port_that_leaves_its_segment_goes_nowhere),
		TEST(an_index_that_another_segment_has_got_is_no_way_out),
		TEST(what_waits_for_a_port_that_goes_is_counted),
		TEST(a_port_that_is_blocked_gets_nothing_of_what_was_held),
		TEST(what_a_full_receiver_has_no_room_for_waits),
		TEST(what_a_receiver_never_has_room_for_is_lost_there),
		TEST(a_large_frame_of_a_slow_channel_is_cut_and_others_pass_between),
		TEST(a_large_frame_of_a_fast_channel_stays_whole_and_pays_for_all),
		TEST(a_flood_is_bounded_and_leaves_room_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
