/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables, objects, JSON and YAML on a stream. */
#include "cli/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "bytes", .heading = "BYTES", .format = print_cell_bytes, .right = true},
	{.key = "status.link", .heading = "LINK"},
};

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(json);
	return json;
}

static void check_rows(const char *rows, const char *expected)
{
	json_t *json = parse(rows);
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_int_equal(print_rows(out, columns, 3, json), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

static void check_value(enum print_style style, const char *value, const char *expected)
{
	json_t *json = parse(value);
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_int_equal(print_value(out, style, json), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

static void rows_are_aligned_and_in_natural_order(void **state)
{
	check_rows("[{\"name\":\"web10\",\"bytes\":1500,\"status\":{\"link\":\"up\"}},"
		   "{\"name\":\"web2\",\"bytes\":7,\"status\":{\"link\":\"attached\"}}]",
		   "NAME    BYTES  LINK\n"
		   "web2       7B  attached\n"
		   "web10  1.50kB  up\n");
}

static void what_is_absent_or_of_another_type_is_shown_not_read(void **state)
{
	check_rows(
		"[{\"name\":\"a\"},{\"name\":[\"x\",2,true],\"bytes\":\"many\",\"status\":null},5]",
		"NAME     BYTES  LINK\n"
		"-            -  -\n"
		"a            -  -\n"
		"x,2,yes   many  -\n");
}

static void no_rows_leave_the_headings(void **state)
{
	check_rows("[]", "NAME  BYTES  LINK\n");
}

static void text_cannot_drive_the_terminal(void **state)
{
	check_rows("[{\"name\":\"\\u001b[2Jx\",\"bytes\":1,\"status\":{\"link\":\"a\\nb\"}}]",
		   "NAME   BYTES  LINK\n"
		   "?[2Jx     1B  a?b\n");
}

static void long_cells_end_without_a_fault(void **state)
{
	json_t *list = json_array();
	char cell[16];

	for (int i = 0; i < 100; i++)
		json_array_append_new(list, json_string("word"));
	print_cell_plain(list, cell, sizeof(cell));
	assert_string_equal(cell, "word,word,word,");
	json_decref(list);
}

static void objects_print_nested_keys_with_dots(void **state)
{
	json_t *json = parse("{\"name\":\"a\",\"status\":{\"link\":\"up\",\"queues\":1}}");
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	print_object(out, json);
	fclose(out);
	assert_string_equal(text, "name           a\n"
				  "status.link    up\n"
				  "status.queues  1\n");
	free(text);
	json_decref(json);
}

static void json_keeps_the_order_of_the_answer(void **state)
{
	check_value(PRINT_JSON, "{\"b\":1,\"a\":[true,null]}",
		    "{\n  \"b\": 1,\n  \"a\": [\n    true,\n    null\n  ]\n}\n");
}

static void yaml_quotes_what_would_be_read_as_something_else(void **state)
{
	check_value(PRINT_YAML,
		    "{\"name\":\"web0\",\"mac\":\"02:11:22:33:44:55\",\"vlan\":10,\"vm\":\"on\","
		    "\"empty\":\"\",\"number\":\"12\",\"path\":\"/run/x.sock\",\"up\":true,"
		    "\"none\":null,\"list\":[\"a\",\"b: c\"],\"no\":[],\"map\":{}}",
		    "name: web0\n"
		    "mac: '02:11:22:33:44:55'\n"
		    "vlan: 10\n"
		    "vm: 'on'\n"
		    "empty: ''\n"
		    "number: '12'\n"
		    "path: /run/x.sock\n"
		    "up: true\n"
		    "none: null\n"
		    "list:\n"
		    "- a\n"
		    "- 'b: c'\n"
		    "'no': []\n"
		    "map: {}\n");
}

static void yaml_escapes_line_ends_and_control_characters(void **state)
{
	check_value(PRINT_YAML, "{\"help\":\"a\\u001b\\tb\"}", "help: \"a\\e\\tb\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_aligned_and_in_natural_order),
		cmocka_unit_test(what_is_absent_or_of_another_type_is_shown_not_read),
		cmocka_unit_test(no_rows_leave_the_headings),
		cmocka_unit_test(text_cannot_drive_the_terminal),
		cmocka_unit_test(long_cells_end_without_a_fault),
		cmocka_unit_test(objects_print_nested_keys_with_dots),
		cmocka_unit_test(json_keeps_the_order_of_the_answer),
		cmocka_unit_test(yaml_quotes_what_would_be_read_as_something_else),
		cmocka_unit_test(yaml_escapes_line_ends_and_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
