/* SPDX-License-Identifier: BSD-3-Clause */
/* weft why and weft trace: lines, verdict, exit codes. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

#define BLOCKED                                                                                    \
	"{\"blocked\":true,\"cause\":\"segment\",\"verdict\":\"two segments; do this\","           \
	"\"checks\":[{\"check\":\"port\",\"result\":\"ok\",\"detail\":\"a\",\"fix\":\"\"},"        \
	"{\"check\":\"segment\",\"result\":\"fail\",\"detail\":\"two\",\"fix\":\"this\"}],"        \
	"\"traces\":[]}"
#define FREE                                                                                       \
	"{\"blocked\":false,\"cause\":\"\",\"verdict\":\"nothing blocks\",\"checks\":[],"          \
	"\"traces\":[]}"
#define TRACE(receivers)                                                                           \
	"{\"port\":\"a\",\"bytes\":60,\"receivers\":" receivers ",\"steps\":["                     \
	"{\"stage\":\"port\",\"port\":\"a\",\"verdict\":\"pass\",\"reason\":\"\","                 \
	"\"detail\":\"up\"},{\"stage\":\"guard\",\"port\":\"a\",\"verdict\":\"drop\","             \
	"\"reason\":\"mac-spoof\",\"detail\":\"no\"}]}"

static void what_blocks_is_the_last_line(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", BLOCKED)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "why", "web0", "10.0.0.2", "size=1400");

	assert_string_equal(result.out, "ok    port       a\n"
					"fail  segment    two\n"
					"                 fix: this\n"
					"blocked: two segments; do this\n");
	assert_int_equal(result.code, 1);
	cli_rig_release(&result);
	assert_non_null(strstr(cli_rig_request(rig, 0),
			       "GET /v1/why?from=web0&to=10.0.0.2&size=1400 HTTP"));
	cli_rig_destroy(rig);
}

static void nothing_blocks_is_exit_0(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", FREE)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "why", "a", "b");

	assert_string_equal(result.out, "nothing blocks\n");
	assert_int_equal(result.code, 0);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void a_trace_is_a_line_for_each_step(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", TRACE("0"))};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "trace", "a", "--frame", "00 11");

	assert_string_equal(result.out, "pass  port        a             up\n"
					"drop  guard       a             mac-spoof: no\n");
	assert_int_equal(result.code, 1);
	cli_rig_release(&result);
	assert_non_null(strstr(cli_rig_request(rig, 0), "POST /v1/ports/a/trace HTTP"));
	assert_non_null(strstr(cli_rig_request(rig, 0), "{\"frame\":\"00 11\"}"));
	cli_rig_destroy(rig);
}

static void one_that_arrives_is_exit_0(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", TRACE("2"))};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result =
		cli_rig_run(rig, "trace", "a", "--frame", "00", "-o", "json");

	assert_non_null(strstr(result.out, "\"receivers\": 2"));
	assert_int_equal(result.code, 0);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void nonsense_is_a_matter_of_usage(void **state)
{
	struct cli_rig *rig = cli_rig_create(NULL, 0);
	struct cli_rig_result results[] = {
		cli_rig_run(rig, "why", "a"),
		cli_rig_run(rig, "why", "a", "b", "c"),
		cli_rig_run(rig, "why", "a", "b", "--frame", "00"),
		cli_rig_run(rig, "trace", "a"),
		cli_rig_run(rig, "trace", "a", "--frame", "00", "--pcap", "x"),
	};

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		assert_int_equal(results[i].code, 2);
		cli_rig_release(&results[i]);
	}
	struct cli_rig_result nowhere = cli_rig_run(rig, "trace", "a", "--pcap", "/nowhere/a");

	assert_int_equal(nowhere.code, 4);
	assert_string_equal(nowhere.err, "weft: /nowhere/a: No such file or directory\n");
	cli_rig_release(&nowhere);
	cli_rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_blocks_is_the_last_line),
		cmocka_unit_test(nothing_blocks_is_exit_0),
		cmocka_unit_test(a_trace_is_a_line_for_each_step),
		cmocka_unit_test(one_that_arrives_is_exit_0),
		cmocka_unit_test(nonsense_is_a_matter_of_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
