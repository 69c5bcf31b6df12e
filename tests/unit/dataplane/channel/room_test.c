/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/room.c, and of lanes whose receiver is full, in virtual time. */
#include "dataplane/channel/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/counters.h"
#include "tests/unit/dataplane/channel/shape_rig.h"
#include "tests/unit/dataplane/rig.h"

#define ALPHA 1
#define M 1000000ULL
#define G 1000000000ULL
#define MS 1000000ULL
#define US 1000ULL

/* Each turn brings more bursts than one: what fills a lane empties it, too. */
static void a_lane_is_emptied_as_fast_as_it_fills(void **state)
{
	struct shape_rig *rig = *state;
	struct shape_port *port = shape_rig_port(rig, 2);
	uint64_t n = 10;

	for (uint64_t id = 5; id <= SHAPE_PORTS; id++) {
		struct dp_port spec = rig_port_spec(id, ALPHA);

		rig_put_port_spec(rig->dp, &spec);
	}
	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, 400 * G));
	port->room = 0;
	for (unsigned int i = 0; i < 10; i++)
		shape_rig_send(rig, 1, 2, 1, 100);
	shape_rig_turn(rig, US);
	assert_int_equal(shape_rig_queued(rig), 10);
	port->room = INT32_MAX;
	for (unsigned int i = 0; i < 100; i++) {
		for (uint64_t id = 3; id <= SHAPE_PORTS; id++) {
			for (unsigned int k = 0; id != 4 && k < BURST_FRAMES; k++, n++)
				shape_rig_send(rig, id, 2, (uint16_t)(id - 1), 100);
		}
		shape_rig_turn(rig, 100 * US);
		assert_int_equal(port->got_frames, n);
	}
	assert_int_equal(shape_rig_queued(rig), 0);
	for (unsigned int i = 0; i < SHAPE_FLOWS; i++)
		assert_int_equal(port->got[i].reordered, 0);
}

/* In the middle of a turn, too: the receiver has made room, and there is a burst for it. */
static void who_brings_more_empties_the_lane_first(void **state)
{
	struct shape_rig *rig = *state;
	struct shape_port *port = shape_rig_port(rig, 2);

	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, 400 * G));
	port->room = 20;
	for (unsigned int i = 0; i < 64; i++)
		shape_rig_send(rig, 1, 2, 1, 100);
	for (unsigned int i = 0; i < 64; i++)
		shape_rig_send(rig, 3, 2, 2, 100);
	/* Port 1's frames find it full, port 3's find it empty. */
	shape_rig_port(rig, 3)->refilled = port;
	shape_rig_turn(rig, US);
	assert_int_equal(port->got[1].frames, 64);
	assert_int_equal(port->got[2].frames, 64);
	assert_int_equal(port->got[1].reordered, 0);
}

/* It waits for room, not for credit: the channel's others need not wait behind it. */
static void a_full_receiver_holds_nobody_else_of_its_channel(void **state)
{
	struct shape_rig *rig = *state;
	struct shape_port *full = shape_rig_port(rig, 2), *other = shape_rig_port(rig, 3);
	struct channel *channel = shape_rig_channel(rig, 11, 0, 10 * G);

	shape_rig_assign(rig, 2, channel);
	shape_rig_assign(rig, 3, channel);
	full->room = 0;
	for (unsigned int i = 0; i < 100; i++) {
		shape_rig_send(rig, 1, 2, 1, 100);
		shape_rig_send(rig, 1, 3, 2, 100);
		shape_rig_turn(rig, 100 * US);
		assert_int_equal(other->got[2].frames, i + 1);
		assert_int_equal(shape_rig_queued(rig), i + 1);
	}
}

