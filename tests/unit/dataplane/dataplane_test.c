/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/dataplane.c: made and destroyed without a trace; main's turn. */
#include "dataplane/dataplane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "dataplane/base/loop.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define SECOND 1000000000ULL
#define NOW_S 1000

/* Memory files that are mapped: the counters. */
static unsigned int count_memfds(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];
	unsigned int n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		n += strstr(line, "memfd:weft-counters") != NULL;
	fclose(file);
	return n;
}

static void a_thousand_in_one_process_leave_nothing_behind(void **state)
{
	unsigned int n_fds = rig_count_fds(), n_memfds = count_memfds();

	/* Large blocks are used again instead of being mapped anew: that is most of the time. */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	for (int i = 0; i < 1000; i++) {
		struct dataplane *dp = rig_create(i % 100 == 0 ? 3 : 1);

		assert_int_equal(count_memfds(), n_memfds + 1);
		if (i % 100 == 0) {
			rig_put_segment(dp, 1);
			rig_put_port(dp, 1, 1);
			rig_turn(dp, NOW_S);
		}
		dataplane_destroy(dp);
	}
	assert_int_equal(rig_count_fds(), n_fds);
	assert_int_equal(count_memfds(), n_memfds);
}

static void two_in_one_process_do_not_know_each_other(void **state)
{
	struct dataplane *one = rig_create(1), *two = rig_create(1);

	rig_put_segment(one, 1);
	rig_put_port(one, 1, 1);
	assert_null(segment_find(two, 1));
	assert_null(port_find(two, 1));
	dataplane_destroy(one);
	rig_put_segment(two, 1);
	dataplane_destroy(two);
}

static void an_impossible_number_of_workers_is_refused(void **state)
{
	struct dataplane_config config = rig_config(0);
	struct dataplane *dp = NULL;

	assert_int_equal(dataplane_create(&config, &dp), -EINVAL);
	config.n_workers = WORKERS_MAX + 1;
	assert_int_equal(dataplane_create(&config, &dp), -EINVAL);
	assert_null(dp);
	dataplane_destroy(NULL);
}

/* --- memory that runs out --- */

static unsigned int allocations_left;

static void *alloc_some(size_t bytes, size_t align)
{
	return allocations_left != 0 && allocations_left-- != 0 ? memory_plain.alloc(bytes, align)
								: NULL;
}

static void without_memory_it_is_refused_and_nothing_leaks(void **state)
{
	struct dataplane_config config = rig_config(2);
	unsigned int n_fds = rig_count_fds(), n = 0;
	struct dataplane *dp = NULL;
	int error;

	config.memory.alloc = alloc_some;
	do {
		allocations_left = n++;
		error = dataplane_create(&config, &dp);
		if (error < 0) {
			assert_int_equal(error, -ENOMEM);
			assert_int_equal(rig_count_fds(), n_fds);
		}
	} while (error < 0);
	/* Each of several parts was the one that failed once. */
	assert_true(n > 5);
	dataplane_destroy(dp);
	assert_int_equal(rig_count_fds(), n_fds);
}

/* --- main's turn --- */

static struct dataplane *with_ports(uint64_t n_ports)
{
	struct dataplane *dp = rig_create(1);

	rig_put_segment(dp, 1);
	for (uint64_t id = 1; id <= n_ports; id++)
		rig_put_port(dp, id, 1);
	return dp;
}

static void ports_have_their_turn_ten_times_a_second_at_most(void **state)
{
	struct dataplane *dp = with_ports(2);

	for (uint64_t ms = 0; ms < 1000; ms++)
		dataplane_turn(dp, NOW_S * SECOND + ms * 1000000);
	assert_int_equal(rig_port(dp, 1)->n_turns, 10);
	assert_int_equal(rig_port(dp, 2)->n_turns, 10);
	dataplane_destroy(dp);
}

static uint64_t fixed_clock(void)
{
	return NOW_S * SECOND;
}

static void a_worker_that_calls_brings_the_ports_turn_forward(void **state)
{
	struct dataplane *dp = with_ports(1);

	dataplane_turn(dp, NOW_S * SECOND);
	dataplane_turn(dp, NOW_S * SECOND + 1);
	assert_int_equal(rig_port(dp, 1)->n_turns, 1);
	/* Not each call is for the ports: most bring addresses to learn. */
	news_tell(&dp->news);
	assert_int_equal(loop_turn(dp->loop, 0, fixed_clock), 1);
	dataplane_turn(dp, NOW_S * SECOND + 2);
	assert_int_equal(rig_port(dp, 1)->n_turns, 1);
	dp->news.ports_want_turn = true;
	news_tell(&dp->news);
	dataplane_turn(dp, NOW_S * SECOND + 3);
	assert_int_equal(rig_port(dp, 1)->n_turns, 2);
	/* And that was one call. */
	assert_int_equal(loop_turn(dp->loop, 0, fixed_clock), 0);
	dataplane_destroy(dp);
}

