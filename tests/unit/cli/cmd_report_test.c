/* SPDX-License-Identifier: BSD-3-Clause */
/* weft channel show, weft channel plan, weft top channels: what the answers look like in print. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define SPAN(seconds, more)                                                                        \
	"{\"seconds\":" seconds ",\"asked_bps\":400000000,\"passed_bps\":300000000,"               \
	"\"lent_bps\":0,\"held_ms\":1500,\"marks\":2,\"drops\":3," more "}"
#define IDLE SPAN("1.0", "\"borrowed_bps\":0,\"borrowed_from\":[]")
#define WAY(second)                                                                                \
	"{\"assured_bps\":0,\"ceiling_bps\":1000000000,\"weight\":1,\"loans_in_bps\":0,"           \
	"\"loans_out_bps\":0,\"queued_bytes\":3000,\"second\":" second ",\"minute\":" IDLE         \
	",\"hour\":" IDLE "}"
#define BORROWED                                                                                   \
	SPAN("1.0", "\"borrowed_bps\":300000000,\"free_bps\":200000000,"                           \
		    "\"delay_p50_us\":12.34,\"delay_p99_us\":4560.0,"                              \
		    "\"borrowed_from\":[{\"channel\":\"silver\",\"bps\":75000000},"                \
		    "{\"channel\":\"gold\",\"bps\":24000000}],"                                    \
		    "\"borrowed_of_others_bps\":1000000")

static struct cli_rig_result run(const char *const *bodies, size_t n, const char *const *words,
				 char *request)
{
	static char rooms[CLI_RIG_REQUESTS_MAX][CLI_RIG_REQUEST_BYTES];
	const char *answers[CLI_RIG_REQUESTS_MAX];

	for (size_t i = 0; i < n; i++)
		answers[i] =
			cli_rig_answer(rooms[i], bodies[i] != NULL ? "200 OK" : "404 Not Found",
				       bodies[i] != NULL ? bodies[i] : "{}");
	struct cli_rig *rig = cli_rig_create(answers, n);
	struct cli_rig_result result = cli_rig_run_in(rig, "", words);

	snprintf(request, CLI_RIG_REQUEST_BYTES, "%s", cli_rig_request(rig, n - 1));
	cli_rig_destroy(rig);
	return result;
}

/* Blanks count as one, so that the width of columns is not tested here. */
static void assert_says(const char *out, const char *line)
{
	char *squeezed = calloc(1, strlen(out) + 1);
	size_t n = 0;

	for (const char *c = out; *c; c++) {
		if (*c != ' ' || (n != 0 && squeezed[n - 1] != ' '))
			squeezed[n++] = *c;
	}
	if (!strstr(squeezed, line))
		fail_msg("\"%s\" is not in:\n%s", line, out);
	free(squeezed);
}

static void show_tells_what_a_channel_was_given(void **state)
{
	static const char *const bodies[] = {
		"{\"name\":\"bronze\",\"pool\":\"host\"}",
		"{\"channel\":\"bronze\",\"pool\":\"host\",\"tx\":" WAY(BORROWED) ",\"rx\":" WAY(
			IDLE) "}",
	};
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result =
		run(bodies, N(bodies), (const char *const[]){"channel", "show", "bronze", NULL},
		    request);

	assert_string_equal(result.err, "");
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(request, "GET /v1/channels/bronze/report "));
	assert_says(result.out, "pool host\n");
	assert_says(result.out, "tx - 1.00G - - 1 3.00kB\n");
	assert_says(result.out, "tx 1s 400M 300M 300M - 12.3us 4.56ms 1.50s 2 3\n");
	assert_says(result.out, "rx 1s 400M 300M - - - - 1.50s 2 3\n");
	assert_says(result.out, "tx, last 1s: 300M borrowed: 200M of nobody's, 75.0M of silver's, "
				"24.0M of gold's, 1.00M of others'\n");
	assert_null(strstr(result.out, "rx, last"));
	cli_rig_release(&result);
}

static void show_as_json_has_the_report_in_it(void **state)
{
	static const char *const bodies[] = {"{\"name\":\"bronze\"}", "{\"channel\":\"bronze\"}"};
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result = run(
		bodies, N(bodies),
		(const char *const[]){"channel", "show", "bronze", "-o", "json", NULL}, request);

	assert_int_equal(result.code, 0);
	assert_says(result.out, "\"report\": {\n \"channel\": \"bronze\"\n }");
	cli_rig_release(&result);
}

