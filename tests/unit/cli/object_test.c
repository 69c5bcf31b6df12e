/* SPDX-License-Identifier: BSD-3-Clause */
/* Add, list, show, set, del: the requests that leave, and what their answers print. */
#include "cli/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

static const char created[] = "{\"changes\":[{\"action\":\"create\",\"kind\":\"segment\","
			      "\"name\":\"ALPHA\"}],\"dry_run\":false,\"revision\":\"3\"}";
static const char updated[] = "{\"changes\":[{\"action\":\"replace\",\"kind\":\"port\","
			      "\"name\":\"web0\",\"fields\":[\"socket\",\"vm\"]}],"
			      "\"dry_run\":false,\"revision\":\"3\"}";
static const char unchanged[] = "{\"changes\":[],\"dry_run\":true,\"revision\":\"3\"}";

static const char *body_of(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");

	return end ? end + 4 : "";
}

static void check_result(struct cli_rig_result *result, int code, const char *out, const char *err)
{
	assert_string_equal(result->err, err);
	assert_string_equal(result->out, out);
	assert_int_equal(result->code, code);
	cli_rig_release(result);
}

static void add_puts_the_words_as_typed(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(rooms[0], "404 Not Found", "{\"detail\":\"none\"}"),
		cli_rig_answer(rooms[1], "200 OK", created),
	};
	struct cli_rig *rig = cli_rig_create(answers, 2);
	struct cli_rig_result result =
		cli_rig_run(rig, "segment", "add", "ALPHA", "vni=100", "age=5m");

	check_result(&result, 0, "+ segment ALPHA\n", "");
	assert_non_null(strstr(cli_rig_request(rig, 0), "GET /v1/segments/ALPHA HTTP"));
	assert_non_null(strstr(cli_rig_request(rig, 1), "PUT /v1/segments/ALPHA HTTP"));
	assert_non_null(strstr(cli_rig_request(rig, 1), "Content-Type: application/json\r\n"));
	assert_null(strstr(cli_rig_request(rig, 1), "Expect:"));
	assert_string_equal(body_of(cli_rig_request(rig, 1)), "{\"vni\":\"100\",\"age\":\"5m\"}");
	cli_rig_destroy(rig);
}

static void add_of_what_exists_is_refused_and_changes_nothing(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(rooms[0], "200 OK", "{\"name\":\"ALPHA\"}"),
		cli_rig_answer(rooms[1], "200 OK", created),
	};
	struct cli_rig *rig = cli_rig_create(answers, 2);
	struct cli_rig_result result = cli_rig_run(rig, "segment", "add", "ALPHA", "vni=1");

	check_result(&result, 4, "",
		     "weft: segment ALPHA exists; change it with: weft segment set ALPHA"
		     " KEY=VALUE\n");
	assert_string_equal(cli_rig_request(rig, 1), "");
	cli_rig_destroy(rig);
}

static void set_keeps_the_other_keys_and_leaves_out_what_weftd_writes(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(rooms[0], "200 OK\r\nETag: \"17\"",
			       "{\"name\":\"web0\",\"type\":\"vhost-user\",\"segment\":\"ALPHA\","
			       "\"vm\":\"web\",\"offload\":false,\"lab\":\"demo\","
			       "\"status\":{\"link\":\"up\"}}"),
		cli_rig_answer(rooms[1], "200 OK", updated),
	};
	struct cli_rig *rig = cli_rig_create(answers, 2);
	struct cli_rig_result result =
		cli_rig_run(rig, "port", "set", "web0", "socket=/x=y", "vm=");

	check_result(&result, 0, "! port web0 replaced (socket,vm)\n", "");
	assert_non_null(strstr(cli_rig_request(rig, 1), "PUT /v1/ports/web0 HTTP"));
	assert_non_null(strstr(cli_rig_request(rig, 1), "\r\nIf-Match: \"17\"\r\n"));
	assert_string_equal(body_of(cli_rig_request(rig, 1)),
			    "{\"type\":\"vhost-user\",\"segment\":\"ALPHA\",\"offload\":false,"
			    "\"socket\":\"/x=y\"}");
	cli_rig_destroy(rig);
}

