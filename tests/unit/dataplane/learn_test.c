/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/learn.c: what a burst asks for, and what main makes of it. */
#include "dataplane/learn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "dataplane/classify.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define NOW_S 1000
#define ALPHA 1 /* id and, as the first ones made, index of the segments */
#define BETA 2

static int set_up(void **state)
{
	struct dataplane *dp = rig_create(1);

	rig_put_segment(dp, ALPHA);
	rig_put_segment(dp, BETA);
	for (uint64_t id = 1; id <= 3; id++)
		rig_put_port(dp, id, ALPHA);
	*state = dp;
	return 0;
}

static int tear_down(void **state)
{
	dataplane_destroy(*state);
	return 0;
}

static struct burst *empty_burst(struct dataplane *dp)
{
	struct burst *burst = dp->workers[0]->burst;

	burst->n = burst->n_pieces = 0;
	burst->now_s = NOW_S;
	/* Always long after the last: what is limited is rates. */
	burst->now_ns += 1000000000;
	return burst;
}

/* Passes what is in the worker's burst through the stage; lost requests are counted. */
static bool stage(struct dataplane *dp, uint16_t port, uint64_t *lost)
{
	struct burst *burst = dp->workers[0]->burst;

	classify_burst(dp, port_find(dp, port), burst);
	return learn_burst(dp->fdb, dp->workers[0]->learn, burst, port_find(dp, port), lost);
}

static bool heard(struct dataplane *dp, uint16_t port, uint32_t station)
{
	uint64_t lost = 0;

	rig_add_frame(empty_burst(dp), RIG_BROADCAST, station, 64);
	return stage(dp, port, &lost);
}

static uint16_t where(struct dataplane *dp, uint16_t segment, uint32_t station)
{
	uint8_t mac[6];

	rig_mac(mac, station);
	return fdb_lookup(dp->fdb, fdb_key(segment, mac), NOW_S, RIG_AGE_S);
}

static void main_does(struct dataplane *dp)
{
	learn_requests(dp, dp->workers[0]->learn);
}

static uint32_t n_macs(const struct dataplane *dp, uint64_t id)
{
	return fdb_count_port(dp->fdb, port_find(dp, id)->index);
}

static void a_new_source_is_known_after_mains_turn(void **state)
{
	struct dataplane *dp = *state;

	assert_true(heard(dp, 1, 50));
	assert_int_equal(where(dp, ALPHA, 50), FDB_NO_PORT);
	main_does(dp);
	assert_int_equal(where(dp, ALPHA, 50), 1);
	assert_int_equal(n_macs(dp, 1), 1);
	/* Nothing to ask for any more. */
	assert_false(heard(dp, 1, 50));
}

static void a_source_that_moved_is_counted_at_its_new_port(void **state)
{
	struct dataplane *dp = *state;

	heard(dp, 1, 50);
	main_does(dp);
	assert_true(heard(dp, 2, 50));
	main_does(dp);
	assert_int_equal(where(dp, ALPHA, 50), 2);
	assert_int_equal(n_macs(dp, 1), 0);
	assert_int_equal(n_macs(dp, 2), 1);
}

static void a_dropped_frame_teaches_nothing(void **state)
{
	struct dataplane *dp = *state;
	uint64_t lost = 0;

	rig_add_frame(empty_burst(dp), RIG_BROADCAST, 50, 64)->drop = DROP_BAD_OFFLOAD;
	assert_false(stage(dp, 1, &lost));
	main_does(dp);
	assert_int_equal(where(dp, ALPHA, 50), FDB_NO_PORT);
}

static void a_request_of_a_port_that_has_gone_is_refused(void **state)
{
	struct dataplane *dp = *state;

	struct port *port = port_find(dp, 1);

	heard(dp, 1, 50);
	port_unpublish(port);
	main_does(dp);
	assert_int_equal(fdb_count(dp->fdb), 0);
	port_destroy(port);
}

static void a_request_of_a_port_that_left_the_segment_is_refused(void **state)
{
	struct dataplane *dp = *state;
	struct port *port = port_find(dp, 1);

	heard(dp, 1, 50);
	atomic_store(&port->segment, BETA);
	main_does(dp);
	assert_int_equal(where(dp, ALPHA, 50), FDB_NO_PORT);
	assert_int_equal(where(dp, BETA, 50), FDB_NO_PORT);
	assert_int_equal(n_macs(dp, 1), 0);
}

