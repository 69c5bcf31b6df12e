/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/ring_budget.h: both layouts, frames in one buffer, in chains, in
 * tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <pthread.h>
#include <rte_pause.h>
#include <string.h>

#include "dataplane/offload.h"
#include "tests/unit/dataplane/vhost/packed_rig.h"
#include "tests/unit/dataplane/vhost/ring_rig.h"

#define NEXT VRING_DESC_F_NEXT
#define INDIRECT VRING_DESC_F_INDIRECT
#define HEADER 12u
#define MSS 1448
#define HEADERS 54
#define FLIPPED_BURSTS 20000
#define FLIP_PAUSES 32

/* How a frame lies in the ring. */
enum shape {
	SHAPE_SINGLE,	/* one buffer */
	SHAPE_CHAIN,	/* header in a buffer of its own */
	SHAPE_INDIRECT, /* the same in a table */
	SHAPES,
};

struct guest {
	struct ring_rig *split; /* one of the two */
	struct packed_rig *packed;
	struct ring *ring;
	struct burst *burst;
	uint16_t next;	 /* descriptor of a split ring */
	uint32_t offset; /* of the next buffer */
};

static struct guest create(bool is_packed)
{
	struct guest guest = {0};

	if (is_packed) {
		guest.packed = packed_rig_create(PACKED_RIG_MODERN, 256);
		guest.ring = &guest.packed->ring;
		guest.burst = guest.packed->burst;
	} else {
		guest.split = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 0);
		guest.ring = &guest.split->ring;
		guest.burst = guest.split->burst;
	}
	guest.burst->has_budget = guest.burst->counts_left = true;
	guest.burst->budget_frames = BURST_FRAMES;
	guest.burst->alone_bytes = UINT32_MAX;
	return guest;
}

static void destroy(struct guest *guest)
{
	if (guest->split != NULL)
		ring_rig_destroy(guest->split);
	else
		packed_rig_destroy(guest->packed);
}

static void offer_split(struct guest *guest, const uint32_t *bytes, unsigned int n,
			bool is_indirect)
{
	struct ring_rig *rig = guest->split;
	uint64_t gpa = RING_RIG_GPA + RING_RIG_BUFFERS + guest->offset;
	struct vring_desc *table = ring_rig_table(rig) + guest->next;
	uint16_t head = guest->next;

	for (unsigned int i = 0; i < n; i++, gpa += bytes[i - 1] + 16)
		ring_rig_desc(is_indirect ? table : rig->desc, is_indirect ? i : head + i, gpa,
			      bytes[i], i + 1 < n ? NEXT : 0, is_indirect ? i + 1 : head + i + 1u);
	if (is_indirect)
		ring_rig_desc(rig->desc, head, RING_RIG_GPA + RING_RIG_TABLE + head * 16u, n * 16,
			      INDIRECT, 0);
	guest->next = (uint16_t)(head + n);
	ring_rig_offer(rig, head);
}

/* is_large: of TCP, to be cut to MSS. */
static void offer(struct guest *guest, enum shape shape, uint32_t len, bool is_large)
{
	const uint32_t single[1] = {len + HEADER}, chain[2] = {HEADER, len};
	const struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = htole16(MSS),
		.hdr_len = htole16(HEADERS),
		.csum_start = htole16(34),
		.csum_offset = htole16(16),
	};
	const uint32_t *bytes = shape == SHAPE_SINGLE ? single : chain;
	unsigned int n = shape == SHAPE_SINGLE ? 1 : 2;
	uint8_t *at = guest->split != NULL ? guest->split->guest + RING_RIG_BUFFERS
					   : guest->packed->buffers;

	memset(at + guest->offset, 0, HEADER + 16 + HEADERS);
	if (is_large)
		memcpy(at + guest->offset, &header, sizeof(header));
	if (guest->split != NULL) {
		offer_split(guest, bytes, n, shape == SHAPE_INDIRECT);
	} else {
		/* There is one table; nobody looks at it twice before it is taken. */
		packed_rig_add(guest->packed, guest->offset, bytes, n, false,
			       shape == SHAPE_INDIRECT);
		packed_ring_publish(&guest->packed->driver);
	}
	guest->offset += len + HEADER + 32;
}

