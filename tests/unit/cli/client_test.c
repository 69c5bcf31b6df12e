/* SPDX-License-Identifier: BSD-3-Clause */
/* The wire: what goes out, and what each kind of answer, or none, becomes. */
#include "cli/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

/* Runs `weft segment list` against one answer given byte by byte. */
static void check_answer(const char *answer, int code, const char *err_part)
{
	const char *const answers[] = {answer};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "segment", "list");

	assert_int_equal(result.code, code);
	assert_string_equal(result.out, "");
	if (!strstr(result.err, err_part))
		fail_msg("'%s' is not in: %s", err_part, result.err);
	assert_ptr_equal(strchr(result.err, '\n'), result.err + strlen(result.err) - 1);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void no_socket_is_exit_3_and_says_where_it_should_be(void **state)
{
	struct cli_rig_result result =
		cli_rig_run(NULL, "--run-dir", "/nonexistent/weft", "status");

	assert_int_equal(result.code, 3);
	assert_string_equal(result.err, "weft: weftd does not run: there is no "
					"/nonexistent/weft/weftd.sock; start it, or name its "
					"directory with --run-dir\n");
	cli_rig_release(&result);
}

static void dead_socket_is_exit_3(void **state)
{
	struct cli_rig *rig = cli_rig_create(NULL, 0);
	struct cli_rig_result result;

	cli_rig_request(rig, 0);
	result = cli_rig_run(rig, "status");
	assert_int_equal(result.code, 3);
	assert_non_null(strstr(result.err, "does not listen"));
	assert_non_null(strstr(result.err, "Connection refused"));
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void run_dir_too_long_for_a_socket_is_exit_3(void **state)
{
	char run_dir[200] = "/";
	struct cli_rig_result result;

	memset(run_dir + 1, 'x', sizeof(run_dir) - 2);
	result = cli_rig_run(NULL, "--run-dir", run_dir, "status");
	assert_int_equal(result.code, 3);
	assert_non_null(strstr(result.err, "too long"));
	cli_rig_release(&result);
}

/* The same with a well-framed answer. */
static void check_reply(const char *status_and_headers, const char *body, int code,
			const char *err_part)
{
	char room[CLI_RIG_REQUEST_BYTES];

	check_answer(cli_rig_answer(room, status_and_headers, body), code, err_part);
}

static void problem_is_exit_4_with_its_detail(void **state)
{
	check_reply("409 Conflict\r\nContent-Type: application/problem+json",
		    "{\"code\":\"x\",\"status\":409,\"title\":\"taken\","
		    "\"detail\":\"vni 100 belongs to ALPHA; choose another\"}",
		    4, "weft: vni 100 belongs to ALPHA; choose another\n");
	check_reply("503 No", "{\"title\":\"store full\"}", 4, "weft: store full\n");
}

static void problem_goes_to_stdout_with_o_json_and_only_then(void **state)
{
	static const char problem[] = "{\"code\":\"x\",\"status\":409,\"detail\":\"taken\"}";
	static const struct {
		const char *style, *out;
	} rows[] = {
		{"json", "{\n  \"code\": \"x\",\n  \"status\": 409,\n  \"detail\": \"taken\"\n}\n"},
		{"yaml", ""},
		{"table", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[CLI_RIG_REQUEST_BYTES];
		const char *const answers[] = {cli_rig_answer(room, "409 Conflict", problem)};
		struct cli_rig *rig = cli_rig_create(answers, 1);
		struct cli_rig_result result =
			cli_rig_run(rig, "segment", "list", "-o", rows[i].style);

		assert_int_equal(result.code, 4);
		assert_string_equal(result.out, rows[i].out);
		assert_string_equal(result.err, "weft: taken\n");
		cli_rig_release(&result);
		cli_rig_destroy(rig);
	}
}

static void problem_cannot_break_the_line_or_drive_the_terminal(void **state)
{
	check_reply("422 No", "{\"detail\":\"a\\nb\\u001b[2J\"}", 4, "weft: a?b?[2J\n");
}

static void failure_without_a_reason_is_exit_4(void **state)
{
	check_reply("500 Oops", "<html>", 4, "HTTP status 500");
	check_reply("500 Oops", "", 4, "HTTP status 500");
	check_reply("404 Oops", "{\"detail\":5}", 4, "HTTP status 404");
	check_reply("302 Found\r\nLocation: /v1/x", "{}", 4, "HTTP status 302");
}

static void success_with_garbage_is_exit_4(void **state)
{
	check_reply("200 OK", "hello", 4, "no JSON object");
	check_reply("200 OK", "[]", 4, "no JSON object");
	check_reply("200 OK", "", 4, "no JSON object");
	check_reply("200 OK", "{}", 4, "no list \"segments\"");
	check_reply("200 OK", "{\"segments\":[]}{}", 4, "no JSON object");
}

static void bytes_that_are_no_http_are_exit_4(void **state)
{
	check_answer("SSH-2.0-OpenSSH_9.2\r\n", 4, "is not weftd");
	check_answer("\x16\x03\x01\x02", 4, "is not weftd");
}

static void connection_that_ends_early_is_exit_3(void **state)
{
	check_answer("", 3, "closed the connection");
	check_answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", 3, "closed the connection");
}

static void proxies_in_the_environment_are_ignored(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", "{\"segments\":[]}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1);
	result = cli_rig_run(rig, "segment", "list");
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(cli_rig_request(rig, 0), "GET /v1/segments HTTP/1.1\r\n"));
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

/* A socket whose owner accepts nothing: what connects waits in its queue. */
static void weftd_that_hangs_is_exit_3_after_the_time_given(void **state)
{
	static const struct client_request request = {
		.method = "GET", .path = "/v1/status", .timeout_ms = 50};
	struct cli_rig *rig = cli_rig_create_silent();
	struct client_answer answer;
	struct cli_rig_result result;
	char why[CLIENT_WHY_BYTES];

	assert_int_equal(client_run(cli_rig_run_dir(rig), &request, &answer, why, sizeof(why)),
			 -ECONNREFUSED);
	assert_non_null(strstr(why, "weftd does not answer at /tmp/"));
	assert_null(answer.body);
	result = cli_rig_run(rig, "status", "--wait=1");
	assert_int_equal(result.code, 3);
	assert_string_equal(result.out, "");
	assert_non_null(strstr(result.err, "weft: waited 1 s: weftd does not answer at /tmp/"));
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void names_are_escaped_in_the_query(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "404 No", "{\"detail\":\"none\"}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "stats", "../a b?c%\xc3\xa9");

	assert_int_equal(result.code, 4);
	assert_non_null(strstr(cli_rig_request(rig, 0),
			       "GET /v1/stats?port=..%2Fa%20b%3Fc%25%C3%A9 HTTP/1.1\r\n"));
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void path_that_does_not_fit_is_an_error(void **state)
{
	char path[CLIENT_PATH_BYTES] = "", name[CLIENT_PATH_BYTES];

	memset(name, '/', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(client_path_add_escaped(path, name), -ENAMETOOLONG);
	assert_true(strlen(path) < sizeof(path));
	path[0] = '\0';
	assert_int_equal(client_path_add(path, name), 0);
	assert_int_equal(client_path_add(path, "x"), -ENAMETOOLONG);
	assert_int_equal(strlen(path), sizeof(path) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_socket_is_exit_3_and_says_where_it_should_be),
		cmocka_unit_test(dead_socket_is_exit_3),
		cmocka_unit_test(run_dir_too_long_for_a_socket_is_exit_3),
		cmocka_unit_test(problem_is_exit_4_with_its_detail),
		cmocka_unit_test(problem_goes_to_stdout_with_o_json_and_only_then),
		cmocka_unit_test(problem_cannot_break_the_line_or_drive_the_terminal),
		cmocka_unit_test(failure_without_a_reason_is_exit_4),
		cmocka_unit_test(success_with_garbage_is_exit_4),
		cmocka_unit_test(bytes_that_are_no_http_are_exit_4),
		cmocka_unit_test(connection_that_ends_early_is_exit_3),
		cmocka_unit_test(proxies_in_the_environment_are_ignored),
		cmocka_unit_test(weftd_that_hangs_is_exit_3_after_the_time_given),
		cmocka_unit_test(names_are_escaped_in_the_query),
		cmocka_unit_test(path_that_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
