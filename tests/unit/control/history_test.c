/* SPDX-License-Identifier: BSD-3-Clause */
/* Former configurations from weftd's socket to the dataplane: history, rollback, trials. */
#include "tests/unit/control/rig.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config.h"
#include "dataplane/base/loop.h"
#include "tests/lib/deadline.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* Steps weftd until its revision is this one. */
static void await_revision(struct rig *rig, uint64_t revision)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	while (config_revision(rig->control->config) != revision) {
		assert_int_equal(control_turn(rig->control), 0);
		assert_false(deadline_passed(deadline));
	}
}

static void every_change_has_a_revision_with_who_and_what(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply?comment=first%20try", rig_lab, 200);
	rig_call_only(rig, "PUT", "/v1/segments/C", "{\"vni\": 7}", 200);
	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200); /* no change, so no revision */
	json_t *json = rig_call(rig, "GET", "/v1/history", "", 200);
	const json_t *list = json_object_get(json, "revisions");
	assert_int_equal(json_array_size(list), 3);
	const json_t *change = json_array_get(list, 0), *apply = json_array_get(list, 1);
	assert_string_equal(text_of(change, "revision"), "2");
	assert_string_equal(text_of(change, "how"), "change");
	assert_string_equal(text_of(change, "object"), "segment C");
	assert_string_equal(text_of(apply, "how"), "apply");
	assert_string_equal(text_of(apply, "lab"), "demo");
	assert_string_equal(text_of(apply, "comment"), "first try");
	assert_string_equal(text_of(apply, "user"), "root");
	assert_int_equal(json_integer_value(json_object_get(apply, "uid")), 0);
	assert_int_equal(strlen(text_of(apply, "time")), strlen("2026-11-22T19:05:45Z"));
	const json_t *counts = json_object_get(apply, "counts");
	assert_int_equal(json_integer_value(json_object_get(counts, "create")), 5);
	assert_string_equal(text_of(json_array_get(list, 2), "revision"), "0");
	json_decref(json);
	json = rig_call(rig, "GET", "/v1/history/1", "", 200);
	assert_int_equal(json_array_size(json_object_get(json, "changes")), 5);
	json_decref(json);
	rig_assert_problem(rig, "GET", "/v1/history/3", "", 404, "revision-unknown",
			   "weft history");
	rig_assert_problem(rig, "GET", "/v1/history/x", "", 422, "value-invalid", "not a number");
}

static void a_comment_that_the_history_cannot_keep_is_refused(void **state)
{
	static const char *const bad[] = {"%ff", "a%c3", "a%0ab", "%1b%5b2J", "%c2%9b2J"};
	struct rig *rig = *state;
	char path[800];
	size_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(path, sizeof(path), "/v1/apply?comment=%s", bad[i]);
		rig_assert_problem(rig, "POST", path, rig_lab, 422, "value-invalid", "UTF-8");
		snprintf(path, sizeof(path), "/v1/rollback?comment=%s", bad[i]);
		rig_assert_problem(rig, "POST", path, "", 422, "value-invalid", "UTF-8");
	}
	assert_int_equal(config_revision(rig->control->config), 0);
	/* Characters are counted, not bytes. */
	len = (size_t)snprintf(path, sizeof(path), "/v1/apply?comment=%0100d", 0);
	for (int i = 0; i < 100; i++)
		len += (size_t)snprintf(path + len, sizeof(path) - len, "%%c3%%a9");
	rig_call_only(rig, "POST", path, rig_lab, 200);
	snprintf(path + len, sizeof(path) - len, "0");
	rig_assert_problem(rig, "POST", path, rig_lab, 422, "value-invalid", "200 characters");
	json_t *json = rig_call(rig, "GET", "/v1/history/1", "", 200);
	assert_string_equal(text_of(json, "how"), "apply");
	assert_int_equal(strlen(text_of(json, "comment")), 300);
	json_decref(json);
}

static void rollback_brings_back_objects_devices_and_owners(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	rig_call_only(rig, "DELETE", "/v1/ports/c1", "", 200);
	rig_call_only(rig, "PUT", "/v1/segments/C", "{\"vni\": 7}", 200);
	assert_int_equal(if_nametoindex("c1"), 0);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/rollback?revision=1&dry_run=1", ""),
			 2);
	assert_int_equal(if_nametoindex("c1"), 0);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/rollback?revision=1", ""), 2);
	assert_int_not_equal(if_nametoindex("c1"), 0);
	rig_assert_link(rig, "c1", "up");
	assert_string_equal(model_port(rig->control->model, "c1")->lab, "demo");
	rig_call_only(rig, "GET", "/v1/segments/C", "", 404);
	assert_int_equal(config_revision(rig->control->config), 4);
	/* It is a change like any other, so it can be taken back too. */
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/rollback", ""), 2);
	rig_call_only(rig, "GET", "/v1/segments/C", "", 200);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/rollback?revision=0", ""), 5);
	assert_int_equal(rig->control->model->n_ports, 0);
	rig_assert_problem(rig, "POST", "/v1/rollback?revision=99", "", 404, "revision-unknown",
			   "99");
}

