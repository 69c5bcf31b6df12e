/* SPDX-License-Identifier: BSD-3-Clause */
/* weft status: its exit codes, and waiting for daemons that are just starting. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

static const char connected[] = "{\"dataplane\":{\"connected\":true}}";
static const char alone[] = "{\"dataplane\":{\"connected\":false}}";

static void check_result(struct cli_rig_result *result, int code, const char *out, const char *err)
{
	assert_string_equal(result->err, err);
	assert_string_equal(result->out, out);
	assert_int_equal(result->code, code);
	cli_rig_release(result);
}

static void status_without_a_dataplane_is_printed_and_exit_1(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", alone)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "status");

	check_result(&result, 1, "dataplane.connected  no\n", "");
	cli_rig_destroy(rig);
}

static void status_with_a_dataplane_is_exit_0(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", connected)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "status");

	check_result(&result, 0, "dataplane.connected  yes\n", "");
	cli_rig_destroy(rig);
}

static void wait_asks_until_the_dataplane_is_connected(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		"", /* weftd that is just ending */
		cli_rig_answer(rooms[0], "200 OK", alone),
		cli_rig_answer(rooms[1], "200 OK", connected),
	};
	struct cli_rig *rig = cli_rig_create(answers, 3);
	struct cli_rig_result result = cli_rig_run(rig, "status", "--wait");

	check_result(&result, 0, "dataplane.connected  yes\n", "");
	assert_non_null(strstr(cli_rig_request(rig, 2), "GET /v1/status HTTP"));
	cli_rig_destroy(rig);
}

static void wait_that_ends_in_vain_is_exit_3_and_says_what_is_missing(void **state)
{
	struct cli_rig_result result =
		cli_rig_run(NULL, "--run-dir", "/nonexistent/weft", "status", "--wait=1");

	check_result(&result, 3, "",
		     "weft: waited 1 s: weftd does not run: there is no "
		     "/nonexistent/weft/weftd.sock; start it, or name its directory with "
		     "--run-dir\n");
}

static void wait_ends_at_an_answer_that_is_not_weftds(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "404 No", "{\"detail\":\"nothing\"}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "status", "--wait=60");

	check_result(&result, 4, "", "weft: nothing\n");
	cli_rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_without_a_dataplane_is_printed_and_exit_1),
		cmocka_unit_test(status_with_a_dataplane_is_exit_0),
		cmocka_unit_test(wait_asks_until_the_dataplane_is_connected),
		cmocka_unit_test(wait_that_ends_in_vain_is_exit_3_and_says_what_is_missing),
		cmocka_unit_test(wait_ends_at_an_answer_that_is_not_weftds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
