/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/api/share.c: sums, limits and fairness for given and for random claims. */
#include "dataplane/api/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#define N_MAX 1000
#define M 1000000ULL
#define G 1000000000ULL

static struct share shares[N_MAX];
static unsigned int n_shares;

static struct share *add(uint64_t assured_bps, uint64_t ceiling_bps, uint64_t demand_bps,
			 uint32_t weight)
{
	struct share *share = &shares[n_shares++];

	*share = (struct share){.next = n_shares > 1 ? share - 1 : NULL,
				.assured_bps = assured_bps,
				.ceiling_bps = ceiling_bps,
				.demand_bps = demand_bps,
				.weight = weight};
	return share;
}

static uint64_t divide(uint64_t capacity_bps, int64_t owed_bps)
{
	uint64_t sum_bps = 0;

	share_out(capacity_bps, owed_bps, &shares[n_shares - 1]);
	for (unsigned int i = 0; i < n_shares; i++)
		sum_bps += shares[i].given_bps;
	return sum_bps;
}

static int set_up(void **state)
{
	n_shares = 0;
	return 0;
}

static void nobody_shares_nothing(void **state)
{
	share_out(G, 0, NULL);
}

static void one_alone_has_the_capacity_or_its_ceiling(void **state)
{
	struct share *share = add(0, 0, SHARE_ALL, 1);

	assert_in_range(divide(G, 0), G - 1, G);
	share->ceiling_bps = 10 * M;
	assert_int_equal(divide(G, 0), 10 * M);
	share->ceiling_bps = 2 * G;
	assert_in_range(divide(G, 0), G - 1, G);
}

static void spare_goes_by_weight_beyond_what_is_assured(void **state)
{
	struct share *one = add(100 * M, 0, SHARE_ALL, 1), *two = add(0, 0, SHARE_ALL, 2);
	struct share *four = add(200 * M, 0, SHARE_ALL, 4);

	assert_in_range(divide(G, 0), G - 10, G);
	assert_in_range(one->given_bps, 200 * M - 10, 200 * M);
	assert_in_range(two->given_bps, 200 * M - 10, 200 * M);
	assert_in_range(four->given_bps, 600 * M - 10, 600 * M);
}

static void what_one_may_not_or_will_not_have_is_the_others(void **state)
{
	struct share *held = add(0, 100 * M, SHARE_ALL, 10), *modest = add(500 * M, 0, 50 * M, 1);
	struct share *greedy = add(0, 0, SHARE_ALL, 1);

	assert_in_range(divide(G, 0), G - 10, G);
	assert_int_equal(held->given_bps, 100 * M);
	assert_int_equal(modest->given_bps, 50 * M);
	assert_in_range(greedy->given_bps, 850 * M - 10, 850 * M);
}

static void what_is_owed_is_taken_off_the_spare_alone(void **state)
{
	struct share *assured = add(900 * M, 0, SHARE_ALL, 1), *other = add(0, 0, SHARE_ALL, 1);

	assert_in_range(divide(G, 40 * (int64_t)M), 960 * M - 10, 960 * M);
	assert_in_range(other->given_bps, 30 * M - 5, 30 * M);
	divide(G, 500 * (int64_t)M);
	assert_int_equal(assured->given_bps, 900 * M);
	assert_int_equal(other->given_bps, 0);
	assert_in_range(divide(G, -20 * (int64_t)M), 1020 * M - 10, 1020 * M);
}

static void more_assured_than_there_is_is_scaled(void **state)
{
	struct share *one = add(900 * M, 0, SHARE_ALL, 1), *two = add(600 * M, 0, SHARE_ALL, 5);

	assert_in_range(divide(G, 0), G - 2, G);
	assert_int_equal(one->given_bps, 600 * M);
	assert_int_equal(two->given_bps, 400 * M);
	/* Whoever does not want it does not count. */
	two->demand_bps = 50 * M;
	divide(G, 0);
	assert_in_range(one->given_bps, 950 * M - 2, 950 * M);
}

/* Is it the one division that progressive filling gives? Everybody has what it is assured of,
 * nobody more than it may, nothing is left that somebody wants, and who has more for its weight
 * than another has that because it is assured, or because the other may not have more. */
static void assert_fair(uint64_t capacity_bps, uint64_t sum_bps)
{
	double level = 0;
	bool is_anybody_open = false;

	for (unsigned int i = 0; i < n_shares; i++) {
		struct share *s = &shares[i];
		uint64_t limit = s->ceiling_bps != 0 && s->ceiling_bps < capacity_bps
					 ? s->ceiling_bps
					 : capacity_bps;

		limit = s->demand_bps < limit ? s->demand_bps : limit;
		uint64_t assured = s->assured_bps < limit ? s->assured_bps : limit;
		double mine = (double)(s->given_bps - assured) / s->weight;

		assert_true(s->given_bps >= assured && s->given_bps <= limit);
		if (mine > level)
			level = mine;
	}
	for (unsigned int i = 0; i < n_shares; i++) {
		struct share *s = &shares[i];
		uint64_t limit = s->ceiling_bps != 0 && s->ceiling_bps < capacity_bps
					 ? s->ceiling_bps
					 : capacity_bps;

		limit = s->demand_bps < limit ? s->demand_bps : limit;
		if (s->given_bps == limit)
			continue;
		is_anybody_open = true;
		assert_true((double)(s->given_bps - s->assured_bps) / s->weight >= level - 2);
	}
	assert_true(sum_bps <= capacity_bps);
	if (is_anybody_open)
		assert_true(sum_bps + 2 * n_shares + capacity_bps / 1000000 >= capacity_bps);
}

static void any_claims_are_divided_fairly(void **state)
{
	srandom(1);
	for (unsigned int round = 0; round < 2000; round++) {
		uint64_t capacity_bps = 1000 + (uint64_t)random() % (400 * G), assured_bps;
		unsigned int n = 1 + (unsigned int)random() % 50;

		n_shares = 0;
		assured_bps = capacity_bps / n;
		for (unsigned int i = 0; i < n; i++) {
			uint64_t rate = random() % 2 != 0 ? (uint64_t)random() % assured_bps : 0;
			uint64_t ceiling = random() % 2 != 0 ? rate + (uint64_t)random() : 0;

			add(rate, ceiling, random() % 3 != 0 ? SHARE_ALL : (uint64_t)random(),
			    1 + (uint32_t)random() % 10000);
		}
		assert_fair(capacity_bps, divide(capacity_bps, 0));
	}
}

/* As many different limits as there are: each pass fills few. */
static void a_thousand_different_ceilings_are_no_harm(void **state)
{
	for (unsigned int i = 0; i < N_MAX; i++)
		add(0, 1000 + i * i, SHARE_ALL, 1);
	uint64_t sum_bps = divide(150 * M, 0);

	assert_true(sum_bps <= 150 * M && sum_bps >= 149 * M);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nobody_shares_nothing, set_up),
		cmocka_unit_test_setup(one_alone_has_the_capacity_or_its_ceiling, set_up),
		cmocka_unit_test_setup(spare_goes_by_weight_beyond_what_is_assured, set_up),
		cmocka_unit_test_setup(what_one_may_not_or_will_not_have_is_the_others, set_up),
		cmocka_unit_test_setup(what_is_owed_is_taken_off_the_spare_alone, set_up),
		cmocka_unit_test_setup(more_assured_than_there_is_is_scaled, set_up),
		cmocka_unit_test_setup(any_claims_are_divided_fairly, set_up),
		cmocka_unit_test_setup(a_thousand_different_ceilings_are_no_harm, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
