/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers and names as a person reads them. */
#include "cli/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void bytes_have_three_digits_and_a_unit(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{0, "0B"},	   {999, "999B"},      {1000, "1.00kB"},     {1500, "1.50kB"},
		{9994, "9.99kB"},  {9995, "10.0kB"},   {99949, "99.9kB"},    {99950, "100kB"},
		{999499, "999kB"}, {999500, "1.00MB"}, {268435456, "268MB"}, {UINT64_MAX, "18.4EB"},
	};
	char text[FORMAT_NUMBER_BYTES];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		format_bytes(rows[i].bytes, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void durations_show_their_two_largest_units(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} rows[] = {
		{0, "0s"},	   {59, "59s"},
		{60, "1m00s"},	   {185, "3m05s"},
		{3600, "1h00m"},   {7620, "2h07m"},
		{86399, "23h59m"}, {86400, "1d00h"},
		{356400, "4d03h"}, {UINT64_MAX, "213503982334601d07h"},
	};
	char text[FORMAT_NUMBER_BYTES];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		format_duration_s(rows[i].seconds, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void names_sort_by_the_value_of_their_numbers(void **state)
{
	static const char *const sorted[] = {
		"",    "10.0.1.2", "10.0.1.10", "a",
		"a0",  "a00",	   "a0b",	"a01",
		"a1",  "a2b1",	   "a2b10",	"a10",
		"web", "web2",	   "web10",	"web99999999999999999999999",
	};
	size_t n = sizeof(sorted) / sizeof(sorted[0]);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			int order = format_natural_compare(sorted[i], sorted[j]);

			if (i == j)
				assert_int_equal(order, 0);
			else
				assert_true(i < j ? order < 0 : order > 0);
		}
	}
}

static void control_characters_become_question_marks(void **state)
{
	char text[] = "a\x1b[31mb\n\x7f\xc2\x9b"
		      "c\xc3\xa9";

	format_clean(text);
	assert_string_equal(text, "a?[31mb????c\xc3\xa9");
}

static void width_counts_characters_not_bytes(void **state)
{
	assert_int_equal(format_width(""), 0);
	assert_int_equal(format_width("abc"), 3);
	assert_int_equal(format_width("\xc3\xa9\xe2\x82\xac"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_have_three_digits_and_a_unit),
		cmocka_unit_test(durations_show_their_two_largest_units),
		cmocka_unit_test(names_sort_by_the_value_of_their_numbers),
		cmocka_unit_test(control_characters_become_question_marks),
		cmocka_unit_test(width_counts_characters_not_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
