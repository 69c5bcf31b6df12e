/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/api/options.c and of the tables: words of users to values and back. */
#include "dataplane/api/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dataplane/api/port_kinds.h"
#include "dataplane/api/segment_options.h"

static const struct option_def defs[] = {
	{.key = "flag", .kind = OPTION_BOOL},
	{.key = "size", .kind = OPTION_NUMBER, .min = 10, .max = 100, .unit = "bytes"},
	{.key = "path", .kind = OPTION_TEXT, .min = 2, .max = 8},
	{.key = "mode", .kind = OPTION_CHOICE, .choices = "client|server|clients"},
	{.key = "wide", .kind = OPTION_NUMBER, .min = 0, .max = UINT64_MAX},
	{.key = "long", .kind = OPTION_TEXT, .min = 1, .max = 1000},
};

static const struct option_def common_defs[] = {
	{.key = "quiet", .kind = OPTION_BOOL, .value = "on"},
	{.key = "pace", .kind = OPTION_CHOICE, .choices = "walk|run", .value = "run", .live = true},
};

static const struct option_set set = {defs, sizeof(defs) / sizeof(defs[0]), common_defs, 2};

struct row {
	const char *key, *word;
	uint64_t number;  /* what it means */
	const char *text; /* as it is written back; of a text: what it means */
};

static const struct row good[] = {
	{"flag", "on", 1, "on"},
	{"flag", "TRUE", 1, "on"},
	{"flag", "yes", 1, "on"},
	{"flag", "1", 1, "on"},
	{"flag", "off", 0, "off"},
	{"flag", "False", 0, "off"},
	{"flag", "no", 0, "off"},
	{"flag", "0", 0, "off"},
	{"size", "10", 10, "10"},
	{"size", "100", 100, "100"},
	{"wide", "18446744073709551615", UINT64_MAX, "18446744073709551615"},
	{"path", "ab", 0, "ab"},
	{"path", "abcdefgh", 0, "abcdefgh"},
	{"mode", "client", 0, "client"},
	{"mode", "server", 1, "server"},
	{"mode", "clients", 2, "clients"},
	{"quiet", "off", 0, "off"},
	{"pace", "run", 1, "run"},
};

static const struct row bad[] = {
	{"flag", "", 0, "use on or off"},
	{"flag", "onn", 0, "use on or off"},
	{"flag", "2", 0, "use on or off"},
	{"size", "9", 0, "size=9: use a number from 10 to 100 bytes"},
	{"size", "101", 0, "from 10 to 100"},
	{"size", "", 0, "from 10 to 100"},
	{"size", "50x", 0, "from 10 to 100"},
	{"size", "0x20", 0, "from 10 to 100"},
	{"size", "-18446744073709551566", 0, "from 10 to 100"},
	{"wide", "18446744073709551616", 0, "use a number"},
	{"path", "a", 0, "path: use 2 to 8 characters, this has 1"},
	{"path", "abcdefghi", 0, "this has 9"},
	{"path", "a b", 0, "without spaces"},
	{"path", "a\nb", 0, "without spaces"},
	{"path", "a\x7f\x7f", 0, "without spaces"},
	{"path", "\xc3\xa4", 0, "without spaces"},
	{"mode", "clien", 0, "mode=clien: use one of client|server|clients"},
	{"mode", "client|server", 0, "use one of"},
	{"mode", "", 0, "use one of"},
};

static int parse(const struct row *row, struct dp_option *value, char *why, size_t why_bytes)
{
	int index = options_find(&set, row->key);

	assert_true(index >= 0);
	return options_parse(&set, (unsigned int)index, row->word, value, why, why_bytes);
}

static void good_words_become_values_and_words_again(void **state)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct dp_option value;
		char text[64], why[128] = "";

		memset(&value, 0xff, sizeof(value));
		if (parse(&good[i], &value, why, sizeof(why)) != 0)
			fail_msg("%s=%s: %s", good[i].key, good[i].word, why);
		assert_int_equal(value.kind, options_row(&set, value.index)->kind);
		assert_int_equal(value.reserved, 0);
		if (value.kind == OPTION_TEXT)
			assert_string_equal(value.text, good[i].text);
		else
			assert_true(value.number == good[i].number);
		assert_int_equal(options_format(&set, &value, text, sizeof(text)),
				 strlen(good[i].text));
		assert_string_equal(text, good[i].text);
		assert_int_equal(options_format(&set, &value, text, strlen(good[i].text)),
				 -ENOSPC);
	}
}

static void bad_words_are_refused_with_what_is_allowed(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dp_option value;
		char why[128] = "";

		if (parse(&bad[i], &value, why, sizeof(why)) != -EINVAL)
			fail_msg("%s=%s was taken", bad[i].key, bad[i].word);
		if (strstr(why, bad[i].text) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", bad[i].text, why);
	}
}

static void a_text_never_exceeds_its_message(void **state)
{
	struct row row = {.key = "long"};
	char word[200], why[128];
	struct dp_option value;

	memset(word, 'x', sizeof(word));
	word[sizeof(value.text)] = '\0';
	row.word = word;
	assert_int_equal(parse(&row, &value, why, sizeof(why)), -EINVAL);
	word[sizeof(value.text) - 1] = '\0';
	assert_int_equal(parse(&row, &value, why, sizeof(why)), 0);
	assert_int_equal(strlen(value.text), sizeof(value.text) - 1);
}