/* One buffer of so many bytes with its header, where the next frame will be. */
static void offer_plain(struct guest *guest, uint32_t bytes)
{
	if (guest->split != NULL) {
		offer_split(guest, &bytes, 1, false);
	} else {
		packed_rig_add(guest->packed, guest->offset, &bytes, 1, false, false);
		packed_ring_publish(&guest->packed->driver);
	}
}

static unsigned int take(struct guest *guest, int64_t budget_bytes)
{
	struct burst *burst = guest->burst;
	unsigned int n;

	burst->n = burst->n_pieces = burst->n_left = 0;
	burst->budget_bytes = budget_bytes;
	ring_take(guest->ring, burst);
	n = burst->n;
	ring_complete(guest->ring);
	return n;
}

/* --- */

static void whole_frames_are_taken_while_something_is_left(void **state)
{
	for (unsigned int i = 0; i < 2 * SHAPE_INDIRECT; i++) {
		struct guest guest = create(i % 2 != 0);

		for (unsigned int k = 0; k < 20; k++)
			offer(&guest, (enum shape)(i / 2), 1000, false);
		assert_int_equal(take(&guest, 1), 1);
		assert_int_equal(guest.burst->n_left, 19);
		assert_int_equal(take(&guest, 1000), 1);
		assert_int_equal(take(&guest, 1001), 2);
		assert_int_equal(guest.burst->n_left, 16);
		assert_int_equal(take(&guest, 5000), 5);
		assert_int_equal(guest.burst->frames[4].len, 1000);
		assert_int_equal(take(&guest, 1000000), 11);
		assert_int_equal(guest.burst->n_left, 0);
		assert_int_equal(take(&guest, 1000000), 0);
		destroy(&guest);
	}
}

static void an_indirect_frame_is_known_by_its_table(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct guest guest = create(i != 0);

		offer(&guest, SHAPE_INDIRECT, 3000, false);
		assert_int_equal(take(&guest, 1), 1);
		assert_int_equal(guest.burst->frames[0].len, 3000);
		offer(&guest, SHAPE_SINGLE, 100, false);
		offer(&guest, SHAPE_INDIRECT, 3000, false);
		offer(&guest, SHAPE_SINGLE, 100, false);
		assert_int_equal(take(&guest, 101), 2);
		assert_int_equal(guest.burst->n_left, 1);
		assert_int_equal(take(&guest, 101), 1);
		destroy(&guest);
	}
}

static void without_a_budget_nothing_is_taken_but_seen(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct guest guest = create(i != 0);

		assert_int_equal(take(&guest, 0), 0);
		assert_int_equal(guest.burst->n_left, 0);
		for (unsigned int k = 0; k < 7; k++)
			offer(&guest, SHAPE_SINGLE, 60, false);
		assert_int_equal(take(&guest, 0), 0);
		assert_int_equal(guest.burst->n_left, 7);
		guest.burst->counts_left = false;
		assert_int_equal(take(&guest, -5), 0);
		assert_true(guest.burst->n_left != 0);
		guest.burst->has_budget = false;
		assert_int_equal(take(&guest, 0), 7);
		destroy(&guest);
	}
}

static void frames_are_limited_in_their_number(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct guest guest = create(i % 2 != 0);

		for (unsigned int k = 0; k < 10; k++)
			offer(&guest, (enum shape)(i / 2), 60, false);
		guest.burst->budget_frames = 3;
		assert_int_equal(take(&guest, INT64_MAX), 3);
		assert_int_equal(guest.burst->n_left, 7);
		guest.burst->budget_frames = 0;
		assert_int_equal(take(&guest, INT64_MAX), 0);
		guest.burst->budget_frames = 1000;
		assert_int_equal(take(&guest, INT64_MAX), 7);
		destroy(&guest);
	}
}

