/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/ring_packed.c: laps, calls and kicks, and going on after a kill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dataplane/vhost/packed_rig.h"

#define FRAME (PACKED_RIG_HEADER + 60)
#define MODERN PACKED_RIG_MODERN

/* Offers one frame, takes it and gives it back. */
static void pass_one(struct packed_rig *rig)
{
	uint16_t id = packed_rig_offer(rig, 0, FRAME, false);

	assert_int_equal(packed_rig_take(rig), 1);
	ring_complete(&rig->ring);
	packed_rig_assert_used(rig, id);
}

/* --- laps --- */

/* Chains of 1 to 5 slots in rings of any size: every split of a chain by the end of the ring. */
static void chains_go_round_and_round(void **state)
{
	static const unsigned int sizes[] = {1, 2, 4, 8, 256};
	static const uint32_t bytes[5] = {PACKED_RIG_HEADER, 20, 20, 10, 10};

	for (unsigned int s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct packed_rig *rig = packed_rig_create(MODERN, sizes[s]);

		for (unsigned int i = 0; i < 5000; i++) {
			unsigned int n = i * 7 % 5 + 1;
			uint16_t ids[3];
			unsigned int k;

			for (k = 0; k < 3 && rig->driver.n_free >= n && n <= sizes[s]; k++)
				ids[k] = packed_rig_add(rig, 0, bytes, n, false, false);
			packed_ring_publish(&rig->driver);
			assert_int_equal(packed_rig_take(rig), k);
			ring_complete(&rig->ring);
			for (unsigned int j = 0; j < k; j++)
				packed_rig_assert_used(rig, ids[j]);
			packed_rig_assert_used(rig, -1);
		}
		packed_rig_assert_broken(rig, NULL);
		packed_rig_destroy(rig);
	}
}

/* A driver names its chains as it likes. */
static void ids_come_back_as_they_were_whatever_they_are(void **state)
{
	struct packed_rig *rig = packed_rig_create(MODERN, 8);
	uint16_t first = packed_rig_offer(rig, 0, FRAME, false);

	rig->driver.desc[0].id = 0xffff;
	assert_int_equal(packed_rig_take(rig), 1);
	ring_complete(&rig->ring);
	assert_int_equal(first, 0);
	assert_int_equal(rig->driver.desc[0].id, 0xffff);
	packed_rig_assert_broken(rig, NULL);
	packed_rig_destroy(rig);
}

/* --- calls --- */

static void the_guest_is_called_unless_it_says_no(void **state)
{
	struct packed_rig *rig = packed_rig_create(MODERN, 8);

	pass_one(rig);
	assert_int_equal(packed_rig_calls(rig), 0); /* the driver starts with no wish */
	packed_ring_want_call(&rig->driver, true);
	pass_one(rig);
	assert_int_equal(packed_rig_calls(rig), 1);
	packed_ring_want_call(&rig->driver, false);
	pass_one(rig);
	assert_int_equal(packed_rig_calls(rig), 0);
	/* Reserved: rather once too often. */
	rig->driver.driver->flags = 3;
	pass_one(rig);
	assert_int_equal(packed_rig_calls(rig), 1);
	packed_rig_destroy(rig);
}

/* A slot without the feature is no wish but to be called. */
static void a_slot_counts_only_if_it_was_agreed(void **state)
{
	struct packed_rig *rig = packed_rig_create(MODERN, 8);

	rig->driver.driver->flags = VRING_PACKED_EVENT_FLAG_DESC;
	rig->driver.driver->off_wrap = 0x8005;
	pass_one(rig);
	assert_int_equal(packed_rig_calls(rig), 1);
	packed_rig_destroy(rig);
}

/* For every place in two laps, every distance and every batch: a call if and only if the slot that
 * the guest has named is among those that were given back. */
static void a_named_slot_calls_when_it_is_passed(void **state)
{
	for (unsigned int at = 0; at < 16; at++) {
		for (unsigned int distance = 0; distance < 8; distance++) {
			for (unsigned int n = 1; n <= 8; n++) {
				struct packed_rig *rig =
					packed_rig_create(MODERN | PACKED_RIG_EVENT_IDX, 8);
				struct packed_ring *driver = &rig->driver;

				for (unsigned int i = 0; i < at; i++)
					pass_one(rig);
				packed_rig_calls(rig);
				driver->driver->flags = VRING_PACKED_EVENT_FLAG_DESC;
				driver->driver->off_wrap =
					packed_ring_step(driver, driver->used, distance);
				for (unsigned int i = 0; i < n; i++)
					packed_rig_offer(rig, 0, FRAME, false);
				assert_int_equal(packed_rig_take(rig), n);
				ring_complete(&rig->ring);
				assert_int_equal(packed_rig_calls(rig), distance < n);
				packed_rig_destroy(rig);
			}
		}
	}
}

