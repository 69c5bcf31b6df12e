/* SPDX-License-Identifier: BSD-3-Clause */
/* The log that watchers read: positions, what is kept, what is gone. */
#include "control/events.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

static int setup(void **state)
{
	struct events *events;

	assert_int_equal(events_create(17, &events), 0);
	*state = events;
	return 0;
}

static int teardown(void **state)
{
	events_destroy(*state);
	return 0;
}

/* A change of n ports. */
static void change(struct events *events, size_t n, uint64_t revision)
{
	struct plan_step *steps = calloc(n, sizeof(*steps));
	struct plan plan = {.steps = steps, .n_steps = n};

	for (size_t i = 0; i < n; i++) {
		steps[i] = (struct plan_step){.action = PLAN_CREATE, .kind = MODEL_PORT};
		snprintf(steps[i].name, sizeof(steps[i].name), "p%zu", i);
	}
	events_add_plan(events, &plan, revision);
	free(steps);
}

/* Reads everything from the cursor; returns the number of lines, the last of them in *last. */
static size_t read_all(const struct events *events, uint64_t *cursor, json_t **last)
{
	size_t n_lines = 0;
	char text[4096];
	int n;

	*last = NULL;
	while ((n = events_read(events, cursor, text, sizeof(text))) > 0) {
		for (char *line = text; line < text + n; n_lines++) {
			char *end = memchr(line, '\n', (size_t)(text + n - line));

			assert_non_null(end);
			json_decref(*last);
			*last = json_loadb(line, (size_t)(end - line), 0, NULL);
			assert_non_null(*last);
			line = end + 1;
		}
	}
	assert_int_equal(n, 0);
	return n_lines;
}

static void assert_member(const json_t *event, const char *key, const char *expected)
{
	assert_string_equal(json_string_value(json_object_get(event, key)), expected);
}

static void a_change_is_a_line_for_each_object(void **state)
{
	uint64_t cursor = 0;
	json_t *last;

	change(*state, 3, 18);
	assert_int_equal(read_all(*state, &cursor, &last), 3);
	assert_member(last, "event", "change");
	assert_member(last, "action", "create");
	assert_member(last, "kind", "port");
	assert_member(last, "name", "p2");
	assert_member(last, "revision", "18");
	json_decref(last);
}

static void who_comes_back_with_a_position_goes_on_after_it(void **state)
{
	struct problem problem;
	uint64_t cursor = 0, resumed;
	json_t *last, *again;

	change(*state, 2, 18);
	read_all(*state, &cursor, &last);
	change(*state, 1, 19);
	const char *position = json_string_value(json_object_get(last, "position"));
	assert_int_equal(events_find(*state, position, &resumed, &problem), 0);
	assert_int_equal(read_all(*state, &resumed, &again), 1);
	assert_member(again, "revision", "19");
	assert_int_equal(resumed, events_end(*state));
	json_decref(last);
	json_decref(again);
}

static void a_revision_is_a_position_too(void **state)
{
	struct problem problem;
	uint64_t cursor;
	json_t *last;

	/* The one at the start: everything since. */
	change(*state, 2, 18);
	change(*state, 3, 19);
	assert_int_equal(events_find(*state, "17", &cursor, &problem), 0);
	assert_int_equal(read_all(*state, &cursor, &last), 5);
	json_decref(last);
	assert_int_equal(events_find(*state, "18", &cursor, &problem), 0);
	assert_int_equal(read_all(*state, &cursor, &last), 3);
	json_decref(last);
	assert_int_equal(events_find(*state, "19", &cursor, &problem), 0);
	assert_int_equal(read_all(*state, &cursor, &last), 0);
}

static void a_foreign_or_false_position_is_gone(void **state)
{
	static const char *const bad[] = {"",	"16", "20", "x",	  "18x",
					  "-1", "-",  "1-", "00000000-0", "18 "};
	struct problem problem;
	uint64_t cursor;

	change(*state, 2, 18);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(events_find(*state, bad[i], &cursor, &problem), -ESTALE);
		assert_int_equal(problem.status, 410);
		assert_string_equal(problem.code, "position-gone");
	}
}

static void who_falls_behind_the_log_is_told(void **state)
{
	struct problem problem;
	uint64_t cursor = 0;
	char text[EVENTS_LINE_BYTES], position[EVENTS_POSITION_BYTES];

	events_position(*state, 0, position);
	change(*state, EVENTS_MAX, 18);
	assert_true(events_read(*state, &cursor, text, sizeof(text)) > 0);
	cursor = 0;
	change(*state, 1, 19);
	assert_int_equal(events_read(*state, &cursor, text, sizeof(text)), -ESTALE);
	assert_int_equal(events_find(*state, position, &cursor, &problem), -ESTALE);
	assert_int_equal(events_find(*state, "17", &cursor, &problem), -ESTALE);
	/* The present revision is never gone, or a reader could never catch up. */
	assert_int_equal(events_find(*state, "19", &cursor, &problem), 0);
	assert_int_equal(cursor, events_end(*state));
}

static void a_small_buffer_takes_whole_lines(void **state)
{
	uint64_t cursor = 0;
	char text[300];

	change(*state, 10, 18);
	int n = events_read(*state, &cursor, text, sizeof(text));
	assert_in_range(n, 1, sizeof(text));
	assert_int_equal(text[n - 1], '\n');
	assert_in_range(cursor, 1, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_change_is_a_line_for_each_object),
		TEST(who_comes_back_with_a_position_goes_on_after_it),
		TEST(a_revision_is_a_position_too),
		TEST(a_foreign_or_false_position_is_gone),
		TEST(who_falls_behind_the_log_is_told),
		TEST(a_small_buffer_takes_whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