static void what_is_silent_beyond_its_age_is_swept_out(void **state)
{
	struct dataplane *dp = with_ports(2);

	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	rig_send(dp, 2, RIG_BROADCAST, 2, 60, 0);
	rig_turn(dp, NOW_S + 100);
	assert_int_equal(fdb_count(dp->fdb), 2);
	dataplane_turn(dp, (NOW_S + RIG_AGE_S) * SECOND);
	assert_int_equal(fdb_count(dp->fdb), 2);
	dataplane_turn(dp, (NOW_S + RIG_AGE_S + 20) * SECOND);
	assert_int_equal(fdb_count(dp->fdb), 1);
	assert_int_equal(fdb_count_port(dp->fdb, 1), 0);
	assert_int_equal(fdb_count_port(dp->fdb, 2), 1);
	dataplane_destroy(dp);
}

static void no_readers(void *ctx)
{
}

#define PIECE_NS 20000000ULL /* one in this time */

/* More than one turn sweeps: 400,000 entries, all of them old. */
static void a_large_table_is_swept_in_pieces(void **state)
{
	struct dataplane *dp = with_ports(1);
	const struct fdb_config config = {
		.memory = dp->config.memory, .capacity = UINT32_MAX, .synchronize = no_readers};
	const uint32_t n = 400000;
	unsigned int n_turns = 0;
	uint16_t old;

	fdb_destroy(dp->fdb);
	assert_int_equal(fdb_create(&config, &dp->fdb), 0);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t mac[6];

		rig_mac(mac, i);
		fdb_learn(dp->fdb, fdb_key(1, mac), 1, NOW_S, &old);
	}
	assert_int_equal(fdb_count(dp->fdb), n);
	for (uint32_t before = n; fdb_count(dp->fdb) != 0; n_turns++) {
		dataplane_turn(dp, (NOW_S + RIG_AGE_S + 20) * SECOND + n_turns * PIECE_NS);
		/* 4,096 buckets of four. */
		assert_in_range(before - fdb_count(dp->fdb), 1, 4 * 4096);
		before = fdb_count(dp->fdb);
		/* And none for who comes at once. */
		dataplane_turn(dp, (NOW_S + RIG_AGE_S + 20) * SECOND + n_turns * PIECE_NS + 1);
		assert_int_equal(fdb_count(dp->fdb), before);
	}
	assert_true(n_turns >= n / (4 * 4096));
	/* The next one begins ten seconds later. */
	fdb_learn(dp->fdb, 1ULL << 48, 1, NOW_S, &old);
	dataplane_turn(dp, (NOW_S + RIG_AGE_S + 29) * SECOND);
	assert_int_equal(fdb_count(dp->fdb), 1);
	dataplane_turn(dp, (NOW_S + RIG_AGE_S + 30) * SECOND);
	for (unsigned int i = 0; i < n_turns; i++)
		dataplane_turn(dp, (NOW_S + RIG_AGE_S + 30) * SECOND + i * PIECE_NS);
	assert_int_equal(fdb_count(dp->fdb), 0);
	dataplane_destroy(dp);
}

static void forgetting_a_port_leaves_the_others_alone(void **state)
{
	struct dataplane *dp = with_ports(3);

	for (uint32_t id = 1; id <= 3; id++)
		rig_send(dp, id, RIG_BROADCAST, id, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(fdb_count(dp->fdb), 3);
	/* A request that waits is not forgotten to be forgotten. */
	rig_send(dp, 2, RIG_BROADCAST, 22, 60, 0);
	worker_turn(dp->workers[0], NOW_S * SECOND);
	rig_del_port(dp, 2);
	assert_int_equal(fdb_count(dp->fdb), 2);
	dataplane_turn(dp, NOW_S * SECOND);
	assert_int_equal(fdb_count(dp->fdb), 2);
	dataplane_destroy(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousand_in_one_process_leave_nothing_behind),
		cmocka_unit_test(two_in_one_process_do_not_know_each_other),
		cmocka_unit_test(an_impossible_number_of_workers_is_refused),
		cmocka_unit_test(without_memory_it_is_refused_and_nothing_leaks),
		cmocka_unit_test(ports_have_their_turn_ten_times_a_second_at_most),
		cmocka_unit_test(a_worker_that_calls_brings_the_ports_turn_forward),
		cmocka_unit_test(what_is_silent_beyond_its_age_is_swept_out),
		cmocka_unit_test(a_large_table_is_swept_in_pieces),
		cmocka_unit_test(forgetting_a_port_leaves_the_others_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
