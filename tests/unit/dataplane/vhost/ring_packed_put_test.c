/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/ring_packed_put.c: frames into buffers of every shape, and bad ones. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dataplane/vhost/packed_rig.h"

#define HEADER PACKED_RIG_HEADER
#define SPACE 4096u /* of the buffers, for each offer */

/* The bytes of a frame that starts at `at` bytes of it are in the piece. */
static void assert_bytes(const uint8_t *piece, uint32_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(piece[i], (at + i) % 251);
}

static unsigned int buffers_of(const uint8_t *header)
{
	struct virtio_net_hdr_mrg_rxbuf vnet;

	memcpy(&vnet, header, sizeof(vnet));
	return le16toh(vnet.num_buffers);
}

static void a_frame_fills_one_buffer(void **state)
{
	struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 8);
	static const uint32_t lens[] = {14, 60, 128, 129, 1514, 2000};

	for (unsigned int i = 0; i < 60; i++) {
		uint32_t len = lens[i % 6];
		uint16_t id = packed_rig_offer(rig, 0, HEADER + 2000, true);

		memset(rig->buffers, 0xee, SPACE);
		packed_rig_put(rig, &len, 1);
		assert_int_equal(packed_rig_assert_used(rig, id), HEADER + len);
		assert_int_equal(buffers_of(rig->buffers), 1);
		assert_bytes(rig->buffers + HEADER, 0, len);
		assert_int_equal(rig->buffers[HEADER + len], 0xee);
	}
	assert_int_equal(rig->count.tx_frames, 60);
	assert_int_equal(packed_rig_drops(rig), 0);
	packed_rig_destroy(rig);
}

static void there_is_room_for_as_many_as_were_offered(void **state)
{
	struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 8);
	const uint32_t len = 60;

	/* Five at a time, over the end of the ring. */
	for (unsigned int lap = 0; lap < 5; lap++) {
		uint16_t ids[5];

		for (unsigned int i = 0; i < 5; i++) {
			assert_true(ring_has_room(&rig->ring, i));
			assert_false(ring_has_room(&rig->ring, i + 1));
			ids[i] = packed_rig_offer(rig, i * 200, HEADER + len, true);
		}
		for (unsigned int i = 0; i < 5; i++) {
			packed_rig_put(rig, &len, 1);
			packed_rig_assert_used(rig, ids[i]);
			assert_false(ring_has_room(&rig->ring, 5 - i));
		}
	}
	packed_rig_destroy(rig);
}

static void chains_and_tables_are_filled_in_order(void **state)
{
	static const uint32_t bytes[3] = {HEADER, 100, 2000};

	for (unsigned int indirect = 0; indirect < 2; indirect++) {
		struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 8);
		uint32_t len = 1000;
		uint16_t id = packed_rig_add(rig, 0, bytes, 3, true, indirect != 0);

		packed_ring_publish(&rig->driver);
		packed_rig_put(rig, &len, 1);
		assert_int_equal(packed_rig_assert_used(rig, id), HEADER + len);
		assert_bytes(rig->buffers + HEADER + 16, 0, 100);
		assert_bytes(rig->buffers + HEADER + 16 + 100 + 16, 100, 900);
		packed_rig_destroy(rig);
	}
}

/* A guest does not wait for the rest of a frame: nothing shows before all is there. */
static void a_large_frame_fills_several_buffers_at_once(void **state)
{
	struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 8);

	for (unsigned int turn = 0; turn < 20; turn++) {
		uint32_t lens[3] = {60, 3000, 60};
		uint16_t ids[6];

		for (unsigned int i = 0; i < 6; i++)
			ids[i] = packed_rig_offer(rig, i * SPACE, 1000, true);
		packed_rig_put(rig, lens, 3);
		assert_int_equal(packed_rig_assert_used(rig, ids[0]), HEADER + 60);
		assert_int_equal(buffers_of(rig->buffers + SPACE), 4);
		assert_int_equal(packed_rig_assert_used(rig, ids[1]), 1000);
		assert_int_equal(packed_rig_assert_used(rig, ids[2]), 1000);
		assert_int_equal(packed_rig_assert_used(rig, ids[3]), 1000);
		assert_int_equal(packed_rig_assert_used(rig, ids[4]), HEADER + 3000 - 3000);
		assert_bytes(rig->buffers + SPACE + HEADER, 0, 1000 - HEADER);
		assert_bytes(rig->buffers + 2 * SPACE, 1000 - HEADER, 1000);
		assert_int_equal(packed_rig_assert_used(rig, ids[5]), HEADER + 60);
	}
	packed_rig_destroy(rig);
}

