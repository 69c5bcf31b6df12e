/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over the last second, minute and hour, against what was put in. */
#include "control/window.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define VALUES 104 /* as many as a channel counts */
#define START 6000 /* the first second of a minute */

static struct window *made(void)
{
	struct window *window;

	assert_int_equal(window_create(VALUES, &window), 0);
	return window;
}

static void put(struct window *window, uint64_t second, uint64_t first, uint64_t last)
{
	uint64_t values[VALUES] = {0};

	values[0] = first;
	values[VALUES - 1] = last;
	assert_int_equal(window_add(window, second, values), 0);
}

/* The first and the last number; those between are zero. */
static void assert_sums(const struct window *window, enum window_span span, uint64_t second,
			uint64_t first, uint64_t last)
{
	uint64_t values[VALUES];

	window_sum(window, span, second, values, VALUES);
	assert_int_equal(values[0], first);
	assert_int_equal(values[VALUES - 1], last);
	for (unsigned int i = 1; i < VALUES - 1; i++)
		assert_int_equal(values[i], 0);
}

static void what_was_never_used_is_zero(void **state)
{
	struct window *window = made();

	for (enum window_span span = 0; span < WINDOW_SPANS; span++) {
		assert_sums(window, span, START, 0, 0);
		assert_sums(window, span, 0, 0, 0);
		assert_sums(NULL, span, START, 0, 0);
	}
	assert_true(window_is_empty(window, START));
	window_destroy(window);
	window_destroy(NULL);
}

static void a_second_a_minute_and_an_hour_end_when_they_are_over(void **state)
{
	struct window *window = made();

	put(window, START + 10, 5, 7);
	assert_sums(window, WINDOW_SECOND, START + 10, 5, 7);
	assert_sums(window, WINDOW_SECOND, START + 11, 0, 0);
	assert_sums(window, WINDOW_MINUTE, START + 69, 5, 7);
	assert_sums(window, WINDOW_MINUTE, START + 70, 0, 0);
	/* Minutes that are over are whole: 59, and what there is of this one. */
	assert_sums(window, WINDOW_HOUR, START + 3599, 5, 7);
	assert_false(window_is_empty(window, START + 3599));
	assert_sums(window, WINDOW_HOUR, START + 3600, 0, 0);
	assert_true(window_is_empty(window, START + 3600));
	window_destroy(window);
}

/* Two hours of one a second, with holes: each sum is counted by hand beside it. */
static void sums_over_holes_are_exact(void **state)
{
	struct window *window = made();

	for (uint64_t second = START; second < START + 7200; second++) {
		uint64_t minute = 0, hour = 0;

		if (second % 7 != 0)
			put(window, second, second, 1);
		for (uint64_t s = second; s > second - 60; s--)
			minute += s >= START && s % 7 != 0;
		for (uint64_t s = second; s / 60 > second / 60 - 60; s--)
			hour += s >= START && s % 7 != 0;
		assert_sums(window, WINDOW_SECOND, second, second % 7 != 0 ? second : 0,
			    second % 7 != 0);
		uint64_t values[VALUES];
		window_sum(window, WINDOW_MINUTE, second, values, VALUES);
		assert_int_equal(values[VALUES - 1], minute);
		window_sum(window, WINDOW_HOUR, second, values, VALUES);
		assert_int_equal(values[VALUES - 1], hour);
	}
	window_destroy(window);
}

static void parts_are_single_seconds_and_minutes(void **state)
{
	struct window *window = made();

	put(window, START + 3, 1, 0);
	put(window, START + 62, 10, 7);
	put(window, START + 63, 100, 0);
	assert_int_equal(window_count_parts(WINDOW_SECOND), 1);
	assert_int_equal(window_count_parts(WINDOW_HOUR), WINDOW_PARTS);
	assert_int_equal(window_part(window, WINDOW_MINUTE, START + 63, 1, 0), 10);
	assert_int_equal(window_part(window, WINDOW_MINUTE, START + 63, 1, VALUES - 1), 7);
	assert_int_equal(window_part(window, WINDOW_MINUTE, START + 63, 2, 0), 0);
	assert_int_equal(window_part(window, WINDOW_HOUR, START + 63, 0, 0), 110);
	assert_int_equal(window_part(window, WINDOW_HOUR, START + 63, 1, 0), 1);
	assert_int_equal(window_part(window, WINDOW_HOUR, START + 63, 2, 0), 0);
	assert_int_equal(window_part(window, WINDOW_HOUR, 3, 1, 0), 0);
	assert_int_equal(window_part(NULL, WINDOW_HOUR, START, 0, 0), 0);
	window_destroy(window);
}

static void a_second_may_come_twice_but_no_minute_comes_back(void **state)
{
	struct window *window = made();

	put(window, START + 61, 1, 2);
	put(window, START + 61, 10, 20);
	put(window, START + 59, 100, 200);
	assert_sums(window, WINDOW_SECOND, START + 61, 11, 22);
	assert_sums(window, WINDOW_MINUTE, START + 61, 11, 22);
	assert_sums(window, WINDOW_HOUR, START + 61, 11, 22);
	window_destroy(window);
}

static void what_does_not_fit_counts_as_much_as_fits(void **state)
{
	struct window *window = made();

	put(window, START, UINT64_MAX, WINDOW_VALUE_MAX);
	assert_sums(window, WINDOW_SECOND, START, WINDOW_VALUE_MAX, WINDOW_VALUE_MAX);
	window_destroy(window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_never_used_is_zero),
		cmocka_unit_test(a_second_a_minute_and_an_hour_end_when_they_are_over),
		cmocka_unit_test(sums_over_holes_are_exact),
		cmocka_unit_test(parts_are_single_seconds_and_minutes),
		cmocka_unit_test(a_second_may_come_twice_but_no_minute_comes_back),
		cmocka_unit_test(what_does_not_fit_counts_as_much_as_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
