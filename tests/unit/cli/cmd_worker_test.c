/* SPDX-License-Identifier: BSD-3-Clause */
/* weft worker ...: tables, and what a move sends. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

static const char workers[] =
	"{\"workers\":[{\"worker\":0,\"cpu\":2,\"queues\":1,\"busy_percent\":12.5,\"turns\":9,"
	"\"busy_cycles\":100,\"idle_cycles\":50,\"busy_frames\":7,\"sleeps\":3,\"learn_lost\":0,"
	"\"tsc_hz\":1000}],\"queues\":[{\"port\":\"web0\",\"queue\":1,\"worker\":0,\"pinned\":true,"
	"\"busy_percent\":3.0},{\"port\":\"c1\",\"queue\":0,\"worker\":0,\"pinned\":false,"
	"\"busy_percent\":0.0}]}";

/* Runs the words against one answer: exit code, output, and what the request has in it. */
#define check(body, code_, out_, in_request, ...)                                                  \
	do {                                                                                       \
		char room[CLI_RIG_REQUEST_BYTES];                                                  \
		const char *const answers[] = {cli_rig_answer(room, "200 OK", body)};              \
		struct cli_rig *rig = cli_rig_create(answers, 1);                                  \
		struct cli_rig_result result = cli_rig_run(rig, __VA_ARGS__);                      \
		assert_int_equal(result.code, code_);                                              \
		assert_string_equal(result.out, out_);                                             \
		assert_non_null(strstr(cli_rig_request(rig, 0), in_request));                      \
		cli_rig_release(&result);                                                          \
		cli_rig_destroy(rig);                                                              \
	} while (0)

static void workers_are_listed_with_what_they_do(void **state)
{
	check(workers, 0,
	      "WORKER  CPU  QUEUES   BUSY  FRAMES  BUSY-CYCLES  IDLE-CYCLES  TURNS  SLEEPS\n"
	      "     0    2       1  12.5%       7          100           50      9       3\n",
	      "GET /v1/workers HTTP", "worker", "list");
}

static void queues_are_listed_with_their_worker(void **state)
{
	check(workers, 0,
	      "PORT  QUEUE  WORKER  PINNED  BUSY\n"
	      "c1        0       0  no      0.0%\n"
	      "web0      1       0  yes     3.0%\n",
	      "GET /v1/workers HTTP", "worker", "queues");
}

static void a_move_names_port_queue_and_worker(void **state)
{
	check("{}", 0, "", "{\"port\": \"web0\", \"queue\": 1, \"worker\": 2}", "worker", "move",
	      "web0", "1", "2");
	check("{}", 0, "", "POST /v1/workers/move HTTP", "worker", "move", "web0", "1", "2");
	check("{}", 0, "", "\"worker\": \"auto\"}", "worker", "move", "web0", "1", "auto");
}

static void what_is_no_number_is_a_usage_error(void **state)
{
	static const char *const bad[][2] = {
		{"x", "0"}, {"0", "x"}, {"1x", "0"}, {"0", "70000"}, {"", "0"}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cli_rig *rig = cli_rig_create(NULL, 0);
		struct cli_rig_result result =
			cli_rig_run(rig, "worker", "move", "web0", bad[i][0], bad[i][1]);

		assert_int_equal(result.code, 2);
		assert_non_null(strstr(result.err, "is no number"));
		cli_rig_release(&result);
		cli_rig_destroy(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_are_listed_with_what_they_do),
		cmocka_unit_test(queues_are_listed_with_their_worker),
		cmocka_unit_test(a_move_names_port_queue_and_worker),
		cmocka_unit_test(what_is_no_number_is_a_usage_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
