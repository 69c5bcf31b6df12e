/* SPDX-License-Identifier: BSD-3-Clause */
/* weftd against a dataplane that holds what it does not expect, or taps that lost their device. */
#include "tests/unit/control/rig.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/deadline.h"

/* What weftd logs goes to a file, from log_begin() to log_end(), which gives its text. */
static int log_begin(const struct rig *rig)
{
	char path[96];
	int kept = dup(STDERR_FILENO);

	fflush(stderr);
	snprintf(path, sizeof(path), "%s/log", rig->dir);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && kept >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
	return kept;
}

static void log_end(int kept, char *text, size_t bytes)
{
	fflush(stderr);
	ssize_t n = pread(STDERR_FILENO, text, bytes - 1, 0);

	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_true(n >= 0);
	text[n] = '\0';
}

static void assert_says(const char *text, const char *words)
{
	if (strstr(text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void run_command(const char *command)
{
	assert_int_equal(system(command), 0);
}

static void step(struct rig *rig, uint64_t deadline)
{
	assert_int_equal(control_turn(rig->control), 0);
	assert_false(deadline_passed(deadline));
}

static void await_link(struct rig *rig, const char *port, const char *expected)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);
	json_t *json;

	while (strcmp(rig_link_of(rig, port, &json), expected) != 0) {
		json_decref(json);
		step(rig, deadline);
	}
	json_decref(json);
}

static char *problem_of_dataplane(struct rig *rig)
{
	json_t *json = rig_call(rig, "GET", "/v1/status", "", 200);
	const char *text =
		json_string_value(json_object_get(json_object_get(json, "dataplane"), "problem"));
	char *copy = text != NULL ? strdup(text) : NULL;

	json_decref(json);
	return copy;
}

static void a_store_never_used_deletes_nothing(void **state)
{
	struct rig *rig = *state;
	char right[sizeof(rig->state_dir)];
	char text[4096];

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	control_destroy(rig->control);
	memcpy(right, rig->state_dir, sizeof(right));
	snprintf(rig->state_dir, sizeof(rig->state_dir), "%s/wrong", rig->dir);
	int kept = log_begin(rig);
	rig_start_control(rig);
	rig_await_connected(rig, true);
	log_end(kept, text, sizeof(text));
	assert_says(text, "holds 3 port(s) and 2 segment(s) that this store never knew");
	assert_says(text, "sync: 0 added, 0 changed, 0 removed");
	assert_int_not_equal(if_nametoindex("c1"), 0);
	rig_assert_problem(rig, "POST", "/v1/apply", rig_lab, 409, "store-foreign", "--state-dir");
	rig_assert_problem(rig, "PUT", "/v1/segments/Z", "{\"vni\": 9}", 409, "store-foreign",
			   "systemctl restart weft-dataplane");
	char *problem = problem_of_dataplane(rig);
	assert_says(problem, "3 port(s)");
	free(problem);
	/* With the right store everything is as it was. */
	control_destroy(rig->control);
	memcpy(rig->state_dir, right, sizeof(right));
	rig_start_control(rig);
	rig_await_connected(rig, true);
	assert_null(problem_of_dataplane(rig));
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/diff", rig_lab), 0);
	rig_assert_link(rig, "c1", "up");
}

static void a_restart_of_the_dataplane_ends_the_refusal(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	control_destroy(rig->control);
	snprintf(rig->state_dir, sizeof(rig->state_dir), "%s/fresh", rig->dir);
	rig_start_control(rig);
	rig_await_connected(rig, true);
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/apply", rig_lab), 5);
	rig_assert_link(rig, "c1", "up");
}

static void a_store_that_was_emptied_still_empties_the_dataplane(void **state)
{
	struct rig *rig = *state;
	char text[4096];

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	rig_start_dataplane(rig);
	int kept = log_begin(rig);
	rig_await_connected(rig, true);
	log_end(kept, text, sizeof(text));
	assert_says(text, "sync: 5 added, 0 changed, 0 removed");
	rig_call_only(rig, "POST", "/v1/apply", "{\"name\": \"demo\"}", 200);
	assert_int_equal(
		rig_count_changes(rig, "POST", "/v1/apply?prune=1", "{\"name\": \"demo\"}"), 5);
	assert_int_equal(if_nametoindex("c1"), 0);
}

#define NETNS "weft-sync-test"

static const char in_netns[] =
	"{\"segments\": {\"A\": {\"vni\": 1}}, \"ports\": {\"n1\": {\"type\": \"tap\","
	" \"segment\": \"A\", \"netns\": \"" NETNS "\"}}}";

static void a_namespace_made_again_gets_its_device_back(void **state)
{
	struct rig *rig = *state;

	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	run_command("ip netns add " NETNS);
	rig_call_only(rig, "POST", "/v1/apply", in_netns, 200);
	run_command("ip netns del " NETNS);
	await_link(rig, "n1", "broken");
	run_command("ip netns add " NETNS);
	/* By itself within seconds; at once when the user applies, though nothing differs. */
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/apply", in_netns), 0);
	rig_assert_link(rig, "n1", "up");
	run_command("ip -n " NETNS " link show n1 >/dev/null");
	run_command("ip netns del " NETNS "; ip netns add " NETNS);
	while (system("ip -n " NETNS " link show n1 >/dev/null 2>&1") != 0)
		step(rig, deadline);
	await_link(rig, "n1", "up");
	run_command("ip netns del " NETNS);
}

/* Whoever is still in a deleted namespace keeps it alive, and the device in it. */
static void a_device_left_behind_in_an_old_namespace_is_made_anew(void **state)
{
	struct rig *rig = *state;

	run_command("ip netns add " NETNS);
	rig_call_only(rig, "POST", "/v1/apply", in_netns, 200);
	int old = open("/run/netns/" NETNS, O_RDONLY | O_CLOEXEC);
	assert_true(old >= 0);
	run_command("ip netns del " NETNS "; ip netns add " NETNS);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/apply", in_netns), 0);
	run_command("ip -n " NETNS " link show n1 >/dev/null");
	rig_assert_link(rig, "n1", "up");
	close(old);
	run_command("ip netns del " NETNS);
}

static void a_namespace_that_is_missing_at_a_restart_is_named(void **state)
{
	struct rig *rig = *state;
	json_t *json;

	run_command("ip netns add " NETNS);
	rig_call_only(rig, "POST", "/v1/apply", in_netns, 200);
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	run_command("ip netns del " NETNS);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
	assert_string_equal(rig_link_of(rig, "n1", &json), "broken");
	assert_says(json_string_value(json_object_get(json_object_get(json, "status"), "reason")),
		    "network namespace " NETNS " does not exist");
	json_decref(json);
}

static void every_change_is_logged_up_to_twenty(void **state)
{
	struct rig *rig = *state;
	json_t *segments = json_object();
	char name[8], text[8192];

	for (int i = 1; i <= 23; i++) {
		snprintf(name, sizeof(name), "S%02d", i);
		json_object_set_new(segments, name, json_pack("{s:i}", "vni", i));
	}
	json_t *tree = json_pack("{s:o}", "segments", segments);
	char *body = json_dumps(tree, 0);
	int kept = log_begin(rig);
	rig_call_only(rig, "POST", "/v1/apply", body, 200);
	log_end(kept, text, sizeof(text));
	assert_says(text, "apply: create segment S01\n");
	assert_says(text, "apply: create segment S20\n");
	assert_null(strstr(text, "S21"));
	assert_says(text, "apply: and 3 more\n");
	free(body);
	json_decref(tree);
}

int main(int argc, char **argv)
{
	struct rig rig = {0};
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_store_never_used_deletes_nothing, &rig),
		RIG_TEST(a_restart_of_the_dataplane_ends_the_refusal, &rig),
		RIG_TEST(a_store_that_was_emptied_still_empties_the_dataplane, &rig),
		RIG_TEST(a_namespace_made_again_gets_its_device_back, &rig),
		RIG_TEST(a_device_left_behind_in_an_old_namespace_is_made_anew, &rig),
		RIG_TEST(a_namespace_that_is_missing_at_a_restart_is_named, &rig),
		RIG_TEST(every_change_is_logged_up_to_twenty, &rig),
	};

	return rig_run(&rig, argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
