/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/api/port_kinds.c: words of users to values and back, and what is a replace. */
#include "dataplane/api/port_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dataplane/api/kinds.h"

static const struct option_def defs[] = {
	{.key = "flag", .kind = OPTION_BOOL},
	{.key = "size", .kind = OPTION_NUMBER, .min = 10, .max = 100, .unit = "bytes"},
	{.key = "path", .kind = OPTION_TEXT, .min = 2, .max = 8},
	{.key = "mode", .kind = OPTION_CHOICE, .choices = "client|server|clients"},
	{.key = "wide", .kind = OPTION_NUMBER, .min = 0, .max = UINT64_MAX},
	{.key = "long", .kind = OPTION_TEXT, .min = 1, .max = 1000},
};

static const struct port_kind kind = {
	.name = "test", .options = defs, .n_options = sizeof(defs) / sizeof(defs[0])};

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
	int index = port_kinds_option(&kind, row->key);

	assert_true(index >= 0);
	return port_kinds_parse(&kind, (unsigned int)index, row->word, value, why, why_bytes);
}

static void good_words_become_values_and_words_again(void **state)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct dp_option value;
		char text[64], why[128] = "";

		memset(&value, 0xff, sizeof(value));
		if (parse(&good[i], &value, why, sizeof(why)) != 0)
			fail_msg("%s=%s: %s", good[i].key, good[i].word, why);
		assert_int_equal(value.kind, defs[value.index].kind);
		assert_int_equal(value.reserved, 0);
		if (value.kind == OPTION_TEXT)
			assert_string_equal(value.text, good[i].text);
		else
			assert_true(value.number == good[i].number);
		assert_int_equal(port_kinds_format(&kind, &value, text, sizeof(text)),
				 strlen(good[i].text));
		assert_string_equal(text, good[i].text);
		assert_int_equal(port_kinds_format(&kind, &value, text, strlen(good[i].text)),
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

static void kinds_and_keys_are_found_by_name(void **state)
{
	for (size_t i = 0; port_kinds[i] != NULL; i++)
		assert_ptr_equal(port_kinds_find(port_kinds[i]->name), port_kinds[i]);
	assert_null(port_kinds_find("carrier-pigeon"));
	assert_null(port_kinds_find(""));
	assert_int_equal(port_kinds_option(&kind, "size"), 1);
	assert_int_equal(port_kinds_option(&kind, "siz"), -ENOENT);
}

static void every_row_of_every_kind_is_sound(void **state)
{
	for (size_t i = 0; port_kinds[i] != NULL; i++) {
		assert_true(strlen(port_kinds[i]->name) < sizeof(((struct dp_port *)0)->kind));
		assert_true(port_kinds[i]->n_options <= DP_OPTIONS_MAX);
		for (unsigned int k = 0; k < port_kinds[i]->n_options; k++) {
			const struct option_def *def = &port_kinds[i]->options[k];
			struct dp_option value;
			char why[128];

			assert_int_equal(port_kinds_option(port_kinds[i], def->key), k);
			assert_true(def->help != NULL && def->help[0] != '\0');
			assert_true(def->min <= def->max);
			assert_true(def->kind != OPTION_CHOICE || def->choices != NULL);
			/* A default that a user could write is one that a user may write. */
			if (def->value != NULL && def->value[0] != '\0')
				assert_int_equal(port_kinds_parse(port_kinds[i], k, def->value,
								  &value, why, sizeof(why)),
						 0);
		}
	}
}

static struct dp_port tap_port(void)
{
	struct dp_port port = {.id = 1, .name = "c1", .kind = "tap", .n_options = 1};

	port.options[0].index = (uint16_t)port_kinds_option(&kind_tap, "ifname");
	port.options[0].kind = OPTION_TEXT;
	strcpy(port.options[0].text, "tap1");
	return port;
}

static void members_label_and_live_options_change_in_place(void **state)
{
	struct dp_port from = tap_port(), to = from;

	to.n_members = 1;
	to.members[0].segment_id = 5;
	strcpy(to.vm, "web");
	to.generation = 9;
	to.n_options = 2;
	to.options[1].index = (uint16_t)port_kinds_option(&kind_tap, "ip");
	to.options[1].kind = OPTION_TEXT;
	strcpy(to.options[1].text, "10.0.0.1/24");
	assert_false(port_kinds_is_replace(&from, &to));
	assert_false(port_kinds_is_replace(&to, &from));
}

static void name_kind_and_other_options_are_a_replace(void **state)
{
	struct dp_port from = tap_port(), to = from;

	strcpy(to.name, "c2");
	assert_true(port_kinds_is_replace(&from, &to));
	to = from;
	strcpy(to.kind, "vhost-user");
	assert_true(port_kinds_is_replace(&from, &to));
	to = from;
	strcpy(to.options[0].text, "tap2");
	assert_true(port_kinds_is_replace(&from, &to));
	to = from;
	to.n_options = 0;
	assert_true(port_kinds_is_replace(&from, &to));
	assert_true(port_kinds_is_replace(&to, &from));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_words_become_values_and_words_again),
		cmocka_unit_test(bad_words_are_refused_with_what_is_allowed),
		cmocka_unit_test(a_text_never_exceeds_its_message),
		cmocka_unit_test(kinds_and_keys_are_found_by_name),
		cmocka_unit_test(every_row_of_every_kind_is_sound),
		cmocka_unit_test(members_label_and_live_options_change_in_place),
		cmocka_unit_test(name_kind_and_other_options_are_a_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