static void what_a_lane_holds_for_a_full_receiver_is_bounded(void **state)
{
	struct shape_rig *rig = *state;
	struct shape_port *port = shape_rig_port(rig, 2);

	shape_rig_assign(rig, 2, shape_rig_channel(rig, 11, 0, 10 * G));
	port->room = 0;
	for (unsigned int i = 0; i < 4000; i++)
		shape_rig_send(rig, 1, 2, 1, 100);
	for (unsigned int i = 0; i < 100; i++)
		shape_rig_turn(rig, 10 * US);
	uint64_t queued = shape_rig_queued(rig);

	assert_in_range(queued, 500, 512 + BURST_FRAMES);
	assert_int_equal(shape_rig_drops(rig, 2, DROP_RING_FULL), 4000 - queued);
	/* After 50 ms without any room nothing is held for it, until it has some. */
	for (unsigned int i = 0; i < 100; i++)
		shape_rig_turn(rig, MS);
	assert_int_equal(shape_rig_queued(rig), 0);
	shape_rig_send(rig, 1, 2, 1, 100);
	shape_rig_turn(rig, US);
	assert_int_equal(shape_rig_drops(rig, 2, DROP_RING_FULL), 4001);
	port->room = 100;
	for (unsigned int i = 0; i < 10; i++)
		shape_rig_send(rig, 1, 2, 1, 100);
	shape_rig_turn(rig, US);
	assert_int_equal(port->got[1].frames, 10);
}

/* Of a receiver with several queues: it holds the others up no longer than it is waited for. */
static void one_full_queue_does_not_hold_the_others(void **state)
{
	struct shape_rig *rig = *state;
	struct shape_port *port = shape_rig_port(rig, 2);
	struct channel *channel = shape_rig_channel(rig, 11, 0, 10 * G);

	shape_rig_assign(rig, 2, channel);
	port->full_flow = 1;
	for (unsigned int i = 0; i < 100; i++) {
		shape_rig_send(rig, 1, 2, 1, 100);
		shape_rig_send(rig, 3, 2, 2, 100);
		shape_rig_turn(rig, MS);
		assert_int_equal(shape_rig_queued(rig) == 0, i > 50);
	}
	assert_int_equal(port->got[1].frames, 0);
	assert_in_range(port->got[2].frames, 48, 50);
	port->full_flow = 0;
	shape_rig_send(rig, 1, 2, 1, 100);
	shape_rig_turn(rig, MS);
	assert_int_equal(port->got[1].frames, 1);
	const struct counters_channel *count =
		counters_channel(rig->dp->counters, channel->index, 0, DP_RX);

	assert_int_equal(count->asked_frames, 201);
	assert_int_equal(count->passed_frames, port->got[2].frames + 1);
	assert_int_equal(count->drops, 200 - port->got[2].frames);
}

/* What waited takes of the new channel no more than the first of any burst may. */
static void who_moves_to_an_idle_channel_begins_with_a_burst(void **state)
{
	struct shape_rig *rig = *state;
	struct shape_port *port = shape_rig_port(rig, 2);
	struct channel *slow = shape_rig_channel(rig, 11, 0, M),
		       *fast = shape_rig_channel(rig, 12, 0, G);

	shape_rig_assign(rig, 2, slow);
	for (unsigned int i = 0; i < 300; i++)
		shape_rig_send(rig, 1, 2, 1, 1514);
	for (unsigned int i = 0; i < 10; i++)
		shape_rig_turn(rig, US);
	shape_rig_assign(rig, 2, fast);
	uint64_t before = port->got_bytes;

	shape_rig_turn(rig, US);
	/* 50 us at 1 Gbit/s, and the frame that goes beyond them. */
	assert_in_range(port->got_bytes - before, 6250, 6250 + 1514 + 125);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, shape_rig_set_up, shape_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_lane_is_emptied_as_fast_as_it_fills),
		TEST(who_brings_more_empties_the_lane_first),
		TEST(a_full_receiver_holds_nobody_else_of_its_channel),
		TEST(what_a_lane_holds_for_a_full_receiver_is_bounded),
		TEST(one_full_queue_does_not_hold_the_others),
		TEST(who_moves_to_an_idle_channel_begins_with_a_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
