/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has what: thousands of texts, each with its owner. */
#include "control/taken.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void nobody_has_anything_at_first(void **state)
{
	struct taken taken = {0};

	assert_null(taken_owner(&taken, "mac 1"));
	taken_fini(&taken);
}

static void each_text_has_its_owner(void **state)
{
	static char owners[10][8];
	struct taken taken = {0};
	char what[128];

	for (int i = 0; i < 10; i++)
		snprintf(owners[i], sizeof(owners[i]), "p%d", i);
	/* Long ones too: they lie in several blocks. */
	for (int i = 0; i < 20000; i++) {
		snprintf(what, sizeof(what), "socket %0*d", i % 100 + 1, i);
		assert_null(taken_owner(&taken, what));
		assert_int_equal(taken_add(&taken, what, owners[i % 10]), 0);
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(what, sizeof(what), "socket %0*d", i % 100 + 1, i);
		assert_string_equal(taken_owner(&taken, what), owners[i % 10]);
	}
	assert_null(taken_owner(&taken, "socket"));
	assert_null(taken_owner(&taken, ""));
	taken_fini(&taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_has_anything_at_first),
		cmocka_unit_test(each_text_has_its_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
