/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/ring_take.c: frames from chains of every shape, honest and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <string.h>

#include "dataplane/offload.h"
#include "tests/unit/dataplane/vhost/ring_rig.h"

#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT
#define EVENT_IDX VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX)
#define HEADER 12
#define AT(offset) (RING_RIG_GPA + RING_RIG_BUFFERS + (offset))
#define MAX_BYTES (HEADER + FRAME_BYTES_MAX)

static int set_up(void **state)
{
	*state = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 0);
	return 0;
}

static int tear_down(void **state)
{
	ring_rig_destroy(*state);
	return 0;
}

/* Header of zeros and n - HEADER bytes of a frame at an offset of the buffers. */
static void write_packet(struct ring_rig *rig, uint32_t offset, uint32_t bytes, uint32_t header)
{
	uint8_t *at = rig->guest + RING_RIG_BUFFERS + offset;

	memset(at, 0, header);
	for (uint32_t i = 0; header + i < bytes; i++)
		at[header + i] = ring_rig_pattern(1, i);
}

static unsigned int take(struct ring_rig *rig)
{
	rig->burst->n = rig->burst->n_pieces = 0;
	rig->burst->attention = false;
	ring_take(&rig->ring, rig->burst);
	return rig->burst->n;
}

static unsigned int take_all(struct ring_rig *rig)
{
	unsigned int n = take(rig);

	ring_complete(&rig->ring);
	return n;
}

/* The frame has `len` bytes of the pattern, in head and pieces together. */
static void assert_frame(const struct frame *frame, uint32_t len)
{
	uint32_t at = frame->head_len;

	assert_int_equal(frame->drop, DROP_NONE);
	assert_int_equal(frame->len, len);
	assert_int_equal(frame->head_len, len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	assert_int_equal(le16toh(frame->vnet.num_buffers), 1);
	for (uint32_t i = 0; i < at; i++)
		assert_int_equal(frame->head[i], ring_rig_pattern(1, i));
	for (unsigned int k = 0; k < frame->n_iov; k++) {
		const uint8_t *bytes = frame->iov[k].iov_base;

		for (size_t i = 0; i < frame->iov[k].iov_len; i++)
			assert_int_equal(bytes[i], ring_rig_pattern(1, at++));
	}
	assert_int_equal(at, len);
}

/* --- shapes --- */

static void a_single_descriptor_is_a_frame(void **state)
{
	struct ring_rig *rig = *state;
	static const uint32_t lens[] = {0, 1, 14, 15, 16, 60, 127, 128, 129, 1514, 9014};

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		write_packet(rig, 0, HEADER + lens[i], HEADER);
		ring_rig_desc(rig->desc, 3, AT(0), HEADER + lens[i], 0, 0);
		ring_rig_offer(rig, 3);
		ring_rig_remember(rig);
		assert_int_equal(take(rig), 1);
		assert_frame(&rig->burst->frames[0], lens[i]);
		ring_complete(&rig->ring);
		ring_rig_assert_untouched(rig);
		assert_int_equal(rig->used->idx, i + 1);
		assert_int_equal(rig->used->ring[i].id, 3);
		assert_int_equal(rig->used->ring[i].len, 0);
	}
}

static void header_and_frame_may_be_split_anywhere(void **state)
{
	struct ring_rig *rig = *state;
	const uint32_t bytes = HEADER + 150;

	write_packet(rig, 0, bytes, HEADER);
	for (uint32_t a = 0; a <= bytes; a++) {
		uint32_t b = a + (bytes - a) / 3;

		ring_rig_desc(rig->desc, 0, AT(0), a, NEXT, 7);
		ring_rig_desc(rig->desc, 7, AT(a), b - a, NEXT, 2);
		ring_rig_desc(rig->desc, 2, AT(b), bytes - b, 0, 0);
		ring_rig_offer(rig, 0);
		assert_int_equal(take(rig), 1);
		assert_frame(&rig->burst->frames[0], 150);
		ring_complete(&rig->ring);
	}
	ring_rig_assert_broken(rig, NULL);
}

