/* SPDX-License-Identifier: BSD-3-Clause */
/* The nearest word to a mistyped one. */
#include "cli/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const words[] = {"apply", "diff", "port", "segment", "stats", "status"};

static const char *nearest(const char *typed)
{
	return suggest_nearest(typed, words, sizeof(words) / sizeof(words[0]));
}

static void one_slip_is_recognised(void **state)
{
	assert_string_equal(nearest("aply"), "apply");
	assert_string_equal(nearest("prot"), "port");
	assert_string_equal(nearest("segmnet"), "segment");
	assert_string_equal(nearest("dif"), "diff");
}

static void the_nearer_of_two_wins(void **state)
{
	assert_string_equal(nearest("sttus"), "status");
	assert_string_equal(nearest("statss"), "stats");
}

static void another_word_suggests_nothing(void **state)
{
	assert_null(nearest("x"));
	assert_null(nearest("reboot"));
	assert_null(nearest(""));
	assert_null(nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_slip_is_recognised),
		cmocka_unit_test(the_nearer_of_two_wins),
		cmocka_unit_test(another_word_suggests_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
