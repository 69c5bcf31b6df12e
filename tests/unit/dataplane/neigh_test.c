/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/neigh.c: the table, and what main makes of requests. */
#include "dataplane/neigh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <rte_ring_elem.h>
#include <string.h>

#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define ALPHA 1
#define BETA 2

static struct neigh_entry entry(uint16_t segment, uint32_t ip, uint32_t station, uint16_t port)
{
	struct neigh_entry entry = {.port = port, .version = 4, .seen_s = 100};
	uint8_t mac[6];

	rig_mac(mac, station);
	entry.key = fdb_key(segment, mac);
	memcpy(entry.ip, &ip, sizeof(ip));
	return entry;
}

/* Looks for an address by a walk. */
struct search {
	struct neigh_entry wanted, found;
	unsigned int n;
};

static bool look(void *ctx, const struct neigh_entry *entry)
{
	struct search *search = ctx;

	if (memcmp(entry->ip, search->wanted.ip, 16) == 0 &&
	    fdb_key_segment(entry->key) == fdb_key_segment(search->wanted.key) &&
	    entry->version == search->wanted.version) {
		search->found = *entry;
		search->n++;
	}
	return false;
}

/* The port where an address is; 0: nowhere. */
static uint16_t where(struct neigh *neigh, uint16_t segment, uint32_t ip)
{
	struct search search = {.wanted = entry(segment, ip, 0, 0)};

	neigh_sweep(neigh, NEIGH_ALL, NEIGH_ALL, look, &search);
	assert_true(search.n <= 1);
	return search.found.port;
}

static bool learn(struct neigh *neigh, uint16_t segment, uint32_t ip, uint32_t station,
		  uint16_t port)
{
	struct neigh_entry one = entry(segment, ip, station, port);

	return neigh_learn(neigh, &one);
}

static struct neigh *create(void)
{
	struct neigh *neigh = NULL;

	assert_int_equal(neigh_create(1, &neigh), 0);
	return neigh;
}

static void the_last_claim_counts(void **state)
{
	struct neigh *neigh = create();

	assert_true(learn(neigh, ALPHA, 7, 50, 1));
	assert_true(learn(neigh, ALPHA, 7, 50, 1));
	assert_int_equal(neigh_count(neigh), 1);
	assert_int_equal(where(neigh, ALPHA, 7), 1);
	assert_true(learn(neigh, ALPHA, 7, 60, 2));
	assert_int_equal(neigh_count(neigh), 1);
	assert_int_equal(where(neigh, ALPHA, 7), 2);
	neigh_destroy(neigh);
}

static void segments_and_versions_are_apart(void **state)
{
	struct neigh *neigh = create();
	struct neigh_entry six = entry(ALPHA, 7, 50, 3);

	six.version = 6;
	assert_true(learn(neigh, ALPHA, 7, 50, 1));
	assert_true(learn(neigh, BETA, 7, 50, 2));
	assert_true(neigh_learn(neigh, &six));
	assert_int_equal(neigh_count(neigh), 3);
	assert_int_equal(where(neigh, ALPHA, 7), 1);
	assert_int_equal(where(neigh, BETA, 7), 2);
	neigh_destroy(neigh);
}

static void a_port_at_its_limit_evicts_its_own(void **state)
{
	struct neigh *neigh = create();

	assert_true(learn(neigh, ALPHA, 5000, 60, 2));
	for (uint32_t i = 0; i < NEIGH_PER_PORT_MAX; i++)
		assert_true(learn(neigh, ALPHA, i + 1, 50, 1));
	/* It speaks of the first one again: the second is now the oldest. */
	assert_true(learn(neigh, ALPHA, 1, 50, 1));
	assert_true(learn(neigh, ALPHA, 4000, 50, 1));
	assert_int_equal(neigh_count(neigh), NEIGH_PER_PORT_MAX + 1);
	assert_int_equal(where(neigh, ALPHA, 1), 1);
	assert_int_equal(where(neigh, ALPHA, 2), 0);
	assert_int_equal(where(neigh, ALPHA, 3), 1);
	assert_int_equal(where(neigh, ALPHA, 4000), 1);
	/* It can take nobody else's, who can take its. */
	assert_false(learn(neigh, ALPHA, 5000, 50, 1));
	assert_int_equal(where(neigh, ALPHA, 5000), 2);
	assert_true(learn(neigh, ALPHA, 1, 60, 2));
	assert_int_equal(where(neigh, ALPHA, 1), 2);
	assert_true(learn(neigh, ALPHA, 5000, 50, 1));
	neigh_destroy(neigh);
}

/* Port PORT claims n addresses of its own, beginning with the first of its range. */
static void claim_many(struct neigh *neigh, uint16_t port, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_true(learn(neigh, ALPHA, port * 1000u + i, port, port));
}

static uint32_t count_of(struct neigh *neigh, uint16_t port)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < NEIGH_PER_PORT_MAX + 10; i++)
		n += where(neigh, ALPHA, port * 1000u + i) == port;
	return n;
}

static bool is_of_many(void *ctx, const struct neigh_entry *entry)
{
	return entry->port >= 100;
}

