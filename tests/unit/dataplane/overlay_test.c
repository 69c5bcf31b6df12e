/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/overlay.c: what is put is found, what is taken away is not, and it is made
 * quickly enough to be made anew at each commit. */
#include "dataplane/overlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/txn.h"
#include "tests/unit/dataplane/tunnel_rig.h"

#define MANY_SEGMENTS 4000
#define MANY_PEERS 1000
#define FILL_MS_MAX 50 /* "a few" on an idle machine; CI is not */

static const struct overlay *overlay_of(const struct dataplane *dp)
{
	return atomic_load(&dp->overlay);
}

static uint16_t index_of(const struct dataplane *dp, uint64_t id)
{
	return port_find(dp, id)->index;
}

static void follows_every_commit(void **state)
{
	struct dataplane *dp = tunnel_rig_create(4);
	struct dp_address eleven = tunnel_rig_address(4, 11), twelve = tunnel_rig_address(4, 12);
	uint16_t uplink = index_of(dp, TUNNEL_RIG_UPLINK);

	assert_non_null(overlay_underlay(overlay_of(dp), uplink));
	assert_int_equal(overlay_peer(overlay_of(dp), 4, eleven.ip), 0);
	tunnel_rig_put_peer(dp, 4, 11, NULL);
	assert_int_equal(overlay_peer(overlay_of(dp), 4, eleven.ip), index_of(dp, 11));
	assert_int_equal(overlay_peer(overlay_of(dp), 6, eleven.ip), 0);
	rig_put_segment(dp, 7);
	assert_int_equal(overlay_segment(overlay_of(dp), 7), segment_find(dp, 7)->index);
	assert_int_equal(overlay_segment(overlay_of(dp), 8), 0);

	struct dp_segment segment = rig_segment(7);

	segment.vni = 8;
	rig_put_segment_spec(dp, &segment);
	assert_int_equal(overlay_segment(overlay_of(dp), 7), 0);
	assert_int_equal(overlay_segment(overlay_of(dp), 8), segment_find(dp, 7)->index);

	/* In place: the same peer at another address. */
	struct dp_port peer = tunnel_rig_peer(4, 11, NULL);

	peer.addresses[0] = twelve;
	rig_put_port_spec(dp, &peer);
	assert_int_equal(overlay_peer(overlay_of(dp), 4, eleven.ip), 0);
	assert_int_equal(overlay_peer(overlay_of(dp), 4, twelve.ip), index_of(dp, 11));
	rig_del_port(dp, 11);
	assert_int_equal(overlay_peer(overlay_of(dp), 4, twelve.ip), 0);
	rig_del_port(dp, TUNNEL_RIG_UPLINK);
	assert_null(overlay_of(dp));
	dataplane_destroy(dp);
}

static void uplinks_options_count(void **state)
{
	struct dataplane *dp = tunnel_rig_create(6);
	struct dp_port uplink = tunnel_rig_uplink(6);
	uint16_t index = index_of(dp, TUNNEL_RIG_UPLINK);

	assert_int_equal(overlay_underlay(overlay_of(dp), index)->rules.port, 4789);
	assert_false(overlay_underlay(overlay_of(dp), index)->rules.allows_ipv6_no_checksum);
	rig_set_port(&uplink, "zero_checksum6", "on");
	rig_put_port_spec(dp, &uplink);
	assert_int_equal(index_of(dp, TUNNEL_RIG_UPLINK), index);
	assert_true(overlay_underlay(overlay_of(dp), index)->rules.allows_ipv6_no_checksum);
	dataplane_destroy(dp);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* One transaction with all of them: what it costs without the overlay is not looked at. */
static struct dataplane *create_many(void)
{
	struct dataplane *dp = tunnel_rig_create(4);
	struct txn *txn = NULL;
	char why[DP_TEXT_BYTES] = "";

	assert_int_equal(txn_begin(dp, &txn), 0);
	for (uint32_t i = 1; i <= MANY_SEGMENTS; i++) {
		struct dp_segment segment = rig_segment(i);

		assert_int_equal(txn_put_segment(txn, &segment), 0);
	}
	for (uint32_t i = 0; i < MANY_PEERS; i++) {
		struct dp_port peer = tunnel_rig_peer(4, 1000 + i, NULL);

		peer.addresses[0].ip[2] = (uint8_t)(1 + i / 256);
		peer.addresses[0].ip[3] = (uint8_t)i;
		assert_int_equal(txn_put_port(txn, &peer, NULL, 0), 0);
	}
	if (txn_prepare(txn, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	txn_commit(txn);
	return dp;
}

static void many_are_found(void **state)
{
	struct dataplane *dp = create_many();
	const struct overlay *overlay = overlay_of(dp);

	for (uint32_t i = 1; i <= MANY_SEGMENTS; i++)
		assert_int_equal(overlay_segment(overlay, i), segment_find(dp, i)->index);
	assert_int_equal(overlay_segment(overlay, MANY_SEGMENTS + 1), 0);
	for (uint32_t i = 0; i < MANY_PEERS; i++) {
		struct dp_address vtep = port_find(dp, 1000 + i)->spec.addresses[0];

		assert_int_equal(overlay_peer(overlay, 4, vtep.ip), index_of(dp, 1000 + i));
	}
	dataplane_destroy(dp);
}

static void many_are_made_quickly(void **state)
{
	struct dataplane *dp = create_many();
	uint64_t best_ns = UINT64_MAX;

	for (int i = 0; i < 5; i++) {
		struct overlay *overlay = NULL;
		uint64_t start_ns = now_ns();

		assert_int_equal(overlay_create(MANY_SEGMENTS, MANY_PEERS, 1, 99, &overlay), 0);
		overlay_fill(overlay, dp);
		if (now_ns() - start_ns < best_ns)
			best_ns = now_ns() - start_ns;
		overlay_destroy(overlay);
	}
	print_message("%d segments, %d peers: %.2f ms\n", MANY_SEGMENTS, MANY_PEERS,
		      (double)best_ns / 1e6);
	assert_true(best_ns < FILL_MS_MAX * 1000000ULL);
	dataplane_destroy(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_every_commit),
		cmocka_unit_test(uplinks_options_count),
		cmocka_unit_test(many_are_found),
		cmocka_unit_test(many_are_made_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