static void an_indirect_table_is_followed(void **state)
{
	struct ring_rig *rig = *state;
	struct vring_desc *table = ring_rig_table(rig);

	write_packet(rig, 0, HEADER + 1500, HEADER);
	ring_rig_desc(table, 0, AT(0), HEADER, NEXT, 2);
	ring_rig_desc(table, 2, AT(HEADER), 700, NEXT, 1);
	ring_rig_desc(table, 1, AT(HEADER + 700), 800, 0, 0);
	ring_rig_desc(rig->desc, 5, RING_RIG_GPA + RING_RIG_TABLE, 3 * 16, INDIRECT, 0);
	ring_rig_offer(rig, 5);
	assert_int_equal(take_all(rig), 1);
	assert_frame(&rig->burst->frames[0], 1500);
}

static void a_direct_descriptor_may_lead_to_an_indirect_table(void **state)
{
	struct ring_rig *rig = *state;

	write_packet(rig, 0, HEADER + 300, HEADER);
	ring_rig_desc(ring_rig_table(rig), 0, AT(HEADER), 300, 0, 0);
	ring_rig_desc(rig->desc, 0, AT(0), HEADER, NEXT, 1);
	ring_rig_desc(rig->desc, 1, RING_RIG_GPA + RING_RIG_TABLE, 16, INDIRECT, 0);
	ring_rig_offer(rig, 0);
	assert_int_equal(take_all(rig), 1);
	assert_frame(&rig->burst->frames[0], 300);
}

static void a_buffer_may_span_two_regions(void **state)
{
	struct ring_rig *rig = *state;
	uint32_t offset = RING_RIG_SEAM - RING_RIG_BUFFERS - 100;

	for (uint32_t at = 0; at <= 200; at += 50) {
		write_packet(rig, offset + at, HEADER + 400, HEADER);
		ring_rig_desc(rig->desc, 0, AT(offset + at), HEADER + 400, 0, 0);
		ring_rig_offer(rig, 0);
		assert_int_equal(take_all(rig), 1);
		assert_frame(&rig->burst->frames[0], 400);
	}
}

static void the_largest_frame_passes_and_one_byte_more_is_dropped_alone(void **state)
{
	struct ring_rig *rig = *state;

	write_packet(rig, 0, MAX_BYTES + 1, HEADER);
	for (unsigned int i = 0; i < 16; i++)
		ring_rig_desc(rig->desc, i, AT(i * 4096), 4096, NEXT, i + 1);
	ring_rig_desc(rig->desc, 16, AT(65536), MAX_BYTES - 65536, 0, 0);
	ring_rig_desc(rig->desc, 20, AT(0), MAX_BYTES, 0, 0);
	ring_rig_desc(rig->desc, 21, AT(0), MAX_BYTES + 1, 0, 0);
	ring_rig_desc(rig->desc, 22, AT(0), HEADER + 60, 0, 0);
	for (uint16_t head = 20; head <= 22; head++)
		ring_rig_offer(rig, head);
	ring_rig_offer(rig, 0);
	assert_int_equal(take_all(rig), 4);
	assert_frame(&rig->burst->frames[0], FRAME_BYTES_MAX);
	assert_int_equal(rig->burst->frames[1].drop, DROP_OVERSIZE);
	assert_frame(&rig->burst->frames[2], 60);
	assert_frame(&rig->burst->frames[3], FRAME_BYTES_MAX);
	ring_rig_assert_broken(rig, NULL);
	assert_int_equal(rig->used->idx, 4);
}

static void old_drivers_have_a_header_of_10_bytes(void **state)
{
	struct ring_rig *rig = ring_rig_create(0, OFFLOAD_ALL, 0);

	for (uint32_t a = 0; a <= 10 + 60; a++) {
		write_packet(rig, 0, 10 + 60, 10);
		ring_rig_desc(rig->desc, 0, AT(0), a, NEXT, 1);
		ring_rig_desc(rig->desc, 1, AT(a), 10 + 60 - a, 0, 0);
		ring_rig_desc(rig->desc, 2, AT(0), 10 + 60, 0, 0);
		ring_rig_offer(rig, 0);
		ring_rig_offer(rig, 2);
		assert_int_equal(take_all(rig), 2);
		assert_frame(&rig->burst->frames[0], 60);
		assert_frame(&rig->burst->frames[1], 60);
	}
	ring_rig_destroy(rig);
}