#define FORECAST(refused)                                                                          \
	"{\"pools\":[{\"pool\":\"host\",\"way\":\"tx\",\"capacity_bps\":1000000000,"               \
	"\"assured_bps\":1300000000,\"oversubscribed\":true,\"before\":{"                          \
	"\"capacity_bps\":1000000000,\"assured_bps\":700000000,\"oversubscribed\":false}}],"       \
	"\"channels\":[{\"channel\":\"gold\",\"pool\":\"host\",\"way\":\"tx\","                    \
	"\"assured_bps\":900000000,\"ceiling_bps\":0,\"weight\":1,\"share_bps\":692000000,"        \
	"\"before\":{\"share_bps\":575000000}},{\"channel\":\"old\",\"pool\":\"host\","            \
	"\"way\":\"tx\",\"before\":{\"share_bps\":1000}}],\"refused\":\"" refused "\"}"

static void plan_sends_the_objects_as_they_would_be(void **state)
{
	static const char *const bodies[] = {
		"{\"name\":\"gold\",\"pool\":\"host\",\"tx\":{\"rate\":\"1M\",\"weight\":2},"
		"\"status\":{}}",
		NULL, FORECAST("")};
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result =
		run(bodies, N(bodies),
		    (const char *const[]){"channel", "plan", "gold", "tx.rate=900M", "new",
					  "tx.ceil=1G", "pool=host", NULL},
		    request);

	assert_string_equal(result.err, "");
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(request, "POST /v1/forecast "));
	assert_non_null(strstr(
		request, "{\"channels\":{\"gold\":{\"pool\":\"host\",\"tx\":{\"rate\":\"900M\","
			 "\"weight\":2}},\"new\":{\"tx\":{\"ceil\":\"1G\"},\"pool\":\"host\"}}}"));
	assert_says(result.out, "host tx 1.00G 1.00G 700M 1.30G yes\n");
	assert_says(result.out, "gold host tx 900M - 1 575M 692M\n");
	assert_says(result.out, "old host tx - - - 1.00k -\n");
	cli_rig_release(&result);
}

static void a_plan_that_would_be_refused_is_exit_1(void **state)
{
	static const char *const bodies[] = {FORECAST("too much")};
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result =
		run(bodies, 1, (const char *const[]){"channel", "plan", NULL}, request);

	assert_int_equal(result.code, 1);
	assert_non_null(strstr(request, "{\"channels\":{}}"));
	assert_non_null(strstr(result.err, "this would be refused: too much\n"));
	assert_says(result.out, "gold host tx");
	cli_rig_release(&result);
}

static void what_is_wrong_with_a_plan_is_said(void **state)
{
	static const struct {
		const char *words[6], *said;
	} lines[] = {
		{{"channel", "plan", "gold"}, "gold: say what changes, as KEY=VALUE"},
		{{"channel", "plan", "a=b"}, "a name is expected, not 'a=b'"},
	};

	for (size_t i = 0; i < N(lines); i++) {
		struct cli_rig_result result = cli_rig_run_in(NULL, "", lines[i].words);

		assert_int_equal(result.code, 2);
		if (!strstr(result.err, lines[i].said))
			fail_msg("%s", result.err);
		cli_rig_release(&result);
	}
}

#define ROW(channel, way, passed, assured, ceiling)                                                \
	"{\"channel\":\"" channel "\",\"way\":\"" way "\",\"passed_bps\":" passed                  \
	",\"asked_bps\":" passed ",\"assured_bps\":" assured ",\"ceiling_bps\":" ceiling           \
	",\"drops\":0,\"delay_p99_us\":1.5}"

static void top_draws_rates_against_terms(void **state)
{
	static const char *const bodies[] = {
		"{\"reports\":[" ROW("gold", "rx", "0", "0", "1000") "," ROW(
			"gold", "tx", "750", "500", "1000") "," ROW("below", "tx", "250", "500",
								    "1000") "]}"};
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result =
		run(bodies, 1, (const char *const[]){"top", "channels", NULL}, request);

	assert_string_equal(result.err, "");
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(request, "GET /v1/reports "));
	for (const char *line = result.out; *line; line = strchr(line, '\n') + 1)
		assert_true(strcspn(line, "\n") < 80);
	/* Nine columns of bar: the mark is at half of them. */
	assert_says(result.out, "below tx 250 250 500 1.00k 0 1.50us == |");
	assert_says(result.out, "gold tx 750 750 500 1.00k 0 1.50us ====|++");
	assert_true(strstr(result.out, "gold              tx") <
		    strstr(result.out, "gold              rx"));
	cli_rig_release(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(show_tells_what_a_channel_was_given),
		cmocka_unit_test(show_as_json_has_the_report_in_it),
		cmocka_unit_test(plan_sends_the_objects_as_they_would_be),
		cmocka_unit_test(a_plan_that_would_be_refused_is_exit_1),
		cmocka_unit_test(what_is_wrong_with_a_plan_is_said),
		cmocka_unit_test(top_draws_rates_against_terms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
