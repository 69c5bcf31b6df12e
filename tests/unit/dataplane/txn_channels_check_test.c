/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/txn_channels_check.c: what is refused and why, and that it changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dataplane/channel/loan.h"
#include "dataplane/txn_channels.h"
#include "tests/unit/dataplane/txn_channels_rig.h"

static void stage_channel(struct txn_rig *f, const struct dp_channel *spec)
{
	assert_int_equal(txn_channels_put_channel(f->txn, spec), 0);
}

static void stage_loan(struct txn_rig *f, const struct dp_loan *spec)
{
	assert_int_equal(txn_channels_put_loan(f->txn, spec), 0);
}

static void stage_unknown_pool(struct txn_rig *f)
{
	struct dp_channel spec = channel_rig_channel(30, 77, 0, 0, 1);

	stage_channel(f, &spec);
}

static void stage_pool_in_use(struct txn_rig *f)
{
	assert_int_equal(txn_channels_del_pool(f->txn, WAN), 0);
}

static void stage_channel_of_a_port_deleted(struct txn_rig *f)
{
	assert_int_equal(txn_channels_del_loan(f->txn, LOAN), 0);
	assert_int_equal(txn_channels_del_channel(f->txn, GOLD), 0);
}

static void stage_channel_of_a_segment_deleted(struct txn_rig *f)
{
	assert_int_equal(txn_channels_del_loan(f->txn, LOAN), 0);
	assert_int_equal(txn_channels_del_channel(f->txn, BRONZE), 0);
}

static void stage_port_of_no_channel(struct txn_rig *f)
{
	struct dp_port spec = rig_port_spec(9, ALPHA);

	spec.channel_id = 77;
	txn_rig_stage(f, &spec);
}

static void stage_port_of_a_deleted_channel(struct txn_rig *f)
{
	struct dp_port spec = rig_port_spec(9, ALPHA);

	spec.channel_id = LOOSE;
	txn_rig_stage(f, &spec);
	assert_int_equal(txn_channels_del_channel(f->txn, LOOSE), 0);
}

static void stage_segment_of_no_channel(struct txn_rig *f)
{
	struct dp_segment spec = rig_segment(ALPHA);

	spec.channel_id = 77;
	assert_int_equal(txn_put_segment(f->txn, &spec), 0);
}

static void stage_pool_twice(struct txn_rig *f)
{
	struct dp_pool spec = channel_rig_pool(30, G);

	assert_int_equal(txn_channels_put_pool(f->txn, &spec), 0);
	assert_int_equal(txn_channels_del_pool(f->txn, 30), 0);
}

static void stage_channel_twice(struct txn_rig *f)
{
	struct dp_channel spec = txn_channels_rig_gold();

	stage_channel(f, &spec);
	stage_channel(f, &spec);
}

static void stage_loan_twice(struct txn_rig *f)
{
	assert_int_equal(txn_channels_del_loan(f->txn, LOAN), 0);
	assert_int_equal(txn_channels_del_loan(f->txn, LOAN), 0);
}

static void stage_loan_of_nobody(struct txn_rig *f)
{
	struct dp_loan loan = txn_channels_rig_loan();

	loan.from_id = 77;
	stage_loan(f, &loan);
}

static void stage_loan_to_nobody(struct txn_rig *f)
{
	struct dp_loan loan = txn_channels_rig_loan();

	loan.to_id = 77;
	stage_loan(f, &loan);
}

static void stage_loan_between_pools(struct txn_rig *f)
{
	struct dp_loan loan = txn_channels_rig_loan();

	loan.to_id = FAR;
	stage_loan(f, &loan);
}

static void stage_loan_without_a_pool(struct txn_rig *f)
{
	struct dp_loan loan = txn_channels_rig_loan();

	loan.from_id = LOOSE;
	stage_loan(f, &loan);
}

static void stage_loan_of_too_much(struct txn_rig *f)
{
	struct dp_loan loan = txn_channels_rig_loan();

	/* 300M of 500M are lent already. */
	loan.rate_bps = 201 * M;
	stage_loan(f, &loan);
}

