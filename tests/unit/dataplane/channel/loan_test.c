/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/loan.c: who is assured of what while a loan runs, and its end. */
#include "dataplane/channel/loan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/txn.h"
#include "dataplane/txn_channels.h"
#include "tests/unit/dataplane/channel/channel_rig.h"

#define HOST 1
#define GOLD 10
#define BRONZE 11
#define LOAN 20
#define TX (1u << DP_TX)
#define BOTH (1u << DP_TX | 1u << DP_RX)

static int set_up(void **state)
{
	struct dataplane *dp = rig_create(1);
	struct dp_channel gold = channel_rig_channel(GOLD, HOST, 500 * M, 0, 1);
	struct dp_channel bronze = channel_rig_channel(BRONZE, HOST, 50 * M, 100 * M, 1);

	channel_rig_put_pool(dp, HOST, G);
	channel_rig_put(dp, &gold);
	channel_rig_put(dp, &bronze);
	*state = dp;
	return 0;
}

static int tear_down(void **state)
{
	dataplane_destroy(*state);
	return 0;
}

static struct dp_loan loan_of(uint32_t id, uint64_t rate_bps, uint32_t ways, uint64_t ms)
{
	return (struct dp_loan){.id = id,
				.from_id = GOLD,
				.to_id = BRONZE,
				.ways = ways,
				.rate_bps = rate_bps,
				.remaining_ms = ms};
}

