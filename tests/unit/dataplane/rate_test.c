/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/rate.h. */
#include "dataplane/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS 1000000ULL
#define S 1000000000ULL

static unsigned int take_many(struct rate *rate, uint64_t now_ns, unsigned int n)
{
	unsigned int taken = 0;

	for (unsigned int i = 0; i < n; i++)
		taken += rate_take(rate, now_ns);
	return taken;
}

static void a_new_bucket_gives_a_burst_whatever_the_clock_says(void **state)
{
	static const uint64_t clocks_ns[] = {0, 1, S, 1000000 * S};

	for (unsigned int i = 0; i < 4; i++) {
		struct rate rate;

		rate_init(&rate, 1000, 50);
		assert_int_equal(take_many(&rate, clocks_ns[i], 200), 50);
	}
}

static void no_limit_is_no_limit(void **state)
{
	struct rate rate;

	rate_init(&rate, 0, 0);
	assert_int_equal(take_many(&rate, 0, 100000), 100000);
}

static void the_rate_holds_over_a_long_time(void **state)
{
	static const uint32_t rates[] = {1, 7, 1000, 999999, 10000000};

	for (unsigned int i = 0; i < 5; i++) {
		struct rate rate;
		uint64_t taken = 0, now_ns = 5 * S, step_ns = S / rates[i] / 3 + 1;
		unsigned int n_steps = 30000;

		rate_init(&rate, rates[i], 1);
		for (unsigned int k = 0; k < n_steps; k++, now_ns += step_ns)
			taken += rate_take(&rate, now_ns);
		/* Rounding of one event's cost, and the burst. */
		double expected = (double)n_steps * (double)step_ns * rates[i] / 1e9;

		assert_true((double)taken < expected * 1.02 + 1);
		assert_true((double)taken > expected * 0.74);
	}
}

static void a_pause_saves_up_no_more_than_a_burst(void **state)
{
	struct rate rate;

	rate_init(&rate, 1000, 50);
	take_many(&rate, S, 200);
	assert_int_equal(take_many(&rate, S + 10 * MS, 200), 10);
	assert_int_equal(take_many(&rate, 3600 * S, 200), 50);
}

static void a_new_rate_gives_nothing_back(void **state)
{
	struct rate rate;

	rate_init(&rate, 1000, 50);
	take_many(&rate, S, 200);
	rate_set(&rate, 2000, 50);
	assert_int_equal(take_many(&rate, S, 200), 0);
	assert_int_equal(take_many(&rate, S + 10 * MS, 200), 20);
}

static void a_clock_that_is_behind_takes_nothing_extra(void **state)
{
	struct rate rate;

	rate_init(&rate, 1000, 10);
	assert_int_equal(take_many(&rate, S + 5 * MS, 100), 10);
	assert_int_equal(take_many(&rate, S, 100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_bucket_gives_a_burst_whatever_the_clock_says),
		cmocka_unit_test(no_limit_is_no_limit),
		cmocka_unit_test(the_rate_holds_over_a_long_time),
		cmocka_unit_test(a_pause_saves_up_no_more_than_a_burst),
		cmocka_unit_test(a_new_rate_gives_nothing_back),
		cmocka_unit_test(a_clock_that_is_behind_takes_nothing_extra),
	};

	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