static void own_and_common_rows_are_walked_and_found(void **state)
{
	static const int indices[] = {0, 1, 2, 3, 4, 5, OPTIONS_COMMON, OPTIONS_COMMON + 1, -1, -1};
	static const struct option_set none = {0}, only_own = {defs, 2, NULL, 0};
	int index = -1;

	for (size_t i = 0; i < 9; i++) {
		index = options_next(&set, index);
		assert_int_equal(index, indices[i]);
	}
	assert_int_equal(options_next(&none, -1), -1);
	assert_int_equal(options_next(&only_own, 1), -1);
	assert_int_equal(options_find(&set, "size"), 1);
	assert_int_equal(options_find(&set, "pace"), OPTIONS_COMMON + 1);
	assert_int_equal(options_find(&set, "pac"), -ENOENT);
	assert_null(options_row(&set, 6));
	assert_null(options_row(&set, OPTIONS_COMMON + 2));
	assert_null(options_row(&only_own, OPTIONS_COMMON));
}

static void a_row_without_a_value_has_its_default(void **state)
{
	struct dp_option list[2] = {{.index = OPTIONS_COMMON + 1, .kind = OPTION_CHOICE}};
	struct dp_option value;

	assert_int_equal(options_number(&set, list, 1, "pace"), 0);
	assert_int_equal(options_number(&set, list, 0, "pace"), 1);
	assert_int_equal(options_number(&set, list, 1, "quiet"), 1);
	assert_int_equal(options_number(&set, list, 1, "flag"), 0);
	assert_true(options_default(&set, OPTIONS_COMMON, &value));
	assert_false(options_default(&set, 0, &value));
}

static void a_value_that_is_not_its_rows_is_refused(void **state)
{
	static const struct {
		struct dp_option value;
		const char *why; /* NULL: sound */
	} cases[] = {
		{{.index = 0, .kind = OPTION_BOOL, .number = 1}, NULL},
		{{.index = 0, .kind = OPTION_BOOL, .number = 2}, "out of range"},
		{{.index = 0, .kind = OPTION_NUMBER, .number = 1}, "wrong kind"},
		{{.index = 1, .kind = OPTION_NUMBER, .number = 10}, NULL},
		{{.index = 1, .kind = OPTION_NUMBER, .number = 9}, "out of range"},
		{{.index = 1, .kind = OPTION_NUMBER, .number = 101}, "out of range"},
		{{.index = 2, .kind = OPTION_TEXT, .text = "ab"}, NULL},
		{{.index = 2, .kind = OPTION_TEXT, .text = ""}, "no text"},
		{{.index = 3, .kind = OPTION_CHOICE, .number = 2}, NULL},
		{{.index = 3, .kind = OPTION_CHOICE, .number = 3}, "none of the choices"},
		{{.index = 3, .kind = OPTION_CHOICE, .number = UINT64_MAX}, "none of"},
		{{.index = 6, .kind = OPTION_BOOL}, "unknown"},
		{{.index = OPTIONS_COMMON + 2, .kind = OPTION_BOOL}, "unknown"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = options_check(&set, &cases[i].value);

		if (cases[i].why == NULL ? why != NULL
					 : why == NULL || strstr(why, cases[i].why) == NULL)
			fail_msg("case %zu: %s", i, why != NULL ? why : "was taken");
	}
	struct dp_option endless = {.index = 2, .kind = OPTION_TEXT};

	memset(endless.text, 'x', sizeof(endless.text));
	assert_non_null(options_check(&set, &endless));
}

static void lists_differ_where_one_has_another_value_or_none(void **state)
{
	struct dp_option a = {.index = 1, .kind = OPTION_NUMBER, .number = 20}, b = a;

	assert_true(options_is_same(&a, 1, &b, 1, 1));
	assert_true(options_is_same(&a, 1, &b, 1, 0));
	assert_false(options_is_same(&a, 1, &b, 0, 1));
	b.number = 21;
	assert_false(options_is_same(&a, 1, &b, 1, 1));
}

/* A table that is published: what a row must have. */
static void assert_sound(const struct option_set *table)
{
	unsigned int n = 0;

	for (int i = options_next(table, -1); i >= 0; i = options_next(table, i), n++) {
		const struct option_def *def = options_row(table, (unsigned int)i);
		struct dp_option value;

		assert_int_equal(options_find(table, def->key), i);
		assert_true(def->help != NULL && def->help[0] != '\0');
		assert_true(def->min <= def->max);
		assert_true(def->kind != OPTION_CHOICE || def->choices != NULL);
		/* A default that a user could write is one that a user may write. */
		if (def->value != NULL && def->value[0] != '\0')
			assert_true(options_default(table, (unsigned int)i, &value));
	}
	assert_true(n <= DP_OPTIONS_MAX);
	assert_true(table->n_rows <= OPTIONS_COMMON);
}

static void every_row_of_every_table_is_sound(void **state)
{
	for (size_t i = 0; port_kinds[i] != NULL; i++) {
		struct option_set table = port_kinds_options(port_kinds[i]);

		assert_sound(&table);
	}
	assert_sound(&segment_options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_words_become_values_and_words_again),
		cmocka_unit_test(bad_words_are_refused_with_what_is_allowed),
		cmocka_unit_test(a_text_never_exceeds_its_message),
		cmocka_unit_test(own_and_common_rows_are_walked_and_found),
		cmocka_unit_test(a_row_without_a_value_has_its_default),
		cmocka_unit_test(a_value_that_is_not_its_rows_is_refused),
		cmocka_unit_test(lists_differ_where_one_has_another_value_or_none),
		cmocka_unit_test(every_row_of_every_table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
