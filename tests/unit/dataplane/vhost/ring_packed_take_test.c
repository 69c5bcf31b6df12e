/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/ring_packed_take.c: frames from chains of every shape, and bad ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dataplane/vhost/packed_rig.h"

#define HEADER PACKED_RIG_HEADER
#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT

static int set_up(void **state)
{
	*state = packed_rig_create(PACKED_RIG_MODERN, 128);
	return 0;
}

static int tear_down(void **state)
{
	packed_rig_destroy(*state);
	return 0;
}

static uint8_t pattern(uint32_t i)
{
	return (uint8_t)(1 + i % 251);
}

/* A header of zeros and a frame, over pieces laid out as packed_rig_add() does. */
static void write_packet(struct packed_rig *rig, const uint32_t *bytes, unsigned int n)
{
	uint8_t *at = rig->buffers;
	uint32_t done = 0;

	for (unsigned int i = 0; i < n; i++, at += 16) {
		for (uint32_t k = 0; k < bytes[i]; k++, done++)
			*at++ = done < HEADER ? 0 : pattern(done - HEADER);
	}
}

static void assert_frame(const struct frame *frame, uint32_t len)
{
	uint32_t at = frame->head_len;

	assert_int_equal(frame->drop, DROP_NONE);
	assert_int_equal(frame->len, len);
	for (uint32_t i = 0; i < at; i++)
		assert_int_equal(frame->head[i], pattern(i));
	for (unsigned int k = 0; k < frame->n_iov; k++) {
		const uint8_t *bytes = frame->iov[k].iov_base;

		for (size_t i = 0; i < frame->iov[k].iov_len; i++)
			assert_int_equal(bytes[i], pattern(at++));
	}
	assert_int_equal(at, len);
}

static void frames_of_every_shape_arrive(void **state)
{
	struct packed_rig *rig = *state;
	static const uint32_t lens[] = {0, 1, 14, 60, 128, 129, 1514, 9014};

	for (unsigned int i = 0; i < 8 * 4 * 2; i++) {
		uint32_t left = HEADER + lens[i % 8], bytes[64];
		unsigned int n = (const unsigned int[]){1, 2, 9, 63}[i / 8 % 4];

		for (unsigned int k = 0; k < n; k++) {
			bytes[k] = k + 1 < n ? left / 2 : left;
			left -= bytes[k];
		}
		write_packet(rig, bytes, n);
		uint16_t id = packed_rig_add(rig, 0, bytes, n, false, i >= 32);

		packed_ring_publish(&rig->driver);
		assert_int_equal(packed_rig_take(rig), 1);
		assert_frame(&rig->burst->frames[0], lens[i % 8]);
		ring_complete(&rig->ring);
		assert_int_equal(packed_rig_assert_used(rig, id), 0);
	}
	packed_rig_assert_broken(rig, NULL);
}

static void a_full_ring_is_taken_burst_by_burst_in_order(void **state)
{
	struct packed_rig *rig = *state;

	for (uint32_t i = 0; i < 128; i++)
		packed_rig_offer(rig, 0, HEADER + 60 + i, false);
	for (uint32_t burst = 0; burst < 2; burst++) {
		assert_int_equal(packed_rig_take(rig), BURST_FRAMES);
		for (uint32_t i = 0; i < BURST_FRAMES; i++)
			assert_int_equal(rig->burst->frames[i].len, 60 + burst * BURST_FRAMES + i);
		ring_complete(&rig->ring);
	}
	assert_int_equal(packed_rig_take(rig), 0);
	for (int i = 0; i < 128; i++)
		packed_rig_assert_used(rig, i);
}

static void frames_that_cannot_be_cost_themselves_alone(void **state)
{
	struct packed_rig *rig = *state;

	packed_rig_offer(rig, 0, HEADER - 1, false);
	packed_rig_offer(rig, 0, HEADER + FRAME_BYTES_MAX + 1, false);
	packed_rig_offer(rig, 0, HEADER + FRAME_BYTES_MAX, false);
	packed_rig_offer(rig, 0, 0, false);
	assert_int_equal(packed_rig_take(rig), 4);
	assert_int_equal(rig->burst->frames[0].drop, DROP_RUNT);
	assert_int_equal(rig->burst->frames[1].drop, DROP_OVERSIZE);
	assert_int_equal(rig->burst->frames[2].drop, DROP_NONE);
	assert_int_equal(rig->burst->frames[2].len, FRAME_BYTES_MAX);
	assert_int_equal(rig->burst->frames[3].drop, DROP_RUNT);
	ring_complete(&rig->ring);
	packed_rig_assert_broken(rig, NULL);
}

/* --- hostile --- */

#define GOOD 0, 100, 0
#define OUTSIDE 0xfff0000000

/* Slots behind the two good frames, the start of an indirect table, and what weft says of it.
 * Addresses are offsets of the buffers up to 1 MiB, of the table from there on. */
