/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels and their loans from weftd's socket to the dataplane: through restarts, rollbacks and
 * trials. */
#include "tests/unit/control/rig.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/config.h"
#include "control/fastpath.h"
#include "dataplane/api/dp_client.h"
#include "tests/lib/deadline.h"

static const char lab[] =
	"{\"name\": \"demo\", \"segments\": {\"A\": {\"vni\": 100, \"channel\": \"bronze\"}},"
	" \"pools\": {\"host\": {\"capacity\": \"10G\"}, \"wan\": {\"capacity\": \"1G\"}},"
	" \"channels\": {\"gold\": {\"pool\": \"host\", \"tx\": {\"rate\": \"500M\"}},"
	" \"bronze\": {\"pool\": \"host\"}}, \"vms\": {\"web\": {\"channel\": \"gold\"}},"
	" \"ports\": {\"web0\": {\"type\": \"vhost-user\", \"segment\": \"A\", \"vm\": \"web\"}}}";

/* What the dataplane has. */
struct seen {
	unsigned int n_pools, n_channels, n_loans;
	uint64_t gold_bps;	   /* assured, tx */
	uint64_t default_ceil_bps; /* tx */
	uint64_t remaining_ms;	   /* of a loan */
	uint32_t gold, bronze, port_channel, segment_channel;
};

static void take(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct seen *seen = ctx;
	const struct dp_channel *channel = (const void *)message;

	if (message->type == DP_POOL_PUT)
		seen->n_pools++;
	if (message->type == DP_SEGMENT_PUT)
		seen->segment_channel =
			((const struct dp_segment *)(const void *)message)->channel_id;
	if (message->type == DP_PORT_PUT)
		seen->port_channel = ((const struct dp_port *)(const void *)message)->channel_id;
	if (message->type == DP_LOAN_PUT) {
		seen->n_loans++;
		seen->remaining_ms = ((const struct dp_loan *)(const void *)message)->remaining_ms;
	}
	if (message->type != DP_CHANNEL_PUT)
		return;
	seen->n_channels++;
	if (strcmp(channel->name, "gold") == 0) {
		seen->gold = channel->id;
		seen->gold_bps = channel->ways[DP_TX].assured_bps;
	}
	if (strcmp(channel->name, "bronze") == 0)
		seen->bronze = channel->id;
	if (strcmp(channel->name, "host/default") == 0)
		seen->default_ceil_bps = channel->ways[DP_TX].ceiling_bps;
}

static struct seen look(const struct rig *rig)
{
	struct seen seen = {0};
	struct dp_client *client;
	struct dp_welcome welcome;
	char path[128], why[DP_TEXT_BYTES];
	int fd;

	snprintf(path, sizeof(path), "%s/dataplane.sock", rig->run_dir);
	assert_int_equal(dp_client_open(&client, path), 0);
	assert_int_equal(dp_client_hello(client, 5000, &welcome, &fd, why), 0);
	close(fd);
	assert_int_equal(dp_client_request(client, DP_DUMP, NULL, 0, 5000, take, &seen, why), 0);
	dp_client_close(client);
	return seen;
}

static void await_loans(struct rig *rig, size_t n)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	while (rig->control->model->n_loans != n) {
		assert_int_equal(control_turn(rig->control), 0);
		assert_false(deadline_passed(deadline));
	}
}

static void lend(struct rig *rig, const char *rate, const char *time)
{
	char body[160];

	snprintf(body, sizeof(body),
		 "{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"%s\", \"for\": \"%s\"}",
		 rate, time);
	rig_call_only(rig, "POST", "/v1/loans", body, 200);
}

