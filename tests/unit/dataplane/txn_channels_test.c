/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/txn_channels.c: pools, channels and loans come, change, go with all else. */
#include "dataplane/txn_channels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "dataplane/counters.h"
#include "tests/unit/dataplane/txn_channels_rig.h"

static struct channel *channel_of_port(const struct txn_rig *f, uint64_t id)
{
	return atomic_load(&port_find(f->dp, id)->channel);
}

static void put_port(struct txn_rig *f, uint64_t id, uint32_t segment, uint32_t channel)
{
	struct dp_port spec = rig_port_spec(id, segment);

	spec.channel_id = channel;
	rig_put_port_spec(f->dp, &spec);
}

static void put_segment(struct txn_rig *f, uint32_t id, uint32_t channel)
{
	struct dp_segment spec = rig_segment(id);

	spec.channel_id = channel;
	rig_put_segment_spec(f->dp, &spec);
}

/* --- whose --- */

static void a_port_has_its_own_channel_or_that_of_its_segment(void **state)
{
	struct txn_rig *f = *state;
	struct channel *own = channel_find(f->dp, GOLD), *shared = channel_find(f->dp, BRONZE);

	assert_ptr_equal(channel_of_port(f, 1), own);
	put_port(f, 2, BETA, 0);
	put_port(f, 3, BETA, FAR);
	put_port(f, 4, ALPHA, 0);
	put_port(f, 5, 0, 0);
	assert_ptr_equal(channel_of_port(f, 2), shared);
	assert_ptr_equal(channel_of_port(f, 3), channel_find(f->dp, FAR));
	assert_null(channel_of_port(f, 4));
	assert_null(channel_of_port(f, 5));
	/* In place, each of them. */
	struct port *port = port_find(f->dp, 2);

	put_port(f, 2, ALPHA, 0);
	assert_null(channel_of_port(f, 2));
	put_port(f, 2, ALPHA, GOLD);
	assert_ptr_equal(channel_of_port(f, 2), own);
	put_port(f, 2, BETA, 0);
	assert_ptr_equal(channel_of_port(f, 2), shared);
	assert_ptr_equal(port_find(f->dp, 2), port);
}

static void a_segment_takes_its_ports_to_another_channel(void **state)
{
	struct txn_rig *f = *state;

	put_port(f, 2, BETA, 0);
	put_port(f, 3, BETA, GOLD);
	put_segment(f, BETA, FAR);
	assert_ptr_equal(channel_of_port(f, 2), channel_find(f->dp, FAR));
	assert_ptr_equal(channel_of_port(f, 3), channel_find(f->dp, GOLD));
	put_segment(f, BETA, 0);
	assert_null(channel_of_port(f, 2));
	/* And none of it is of a segment that comes with its port in one change. */
	struct dp_segment gamma = rig_segment(3);
	struct dp_port port = rig_port_spec(4, 3);

	gamma.channel_id = BRONZE;
	txn_rig_begin(f);
	txn_rig_stage(f, &port);
	assert_int_equal(txn_put_segment(f->txn, &gamma), 0);
	txn_rig_commit(f);
	assert_ptr_equal(channel_of_port(f, 4), channel_find(f->dp, BRONZE));
}

static void a_trunk_has_a_channel_of_its_own_or_those_of_its_segments(void **state)
{
	struct txn_rig *f = *state;
	struct dp_port trunk = rig_port_spec(2, BETA);

	trunk.n_members = 2;
	trunk.members[1] = (struct dp_member){.segment_id = ALPHA, .vlan = 7};
	rig_put_port_spec(f->dp, &trunk);
	assert_null(channel_of_port(f, 2));
	assert_ptr_equal(atomic_load(&segment_find(f->dp, BETA)->channel),
			 channel_find(f->dp, BRONZE));
	trunk.channel_id = GOLD;
	rig_put_port_spec(f->dp, &trunk);
	assert_ptr_equal(channel_of_port(f, 2), channel_find(f->dp, GOLD));
}

/* --- changes --- */

static void all_comes_and_goes_in_one_change_in_any_order(void **state)
{
	struct txn_rig *f = *state;
	struct dp_pool pool = channel_rig_pool(3, G);
	struct dp_channel channel = channel_rig_channel(30, 3, 0, 0, 1);
	struct dp_port port = rig_port_spec(2, ALPHA);

	port.channel_id = 30;
	txn_rig_begin(f);
	txn_rig_stage(f, &port);
	assert_int_equal(txn_channels_put_channel(f->txn, &channel), 0);
	assert_int_equal(txn_channels_put_pool(f->txn, &pool), 0);
	txn_rig_commit(f);
	assert_ptr_equal(channel_of_port(f, 2), channel_find(f->dp, 30));
	assert_ptr_equal(atomic_load(&channel_find(f->dp, 30)->pool), pool_find(f->dp, 3));
	txn_rig_begin(f);
	assert_int_equal(txn_channels_del_pool(f->txn, 3), 0);
	assert_int_equal(txn_channels_del_channel(f->txn, 30), 0);
	assert_int_equal(txn_del_port(f->txn, 2), 0);
	txn_rig_commit(f);
	assert_null(channel_find(f->dp, 30));
	assert_null(pool_find(f->dp, 3));
}