static void less_than_a_header_is_a_runt(void **state)
{
	struct ring_rig *rig = *state;

	ring_rig_desc(rig->desc, 0, AT(0), HEADER - 1, 0, 0);
	ring_rig_desc(rig->desc, 1, AT(0), 0, 0, 0);
	ring_rig_offer(rig, 0);
	ring_rig_offer(rig, 1);
	assert_int_equal(take_all(rig), 2);
	assert_int_equal(rig->burst->frames[0].drop, DROP_RUNT);
	assert_int_equal(rig->burst->frames[1].drop, DROP_RUNT);
	assert_int_equal(rig->burst->frames[1].len, 0);
	ring_rig_assert_broken(rig, NULL);
}

static void a_header_that_asks_for_the_impossible_costs_one_frame(void **state)
{
	struct ring_rig *rig = *state;
	struct virtio_net_hdr *hdr = (struct virtio_net_hdr *)(rig->guest + RING_RIG_BUFFERS);

	for (int chained = 0; chained < 2; chained++) {
		write_packet(rig, 0, HEADER + 60, HEADER);
		hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr->csum_start = htole16(34);
		hdr->csum_offset = htole16(chained ? 16 : 26);
		ring_rig_desc(rig->desc, 0, AT(0), chained ? HEADER : HEADER + 60,
			      chained ? NEXT : 0, 1);
		ring_rig_desc(rig->desc, 1, AT(HEADER), 60, 0, 0);
		ring_rig_offer(rig, 0);
		assert_int_equal(take_all(rig), 1);
		if (chained)
			assert_frame(&rig->burst->frames[0], 60);
		else
			assert_int_equal(rig->burst->frames[0].drop, DROP_BAD_OFFLOAD);
	}
	assert_int_equal(rig->burst->frames[0].vnet.hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(le16toh(rig->burst->frames[0].vnet.hdr.csum_offset), 16);
}

/* --- indices --- */

static void indices_wrap_at_65535(void **state)
{
	struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 65530);

	write_packet(rig, 0, HEADER + 60, HEADER);
	for (uint16_t i = 0; i < 12; i++)
		ring_rig_desc(rig->desc, i, AT(0), HEADER + 60, 0, 0);
	for (uint16_t i = 0; i < 12; i++) {
		ring_rig_offer(rig, i);
		if (i % 3 == 2)
			assert_int_equal(take_all(rig), 3);
	}
	assert_int_equal(rig->used->idx, 6);
	for (uint16_t i = 0; i < 12; i++)
		assert_int_equal(rig->used->ring[(65530 + i) % RING_RIG_SIZE].id, i);
	ring_rig_destroy(rig);
}

static void a_full_ring_is_taken_burst_by_burst(void **state)
{
	struct ring_rig *rig = *state;

	write_packet(rig, 0, HEADER + 60, HEADER);
	for (uint16_t i = 0; i < RING_RIG_SIZE; i++) {
		ring_rig_desc(rig->desc, i, AT(0), HEADER + 60, 0, 0);
		ring_rig_offer(rig, i);
	}
	for (unsigned int i = 0; i < RING_RIG_SIZE / BURST_FRAMES; i++)
		assert_int_equal(take_all(rig), BURST_FRAMES);
	assert_int_equal(take_all(rig), 0);
	assert_int_equal(rig->used->idx, RING_RIG_SIZE);
}

static void frames_of_many_pieces_wait_for_the_next_burst(void **state)
{
	struct ring_rig *rig = *state;
	unsigned int frames = 0, bursts = 0;

	/* All heads lead into one chain of 63 pieces. */
	write_packet(rig, 0, 64 * 100, HEADER);
	for (unsigned int i = 0; i < 63; i++)
		ring_rig_desc(rig->desc, 100 + i, AT((i + 1) * 100), 100, i < 62 ? NEXT : 0,
			      101 + i);
	for (uint16_t i = 0; i < BURST_FRAMES; i++) {
		ring_rig_desc(rig->desc, i, AT(0), 100, NEXT, 100);
		ring_rig_offer(rig, i);
	}
	while (frames < BURST_FRAMES) {
		unsigned int n = take(rig);

		assert_true(n != 0 && rig->burst->n_pieces <= BURST_PIECES);
		for (unsigned int i = 0; i < n; i++)
			assert_frame(&rig->burst->frames[i], 64 * 100 - HEADER);
		ring_complete(&rig->ring);
		frames += n;
		bursts++;
	}
	assert_int_equal(frames, BURST_FRAMES);
	assert_true(bursts > 1);
}

