/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/replay.c and replays.c: frames by virtual time, and hostile rings. */
#include "dataplane/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/api/fate.h"
#include "dataplane/api/replay_gap.h"
#include "dataplane/recorder.h"
#include "dataplane/replays.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define SECOND 1000000000ULL
#define START (1000 * SECOND)
#define RING_BYTES (UINT64_C(1) << 20)

struct rig {
	struct dataplane *dp;
	uint64_t id;
	struct record_map map;
	struct record_writer writer;
	struct record_map fates;
	struct record_reader reader;
	int fd;
};

static const int owner;

static int open_replay(struct rig *rig, uint64_t port_id, uint64_t ring_bytes)
{
	const struct dp_replay_open open = {.port_id = port_id, .ring_bytes = ring_bytes};
	char why[DP_TEXT_BYTES];
	int fds[2];
	int error = replays_open(rig->dp, &open, &owner, &rig->id, fds, why, sizeof(why));

	rig->fd = fds[0];
	return error;
}

static int set_up(void **state)
{
	static struct rig rig;

	rig = (struct rig){.dp = rig_create(1)};
	rig_put_segment(rig.dp, 1);
	rig_put_port(rig.dp, 1, 1);
	rig_put_port(rig.dp, 2, 1);
	assert_int_equal(open_replay(&rig, 1, RING_BYTES), 0);
	assert_int_equal(record_open(rig.fd, &rig.map), 0);
	record_writer_begin(&rig.writer, &rig.map, 0);
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	rig_assert_accounted(rig->dp);
	record_close(&rig->map);
	close(rig->fd);
	dataplane_destroy(rig->dp);
	return 0;
}

static struct replay *replay_of(const struct rig *rig)
{
	return replays_find(rig->dp, rig->id, &owner);
}

static struct record *put(struct rig *rig, uint64_t due_ns, uint32_t len)
{
	struct record *record = record_writer_reserve(&rig->writer, len);
	uint8_t *frame = (uint8_t *)(record + 1);

	assert_non_null(record);
	record->way = RECORD_RX;
	record->time_ns = due_ns;
	memset(frame, 0, len);
	rig_mac(frame, RIG_BROADCAST);
	rig_mac(frame + 6, 1);
	record_writer_commit(&rig->writer, record);
	return record;
}

static unsigned int turn(struct rig *rig, uint64_t now_ns)
{
	return worker_turn(rig->dp->workers[0], now_ns);
}

static struct dp_replay_state look(const struct rig *rig)
{
	struct dp_replay_state state = {0};

	replay_look(replay_of(rig), &state);
	return state;
}

static void frames_enter_the_port_when_they_are_due(void **state)
{
	struct rig *rig = *state;

	for (uint64_t i = 0; i < 3; i++)
		put(rig, i * 1000, 60);
	assert_int_equal(turn(rig, START + SECOND), 0); /* not started */
	replays_start(replay_of(rig), START);
	assert_int_equal(turn(rig, START - 1), 0);
	assert_int_equal(turn(rig, START), 1);
	assert_int_equal(turn(rig, START + 999), 0);
	assert_int_equal(turn(rig, START + 1000), 1);
	assert_int_equal(turn(rig, START + 5000), 1);
	assert_int_equal(rig_port(rig->dp, 2)->n_out, 3);
	assert_int_equal(rig_counters(rig->dp, 1)->rx_frames, 3);
	assert_int_equal(rig_counters(rig->dp, 1)->rx_bytes, 180);
}

static void what_is_said_of_gaps_is_exact(void **state)
{
	struct rig *rig = *state;

	for (uint64_t i = 0; i < 4; i++)
		put(rig, i * 1000, 60);
	replays_start(replay_of(rig), START);
	turn(rig, START + 2);
	turn(rig, START + 1002); /* as late as the first: the gap is right */
	turn(rig, START + 3007); /* two at once: 5 + 1000 too long, 1000 too short */
	struct dp_replay_state said = look(rig);

	assert_int_equal(said.frames, 4);
	assert_int_equal(said.bytes, 240);
	assert_int_equal(said.first_ns, 2);
	assert_int_equal(said.last_ns, 3007);
	assert_int_equal(said.last_due_ns, 3000);
	assert_int_equal(said.late_max_ns, 1007);
	assert_int_equal(said.gap_error_max_ns, 1005);
	assert_int_equal(said.gap_errors[0], 1);
	assert_int_equal(replay_gap_bucket(1005), replay_gap_bucket(1000));
	assert_int_equal(said.gap_errors[replay_gap_bucket(1005)], 2);
}

static void no_more_than_a_burst_in_a_turn(void **state)
{
	struct rig *rig = *state;

	for (unsigned int i = 0; i < BURST_FRAMES + 10; i++)
		put(rig, 0, i == 0 ? 1500 : 60);
	replays_start(replay_of(rig), START);
	assert_int_equal(turn(rig, START), BURST_FRAMES);
	assert_int_equal(turn(rig, START), 10);
	assert_int_equal(turn(rig, START), 0);
}

