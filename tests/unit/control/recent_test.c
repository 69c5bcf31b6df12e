/* SPDX-License-Identifier: BSD-3-Clause */
/* What ports have counted lately, over counters that the test writes. */
#include "control/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/control/counters_file.h"

#define SLOTS 4
#define WORKERS 2
#define PORT 2 /* its slot */
#define S_NS UINT64_C(1000000000)
#define START_S 1000

struct rig {
	struct counters_file file;
	struct recent *recent;
	uint64_t second;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	counters_file_open(&rig->file, SLOTS, WORKERS, 1);
	assert_int_equal(recent_create(&rig->recent), 0);
	rig->second = START_S;
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	recent_destroy(rig->recent);
	recent_destroy(NULL);
	counters_file_close(&rig->file);
	free(rig);
	return 0;
}

static int look(struct rig *rig)
{
	return recent_run(rig->recent, &rig->file.meter, rig->second * S_NS);
}

/* As weftd does: once a second. */
static void pass(struct rig *rig, unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds; i++, rig->second++)
		look(rig);
	look(rig);
}

static void own(const struct rig *rig, uint64_t id)
{
	counters_file_slot(&rig->file, PORT)->object_id = id;
	counters_file_slot(&rig->file, PORT)->generation++;
}

static void take(const struct rig *rig, unsigned int frames, unsigned int drops)
{
	counters_file_block(&rig->file, PORT, 0)->rx_frames += frames;
	counters_file_block(&rig->file, PORT, 1)->drops[DROP_VLAN] += drops;
}

static struct recent_port read_port(const struct rig *rig)
{
	struct recent_port port;

	recent_read(rig->recent, &rig->file.meter, PORT, rig->second * S_NS, &port);
	return port;
}

static void what_was_counted_before_anybody_looked_is_not_of_late(void **state)
{
	struct rig *rig = *state;

	own(rig, 7);
	take(rig, 100, 50);
	pass(rig, 3);
	struct recent_port port = read_port(rig);

	assert_int_equal(port.all_drops[DROP_VLAN], 50);
	assert_int_equal(port.lately.rx_frames, 0);
	assert_int_equal(port.drops[DROP_VLAN], 0);
	assert_int_equal(port.span_ns, 3 * S_NS);
	assert_int_equal(port.quiet_ns[DROP_VLAN], 3 * S_NS);
}

static void what_a_new_port_counts_is_of_late_at_once(void **state)
{
	struct rig *rig = *state;

	pass(rig, 20);
	own(rig, 7);
	take(rig, 5, 4);
	/* Nobody has looked at it yet. */
	assert_int_equal(read_port(rig).drops[DROP_VLAN], 4);
	assert_int_equal(read_port(rig).span_ns, 20 * S_NS);
	pass(rig, 20);
	take(rig, 5, 4);
	struct recent_port port = read_port(rig);

	assert_int_equal(port.lately.rx_frames, 10);
	assert_int_equal(port.drops[DROP_VLAN], 8);
	assert_int_equal(port.span_ns, 40 * S_NS);
	assert_int_equal(port.quiet_ns[DROP_VLAN], 0);
}

/* Of late for 45 s at least, and 60 at most. */
static void after_a_minute_it_is_long_ago(void **state)
{
	struct rig *rig = *state;

	own(rig, 7);
	pass(rig, 100);
	take(rig, 10, 10);
	uint64_t then = rig->second;

	for (; rig->second < then + 300; pass(rig, 1)) {
		struct recent_port port = read_port(rig);
		uint64_t age_s = rig->second - then;

		assert_int_equal(port.all_drops[DROP_VLAN], 10);
		assert_in_range(port.span_ns, 45 * S_NS, 60 * S_NS);
		if (age_s <= 45)
			assert_int_equal(port.drops[DROP_VLAN], 10);
		if (age_s > 60)
			assert_int_equal(port.drops[DROP_VLAN], 0);
		if (port.drops[DROP_VLAN] == 0)
			assert_in_range(port.quiet_ns[DROP_VLAN], (age_s - 15) * S_NS,
					age_s * S_NS);
	}
}

static void a_slot_with_another_owner_begins_anew(void **state)
{
	struct rig *rig = *state;

	own(rig, 7);
	take(rig, 100, 50);
	pass(rig, 100);
	*counters_file_block(&rig->file, PORT, 0) = (struct counters_block){0};
	*counters_file_block(&rig->file, PORT, 1) = (struct counters_block){0};
	/* The same port, made again. */
	own(rig, 7);
	take(rig, 60, 60);
	assert_int_equal(read_port(rig).drops[DROP_VLAN], 60);
	pass(rig, 16);
	assert_int_equal(read_port(rig).lately.rx_frames, 60);
	assert_int_equal(read_port(rig).drops[DROP_VLAN], 60);
}

static void another_dataplane_begins_anew_at_once(void **state)
{
	struct rig *rig = *state;

	own(rig, 7);
	take(rig, 100, 50);
	pass(rig, 100);
	rig->file.header->epoch++;
	take(rig, 1, 1);
	assert_int_equal(look(rig), RECENT_LOOK_MS);
	assert_int_equal(read_port(rig).drops[DROP_VLAN], 0);
	assert_int_equal(read_port(rig).span_ns, 0);
}

static void looks_are_taken_when_they_are_due(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(recent_run(rig->recent, NULL, 0), RECENT_LOOK_MS);
	assert_int_equal(look(rig), RECENT_LOOK_MS);
	rig->second += 5;
	assert_int_equal(look(rig), RECENT_LOOK_MS - 5000);
	assert_int_equal(recent_run(rig->recent, NULL, rig->second * S_NS), RECENT_LOOK_MS);
	rig->second += 100;
	assert_int_equal(look(rig), RECENT_LOOK_MS);
}

/* What has become less has begun again. */
static void what_goes_down(void **state)
{
	struct rig *rig = *state;

	own(rig, 7);
	take(rig, 100, 50);
	pass(rig, 1);
	counters_file_block(&rig->file, PORT, 0)->rx_frames = 30;
	assert_int_equal(read_port(rig).lately.rx_frames, 30);
}

/* Each reason has a past of its own, in whatever order they come. */
static void reasons_are_apart(void **state)
{
	struct rig *rig = *state;
	struct counters_block *block = counters_file_block(&rig->file, PORT, 0);

	own(rig, 7);
	pass(rig, 15);
	for (unsigned int i = DROP_COUNT; i-- > 0;) {
		block->drops[i] += i + 1;
		pass(rig, 15);
	}
	struct recent_port port = read_port(rig);

	for (unsigned int i = 0; i < DROP_COUNT; i++) {
		assert_int_equal(port.all_drops[i], i + 1);
		assert_int_equal(port.drops[i], i <= 2 ? i + 1 : 0);
		if (i > 2)
			assert_int_equal(port.quiet_ns[i] / (15 * S_NS), i);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_counted_before_anybody_looked_is_not_of_late),
		TEST(what_a_new_port_counts_is_of_late_at_once),
		TEST(after_a_minute_it_is_long_ago),
		TEST(a_slot_with_another_owner_begins_anew),
		TEST(another_dataplane_begins_anew_at_once),
		TEST(looks_are_taken_when_they_are_due),
		TEST(what_goes_down),
		TEST(reasons_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