static void a_rollback_that_the_host_refuses_changes_nothing(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	rig_call_only(rig, "DELETE", "/v1/ports/c1", "", 200);
	rig_call_only(rig, "DELETE", "/v1/ports/c2", "", 200);
	assert_int_equal(system("ip tuntap add c1 mode tap"), 0);
	rig_assert_problem(rig, "POST", "/v1/rollback?revision=1", "", 422, "host-refused",
			   "port c1");
	assert_int_equal(if_nametoindex("c2"), 0);
	assert_int_equal(config_revision(rig->control->config), 3);
	assert_int_equal(system("ip link del c1"), 0);
}

static void what_is_not_confirmed_in_time_goes_back(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "PUT", "/v1/segments/B", "{\"vni\": 200}", 200);
	rig_call_only(rig, "POST", "/v1/apply?confirm=1s", rig_lab, 200);
	rig_assert_link(rig, "c1", "up");
	await_revision(rig, 3);
	assert_int_equal(if_nametoindex("c1"), 0);
	assert_int_equal(rig->control->model->n_ports, 0);
	assert_int_equal(rig->control->model->n_segments, 1);
	json_t *json = rig_call(rig, "GET", "/v1/history/3", "", 200);
	assert_string_equal(text_of(json, "how"), "expired");
	assert_string_equal(text_of(json, "user"), "weftd");
	json_decref(json);
	rig_assert_problem(rig, "POST", "/v1/confirm", "", 409, "confirm-none", "nothing waits");
}

static void what_is_confirmed_stays(void **state)
{
	struct rig *rig = *state;
	uint64_t deadline = deadline_in_ms(2500);

	json_t *json = rig_call(rig, "POST", "/v1/apply?confirm=2s", rig_lab, 200);
	assert_string_equal(text_of(json_object_get(json, "confirm"), "back_to"), "0");
	json_decref(json);
	json = rig_call(rig, "GET", "/v1/status", "", 200);
	assert_true(json_is_object(json_object_get(json, "confirm")));
	json_decref(json);
	rig_call_only(rig, "POST", "/v1/confirm", "", 200);
	while (!deadline_passed(deadline))
		assert_int_equal(control_turn(rig->control), 0);
	assert_int_equal(config_revision(rig->control->config), 1);
	assert_int_equal(rig->control->model->n_ports, 3);
}

static void during_a_trial_nothing_but_rollback_is_taken(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply?confirm=1h", rig_lab, 200);
	rig_assert_problem(rig, "DELETE", "/v1/ports/c1", "", 409, "confirm-pending",
			   "weft confirm");
	rig_assert_problem(rig, "POST", "/v1/apply?confirm=0s", rig_lab, 422, "value-invalid",
			   "60s or 5m");
	assert_int_equal(rig_count_changes(rig, "DELETE", "/v1/ports/c1?dry_run=1", ""), 1);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/rollback", ""), 5);
	assert_int_equal(rig->control->trial_end_ns, 0);
	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
}

static void a_deadline_that_passed_while_weftd_was_dead_is_honoured_at_its_start(void **state)
{
	struct rig *rig = *state;
	uint64_t deadline = deadline_in_ms(1100);

	rig_call_only(rig, "PUT", "/v1/segments/A", "{\"vni\": 100}", 200);
	rig_call_only(rig, "POST", "/v1/apply?confirm=1s", rig_lab, 200);
	control_destroy(rig->control);
	while (!deadline_passed(deadline))
		continue;
	rig_start_control(rig);
	rig_await_connected(rig, true);
	assert_int_equal(config_revision(rig->control->config), 3);
	assert_int_equal(rig->control->model->n_ports, 0);
	assert_int_equal(if_nametoindex("c1"), 0);
	rig_call_only(rig, "PUT", "/v1/segments/C", "{\"vni\": 7}", 200);
}

static void a_trial_that_lasts_goes_on_after_a_restart(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply?confirm=1h", rig_lab, 200);
	control_destroy(rig->control);
	rig_start_control(rig);
	rig_await_connected(rig, true);
	assert_int_not_equal(rig->control->trial_end_ns, 0);
	assert_int_equal(rig->control->model->n_ports, 3);
	rig_call_only(rig, "POST", "/v1/confirm", "", 200);
	assert_int_equal(rig->control->trial_end_ns, 0);
}

