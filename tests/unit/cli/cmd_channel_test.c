/* SPDX-License-Identifier: BSD-3-Clause */
/* weft channel: keys with dots, whose a channel is, loans; the requests that leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

static const char changed[] = "{\"changes\":[{\"action\":\"update\",\"kind\":\"channel\","
			      "\"name\":\"gold\",\"fields\":[\"tx.rate\"]}],"
			      "\"dry_run\":false,\"revision\":\"3\"}";

static const char *body_of(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");

	return end ? end + 4 : "";
}

/* Answers a GET with `object`, then whatever comes with the plan above. */
static struct cli_rig *make_rig(char rooms[2][CLI_RIG_REQUEST_BYTES], const char *status,
				const char *object)
{
	/* The rig reads it for as long as it lives: there is one at a time. */
	static const char *answers[2];

	answers[0] = cli_rig_answer(rooms[0], status, object);
	answers[1] = cli_rig_answer(rooms[1], "200 OK", changed);
	return cli_rig_create(answers, 2);
}

static void check(struct cli_rig_result *result, int code, const char *out, const char *err)
{
	assert_non_null(strstr(result->err, err));
	assert_string_equal(result->out, out);
	assert_int_equal(result->code, code);
	cli_rig_release(result);
}

static void a_key_with_a_dot_is_one_of_an_object(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	struct cli_rig *rig = make_rig(rooms, "404 Not Found", "{\"detail\":\"none\"}");
	struct cli_rig_result result = cli_rig_run(rig, "channel", "add", "gold", "pool=host",
						   "tx.rate=100M", "rx.rate=1M", "tx.ceil=1G");

	check(&result, 0, "~ channel gold (tx.rate)\n", "");
	assert_non_null(strstr(cli_rig_request(rig, 1), "PUT /v1/channels/gold HTTP"));
	assert_string_equal(body_of(cli_rig_request(rig, 1)),
			    "{\"pool\":\"host\",\"tx\":{\"rate\":\"100M\",\"ceil\":\"1G\"},"
			    "\"rx\":{\"rate\":\"1M\"}}");
	cli_rig_destroy(rig);
}

static void set_keeps_what_is_not_named_and_takes_out_what_is_empty(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	struct cli_rig *rig =
		make_rig(rooms, "200 OK",
			 "{\"name\":\"gold\",\"tx\":{\"rate\":\"1M\",\"ceil\":\"2M\",\"weight\":3},"
			 "\"rx\":{\"weight\":1},\"status\":{\"tx\":{\"burst\":\"1514\"}}}");
	struct cli_rig_result result = cli_rig_run(rig, "channel", "set", "gold", "tx.rate=2M",
						   "tx.ceil=", "rx.pps=1k", "rx.burst=");

	check(&result, 0, "~ channel gold (tx.rate)\n", "");
	assert_string_equal(body_of(cli_rig_request(rig, 1)),
			    "{\"tx\":{\"rate\":\"2M\",\"weight\":3},"
			    "\"rx\":{\"weight\":1,\"pps\":\"1k\"}}");
	cli_rig_destroy(rig);
}

static void assign_sets_the_channel_of_a_port(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	struct cli_rig *rig = make_rig(rooms, "200 OK", "{\"name\":\"web0\",\"type\":\"tap\"}");
	struct cli_rig_result result =
		cli_rig_run(rig, "channel", "assign", "gold", "port=web0", "--dry-run");

	check(&result, 0, "~ channel gold (tx.rate)\n", "");
	assert_non_null(strstr(cli_rig_request(rig, 0), "GET /v1/ports/web0 HTTP"));
	assert_non_null(strstr(cli_rig_request(rig, 1), "PUT /v1/ports/web0?dry_run=1 HTTP"));
	assert_string_equal(body_of(cli_rig_request(rig, 1)),
			    "{\"type\":\"tap\",\"channel\":\"gold\"}");
	cli_rig_destroy(rig);
}

static void unassign_takes_it_away(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	struct cli_rig *rig =
		make_rig(rooms, "200 OK", "{\"name\":\"A\",\"vni\":1,\"channel\":\"gold\"}");
	struct cli_rig_result result = cli_rig_run(rig, "channel", "unassign", "segment=A");

	check(&result, 0, "~ channel gold (tx.rate)\n", "");
	assert_string_equal(body_of(cli_rig_request(rig, 1)), "{\"vni\":1}");
	cli_rig_destroy(rig);
}

static void lend_asks_for_a_loan_and_recall_ends_it(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	struct cli_rig *rig = make_rig(rooms, "200 OK", changed);
	struct cli_rig_result result = cli_rig_run(rig, "channel", "lend", "gold", "500M",
						   "to=bronze", "for=10m", "way=tx");

	check(&result, 0, "~ channel gold (tx.rate)\n", "");
	result = cli_rig_run(rig, "channel", "recall", "loan1", "--dry-run");
	check(&result, 0, "~ channel gold (tx.rate)\n", "");
	assert_non_null(strstr(cli_rig_request(rig, 0), "POST /v1/loans HTTP"));
	assert_string_equal(body_of(cli_rig_request(rig, 0)),
			    "{\"from\":\"gold\",\"rate\":\"500M\",\"to\":\"bronze\","
			    "\"for\":\"10m\",\"way\":\"tx\"}");
	assert_non_null(strstr(cli_rig_request(rig, 1), "DELETE /v1/loans/loan1?dry_run=1 HTTP"));
	cli_rig_destroy(rig);
}

static void what_makes_no_sense_is_not_sent(void **state)
{
	static const struct {
		const char *words[8];
		const char *err;
	} calls[] = {
		{{"channel", "lend", "gold", "1M", "for=1m", "way=tx"}, "to whom with to=CHANNEL"},
		{{"channel", "lend", "gold", "1M", "to=a", "way=tx"}, "how long with for=TIME"},
		{{"channel", "lend", "gold", "1M", "to=a", "to=b"}, "to is given twice"},
		{{"channel", "lend", "gold", "1M", "to=a", "until=b"}, "until is none of to, for"},
		{{"channel", "lend", "gold", "1M", "to=a", "10m"}, "'10m' is not KEY=VALUE"},
		{{"channel", "lend", "gold", "1M", "to=a"}, "something is missing"},
		{{"channel", "assign", "gold", "peer=h2"}, "none of port=PORT, vm=VM"},
		{{"channel", "assign", "gold", "port="}, "a name is expected"},
		{{"channel", "assign", "a=b", "port=p"}, "a name is expected"},
		{{"channel", "unassign", "web0"}, "none of port=PORT"},
		{{"channel", "set", "gold", "tx.rate=1M", "tx.rate=2M"}, "tx.rate is given twice"},
		{{"channel", "recall", "../status"}, "is not a name"},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		char rooms[2][CLI_RIG_REQUEST_BYTES];
		struct cli_rig *rig = make_rig(rooms, "200 OK", "{}");
		struct cli_rig_result result = cli_rig_run_in(rig, "", calls[i].words);

		check(&result, 2, "", calls[i].err);
		assert_null(strstr(cli_rig_request(rig, 1), "HTTP"));
		cli_rig_destroy(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_with_a_dot_is_one_of_an_object),
		cmocka_unit_test(set_keeps_what_is_not_named_and_takes_out_what_is_empty),
		cmocka_unit_test(assign_sets_the_channel_of_a_port),
		cmocka_unit_test(unassign_takes_it_away),
		cmocka_unit_test(lend_asks_for_a_loan_and_recall_ends_it),
		cmocka_unit_test(what_makes_no_sense_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
