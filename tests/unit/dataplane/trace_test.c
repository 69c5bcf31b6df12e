/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/trace.c: what a traced frame is told is what becomes of a real one, and
 * nothing remains of it. */
#include "dataplane/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "dataplane/counters.h"
#include "dataplane/recorder.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define NOW_S 1000
#define NOW_NS (NOW_S * 1000000000ULL)

struct answer {
	struct dp_trace_step steps[DP_TRACE_STEPS_MAX];
	unsigned int n;
	char why[DP_TEXT_BYTES];
};

static void take_step(void *ctx, struct dp_trace_step *step)
{
	struct answer *answer = ctx;

	assert_true(answer->n < DP_TRACE_STEPS_MAX);
	assert_non_null(memchr(step->text, '\0', sizeof(step->text)));
	answer->steps[answer->n++] = *step;
}

static int trace_bytes(struct dataplane *dp, uint64_t port, const void *bytes, uint32_t n_bytes,
		       struct answer *answer)
{
	struct dp_trace *request = calloc(1, sizeof(*request));

	assert_non_null(request);
	request->port_id = port;
	request->n_bytes = n_bytes;
	if (n_bytes <= sizeof(request->bytes))
		memcpy(request->bytes, bytes, n_bytes);
	memset(answer, 0, sizeof(*answer));
	int error = trace_run(dp, request, NOW_NS, take_step, answer, answer->why);

	free(request);
	return error;
}

static void trace_of(struct dataplane *dp, uint64_t port, uint32_t dst, uint32_t src, uint32_t len,
		     struct answer *answer)
{
	uint8_t bytes[2048] = {[12] = 0x88, [13] = 0xb5};

	rig_mac(bytes, dst);
	rig_mac(bytes + 6, src);
	assert_int_equal(trace_bytes(dp, port, bytes, len, answer), 0);
}

/* The last step that a stage has said about a port, 0: about any. */
static const struct dp_trace_step *find(const struct answer *answer, enum dp_trace_stage stage,
					uint64_t port)
{
	for (unsigned int i = answer->n; i-- > 0;) {
		if (answer->steps[i].stage == stage &&
		    (port == 0 || answer->steps[i].port_id == port))
			return &answer->steps[i];
	}
	return NULL;
}

static void assert_step(const struct answer *answer, enum dp_trace_stage stage, uint64_t port,
			enum dp_trace_verdict verdict, enum drop_reason reason)
{
	const struct dp_trace_step *step = find(answer, stage, port);

	assert_non_null(step);
	assert_int_equal(step->verdict, verdict);
	assert_int_equal(step->reason, reason);
}

/* It ends there: no stage after it has said anything. */
static void assert_ends(const struct answer *answer, enum dp_trace_stage stage,
			enum drop_reason reason)
{
	assert_step(answer, stage, 0, DP_TRACE_DROP, reason);
	assert_int_equal(answer->steps[answer->n - 1].stage, stage);
}

static void teach(struct dataplane *dp, uint64_t port)
{
	rig_send(dp, port, RIG_BROADCAST, (uint32_t)port, 60, 0);
	rig_turn(dp, NOW_S);
}

static void a_known_address_leads_to_its_port(void **state)
{
	struct dataplane *dp = *state;
	struct answer answer;

	teach(dp, 2);
	trace_of(dp, 1, 2, 1, 60, &answer);
	assert_step(&answer, DP_TRACE_PORT, 1, DP_TRACE_PASS, DROP_NONE);
	assert_step(&answer, DP_TRACE_CLASSIFY, 1, DP_TRACE_PASS, DROP_NONE);
	assert_int_equal(find(&answer, DP_TRACE_CLASSIFY, 1)->segment_id, RIG_ALPHA);
	assert_step(&answer, DP_TRACE_LEARN, 1, DP_TRACE_PASS, DROP_NONE);
	assert_step(&answer, DP_TRACE_LOOKUP, 1, DP_TRACE_PASS, DROP_NONE);
	assert_step(&answer, DP_TRACE_GATE, 2, DP_TRACE_PASS, DROP_NONE);
	assert_step(&answer, DP_TRACE_LINK, 2, DP_TRACE_PASS, DROP_NONE);
	assert_null(find(&answer, DP_TRACE_GATE, 3));
	assert_null(find(&answer, DP_TRACE_SPREAD, 0));
}