static void a_port_at_its_limit_gives_up_its_oldest_and_takes_nothing_from_others(void **state)
{
	struct dataplane *dp = *state;
	uint32_t max = port_find(dp, 1)->max_macs = 500;

	heard(dp, 2, 1);
	main_does(dp);
	for (uint32_t i = 0; i < max + 10; i++) {
		heard(dp, 1, 100 + i);
		main_does(dp);
	}
	heard(dp, 1, 1);
	main_does(dp);
	assert_int_equal(n_macs(dp, 1), max);
	assert_int_equal(where(dp, ALPHA, 100), FDB_NO_PORT);
	assert_int_equal(where(dp, ALPHA, 109), FDB_NO_PORT);
	assert_int_equal(where(dp, ALPHA, 110), 1);
	assert_int_equal(where(dp, ALPHA, 109 + max), 1);
	assert_int_equal(where(dp, ALPHA, 1), 2);
	/* Others still learn. */
	heard(dp, 2, 2);
	main_does(dp);
	assert_int_equal(where(dp, ALPHA, 2), 2);
}

static void learn(struct dataplane *dp, uint16_t port, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		heard(dp, port, first + i);
		main_does(dp);
	}
}

static void in_a_full_segment_a_flooder_displaces_only_itself(void **state)
{
	struct dataplane *dp = *state;

	segment_find(dp, ALPHA)->max_macs = 100;
	learn(dp, 2, 1, 10);
	learn(dp, 1, 1000, 500);
	assert_int_equal(fdb_count_segment(dp->fdb, ALPHA), 100);
	assert_int_equal(n_macs(dp, 1), 90);
	for (uint32_t i = 1; i <= 10; i++)
		assert_int_equal(where(dp, ALPHA, i), 2);
	assert_int_equal(where(dp, ALPHA, 1499), 1);
}

static void in_a_full_segment_who_has_less_than_a_share_gets_it(void **state)
{
	struct dataplane *dp = *state;

	segment_find(dp, ALPHA)->max_macs = 100;
	learn(dp, 1, 1000, 500);
	learn(dp, 2, 1, 70);
	assert_int_equal(fdb_count_segment(dp->fdb, ALPHA), 100);
	/* Three ports: a third for who wants it, beyond it nothing from others. */
	assert_int_equal(n_macs(dp, 1), 67);
	assert_int_equal(n_macs(dp, 2), 33);
	assert_int_equal(where(dp, ALPHA, 70), 2);
}

static void when_the_table_is_full_the_flooder_pays(void **state)
{
	struct dataplane *dp = *state;
	uint32_t capacity = dp->config.fdb_capacity;

	rig_put_port(dp, 3, BETA);
	learn(dp, 1, 1000, 2 * capacity);
	assert_int_equal(n_macs(dp, 1), capacity);
	learn(dp, 3, 1, 100);
	assert_int_equal(n_macs(dp, 3), 100);
	learn(dp, 1, 1000, capacity);
	assert_int_equal(n_macs(dp, 3), 100);
	assert_int_equal(fdb_count(dp->fdb), capacity);
}

static void put_with(struct dataplane *dp, uint64_t id, const char *key, const char *word)
{
	struct dp_port port = rig_port_spec(id, ALPHA);

	if (key != NULL)
		rig_set_port(&port, key, word);
	rig_put_port_spec(dp, &port);
}

/* A burst of new addresses of the port at a moment; requests that were made. */
static unsigned int flood(struct dataplane *dp, uint16_t port, uint32_t first, uint64_t now_ns)
{
	struct burst *burst = empty_burst(dp);
	uint64_t lost = 0;
	unsigned int before = rte_ring_count(dp->workers[0]->learn);

	burst->now_ns = now_ns;
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		rig_add_frame(burst, RIG_BROADCAST, first + i, 64);
	stage(dp, port, &lost);
	unsigned int asked = rte_ring_count(dp->workers[0]->learn) - before;

	assert_int_equal(lost, BURST_FRAMES - asked);
	return asked;
}

static void a_port_asks_at_a_limited_rate(void **state)
{
	struct dataplane *dp = *state;
	uint64_t start_ns = 1000000000;
	uint32_t station = 1000;
	unsigned int n = 0;

	/* Main keeps up: only the port's rate counts. */
	for (unsigned int ms = 0; ms < 2000; ms++) {
		for (unsigned int i = 0; i < 2; i++, station += BURST_FRAMES)
			n += flood(dp, 1, station, start_ns + ms * 1000000ULL);
		main_does(dp);
	}
	unsigned int expected =
		2 * (LEARN_PER_S + LEARN_EASY_PER_S) + LEARN_BURST + LEARN_EASY_BURST;

	assert_in_range(n, expected - 40, expected + 1);
}