/* --- calls and kicks --- */

/* Offers one frame and takes it; whether the guest was called. */
static bool is_called_for_one(struct ring_rig *rig)
{
	ring_rig_desc(rig->desc, 0, AT(0), HEADER + 60, 0, 0);
	ring_rig_offer(rig, 0);
	assert_int_equal(take_all(rig), 1);
	return ring_rig_calls(rig) != 0;
}

static void the_guest_is_called_unless_it_says_no(void **state)
{
	struct ring_rig *rig = *state;

	assert_true(is_called_for_one(rig));
	rig->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	assert_false(is_called_for_one(rig));
	rig->avail->flags = 0;
	assert_true(is_called_for_one(rig));
	assert_int_equal(take_all(rig), 0);
	assert_int_equal(ring_rig_calls(rig), 0);
}

static void with_event_indices_it_is_called_when_its_index_is_passed(void **state)
{
	struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN | EVENT_IDX, OFFLOAD_ALL, 65534);
	volatile uint16_t *used_event = &rig->avail->ring[RING_RIG_SIZE];

	/* VIRTIO 1.2, 2.7.7: a call for the entry that is written to index used_event. The flags do
	 * not count any more. */
	rig->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	*used_event = 1;
	assert_false(is_called_for_one(rig)); /* 65534 */
	assert_false(is_called_for_one(rig)); /* 65535 */
	assert_false(is_called_for_one(rig)); /* 0 */
	assert_true(is_called_for_one(rig));  /* 1 */
	assert_false(is_called_for_one(rig)); /* 2 */
	*used_event = 3;
	assert_true(is_called_for_one(rig));
	ring_rig_destroy(rig);
}

static void a_kick_is_asked_for_by_flags(void **state)
{
	struct ring_rig *rig = *state;

	assert_int_equal(rig->used->flags, VRING_USED_F_NO_NOTIFY);
	assert_true(ring_arm(&rig->ring));
	assert_int_equal(rig->used->flags, 0);
	ring_disarm(&rig->ring);
	assert_int_equal(rig->used->flags, VRING_USED_F_NO_NOTIFY);
	ring_rig_offer(rig, 0);
	assert_false(ring_arm(&rig->ring));
}

static void a_kick_is_asked_for_by_event_index(void **state)
{
	struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN | EVENT_IDX, OFFLOAD_ALL, 65535);
	volatile uint16_t *avail_event = (uint16_t *)&rig->used->ring[RING_RIG_SIZE];

	is_called_for_one(rig);
	assert_true(ring_arm(&rig->ring));
	assert_int_equal(*avail_event, 0);
	ring_disarm(&rig->ring);
	ring_rig_offer(rig, 0);
	assert_false(ring_arm(&rig->ring));
	ring_rig_destroy(rig);
}

/* --- hostile --- */

#define TABLE(offset) (RING_RIG_GPA + RING_RIG_TABLE + (offset))
#define GOOD AT(0), 100