static void an_unknown_address_leads_to_all_of_the_segment(void **state)
{
	struct dataplane *dp = *state;
	struct answer answer;

	trace_of(dp, 1, 77, 1, 60, &answer);
	assert_step(&answer, DP_TRACE_LOOKUP, 1, DP_TRACE_NOTE, DROP_NONE);
	assert_int_equal(find(&answer, DP_TRACE_SPREAD, 1)->value, 2);
	assert_step(&answer, DP_TRACE_LINK, 2, DP_TRACE_PASS, DROP_NONE);
	assert_step(&answer, DP_TRACE_LINK, 3, DP_TRACE_PASS, DROP_NONE);
	assert_null(find(&answer, DP_TRACE_LINK, 4));
}

/* Counters, addresses, their ages, rates, what was sent: all as if it had not been. */
static void nothing_remains_of_it(void **state)
{
	struct dataplane *dp = *state;
	struct counters_block before, after;
	struct answer answer;
	uint64_t key;
	uint8_t mac[6];

	teach(dp, 2);
	before = rig_sum(dp);
	unsigned int n_out = rig_port(dp, 3)->n_out, n_fds = rig_count_fds();
	uint32_t n_macs = fdb_count(dp->fdb);
	int64_t paid = atomic_load(&port_find(dp, 1)->storm.rates[DP_STORM_BROADCAST].paid_ticks);
	int64_t learns = atomic_load(&port_find(dp, 1)->learns_easy.paid_ticks);

	for (int i = 0; i < 3; i++)
		trace_of(dp, 1, RIG_BROADCAST, 1, 60, &answer);
	/* The age of one that is known: 300 s later it is too old all the same. */
	trace_of(dp, 2, RIG_BROADCAST, 2, 60, &answer);
	rig_turn(dp, NOW_S);
	after = rig_sum(dp);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(rig_port(dp, 3)->n_out, n_out);
	assert_int_equal(rig_count_fds(), n_fds);
	assert_int_equal(fdb_count(dp->fdb), n_macs);
	assert_int_equal(atomic_load(&port_find(dp, 1)->storm.rates[DP_STORM_BROADCAST].paid_ticks),
			 paid);
	assert_int_equal(atomic_load(&port_find(dp, 1)->learns_easy.paid_ticks), learns);
	rig_mac(mac, 2);
	key = fdb_key(port_find(dp, 2)->segment, mac);
	assert_int_equal(fdb_lookup(dp->fdb, key, NOW_S + RIG_AGE_S, RIG_AGE_S), 2);
	assert_int_equal(fdb_lookup(dp->fdb, key, NOW_S + RIG_AGE_S + 1, RIG_AGE_S), FDB_NO_PORT);
}

static void be_called(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		      struct counters_block *count)
{
	fail_msg("a traced frame was sent");
}

/* Somebody captures the receiver; and what is dropped is kept. */
static void recorders_know_nothing_of_it(void **state)
{
	struct dataplane *dp = *state;
	struct port_type captured = rig_port_type;
	struct dropped before = dp->workers[0]->recorder->dropped;
	struct answer answer;

	captured.tx = be_called;
	for (uint64_t id = 2; id <= 3; id++)
		atomic_store(&port_find(dp, id)->io, &captured);
	trace_of(dp, 1, RIG_BROADCAST, 1, 60, &answer);
	assert_step(&answer, DP_TRACE_LINK, 2, DP_TRACE_PASS, DROP_NONE);
	trace_of(dp, 4, RIG_BROADCAST, 4, 60, &answer);
	assert_ends(&answer, DP_TRACE_SPREAD, DROP_NO_RECEIVER);
	assert_memory_equal(&dp->workers[0]->recorder->dropped, &before, sizeof(before));
	for (uint64_t id = 2; id <= 3; id++)
		atomic_store(&port_find(dp, id)->io, &rig_port_type);
}