static void stage_loan_of_what_is_borrowed(struct txn_rig *f)
{
	struct dp_loan loan = txn_channels_rig_loan();

	/* BRONZE has 50M, and 300M of GOLD. */
	loan.from_id = BRONZE;
	loan.to_id = GOLD;
	stage_loan(f, &loan);
}

static void stage_lender_with_less(struct txn_rig *f)
{
	struct dp_channel spec = txn_channels_rig_gold();

	spec.ways[DP_TX].assured_bps = 299 * M;
	stage_channel(f, &spec);
}

static void stage_borrower_leaves_the_pool(struct txn_rig *f)
{
	struct dp_channel spec = channel_rig_channel(BRONZE, WAN, 50 * M, 0, 1);

	stage_channel(f, &spec);
}

static void stage_borrower_deleted(struct txn_rig *f)
{
	struct dp_segment beta = rig_segment(BETA);

	assert_int_equal(txn_put_segment(f->txn, &beta), 0);
	assert_int_equal(txn_channels_del_channel(f->txn, BRONZE), 0);
}

static void stage_too_many_pools(struct txn_rig *f)
{
	for (uint32_t i = 0; i < POOLS_MAX; i++) {
		struct dp_pool spec = channel_rig_pool(1000 + i, G);

		assert_int_equal(txn_channels_put_pool(f->txn, &spec), 0);
	}
}

static void stage_too_many_channels(struct txn_rig *f)
{
	for (uint32_t i = 0; i < CHANNELS_MAX; i++) {
		struct dp_channel spec = channel_rig_channel(1000 + i, HOST, 0, 0, 1);

		stage_channel(f, &spec);
	}
}

static void stage_too_many_loans(struct txn_rig *f)
{
	for (uint32_t i = 0; i < LOANS_MAX; i++) {
		struct dp_loan loan = txn_channels_rig_loan();

		loan.id = 1000 + i;
		loan.rate_bps = 1000;
		stage_loan(f, &loan);
	}
}

static void stage_port_that_cannot_be_prepared(struct txn_rig *f)
{
	struct dp_port spec = rig_port_spec(9, ALPHA);

	strcpy(spec.vm, RIG_CANNOT_PREPARE);
	txn_rig_stage(f, &spec);
}

static const struct refusal {
	void (*add)(struct txn_rig *f);
	int error;
	const char *why;
} refusals[] = {
	{stage_unknown_pool, -ENOENT, "channel channel30: its pool does not exist"},
	{stage_pool_in_use, -EBUSY, "channel channel12 is in a pool that is to go"},
	{stage_channel_of_a_port_deleted, -EBUSY, "port p1 uses a channel that is to go"},
	{stage_channel_of_a_segment_deleted, -EBUSY, "uses a channel that is to go"},
	{stage_port_of_no_channel, -ENOENT, "port p9: its channel does not exist"},
	{stage_port_of_a_deleted_channel, -ENOENT, "port p9: its channel does not exist"},
	{stage_segment_of_no_channel, -ENOENT, "its channel does not exist"},
	{stage_pool_twice, -EEXIST, "twice"},
	{stage_channel_twice, -EEXIST, "twice"},
	{stage_loan_twice, -EEXIST, "twice"},
	{stage_loan_of_nobody, -ENOENT, "its lender does not exist"},
	{stage_loan_to_nobody, -ENOENT, "who borrows does not exist"},
	{stage_loan_between_pools, -EINVAL, "channel10 and channel12 do not share a pool"},
	{stage_loan_without_a_pool, -EINVAL, "do not share a pool"},
	{stage_loan_of_too_much, -ERANGE,
	 "channel channel10 lends 501000000 bit/s tx, but is assured of 500000000 only"},
	{stage_loan_of_what_is_borrowed, -ERANGE, "channel channel11 lends"},
	{stage_lender_with_less, -ERANGE, "channel channel10 lends 300000000 bit/s tx"},
	{stage_borrower_leaves_the_pool, -EINVAL, "do not share a pool"},
	{stage_borrower_deleted, -ENOENT, "is to go: end the loan first"},
	{stage_too_many_pools, -ENOSPC, "255 of them, the maximum"},
	{stage_too_many_channels, -ENOSPC, "16383 of them, the maximum"},
	{stage_too_many_loans, -ENOSPC, "4096 of them, the maximum"},
	{stage_port_that_cannot_be_prepared, -EIO, "port p9: cannot be prepared"},
};

