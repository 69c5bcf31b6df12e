/* SPDX-License-Identifier: BSD-3-Clause */
/* weft overlay test: one peer or all, exit codes. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

#define PORTS                                                                                      \
	"{\"ports\":[{\"name\":\"h2\",\"type\":\"peer\"},{\"name\":\"c1\",\"type\":\"tap\"},"      \
	"{\"name\":\"h3\",\"type\":\"peer\"}]}"
#define WELL                                                                                       \
	"{\"peer\":\"h2\",\"healthy\":true,\"checks\":[{\"check\":\"reach\",\"result\":\"ok\","    \
	"\"detail\":\"all\",\"fix\":\"\"}]}"
#define SICK                                                                                       \
	"{\"peer\":\"h3\",\"healthy\":false,\"checks\":[{\"check\":\"reach\",\"result\":\"fail\"," \
	"\"detail\":\"no answer\",\"fix\":\"look\"}]}"

static void one_peer_is_tested(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", SICK)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "overlay", "test", "h3");

	assert_string_equal(result.out, "fail  reach      no answer\n"
					"                 fix: look\n");
	assert_int_equal(result.code, 1);
	cli_rig_release(&result);
	assert_non_null(strstr(cli_rig_request(rig, 0), "POST /v1/ports/h3/test HTTP"));
	cli_rig_destroy(rig);
}

/* One that fails is the exit code, also if others are well. */
static void without_a_name_all_peers_are(void **state)
{
	char room[3][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room[0], "200 OK", PORTS),
				       cli_rig_answer(room[1], "200 OK", SICK),
				       cli_rig_answer(room[2], "200 OK", WELL)};
	struct cli_rig *rig = cli_rig_create(answers, 3);
	struct cli_rig_result result = cli_rig_run(rig, "overlay", "test");

	assert_string_equal(result.out, "h2:\n"
					"fail  reach      no answer\n"
					"                 fix: look\n"
					"h3:\n"
					"ok    reach      all\n");
	assert_int_equal(result.code, 1);
	cli_rig_release(&result);
	assert_non_null(strstr(cli_rig_request(rig, 1), "POST /v1/ports/h2/test HTTP"));
	assert_non_null(strstr(cli_rig_request(rig, 2), "POST /v1/ports/h3/test HTTP"));
	cli_rig_destroy(rig);
}

static void as_json_they_are_one_list(void **state)
{
	char room[3][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room[0], "200 OK", PORTS),
				       cli_rig_answer(room[1], "200 OK", WELL),
				       cli_rig_answer(room[2], "200 OK", WELL)};
	struct cli_rig *rig = cli_rig_create(answers, 3);
	struct cli_rig_result result = cli_rig_run(rig, "overlay", "test", "-o", "json");

	json_t *json = json_loads(result.out, 0, NULL);

	assert_int_equal(json_array_size(json_object_get(json, "tests")), 2);
	assert_int_equal(result.code, 0);
	json_decref(json);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void without_peers_nothing_is_well(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", "{\"ports\":[]}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "overlay", "test");

	assert_non_null(strstr(result.err, "there are no peers"));
	assert_int_equal(result.code, 1);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_peer_is_tested),
		cmocka_unit_test(without_a_name_all_peers_are),
		cmocka_unit_test(as_json_they_are_one_list),
		cmocka_unit_test(without_peers_nothing_is_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