/* --- kicks --- */

static void a_kick_is_asked_for_only_while_the_ring_is_armed(void **state)
{
	struct packed_rig *rig = packed_rig_create(MODERN | PACKED_RIG_EVENT_IDX, 8);
	uint32_t bytes = FRAME;

	for (unsigned int i = 0; i < 20; i++) {
		packed_rig_add(rig, 0, &bytes, 1, false, false);
		assert_false(packed_ring_publish(&rig->driver));
		assert_int_equal(packed_rig_take(rig), 1);
		ring_complete(&rig->ring);
		assert_true(ring_arm(&rig->ring));
		packed_rig_add(rig, 0, &bytes, 1, false, false);
		assert_true(packed_ring_publish(&rig->driver));
		assert_false(ring_arm(&rig->ring));
		ring_disarm(&rig->ring);
		assert_int_equal(packed_rig_take(rig), 1);
		ring_complete(&rig->ring);
		while (packed_ring_is_waiting(&rig->driver))
			packed_ring_take_used(&rig->driver, &(uint16_t){0}, &bytes);
		bytes = FRAME;
	}
	packed_rig_destroy(rig);
}

/* --- after a kill --- */

static void a_ring_goes_on_though_the_front_end_knows_nothing(void **state)
{
	for (unsigned int n = 0; n < 20; n++) {
		struct packed_rig *rig = packed_rig_create(MODERN, 8);

		for (unsigned int i = 0; i < n; i++)
			pass_one(rig);
		uint16_t id = packed_rig_offer(rig, 0, FRAME, false);

		packed_rig_start(rig, PACKED_RIG_BASE);
		assert_int_equal(packed_rig_take(rig), 1);
		ring_complete(&rig->ring);
		packed_rig_assert_used(rig, id);
		packed_rig_assert_used(rig, -1);
		packed_rig_destroy(rig);
	}
}

/* What was taken and not given back is taken again. */
static void frames_in_flight_are_taken_again(void **state)
{
	struct packed_rig *rig = packed_rig_create(MODERN, 8);
	uint16_t a = packed_rig_offer(rig, 0, FRAME, false);
	uint16_t b = packed_rig_offer(rig, 0, FRAME, false);

	assert_int_equal(packed_rig_take(rig), 2);
	packed_rig_start(rig, PACKED_RIG_BASE);
	assert_int_equal(packed_rig_take(rig), 2);
	ring_complete(&rig->ring);
	packed_rig_assert_used(rig, a);
	packed_rig_assert_used(rig, b);
	packed_rig_destroy(rig);
}

/* A batch of three chains of different lengths, killed before each of its stores: `stage` is how
 * many of the written slots the guest has got, last to first as they are written. */
static void kill_within_a_batch(unsigned int laps, unsigned int stage)
{
	static const uint32_t bytes[3] = {PACKED_RIG_HEADER, 30, 30};
	struct packed_rig *rig = packed_rig_create(MODERN, 8);
	struct vring_packed_desc before[8], after[8];
	uint16_t ids[3];

	for (unsigned int i = 0; i < laps; i++)
		pass_one(rig);
	for (unsigned int i = 0; i < 3; i++)
		ids[i] = packed_rig_add(rig, i * 100, bytes, i == 1 ? 3 : 1, false, false);
	packed_ring_publish(&rig->driver);
	memcpy(before, rig->driver.desc, sizeof(before));
	assert_int_equal(packed_rig_take(rig), 3);
	uint16_t from = rig->ring.packed.used;

	ring_complete(&rig->ring);
	memcpy(after, rig->driver.desc, sizeof(after));
	/* Back to where the batch is written down and `stage` of its slots are. */
	atomic_store(&rig->journal.state, from | 3u << 16);
	memcpy(rig->driver.desc, before, sizeof(before));
	const unsigned int order[3] = {1, 4, 0}; /* slots from `from` on */

	for (unsigned int i = 0; i < stage; i++) {
		uint16_t at = packed_ring_step(&rig->driver, from, order[i]) & 7;

		rig->driver.desc[at] = after[at];
	}
	if (stage == 3) { /* then the guest may have used them, and offer anew */
		for (unsigned int i = 0; i < 3; i++)
			packed_rig_assert_used(rig, ids[i]);
		for (unsigned int i = 0; i < 8; i++)
			packed_rig_offer(rig, 0, FRAME, false);
	}
	packed_rig_start(rig, PACKED_RIG_BASE);
	for (unsigned int i = 0; i < 3 && stage < 3; i++)
		packed_rig_assert_used(rig, ids[i]);
	if (stage < 3)
		pass_one(rig);
	else
		assert_int_equal(packed_rig_take(rig), 8);
	packed_rig_assert_broken(rig, NULL);
	packed_rig_destroy(rig);
}

