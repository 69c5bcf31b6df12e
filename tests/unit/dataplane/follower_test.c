/* SPDX-License-Identifier: BSD-3-Clause */
/* Real frames that are followed: what is said of them is what becomes of them, and all frames go
 * where they would have gone, in their order, and are counted once. */
#include "dataplane/follower.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/captures.h"
#include "dataplane/drop.h"
#include "dataplane/follow.h"
#include "dataplane/recorder.h"
#include "dataplane/trace_text.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/tunnel_rig.h"
#include "vxlan/vxlan_tunnel.h"

#define NOW_S 1000
#define PEER 11

static const int owner;

/* What was found out of one frame; one at a time. */
static struct follower_record record;

static uint64_t open_follow(struct dataplane *dp, const struct dp_follow_open *open)
{
	char why[DP_TEXT_BYTES];
	uint64_t id = 0;

	assert_int_equal(follow_open(dp, open, &owner, &id, why, sizeof(why)), 0);
	return id;
}

/* The next that was followed, of the port. */
static void next(const struct dataplane *dp, uint64_t id, uint64_t port_id)
{
	struct follow *follow = follow_find(dp, id, &owner);

	assert_non_null(follow);
	assert_true(follow_next(follow, &record));
	assert_int_equal(record.port_id, port_id);
	assert_int_equal(record.time_ns, NOW_S * 1000000000ULL);
	assert_in_range(record.n_facts, 1, FOLLOWER_FACTS);
}

static void no_more(const struct dataplane *dp, uint64_t id)
{
	assert_false(follow_next(follow_find(dp, id, &owner), &record));
}

static const struct trace_fact *find(enum dp_trace_stage stage, uint64_t port_id)
{
	for (unsigned int i = 0; i < record.n_facts; i++) {
		if (record.facts[i].stage == stage && record.facts[i].port_id == port_id)
			return &record.facts[i];
	}
	return NULL;
}

static void assert_fact(enum dp_trace_stage stage, uint64_t port_id, enum trace_word word)
{
	const struct trace_fact *fact = find(stage, port_id);

	assert_non_null(fact);
	assert_int_equal(fact->word, word);
}

/* It ends so. */
static void assert_dropped(enum dp_trace_stage stage, uint64_t port_id, enum drop_reason reason)
{
	const struct trace_fact *fact = &record.facts[record.n_facts - 1];

	assert_int_equal(fact->stage, stage);
	assert_int_equal(fact->port_id, port_id);
	assert_int_equal(fact->verdict, DP_TRACE_DROP);
	assert_int_equal(fact->reason, reason);
}