static void channels_reach_the_dataplane_with_who_uses_them(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	struct seen seen = look(rig);
	assert_int_equal(seen.n_pools, 2);
	assert_int_equal(seen.n_channels, 3);
	assert_int_equal(seen.gold_bps, 500000000);
	assert_int_equal(seen.default_ceil_bps, 10000000000);
	assert_int_equal(seen.port_channel, seen.gold);
	assert_int_equal(seen.segment_channel, seen.bronze);

	/* What follows from a change is told, too: of the vm, of the pool, of the segment. */
	rig_call_only(rig, "PUT", "/v1/vms/web", "{\"channel\": \"bronze\"}", 200);
	rig_call_only(rig, "PUT", "/v1/pools/host", "{\"capacity\": \"5G\"}", 200);
	seen = look(rig);
	assert_int_equal(seen.port_channel, seen.bronze);
	assert_int_equal(seen.default_ceil_bps, 5000000000);
	rig_call_only(rig, "DELETE", "/v1/vms/web", "", 200);
	rig_call_only(rig, "PUT", "/v1/segments/A", "{\"vni\": 100}", 200);
	seen = look(rig);
	assert_int_equal(seen.port_channel, 0);
	assert_true(seen.segment_channel != 0 && seen.segment_channel != seen.bronze);

	/* Without its pool there is no default either. */
	rig_call_only(rig, "DELETE", "/v1/channels/gold", "", 200);
	rig_assert_problem(rig, "DELETE", "/v1/pools/host", "", 409, "pool-in-use",
			   "used by channel bronze");
	rig_call_only(rig, "DELETE", "/v1/channels/bronze", "", 200);
	rig_call_only(rig, "DELETE", "/v1/pools/host", "", 200);
	seen = look(rig);
	assert_int_equal(seen.n_channels, 0);
	assert_int_equal(seen.segment_channel, 0);
}

static void channels_are_the_same_after_restarts(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	struct seen before = look(rig);
	control_destroy(rig->control);
	rig_start_control(rig);
	rig_await_connected(rig, true);
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
	struct seen after = look(rig);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void a_loan_ends_by_itself_and_is_no_revision(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	uint64_t revision = config_revision(rig->control->config);
	lend(rig, "200M", "1s");
	assert_int_equal(rig->control->model->n_loans, 1);
	struct seen seen = look(rig);
	assert_int_equal(seen.n_loans, 1);
	assert_in_range(seen.remaining_ms, 1, 1000);
	json_t *json = rig_call(rig, "GET", "/v1/channels/bronze", "", 200);
	assert_non_null(json_object_get(json_object_get(json_object_get(json, "status"), "borrows"),
					"loan1"));
	json_decref(json);
	await_loans(rig, 0);
	assert_int_equal(look(rig).n_loans, 0);
	rig_assert_problem(rig, "GET", "/v1/loans/loan1", "", 404, "loan-unknown", "loan1");
	assert_int_equal(config_revision(rig->control->config), revision);
}

static void what_is_left_of_a_loan_outlives_restarts(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	lend(rig, "200M", "60s");
	control_destroy(rig->control);
	rig_start_control(rig);
	assert_int_equal(rig->control->model->n_loans, 1);
	rig_await_connected(rig, true);
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
	struct seen seen = look(rig);
	assert_int_equal(seen.n_loans, 1);
	assert_in_range(seen.remaining_ms, 20000, 59999);
	rig_call_only(rig, "DELETE", "/v1/loans/loan1", "", 200);
	assert_int_equal(look(rig).n_loans, 0);
}

static void a_loan_that_ended_while_weftd_was_dead_is_gone_at_its_start(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	lend(rig, "200M", "1s");
	control_destroy(rig->control);
	/* The dataplane ends it without weftd. */
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);
	while (look(rig).n_loans != 0) {
		assert_false(deadline_passed(deadline));
		poll(NULL, 0, 20);
	}
	rig_start_control(rig);
	await_loans(rig, 0);
	rig_await_connected(rig, true);
	assert_int_equal(look(rig).n_loans, 0);
	/* What is left of it is nothing that stands in the way. */
	rig_call_only(rig, "DELETE", "/v1/vms/web", "", 200);
	lend(rig, "500M", "60s");
	assert_int_equal(look(rig).n_loans, 1);
}

