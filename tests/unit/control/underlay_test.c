/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control/underlay.h, from the kernel's routes and neighbours to the link of a peer:
 *
 *     weftd, weft-dataplane  u0 10.9.0.1/24, 10.9.0.11 ── veth ── u1, nobody answers there
 */
#include "control/underlay.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/deadline.h"
#include "tests/unit/control/rig.h"

#define NEIGHBOUR "ip neigh replace 10.9.0.2 dev u0 nud permanent lladdr "

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void await_link(struct rig *rig, const char *port, const char *wanted)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	for (;;) {
		json_t *json;
		bool is_there = strcmp(rig_link_of(rig, port, &json), wanted) == 0;

		json_decref(json);
		if (is_there)
			return;
		assert_false(deadline_passed(deadline));
		assert_int_equal(control_turn(rig->control), 0);
	}
}

static void await_reason(struct rig *rig, const char *words)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	for (;;) {
		json_t *json = rig_call(rig, "GET", "/v1/ports/h2", "", 200);
		json_t *status = json_object_get(json, "status");
		bool is_there =
			strstr(json_string_value(json_object_get(status, "reason")), words) != NULL;

		json_decref(json);
		if (is_there)
			return;
		assert_false(deadline_passed(deadline));
		assert_int_equal(control_turn(rig->control), 0);
	}
}

static void put(struct rig *rig, const char *vtep)
{
	char body[256];

	snprintf(body, sizeof(body),
		 "{\"name\": \"demo\", \"segments\": {\"A\": {\"vni\": 100}}, \"ports\": {"
		 "\"up\": {\"type\": \"uplink\", \"ifname\": \"u0\", \"vtep\": \"%s\"}},"
		 " \"peers\": {\"h2\": {\"vtep\": \"10.9.0.2\"}}}",
		 vtep);
	rig_call_only(rig, "POST", "/v1/apply", body, 200);
}

static int set_up(void **state)
{
	run("ip link add u0 type veth peer name u1; ip link set u1 up;"
	    "ip addr add 10.9.0.1/24 dev u0; ip addr add 10.9.0.11/24 dev u0; ip link set u0 up");
	return rig_setup(state);
}

static int tear_down(void **state)
{
	run("ip link del u0");
	return rig_teardown(state);
}

static void a_peer_is_up_while_its_neighbour_is_known(void **state)
{
	struct rig *rig = *state;

	put(rig, "10.9.0.1");
	await_link(rig, "h2", "down");
	await_reason(rig, "no neighbour on u0 answers");
	run(NEIGHBOUR "02:00:00:00:00:02");
	await_link(rig, "h2", "up");
	run("ip link set u0 down");
	await_link(rig, "h2", "down");
	run("ip link set u0 up; " NEIGHBOUR "02:00:00:00:00:02");
	await_link(rig, "h2", "up");
}

static void an_uplink_that_is_replaced_and_a_dataplane_too_get_it_again(void **state)
{
	struct rig *rig = *state;

	run(NEIGHBOUR "02:00:00:00:00:02");
	put(rig, "10.9.0.1");
	await_link(rig, "h2", "up");
	put(rig, "10.9.0.11");
	await_link(rig, "h2", "up");
	rig_call_only(rig, "DELETE", "/v1/ports/up", "", 200);
	await_link(rig, "h2", "down");
	put(rig, "10.9.0.1");
	await_link(rig, "h2", "up");
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
	await_link(rig, "h2", "up");
}

static void what_is_refused_is_tried_again(void **state)
{
	struct rig *rig = *state;

	put(rig, "10.9.0.1");
	run(NEIGHBOUR "01:00:00:00:00:02");
	await_reason(rig, "MAC is that of a group");
	run(NEIGHBOUR "02:00:00:00:00:02");
	await_link(rig, "h2", "up");
}

static void news_that_were_lost_are_looked_up(void **state)
{
	struct rig *rig = *state;

	put(rig, "10.9.0.1");
	await_link(rig, "h2", "down");
	/* More than weftd's socket holds, and what matters is in the part that is lost. */
	run("{ i=0; while [ $i -lt 20000 ]; do echo neigh replace 10.9.0.$((i % 200 + 20)) lladdr"
	    " 02:00:00:00:$((i / 100 % 90 + 10)):0c dev u0 nud permanent; i=$((i + 1)); done;"
	    " echo neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev u0 nud permanent; }"
	    " | ip -batch -");
	await_link(rig, "h2", "up");
}

int main(int argc, char **argv)
{
	static struct rig rig;
#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, set_up, tear_down, &rig)
	const struct CMUnitTest tests[] = {
		TEST(a_peer_is_up_while_its_neighbour_is_known),
		TEST(an_uplink_that_is_replaced_and_a_dataplane_too_get_it_again),
		TEST(what_is_refused_is_tried_again),
		TEST(news_that_were_lost_are_looked_up),
	};

	return rig_run(&rig, argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