static void change(struct dataplane *dp, const struct dp_loan *put, uint32_t delete)
{
	char why[DP_TEXT_BYTES] = "";
	struct txn *txn;

	assert_int_equal(txn_begin(dp, &txn), 0);
	if (put != NULL)
		assert_int_equal(txn_channels_put_loan(txn, put), 0);
	if (delete != 0)
		assert_int_equal(txn_channels_del_loan(txn, delete), 0);
	if (txn_prepare(txn, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	txn_commit(txn);
}

static void assert_assured(struct dataplane *dp, uint32_t id, enum dp_way way, uint64_t assured_bps,
			   uint64_t ceiling_bps)
{
	const struct channel_way *is = &channel_find(dp, id)->ways[way];

	assert_int_equal(atomic_load(&is->assured_bps), assured_bps);
	assert_int_equal(atomic_load(&is->ceiling_bps), ceiling_bps);
}

static void assert_nothing_lent(struct dataplane *dp)
{
	for (unsigned int way = 0; way < DP_WAYS; way++) {
		assert_assured(dp, GOLD, way, 500 * M, 0);
		assert_assured(dp, BRONZE, way, 50 * M, 100 * M);
	}
	assert_int_equal(dp->n_loans, 0);
}

static void a_loan_moves_what_is_assured_and_raises_the_ceiling(void **state)
{
	struct dataplane *dp = *state;
	struct dp_loan loan = loan_of(LOAN, 400 * M, TX, 1000);

	change(dp, &loan, 0);
	assert_assured(dp, GOLD, DP_TX, 100 * M, 0);
	assert_assured(dp, BRONZE, DP_TX, 450 * M, 450 * M);
	/* The other way is as it was. */
	assert_assured(dp, GOLD, DP_RX, 500 * M, 0);
	assert_assured(dp, BRONZE, DP_RX, 50 * M, 100 * M);
}

static void it_ends_by_itself_when_its_time_is_over(void **state)
{
	struct dataplane *dp = *state;
	struct dp_loan loan = loan_of(LOAN, 400 * M, BOTH, 1000);
	uint32_t epoch;

	change(dp, &loan, 0);
	dataplane_turn(dp, SECOND);
	assert_int_equal(loan_remaining_ms(loan_find(dp, LOAN), SECOND), 1000);
	assert_int_equal(loan_remaining_ms(loan_find(dp, LOAN), SECOND + 900 * MS + 1), 100);
	dataplane_turn(dp, 2 * SECOND - 1);
	assert_assured(dp, GOLD, DP_RX, 100 * M, 0);
	epoch = atomic_load(&dp->channels_epoch);
	dataplane_turn(dp, 2 * SECOND);
	assert_nothing_lent(dp);
	assert_null(loan_find(dp, LOAN));
	assert_true(atomic_load(&dp->channels_epoch) != epoch);
	/* Nothing more happens. */
	epoch = atomic_load(&dp->channels_epoch);
	dataplane_turn(dp, 3 * SECOND);
	assert_int_equal(atomic_load(&dp->channels_epoch), epoch);
}

static void it_is_called_back(void **state)
{
	struct dataplane *dp = *state;
	struct dp_loan loan = loan_of(LOAN, 400 * M, BOTH, 1000);

	change(dp, &loan, 0);
	dataplane_turn(dp, SECOND);
	change(dp, NULL, LOAN);
	assert_nothing_lent(dp);
	dataplane_turn(dp, 5 * SECOND);
	assert_nothing_lent(dp);
	/* One that has ended is called back in vain, not in error. */
	change(dp, NULL, LOAN);
}

static void the_same_loan_again_is_in_place_of_the_first(void **state)
{
	struct dataplane *dp = *state;
	struct dp_loan loan = loan_of(LOAN, 400 * M, BOTH, 1000);

	change(dp, &loan, 0);
	dataplane_turn(dp, SECOND);
	loan = loan_of(LOAN, 100 * M, TX, 500);
	change(dp, &loan, 0);
	assert_assured(dp, GOLD, DP_TX, 400 * M, 0);
	assert_assured(dp, BRONZE, DP_TX, 150 * M, 150 * M);
	assert_assured(dp, GOLD, DP_RX, 500 * M, 0);
	dataplane_turn(dp, SECOND + 400 * MS);
	dataplane_turn(dp, SECOND + 899 * MS);
	assert_int_equal(dp->n_loans, 1);
	dataplane_turn(dp, SECOND + 900 * MS);
	assert_nothing_lent(dp);
}

static void several_loans_add_up_and_end_each_at_its_time(void **state)
{
	struct dataplane *dp = *state;
	struct dp_loan first = loan_of(LOAN, 200 * M, TX, 2000);
	struct dp_loan second = loan_of(LOAN + LOANS_BY_ID, 300 * M, TX, 1000);

	change(dp, &first, 0);
	dataplane_turn(dp, SECOND);
	change(dp, &second, 0);
	dataplane_turn(dp, SECOND);
	assert_assured(dp, GOLD, DP_TX, 0, 0);
	assert_assured(dp, BRONZE, DP_TX, 550 * M, 550 * M);
	dataplane_turn(dp, 2 * SECOND);
	assert_assured(dp, GOLD, DP_TX, 300 * M, 0);
	assert_assured(dp, BRONZE, DP_TX, 250 * M, 250 * M);
	dataplane_turn(dp, 3 * SECOND);
	assert_nothing_lent(dp);
}

static void a_channel_changes_while_it_lends(void **state)
{
	struct dataplane *dp = *state;
	struct dp_loan loan = loan_of(LOAN, 400 * M, TX, 1000);
	struct dp_channel gold = channel_rig_channel(GOLD, HOST, 600 * M, 700 * M, 1);
	struct dp_channel bronze = channel_rig_channel(BRONZE, HOST, 60 * M, 900 * M, 1);

	change(dp, &loan, 0);
	channel_rig_put(dp, &gold);
	channel_rig_put(dp, &bronze);
	assert_assured(dp, GOLD, DP_TX, 200 * M, 700 * M);
	assert_assured(dp, BRONZE, DP_TX, 460 * M, 900 * M);
	dataplane_turn(dp, SECOND);
	dataplane_turn(dp, 3 * SECOND);
	assert_assured(dp, GOLD, DP_TX, 600 * M, 700 * M);
	assert_assured(dp, BRONZE, DP_TX, 60 * M, 900 * M);
}

static void the_loan_is_what_passes_under_load(void **state)
{
	struct dataplane *dp = *state;
	struct dp_loan loan = loan_of(LOAN, 400 * M, TX, 1000);
	struct dp_channel rest = channel_rig_channel(12, HOST, 450 * M, 0, 1);
	uint64_t now_ns = SECOND;

	channel_rig_put(dp, &rest);
	struct source sources[] = {channel_rig_source(dp, GOLD, UINT64_MAX),
				   channel_rig_source(dp, BRONZE, UINT64_MAX),
				   channel_rig_source(dp, 12, UINT64_MAX)};

	channel_rig_run(dp, sources, 3, &now_ns, 20 * MS);
	change(dp, &loan, 0);
	dataplane_turn(dp, now_ns);
	channel_rig_reset(sources, 3);
	channel_rig_run(dp, sources, 3, &now_ns, 10 * MS);
	assert_in_range(channel_rig_bps(&sources[0], 10 * MS), 98 * M, 103 * M);
	assert_in_range(channel_rig_bps(&sources[1], 10 * MS), 441 * M, 456 * M);
	assert_in_range(channel_rig_bps(&sources[2], 10 * MS), 441 * M, 456 * M);
	dataplane_turn(dp, now_ns + SECOND);
	channel_rig_reset(sources, 3);
	channel_rig_run(dp, sources, 3, &now_ns, 10 * MS);
	assert_in_range(channel_rig_bps(&sources[0], 10 * MS), 490 * M, 506 * M);
	assert_in_range(channel_rig_bps(&sources[1], 10 * MS), 48 * M, 53 * M);
}

static void a_dataplane_ends_with_a_loan_under_way(void **state)
{
	struct dp_loan loan = loan_of(LOAN, 400 * M, TX, 1000);

	/* What it leaves the sanitizer sees. */
	change(*state, &loan, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_loan_moves_what_is_assured_and_raises_the_ceiling),
		TEST(it_ends_by_itself_when_its_time_is_over),
		TEST(it_is_called_back),
		TEST(the_same_loan_again_is_in_place_of_the_first),
		TEST(several_loans_add_up_and_end_each_at_its_time),
		TEST(a_channel_changes_while_it_lends),
		TEST(the_loan_is_what_passes_under_load),
		TEST(a_dataplane_ends_with_a_loan_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