/* Entries 0 to 2 of the descriptors, the start of an indirect table, and what weft says of it. */
static const struct bad {
	const char *why;
	struct vring_desc desc[2];
	struct vring_desc table[2];
} bad_chains[] = {
	{"or a loop", {{GOOD, NEXT, 1}, {GOOD, NEXT, 0}}, {{0}}},
	{"or a loop", {{GOOD, NEXT, 0}}, {{0}}},
	{"or a loop", {{AT(0), 0, NEXT, 0}}, {{0}}},
	{"beyond the table", {{GOOD, NEXT, RING_RIG_SIZE}}, {{0}}},
	{"beyond the table", {{GOOD, NEXT, 0xffff}}, {{0}}},
	{"outside the guest's memory", {{0, 100, 0, 0}}, {{0}}},
	{"outside the guest's memory", {{RING_RIG_GPA - 1, 100, 0, 0}}, {{0}}},
	{"outside the guest's memory", {{RING_RIG_GPA + RING_RIG_BYTES, 100, 0, 0}}, {{0}}},
	{"outside the guest's memory", {{RING_RIG_GPA + RING_RIG_BYTES - 99, 100, 0, 0}}, {{0}}},
	{"outside the guest's memory", {{AT(0), 0xffffffff, 0, 0}}, {{0}}},
	{"end of the address space", {{UINT64_MAX - 50, 100, 0, 0}}, {{0}}},
	{"end of the address space", {{UINT64_MAX, 100, 0, 0}}, {{0}}},
	{"wrong direction", {{GOOD, WRITE, 0}}, {{0}}},
	{"wrong direction", {{GOOD, NEXT, 1}, {GOOD, WRITE, 0}}, {{0}}},
	{"with a next one", {{TABLE(0), 16, INDIRECT | NEXT, 1}, {GOOD, 0, 0}}, {{GOOD, 0, 0}}},
	{"impossible length", {{TABLE(0), 0, INDIRECT, 0}}, {{0}}},
	{"impossible length", {{TABLE(0), 17, INDIRECT, 0}}, {{GOOD, 0, 0}}},
	{"impossible length", {{TABLE(0), 15, INDIRECT, 0}}, {{GOOD, 0, 0}}},
	{"impossible length", {{TABLE(0), 32769 * 16, INDIRECT, 0}}, {{GOOD, 0, 0}}},
	{"outside the guest's memory", {{16, 16, INDIRECT, 0}}, {{0}}},
	{"outside the guest's memory",
	 {{RING_RIG_GPA + RING_RIG_BYTES - 16, 32, INDIRECT, 0}},
	 {{0}}},
	{"outside the guest's memory", {{UINT64_MAX - 15, 32, INDIRECT, 0}}, {{0}}},
	{"odd address", {{TABLE(1), 16, INDIRECT, 0}}, {{0}}},
	{"inside an indirect", {{TABLE(0), 16, INDIRECT, 0}}, {{TABLE(0), 16, INDIRECT, 0}}},
	{"beyond the table", {{TABLE(0), 32, INDIRECT, 0}}, {{GOOD, NEXT, 2}}},
	{"or a loop", {{TABLE(0), 32, INDIRECT, 0}}, {{GOOD, NEXT, 1}, {GOOD, NEXT, 0}}},
	{"wrong direction", {{TABLE(0), 32, INDIRECT, 0}}, {{GOOD, NEXT, 1}, {GOOD, WRITE, 0}}},
	{"outside the guest's memory", {{TABLE(0), 16, INDIRECT, 0}}, {{0, 100, 0, 0}}},
};

/* Two good frames, the chain at 0, a good one more: the two and the bad one are taken and accounted
 * for, nothing else of the guest's memory is touched, and the ring stands still from then on. */
static void assert_breaks(struct ring_rig *rig, const char *why)
{
	write_packet(rig, 0, HEADER + 60, HEADER);
	for (uint16_t i = 200; i < 203; i++)
		ring_rig_desc(rig->desc, i, AT(0), HEADER + 60, 0, 0);
	ring_rig_offer(rig, 200);
	ring_rig_offer(rig, 201);
	ring_rig_offer(rig, 0);
	ring_rig_offer(rig, 202);
	ring_rig_remember(rig);
	assert_int_equal(take(rig), 3);
	assert_frame(&rig->burst->frames[1], 60);
	assert_int_equal(rig->burst->frames[2].drop, DROP_BAD_CHAIN);
	assert_int_equal(rig->burst->frames[2].len, 0);
	assert_true(rig->burst->attention);
	ring_complete(&rig->ring);
	ring_rig_assert_broken(rig, why);
	assert_int_equal(rig->used->idx, 3);
	assert_int_equal(take_all(rig), 0);
	assert_true(ring_arm(&rig->ring));
	assert_int_equal(rig->used->idx, 3);
	ring_rig_assert_untouched(rig);
}

static void every_bad_chain_breaks_the_ring_with_a_reason(void **state)
{
	for (size_t i = 0; i < sizeof(bad_chains) / sizeof(bad_chains[0]); i++) {
		struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 0);

		memset(rig->guest + RING_RIG_TABLE, 0, 64);
		memcpy(rig->desc, bad_chains[i].desc, sizeof(bad_chains[i].desc));
		memcpy(ring_rig_table(rig), bad_chains[i].table, sizeof(bad_chains[i].table));
		assert_breaks(rig, bad_chains[i].why);
		ring_rig_destroy(rig);
	}
}

