/* SPDX-License-Identifier: BSD-3-Clause */
/* weft port doctor: lines, fixes, exit codes. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

#define SICK                                                                                       \
	"{\"port\":\"web0\",\"type\":\"vhost-user\",\"healthy\":false,\"checks\":["                \
	"{\"check\":\"socket\",\"result\":\"ok\",\"detail\":\"there\",\"fix\":\"\"},"              \
	"{\"check\":\"connected\",\"result\":\"fail\",\"detail\":\"nobody\",\"fix\":\"start\"}]}"
#define WELL                                                                                       \
	"{\"port\":\"c1\",\"type\":\"tap\",\"healthy\":true,\"checks\":["                          \
	"{\"check\":\"mtu\",\"result\":\"warn\",\"detail\":\"differs\",\"fix\":\"set it\"}]}"

static void what_fails_is_told_with_its_fix_and_exit_1(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", SICK)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "port", "doctor", "web0");

	assert_string_equal(result.out, "ok    socket     there\n"
					"fail  connected  nobody\n"
					"                 fix: start\n");
	assert_int_equal(result.code, 1);
	cli_rig_release(&result);
	assert_non_null(strstr(cli_rig_request(rig, 0), "GET /v1/ports/web0/doctor HTTP"));
	cli_rig_destroy(rig);
}

static void a_warning_is_no_failure(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", WELL)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "port", "doctor", "c1");

	assert_string_equal(result.out, "warn  mtu        differs\n"
					"                 fix: set it\n");
	assert_int_equal(result.code, 0);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void as_json_the_exit_code_is_the_same(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", SICK)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "port", "doctor", "web0", "-o", "json");

	assert_non_null(strstr(result.out, "\"healthy\": false"));
	assert_int_equal(result.code, 1);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fails_is_told_with_its_fix_and_exit_1),
		cmocka_unit_test(a_warning_is_no_failure),
		cmocka_unit_test(as_json_the_exit_code_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