/* The number of tries that status tells of a refused way back; 0: none. */
static int tries_told(struct rig *rig, const char **why)
{
	static char text[256];
	json_t *json = rig_call(rig, "GET", "/v1/status", "", 200);
	const json_t *refused =
		json_object_get(json_object_get(json, "confirm"), "refused");
	int tries = (int)json_integer_value(json_object_get(refused, "tries"));

	snprintf(text, sizeof(text), "%s", tries > 0 ? text_of(refused, "why") : "");
	*why = text;
	json_decref(json);
	return tries;
}

static void a_way_back_that_is_refused_is_told_tried_less_often_and_ended_by_confirm(void **state)
{
	struct rig *rig = *state;
	char port[200], host[sizeof(rig->control->host)];
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);
	const char *why;

	rig_call_only(rig, "PUT", "/v1/segments/A", "{\"vni\": 100}", 200);
	snprintf(port, sizeof(port),
		 "{\"type\": \"vhost-user\", \"segment\": \"A\", \"host\": \"%s\"}",
		 rig->control->host);
	rig_call_only(rig, "PUT", "/v1/ports/web0", port, 200);
	rig_call_only(rig, "POST", "/v1/apply?confirm=1s",
		      "{\"ports\": {\"web0\": {\"type\": \"vhost-user\", "
		      "\"segment\": \"A\"}}}",
		      200);
	/* The host is called something else by now: revision 2 names one that is not this. */
	memcpy(host, rig->control->host, sizeof(host));
	snprintf(rig->control->host, sizeof(rig->control->host), "elsewhere");
	while (tries_told(rig, &why) < 2)
		assert_false(deadline_passed(deadline));
	assert_non_null(strstr(why, "is not this host"));
	assert_int_equal(config_revision(rig->control->config), 3);
	/* 2 s, then 4; some of which may have passed. */
	assert_in_range(rig->control->trial_retry.next_ns - loop_clock_ns(), 2000000001ULL,
			4000000000ULL);
	rig_call_only(rig, "POST", "/v1/confirm", "", 200);
	assert_int_equal(tries_told(rig, &why), 0);
	assert_int_equal(rig->control->trial_end_ns, 0);
	memcpy(rig->control->host, host, sizeof(host));
}

static void going_back_without_a_dataplane_is_caught_up_with_later(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply?confirm=1s", rig_lab, 200);
	rig_stop_dataplane(rig);
	await_revision(rig, 2);
	assert_int_equal(rig->control->model->n_ports, 0);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/diff", rig_lab), 5);
}

static void an_export_of_a_revision_is_the_lab_of_that_time(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	rig_call_only(rig, "DELETE", "/v1/ports/c1", "", 200);
	json_t *json = rig_call(rig, "GET", "/v1/export?revision=1", "", 200);
	assert_int_equal(json_object_size(json_object_get(json, "ports")), 3);
	assert_string_equal(text_of(json, "name"), "demo");
	json_decref(json);
	rig_assert_problem(rig, "GET", "/v1/export?revision=9", "", 404, "revision-unknown", "9");
}

int main(int argc, char **argv)
{
	struct rig rig = {0};
	const struct CMUnitTest tests[] = {
		RIG_TEST(every_change_has_a_revision_with_who_and_what, &rig),
		RIG_TEST(a_comment_that_the_history_cannot_keep_is_refused, &rig),
		RIG_TEST(rollback_brings_back_objects_devices_and_owners, &rig),
		RIG_TEST(a_rollback_that_the_host_refuses_changes_nothing, &rig),
		RIG_TEST(what_is_not_confirmed_in_time_goes_back, &rig),
		RIG_TEST(what_is_confirmed_stays, &rig),
		RIG_TEST(during_a_trial_nothing_but_rollback_is_taken, &rig),
		RIG_TEST(a_deadline_that_passed_while_weftd_was_dead_is_honoured_at_its_start,
			 &rig),
		RIG_TEST(a_trial_that_lasts_goes_on_after_a_restart, &rig),
		RIG_TEST(a_way_back_that_is_refused_is_told_tried_less_often_and_ended_by_confirm,
			 &rig),
		RIG_TEST(going_back_without_a_dataplane_is_caught_up_with_later, &rig),
		RIG_TEST(an_export_of_a_revision_is_the_lab_of_that_time, &rig),
	};

	return rig_run(&rig, argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