#define TABLE (1u << 20)
static const struct bad {
	const char *why;
	struct vring_packed_desc desc[2];
	struct vring_packed_desc table[2];
} bad_chains[] = {
	{"outside the guest's memory", {{OUTSIDE, 100, 0, 0}}, {{0}}},
	{"outside the guest's memory", {{0, 0xffffffff, 0, 0}}, {{0}}},
	{"outside the guest's memory", {{0, 100, 0, NEXT}, {OUTSIDE, 100, 0, 0}}, {{0}}},
	{"end of the address space", {{UINT64_MAX - 50, 100, 0, 0}}, {{0}}},
	{"wrong direction", {{0, 100, 0, WRITE}}, {{0}}},
	{"wrong direction", {{0, 100, 0, NEXT}, {0, 100, 0, WRITE}}, {{0}}},
	{"with a next one", {{TABLE, 16, 0, INDIRECT | NEXT}, {GOOD, 0}}, {{GOOD, 0}}},
	{"with a next one", {{0, 100, 0, NEXT}, {TABLE, 16, 0, INDIRECT}}, {{GOOD, 0}}},
	{"impossible length", {{TABLE, 0, 0, INDIRECT}}, {{0}}},
	{"impossible length", {{TABLE, 17, 0, INDIRECT}}, {{GOOD, 0}}},
	{"impossible length", {{TABLE, 0xfffffff0, 0, INDIRECT}}, {{GOOD, 0}}},
	{"too many descriptors", {{TABLE, 65 * 16, 0, INDIRECT}}, {{GOOD, 0}}},
	{"outside the guest's memory", {{OUTSIDE, 16, 0, INDIRECT}}, {{0}}},
	{"odd address", {{TABLE + 1, 16, 0, INDIRECT}}, {{0}}},
	{"inside an indirect", {{TABLE, 16, 0, INDIRECT}}, {{TABLE, 16, 0, INDIRECT}}},
	{"wrong direction", {{TABLE, 32, 0, INDIRECT}}, {{GOOD, 0}, {0, 100, 0, WRITE}}},
	{"outside the guest's memory", {{TABLE, 16, 0, INDIRECT}}, {{OUTSIDE, 100, 0, 0}}},
};

static struct vring_packed_desc place(struct packed_rig *rig, struct vring_packed_desc desc)
{
	uint64_t table = frontend_memory_address(&rig->frontend, rig->table);

	if (desc.addr < TABLE)
		desc.addr += rig->address;
	else if (desc.addr <= TABLE + 1)
		desc.addr += table - TABLE;
	return desc;
}

/* The good frames and the bad one are accounted for, the good are given back, and the ring stands
 * still from then on. */
static void assert_breaks(struct packed_rig *rig, const struct bad *bad)
{
	int good[2];

	for (unsigned int i = 0; i < 2; i++)
		good[i] = packed_rig_offer(rig, 0, HEADER + 60, false);
	for (unsigned int i = 0; i < 2; i++) {
		rig->driver.desc[2 + i] = place(rig, bad->desc[i]);
		rig->driver.desc[2 + i].flags |= 1 << VRING_PACKED_DESC_F_AVAIL;
		rig->table[i] = place(rig, bad->table[i]);
	}
	assert_int_equal(packed_rig_take(rig), 3);
	assert_int_equal(rig->burst->frames[1].drop, DROP_NONE);
	assert_int_equal(rig->burst->frames[2].drop, DROP_BAD_CHAIN);
	assert_int_equal(rig->burst->frames[2].len, 0);
	assert_true(rig->burst->attention);
	ring_complete(&rig->ring);
	packed_rig_assert_broken(rig, bad->why);
	packed_rig_assert_used(rig, good[0]);
	packed_rig_assert_used(rig, good[1]);
	packed_rig_assert_used(rig, -1);
	assert_int_equal(packed_rig_take(rig), 0);
	ring_complete(&rig->ring);
	assert_true(ring_arm(&rig->ring));
	packed_rig_assert_used(rig, -1);
}

static void every_bad_chain_breaks_the_ring_with_a_reason(void **state)
{
	for (size_t i = 0; i < sizeof(bad_chains) / sizeof(bad_chains[0]); i++) {
		struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 128);

		assert_breaks(rig, &bad_chains[i]);
		packed_rig_destroy(rig);
	}
}

/* All slots say that another one follows. */
static void a_ring_that_is_one_chain_breaks(void **state)
{
	static const unsigned int sizes[] = {1, 4, 128};

	for (unsigned int s = 0; s < 3; s++) {
		struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, sizes[s]);

		for (unsigned int i = 0; i < sizes[s]; i++)
			rig->driver.desc[i] = (struct vring_packed_desc){
				.addr = rig->address,
				.len = 20,
				.flags = NEXT | 1 << VRING_PACKED_DESC_F_AVAIL,
			};
		assert_int_equal(packed_rig_take(rig), 1);
		assert_int_equal(rig->burst->frames[0].drop, DROP_BAD_CHAIN);
		packed_rig_assert_broken(rig, "too many descriptors");
		ring_complete(&rig->ring);
		packed_rig_destroy(rig);
	}
}

/* A guest offers slots again that it has not got back. */
static void slots_offered_twice_end_with_the_burst(void **state)
{
	struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 4);
	const uint16_t avail = 1 << VRING_PACKED_DESC_F_AVAIL;

	for (unsigned int i = 0; i < 4; i++)
		rig->driver.desc[i] = (struct vring_packed_desc){
			.addr = rig->address, .len = HEADER + 60, .flags = avail};
	for (unsigned int turn = 0; turn < 100; turn++) {
		unsigned int n = packed_rig_take(rig);

		assert_true(n <= BURST_FRAMES);
		for (unsigned int i = 0; i < 4; i++)
			rig->driver.desc[i].flags ^= (uint16_t)(avail | 1u << 15);
		ring_complete(&rig->ring);
		for (unsigned int i = 0; i < 4; i++)
			rig->driver.desc[i].flags = turn % 3 == 0 ? avail : (uint16_t)(1u << 15);
	}
	packed_rig_destroy(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(frames_of_every_shape_arrive),
		TEST(a_full_ring_is_taken_burst_by_burst_in_order),
		TEST(frames_that_cannot_be_cost_themselves_alone),
		cmocka_unit_test(every_bad_chain_breaks_the_ring_with_a_reason),
		cmocka_unit_test(a_ring_that_is_one_chain_breaks),
		cmocka_unit_test(slots_offered_twice_end_with_the_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
