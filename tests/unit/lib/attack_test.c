/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of attacks: every row can be found, told apart, and can fail. */
#include "tests/lib/attack.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void rows_are_complete_and_unique(void **state)
{
	size_t n = 0;

	for (const struct attack *row = attack_row(0); row != NULL; row = attack_row(++n)) {
		assert_non_null(row->what);
		assert_non_null(row->run);
		assert_true(row->ends != 0 && row->ends <= ATTACK_ANY);
		assert_ptr_equal(attack_find(row->name), row);
		/* What is on a ring needs rings that run. */
		assert_true(!row->receives || row->stage == FRONTEND_RUNNING);
		assert_true(!row->memory_gone || (row->ends & ATTACK_HARMLESS) == 0);
	}
	assert_true(n >= 100);
	assert_null(attack_row(n + 1000));
	assert_null(attack_find("no such attack"));
}

static void ends_have_names(void **state)
{
	assert_string_equal(attack_ends_name(ATTACK_HARMLESS), "harmless");
	assert_string_equal(attack_ends_name(ATTACK_STOPPED), "quarantined|disconnected");
	assert_string_equal(attack_ends_name(ATTACK_ANY), "any");
}

static void row_that_needs_a_peer_says_so(void **state)
{
	char why[FRONTEND_WHY_BYTES] = "";
	unsigned int seen;

	assert_int_equal(attack_run(attack_find("rx-runt"), "/nonexistent", NULL, &seen, why),
			 -ENOTSUP);
	assert_non_null(strstr(why, "rx-runt"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_complete_and_unique),
		cmocka_unit_test(ends_have_names),
		cmocka_unit_test(row_that_needs_a_peer_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
