/* SPDX-License-Identifier: BSD-3-Clause */
/* Callers' JSON: how deep it may be. */
#include "control/json_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Arrays in each other around `inner`. */
static json_t *read_nested(unsigned int depth, const char *inner, json_error_t *fault)
{
	char text[256] = "";

	memset(text, '[', depth);
	strcat(text, inner);
	memset(text + strlen(text), ']', depth);
	return json_body_read(text, strlen(text), fault);
}

static void what_is_nested_too_deep_is_refused(void **state)
{
	json_error_t fault;
	json_t *json = read_nested(JSON_BODY_DEPTH_MAX, "1", &fault);

	assert_non_null(json);
	json_decref(json);
	assert_null(read_nested(JSON_BODY_DEPTH_MAX + 1, "1", &fault));
	assert_non_null(strstr(fault.text, "deeper than 32"));
	assert_int_equal(fault.line, 1);
}

static void brackets_in_strings_are_text(void **state)
{
	json_error_t fault;
	json_t *json = read_nested(JSON_BODY_DEPTH_MAX, "\"[[[\\\"[[[\\\\\"", &fault);

	assert_non_null(json);
	json_decref(json);
	/* Nor do they close anything. */
	assert_null(read_nested(JSON_BODY_DEPTH_MAX, "\"]]]\", [1]", &fault));
	assert_non_null(strstr(fault.text, "deeper"));
}

static void what_is_closed_does_not_count(void **state)
{
	static const char text[] =
		"[[], {}, [], {\"a\": []}, [[]], [], [], [], [], [], [], [],\n"
		"[], [], [], [], [], [], [], [], [], [], [], [], [], [], [], []]";
	json_error_t fault;
	json_t *json = json_body_read(text, strlen(text), &fault);

	assert_non_null(json);
	assert_int_equal(json_array_size(json), 28);
	json_decref(json);
}

static void what_is_no_json_has_its_line(void **state)
{
	json_error_t fault;

	assert_null(json_body_read("{\n]]]]", 6, &fault));
	assert_int_equal(fault.line, 2);
	assert_null(json_body_read("{\"a\": 1, \"a\": 2}", 16, &fault));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_nested_too_deep_is_refused),
		cmocka_unit_test(brackets_in_strings_are_text),
		cmocka_unit_test(what_is_closed_does_not_count),
		cmocka_unit_test(what_is_no_json_has_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
