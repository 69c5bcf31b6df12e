/* SPDX-License-Identifier: BSD-3-Clause */
/* Options before and after the command, and what is said about wrong ones. */
#include "cli/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 12

struct parsed {
	int err;
	struct args args;
	char why[256];
	char *argv[WORDS_MAX];
	char text[256];
};

/* Parses a line whose words stand one blank apart. */
static struct parsed *parse(struct parsed *parsed, const char *line)
{
	int argc = 0;
	char *rest;

	memset(parsed, 0, sizeof(*parsed));
	strncpy(parsed->text, line, sizeof(parsed->text) - 1);
	for (char *word = strtok_r(parsed->text, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest))
		parsed->argv[argc++] = word;
	parsed->err =
		args_parse(argc, parsed->argv, &parsed->args, parsed->why, sizeof(parsed->why));
	return parsed;
}

static void options_may_stand_before_and_after_the_words(void **state)
{
	static const char *const lines[] = {
		"weft --run-dir /r -o json port show web0",
		"weft port show web0 -o json --run-dir /r",
		"weft port -ojson show --run-dir=/r web0",
		"weft port --output=json show --run-dir=/r web0",
	};
	struct parsed parsed;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(&parsed, lines[i])->err, 0);
		assert_string_equal(parsed.args.run_dir, "/r");
		assert_int_equal(parsed.args.style, PRINT_JSON);
		assert_int_equal(parsed.args.n_words, 3);
		assert_string_equal(parsed.args.words[0], "port");
		assert_string_equal(parsed.args.words[1], "show");
		assert_string_equal(parsed.args.words[2], "web0");
	}
}

static void run_dir_comes_from_option_then_environment_then_default(void **state)
{
	struct parsed parsed;

	unsetenv("WEFT_RUN_DIR");
	assert_string_equal(parse(&parsed, "weft status")->args.run_dir, "/run/weft");
	setenv("WEFT_RUN_DIR", "", 1);
	assert_string_equal(parse(&parsed, "weft status")->args.run_dir, "/run/weft");
	setenv("WEFT_RUN_DIR", "/from/environment", 1);
	assert_string_equal(parse(&parsed, "weft status")->args.run_dir, "/from/environment");
	assert_string_equal(parse(&parsed, "weft status --run-dir /r")->args.run_dir, "/r");
	unsetenv("WEFT_RUN_DIR");
}

static void a_lone_dash_is_a_file_name(void **state)
{
	struct parsed parsed;

	assert_int_equal(parse(&parsed, "weft apply -f - --dry-run")->err, 0);
	assert_string_equal(parsed.args.file, "-");
	assert_true(parsed.args.dry_run);
	assert_int_equal(parsed.args.n_words, 1);
}

static void wait_is_10_seconds_unless_said_otherwise(void **state)
{
	struct parsed parsed;

	assert_int_equal(parse(&parsed, "weft status")->args.wait_s, 0);
	assert_int_equal(parse(&parsed, "weft status --wait")->args.wait_s, 10);
	assert_int_equal(parse(&parsed, "weft status --wait=90")->args.wait_s, 90);
	assert_int_equal(parsed.err, 0);
}

static void wrong_options_are_named(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{"weft status --bogus", "unknown option --bogus; see weft help"},
		{"weft -x status", "unknown option -x; see weft help"},
		{"weft status -o", "option -o needs a value"},
		{"weft status -o xml", "-o xml: say table, json or yaml"},
		{"weft status --wait=", "--wait=: say how many seconds, 1 to 3600"},
		{"weft status --wait=0", "--wait=0: say how many seconds, 1 to 3600"},
		{"weft status --wait=3601", "--wait=3601: say how many seconds, 1 to 3600"},
		{"weft status --wait=5s", "--wait=5s: say how many seconds, 1 to 3600"},
		{"weft status --wait=-1", "--wait=-1: say how many seconds, 1 to 3600"},
		{"weft --run-dir= status", "--run-dir is empty; name weftd's run directory"},
	};
	struct parsed parsed;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(&parsed, rows[i].line)->err, -EINVAL);
		assert_string_equal(parsed.why, rows[i].why);
	}
}

static void key_and_value_part_at_the_first_equals_sign(void **state)
{
	const char *value;
	char key[8];

	assert_int_equal(args_split("a=b=c", key, sizeof(key), &value), 0);
	assert_string_equal(key, "a");
	assert_string_equal(value, "b=c");
	assert_int_equal(args_split("vlan=", key, sizeof(key), &value), 0);
	assert_string_equal(value, "");
	assert_int_equal(args_split("1234567=", key, sizeof(key), &value), 0);
	assert_int_equal(args_split("12345678=", key, sizeof(key), &value), -EINVAL);
	assert_int_equal(args_split("web0", key, sizeof(key), &value), -EINVAL);
	assert_int_equal(args_split("=x", key, sizeof(key), &value), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_before_and_after_the_words),
		cmocka_unit_test(run_dir_comes_from_option_then_environment_then_default),
		cmocka_unit_test(a_lone_dash_is_a_file_name),
		cmocka_unit_test(wait_is_10_seconds_unless_said_otherwise),
		cmocka_unit_test(wrong_options_are_named),
		cmocka_unit_test(key_and_value_part_at_the_first_equals_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