static void the_ring_has_room_for_who_asks_little(void **state)
{
	struct dataplane *dp = *state;
	uint64_t now_ns = 1000000000;
	uint32_t station = 1000;

	port_find(dp, 1)->max_macs = 500;
	/* Main does nothing for ten seconds. */
	for (unsigned int ms = 0; ms < 10000; ms++, station += BURST_FRAMES)
		flood(dp, 1, station, now_ns += 1000000);
	assert_in_range(rte_ring_count(dp->workers[0]->learn), LEARN_REQUESTS / 2,
			LEARN_REQUESTS / 2 + 10 * LEARN_EASY_PER_S + LEARN_EASY_BURST);
	assert_int_equal(flood(dp, 2, 1, now_ns), LEARN_EASY_BURST);
	main_does(dp);
	assert_int_equal(where(dp, ALPHA, 1), 2);
	assert_int_equal(where(dp, ALPHA, LEARN_EASY_BURST), 2);
	assert_int_equal(n_macs(dp, 1), 500);
}

static void requests_that_do_not_fit_are_counted(void **state)
{
	struct dataplane *dp = *state;
	struct rte_ring *ring = dp->workers[0]->learn;
	struct learn_request request = {.port = 9};

	/* A ring of n holds n - 1. */
	while (rte_ring_count(ring) < LEARN_REQUESTS - 2)
		assert_int_equal(rte_ring_sp_enqueue_elem(ring, &request, sizeof(request)), 0);
	assert_int_equal(flood(dp, 1, 1000, 1000000000), 1);
	main_does(dp);
	assert_int_equal(n_macs(dp, 1), 1);
}

/* Port 4: a trunk in both segments. */
static uint16_t put_trunk(struct dataplane *dp)
{
	struct dp_port spec = rig_port_spec(4, ALPHA);

	spec.members[spec.n_members++] = (struct dp_member){.segment_id = BETA, .vlan = 20};
	rig_put_port_spec(dp, &spec);
	return port_find(dp, 4)->index;
}

/* The trunk hears these stations in a segment. */
static void learn_tagged(struct dataplane *dp, uint16_t segment, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct frame *frame = rig_add_frame(empty_burst(dp), RIG_BROADCAST, i, 64);
		uint64_t lost = 0;
		uint8_t mac[6];

		rig_mac(mac, i);
		frame->segment = segment;
		frame->src_key = fdb_key(segment, mac);
		learn_burst(dp->fdb, dp->workers[0]->learn, dp->workers[0]->burst, port_find(dp, 4),
			    &lost);
		assert_int_equal(lost, 0);
		main_does(dp);
	}
}

static void a_trunks_share_of_a_segment_is_what_it_has_there(void **state)
{
	struct dataplane *dp = *state;
	uint16_t trunk = put_trunk(dp);

	/* Four ports: 25 for who wants it. */
	segment_find(dp, ALPHA)->max_macs = 100;
	learn_tagged(dp, BETA, 5000, 300);
	learn(dp, 1, 1000, 500);
	/* What it has in BETA is no reason to have nothing in ALPHA. */
	learn_tagged(dp, ALPHA, 1, 20);
	assert_int_equal(fdb_count_in(dp->fdb, trunk, ALPHA), 20);
	assert_int_equal(fdb_count_in(dp->fdb, trunk, BETA), 300);
	assert_int_equal(n_macs(dp, 1), 80);
	/* And a neighbour's share is not at its mercy. */
	learn(dp, 2, 2000, 25);
	learn_tagged(dp, ALPHA, 100, 400);
	assert_int_equal(n_macs(dp, 2), 25);
	assert_int_equal(fdb_count_in(dp->fdb, trunk, ALPHA), 25);
	assert_int_equal(n_macs(dp, 1), 50);
}

static void the_segments_of_a_trunk_share_its_limit(void **state)
{
	struct dataplane *dp = *state;
	uint16_t trunk = put_trunk(dp);

	port_find(dp, 4)->max_macs = 100;
	learn_tagged(dp, ALPHA, 1, 300);
	learn_tagged(dp, BETA, 5000, 30);
	assert_int_equal(fdb_count_in(dp->fdb, trunk, BETA), 30);
	learn_tagged(dp, ALPHA, 1000, 300);
	assert_int_equal(fdb_count_in(dp->fdb, trunk, BETA), 30);
	learn_tagged(dp, BETA, 6000, 300);
	assert_int_equal(fdb_count_in(dp->fdb, trunk, ALPHA), 50);
	assert_int_equal(n_macs(dp, 4), 100);
}