static void the_age_of_a_source_stays(void **state)
{
	struct dataplane *dp = *state;
	struct answer answer;
	uint8_t mac[6];

	rig_send(dp, 2, RIG_BROADCAST, 2, 60, 0);
	rig_turn(dp, NOW_S - 100);
	trace_of(dp, 2, RIG_BROADCAST, 2, 60, &answer);
	rig_mac(mac, 2);
	uint64_t key = fdb_key(port_find(dp, 2)->segment, mac);

	assert_int_equal(fdb_lookup(dp->fdb, key, NOW_S - 100 + RIG_AGE_S + 1, RIG_AGE_S),
			 FDB_NO_PORT);
}

static void each_stage_says_why_it_drops(void **state)
{
	struct dataplane *dp = *state;
	struct dp_segment segment = rig_segment(RIG_ALPHA);
	struct dp_port port = rig_port_spec(1, RIG_ALPHA);
	struct answer answer;
	uint8_t bytes[64] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 10};

	assert_int_equal(trace_bytes(dp, 1, bytes, 10, &answer), 0);
	assert_ends(&answer, DP_TRACE_CLASSIFY, DROP_RUNT);
	assert_int_equal(trace_bytes(dp, 1, bytes, 60, &answer), 0);
	assert_ends(&answer, DP_TRACE_CLASSIFY, DROP_TAGGED);
	trace_of(dp, 1, 2, 1, 1600, &answer);
	assert_step(&answer, DP_TRACE_CLASSIFY, 1, DP_TRACE_DROP, DROP_TOO_BIG);
	assert_int_equal(find(&answer, DP_TRACE_CLASSIFY, 1)->limit, 1514);
	assert_int_equal(answer.steps[answer.n - 1].stage, DP_TRACE_ANSWER);
	teach(dp, 1);
	trace_of(dp, 1, 1, 5, 60, &answer);
	assert_ends(&answer, DP_TRACE_LOOKUP, DROP_SAME_PORT);
	trace_of(dp, 4, 1, 4, 60, &answer);
	assert_ends(&answer, DP_TRACE_SPREAD, DROP_NO_RECEIVER);

	port.guards_on = DP_GUARD_MAC;
	rig_mac(port.mac, 1);
	port.generation++;
	rig_put_port_spec(dp, &port);
	trace_of(dp, 1, 2, 9, 60, &answer);
	assert_ends(&answer, DP_TRACE_GUARD, DROP_MAC_SPOOF);
	rig_set_segment(&segment, "unknown", "drop");
	rig_set_segment(&segment, "broadcast", "drop");
	segment.generation++;
	rig_put_segment_spec(dp, &segment);
	trace_of(dp, 1, 77, 1, 60, &answer);
	assert_ends(&answer, DP_TRACE_SPREAD, DROP_UNKNOWN);
	trace_of(dp, 1, RIG_BROADCAST, 1, 60, &answer);
	assert_ends(&answer, DP_TRACE_SPREAD, DROP_BROADCAST);
	rig_set_port(&port, "state", "blocked");
	port.generation++;
	rig_put_port_spec(dp, &port);
	trace_of(dp, 1, 2, 1, 60, &answer);
	assert_ends(&answer, DP_TRACE_CLASSIFY, DROP_BLOCKED);
}

static void the_receivers_gate_says_why(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port port = rig_port_spec(2, RIG_ALPHA);
	struct answer answer;

	teach(dp, 2);
	rig_set_port(&port, "isolated", "on");
	port.generation++;
	rig_put_port_spec(dp, &port);
	trace_of(dp, 1, 2, 1, 60, &answer);
	assert_step(&answer, DP_TRACE_GATE, 2, DP_TRACE_PASS, DROP_NONE);
	port = rig_port_spec(1, RIG_ALPHA);
	rig_set_port(&port, "isolated", "on");
	port.generation++;
	rig_put_port_spec(dp, &port);
	trace_of(dp, 1, 2, 1, 60, &answer);
	assert_step(&answer, DP_TRACE_GATE, 2, DP_TRACE_DROP, DROP_ISOLATED);
	assert_null(find(&answer, DP_TRACE_LINK, 2));
}

