/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of control/trunk.c: the forms of a trunk are one value. Refusals: lab_test.c. */
#include "control/trunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct trunk *parse(const char *json)
{
	json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
	struct trunk *trunk = NULL;
	char why[DP_TEXT_BYTES];

	assert_non_null(value);
	if (trunk_parse(value, &trunk, why, sizeof(why)) < 0)
		fail_msg("%s: %s", json, why);
	json_decref(value);
	return trunk;
}

static void every_form_is_the_same_value(void **state)
{
	static const char *const forms[] = {
		"{\"BETA\": 20, \"ALPHA\": \"own\"}", "{\"ALPHA\": \"own\", \"BETA\": \"20\"}",
		"\"ALPHA,BETA:20\"", "\"BETA:20,ALPHA:own\""};
	struct trunk *first = parse(forms[0]);

	for (size_t i = 1; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct trunk *other = parse(forms[i]);

		assert_true(trunk_is_same(first, other));
		trunk_unref(other);
	}
	assert_string_equal(first->members[0].segment, "ALPHA");
	assert_int_equal(first->members[0].vlan, 0);
	assert_int_equal(first->members[1].vlan, 20);
	assert_true(trunk_has(first, "BETA"));
	assert_false(trunk_has(first, "BET"));
	assert_false(trunk_has(NULL, "BETA"));
	trunk_unref(first);
}

static void what_is_formatted_reads_back(void **state)
{
	struct trunk *trunk = parse("\"ALPHA:4094,BETA\"");
	json_t *json = trunk_format(trunk);
	char *text = json_dumps(json, 0);
	struct trunk *again = parse(text);

	assert_true(trunk_is_same(trunk, again));
	free(text);
	json_decref(json);
	trunk_unref(trunk);
	trunk_unref(again);
}

static void values_differ_by_member_and_by_tag(void **state)
{
	struct trunk *a = parse("\"A:1,B:2\""), *b = parse("\"A:1,B:3\""), *c = parse("\"A:1\"");

	assert_false(trunk_is_same(a, b));
	assert_false(trunk_is_same(a, c));
	assert_false(trunk_is_same(a, NULL));
	assert_true(trunk_is_same(NULL, NULL));
	trunk_unref(a);
	trunk_unref(b);
	trunk_unref(c);
}

static void a_trunk_has_as_many_members_as_a_message(void **state)
{
	char words[TRUNK_MEMBERS_MAX * 16 + 32] = "", why[DP_TEXT_BYTES];
	struct trunk *trunk = NULL;
	size_t len = 0;

	for (unsigned int i = 1; i <= TRUNK_MEMBERS_MAX; i++)
		len += (size_t)snprintf(words + len, sizeof(words) - len, "%sS%u:%u",
					i > 1 ? "," : "", i, i);
	json_t *json = json_string(words);

	assert_int_equal(trunk_parse(json, &trunk, why, sizeof(why)), 0);
	assert_int_equal(trunk->n_members, TRUNK_MEMBERS_MAX);
	trunk_unref(trunk);
	json_decref(json);
	snprintf(words + len, sizeof(words) - len, ",TOO:4000");
	json = json_string(words);
	assert_int_equal(trunk_parse(json, &trunk, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "more segments than a trunk can have"));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_the_same_value),
		cmocka_unit_test(what_is_formatted_reads_back),
		cmocka_unit_test(values_differ_by_member_and_by_tag),
		cmocka_unit_test(a_trunk_has_as_many_members_as_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
