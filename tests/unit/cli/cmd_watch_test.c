/* SPDX-License-Identifier: BSD-3-Clause */
/* weft watch: lines of a stream to lines for a person, and how it ends. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/cli/cli_rig.h"

#define TIME "\"time\":\"2026-11-22T19:05:46.123Z\""

static const char stream[] =
	"{\"event\":\"alive\",\"position\":\"a-1\",\"revision\":\"3\"}\n"
	"{\"event\":\"change\",\"action\":\"update\",\"kind\":\"segment\",\"name\":\"A\","
	"\"fields\":[\"mtu\",\"age\"]," TIME "}\n"
	"{\"event\":\"state\",\"port\":\"c1\",\"link\":\"up\",\"reason\":\"\"," TIME "}\n"
	"{\"event\":\"state\",\"port\":\"c2\",\"link\":\"broken\",\"reason\":\"no\\u001b[2J\"," TIME
	"}\n"
	"{\"event\":\"dataplane\",\"connected\":false," TIME "}\n"
	"{\"event\":\"of a later version\"," TIME "}\n";

static struct cli_rig_result watch(const char *status, const char *body, const char *style)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, status, body)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "-o", style, "watch");

	cli_rig_destroy(rig);
	return result;
}

static void events_become_lines_without_control_characters(void **state)
{
	struct cli_rig_result result = watch("200 OK", stream, "table");

	assert_string_equal(result.out, "19:05:46.123  segment A                 update: mtu,age\n"
					"19:05:46.123  port c1                   up\n"
					"19:05:46.123  port c2                   broken: no?[2J\n"
					"19:05:46.123  dataplane                 lost\n");
	assert_non_null(strstr(result.err, "weftd ended"));
	assert_int_equal(result.code, 3);
	cli_rig_release(&result);
}

static void json_is_printed_line_by_line(void **state)
{
	struct cli_rig_result result = watch("200 OK", stream, "json");
	size_t n_lines = 0;

	for (const char *c = result.out; *c != '\0'; c++)
		n_lines += *c == '\n';
	assert_int_equal(n_lines, 6);
	assert_memory_equal(result.out, "{\"event\":\"alive\"", 16);
	cli_rig_release(&result);
}

static void who_is_left_behind_is_told(void **state)
{
	struct cli_rig_result result = watch("200 OK", "{\"event\":\"lost\"}\n", "table");

	assert_string_equal(result.out, "");
	assert_non_null(strstr(result.err, "read everything, then watch again"));
	assert_int_equal(result.code, 4);
	cli_rig_release(&result);
}

static void a_refusal_is_one_line(void **state)
{
	struct cli_rig_result result =
		watch("410 Gone", "{\"code\":\"position-gone\",\"detail\":\"too old\"}", "table");

	assert_string_equal(result.err, "weft: too old\n");
	assert_int_equal(result.code, 4);
	cli_rig_release(&result);
}

static void what_is_no_event_stops_it(void **state)
{
	struct cli_rig_result result = watch("200 OK", "<html>\n", "table");

	assert_non_null(strstr(result.err, "is not weftd"));
	assert_int_equal(result.code, 4);
	cli_rig_release(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_become_lines_without_control_characters),
		cmocka_unit_test(json_is_printed_line_by_line),
		cmocka_unit_test(who_is_left_behind_is_told),
		cmocka_unit_test(a_refusal_is_one_line),
		cmocka_unit_test(what_is_no_event_stops_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