static void a_rollback_neither_brings_a_loan_back_nor_ends_one(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	lend(rig, "200M", "60s");
	rig_call_only(rig, "PUT", "/v1/segments/B", "{\"vni\": 7}", 200); /* with it in the root */
	rig_call_only(rig, "DELETE", "/v1/loans/loan1", "", 200);
	rig_call_only(rig, "PUT", "/v1/segments/C", "{\"vni\": 8}", 200);
	rig_call_only(rig, "POST", "/v1/rollback?revision=2", "", 200);
	assert_int_equal(rig->control->model->n_loans, 0);
	lend(rig, "100M", "60s");
	rig_call_only(rig, "POST", "/v1/rollback?revision=1", "", 200);
	assert_int_equal(rig->control->model->n_loans, 1);
	assert_null(model_segment(rig->control->model, "B"));
	assert_int_equal(look(rig).n_loans, 1);
	json_t *json = rig_call(rig, "GET", "/v1/export", "", 200);
	assert_null(json_object_get(json, "loans"));
	json_decref(json);
	/* Revision 0 has no channels. */
	rig_assert_problem(rig, "POST", "/v1/rollback?revision=0", "", 422, "loan-invalid",
			   "weft channel recall loan1");
	assert_int_equal(rig->control->model->n_channels, 2);
}

static void what_a_loan_stands_on_cannot_be_taken_away(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	lend(rig, "200M", "60s");
	rig_assert_problem(rig, "PUT", "/v1/channels/gold",
			   "{\"pool\": \"host\", \"tx\": {\"rate\": \"199M\"}}", 422,
			   "loan-invalid", "200M is more than channel gold has left: 199M assured");
	rig_assert_problem(rig, "PUT", "/v1/channels/bronze", "{\"pool\": \"wan\"}", 422,
			   "loan-invalid", "a loan is made within one pool");
	rig_call_only(rig, "PUT", "/v1/segments/A", "{\"vni\": 100}", 200);
	rig_assert_problem(rig, "DELETE", "/v1/channels/bronze", "", 409, "channel-in-use",
			   "used by loan loan1");
	rig_call_only(rig, "PUT", "/v1/channels/gold",
		      "{\"pool\": \"host\", \"tx\": {\"rate\": \"200M\"}}", 200);
	assert_int_equal(rig->control->model->n_loans, 1);
}

static void a_trial_that_goes_back_ends_what_it_made_possible(void **state)
{
	static const char more[] =
		"{\"name\": \"demo\", \"channels\": {\"gold\": {\"pool\": \"host\", \"tx\": "
		"{\"rate\": \"800M\"}}}}";
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	lend(rig, "100M", "60s");
	rig_call_only(rig, "POST", "/v1/apply?confirm=1s", more, 200);
	/* A loan is no change that has to wait for the end of a trial. */
	lend(rig, "700M", "60s");
	assert_int_equal(look(rig).n_loans, 2);
	await_loans(rig, 1);
	struct seen seen = look(rig);
	assert_int_equal(seen.n_loans, 1);
	assert_int_equal(seen.gold_bps, 500000000);
	assert_int_equal(config_revision(rig->control->config), 3);
}

/* As if the clock had been set back since the loan was made: its end lies so much further off. */
static void set_clock_back(struct rig *rig, int64_t ms)
{
	struct problem problem = {0};

	rig->control->model->loans[0]->end_ms += ms;
	assert_int_equal(config_write_loans(rig->control->config, rig->control->model, &problem),
			 0);
}

static void a_loan_that_runs_ends_in_time_whoever_sets_the_clock(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	lend(rig, "200M", "60s");
	set_clock_back(rig, 3600000);
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
	assert_in_range(look(rig).remaining_ms, 20000, 59999);
	rig_call_only(rig, "DELETE", "/v1/loans/loan1", "", 200);
	lend(rig, "200M", "1s");
	set_clock_back(rig, 3600000);
	await_loans(rig, 0);
	assert_int_equal(look(rig).n_loans, 0);
}

