/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports and forecasts of channels through the API, with a dataplane in which nothing moves. */
#include "tests/unit/control/rig.h"

#include <string.h>

#include "tests/unit/control/schema.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char lab[] =
	"{\"pools\": {\"host\": {\"capacity\": \"1G\"}},"
	" \"channels\": {\"gold\": {\"pool\": \"host\", \"tx\": {\"rate\": \"500M\"}},"
	"  \"silver\": {\"pool\": \"host\", \"tx\": {\"rate\": \"200M\", \"weight\": 2}},"
	"  \"alone\": {\"tx\": {\"ceil\": \"50M\"}}}}";

static void assert_fits(struct rig *rig, const char *schema, const json_t *answer)
{
	json_t *document = rig_call(rig, "GET", "/v1/openapi.json", "", 200);
	const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
	char why[256];

	if (!schema_fits(document, json_object_get(schemas, schema), answer, why, sizeof(why)))
		fail_msg("%s: %s", schema, why);
	json_decref(document);
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("%s is no number", key);
	return json_integer_value(value);
}

/* The row of an array by its name and its way. */
static const json_t *row_of(const json_t *answer, const char *list, const char *key,
			    const char *name, const char *way)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(answer, list), i, row) {
		if (strcmp(json_string_value(json_object_get(row, key)), name) == 0 &&
		    strcmp(json_string_value(json_object_get(row, "way")), way) == 0)
			return row;
	}
	fail_msg("there is no %s %s in %s", name, way, list);
	return NULL;
}

static void terms_in_force_count_loans(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	rig_call_only(
		rig, "PUT", "/v1/loans/l1",
		"{\"from\": \"gold\", \"to\": \"silver\", \"rate\": \"150M\", \"for\": \"10m\"}",
		200);
	json_t *report = rig_call(rig, "GET", "/v1/channels/silver/report", "", 200);
	assert_fits(rig, "Report", report);
	const json_t *tx = json_object_get(report, "tx");
	assert_int_equal(number(tx, "assured_bps"), 350000000);
	assert_int_equal(number(tx, "ceiling_bps"), 1000000000);
	assert_int_equal(number(tx, "loans_in_bps"), 150000000);
	assert_int_equal(number(json_object_get(report, "rx"), "assured_bps"), 0);
	assert_int_equal(number(json_object_get(tx, "hour"), "passed_bps"), 0);
	json_decref(report);
	rig_call_only(rig, "DELETE", "/v1/loans/l1", "", 200);
	report = rig_call(rig, "GET", "/v1/channels/silver/report", "", 200);
	assert_int_equal(number(json_object_get(report, "tx"), "assured_bps"), 200000000);
	json_decref(report);
	rig_assert_problem(rig, "GET", "/v1/channels/none/report", "", 404, "channel-unknown",
			   "none");
}

static void all_channels_are_told_and_the_default_too(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	json_t *reports = rig_call(rig, "GET", "/v1/reports?span=minute", "", 200);
	assert_fits(rig, "Reports", reports);
	assert_int_equal(json_array_size(json_object_get(reports, "reports")), 8);
	assert_int_equal(number(row_of(reports, "reports", "channel", "gold", "tx"), "assured_bps"),
			 500000000);
	assert_int_equal(
		number(row_of(reports, "reports", "channel", "alone", "tx"), "ceiling_bps"),
		50000000);
	row_of(reports, "reports", "channel", "host/default", "rx");
	json_decref(reports);
	rig_assert_problem(rig, "GET", "/v1/reports?span=day", "", 422, "value-invalid", "day");
}

/* Of 1G 700M are assured; of the 300M that are spare the weights are 1, 2 and the default's 1. */
static void a_forecast_is_the_division_under_full_demand(void **state)
{
	static const struct {
		const char *channel;
		json_int_t share_bps;
	} expected[] = {{"gold", 575000000},
			{"silver", 350000000},
			{"host/default", 75000000},
			{"alone", 50000000}};
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	json_t *forecast = rig_call(rig, "POST", "/v1/forecast", "", 200);
	assert_fits(rig, "Forecast", forecast);
	for (size_t i = 0; i < N(expected); i++) {
		const json_t *row =
			row_of(forecast, "channels", "channel", expected[i].channel, "tx");

		assert_in_range(number(row, "share_bps"), expected[i].share_bps - 1,
				expected[i].share_bps);
		assert_int_equal(number(row, "share_bps"),
				 number(json_object_get(row, "before"), "share_bps"));
	}
	const json_t *pool = row_of(forecast, "pools", "pool", "host", "tx");
	assert_int_equal(number(pool, "assured_bps"), 700000000);
	assert_true(json_is_false(json_object_get(pool, "oversubscribed")));
	json_decref(forecast);
}

static void a_forecast_of_a_change_changes_nothing(void **state)
{
	static const char change[] =
		"{\"channels\": {\"gold\": {\"pool\": \"host\", \"tx\": {\"rate\": \"900M\"}},"
		" \"new\": {\"pool\": \"host\", \"tx\": {\"rate\": \"200M\"}}}}";
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	json_t *before = rig_call(rig, "GET", "/v1/export", "", 200);
	json_t *forecast = rig_call(rig, "POST", "/v1/forecast", change, 200);
	assert_fits(rig, "Forecast", forecast);
	/* 1300M of 1G are assured: each has its part of what there is. */
	const json_t *gold = row_of(forecast, "channels", "channel", "gold", "tx");
	assert_in_range(number(gold, "share_bps"), 692307691, 692307693);
	assert_in_range(number(json_object_get(gold, "before"), "share_bps"), 574999999, 575000000);
	const json_t *new = row_of(forecast, "channels", "channel", "new", "tx");
	assert_int_equal(number(new, "assured_bps"), 200000000);
	assert_int_equal(json_object_size(json_object_get(new, "before")), 0);
	const json_t *pool = row_of(forecast, "pools", "pool", "host", "tx");
	assert_true(json_is_true(json_object_get(pool, "oversubscribed")));
	assert_int_equal(number(json_object_get(pool, "before"), "assured_bps"), 700000000);
	const char *refused = json_string_value(json_object_get(forecast, "refused"));
	if (strstr(refused, "host") == NULL || strstr(refused, "1.3G") == NULL)
		fail_msg("refused: \"%s\"", refused);
	json_decref(forecast);
	json_t *after = rig_call(rig, "GET", "/v1/export", "", 200);
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
}

int main(int argc, char **argv)
{
	struct rig rig = {0};
	const struct CMUnitTest tests[] = {
		RIG_TEST(terms_in_force_count_loans, &rig),
		RIG_TEST(all_channels_are_told_and_the_default_too, &rig),
		RIG_TEST(a_forecast_is_the_division_under_full_demand, &rig),
		RIG_TEST(a_forecast_of_a_change_changes_nothing, &rig),
	};

	return rig_run(&rig, argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