/* What would be good: one of each that is new, and a change of each that is there. */
static void stage_good_changes(struct txn_rig *f)
{
	struct dp_pool fresh = channel_rig_pool(40, G), host = channel_rig_pool(HOST, 2 * G);
	struct dp_channel channel = channel_rig_channel(41, 40, 10 * M, 20 * M, 3);
	struct dp_loan loan = txn_channels_rig_loan();

	loan.id = 42;
	loan.rate_bps = 1000;
	loan.ways = 2;
	assert_int_equal(txn_channels_put_pool(f->txn, &fresh), 0);
	assert_int_equal(txn_channels_put_pool(f->txn, &host), 0);
	stage_channel(f, &channel);
	stage_loan(f, &loan);
}

static void what_is_refused_changes_nothing_at_all(void **state)
{
	struct txn_rig *f = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct txn_rig_snapshot *before = txn_rig_snapshot(f);

		txn_rig_begin(f);
		stage_good_changes(f);
		refusals[i].add(f);
		txn_rig_assert_refused(f, before, refusals[i].error, refusals[i].why);
	}
}

/* What one message must not say; everything else of it is good. */
static const struct field {
	const char *why;
	size_t offset, bytes;
	uint64_t value;
} pool_fields[] =
	{
#define FIELD(type, member, value, why)                                                            \
	{                                                                                          \
		why, offsetof(struct type, member), sizeof(((struct type *)0)->member), value      \
	}
		FIELD(dp_pool, id, 0, "pool without an id"),
		FIELD(dp_pool, name[0], 0, "pool without a name"),
		FIELD(dp_pool, capacity_bps[0], 0, "impossible capacity"),
		FIELD(dp_pool, capacity_bps[1], DP_RATE_BPS_MIN - 1, "impossible capacity"),
		FIELD(dp_pool, capacity_bps[1], DP_RATE_BPS_MAX + 1, "impossible capacity"),
		FIELD(dp_pool, capacity_bps[0], UINT64_MAX, "impossible capacity"),
},
  channel_fields[] =
	  {
		  FIELD(dp_channel, id, 0, "channel without an id"),
		  FIELD(dp_channel, name[0], 0, "channel without a name"),
		  FIELD(dp_channel, account, 2, "unknown account"),
		  FIELD(dp_channel, ways[0].assured_bps, DP_RATE_BPS_MIN - 1, "impossible rate"),
		  FIELD(dp_channel, ways[1].assured_bps, DP_RATE_BPS_MAX + 1, "impossible rate"),
		  FIELD(dp_channel, ways[0].ceiling_bps, DP_RATE_BPS_MIN - 1, "impossible ceiling"),
		  FIELD(dp_channel, ways[0].ceiling_bps, UINT64_MAX, "impossible ceiling"),
		  FIELD(dp_channel, ways[1].ceiling_bps, 10 * M - 1,
			"ceiling below what it is assured of"),
		  FIELD(dp_channel, ways[1].weight, 0, "impossible weight"),
		  FIELD(dp_channel, ways[0].weight, DP_WEIGHT_MAX + 1, "impossible weight"),
		  FIELD(dp_channel, ways[0].burst_bytes, DP_BURST_BYTES_MAX + 1,
			"impossible burst"),
		  FIELD(dp_channel, ways[0].target_us, 0, "impossible latency"),
		  FIELD(dp_channel, ways[0].target_us, DP_TARGET_US_MAX + 1, "impossible latency"),
		  FIELD(dp_channel, ways[1].frames_per_s, DP_FRAMES_PER_S_MAX + 1,
			"limit of frames"),
},
  loan_fields[] = {
	  FIELD(dp_loan, id, 0, "loan without an id"),
	  FIELD(dp_loan, ways, 0, "loan of no way"),
	  FIELD(dp_loan, ways, 4, "unknown one"),
	  FIELD(dp_loan, rate_bps, 0, "impossible rate"),
	  FIELD(dp_loan, rate_bps, UINT64_MAX, "impossible rate"),
	  FIELD(dp_loan, remaining_ms, 0, "impossible time"),
	  FIELD(dp_loan, remaining_ms, UINT64_MAX, "impossible time"),
	  FIELD(dp_loan, to_id, GOLD, "to itself"),
#undef FIELD
};