/* A host without a clock of its own starts in 1970: no more than was lent, and the dataplane takes
 * it with all else. */
static void a_stored_loan_is_never_longer_than_it_was_made_for(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	lend(rig, "200M", "60s");
	set_clock_back(rig, 2000000000000);
	control_destroy(rig->control);
	rig_stop_dataplane(rig);
	rig_start_dataplane(rig);
	rig_start_control(rig);
	rig_await_connected(rig, true);
	struct seen seen = look(rig);
	assert_int_equal(seen.n_loans, 1);
	assert_in_range(seen.remaining_ms, 1, 60000);
	assert_int_equal(seen.segment_channel, seen.bronze);
	json_t *json = rig_call(rig, "GET", "/v1/loans/loan1", "", 200);
	json_t *status = json_object_get(json, "status");
	assert_in_range(json_integer_value(json_object_get(status, "left_s")), 1, 60);
	json_decref(json);
}

/* Armed again, it would end by the wall clock, which may have been set meanwhile. */
static void a_loan_leaves_a_running_trial_alone(void **state)
{
	static const char segment[] = "{\"segments\": {\"B\": {\"vni\": 7}}}";
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	rig_call_only(rig, "POST", "/v1/apply?confirm=1h", segment, 200);
	uint64_t end_ns = rig->control->trial_end_ns;
	assert_int_not_equal(end_ns, 0);
	rig->control->trial_retry.n_tries = 3; /* as if its way back had been refused */
	lend(rig, "100M", "60s");
	rig_call_only(rig, "DELETE", "/v1/loans/loan1", "", 200);
	lend(rig, "100M", "1s");
	await_loans(rig, 0);
	assert_int_equal(rig->control->trial_end_ns, end_ns);
	assert_int_equal(rig->control->trial_retry.n_tries, 3);
	rig_call_only(rig, "POST", "/v1/confirm", "", 200);
	assert_int_equal(rig->control->trial_end_ns, 0);
}

/* The status of the answer to a request that names an ETag. */
static int lend_if_match(struct rig *rig, const char *method, const char *rate, const char *etag)
{
	char header[RIG_ETAG_BYTES + 16], body[160];
	int status;

	snprintf(header, sizeof(header), "If-Match: %s\r\n", etag);
	snprintf(body, sizeof(body),
		 "{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"%s\", \"for\": \"60s\"}",
		 rate);
	json_decref(rig_call_as(rig, method, "/v1/loans/loan1", header, body, &status));
	return status;
}

/* Loans make no revision, but have a state that If-Match can name. */
static void if_match_sees_loans(void **state)
{
	struct rig *rig = *state;
	char none[RIG_ETAG_BYTES], first[RIG_ETAG_BYTES], now[RIG_ETAG_BYTES];

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	rig_read_etag(rig, "/v1/loans", none);
	assert_string_equal(none, "\"1\"");
	assert_int_equal(lend_if_match(rig, "PUT", "100M", none), 200);
	rig_read_etag(rig, "/v1/loans/loan1", first);
	assert_int_equal(lend_if_match(rig, "PUT", "200M", first), 200);
	assert_int_equal(lend_if_match(rig, "PUT", "50M", first), 412);
	assert_int_equal(lend_if_match(rig, "DELETE", "0", first), 412);
	assert_int_equal(lend_if_match(rig, "PUT", "50M", none), 412);
	assert_int_equal(model_loan(rig->control->model, "loan1")->rate_bps, 200000000);

	/* Another loan is another state, too. The revision never moved. */
	rig_read_etag(rig, "/v1/loans", first);
	lend(rig, "1M", "60s");
	rig_read_etag(rig, "/v1/loans/loan1", now);
	assert_string_not_equal(now, first);
	assert_int_equal(lend_if_match(rig, "DELETE", "0", now), 200);
	rig_call_only(rig, "DELETE", "/v1/loans/loan2", "", 200);
	rig_read_etag(rig, "/v1/loans", now);
	assert_string_equal(now, none);
	assert_int_equal(config_revision(rig->control->config), 1);
}