static void a_rate_is_looked_at(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port port = rig_port_spec(1, RIG_ALPHA);
	struct answer answer;

	port.storm_pps[DP_STORM_BROADCAST] = 1;
	port.generation++;
	rig_put_port_spec(dp, &port);
	for (int i = 0; i < 100; i++)
		trace_of(dp, 1, RIG_BROADCAST, 1, 60, &answer);
	assert_step(&answer, DP_TRACE_STORM, 1, DP_TRACE_PASS, DROP_NONE);
	for (int i = 0; i < 100; i++)
		rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	rig_turn(dp, NOW_S);
	assert_true(rig_counters(dp, 1)->drops[DROP_STORM_BROADCAST] != 0);
	trace_of(dp, 1, RIG_BROADCAST, 1, 60, &answer);
	assert_ends(&answer, DP_TRACE_STORM, DROP_STORM_BROADCAST);
}

static void a_source_elsewhere_is_told(void **state)
{
	struct dataplane *dp = *state;
	struct answer answer;

	teach(dp, 2);
	trace_of(dp, 1, RIG_BROADCAST, 2, 60, &answer);
	assert_step(&answer, DP_TRACE_LEARN, 1, DP_TRACE_NOTE, DROP_NONE);
	assert_non_null(strstr(find(&answer, DP_TRACE_LEARN, 1)->text, "p2"));
}

static void what_is_asked_wrongly_is_refused(void **state)
{
	static const uint8_t bytes[DP_TRACE_BYTES];
	struct dataplane *dp = *state;
	struct answer answer;

	assert_int_equal(trace_bytes(dp, 99, bytes, 60, &answer), -ENOENT);
	assert_int_equal(trace_bytes(dp, 0, bytes, 60, &answer), -ENOENT);
	assert_int_equal(trace_bytes(dp, 1, bytes, 0, &answer), -EINVAL);
	assert_int_equal(trace_bytes(dp, 1, bytes, DP_TRACE_BYTES + 1, &answer), -EINVAL);
	assert_int_equal(trace_bytes(dp, 1, bytes, UINT32_MAX, &answer), -EINVAL);
	assert_int_equal(answer.n, 0);
	assert_true(answer.why[0] != '\0');
	assert_int_equal(trace_bytes(dp, 1, bytes, DP_TRACE_BYTES, &answer), 0);
}

static void a_flood_to_many_is_bounded(void **state)
{
	struct dataplane *dp = *state;
	struct answer answer;

	for (uint64_t id = 10; id < 110; id++)
		rig_put_port(dp, id, RIG_ALPHA);
	trace_of(dp, 1, RIG_BROADCAST, 1, 60, &answer);
	assert_int_equal(find(&answer, DP_TRACE_SPREAD, 1)->value, 102);
	assert_int_equal(find(&answer, DP_TRACE_REST, 0)->value, 102 - 32);
}

static void *run_worker(void *arg)
{
	worker_run(arg);
	return NULL;
}

/* Workers write rates while they are copied: seen by ThreadSanitizer. */
static void a_worker_may_run_meanwhile(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port port = rig_port_spec(1, RIG_ALPHA);
	struct answer answer;
	pthread_t thread;

	port.storm_pps[DP_STORM_BROADCAST] = 1000000;
	port.generation++;
	rig_put_port_spec(dp, &port);
	assert_int_equal(pthread_create(&thread, NULL, run_worker, dp->workers[0]), 0);
	for (unsigned int i = 0; i < 200; i++) {
		rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
		assert_int_equal(eventfd_write(rig_port(dp, 1)->rxq.wake_fd, 1), 0);
		trace_of(dp, 1, RIG_BROADCAST, 1, 60, &answer);
		assert_step(&answer, DP_TRACE_GUARD, 1, DP_TRACE_PASS, DROP_NONE);
	}
	worker_stop(dp->workers[0]);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_known_address_leads_to_its_port, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(an_unknown_address_leads_to_all_of_the_segment,
						rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(nothing_remains_of_it, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(recorders_know_nothing_of_it, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(the_age_of_a_source_stays, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(each_stage_says_why_it_drops, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(the_receivers_gate_says_why, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(a_rate_is_looked_at, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(a_source_elsewhere_is_told, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(what_is_asked_wrongly_is_refused, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(a_worker_may_run_meanwhile, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(a_flood_to_many_is_bounded, rig_set_up,
						rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