static void a_kill_within_a_batch_loses_and_repeats_nothing(void **state)
{
	for (unsigned int laps = 0; laps < 20; laps++) {
		for (unsigned int stage = 0; stage <= 3; stage++)
			kill_within_a_batch(laps, stage);
	}
}

/* A guest that starts again finds a new ring at the same place. */
static void a_new_ring_starts_where_the_front_end_says(void **state)
{
	struct packed_rig *rig = packed_rig_create(MODERN, 8);

	for (unsigned int i = 0; i < 5; i++)
		pass_one(rig);
	packed_ring_reset(&rig->driver);
	packed_rig_start(rig, PACKED_RIG_BASE);
	pass_one(rig);
	packed_rig_destroy(rig);
}

static void what_the_front_end_was_told_counts_from_then_on(void **state)
{
	struct packed_rig *rig = packed_rig_create(MODERN, 8);

	for (unsigned int i = 0; i < 11; i++)
		pass_one(rig);
	uint16_t base = ring_base(&rig->ring);

	assert_int_equal(base, 3); /* the second lap */
	rig->journal.token = 0;
	packed_rig_start(rig, base);
	pass_one(rig);
	packed_rig_destroy(rig);
}

static void a_spoiled_journal_is_not_believed(void **state)
{
	for (unsigned int i = 0; i < 5; i++) {
		struct packed_rig *rig = packed_rig_create(MODERN, 8);
		struct ring_journal *journal = &rig->journal;

		journal->entries[0].slots = i == 0 ? 9 : i == 1 ? 0 : 1;
		if (i < 2)
			atomic_store(&journal->state, 1u << 16 | PACKED_RIG_BASE);
		if (i == 2)
			atomic_store(&journal->state, PACKED_RIG_BASE + 8);
		if (i == 3)
			journal->version++;
		if (i == 4)
			journal->size = 16;
		packed_rig_start(rig, PACKED_RIG_BASE);
		assert_int_equal(rig->ring.packed.next, PACKED_RIG_BASE);
		pass_one(rig);
		packed_rig_destroy(rig);
	}
}

/* --- while no back-end is there --- */

/* As QEMU does then: gives back, unsent, what is offered from its own place on. Where it ends. */
static uint16_t front_end_drops(struct packed_rig *rig, uint16_t at)
{
	for (;;) {
		struct vring_packed_desc *desc = packed_ring_slot(&rig->driver, at);
		uint16_t used = (at & PACKED_RING_WRAP) != 0
					? 1 << VRING_PACKED_DESC_F_AVAIL |
						  (uint16_t)(1 << VRING_PACKED_DESC_F_USED)
					: 0;

		if (!ring_packed_is_offered(desc->flags, at))
			return at;
		desc->len = 0;
		desc->flags = used;
		at = packed_ring_step(&rig->driver, at, 1);
	}
}

static unsigned int count_used(struct packed_rig *rig)
{
	unsigned int n = 0;
	uint32_t bytes;
	uint16_t id;

	for (; packed_ring_is_waiting(&rig->driver); n++)
		assert_int_equal(packed_ring_take_used(&rig->driver, &id, &bytes), 0);
	return n;
}

/* Takes and gives back until nothing comes, as a worker does that asks for kicks in between. */
static unsigned int take_all(struct packed_rig *rig)
{
	unsigned int n, all = 0;

	do {
		n = packed_rig_take(rig);
		ring_complete(&rig->ring);
		all += n;
	} while (n != 0 || !ring_arm(&rig->ring));
	ring_disarm(&rig->ring);
	return all;
}

