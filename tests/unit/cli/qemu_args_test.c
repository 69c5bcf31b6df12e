/* SPDX-License-Identifier: BSD-3-Clause */
/* QEMU's arguments: appended, quoted for a shell. */
#include "cli/qemu_args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int append(json_t *args, const char *more)
{
	json_t *json = json_loads(more, JSON_DECODE_ANY, NULL);
	int err;

	assert_non_null(json);
	err = qemu_args_append(args, json);
	json_decref(json);
	return err;
}

static void check_print(const json_t *args, bool is_one_option_a_line, const char *expected)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	qemu_args_print(out, args, is_one_option_a_line);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void off_a_terminal_everything_is_one_line(void **state)
{
	json_t *args = json_array();

	assert_int_equal(append(args, "[\"-m\",\"256M\",\"-nodefaults\"]"), 0);
	assert_int_equal(append(args, "[\"-device\",\"x,y\"]"), 0);
	check_print(args, false, "-m 256M -nodefaults -device x,y\n");
	json_decref(args);
}

static void on_a_terminal_lines_can_be_pasted(void **state)
{
	json_t *args = json_array();

	assert_int_equal(append(args, "[\"-m\",\"256M\",\"-nodefaults\",\"-device\",\"v\"]"), 0);
	check_print(args, true, "-m 256M \\\n-nodefaults \\\n-device v\n");
	json_decref(args);
}

static void words_are_quoted_only_where_a_shell_needs_it(void **state)
{
	json_t *args = json_array();

	assert_int_equal(append(args, "[\"-chardev\",\"socket,id=a,path=/run/w b/it's.sock\","
				      "\"-device\",\"virtio,mac=02:00:00:00:00:01\",\"-x\",\"\"]"),
			 0);
	check_print(args, false,
		    "-chardev 'socket,id=a,path=/run/w b/it'\\''s.sock'"
		    " -device virtio,mac=02:00:00:00:00:01 -x ''\n");
	json_decref(args);
}

static void anything_but_a_list_of_words_is_refused(void **state)
{
	json_t *args = json_array();

	assert_int_equal(qemu_args_append(args, NULL), -EPROTO);
	assert_int_equal(append(args, "{}"), -EPROTO);
	assert_int_equal(append(args, "[\"-m\",256]"), -EPROTO);
	assert_int_equal(json_array_size(args), 0);
	json_decref(args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_a_terminal_everything_is_one_line),
		cmocka_unit_test(on_a_terminal_lines_can_be_pasted),
		cmocka_unit_test(words_are_quoted_only_where_a_shell_needs_it),
		cmocka_unit_test(anything_but_a_list_of_words_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