static void without_room_a_frame_is_dropped_and_nothing_moves(void **state)
{
	struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 8);
	uint32_t lens[2] = {3000, 60};
	uint16_t a = packed_rig_offer(rig, 0, 1000, true);
	uint16_t b = packed_rig_offer(rig, SPACE, 1000, true);

	packed_rig_put(rig, lens, 2);
	assert_int_equal(rig->count.drops[DROP_RING_FULL], 1);
	assert_int_equal(packed_rig_assert_used(rig, a), HEADER + 60);
	packed_rig_assert_used(rig, -1);
	packed_rig_put(rig, &lens[1], 1);
	assert_int_equal(packed_rig_assert_used(rig, b), HEADER + 60);
	packed_rig_put(rig, &lens[1], 1);
	assert_int_equal(rig->count.drops[DROP_RING_FULL], 2);
	packed_rig_assert_broken(rig, NULL);
	packed_rig_destroy(rig);
}

static void without_mergeable_buffers_one_must_do(void **state)
{
	struct packed_rig *rig =
		packed_rig_create(PACKED_RIG_MODERN & ~VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF), 8);
	uint32_t len = 1500;

	packed_rig_offer(rig, 0, 1000, true);
	packed_rig_offer(rig, SPACE, 1000, true);
	packed_rig_put(rig, &len, 1);
	assert_int_equal(rig->count.drops[DROP_RING_FULL], 1);
	packed_rig_assert_used(rig, -1);
	packed_rig_destroy(rig);
}

/* More buffers than the journal has room for: given back in portions, in order. */
static void frames_over_very_many_buffers_pass(void **state)
{
	struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 1024);
	uint32_t lens[8];

	for (unsigned int i = 0; i < 8; i++)
		lens[i] = 100 * 100 - HEADER;
	for (unsigned int i = 0; i < 1024; i++)
		packed_rig_offer(rig, i * 128, 100, true);
	packed_rig_put(rig, lens, 8);
	assert_int_equal(rig->count.tx_frames, 8);
	for (int i = 0; i < 800; i++)
		assert_int_equal(packed_rig_assert_used(rig, i), 100);
	packed_rig_assert_used(rig, -1);
	packed_rig_destroy(rig);
}

/* Few buffers for some frames of a burst, many for others: never more than the journal holds. */
static void short_frames_between_very_long_ones_pass(void **state)
{
	struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 512);
	uint32_t lens[BURST_FRAMES];

	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		lens[i] = i == 0 || i == BURST_FRAMES - 1 ? 127 * 100 - HEADER : 60;
	for (unsigned int i = 0; i < 512; i++)
		packed_rig_offer(rig, i * 128, 100, true);
	packed_rig_put(rig, lens, BURST_FRAMES);
	assert_int_equal(rig->count.tx_frames, BURST_FRAMES);
	for (int i = 0; i < 2 * 127 + BURST_FRAMES - 2; i++) {
		bool is_short = i >= 127 && i < 127 + BURST_FRAMES - 2;

		assert_int_equal(packed_rig_assert_used(rig, i), is_short ? HEADER + 60 : 100);
	}
	packed_rig_assert_used(rig, -1);
	packed_rig_destroy(rig);
}

static void bad_buffers_break_the_ring_and_are_not_written(void **state)
{
	static const struct {
		const char *why;
		uint64_t address;
		uint32_t bytes;
		uint16_t flags;
	} bad[] = {
		{"smaller than the virtio-net header", 0, HEADER - 1, VRING_DESC_F_WRITE},
		{"smaller than the virtio-net header", 0, 0, VRING_DESC_F_WRITE},
		{"wrong direction", 0, 2000, 0},
		{"outside the guest's memory", 0xfff0000000, 2000, VRING_DESC_F_WRITE},
		{"outside the guest's memory", 0, 0xffffffff, VRING_DESC_F_WRITE},
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 8);
		uint32_t lens[2] = {60, 60};

		memset(rig->buffers, 0xee, SPACE);
		packed_rig_offer(rig, 0, 2000, true);
		rig->driver.desc[0].addr = rig->address + bad[i].address;
		rig->driver.desc[0].len = bad[i].bytes;
		rig->driver.desc[0].flags =
			(uint16_t)(bad[i].flags | 1u << VRING_PACKED_DESC_F_AVAIL);
		packed_rig_put(rig, lens, 2);
		packed_rig_assert_broken(rig, bad[i].why);
		assert_int_equal(rig->count.drops[DROP_BAD_CHAIN], 1);
		assert_int_equal(rig->count.drops[DROP_PORT_DOWN], 1);
		packed_rig_assert_used(rig, -1);
		assert_int_equal(rig->buffers[0], 0xee);
		packed_rig_destroy(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_fills_one_buffer),
		cmocka_unit_test(there_is_room_for_as_many_as_were_offered),
		cmocka_unit_test(chains_and_tables_are_filled_in_order),
		cmocka_unit_test(a_large_frame_fills_several_buffers_at_once),
		cmocka_unit_test(without_room_a_frame_is_dropped_and_nothing_moves),
		cmocka_unit_test(without_mergeable_buffers_one_must_do),
		cmocka_unit_test(frames_over_very_many_buffers_pass),
		cmocka_unit_test(short_frames_between_very_long_ones_pass),
		cmocka_unit_test(bad_buffers_break_the_ring_and_are_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