/* 1,024 ports with 256 addresses each fill it. */
static void in_a_full_table_who_has_most_makes_room(void **state)
{
	const uint16_t n_ports = NEIGH_MAX / NEIGH_PER_PORT_MAX;
	struct neigh *neigh = create();

	for (uint16_t port = 1; port <= n_ports; port++)
		claim_many(neigh, port, NEIGH_PER_PORT_MAX);
	assert_int_equal(neigh_count(neigh), NEIGH_MAX);
	/* One more that has none takes from another, once: now its share is 255. */
	claim_many(neigh, n_ports + 1, 1);
	assert_int_equal(neigh_count(neigh), NEIGH_MAX);
	assert_int_equal(where(neigh, ALPHA, (n_ports + 1) * 1000u), n_ports + 1);
	assert_int_equal(where(neigh, ALPHA, 1000), 0);
	assert_int_equal(where(neigh, ALPHA, 1001), 1);
	/* Who floods gets its share and no more, and the others keep theirs. */
	for (uint32_t i = 0; i < 10000; i++)
		assert_true(learn(neigh, BETA, i, 9, n_ports + 1));
	assert_int_equal(neigh_count(neigh), NEIGH_MAX);
	neigh_sweep(neigh, NEIGH_ALL, NEIGH_ALL, is_of_many, NULL);
	for (uint16_t port = 1; port < 100; port += 7)
		assert_in_range(count_of(neigh, port), NEIGH_MAX / (n_ports + 1),
				NEIGH_PER_PORT_MAX);
	neigh_destroy(neigh);
}

static bool is_odd(void *ctx, const struct neigh_entry *entry)
{
	return (entry->ip[0] & 1) != 0;
}

static void what_is_forgotten_leaves_the_rest_findable(void **state)
{
	struct neigh *neigh = create();

	for (uint32_t i = 1; i <= 1000; i++)
		learn(neigh, ALPHA, i, i, (uint16_t)(1 + i % 10));
	neigh_sweep(neigh, NEIGH_ALL, NEIGH_ALL, is_odd, NULL);
	assert_int_equal(neigh_count(neigh), 500);
	for (uint32_t i = 1; i <= 1000; i++)
		assert_int_equal(where(neigh, ALPHA, i), i % 2 == 1 ? 0 : 1 + i % 10);
	/* Ports have their room back. */
	for (uint32_t i = 0; i < NEIGH_PER_PORT_MAX; i++)
		assert_true(learn(neigh, ALPHA, 10000 + i, 50, 2));
	neigh_destroy(neigh);
}

static bool is_of(void *ctx, const struct neigh_entry *entry)
{
	const struct search *search = ctx;

	return entry->port == search->wanted.port;
}

/* Few addresses and ports, so that they meet: taken over, displaced, swept, forgotten. */
static void a_random_course_keeps_lists_and_chains_whole(void **state)
{
	static uint16_t expected[400]; /* port by address */
	struct neigh *neigh = create();
	uint64_t random = 1;

	memset(expected, 0, sizeof(expected));
	for (unsigned int step = 0; step < 20000; step++) {
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		uint32_t ip = (uint32_t)(random >> 33) % 400;
		uint16_t port = (uint16_t)(1 + (random >> 50) % 5);

		if (step % 100 == 99) {
			struct search search = {.wanted.port = port};

			neigh_forget(neigh, port, is_of, &search);
			for (uint32_t i = 0; i < 400; i++)
				expected[i] = expected[i] == port ? 0 : expected[i];
		} else if (learn(neigh, ALPHA, ip, 50, port)) {
			expected[ip] = port;
		}
	}
	for (uint32_t i = 0; i < 400; i++)
		assert_int_equal(where(neigh, ALPHA, i), expected[i]);
	neigh_destroy(neigh);
}

static struct dataplane *two_ports(void)
{
	struct dataplane *dp = rig_create(1);

	rig_put_segment(dp, ALPHA);
	rig_put_port(dp, 1, ALPHA);
	rig_put_port(dp, 2, ALPHA);
	return dp;
}

static void ask(struct dataplane *dp, uint16_t segment, uint32_t ip, uint16_t port)
{
	struct neigh_entry request = entry(segment, ip, 50, port);

	assert_int_equal(rte_ring_sp_enqueue_elem(dp->workers[0]->neigh, &request, sizeof(request)),
			 0);
}

static void requests_of_ports_elsewhere_are_refused(void **state)
{
	struct dataplane *dp = two_ports();

	ask(dp, ALPHA, 1, 1);
	ask(dp, BETA, 2, 1);
	ask(dp, ALPHA, 3, 77);
	neigh_requests(dp, dp->workers[0]->neigh);
	assert_int_equal(neigh_count(dp->neigh), 1);
	assert_int_equal(where(dp->neigh, ALPHA, 1), 1);
	dataplane_destroy(dp);
}

static void addresses_go_with_their_port(void **state)
{
	struct dataplane *dp = two_ports();

	ask(dp, ALPHA, 1, 1);
	ask(dp, ALPHA, 2, 2);
	rig_del_port(dp, 1);
	assert_int_equal(neigh_count(dp->neigh), 1);
	assert_int_equal(where(dp->neigh, ALPHA, 2), 2);
	dataplane_destroy(dp);
}

static void addresses_are_forgotten_after_their_age(void **state)
{
	struct dataplane *dp = two_ports();

	ask(dp, ALPHA, 1, 1);
	rig_turn(dp, 100 + NEIGH_AGE_S);
	assert_int_equal(neigh_count(dp->neigh), 1);
	rig_turn(dp, 100 + NEIGH_AGE_S + 20);
	assert_int_equal(neigh_count(dp->neigh), 0);
	dataplane_destroy(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_claim_counts),
		cmocka_unit_test(segments_and_versions_are_apart),
		cmocka_unit_test(a_port_at_its_limit_evicts_its_own),
		cmocka_unit_test(in_a_full_table_who_has_most_makes_room),
		cmocka_unit_test(a_random_course_keeps_lists_and_chains_whole),
		cmocka_unit_test(what_is_forgotten_leaves_the_rest_findable),
		cmocka_unit_test(requests_of_ports_elsewhere_are_refused),
		cmocka_unit_test(addresses_go_with_their_port),
		cmocka_unit_test(addresses_are_forgotten_after_their_age),
	};

	return cmocka_run_group_tests_name("neigh", tests, NULL, NULL);
}
