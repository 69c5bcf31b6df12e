/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles of counted delays, worked out by hand. */
#include "control/delays.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void buckets_are_four_to_each_power_of_two_of_microseconds(void **state)
{
	static const uint64_t begin_ns[] = {0,	  1250, 1500, 1750, 2000, 2500,
					    3000, 3500, 4000, 5000, 6000, 7000};

	for (unsigned int i = 0; i < sizeof(begin_ns) / sizeof(begin_ns[0]); i++)
		assert_int_equal(delays_begin_ns(i), begin_ns[i]);
	assert_int_equal(delays_begin_ns(40), 1024000);
	assert_int_equal(delays_begin_ns(COUNTERS_DELAYS), 16777216000);
}

static void quantiles_lie_in_their_bucket_in_proportion(void **state)
{
	uint64_t counts[COUNTERS_DELAYS] = {0};

	assert_int_equal(delays_quantile_ns(counts, 500), 0);
	/* 100 from 1024 to 1280 us. */
	counts[40] = 100;
	assert_int_equal(delays_quantile_ns(counts, 500), 1152000);
	assert_int_equal(delays_quantile_ns(counts, 990), 1277440);
	assert_int_equal(delays_quantile_ns(counts, 1000), 1280000);
	/* And 300 below 1.25 us: the middle is the 200th of them. */
	counts[0] = 300;
	assert_int_equal(delays_quantile_ns(counts, 500), 833);
	assert_int_equal(delays_quantile_ns(counts, 750), 1250);
	assert_int_equal(delays_quantile_ns(counts, 990), 1269760);
}

static void the_last_bucket_ends_where_it_is_drawn_to(void **state)
{
	uint64_t counts[COUNTERS_DELAYS] = {0};

	counts[COUNTERS_DELAYS - 1] = UINT64_MAX / 2;
	assert_int_equal(delays_quantile_ns(counts, 1000), 16777216000);
	assert_in_range(delays_quantile_ns(counts, 1), 14680064000, 14690000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_four_to_each_power_of_two_of_microseconds),
		cmocka_unit_test(quantiles_lie_in_their_bucket_in_proportion),
		cmocka_unit_test(the_last_bucket_ends_where_it_is_drawn_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