static void a_full_burst_says_what_is_left(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct guest guest = create(i != 0);

		for (unsigned int k = 0; k < 200; k++)
			offer(&guest, SHAPE_SINGLE, 60, false);
		for (unsigned int left = 200; left > BURST_FRAMES; left -= BURST_FRAMES) {
			assert_int_equal(take(&guest, 1000000), BURST_FRAMES);
			assert_int_equal(guest.burst->n_left, left - BURST_FRAMES);
		}
		/* Round the end of the ring. */
		for (unsigned int k = 0; guest.packed != NULL && k < 192; k++)
			packed_rig_assert_used(guest.packed, (int)k);
		for (unsigned int k = 0; guest.packed != NULL && k < 100; k++)
			offer(&guest, SHAPE_SINGLE, 60, false);
		assert_int_equal(take(&guest, 1), 1);
		assert_int_equal(guest.burst->n_left, guest.packed != NULL ? 107 : 7);
		destroy(&guest);
	}
}

static void a_large_frame_comes_alone(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct guest guest = create(i % 2 != 0);
		enum shape shape = (enum shape)(i / 2);

		guest.burst->alone_bytes = 5000;
		offer(&guest, SHAPE_SINGLE, 60, false);
		offer(&guest, shape, 20000, true);
		offer(&guest, shape, 5000, true);
		offer(&guest, SHAPE_SINGLE, 9000, false);
		assert_int_equal(take(&guest, 1000000), 1);
		assert_int_equal(guest.burst->frames[0].len, 60);
		assert_true(guest.burst->n_left >= 3);
		assert_int_equal(take(&guest, 1000000), 1);
		assert_int_equal(guest.burst->frames[0].len, 20000);
		assert_int_equal(guest.burst->frames[0].vnet.hdr.gso_type,
				 VIRTIO_NET_HDR_GSO_TCPV4);
		/* Neither is too large, or no TCP at all. */
		assert_int_equal(take(&guest, 1000000), 2);
		destroy(&guest);
	}
}

/* Wherever in the burst the one is that uses the budget up. */
static void one_long_frame_among_short_ones_is_seen(void **state)
{
	static const unsigned int n_before[] = {0, 1, 14, 15, 16, 33, 62};

	for (unsigned int i = 0; i < 2 * sizeof(n_before) / sizeof(n_before[0]); i++) {
		struct guest guest = create(i % 2 != 0);
		unsigned int n = n_before[i / 2];

		for (unsigned int k = 0; k < n; k++)
			offer(&guest, SHAPE_SINGLE, 60, false);
		offer(&guest, SHAPE_SINGLE, 1000, false);
		offer(&guest, SHAPE_SINGLE, 60, false);
		assert_int_equal(take(&guest, 60 * (n + 2) + 1), n + 1);
		assert_int_equal(guest.burst->n_left, 1);
		assert_int_equal(take(&guest, 1000000), 1);
		destroy(&guest);
	}
}

static void what_is_malformed_is_taken_too(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct guest guest = create(i != 0);

		offer(&guest, SHAPE_SINGLE, 60, false);
		offer_plain(&guest, HEADER - 1);
		offer(&guest, SHAPE_SINGLE, FRAME_BYTES_MAX + 1, false);
		offer(&guest, SHAPE_SINGLE, 60, false);
		assert_int_equal(take(&guest, 121), 4);
		assert_int_equal(guest.burst->frames[1].drop, DROP_RUNT);
		assert_int_equal(guest.burst->frames[2].drop, DROP_OVERSIZE);
		assert_int_equal(guest.burst->frames[3].len, 60);
		destroy(&guest);
	}
}

