/* SPDX-License-Identifier: BSD-3-Clause */
/* Flight recorders of a whole dataplane: what a segment's rings hold when something has happened,
 * what is a trigger and what is none, and that ports of other segments pay nothing. */
#include "dataplane/flight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/loop.h"
#include "dataplane/counters.h"
#include "dataplane/recorder.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define NOW_S 1000
#define ALPHA RIG_ALPHA
#define BETA RIG_BETA
#define TAG 20

static void put_segment(struct dataplane *dp, uint32_t id, const char *flight, uint32_t storm_pps)
{
	struct dp_segment spec = rig_segment(id);

	rig_set_segment(&spec, "flight", flight);
	spec.storm_pps[DP_STORM_BROADCAST] = storm_pps;
	rig_put_segment_spec(dp, &spec);
}

static int set_up(void **state)
{
	struct dataplane *dp = rig_create(1);
	struct dp_port trunk = rig_port_spec(3, ALPHA);

	put_segment(dp, ALPHA, "on", 0);
	rig_put_segment(dp, BETA);
	rig_put_port(dp, 1, ALPHA);
	rig_put_port(dp, 2, ALPHA);
	rig_put_port(dp, 4, BETA);
	trunk.members[0].vlan = TAG;
	rig_put_port_spec(dp, &trunk);
	*state = dp;
	return 0;
}

static struct flight *flight_at(const struct dataplane *dp, uint32_t id)
{
	return atomic_load(&segment_find(dp, id)->flight);
}

static uint32_t count_told(const struct dataplane *dp)
{
	struct counters_header header;
	int fd = counters_reader_fd(dp->counters);

	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	close(fd);
	return header.n_flights;
}

struct found {
	unsigned int n;
	uint64_t port_id; /* the last one's, as the next two */
	uint32_t len;
	uint8_t mark;
};

static void find(void *ctx, const struct dp_dropped_frame *frame)
{
	struct found *found = ctx;

	assert_int_equal(frame->segment_id, ALPHA);
	assert_int_equal(frame->reason, DROP_NONE);
	found->n++;
	found->port_id = frame->port_id;
	found->len = frame->len;
	found->mark = frame->head[14];
}

static struct found look(const struct dataplane *dp, uint32_t segment_id)
{
	struct found found = {0};

	flight_walk(flight_at(dp, segment_id), find, &found);
	return found;
}

/* The rig's ports have room again. */
static void clear(const struct dataplane *dp)
{
	for (uint64_t id = 1; id <= 4; id++) {
		struct rig_port *port = rig_port(dp, id);

		port->n_in = port->n_taken = port->n_out = 0;
	}
}

static void assert_on(const struct dataplane *dp, uint64_t port_id, bool on)
{
	const struct port *port = port_find(dp, port_id);

	assert_ptr_equal(port_io(port), on ? &recorder_io : port->type);
}

static void test_only_its_segment(void **state)
{
	struct dataplane *dp = *state;

	assert_on(dp, 1, true);
	assert_on(dp, 3, true);
	assert_on(dp, 4, false);
	rig_send(dp, 1, RIG_BROADCAST, 1, 200, 5);
	rig_send(dp, 4, RIG_BROADCAST, 4, 200, 6);
	rig_turn(dp, NOW_S);
	struct found found = look(dp, ALPHA);

	assert_int_equal(found.n, 1);
	assert_int_equal(found.port_id, 1);
	assert_int_equal(found.len, 200);
	assert_int_equal(found.mark, 5);
	assert_null(flight_at(dp, BETA));
	assert_false(flight_is_triggered(flight_at(dp, ALPHA)));
}

static void test_trunk(void **state)
{
	struct dataplane *dp = *state;
	struct rig_port *trunk = rig_port(dp, 3);

	/* Without its tag it is of no segment. */
	rig_send(dp, 3, RIG_BROADCAST, 3, 60, 1);
	rig_turn(dp, NOW_S);
	assert_int_equal(look(dp, ALPHA).n, 0);
	rig_send(dp, 3, RIG_BROADCAST, 3, 60, 2);
	memcpy(trunk->in[trunk->n_in - 1].bytes + 12, "\x81\x00\x00\x14", 4);
	rig_turn(dp, NOW_S);
	assert_int_equal(look(dp, ALPHA).n, 1);
	assert_int_equal(look(dp, ALPHA).port_id, 3);
}

/* It comes and goes under traffic, and when ports come. */
static void test_on_and_off(void **state)
{
	struct dataplane *dp = *state;

	put_segment(dp, ALPHA, "off", 0);
	assert_null(flight_at(dp, ALPHA));
	assert_on(dp, 1, false);
	assert_on(dp, 3, false);
	put_segment(dp, BETA, "on", 0);
	assert_on(dp, 4, true);
	rig_put_port(dp, 5, BETA);
	assert_on(dp, 5, true);
	rig_put_port(dp, 5, ALPHA);
	assert_on(dp, 5, false);
	assert_int_equal(atomic_load(&dp->n_flights), 1);
	put_segment(dp, BETA, "off", 0);
	assert_on(dp, 4, false);
	assert_int_equal(atomic_load(&dp->n_flights), 0);
}