static void what_no_writer_writes_ends_it(void **state)
{
	struct rig *rig = *state;
	const uint32_t lens[] = {0, FRAME_BYTES_MAX + 1, UINT32_MAX - 1};

	for (size_t i = 0; i < 3; i++) {
		put(rig, 0, 60);
		struct record *bad = put(rig, 0, 60);

		bad->len = lens[i];
		put(rig, 0, 60);
		replays_start(replay_of(rig), START);
		assert_int_equal(turn(rig, START), 1);
		assert_int_equal(turn(rig, START), 0);
		assert_int_equal(look(rig).fault, DP_REPLAY_DAMAGED);
		tear_down(state);
		set_up(state);
	}
	/* More than the ring holds was written; and a record that ends elsewhere. */
	atomic_store(&rig->writer.control->head, RING_BYTES + 64);
	replays_start(replay_of(rig), START);
	assert_int_equal(turn(rig, START), 0);
	assert_int_equal(look(rig).fault, DP_REPLAY_DAMAGED);
}

/* The worker believes nobody about what it has read. */
static void a_tail_that_moves_changes_nothing(void **state)
{
	struct rig *rig = *state;

	put(rig, 0, 60);
	put(rig, 0, 60);
	replays_start(replay_of(rig), START);
	atomic_store(&rig->writer.control->tail, 12345);
	assert_int_equal(turn(rig, START), 2);
	assert_int_equal(look(rig).fault, DP_REPLAY_GOES_ON);
}

static void a_port_that_goes_ends_it(void **state)
{
	struct rig *rig = *state;

	put(rig, 0, 60);
	replays_start(replay_of(rig), START);
	rig_del_port(rig->dp, 1);
	assert_int_equal(turn(rig, START), 0);
	assert_int_equal(look(rig).fault, DP_REPLAY_PORT_GONE);
}

static void it_is_refused_where_it_cannot_be(void **state)
{
	struct rig *rig = *state;
	struct rig other = {.dp = rig->dp};

	assert_int_equal(open_replay(&other, 1, RING_BYTES), -EBUSY);
	assert_int_equal(open_replay(&other, 7, RING_BYTES), -ENOENT);
	assert_int_equal(open_replay(&other, 2, RING_BYTES + 1), -EINVAL);
	assert_int_equal(open_replay(&other, 2, 0), -EINVAL);
	assert_null(replays_find(rig->dp, rig->id, &other));
}

static void who_goes_takes_all_along(void **state)
{
	struct rig *rig = *state;
	unsigned int fds = rig_count_fds(), n_rxqs = rig->dp->workers[0]->n_rxqs;

	replays_close_all(rig->dp, &owner);
	assert_null(replay_of(rig));
	assert_int_equal(rig->dp->workers[0]->n_rxqs, n_rxqs - 1);
	assert_int_equal(rig_count_fds(), fds - 1);
	assert_true(record_is_ended(&rig->map));
}

/* --- fates --- */

/* The same replay, into port 1, whose fates somebody reads. */
static int set_up_fates(void **state)
{
	struct dp_replay_open open = {
		.port_id = 1, .ring_bytes = RING_BYTES, .fates_bytes = RING_BYTES};
	char why[DP_TEXT_BYTES];
	int fds[2];

	set_up(state);
	struct rig *rig = *state;

	replays_close_all(rig->dp, &owner);
	record_close(&rig->map);
	close(rig->fd);
	assert_int_equal(replays_open(rig->dp, &open, &owner, &rig->id, fds, why, sizeof(why)), 0);
	rig->fd = fds[0];
	assert_int_equal(record_open(rig->fd, &rig->map), 0);
	record_writer_begin(&rig->writer, &rig->map, 0);
	assert_int_equal(record_open(fds[1], &rig->fates), 0);
	record_reader_begin(&rig->reader, &rig->fates, 0);
	close(fds[1]);
	return 0;
}

static int tear_down_fates(void **state)
{
	record_close(&((struct rig *)*state)->fates);
	return tear_down(state);
}

static void assert_fate(struct rig *rig, uint32_t number, enum fate_kind kind, uint64_t port_id,
			enum drop_reason reason)
{
	struct record record;
	const uint8_t *bytes;
	struct fate fate;

	assert_int_equal(record_reader_next(&rig->reader, &record, &bytes), 1);
	assert_int_equal(record.len, sizeof(fate));
	memcpy(&fate, bytes, sizeof(fate));
	record_reader_take(&rig->reader, &record);
	assert_int_equal(fate.number, number);
	assert_int_equal(fate.kind, kind);
	assert_int_equal(record.port_id, port_id);
	assert_int_equal(record.reason, reason);
	assert_true(fate.in_ns >= START && record.time_ns >= fate.in_ns);
}

static void assert_no_fate(struct rig *rig)
{
	struct record record;
	const uint8_t *bytes;

	assert_int_equal(record_reader_next(&rig->reader, &record, &bytes), 0);
}