static void loans_are_refused_by_the_word_that_is_wrong(void **state)
{
	static const struct {
		const char *body, *code, *words;
	} loans[] = {
		{"{}", "key-missing", "from is missing"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\"}", "key-missing",
		 "until is missing; give it the time of its end, as for=10m"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\", \"for\": \"0s\"}",
		 "value-invalid", "for: 0s is not a time from 1s to 30d"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\", \"for\": 10}",
		 "value-invalid", "write it as 30s, 10m"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\", \"for\": \"31d\"}",
		 "value-invalid", "31d"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\", \"for\": \"1m\", "
		 "\"until\": \"2030-01-01T00:00:00Z\"}",
		 "value-invalid", "leave one out"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\", "
		 "\"until\": \"2020-01-01T00:00:00Z\"}",
		 "value-invalid", "this time is over"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\", "
		 "\"until\": \"2999-01-01T00:00:00Z\"}",
		 "value-invalid", "within 30 days"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"0\", \"for\": \"1m\"}",
		 "value-invalid", "rate: 0 is not a rate"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\", \"for\": \"1m\", "
		 "\"way\": \"up\"}",
		 "value-invalid", "use tx, rx or both"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"501M\", \"for\": \"1m\"}",
		 "loan-invalid", "501M is more than"},
		{"{\"from\": \"gold\", \"to\": \"gold\", \"rate\": \"1M\", \"for\": \"1m\"}",
		 "loan-invalid", "the same channel"},
		{"{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\", \"for\": \"1m\", "
		 "\"way\": \"rx\"}",
		 "loan-invalid", "nothing assured for rx"},
		{"{\"from\": \"gold\", \"to\": \"tin\", \"rate\": \"1M\", \"for\": \"1m\"}",
		 "loan-invalid", "channel tin is not declared"},
	};
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", lab, 200);
	for (size_t i = 0; i < sizeof(loans) / sizeof(loans[0]); i++)
		rig_assert_problem(rig, "POST", "/v1/loans", loans[i].body, 422, loans[i].code,
				   loans[i].words);
	assert_int_equal(rig->control->model->n_loans, 0);
	assert_int_equal(
		rig_count_changes(rig, "POST", "/v1/loans?dry_run=1",
				  "{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"1M\", "
				  "\"for\": \"1m\"}"),
		1);
	assert_int_equal(look(rig).n_loans, 0);
}

int main(int argc, char **argv)
{
	struct rig rig = {0};
	const struct CMUnitTest tests[] = {
		RIG_TEST(channels_reach_the_dataplane_with_who_uses_them, &rig),
		RIG_TEST(channels_are_the_same_after_restarts, &rig),
		RIG_TEST(a_loan_ends_by_itself_and_is_no_revision, &rig),
		RIG_TEST(what_is_left_of_a_loan_outlives_restarts, &rig),
		RIG_TEST(a_loan_that_ended_while_weftd_was_dead_is_gone_at_its_start, &rig),
		RIG_TEST(a_rollback_neither_brings_a_loan_back_nor_ends_one, &rig),
		RIG_TEST(what_a_loan_stands_on_cannot_be_taken_away, &rig),
		RIG_TEST(a_trial_that_goes_back_ends_what_it_made_possible, &rig),
		RIG_TEST(a_loan_that_runs_ends_in_time_whoever_sets_the_clock, &rig),
		RIG_TEST(a_stored_loan_is_never_longer_than_it_was_made_for, &rig),
		RIG_TEST(a_loan_leaves_a_running_trial_alone, &rig),
		RIG_TEST(if_match_sees_loans, &rig),
		RIG_TEST(loans_are_refused_by_the_word_that_is_wrong, &rig),
	};

	return rig_run(&rig, argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