/* What was before the storm stays, some of it follows, and then nothing more until it was taken. */
static void test_storm(void **state)
{
	struct dataplane *dp = *state;
	struct flight *flight = flight_at(dp, ALPHA);

	put_segment(dp, ALPHA, "on", 1);
	assert_ptr_equal(flight_at(dp, ALPHA), flight);
	rig_send(dp, 2, 1, 2, 77, 0);
	rig_turn(dp, NOW_S);
	for (unsigned int i = 0; i < 100; i++)
		rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S + 1);
	rig_turn(dp, NOW_S + 1);
	assert_true(flight_is_triggered(flight));
	assert_int_equal(flight->trigger.kind, DP_FLIGHT_STORM);
	assert_int_equal(flight->trigger.reason, DROP_STORM_SEGMENT);
	assert_int_equal(flight->trigger.port_id, 1);
	assert_int_equal(flight->trigger.segment_id, ALPHA);
	assert_int_equal(flight->trigger.time_ns, (NOW_S + 1) * 1000000000ULL);
	assert_int_equal(flight->trigger.mac[5], 1);
	assert_int_equal(count_told(dp), 1);
	/* The burst before, the 64 of a millisecond, and none after those. */
	assert_int_equal(look(dp, ALPHA).n, 1 + FLIGHT_PER_MS);
	assert_int_equal(flight_skipped(flight), 100 - FLIGHT_PER_MS);
	assert_int_equal(flight_skipped(flight), 0);
	for (unsigned int i = 0; i < 10; i++) {
		clear(dp);
		for (unsigned int k = 0; k < 10; k++)
			rig_send(dp, 2, 1, 2, 78, 0);
		rig_turn(dp, NOW_S + 2 + i);
	}
	assert_int_equal(look(dp, ALPHA).n, 1 + FLIGHT_PER_MS + FLIGHT_AFTER);
	/* On again, but quiet for a while. */
	flight_arm(flight, (NOW_S + 20) * 1000000000ULL);
	for (unsigned int second = 21; second <= 31; second += 10) {
		clear(dp);
		for (unsigned int i = 0; i < 100; i++)
			rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
		rig_turn(dp, NOW_S + second);
		rig_turn(dp, NOW_S + second);
		assert_int_equal(flight_is_triggered(flight), second == 31);
	}
	assert_int_equal(count_told(dp), 2);
}

static void test_move(void **state)
{
	struct dataplane *dp = *state;
	struct flight *flight = flight_at(dp, ALPHA);
	uint64_t before_ns = loop_clock_ns();

	rig_send(dp, 1, 9, 7, 60, 0);
	rig_turn(dp, NOW_S);
	rig_turn(dp, NOW_S);
	assert_false(flight_is_triggered(flight));
	rig_send(dp, 2, 9, 7, 60, 0);
	rig_turn(dp, NOW_S + 1);
	assert_true(flight_is_triggered(flight));
	assert_int_equal(flight->trigger.kind, DP_FLIGHT_MOVE);
	assert_int_equal(flight->trigger.port_id, 2);
	assert_int_equal(flight->trigger.old_port_id, 1);
	assert_memory_equal(flight->trigger.mac, "\x02\0\0\0\0\x07", 6);
	assert_in_range(flight->trigger.time_ns, before_ns, loop_clock_ns());
}

/* More new addresses than are learned of one port. */
static void test_learn_limit(void **state)
{
	struct dataplane *dp = *state;
	struct flight *flight = flight_at(dp, ALPHA);

	for (uint32_t i = 0; i < 3000; i += BURST_FRAMES) {
		clear(dp);
		for (uint32_t k = 0; k < BURST_FRAMES; k++)
			rig_send(dp, 1, 9, 100 + i + k, 60, 0);
		rig_turn(dp, NOW_S);
	}
	assert_true(flight_is_triggered(flight));
	assert_int_equal(flight->trigger.kind, DP_FLIGHT_LEARN);
	assert_int_equal(flight->trigger.port_id, 1);
}

/* The ring is written over; the newest stay. */
static void test_ring(void **state)
{
	struct dataplane *dp = *state;

	for (unsigned int i = 0; i < 2 * FLIGHT_FRAMES; i++) {
		clear(dp);
		rig_send(dp, 2, 2, 2, 60 + i / FLIGHT_FRAMES, 0);
		rig_turn(dp, NOW_S + i);
	}
	assert_int_equal(look(dp, ALPHA).n, FLIGHT_FRAMES);
	assert_int_equal(look(dp, ALPHA).len, 61);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_only_its_segment, set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_trunk, set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_on_and_off, set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_storm, set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_move, set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_learn_limit, set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_ring, set_up, rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
