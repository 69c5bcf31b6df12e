/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/hold.c and turnstile.c: changes while rings are held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/channel/turnstile.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/channel/hold_rig.h"
#include "tests/unit/dataplane/rig.h"

#define US 1000ULL
#define MS 1000000ULL
#define S 1000000000ULL
#define MBIT 1000000ULL
#define GBIT 1000000000ULL
#define NO_BURST 0

/* 95 % of the new rate over max(1 ms, 20 frames) from the change on, nothing lost or out of
 * order. */
static void assert_step(uint64_t from_bps, uint64_t to_bps)
{
	struct hold_rig *rig = hold_rig_create(1, 2, false);
	uint64_t frames_ns = 20 * 1514 * 8 * S / to_bps;
	uint64_t span_ns = frames_ns > MS ? frames_ns : MS;

	hold_rig_set_rate(rig, 0, from_bps, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 1514);
	hold_rig_run(rig, 20 * MS + 777, 2 * US);
	hold_rig_set_rate(rig, 0, to_bps, NO_BURST);
	hold_rig_forget(rig);
	hold_rig_run(rig, span_ns, 2 * US);
	hold_rig_assert_rate(rig->got[1].bytes, to_bps, span_ns, to_bps * span_ns / 8 / S / 20);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

static void a_step_of_the_rate_takes_effect_at_once(void **state)
{
	assert_step(MBIT, 100 * MBIT);
	assert_step(100 * MBIT, MBIT);
	assert_step(100 * MBIT, 5 * GBIT);
	assert_step(GBIT, 10 * MBIT);
	assert_step(GBIT, 1100 * MBIT);
}

static void a_port_moves_to_another_channel_under_load(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 2, true);

	hold_rig_set_rate(rig, 0, MBIT, NO_BURST);
	hold_rig_set_rate(rig, 1, 500 * MBIT, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 1514);
	hold_rig_run(rig, 100 * MS, 5 * US);
	hold_rig_assign(rig, 1, 1);
	hold_rig_forget(rig);
	hold_rig_run(rig, MS, 2 * US);
	hold_rig_assert_rate(rig->got[1].bytes, 500 * MBIT, MS, hold_rig_slack(500 * MBIT, 1514));
	/* The debt that it leaves is its old channel's, and what it takes is the new one's. */
	hold_rig_assign(rig, 1, 0);
	hold_rig_forget(rig);
	hold_rig_run(rig, S, 10 * US);
	hold_rig_assert_rate(rig->got[1].bytes, MBIT, S, 1514);
	hold_rig_assign(rig, 1, -1);
	hold_rig_forget(rig);
	hold_rig_run(rig, 10 * US, US);
	assert_int_equal(rig->got[1].frames, 10 * BURST_FRAMES);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

static void a_channel_goes_while_somebody_waits(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 2, false);

	hold_rig_set_rate(rig, 0, MBIT, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 1514);
	hold_rig_run(rig, MS, 10 * US);
	assert_true(
		turnstile_is_waiting(rig->dp->workers[0]->turnstiles, &rig->senders[1].rxq.waiter));
	hold_rig_assign(rig, 1, -1);
	hold_rig_drop(rig, 0);
	hold_rig_run(rig, MS, 10 * US);
	assert_int_equal(turnstile_next_due_ns(rig->dp->workers[0]), TURNSTILE_NEVER_NS);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

static void a_port_goes_while_it_waits(void **state)
{
	struct hold_rig *rig = hold_rig_create(1, 2, false);

	hold_rig_set_rate(rig, 0, MBIT, NO_BURST);
	for (unsigned int id = 1; id <= 2; id++) {
		hold_rig_assign(rig, id, 0);
		hold_rig_send(rig, id, 1514);
	}
	hold_rig_run(rig, 30 * MS, 10 * US);
	hold_rig_stop(rig, 2);
	rig_del_port(rig->dp, 2);
	memset(&rig->senders[2].rxq, 0xa5, sizeof(rig->senders[2].rxq));
	hold_rig_forget(rig);
	hold_rig_run(rig, S, 10 * US);
	hold_rig_assert_rate(rig->got[1].bytes, MBIT, S, 1514);
	rig_put_port(rig->dp, 2, 1);
	hold_rig_destroy(rig);
}

static void a_queue_that_waits_moves_to_another_worker(void **state)
{
	struct hold_rig *rig = hold_rig_create(2, 1, false);
	struct rxq *rxq = &rig->senders[1].rxq;

	hold_rig_set_rate(rig, 0, 10 * MBIT, NO_BURST);
	hold_rig_assign(rig, 1, 0);
	hold_rig_send(rig, 1, 1514);
	for (unsigned int i = 0; i < 20; i++) {
		struct worker **workers = rig->dp->workers;
		int from = rxq->worker;

		hold_rig_run(rig, 10 * MS, 10 * US);
		assert_int_equal(worker_move_rxq(workers[from], workers[1 - from], rxq), 0);
	}
	hold_rig_assert_rate(rig->got[1].bytes, 10 * MBIT, 200 * MS, 2 * 1514);
	hold_rig_assert_in_order(rig);
	hold_rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_of_the_rate_takes_effect_at_once),
		cmocka_unit_test(a_port_moves_to_another_channel_under_load),
		cmocka_unit_test(a_channel_goes_while_somebody_waits),
		cmocka_unit_test(a_port_goes_while_it_waits),
		cmocka_unit_test(a_queue_that_waits_moves_to_another_worker),
	};

	return cmocka_run_group_tests_name("hold_change", tests, NULL, NULL);
}