static void set_of_what_does_not_exist_says_so(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(room, "404 Not Found", "{\"detail\":\"no port web9\"}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "port", "set", "web9", "vm=a");

	check_result(&result, 4, "", "weft: no port web9\n");
	cli_rig_destroy(rig);
}

static void dry_run_is_passed_on(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", unchanged)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "port", "del", "web0", "--dry-run");

	check_result(&result, 0, "no change\n", "");
	assert_non_null(strstr(cli_rig_request(rig, 0), "DELETE /v1/ports/web0?dry_run=1 HTTP"));
	cli_rig_destroy(rig);
}

static void a_rare_column_is_there_when_a_row_has_it(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(
		room, "200 OK",
		"{\"ports\":[{\"name\":\"t0\",\"type\":\"tap\",\"native\":\"A\","
		"\"trunk\":{\"B\":20,\"C\":\"own\",\"D\":1,\"E\":2,\"F\":3,\"G\":4}},"
		"{\"name\":\"c1\",\"type\":\"tap\",\"segment\":\"B\"}]}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "port", "list");

	check_result(
		&result, 0,
		"NAME  TYPE  SEGMENT  TRUNK                  NATIVE  VM  MAC  STATE  LINK  "
		"REASON\n"
		"c1    tap   B        -                      -       -   -    -      -     -\n"
		"t0    tap   -        B:20,C:own,D:1,E:2 +2  A       -   -    -      -     -\n",
		"");
	cli_rig_destroy(rig);
}

static void a_peer_is_added_as_a_port_of_that_type(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(rooms[0], "404 Not Found", "{\"detail\":\"none\"}"),
		cli_rig_answer(rooms[1], "200 OK", unchanged),
	};
	struct cli_rig *rig = cli_rig_create(answers, 2);
	struct cli_rig_result result = cli_rig_run(rig, "peer", "add", "h2", "vtep=10.9.0.2",
						   "segments=ALPHA,BETA", "learn=off");

	check_result(&result, 0, "no change\n", "");
	assert_non_null(strstr(cli_rig_request(rig, 1), "PUT /v1/ports/h2 HTTP"));
	assert_string_equal(body_of(cli_rig_request(rig, 1)),
			    "{\"vtep\":\"10.9.0.2\",\"segments\":\"ALPHA,BETA\","
			    "\"learn\":\"off\",\"type\":\"peer\"}");
	cli_rig_destroy(rig);
}

static void peers_are_listed_with_their_segments(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(
		room, "200 OK",
		"{\"ports\":[{\"name\":\"c1\",\"type\":\"tap\",\"segment\":\"A\"},"
		"{\"name\":\"h3\",\"type\":\"peer\",\"vtep\":\"fd09::3\","
		"\"segments\":[\"A\",\"B\",\"C\",\"D\",\"E\",\"F\"],\"state\":\"active\","
		"\"status\":{\"link\":\"down\",\"reason\":\"no route\"}},"
		"{\"name\":\"h4\",\"type\":\"peer\",\"vtep\":\"fd09::4\","
		"\"segments\":[\"A\",\"B\"],\"state\":\"active\",\"status\":{\"link\":\"up\"}},"
		"{\"name\":\"h2\",\"type\":\"peer\",\"vtep\":\"fd09::2\",\"state\":\"active\","
		"\"status\":{\"link\":\"up\"}}]}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "peer", "list");

	check_result(&result, 0,
		     "NAME  VTEP     SEGMENTS    STATE   LINK  REASON\n"
		     "h2    fd09::2  all         active  up    -\n"
		     "h3    fd09::3  A,B,C,D +2  active  down  no route\n"
		     "h4    fd09::4  A,B         active  up    -\n",
		     "");
	cli_rig_destroy(rig);
}

static void what_is_no_peer_is_not_deleted_as_one(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(rooms[0], "200 OK", "{\"name\":\"c1\",\"type\":\"tap\"}"),
		cli_rig_answer(rooms[1], "200 OK", unchanged),
	};
	struct cli_rig *rig = cli_rig_create(answers, 2);
	struct cli_rig_result result = cli_rig_run(rig, "peer", "del", "c1");

	check_result(&result, 4, "", "weft: c1 is no peer; see: weft port show c1\n");
	assert_string_equal(cli_rig_request(rig, 1), "");
	cli_rig_destroy(rig);
}

static void list_prints_a_table(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(
		room, "200 OK",
		"{\"ports\":[{\"name\":\"web0\",\"type\":\"vhost-user\",\"segment\":\"ALPHA\","
		"\"vm\":\"web\",\"mac\":\"02:00:00:00:00:01\",\"state\":\"active\","
		"\"status\":{\"link\":\"broken\","
		"\"reason\":\"a ring points outside memory\"}},{\"name\":\"c1\",\"type\":\"tap\","
		"\"segment\":\"BETA\",\"mac\":\"02:00:00:00:00:02\",\"state\":\"blocked\","
		"\"status\":{\"link\":\"up\"}}]}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "port", "list");

	check_result(
		&result, 0,
		"NAME  TYPE        SEGMENT  VM   MAC                STATE    LINK    REASON\n"
		"c1    tap         BETA     -    02:00:00:00:00:02  blocked  up      -\n"
		"web0  vhost-user  ALPHA    web  02:00:00:00:00:01  active   broken  a ring points "
		"outside memory\n",
		"");
	cli_rig_destroy(rig);
}

static void show_prints_one_key_a_line(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(
		room, "200 OK", "{\"name\":\"ALPHA\",\"vni\":100,\"age\":\"300s\"}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "segment", "show", "ALPHA");

	check_result(&result, 0, "name  ALPHA\nvni   100\nage   300s\n", "");
	cli_rig_destroy(rig);
}

static void json_and_yaml_are_the_answer_as_it_is(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *answer = cli_rig_answer(room, "200 OK", "{\"segments\":[],\"new\":1}");
	const char *const answers[] = {answer, answer};
	struct cli_rig *rig = cli_rig_create(answers, 2);
	struct cli_rig_result result = cli_rig_run(rig, "segment", "list", "-o", "json");

	check_result(&result, 0, "{\n  \"segments\": [],\n  \"new\": 1\n}\n", "");
	result = cli_rig_run(rig, "segment", "list", "-o", "yaml");
	check_result(&result, 0, "segments: []\nnew: 1\n", "");
	cli_rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_puts_the_words_as_typed),
		cmocka_unit_test(add_of_what_exists_is_refused_and_changes_nothing),
		cmocka_unit_test(set_keeps_the_other_keys_and_leaves_out_what_weftd_writes),
		cmocka_unit_test(set_of_what_does_not_exist_says_so),
		cmocka_unit_test(dry_run_is_passed_on),
		cmocka_unit_test(a_rare_column_is_there_when_a_row_has_it),
		cmocka_unit_test(a_peer_is_added_as_a_port_of_that_type),
		cmocka_unit_test(peers_are_listed_with_their_segments),
		cmocka_unit_test(what_is_no_peer_is_not_deleted_as_one),
		cmocka_unit_test(list_prints_a_table),
		cmocka_unit_test(show_prints_one_key_a_line),
		cmocka_unit_test(json_and_yaml_are_the_answer_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