static void a_full_segment_of_static_addresses_gives_none_up(void **state)
{
	struct dataplane *dp = *state;

	put_with(dp, 2, "macs", "02:00:00:00:00:32,02:00:00:00:00:33");
	put_with(dp, 3, "macs", "02:00:00:00:00:34");
	segment_find(dp, ALPHA)->max_macs = 1;
	learn(dp, 1, 1000, 20);
	learn(dp, 2, 2000, 20);
	assert_int_equal(fdb_count_segment(dp->fdb, ALPHA), 1);
	assert_int_equal(where(dp, ALPHA, 50), 2);
	assert_int_equal(where(dp, ALPHA, 51), 2);
	assert_int_equal(where(dp, ALPHA, 52), 3);
}

static void a_run_of_one_source_asks_once(void **state)
{
	struct dataplane *dp = *state;
	struct burst *burst = empty_burst(dp);
	uint64_t lost = 0;

	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		rig_add_frame(burst, RIG_BROADCAST, 50, 64);
	assert_true(stage(dp, 1, &lost));
	assert_int_equal(rte_ring_count(dp->workers[0]->learn), 1);
}

static void a_static_address_is_known_unheard_and_stays(void **state)
{
	struct dataplane *dp = *state;

	heard(dp, 1, 50);
	main_does(dp);
	put_with(dp, 2, "macs", "02:00:00:00:00:32,02:00:00:00:00:33");
	assert_int_equal(where(dp, ALPHA, 50), 2);
	assert_int_equal(where(dp, ALPHA, 51), 2);
	assert_int_equal(where(dp, BETA, 50), FDB_NO_PORT);
	assert_int_equal(n_macs(dp, 1) + n_macs(dp, 2), 0);
	assert_false(heard(dp, 1, 50));
	main_does(dp);
	assert_int_equal(where(dp, ALPHA, 50), 2);
	/* The next sweep of all is long after its age. */
	dataplane_turn(dp, 1000000000000000ULL);
	assert_int_equal(where(dp, ALPHA, 50), 2);
}

static void a_static_address_goes_with_the_word_for_it(void **state)
{
	struct dataplane *dp = *state;

	put_with(dp, 2, "macs", "02:00:00:00:00:32,02:00:00:00:00:33");
	put_with(dp, 2, "macs", "02:00:00:00:00:33");
	assert_int_equal(where(dp, ALPHA, 50), FDB_NO_PORT);
	assert_int_equal(where(dp, ALPHA, 51), 2);
	put_with(dp, 2, "state", "blocked");
	assert_int_equal(where(dp, ALPHA, 51), FDB_NO_PORT);
	put_with(dp, 3, "macs", "02:00:00:00:00:33");
	assert_int_equal(where(dp, ALPHA, 51), 3);
	rig_del_port(dp, 3);
	assert_int_equal(where(dp, ALPHA, 51), FDB_NO_PORT);
	put_with(dp, 3, "macs", "02:00:00:00:00:33");
	assert_int_equal(where(dp, ALPHA, 51), port_find(dp, 3)->index);
}

static void a_static_address_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"03:00:00:00:00:01",
		"00:00:00:00:00:00",
		"02:00:00:00:00:1",
		"02:00:00:00:00:01,",
		"02:00:00:00:00:01,02:00:00:00:00:01",
		"02:00:00:00:00:011",
		"2:000:00:00:00:01",
	};
	uint8_t macs[PORT_OPTIONS_MACS_MAX][6];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(port_options_parse_macs(bad[i], macs), -EINVAL);
	assert_int_equal(port_options_parse_macs("02:00:00:00:00:0A,02:00:00:00:00:02", macs), 2);
	assert_int_equal(macs[0][5], 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_new_source_is_known_after_mains_turn),
		TEST(a_source_that_moved_is_counted_at_its_new_port),
		TEST(a_dropped_frame_teaches_nothing),
		TEST(a_request_of_a_port_that_has_gone_is_refused),
		TEST(a_request_of_a_port_that_left_the_segment_is_refused),
		TEST(a_port_at_its_limit_gives_up_its_oldest_and_takes_nothing_from_others),
		TEST(in_a_full_segment_a_flooder_displaces_only_itself),
		TEST(in_a_full_segment_who_has_less_than_a_share_gets_it),
		TEST(when_the_table_is_full_the_flooder_pays),
		TEST(a_port_asks_at_a_limited_rate),
		TEST(the_ring_has_room_for_who_asks_little),
		TEST(requests_that_do_not_fit_are_counted),
		TEST(a_trunks_share_of_a_segment_is_what_it_has_there),
		TEST(the_segments_of_a_trunk_share_its_limit),
		TEST(a_full_segment_of_static_addresses_gives_none_up),
		TEST(a_run_of_one_source_asks_once),
		TEST(a_static_address_is_known_unheard_and_stays),
		TEST(a_static_address_goes_with_the_word_for_it),
		TEST(a_static_address_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