static void each_receiver_is_a_fate(void **state)
{
	struct rig *rig = *state;

	rig_put_port(rig->dp, 3, 1);
	put(rig, 0, 60);
	put(rig, 0, 60);
	replays_start(replay_of(rig), START);
	assert_int_equal(turn(rig, START), 2);
	assert_fate(rig, 0, FATE_DELIVERED, 2, DROP_NONE);
	assert_fate(rig, 1, FATE_DELIVERED, 2, DROP_NONE);
	assert_fate(rig, 0, FATE_DELIVERED, 3, DROP_NONE);
	assert_fate(rig, 1, FATE_DELIVERED, 3, DROP_NONE);
	assert_no_fate(rig);
	assert_int_equal(look(rig).fated, 2);
}

static void what_is_dropped_has_its_reason(void **state)
{
	struct rig *rig = *state;
	struct record *record = put(rig, 0, 60);

	rig_mac((uint8_t *)(record + 1) + 6, RIG_BROADCAST);
	put(rig, 0, 60);
	replays_start(replay_of(rig), START);
	assert_int_equal(turn(rig, START), 2);
	assert_fate(rig, 0, FATE_DROPPED, 1, DROP_BAD_SOURCE);
	assert_fate(rig, 1, FATE_DELIVERED, 2, DROP_NONE);
	assert_no_fate(rig);
}

/* Neither those in the same turn, nor those that lie later where marked ones lay. */
static void frames_of_others_have_none(void **state)
{
	struct rig *rig = *state;

	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		put(rig, 0, 60);
	rig_send(rig->dp, 2, RIG_BROADCAST, 2, 60, 0);
	replays_start(replay_of(rig), START);
	turn(rig, START);
	assert_int_equal(look(rig).fated, BURST_FRAMES);
	rig_send(rig->dp, 2, RIG_BROADCAST, 2, 60, 0);
	rig_send(rig->dp, 1, RIG_BROADCAST, 1, 60, 0);
	turn(rig, START + 1);
	for (uint32_t i = 0; i < BURST_FRAMES; i++)
		assert_fate(rig, i, FATE_DELIVERED, 2, DROP_NONE);
	assert_no_fate(rig);
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		assert_int_equal(rig->dp->workers[0]->burst->frames[i].mark.replay, 0);
}

static void what_finds_no_room_is_counted(void **state)
{
	struct rig *rig = *state;
	unsigned int n = 0;

	replays_start(replay_of(rig), START);
	for (unsigned int i = 0; i < 25000; i++) {
		put(rig, 0, 60);
		n += turn(rig, START);
		rig_port(rig->dp, 2)->n_out = 0;
	}
	uint64_t kept = look(rig).fated;

	assert_int_equal(n, 25000);
	assert_true(kept > 15000 && kept < n);
	assert_int_equal(record_reader_kept(&rig->reader), kept);
	assert_int_equal(record_reader_lost(&rig->reader), n - kept);
}

/* Ports are seen while a replay asks, and no longer. */
static void nothing_is_left_of_it(void **state)
{
	struct rig *rig = *state;
	const struct port *port = port_find(rig->dp, 2);

	assert_ptr_equal(port_io(port), &recorder_io);
	replays_close_all(rig->dp, &owner);
	assert_ptr_equal(port_io(port), port->type);
	assert_int_equal(rig->dp->n_fates, 0);
	assert_true(record_is_ended(&rig->fates));
}

static void buckets_are_an_eighth_wide(void **state)
{
	for (uint64_t ns = 0; ns < 5000000; ns += 1 + ns / 50) {
		uint64_t said = replay_gap_ns(replay_gap_bucket(ns));

		assert_true(said >= ns && said <= ns + ns / 8);
	}
	assert_int_equal(replay_gap_bucket(UINT64_MAX), DP_REPLAY_BUCKETS - 1);
	uint64_t buckets[DP_REPLAY_BUCKETS] = {[5] = 989, [20] = 11};

	assert_int_equal(replay_gap_permille(buckets, 500), 5);
	assert_int_equal(replay_gap_permille(buckets, 990), replay_gap_ns(20));
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define WITH_FATES(test) cmocka_unit_test_setup_teardown(test, set_up_fates, tear_down_fates)
	const struct CMUnitTest tests[] = {
		WITH_RIG(frames_enter_the_port_when_they_are_due),
		WITH_RIG(what_is_said_of_gaps_is_exact),
		WITH_RIG(no_more_than_a_burst_in_a_turn),
		WITH_RIG(what_no_writer_writes_ends_it),
		WITH_RIG(a_tail_that_moves_changes_nothing),
		WITH_RIG(a_port_that_goes_ends_it),
		WITH_RIG(it_is_refused_where_it_cannot_be),
		WITH_RIG(who_goes_takes_all_along),
		WITH_FATES(each_receiver_is_a_fate),
		WITH_FATES(what_is_dropped_has_its_reason),
		WITH_FATES(frames_of_others_have_none),
		WITH_FATES(what_finds_no_room_is_counted),
		WITH_FATES(nothing_is_left_of_it),
		cmocka_unit_test(buckets_are_an_eighth_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
