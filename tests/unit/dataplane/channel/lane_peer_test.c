/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of lanes of peers: what goes into a tunnel, and what comes out of one, at the rate of the
 * peer's channel.
 *
 *     port 1 in ALPHA, 2 in BETA | peer 11: both, 1 Mbit/s each way | uplink
 */
#include "dataplane/channel/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dataplane/channel/buffers.h"
#include "dataplane/txn.h"
#include "dataplane/txn_channels.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/tunnel_rig.h"

#define ALPHA 1
#define BETA 2
#define PEER 11
#define CHANNEL 50
#define RATE_BPS 1000000
#define LEN 180 /* 1.44 ms at this rate */
#define FRAMES 40
#define MS 1000000ULL
#define BEGIN_NS 1000000000000ULL

static const uint32_t both[] = {ALPHA, BETA, 0}, only_alpha[] = {ALPHA, 0};

static void turn(struct dataplane *dp, uint64_t now_ns)
{
	worker_turn(dp->workers[0], now_ns);
	dataplane_turn(dp, now_ns);
}

static void put_channel(struct dataplane *dp)
{
	const struct dp_channel_way way = {
		.ceiling_bps = RATE_BPS, .burst_bytes = 2 * LEN, .weight = 1, .target_us = 50000};
	struct dp_channel spec = {.id = CHANNEL, .name = "channel", .ways = {way, way}};
	struct txn *txn = NULL;
	char why[DP_TEXT_BYTES] = "";

	assert_int_equal(txn_begin(dp, &txn), 0);
	assert_int_equal(txn_channels_put_channel(txn, &spec), 0);
	if (txn_prepare(txn, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	txn_commit(txn);
}

static void put_peer(struct dataplane *dp, const uint32_t *segments)
{
	struct dp_port spec = tunnel_rig_peer(4, PEER, segments);

	spec.channel_id = CHANNEL;
	rig_put_port_spec(dp, &spec);
}

static int set_up(void **state)
{
	struct dataplane *dp = tunnel_rig_create(4);

	rig_put_segment(dp, ALPHA);
	rig_put_segment(dp, BETA);
	rig_put_port(dp, 1, ALPHA);
	rig_put_port(dp, 2, BETA);
	tunnel_rig_put_peer(dp, 4, PEER, both);
	put_channel(dp);
	put_peer(dp, both);
	turn(dp, BEGIN_NS);
	*state = dp;
	return 0;
}

static int tear_down(void **state)
{
	struct dataplane *dp = *state;

	rig_assert_accounted(dp);
	rig_del_port(dp, PEER);
	rig_assert_accounted(dp);
	assert_int_equal(rig_sum(dp).queued, 0);
	assert_int_equal(buffers_n_free(dp->buffers), dp->buffers->n);
	dataplane_destroy(dp);
	return 0;
}

/* From both segments, to stations that nobody knows: only the peer is there. */
static void send_to_peer(struct dataplane *dp)
{
	for (unsigned int i = 0; i < FRAMES / 2; i++) {
		rig_send(dp, 1, 77, 1, LEN, (uint8_t)i);
		rig_send(dp, 2, 78, 2, LEN, (uint8_t)i);
	}
	turn(dp, BEGIN_NS + MS);
}

static void into_a_tunnel_frames_go_at_the_rate_of_the_peer(void **state)
{
	struct dataplane *dp = *state;
	const struct rig_port *uplink = rig_port(dp, TUNNEL_RIG_UPLINK);
	unsigned int n_alpha = 0;

	send_to_peer(dp);
	assert_in_range(uplink->n_out, 1, 4);
	assert_int_equal(rig_counters(dp, PEER)->queued, FRAMES - uplink->n_out);
	rig_assert_accounted(dp);
	for (unsigned int i = 2; i < 41; i++)
		turn(dp, BEGIN_NS + i * MS);
	/* 39 ms of 1.44 ms each, and what was saved up. */
	assert_in_range(uplink->n_out, 27, 31);
	for (unsigned int i = 41; i < 120; i++)
		turn(dp, BEGIN_NS + i * MS);
	assert_int_equal(uplink->n_out, FRAMES);
	for (unsigned int i = 0; i < FRAMES; i++)
		n_alpha += tunnel_rig_outer(dp, i).vni == ALPHA;
	assert_int_equal(n_alpha, FRAMES / 2);
	assert_int_equal(rig_counters(dp, PEER)->queued, 0);
}

static void what_waits_for_a_segment_that_the_peer_has_left_does_not_go(void **state)
{
	struct dataplane *dp = *state;
	const struct rig_port *uplink = rig_port(dp, TUNNEL_RIG_UPLINK);
	unsigned int n_before, n_alpha = 0;

	send_to_peer(dp);
	n_before = uplink->n_out;
	put_peer(dp, only_alpha);
	for (unsigned int i = 2; i < 120; i++)
		turn(dp, BEGIN_NS + i * MS);
	for (unsigned int i = 0; i < uplink->n_out; i++)
		n_alpha += tunnel_rig_outer(dp, i).vni == ALPHA;
	assert_int_equal(n_alpha, FRAMES / 2);
	assert_true(uplink->n_out - n_alpha <= n_before);
	assert_int_equal(rig_counters(dp, PEER)->drops[DROP_WRONG_SEGMENT], FRAMES - uplink->n_out);
}

static void out_of_a_tunnel_the_same(void **state)
{
	struct dataplane *dp = *state;
	const struct rig_port *to = rig_port(dp, 1);

	for (unsigned int i = 0; i < FRAMES; i++)
		tunnel_rig_send(dp, 4, PEER, ALPHA, 1, 0xa1, LEN, (uint8_t)i);
	turn(dp, BEGIN_NS + MS);
	assert_in_range(to->n_out, 1, 5);
	assert_int_equal(rig_counters(dp, PEER)->rx_frames, FRAMES);
	assert_int_equal(rig_counters(dp, PEER)->queued, FRAMES - to->n_out);
	rig_assert_accounted(dp);
	for (unsigned int i = 2; i < 120; i++)
		turn(dp, BEGIN_NS + i * MS);
	assert_int_equal(to->n_out, FRAMES);
	for (unsigned int i = 0; i < FRAMES; i++)
		assert_int_equal(to->out[i].bytes[14], i);
	assert_int_equal(rig_counters(dp, PEER)->rx_frames, FRAMES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(into_a_tunnel_frames_go_at_the_rate_of_the_peer),
		TEST(what_waits_for_a_segment_that_the_peer_has_left_does_not_go),
		TEST(out_of_a_tunnel_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
