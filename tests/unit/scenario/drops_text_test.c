/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of scenario/drops_text.c: only what it is about changes. */
#include "scenario/drops_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

static void check(const char *text, const char *drops, const char *lost, const char *wanted)
{
	json_t *a = json_loads(drops, 0, NULL), *b = json_loads(lost, 0, NULL);
	char *made = drops_text_replace(text, a, b);

	assert_non_null(made);
	assert_string_equal(made, wanted);
	free(made);
	json_decref(a);
	json_decref(b);
}

#define TWO_DROPS "{\"p1\": {\"runt\": 2, \"tagged\": 1}, \"p2\": {\"blocked\": 3}}"

static void put_in_place(void **state)
{
	/* In whatever form they stood there; comments and the order of the rest stay. */
	check("about: x\ndrops: {p1: {runt: 1}}\nlab: {}  # c\n", TWO_DROPS, "{}",
	      "about: x\ndrops:\n  p1: {runt: 2, tagged: 1}\n  p2: {blocked: 3}\nlab: {}  # c\n");
	check("drops:\n  p1:\n    runt: 1\n# c\nlab: {}\n", "{\"p1\": {\"runt\": 2}}", "{}",
	      "drops:\n  p1: {runt: 2}\n# c\nlab: {}\n");
	check("lost: {p1: 1}\nlab: {}\ndrops: {}\n", "{\"p1\": {\"runt\": 2}}", "{\"p2\": 4}",
	      "drops:\n  p1: {runt: 2}\nlost: {p2: 4}\nlab: {}\n");
}

static void put_at_the_end(void **state)
{
	check("lab: {}", "{\"p1\": {\"runt\": 2}}", "{}", "lab: {}\ndrops:\n  p1: {runt: 2}\n");
	check("lab:\n  drops: 1\n", "{}", "{\"p1\": 1, \"p2\": 2}",
	      "lab:\n  drops: 1\nlost: {p1: 1, p2: 2}\n");
}

static void taken_away(void **state)
{
	check("drops:\n  p1: {runt: 1}\nlost: {p1: 1}\nlab: {}\n", "{}", "{}", "lab: {}\n");
	check("lab: {}\n", "{}", "{}", "lab: {}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_in_place),
		cmocka_unit_test(put_at_the_end),
		cmocka_unit_test(taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