/* Without a budget they stay, as others do: no two of them make up for a frame. */
static void what_is_too_short_costs_no_less_than_nothing(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct guest guest = create(i != 0);

		for (unsigned int k = 0; k < 10; k++)
			offer_plain(&guest, k % 5);
		assert_int_equal(take(&guest, 0), 0);
		assert_int_equal(guest.burst->n_left, 10);
		assert_int_equal(take(&guest, 1), 10);
		assert_int_equal(guest.burst->frames[9].drop, DROP_RUNT);
		destroy(&guest);
	}
}

/* Another CPU of the guest rewrites lengths while we take: all but the first. */
struct flips {
	struct guest *guest;
	uint32_t low, high;
	_Atomic bool is_over;
};

static void set_lengths(const struct flips *flips, uint32_t bytes)
{
	const struct guest *guest = flips->guest;

	for (unsigned int i = 1; i < BURST_FRAMES; i++) {
		uint32_t *len = guest->split != NULL ? &guest->split->desc[i].len
						     : &guest->packed->driver.desc[i].len;

		__atomic_store_n(len, bytes, __ATOMIC_RELAXED);
	}
}

static void *flip(void *arg)
{
	struct flips *flips = arg;

	/* Low for longer and longer: at some time just until they were reckoned. */
	for (unsigned int n = 0; !atomic_load(&flips->is_over); n++) {
		set_lengths(flips, flips->low);
		for (unsigned int i = 0; i < n % FLIP_PAUSES; i++)
			rte_pause();
		set_lengths(flips, flips->high);
	}
	return NULL;
}

/* The most bytes that one of many bursts had: each finds the same in the ring. */
static int64_t take_the_same(struct guest *guest, int64_t budget_bytes)
{
	const struct ring before = *guest->ring;
	struct burst *burst = guest->burst;
	int64_t most = 0;

	for (unsigned int round = 0; round < FLIPPED_BURSTS; round++) {
		int64_t sum = 0;

		*guest->ring = before;
		burst->n = burst->n_pieces = 0;
		burst->budget_bytes = budget_bytes;
		ring_take(guest->ring, burst);
		for (unsigned int i = 0; i < burst->n; i++)
			sum += burst->frames[i].len;
		most = sum > most ? sum : most;
	}
	return most;
}

/* What was reckoned is what is taken, or it is reckoned again. */
static void lengths_that_change_stay_within_the_budget(void **state)
{
	static const struct {
		uint32_t first, low, high;
		int64_t budget_bytes;
	} rows[] = {
		{0, 0, 60000, 3000},
		{FRAME_BYTES_MAX + HEADER + 1, 60, 60000, 100000}, /* the first fits no frame */
	};

	for (unsigned int i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct guest guest = create(i % 2 != 0);
		struct flips flips = {&guest, rows[i / 2].low, rows[i / 2].high, false};
		pthread_t thread;

		for (unsigned int k = 0; k < BURST_FRAMES; k++)
			offer_plain(&guest, k == 0 ? rows[i / 2].first : flips.low);
		assert_int_equal(pthread_create(&thread, NULL, flip, &flips), 0);
		int64_t most = take_the_same(&guest, rows[i / 2].budget_bytes);

		atomic_store(&flips.is_over, true);
		pthread_join(thread, NULL);
		assert_true(most < rows[i / 2].budget_bytes + FRAME_BYTES_MAX);
		destroy(&guest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_frames_are_taken_while_something_is_left),
		cmocka_unit_test(an_indirect_frame_is_known_by_its_table),
		cmocka_unit_test(without_a_budget_nothing_is_taken_but_seen),
		cmocka_unit_test(frames_are_limited_in_their_number),
		cmocka_unit_test(a_full_burst_says_what_is_left),
		cmocka_unit_test(a_large_frame_comes_alone),
		cmocka_unit_test(one_long_frame_among_short_ones_is_seen),
		cmocka_unit_test(what_is_malformed_is_taken_too),
		cmocka_unit_test(what_is_too_short_costs_no_less_than_nothing),
		cmocka_unit_test(lengths_that_change_stay_within_the_budget),
	};

	return cmocka_run_group_tests_name("ring_budget", tests, NULL, NULL);
}