static void more_than_64_descriptors_break_the_ring(void **state)
{
	struct ring_rig *rig = *state;

	for (unsigned int i = 0; i < 65; i++)
		ring_rig_desc(rig->desc, i, AT(i * 20), 20, i < 64 ? NEXT : 0, i + 1);
	/* From 0 on there are 65 of them, from 1 on 64. */
	memset(rig->guest + RING_RIG_BUFFERS, 0, 65 * 20);
	ring_rig_offer(rig, 1);
	assert_int_equal(take_all(rig), 1);
	assert_int_equal(rig->burst->frames[0].len, 64 * 20 - HEADER);
	ring_rig_assert_broken(rig, NULL);
	ring_rig_offer(rig, 0);
	assert_int_equal(take_all(rig), 1);
	assert_int_equal(rig->burst->frames[0].drop, DROP_BAD_CHAIN);
	ring_rig_assert_broken(rig, "too many descriptors");
}

static void an_index_that_jumps_breaks_the_ring(void **state)
{
	struct ring_rig *rig = *state;

	rig->avail->idx = RING_RIG_SIZE + 1;
	ring_rig_remember(rig);
	assert_int_equal(take_all(rig), 0);
	ring_rig_assert_broken(rig, "index jumped");
	assert_true(rig->burst->attention);
	assert_int_equal(rig->used->idx, 0);
	ring_rig_assert_untouched(rig);
}

static void an_index_that_goes_back_breaks_the_ring(void **state)
{
	struct ring_rig *rig = *state;

	ring_rig_desc(rig->desc, 0, AT(0), HEADER + 60, 0, 0);
	ring_rig_offer(rig, 0);
	assert_int_equal(take_all(rig), 1);
	rig->avail->idx = 0;
	assert_int_equal(take_all(rig), 0);
	ring_rig_assert_broken(rig, "index jumped");
}

static void a_head_beyond_the_ring_breaks_it_after_the_frames_before(void **state)
{
	struct ring_rig *rig = *state;

	ring_rig_desc(rig->desc, 0, AT(0), HEADER + 60, 0, 0);
	ring_rig_offer(rig, 0);
	ring_rig_offer(rig, RING_RIG_SIZE);
	ring_rig_offer(rig, 0);
	ring_rig_remember(rig);
	assert_int_equal(take_all(rig), 1);
	ring_rig_assert_broken(rig, "beyond the ring");
	assert_true(rig->burst->attention);
	assert_int_equal(take_all(rig), 0);
	assert_int_equal(rig->used->idx, 1);
	ring_rig_assert_untouched(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_single_descriptor_is_a_frame),
		TEST(header_and_frame_may_be_split_anywhere),
		TEST(an_indirect_table_is_followed),
		TEST(a_direct_descriptor_may_lead_to_an_indirect_table),
		TEST(a_buffer_may_span_two_regions),
		TEST(the_largest_frame_passes_and_one_byte_more_is_dropped_alone),
		cmocka_unit_test(old_drivers_have_a_header_of_10_bytes),
		TEST(less_than_a_header_is_a_runt),
		TEST(a_header_that_asks_for_the_impossible_costs_one_frame),
		cmocka_unit_test(indices_wrap_at_65535),
		TEST(a_full_ring_is_taken_burst_by_burst),
		TEST(frames_of_many_pieces_wait_for_the_next_burst),
		TEST(the_guest_is_called_unless_it_says_no),
		cmocka_unit_test(with_event_indices_it_is_called_when_its_index_is_passed),
		TEST(a_kick_is_asked_for_by_flags),
		cmocka_unit_test(a_kick_is_asked_for_by_event_index),
		cmocka_unit_test(every_bad_chain_breaks_the_ring_with_a_reason),
		TEST(more_than_64_descriptors_break_the_ring),
		TEST(an_index_that_jumps_breaks_the_ring),
		TEST(an_index_that_goes_back_breaks_the_ring),
		TEST(a_head_beyond_the_ring_breaks_it_after_the_frames_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