/* The ring stands at any place of two laps, the guest offers up to all of it; `stage`: nothing is
 * taken, or all of it, or it is being given back, when weft is killed. */
static void kill_and_drop(unsigned int place, unsigned int n_offered, unsigned int stage)
{
	struct packed_rig *rig = packed_rig_create(MODERN, 8);
	struct vring_packed_desc before[8];

	for (unsigned int i = 0; i < place; i++)
		pass_one(rig);
	uint16_t from = ring_base(&rig->ring);
	for (unsigned int i = 0; i < n_offered; i++)
		packed_rig_offer(rig, 0, FRAME, false);
	if (stage > 0)
		assert_int_equal(packed_rig_take(rig), n_offered);
	memcpy(before, rig->driver.desc, sizeof(before));
	if (stage == 2) {
		ring_complete(&rig->ring);
		memcpy(rig->driver.desc, before, sizeof(before));
		atomic_store(&rig->journal.state, from | n_offered << 16);
	}
	uint16_t base = front_end_drops(rig, PACKED_RIG_BASE);
	unsigned int n_lost = base == 0 ? 8 : base & 7; /* 0: of the second lap */
	unsigned int n_used = count_used(rig); /* where the ring stood at QEMU's own place */

	packed_rig_start(rig, base);
	unsigned int n_taken = take_all(rig);
	if (stage < 2)
		assert_int_equal(n_taken, n_offered - n_lost);
	assert_int_equal(n_used + count_used(rig), n_offered);
	for (unsigned int i = 0; i < 40; i++)
		pass_one(rig);
	packed_rig_assert_broken(rig, NULL);
	packed_rig_destroy(rig);
}

static void what_the_front_end_gave_back_is_passed_by(void **state)
{
	for (unsigned int place = 0; place < 32; place++) {
		for (unsigned int n_offered = 1; n_offered <= 8; n_offered++) {
			for (unsigned int stage = 0; stage <= 2; stage++)
				kill_and_drop(place, n_offered, stage);
		}
	}
}

/* Killed again, or stopped for a moment, before the ring came to the chains that are lost. */
static void what_was_given_back_is_not_forgotten(void **state)
{
	for (unsigned int twice = 0; twice < 2; twice++) {
		struct packed_rig *rig = packed_rig_create(MODERN, 8);

		for (unsigned int i = 0; i < 14; i++)
			pass_one(rig);
		for (unsigned int i = 0; i < 4; i++)
			packed_rig_offer(rig, 0, FRAME, false);
		uint16_t base = front_end_drops(rig, PACKED_RIG_BASE);

		assert_int_equal(base, PACKED_RIG_BASE + 2);
		packed_rig_start(rig, base);
		if (twice) {
			packed_rig_offer(rig, 0, FRAME, false);
			base = front_end_drops(rig, base);
			assert_int_equal(base, PACKED_RIG_BASE + 3);
		} else {
			base = ring_base(&rig->ring);
		}
		packed_rig_start(rig, base);
		assert_int_equal(take_all(rig), 2);
		assert_int_equal(count_used(rig), 4 + twice);
		for (unsigned int i = 0; i < 40; i++)
			pass_one(rig);
		packed_rig_destroy(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_go_round_and_round),
		cmocka_unit_test(ids_come_back_as_they_were_whatever_they_are),
		cmocka_unit_test(the_guest_is_called_unless_it_says_no),
		cmocka_unit_test(a_slot_counts_only_if_it_was_agreed),
		cmocka_unit_test(a_named_slot_calls_when_it_is_passed),
		cmocka_unit_test(a_kick_is_asked_for_only_while_the_ring_is_armed),
		cmocka_unit_test(a_ring_goes_on_though_the_front_end_knows_nothing),
		cmocka_unit_test(frames_in_flight_are_taken_again),
		cmocka_unit_test(a_kill_within_a_batch_loses_and_repeats_nothing),
		cmocka_unit_test(a_new_ring_starts_where_the_front_end_says),
		cmocka_unit_test(what_the_front_end_was_told_counts_from_then_on),
		cmocka_unit_test(a_spoiled_journal_is_not_believed),
		cmocka_unit_test(what_the_front_end_gave_back_is_passed_by),
		cmocka_unit_test(what_was_given_back_is_not_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