static void what_is_there_changes_in_place_and_workers_are_told(void **state)
{
	struct txn_rig *f = *state;
	struct channel *channel = channel_find(f->dp, GOLD);
	struct dp_channel spec = channel_rig_channel(GOLD, WAN, 400 * M, 800 * M, 9);
	uint32_t epoch = atomic_load(&f->dp->channels_epoch);
	struct port *port = port_find(f->dp, 1);

	spec.account = DP_ACCOUNT_WIRE;
	spec.ways[DP_RX].target_us = 60000000;
	spec.ways[DP_RX].frames_per_s = 1000;
	spec.ways[DP_RX].burst_bytes = 9000;
	/* A loan keeps both in one pool. */
	txn_rig_begin(f);
	assert_int_equal(txn_channels_del_loan(f->txn, LOAN), 0);
	assert_int_equal(txn_channels_put_channel(f->txn, &spec), 0);
	txn_rig_commit(f);
	assert_ptr_equal(channel_find(f->dp, GOLD), channel);
	assert_ptr_equal(port_find(f->dp, 1), port);
	assert_ptr_equal(channel_of_port(f, 1), channel);
	assert_ptr_equal(atomic_load(&channel->pool), pool_find(f->dp, WAN));
	struct channel_way *way = &channel->ways[DP_RX];

	assert_int_equal(atomic_load(&way->assured_bps), 400 * M);
	assert_int_equal(atomic_load(&way->ceiling_bps), 800 * M);
	assert_int_equal(atomic_load(&way->weight), 9);
	assert_int_equal(atomic_load(&way->target_ns), 60 * SECOND);
	assert_int_equal(atomic_load(&way->frames_per_s), 1000);
	assert_int_equal(atomic_load(&way->burst_bytes), 9000);
	assert_int_equal(atomic_load(&way->frame_extra_bytes), 24);
	assert_true(atomic_load(&f->dp->channels_epoch) != epoch);
	/* A round puts the numbers into the buckets. */
	rig_turn(f->dp, 1);
	assert_int_equal(way->set_burst_bytes, 9000);
	channel_rig_put_pool(f->dp, WAN, 2 * G);
	assert_int_equal(atomic_load(&pool_find(f->dp, WAN)->capacity_bps[DP_TX]), 2 * G);
}

static void frames_pass_while_all_of_it_changes(void **state)
{
	struct txn_rig *f = *state;
	struct dp_channel spec = txn_channels_rig_gold();

	put_port(f, 2, ALPHA, BRONZE);
	for (uint32_t i = 0; i < 50; i++) {
		rig_send(f->dp, 1, 2, 1, 60, (uint8_t)i);
		spec.ways[DP_TX].weight = i + 1;
		spec.ways[DP_TX].ceiling_bps = G + i;
		channel_rig_put(f->dp, &spec);
		put_port(f, 2, ALPHA, i % 2 != 0 ? BRONZE : FAR);
		rig_turn(f->dp, i / 10 + 1);
	}
	assert_int_equal(rig_port(f->dp, 2)->n_out, 50);
	assert_int_equal(rig_assert_accounted(f->dp).tx_frames, 50);
}

static void a_deleted_channel_leaves_nothing_to_the_next_one_with_its_index(void **state)
{
	struct txn_rig *f = *state;
	struct channel *channel = channel_find(f->dp, LOOSE);
	uint16_t index = channel->index;

	counters_channel(f->dp->counters, index, 0, DP_RX)->drops = 7;
	channel_wake(&channel->ways[DP_TX]);
	txn_rig_begin(f);
	assert_int_equal(txn_channels_del_channel(f->txn, LOOSE), 0);
	txn_rig_commit(f);
	rig_turn(f->dp, 1);
	struct dp_channel spec = channel_rig_channel(14, HOST, 0, 0, 1);

	channel = channel_rig_put(f->dp, &spec);
	assert_int_equal(channel->index, index);
	assert_int_equal(counters_channel(f->dp->counters, index, 0, DP_RX)->drops, 0);
	rig_turn(f->dp, 2);
}

static void a_loan_may_end_by_itself_while_a_change_waits_for_its_commit(void **state)
{
	struct txn_rig *f = *state;

	loan_turn(f->dp, SECOND);
	txn_rig_begin(f);
	assert_int_equal(txn_channels_del_loan(f->txn, LOAN), 0);
	assert_int_equal(txn_rig_prepare(f), 0);
	loan_turn(f->dp, 100 * SECOND);
	assert_int_equal(f->dp->n_loans, 0);
	txn_commit(f->txn);
	f->txn = NULL;
	assert_int_equal(f->dp->n_loans, 0);
	assert_int_equal(atomic_load(&channel_find(f->dp, BRONZE)->ways[DP_TX].assured_bps),
			 50 * M);
}

static void a_thousand_channels_and_loans_come_at_once(void **state)
{
	struct txn_rig *f = *state;

	txn_rig_begin(f);
	for (uint32_t i = 0; i < 1000; i++) {
		struct dp_channel spec = channel_rig_channel(1000 + i, HOST, 0, 0, 1);
		struct dp_loan loan = txn_channels_rig_loan();

		loan.id = 1000 + i;
		loan.rate_bps = 1000;
		assert_int_equal(txn_channels_put_channel(f->txn, &spec), 0);
		assert_int_equal(txn_channels_put_loan(f->txn, &loan), 0);
	}
	txn_rig_commit(f);
	assert_int_equal(f->dp->n_loans, 1 + 1000);
	assert_int_equal(loan_find(f->dp, 1999)->spec.rate_bps, 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, txn_channels_rig_set_up, txn_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_port_has_its_own_channel_or_that_of_its_segment),
		TEST(a_segment_takes_its_ports_to_another_channel),
		TEST(a_trunk_has_a_channel_of_its_own_or_those_of_its_segments),
		TEST(all_comes_and_goes_in_one_change_in_any_order),
		TEST(what_is_there_changes_in_place_and_workers_are_told),
		TEST(frames_pass_while_all_of_it_changes),
		TEST(a_deleted_channel_leaves_nothing_to_the_next_one_with_its_index),
		TEST(a_loan_may_end_by_itself_while_a_change_waits_for_its_commit),
		TEST(a_thousand_channels_and_loans_come_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
