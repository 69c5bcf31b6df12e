/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of port states (api/port_options.h): what passes, what is learned, what is forgotten. */
#include "dataplane/api/port_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "tests/unit/dataplane/rig.h"

#define SEGMENT 10

/* Ports 1, 2, 3 with stations 1, 2, 3, all known. */
static int set_up(void **state)
{
	struct dataplane *dp = rig_create(1);

	rig_put_segment(dp, SEGMENT);
	for (uint64_t id = 1; id <= 3; id++)
		rig_put_port(dp, id, SEGMENT);
	for (uint32_t id = 1; id <= 3; id++)
		rig_send(dp, id, RIG_BROADCAST, id, 64, 0);
	rig_turn(dp, 1);
	for (uint64_t id = 1; id <= 3; id++)
		rig_port(dp, id)->n_out = 0;
	*state = dp;
	return 0;
}

static int tear_down(void **state)
{
	rig_assert_accounted(*state);
	dataplane_destroy(*state);
	return 0;
}

static void set_state(struct dataplane *dp, uint64_t id, const char *word)
{
	struct dp_port spec = rig_port_spec(id, SEGMENT);

	spec.generation = 2;
	rig_set_port(&spec, "state", word);
	rig_put_port_spec(dp, &spec);
}

/* One frame, in the second turn. */
static void send(struct dataplane *dp, uint32_t from, uint32_t to)
{
	rig_send(dp, from, to, from, 64, 0);
	rig_turn(dp, 2);
}

static void expect_out(struct dataplane *dp, unsigned int n1, unsigned int n2, unsigned int n3)
{
	assert_int_equal(rig_port(dp, 1)->n_out, n1);
	assert_int_equal(rig_port(dp, 2)->n_out, n2);
	assert_int_equal(rig_port(dp, 3)->n_out, n3);
}

static uint64_t blocked_at(struct dataplane *dp, uint64_t id)
{
	return rig_counters(dp, id)->drops[DROP_BLOCKED];
}

static void a_blocked_or_standby_port_takes_and_gives_nothing(void **state)
{
	static const char *const words[] = {"blocked", "standby"};
	struct dataplane *dp = *state;

	for (size_t i = 0; i < 2; i++) {
		set_state(dp, 1, words[i]);
		send(dp, 1, 2);
		send(dp, 1, RIG_BROADCAST);
		expect_out(dp, 0, 0, 0);
		assert_int_equal(blocked_at(dp, 1), 2 * (i + 1));
	}
	send(dp, 2, RIG_BROADCAST);
	expect_out(dp, 0, 0, 1);
}

static void addresses_behind_a_blocked_port_are_forgotten_and_not_learned(void **state)
{
	struct dataplane *dp = *state;

	assert_int_equal(fdb_count(dp->fdb), 3);
	set_state(dp, 1, "blocked");
	assert_int_equal(fdb_count(dp->fdb), 2);
	send(dp, 1, 2);
	assert_int_equal(fdb_count(dp->fdb), 2);
	assert_int_equal(fdb_count_port(dp->fdb, 1), 0);
	/* Unknown now: it goes to whoever else may have it. */
	send(dp, 2, 1);
	expect_out(dp, 0, 0, 1);
}

static void an_active_port_is_as_before(void **state)
{
	struct dataplane *dp = *state;

	set_state(dp, 1, "standby");
	set_state(dp, 1, "active");
	send(dp, 2, RIG_BROADCAST);
	expect_out(dp, 1, 0, 1);
	send(dp, 1, 2);
	expect_out(dp, 1, 1, 1);
	assert_int_equal(fdb_count(dp->fdb), 3);
	assert_int_equal(blocked_at(dp, 1), 0);
}

static void a_draining_port_sends_and_gets_only_what_is_addressed_to_it(void **state)
{
	struct dataplane *dp = *state;

	set_state(dp, 1, "draining");
	send(dp, 1, 2);
	expect_out(dp, 0, 1, 0);
	send(dp, 2, 1);
	expect_out(dp, 1, 1, 0);
	send(dp, 2, RIG_BROADCAST);
	expect_out(dp, 1, 1, 1);
}

static void an_address_that_drains_is_learned_elsewhere_and_does_not_come_back(void **state)
{
	struct dataplane *dp = *state;

	set_state(dp, 1, "draining");
	rig_send(dp, 3, 2, 1, 64, 0);	/* station 1 has arrived at port 3 */
	rig_turn(dp, 2);
	send(dp, 2, 1);
	expect_out(dp, 0, 1, 1);
	/* Its last frames here change nothing. */
	send(dp, 1, 2);
	send(dp, 2, 1);
	expect_out(dp, 0, 2, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_blocked_or_standby_port_takes_and_gives_nothing),
		TEST(addresses_behind_a_blocked_port_are_forgotten_and_not_learned),
		TEST(an_active_port_is_as_before),
		TEST(a_draining_port_sends_and_gets_only_what_is_addressed_to_it),
		TEST(an_address_that_drains_is_learned_elsewhere_and_does_not_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
