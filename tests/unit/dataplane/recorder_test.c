/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures of a whole dataplane: what of which port, segment and way is recorded, and that nothing
 * is when nobody asks. */
#include "dataplane/recorder.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/captures.h"
#include "dataplane/drop.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define NOW_S 1000
#define RX (1u << RECORD_RX)
#define TX (1u << RECORD_TX)
#define DROPS (1u << RECORD_DROP)

static const int owner, other_owner;

/* A capture, seen from its reader. */
struct seen {
	uint64_t id;
	int fd;
	struct record_map map;
	struct record_reader reader;
};

static void open_capture(struct dataplane *dp, const struct dp_capture_open *spec,
			 struct seen *seen)
{
	struct dp_capture_open open = *spec;
	char why[DP_TEXT_BYTES];

	open.ring_bytes = RECORD_RING_BYTES_MIN;
	assert_int_equal(captures_open(dp, &open, &owner, &seen->id, &seen->fd, why, sizeof(why)),
			 0);
	assert_int_equal(record_open(seen->fd, &seen->map), 0);
	record_reader_begin(&seen->reader, &seen->map, 0);
}

static void close_capture(struct dataplane *dp, struct seen *seen)
{
	assert_int_equal(captures_close(dp, seen->id, &other_owner), -ENOENT);
	assert_int_equal(captures_close(dp, seen->id, &owner), 0);
	assert_int_equal(captures_close(dp, seen->id, &owner), -ENOENT);
	assert_true(record_is_ended(&seen->map));
	record_close(&seen->map);
	close(seen->fd);
}

/* The next record is this; its bytes count up as the rig makes them. */
static void expect(struct seen *seen, enum record_way way, uint64_t port_id, uint32_t len,
		   uint8_t mark)
{
	struct record record;
	const uint8_t *bytes;

	assert_int_equal(record_reader_next(&seen->reader, &record, &bytes), 1);
	assert_int_equal(record.way, way);
	assert_int_equal(record.port_id, port_id);
	assert_int_equal(record.wire_len, len);
	assert_int_equal(record.time_ns, NOW_S * 1000000000ULL);
	for (uint32_t i = 14; i < record.len; i++)
		assert_int_equal(bytes[i], (uint8_t)(mark + i - 14));
	record_reader_take(&seen->reader, &record);
}

static void expect_end(struct seen *seen)
{
	struct record record;
	const uint8_t *bytes;

	assert_int_equal(record_reader_next(&seen->reader, &record, &bytes), 0);
	assert_int_equal(record_reader_lost(&seen->reader), 0);
}

static void note_dropped(void *ctx, const struct dp_dropped_frame *frame)
{
	*(struct dp_dropped_frame *)ctx = *frame;
}

static void test_ports_and_ways(void **state)
{
	struct dataplane *dp = *state;
	struct dp_capture_open both = {.ways = RX | TX, .n_ports = 1, .port_ids = {1}};
	struct dp_capture_open two = {.ways = TX, .n_ports = 2, .port_ids = {2, 4}};
	struct seen one, other;

	open_capture(dp, &both, &one);
	open_capture(dp, &two, &other);
	rig_send(dp, 1, RIG_BROADCAST, 1, 200, 5);
	rig_turn(dp, NOW_S);
	rig_send(dp, 2, 1, 2, 60, 9);
	rig_turn(dp, NOW_S);
	expect(&one, RECORD_RX, 1, 200, 5);
	expect(&one, RECORD_TX, 1, 60, 9);
	expect_end(&one);
	expect(&other, RECORD_TX, 2, 200, 5);
	expect_end(&other);
	close_capture(dp, &one);
	close_capture(dp, &other);
	for (uint64_t id = 1; id <= 4; id++)
		assert_ptr_equal(port_io(port_find(dp, id)), port_find(dp, id)->type);
}

static void test_segment_with_new_port(void **state)
{
	struct dataplane *dp = *state;
	struct dp_capture_open open = {.ways = RX, .segment_id = RIG_ALPHA};
	struct seen seen;

	open_capture(dp, &open, &seen);
	rig_put_port(dp, 5, RIG_ALPHA);
	rig_send(dp, 5, RIG_BROADCAST, 5, 60, 1);
	rig_send(dp, 4, RIG_BROADCAST, 4, 60, 2);
	rig_turn(dp, NOW_S);
	expect(&seen, RECORD_RX, 5, 60, 1);
	expect_end(&seen);
	rig_del_port(dp, 5);
	close_capture(dp, &seen);
}

static void test_snaplen_and_filter(void **state)
{
	struct dataplane *dp = *state;
	/* the first byte of the payload is 7 */
	struct dp_capture_open open = {
		.ways = RX,
		.n_ports = 1,
		.port_ids = {1},
		.snaplen = 20,
		.n_insns = 4,
		.insns = {{0x30, 0, 0, 14}, {0x15, 0, 1, 7}, {0x06, 0, 0, 1}, {0x06, 0, 0, 0}}};
	struct seen seen;

	open_capture(dp, &open, &seen);
	for (uint8_t mark = 6; mark < 9; mark++)
		rig_send(dp, 1, RIG_BROADCAST, 1, 100, mark);
	rig_turn(dp, NOW_S);
	struct record record;
	const uint8_t *bytes;

	assert_int_equal(record_reader_next(&seen.reader, &record, &bytes), 1);
	assert_int_equal(record.len, 20);
	expect(&seen, RECORD_RX, 1, 100, 7);
	expect_end(&seen);
	close_capture(dp, &seen);
}