static void spoil(void *message, const struct field *field)
{
	memcpy((char *)message + field->offset, &field->value, field->bytes);
}

static void a_message_with_one_bad_field_is_refused(void **state)
{
	struct txn_rig *f = *state;
	const size_t n_pool = sizeof(pool_fields) / sizeof(pool_fields[0]);
	const size_t n_channel = sizeof(channel_fields) / sizeof(channel_fields[0]);
	const size_t n_loan = sizeof(loan_fields) / sizeof(loan_fields[0]);

	for (size_t i = 0; i < n_pool + n_channel + n_loan; i++) {
		struct txn_rig_snapshot *before = txn_rig_snapshot(f);
		struct dp_pool pool = channel_rig_pool(30, G);
		struct dp_channel channel = channel_rig_channel(31, HOST, 10 * M, 20 * M, 1);
		struct dp_loan loan = txn_channels_rig_loan();
		const struct field *field = i < n_pool ? &pool_fields[i]
					    : i < n_pool + n_channel
						    ? &channel_fields[i - n_pool]
						    : &loan_fields[i - n_pool - n_channel];

		if (i < n_pool)
			spoil(&pool, field);
		else if (i < n_pool + n_channel)
			spoil(&channel, field);
		else
			spoil(&loan, field);
		txn_rig_begin(f);
		stage_good_changes(f);
		assert_int_equal(txn_channels_put_pool(f->txn, &pool), 0);
		stage_channel(f, &channel);
		stage_loan(f, &loan);
		txn_rig_assert_refused(f, before, -EINVAL, field->why);
	}
}

static void names_without_an_end_are_refused(void **state)
{
	struct txn_rig *f = *state;
	struct dp_pool pool = channel_rig_pool(30, G);
	struct dp_channel channel = txn_channels_rig_gold();

	memset(pool.name, 'x', sizeof(pool.name));
	memset(channel.name, 'x', sizeof(channel.name));
	struct txn_rig_snapshot *before = txn_rig_snapshot(f);

	txn_rig_begin(f);
	assert_int_equal(txn_channels_put_pool(f->txn, &pool), 0);
	txn_rig_assert_refused(f, before, -EINVAL, "pool without a name");
	before = txn_rig_snapshot(f);
	txn_rig_begin(f);
	stage_channel(f, &channel);
	txn_rig_assert_refused(f, before, -EINVAL, "channel without a name");
}

static void what_is_prepared_and_given_up_leaves_nothing(void **state)
{
	struct txn_rig *f = *state;
	struct txn_rig_snapshot *before = txn_rig_snapshot(f);

	txn_rig_begin(f);
	stage_good_changes(f);
	if (txn_rig_prepare(f) != 0)
		fail_msg("%s", f->why);
	txn_abort(f->txn);
	f->txn = NULL;
	txn_rig_assert_unchanged(f, before);
}

static void what_is_not_there_is_deleted_without_a_fault(void **state)
{
	struct txn_rig *f = *state;

	txn_rig_begin(f);
	assert_int_equal(txn_channels_del_pool(f->txn, 77), 0);
	assert_int_equal(txn_channels_del_channel(f->txn, 77), 0);
	assert_int_equal(txn_channels_del_loan(f->txn, 77), 0);
	txn_rig_commit(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, txn_channels_rig_set_up, txn_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_refused_changes_nothing_at_all),
		TEST(a_message_with_one_bad_field_is_refused),
		TEST(names_without_an_end_are_refused),
		TEST(what_is_prepared_and_given_up_leaves_nothing),
		TEST(what_is_not_there_is_deleted_without_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
