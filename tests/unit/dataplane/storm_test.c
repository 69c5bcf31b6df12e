/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/storm.c. */
#include "dataplane/storm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/txn.h"
#include "tests/unit/dataplane/rig.h"

#define ALPHA 1
#define MS 1000000ULL

/* Ports 1 and 2 in ALPHA; limits: of a port, of the segment. */
static struct dataplane *create(uint32_t port_pps, uint32_t segment_pps)
{
	struct dataplane *dp = rig_create(1);
	struct dp_segment segment = rig_segment(ALPHA);
	char why[DP_TEXT_BYTES];
	struct txn *txn = NULL;

	for (int i = 0; i < DP_STORM_KINDS; i++)
		segment.storm_pps[i] = segment_pps;
	assert_int_equal(txn_begin(dp, &txn), 0);
	txn_put_segment(txn, &segment);
	for (uint64_t id = 1; id <= 2; id++) {
		struct dp_port port = rig_port_spec(id, ALPHA);

		for (int i = 0; i < DP_STORM_KINDS; i++)
			port.storm_pps[i] = port_pps;
		txn_put_port(txn, &port, NULL, 0);
	}
	assert_int_equal(txn_prepare(txn, why, sizeof(why)), 0);
	txn_commit(txn);
	return dp;
}

/* A burst of n floods of a kind through the stage. Returns how many live. */
static unsigned int flood(struct dataplane *dp, uint64_t port_id, enum dp_storm kind,
			  uint64_t now_ns, unsigned int n, enum drop_reason reason)
{
	static struct burst burst;
	unsigned int alive = 0;

	burst = (struct burst){.now_ns = now_ns, .n_flooded = n};
	for (unsigned int i = 0; i < n; i++) {
		struct frame *frame = rig_add_frame(
			&burst, kind == DP_STORM_BROADCAST ? RIG_BROADCAST : 60, 50, 64);

		if (kind == DP_STORM_MULTICAST)
			frame->head[0] |= 1;
		frame->segment = ALPHA;
		frame->out = FRAME_OUT_FLOOD;
	}
	storm_burst(dp, port_find(dp, port_id), &burst);
	for (unsigned int i = 0; i < n; i++) {
		alive += burst.frames[i].drop == DROP_NONE;
		if (burst.frames[i].drop != DROP_NONE)
			assert_int_equal(burst.frames[i].drop, reason);
	}
	return alive;
}

static unsigned int flood_for_a_second(struct dataplane *dp, uint64_t port_id, enum dp_storm kind,
				       uint64_t from_ms, enum drop_reason reason)
{
	unsigned int alive = 0;

	for (uint64_t ms = 0; ms < 1000; ms++)
		alive += flood(dp, port_id, kind, (from_ms + ms) * MS, 50, reason);
	return alive;
}

static void each_kind_has_its_own_limit_and_reason(void **state)
{
	static const enum drop_reason reasons[] = {DROP_STORM_BROADCAST, DROP_STORM_MULTICAST,
						   DROP_STORM_UNKNOWN};
	struct dataplane *dp = create(1000, 0);

	for (unsigned int kind = 0; kind < DP_STORM_KINDS; kind++) {
		unsigned int alive =
			flood_for_a_second(dp, 1, (enum dp_storm)kind, 5000, reasons[kind]);

		/* A second's worth and a burst of a tenth of it. */
		assert_in_range(alive, 1000, 1100);
	}
	dataplane_destroy(dp);
}

static void ports_do_not_share_their_limit(void **state)
{
	struct dataplane *dp = create(1000, 0);

	flood_for_a_second(dp, 1, DP_STORM_BROADCAST, 5000, DROP_STORM_BROADCAST);
	assert_int_equal(flood(dp, 2, DP_STORM_BROADCAST, 6000 * MS, 50, DROP_NONE), 50);
	dataplane_destroy(dp);
}

static void the_segment_limits_the_sum(void **state)
{
	struct dataplane *dp = create(0, 2000);
	unsigned int alive = 0;

	for (uint64_t ms = 0; ms < 1000; ms++) {
		for (uint64_t id = 1; id <= 2; id++)
			alive += flood(dp, id, DP_STORM_UNKNOWN, (5000 + ms) * MS, 20,
				       DROP_STORM_SEGMENT);
	}
	assert_in_range(alive, 2000, 2200);
	dataplane_destroy(dp);
}

static void a_port_beyond_its_limit_takes_nothing_of_the_segments(void **state)
{
	struct dataplane *dp = create(1000, 1200);

	flood_for_a_second(dp, 1, DP_STORM_BROADCAST, 5000, DROP_STORM_BROADCAST);
	assert_int_equal(flood(dp, 2, DP_STORM_BROADCAST, 6000 * MS, 50, DROP_NONE), 50);
	dataplane_destroy(dp);
}

static void known_unicast_is_not_counted(void **state)
{
	struct dataplane *dp = create(1, 1);
	static struct burst burst;

	burst = (struct burst){.now_ns = 5000 * MS, .n_flooded = 1};
	for (unsigned int i = 0; i < 64; i++) {
		struct frame *frame = rig_add_frame(&burst, 60, 50, 64);

		frame->segment = ALPHA;
		frame->out = i == 0 ? FRAME_OUT_FLOOD : 2;
	}
	storm_burst(dp, port_find(dp, 1), &burst);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(burst.frames[i].drop, DROP_NONE);
	assert_int_equal(flood(dp, 1, DP_STORM_UNKNOWN, 5000 * MS, 64, DROP_STORM_UNKNOWN), 63);
	dataplane_destroy(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_own_limit_and_reason),
		cmocka_unit_test(ports_do_not_share_their_limit),
		cmocka_unit_test(the_segment_limits_the_sum),
		cmocka_unit_test(a_port_beyond_its_limit_takes_nothing_of_the_segments),
		cmocka_unit_test(known_unicast_is_not_counted),
	};

	return cmocka_run_group_tests_name("storm", tests, NULL, NULL);
}