static void test_delivered(void **state)
{
	struct dp_follow_open open = {.n_frames = 5, .n_ports = 1, .port_ids = {1}};
	struct dataplane *dp = *state;
	uint64_t id;

	rig_send(dp, 2, RIG_BROADCAST, 2, 60, 0);
	rig_turn(dp, NOW_S);
	id = open_follow(dp, &open);
	rig_send(dp, 1, 2, 1, 200, 0);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_send(dp, 2, 1, 2, 60, 0); /* not asked for */
	rig_turn(dp, NOW_S);
	next(dp, id, 1);
	assert_int_equal(record.len, 200);
	assert_int_equal(record.head_len, 128);
	assert_fact(DP_TRACE_PORT, 1, TRACE_WORD_CAME);
	assert_fact(DP_TRACE_CLASSIFY, 1, TRACE_WORD_SEGMENT);
	assert_int_equal(find(DP_TRACE_CLASSIFY, 1)->segment_id, RIG_ALPHA);
	assert_fact(DP_TRACE_GUARD, 1, TRACE_WORD_GUARDS);
	assert_fact(DP_TRACE_LEARN, 1, TRACE_WORD_NEW);
	assert_fact(DP_TRACE_LOOKUP, 1, TRACE_WORD_AT_PORT);
	assert_int_equal(find(DP_TRACE_LOOKUP, 1)->other_id, 2);
	assert_fact(DP_TRACE_GATE, 2, TRACE_WORD_PASSES);
	assert_fact(DP_TRACE_LINK, 2, TRACE_WORD_TAKEN);
	assert_int_equal(find(DP_TRACE_LINK, 2)->value, 200);
	assert_null(find(DP_TRACE_LINK, 3));
	next(dp, id, 1);
	assert_int_equal(find(DP_TRACE_SPREAD, 1)->value, 2);
	assert_fact(DP_TRACE_LINK, 2, TRACE_WORD_TAKEN);
	assert_fact(DP_TRACE_LINK, 3, TRACE_WORD_TAKEN);
	no_more(dp, id);
	assert_int_equal(atomic_load(&follow_find(dp, id, &owner)->left), 3);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

/* The first byte of the payload decides: see rig_send(). */
static struct dp_follow_open of_mark(uint32_t n_frames, uint8_t mark)
{
	return (struct dp_follow_open){
		.n_frames = n_frames,
		.n_insns = 4,
		.insns = {{0x30, 0, 0, 14}, {0x15, 0, 1, mark}, {0x06, 0, 0, 1}, {0x06, 0, 0, 0}}};
}

/* Cut at its place, a burst goes on as it was: in order, and counted once. */
static void test_order_and_counts(void **state)
{
	static const uint8_t marks[] = {1, 7, 2, 3, 7, 7, 4};
	struct dataplane *dp = *state;
	struct dp_follow_open open = of_mark(100, 7);
	uint64_t id = open_follow(dp, &open);

	for (size_t i = 0; i < sizeof(marks); i++)
		rig_send(dp, 1, RIG_BROADCAST, 1, 64 + (uint32_t)i, marks[i]);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 2)->n_out, sizeof(marks));
	for (size_t i = 0; i < sizeof(marks); i++) {
		assert_int_equal(rig_port(dp, 2)->out[i].len, 64 + i);
		assert_int_equal(rig_port(dp, 2)->out[i].bytes[14], marks[i]);
	}
	for (unsigned int i = 0; i < 3; i++)
		next(dp, id, 1);
	no_more(dp, id);
	assert_int_equal(rig_counters(dp, 1)->rx_frames, sizeof(marks));
	assert_int_equal(rig_counters(dp, 1)->rx_bytes, 7 * 64 + 21);
	assert_int_equal(rig_counters(dp, 1)->copies, sizeof(marks));
	assert_int_equal(rig_port(dp, 1)->n_rx_done, 1);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