/* What is dropped is in a capture of drops with its reason, and among the last of its worker. */
static void test_drops(void **state)
{
	struct dataplane *dp = *state;
	struct dp_capture_open all = {.ways = DROPS};
	struct dp_capture_open others = {.ways = DROPS, .n_ports = 1, .port_ids = {1}};
	struct record record;
	const uint8_t *bytes;
	struct seen seen, none;

	open_capture(dp, &all, &seen);
	open_capture(dp, &others, &none);
	rig_send(dp, 4, RIG_BROADCAST, 4, 60, 4);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_counters(dp, 4)->drops[DROP_NO_RECEIVER], 1);
	assert_int_equal(record_reader_next(&seen.reader, &record, &bytes), 1);
	assert_int_equal(record.reason, DROP_NO_RECEIVER);
	assert_int_equal(record.segment_id, RIG_BETA);
	expect(&seen, RECORD_DROP, 4, 60, 4);
	expect_end(&seen);
	expect_end(&none);
	close_capture(dp, &seen);
	close_capture(dp, &none);
	struct dp_dropped_frame last = {.port_id = 0};

	dropped_walk(&dp->workers[0]->recorder->dropped, note_dropped, &last);
	assert_int_equal(last.port_id, 4);
	assert_int_equal(last.reason, DROP_NO_RECEIVER);
}

/* Of a runt nobody has read the segment: on an access port it is the port's all the same, and never
 * that of the frame before it in the same place of the burst. */
static void test_refused_in_its_own_segment(void **state)
{
	struct dataplane *dp = *state;
	struct dp_capture_open all = {.ways = DROPS};
	struct record record;
	const uint8_t *bytes;
	struct seen seen;

	open_capture(dp, &all, &seen);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 1);
	rig_turn(dp, NOW_S);
	rig_send(dp, 4, RIG_BROADCAST, 4, 60, 4);
	rig_port(dp, 4)->in[0].len = ETH_HLEN - 1;
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_counters(dp, 4)->drops[DROP_RUNT], 1);
	assert_int_equal(record_reader_next(&seen.reader, &record, &bytes), 1);
	assert_int_equal(record.reason, DROP_RUNT);
	assert_int_equal(record.segment_id, RIG_BETA);
	close_capture(dp, &seen);
}

static struct frame *failing;

/* A port that takes all frames but one. */
static void fail_one(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		     struct counters_block *count)
{
	for (unsigned int i = 0; i < n; i++) {
		if (&burst->frames[order[i]] == failing)
			drop_frame(burst->recorder, count, failing, DROP_RING_FULL);
		else
			count->tx_frames++;
	}
}

/* What could not be sent is not in a capture of what was. */
static void test_failed_is_not_sent(void **state)
{
	struct dataplane *dp = *state;
	struct dp_capture_open open = {.ways = TX, .n_ports = 1, .port_ids = {2}};
	struct port *port = port_find(dp, 2);
	struct port_type type = *port->type;
	const struct port_type *before = port->type;
	struct seen seen;

	open_capture(dp, &open, &seen);
	type.tx = fail_one;
	port->type = &type;
	failing = &dp->workers[0]->burst->frames[1];
	for (uint8_t mark = 0; mark < 3; mark++)
		rig_send(dp, 1, RIG_BROADCAST, 1, 60, mark);
	rig_turn(dp, NOW_S);
	port->type = before;
	expect(&seen, RECORD_TX, 2, 60, 0);
	expect(&seen, RECORD_TX, 2, 60, 2);
	expect_end(&seen);
	close_capture(dp, &seen);
}

static void test_refused(void **state)
{
	static const struct dp_capture_open bad[] = {
		{.ways = 0},
		{.ways = 1},
		{.ways = RX | 64},
		{.ways = RX, .n_ports = DP_CAPTURE_PORTS_MAX + 1},
		{.ways = RX, .n_ports = 1, .port_ids = {99}},
		{.ways = RX, .segment_id = 99},
		{.ways = RX, .channel_id = 99},
		{.ways = RX, .n_insns = 1, .insns = {{0x05, 0, 0, 0}}},
		{.ways = RX, .n_insns = DP_INSNS_MAX + 1},
	};
	unsigned int n_fds = rig_count_fds();
	char why[DP_TEXT_BYTES];
	uint64_t id;
	int fd;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dp_capture_open open = bad[i];

		open.ring_bytes = RECORD_RING_BYTES_MIN;
		assert_true(captures_open(*state, &open, &owner, &id, &fd, why, sizeof(why)) < 0);
	}
	struct dp_capture_open open = {.ways = RX, .ring_bytes = 12345};

	assert_int_equal(captures_open(*state, &open, &owner, &id, &fd, why, sizeof(why)), -EINVAL);
	open.ring_bytes = RECORD_RING_BYTES_MIN;
	for (unsigned int i = 0; i < DP_CAPTURES_MAX; i++) {
		assert_int_equal(captures_open(*state, &open, &owner, &id, &fd, why, sizeof(why)),
				 0);
		close(fd);
	}
	assert_int_equal(captures_open(*state, &open, &owner, &id, &fd, why, sizeof(why)), -EBUSY);
	captures_close_all(*state, &owner);
	assert_int_equal(rig_count_fds(), n_fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ports_and_ways, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_segment_with_new_port, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(test_snaplen_and_filter, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_drops, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_refused_in_its_own_segment, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(test_failed_is_not_sent, rig_set_up, rig_tear_down),
		cmocka_unit_test_setup_teardown(test_refused, rig_set_up, rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
