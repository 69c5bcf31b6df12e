/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/server_queue.c, through the control socket: who polls what, and moves. */
#include "dataplane/server_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dataplane/api/dp_client.h"
#include "tests/unit/dataplane/rig.h"
#include "tests/unit/dataplane/server_rig.h"

#define TIMEOUT_MS SERVER_RIG_TIMEOUT_MS

/* Two workers, ports 1 and 2: one queue each. */
static int set_up(void **state)
{
	struct dataplane *dp = rig_create(2);

	rig_put_port(dp, 1, 0);
	rig_put_port(dp, 2, 0);
	*state = server_rig_open(dp);
	return 0;
}

static int tear_down(void **state)
{
	struct server_rig *f = *state;
	struct dataplane *dp = f->dp;

	server_rig_close(f);
	dataplane_destroy(dp);
	return 0;
}

struct seen {
	unsigned int n;
	struct dp_queue queues[4];
};

static void note(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct seen *seen = ctx;

	assert_int_equal(message->type, DP_QUEUE);
	assert_true(seen->n < 4);
	seen->queues[seen->n++] = *(const struct dp_queue *)message;
}

/* The queue of a port, as told. */
static struct dp_queue queue_of(struct server_rig *f, uint64_t port_id)
{
	struct seen seen = {0};

	assert_int_equal(dp_client_request(f->client, DP_QUEUE_DUMP, NULL, 0, TIMEOUT_MS, note,
					   &seen, f->why),
			 0);
	assert_int_equal(seen.n, 2);
	return seen.queues[0].port_id == port_id ? seen.queues[0] : seen.queues[1];
}

static int move(struct server_rig *f, uint64_t port_id, uint16_t queue, uint16_t worker)
{
	struct dp_queue message = {.port_id = port_id, .queue = queue, .worker = worker};

	return dp_client_request(f->client, DP_QUEUE_MOVE, &message, sizeof(message), TIMEOUT_MS,
				 NULL, NULL, f->why);
}

static void every_queue_is_told_with_its_worker(void **state)
{
	for (uint64_t id = 1; id <= 2; id++) {
		struct dp_queue queue = queue_of(*state, id);

		assert_int_equal(queue.port_id, id);
		assert_int_equal(queue.queue, 0);
		assert_int_equal(queue.worker, id - 1);
		assert_int_equal(queue.is_pinned, 0);
	}
}

static void a_move_pins_and_any_worker_unpins(void **state)
{
	assert_int_equal(move(*state, 1, 0, 1), 0);
	assert_int_equal(queue_of(*state, 1).worker, 1);
	assert_int_equal(queue_of(*state, 1).is_pinned, 1);
	assert_int_equal(queue_of(*state, 2).is_pinned, 0);
	assert_int_equal(move(*state, 1, 0, DP_WORKER_ANY), 0);
	assert_int_equal(queue_of(*state, 1).worker, 1);
	assert_int_equal(queue_of(*state, 1).is_pinned, 0);
}

static void what_is_not_there_is_refused_in_words(void **state)
{
	struct server_rig *f = *state;

	assert_int_equal(move(f, 1, 0, 2), -ENOENT);
	assert_string_equal(f->why, "there is no worker 2: use 0 to 1");
	assert_int_equal(move(f, 1, 1, 0), -ENOENT);
	assert_non_null(strstr(f->why, "queue 1 of the port is not polled"));
	assert_int_equal(move(f, 99, 0, 0), -ENOENT);
	assert_int_equal(queue_of(f, 1).is_pinned, 0);
	assert_int_equal(queue_of(f, 1).worker, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_queue_is_told_with_its_worker),
		TEST(a_move_pins_and_any_worker_unpins),
		TEST(what_is_not_there_is_refused_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