static void test_ends_after_n(void **state)
{
	struct dp_follow_open open = {.n_frames = 2};
	struct dataplane *dp = *state;
	uint64_t id = open_follow(dp, &open);

	for (unsigned int i = 0; i < 5; i++)
		rig_send(dp, 3, RIG_BROADCAST, 3, 60, 0);
	rig_turn(dp, NOW_S);
	next(dp, id, 3);
	next(dp, id, 3);
	no_more(dp, id);
	assert_int_equal(rig_port(dp, 1)->n_out, 5);
	assert_int_equal(follow_missed(follow_find(dp, id, &owner)), 0);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

/* What main does not take out in time is counted, and goes its way all the same. */
static void test_missed(void **state)
{
	struct dp_follow_open open = {.n_frames = FOLLOW_FRAMES_MAX};
	struct dataplane *dp = *state;
	uint64_t id = open_follow(dp, &open);

	for (unsigned int i = 0; i < FOLLOWER_RECORDS + 6; i++)
		rig_send(dp, 3, RIG_BROADCAST, 3, 60, 0);
	rig_turn(dp, NOW_S);
	rig_turn(dp, NOW_S);
	assert_int_equal(follow_missed(follow_find(dp, id, &owner)), 6);
	assert_int_equal(atomic_load(&follow_find(dp, id, &owner)->left),
			 FOLLOW_FRAMES_MAX - FOLLOWER_RECORDS);
	assert_int_equal(rig_port(dp, 1)->n_out, FOLLOWER_RECORDS + 6);
	next(dp, id, 3);
	rig_send(dp, 3, RIG_BROADCAST, 3, 61, 0);
	rig_turn(dp, NOW_S);
	for (unsigned int i = 0; i < FOLLOWER_RECORDS; i++)
		next(dp, id, 3);
	assert_int_equal(record.len, 61);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

static void test_dropped_at_the_sender(void **state)
{
	struct dp_port port = rig_port_spec(1, RIG_ALPHA);
	struct dp_follow_open open = {.n_frames = 9};
	struct dataplane *dp = *state;

	port.guards_on = DP_GUARD_MAC;
	rig_mac(port.mac, 1);
	port.generation++;
	rig_put_port_spec(dp, &port);
	uint64_t id = open_follow(dp, &open);

	rig_send(dp, 1, RIG_BROADCAST, 9, 60, 0); /* not its own address */
	rig_send(dp, 1, 2, RIG_BROADCAST, 60, 0); /* a group */
	rig_send(dp, 4, RIG_BROADCAST, 4, 60, 0); /* alone there */
	rig_turn(dp, NOW_S);
	next(dp, id, 1);
	assert_dropped(DP_TRACE_GUARD, 1, DROP_MAC_SPOOF);
	assert_null(find(DP_TRACE_LEARN, 1));
	next(dp, id, 1);
	assert_dropped(DP_TRACE_CLASSIFY, 1, DROP_BAD_SOURCE);
	next(dp, id, 4);
	assert_dropped(DP_TRACE_SPREAD, 4, DROP_NO_RECEIVER);
	no_more(dp, id);
	rig_set_port(&port, "state", "blocked");
	port.generation++;
	rig_put_port_spec(dp, &port);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	next(dp, id, 1);
	assert_dropped(DP_TRACE_CLASSIFY, 1, DROP_BLOCKED);
	assert_int_equal(rig_counters(dp, 1)->drops[DROP_BLOCKED], 1);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

static void refuse(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		   struct counters_block *count)
{
	for (unsigned int i = 0; i < n; i++)
		drop_frame(burst->recorder, count, &burst->frames[order[i]], DROP_RING_FULL);
}

/* One receiver has no room, or may not have it. */
static void test_dropped_at_receivers(void **state)
{
	struct dp_port sender = rig_port_spec(1, RIG_ALPHA), receiver = rig_port_spec(3, RIG_ALPHA);
	struct dp_follow_open open = {.n_frames = 9, .n_ports = 1, .port_ids = {1}};
	struct dataplane *dp = *state;
	struct port *full = port_find(dp, 2);
	struct port_type type = *full->type;

	rig_send(dp, 3, RIG_BROADCAST, 3, 60, 0);
	rig_turn(dp, NOW_S);
	rig_set_port(&sender, "isolated", "on");
	rig_set_port(&receiver, "isolated", "on");
	sender.generation++;
	receiver.generation++;
	rig_put_port_spec(dp, &sender);
	rig_put_port_spec(dp, &receiver);
	uint64_t id = open_follow(dp, &open);

	type.tx = refuse;
	atomic_store(&full->io, &type);
	rig_send(dp, 1, 3, 1, 60, 0);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	atomic_store(&full->io, full->type);
	next(dp, id, 1);
	assert_dropped(DP_TRACE_GATE, 3, DROP_ISOLATED);
	next(dp, id, 1);
	assert_fact(DP_TRACE_GATE, 2, TRACE_WORD_PASSES);
	assert_dropped(DP_TRACE_LINK, 2, DROP_RING_FULL);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

/* Beside a capture of the same ports; and after both, ports are as they were. */
static void test_beside_a_capture(void **state)
{
	struct dp_follow_open open = {.n_frames = 2, .n_ports = 1, .port_ids = {1}};
	struct dp_capture_open capture = {.ways = 1u << RECORD_RX | 1u << RECORD_TX,
					  .segment_id = RIG_ALPHA,
					  .ring_bytes = RECORD_RING_BYTES_MIN};
	struct dataplane *dp = *state;
	struct record_reader reader;
	struct record_map map;
	char why[DP_TEXT_BYTES];
	uint64_t id, capture_id;
	int fd;

	assert_int_equal(captures_open(dp, &capture, &owner, &capture_id, &fd, why, sizeof(why)),
			 0);
	assert_int_equal(record_open(fd, &map), 0);
	record_reader_begin(&reader, &map, 0);
	id = open_follow(dp, &open);
	for (unsigned int i = 0; i < 4; i++)
		rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(record_reader_kept(&reader), 4 * 3);
	next(dp, id, 1);
	next(dp, id, 1);
	assert_int_equal(follow_close(dp, id, &owner), 0);
	assert_int_equal(captures_close(dp, capture_id, &owner), 0);
	record_close(&map);
	close(fd);
	for (uint64_t port = 1; port <= 4; port++)
		assert_ptr_equal(port_io(port_find(dp, port)), port_find(dp, port)->type);
}

/* Facts have words, also of ports that are gone meanwhile. */
static void test_words(void **state)
{
	struct dp_follow_open open = {.n_frames = 1, .n_ports = 1, .port_ids = {1}};
	struct dataplane *dp = *state;
	struct dp_trace_step step;
	uint64_t id = open_follow(dp, &open);

	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	rig_del_port(dp, 3);
	next(dp, id, 1);
	for (unsigned int i = 0; i < record.n_facts; i++) {
		trace_text(dp, &record.facts[i], &step);
		assert_true(step.text[0] != '\0');
	}
	trace_text(dp, find(DP_TRACE_LINK, 2), &step);
	assert_string_equal(step.text, "tap p2 has taken it, 60 bytes");
	trace_text(dp, find(DP_TRACE_LINK, 3), &step);
	assert_string_equal(step.text, "port (gone) has taken it, 60 bytes");
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

/* --- tunnels --- */

static int set_up_tunnels(void **state)
{
	static const uint32_t segments[] = {RIG_ALPHA, 0};
	struct dataplane *dp = tunnel_rig_create(4);

	rig_put_segment(dp, RIG_ALPHA);
	rig_put_port(dp, 1, RIG_ALPHA);
	rig_put_port(dp, 2, RIG_ALPHA);
	tunnel_rig_put_peer(dp, 4, PEER, segments);
	*state = dp;
	return 0;
}

/* At the uplink, with outer headers: through decap. Those of strangers end there, and are counted
 * there once. */
static void test_at_an_uplink(void **state)
{
	struct dp_follow_open open = {.n_frames = 9, .n_ports = 1, .port_ids = {TUNNEL_RIG_UPLINK}};
	struct dataplane *dp = *state;
	uint64_t id = open_follow(dp, &open);

	tunnel_rig_send(dp, 4, PEER, RIG_ALPHA, RIG_BROADCAST, 9, 60, 1);
	tunnel_rig_send(dp, 4, 77, RIG_ALPHA, RIG_BROADCAST, 9, 60, 2);
	tunnel_rig_send(dp, 4, PEER, RIG_ALPHA, RIG_BROADCAST, 9, 60, 3);
	rig_turn(dp, NOW_S);
	next(dp, id, TUNNEL_RIG_UPLINK);
	assert_fact(DP_TRACE_DECAP, TUNNEL_RIG_UPLINK, TRACE_WORD_TUNNELLED);
	assert_fact(DP_TRACE_CLASSIFY, PEER, TRACE_WORD_SEGMENT);
	assert_fact(DP_TRACE_LINK, 1, TRACE_WORD_TAKEN);
	assert_int_equal(find(DP_TRACE_LINK, 1)->value, 60);
	next(dp, id, TUNNEL_RIG_UPLINK);
	assert_dropped(DP_TRACE_DECAP, TUNNEL_RIG_UPLINK, DROP_TUNNEL_PEER);
	next(dp, id, TUNNEL_RIG_UPLINK);
	assert_fact(DP_TRACE_LINK, 2, TRACE_WORD_TAKEN);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->carried_rx_frames, 2);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->rx_frames, 1);
	assert_int_equal(rig_counters(dp, PEER)->rx_frames, 2);
	assert_int_equal(rig_port(dp, 1)->out[1].bytes[14], 3);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

/* At the peer, without them: the filter sees the inner frame. */
static void test_at_a_peer(void **state)
{
	struct dataplane *dp = *state;
	struct dp_follow_open open = of_mark(9, 7);
	uint64_t id = open_follow(dp, &open);

	for (uint8_t mark = 6; mark < 9; mark++)
		tunnel_rig_send(dp, 4, PEER, RIG_ALPHA, RIG_BROADCAST, 9, 60, mark);
	rig_turn(dp, NOW_S);
	next(dp, id, PEER);
	assert_fact(DP_TRACE_PORT, PEER, TRACE_WORD_CAME);
	assert_null(find(DP_TRACE_DECAP, TUNNEL_RIG_UPLINK));
	assert_fact(DP_TRACE_LINK, 2, TRACE_WORD_TAKEN);
	no_more(dp, id);
	assert_int_equal(rig_counters(dp, PEER)->rx_frames, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(rig_port(dp, 1)->out[i].bytes[14], 6 + i);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

/* Some of a burst match outside, others inside. */
static void test_at_both(void **state)
{
	struct dataplane *dp = *state;
	struct dp_follow_open open = of_mark(9, 7);
	uint64_t id = open_follow(dp, &open);
	struct rig_frame *frame;

	tunnel_rig_send(dp, 4, PEER, RIG_ALPHA, RIG_BROADCAST, 9, 60, 5);
	frame = tunnel_rig_send(dp, 4, PEER, RIG_ALPHA, RIG_BROADCAST, 9, 60, 6);
	frame->bytes[14] = 7; /* no IPv4 header any more */
	tunnel_rig_send(dp, 4, PEER, RIG_ALPHA, RIG_BROADCAST, 9, 60, 7);
	tunnel_rig_send(dp, 4, PEER, RIG_ALPHA, RIG_BROADCAST, 9, 60, 8);
	rig_turn(dp, NOW_S);
	next(dp, id, TUNNEL_RIG_UPLINK);
	assert_int_equal(record.facts[record.n_facts - 1].verdict, DP_TRACE_DROP);
	next(dp, id, PEER);
	assert_fact(DP_TRACE_LINK, 1, TRACE_WORD_TAKEN);
	no_more(dp, id);
	assert_int_equal(rig_port(dp, 1)->n_out, 3);
	assert_int_equal(rig_port(dp, 1)->out[1].bytes[14], 7);
	assert_int_equal(rig_port(dp, 1)->out[2].bytes[14], 8);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

static void test_to_a_peer(void **state)
{
	struct dp_follow_open open = {.n_frames = 1, .n_ports = 1, .port_ids = {1}};
	struct dataplane *dp = *state;
	uint64_t id = open_follow(dp, &open);

	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	next(dp, id, 1);
	assert_fact(DP_TRACE_TUNNEL, PEER, TRACE_WORD_OUTER);
	assert_fact(DP_TRACE_LINK, PEER, TRACE_WORD_TAKEN);
	assert_fact(DP_TRACE_LINK, 2, TRACE_WORD_TAKEN);
	assert_int_equal(follow_close(dp, id, &owner), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_delivered, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_order_and_counts, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_ends_after_n, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_missed, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_dropped_at_the_sender, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(test_dropped_at_receivers, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(test_beside_a_capture, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_words, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_at_an_uplink, set_up_tunnels, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_at_a_peer, set_up_tunnels, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_at_both, set_up_tunnels, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_to_a_peer, set_up_tunnels, rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
