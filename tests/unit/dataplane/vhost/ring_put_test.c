/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/ring_put.c: frames into buffers of every shape, honest and hostile; what
 * weft writes, and that it writes nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/offload.h"
#include "tests/unit/dataplane/vhost/ring_rig.h"

#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT
#define HEADER 12
#define AT(offset) (RING_RIG_GPA + RING_RIG_BUFFERS + (offset))

static const uint8_t order[BURST_FRAMES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

static int set_up(void **state)
{
	*state = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 0);
	memset(((struct ring_rig *)*state)->guest + RING_RIG_BUFFERS, 0xa5,
	       RING_RIG_BYTES - RING_RIG_BUFFERS);
	return 0;
}

static void drop_frames(struct ring_rig *rig)
{
	for (unsigned int i = 0; i < rig->burst->n; i++) {
		if (rig->burst->frames[i].n_iov != 0)
			free(rig->burst->frames[i].iov[0].iov_base);
	}
	rig->burst->n = rig->burst->n_pieces = 0;
}

static int tear_down(void **state)
{
	drop_frames(*state);
	ring_rig_destroy(*state);
	return 0;
}

/* A frame of the pattern on the burst's next place; what is beyond the head lies in two pieces. */
static struct frame *add_frame(struct ring_rig *rig, uint32_t len)
{
	struct burst *burst = rig->burst;
	struct frame *frame = &burst->frames[burst->n++];
	struct iovec *pieces = &burst->pieces[burst->n_pieces];

	*frame = (struct frame){.len = len, .vnet = {.num_buffers = htole16(1)}};
	frame->head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	for (uint32_t i = 0; i < frame->head_len; i++)
		frame->head[i] = ring_rig_pattern(1, i);
	if (len <= FRAME_HEAD_BYTES)
		return frame;
	uint32_t rest = len - FRAME_HEAD_BYTES, first = rest / 3 + 1;
	uint8_t *bytes = malloc(rest);

	assert_non_null(bytes);
	for (uint32_t i = 0; i < rest; i++)
		bytes[i] = ring_rig_pattern(1, FRAME_HEAD_BYTES + i);
	pieces[0] = (struct iovec){.iov_base = bytes, .iov_len = first};
	pieces[1] = (struct iovec){.iov_base = bytes + first, .iov_len = rest - first};
	frame->iov = pieces;
	frame->n_iov = 2;
	burst->n_pieces += 2;
	return frame;
}

static uint64_t n_dropped(const struct ring_rig *rig)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < DROP_COUNT; i++)
		n += rig->count.drops[i];
	return n;
}

/* Puts all frames of the burst; each is either sent or dropped. */
static void put(struct ring_rig *rig)
{
	uint64_t before = rig->count.tx_frames + n_dropped(rig);

	rig->burst->attention = false;
	if (ring_put(&rig->ring, rig->burst, order, rig->burst->n, &rig->count))
		ring_call(&rig->ring);
	assert_int_equal(rig->count.tx_frames + n_dropped(rig) - before, rig->burst->n);
}

/* A buffer of `bytes` at `offset` of the buffers that weft may write. */
static void offer_buffer(struct ring_rig *rig, uint16_t head, uint32_t offset, uint32_t bytes)
{
	ring_rig_desc(rig->desc, head, AT(offset), bytes, WRITE, 0);
	ring_rig_offer(rig, head);
}

static void assert_bytes(const struct ring_rig *rig, uint32_t offset, uint32_t start, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(rig->guest[RING_RIG_BUFFERS + offset + i],
				 ring_rig_pattern(1, start + i));
}

static void assert_header(const struct ring_rig *rig, uint32_t offset, unsigned int n_buffers)
{
	const struct virtio_net_hdr_mrg_rxbuf *vnet =
		(const void *)(rig->guest + RING_RIG_BUFFERS + offset);

	assert_int_equal(vnet->hdr.flags, 0);
	assert_int_equal(vnet->hdr.gso_type, 0);
	assert_int_equal(le16toh(vnet->num_buffers), n_buffers);
}

static void assert_used(const struct ring_rig *rig, unsigned int i, unsigned int id, uint32_t bytes)
{
	assert_int_equal(rig->used->ring[i % RING_RIG_SIZE].id, id);
	assert_int_equal(rig->used->ring[i % RING_RIG_SIZE].len, bytes);
}

/* --- shapes --- */

static void a_frame_fills_one_buffer_and_not_a_byte_more(void **state)
{
	struct ring_rig *rig = *state;
	static const uint32_t lens[] = {14, 15, 60, 116, 127, 128, 129, 130, 131, 1514, 9014};

	for (unsigned int i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		/* Exactly large enough, and with room to spare. */
		uint32_t room = HEADER + lens[i] + (i % 2) * 100;

		drop_frames(rig);
		add_frame(rig, lens[i]);
		offer_buffer(rig, 9, i * 0x4000, room);
		ring_rig_remember(rig);
		ring_rig_allow(rig, RING_RIG_BUFFERS + i * 0x4000, HEADER + lens[i]);
		put(rig);
		ring_rig_assert_untouched(rig);
		assert_header(rig, i * 0x4000, 1);
		assert_bytes(rig, i * 0x4000 + HEADER, 0, lens[i]);
		assert_used(rig, i, 9, HEADER + lens[i]);
	}
	ring_rig_assert_broken(rig, NULL);
	assert_int_equal(rig->used->idx, sizeof(lens) / sizeof(lens[0]));
}

static void there_is_room_for_as_many_as_were_offered(void **state)
{
	struct ring_rig *rig = *state;

	assert_true(ring_has_room(&rig->ring, 0));
	for (uint16_t i = 0; i < RING_RIG_SIZE; i++) {
		assert_true(ring_has_room(&rig->ring, i));
		assert_false(ring_has_room(&rig->ring, i + 1u));
		offer_buffer(rig, i, i * 128u, 128);
	}
	/* No ring has more. */
	assert_true(ring_has_room(&rig->ring, RING_RIG_SIZE + 1));
	add_frame(rig, 60);
	put(rig);
	assert_false(ring_has_room(&rig->ring, RING_RIG_SIZE));
	assert_true(ring_has_room(&rig->ring, RING_RIG_SIZE - 1));
}

static void a_chained_buffer_may_be_cut_anywhere(void **state)
{
	struct ring_rig *rig = *state;
	const uint32_t bytes = HEADER + 200;
	unsigned int n = 0;

	add_frame(rig, 200);
	for (uint32_t a = 0; a <= bytes; a++, n++) {
		uint32_t b = a + (bytes - a) / 3;

		ring_rig_desc(rig->desc, 0, AT(0), a, WRITE | NEXT, 7);
		ring_rig_desc(rig->desc, 7, AT(a), b - a, WRITE | NEXT, 2);
		ring_rig_desc(rig->desc, 2, AT(b), bytes - b + 50, WRITE, 0);
		memset(rig->guest + RING_RIG_BUFFERS, 0xa5, 4096);
		ring_rig_remember(rig);
		ring_rig_allow(rig, RING_RIG_AVAIL, 6 + 2 * RING_RIG_SIZE);
		ring_rig_allow(rig, RING_RIG_BUFFERS, bytes);
		ring_rig_offer(rig, 0);
		put(rig);
		ring_rig_assert_untouched(rig);
		assert_header(rig, 0, 1);
		assert_bytes(rig, HEADER, 0, 200);
		assert_used(rig, n, 0, bytes);
	}
	ring_rig_assert_broken(rig, NULL);
}

static void an_indirect_buffer_is_filled(void **state)
{
	struct ring_rig *rig = *state;

	add_frame(rig, 1500);
	ring_rig_desc(ring_rig_table(rig), 0, AT(0), HEADER, WRITE | NEXT, 1);
	ring_rig_desc(ring_rig_table(rig), 1, AT(0x1000), 1500, WRITE, 0);
	ring_rig_desc(rig->desc, 4, RING_RIG_GPA + RING_RIG_TABLE, 32, INDIRECT, 0);
	ring_rig_offer(rig, 4);
	put(rig);
	assert_header(rig, 0, 1);
	assert_bytes(rig, 0x1000, 0, 1500);
	assert_used(rig, 0, 4, HEADER + 1500);
}

static void a_buffer_may_span_two_regions(void **state)
{
	struct ring_rig *rig = *state;
	uint32_t offset = RING_RIG_SEAM - RING_RIG_BUFFERS - 100;

	add_frame(rig, 1500);
	offer_buffer(rig, 0, offset, HEADER + 1500);
	put(rig);
	assert_bytes(rig, offset + HEADER, 0, 1500);
	assert_used(rig, 0, 0, HEADER + 1500);
}

static void a_large_frame_fills_several_mergeable_buffers(void **state)
{
	struct ring_rig *rig = *state;
	const uint32_t size = 1526, len = FRAME_BYTES_MAX, bytes = HEADER + FRAME_BYTES_MAX;
	const uint32_t n = (bytes + size - 1) / size;

	add_frame(rig, len);
	for (uint16_t i = 0; i < n + 1; i++)
		offer_buffer(rig, i, i * 2048, size);
	ring_rig_remember(rig);
	for (uint32_t i = 0; i < n; i++)
		ring_rig_allow(rig, RING_RIG_BUFFERS + i * 2048,
			       i + 1 < n ? size : bytes - i * size);
	put(rig);
	ring_rig_assert_untouched(rig);
	assert_header(rig, 0, n);
	assert_bytes(rig, HEADER, 0, size - HEADER);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t part = i + 1 < n ? size : bytes - i * size;

		assert_used(rig, i, i, part);
		if (i != 0)
			assert_bytes(rig, i * 2048, i * size - HEADER, part);
	}
	assert_int_equal(rig->used->idx, n);
	assert_int_equal(rig->count.tx_bytes, len);
}

static void a_frame_that_does_not_fit_takes_no_buffer(void **state)
{
	struct ring_rig *rig = *state;

	add_frame(rig, 5000);
	add_frame(rig, 60);
	offer_buffer(rig, 0, 0, 1526);
	offer_buffer(rig, 1, 2048, 1526);
	ring_rig_remember(rig);
	ring_rig_allow(rig, RING_RIG_BUFFERS, HEADER + 60);
	put(rig);
	ring_rig_assert_untouched(rig);
	assert_int_equal(rig->count.drops[DROP_RING_FULL], 1);
	assert_int_equal(rig->count.tx_frames, 1);
	assert_int_equal(rig->used->idx, 1);
	assert_used(rig, 0, 0, HEADER + 60);
	ring_rig_assert_broken(rig, NULL);
}

static void without_mergeable_buffers_a_frame_must_fit_one(void **state)
{
	struct ring_rig *rig = ring_rig_create(VIRTIO_FEATURE(VIRTIO_F_VERSION_1), OFFLOAD_ALL, 0);

	add_frame(rig, 116);
	add_frame(rig, 60);
	offer_buffer(rig, 0, 0, HEADER + 115);
	offer_buffer(rig, 1, 2048, 4096);
	ring_rig_remember(rig);
	ring_rig_allow(rig, RING_RIG_BUFFERS, HEADER + 60);
	put(rig);
	ring_rig_assert_untouched(rig);
	assert_int_equal(rig->count.drops[DROP_RING_FULL], 1);
	assert_used(rig, 0, 0, HEADER + 60);
	ring_rig_destroy(rig);
}

static void old_drivers_get_a_header_of_10_bytes(void **state)
{
	struct ring_rig *rig = ring_rig_create(0, OFFLOAD_ALL, 0);

	add_frame(rig, 60);
	add_frame(rig, 60);
	offer_buffer(rig, 0, 0, 10 + 60);
	ring_rig_desc(rig->desc, 1, AT(0x1000), 10, WRITE | NEXT, 2);
	ring_rig_desc(rig->desc, 2, AT(0x2000), 60, WRITE, 0);
	ring_rig_offer(rig, 1);
	memset(rig->guest + RING_RIG_BUFFERS, 0xa5, 0x3000);
	ring_rig_remember(rig);
	ring_rig_allow(rig, RING_RIG_BUFFERS, 10 + 60);
	ring_rig_allow(rig, RING_RIG_BUFFERS + 0x1000, 10);
	ring_rig_allow(rig, RING_RIG_BUFFERS + 0x2000, 60);
	put(rig);
	ring_rig_assert_untouched(rig);
	assert_bytes(rig, 10, 0, 60);
	assert_bytes(rig, 0x2000, 0, 60);
	assert_used(rig, 1, 1, 70);
	ring_rig_destroy(rig);
}

static void indices_wrap_at_65535(void **state)
{
	struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 65530);

	for (unsigned int i = 0; i < 4; i++)
		add_frame(rig, 60);
	for (uint16_t round = 0; round < 3; round++) {
		for (uint16_t i = 0; i < 4; i++)
			offer_buffer(rig, (uint16_t)(4 * round + i), 0, 1526);
		put(rig);
	}
	assert_int_equal(rig->count.tx_frames, 12);
	assert_int_equal(rig->used->idx, 6);
	for (unsigned int i = 0; i < 12; i++)
		assert_used(rig, 65530 + i, i, HEADER + 60);
	ring_rig_destroy(rig);
}

static void a_ring_without_buffers_is_full(void **state)
{
	struct ring_rig *rig = *state;

	add_frame(rig, 60);
	add_frame(rig, 60);
	put(rig);
	assert_int_equal(rig->count.drops[DROP_RING_FULL], 2);
	assert_int_equal(rig->used->idx, 0);
	assert_int_equal(ring_rig_calls(rig), 0);
}

static void a_guest_gets_only_the_offloads_it_takes(void **state)
{
	struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN, OFFLOAD_CSUM, 0);
	struct frame *frame = add_frame(rig, 60);

	frame->vnet.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	frame = add_frame(rig, 60);
	frame->vnet.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	frame->vnet.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	offer_buffer(rig, 0, 0, 1526);
	offer_buffer(rig, 1, 2048, 1526);
	put(rig);
	assert_int_equal(rig->count.tx_frames, 1);
	assert_int_equal(rig->count.tx_gso_frames, 0);
	assert_int_equal(rig->count.drops[DROP_NO_OFFLOAD], 1);
	assert_int_equal(rig->guest[RING_RIG_BUFFERS], VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ring_rig_destroy(rig);
}

/* --- calls --- */

static void to_be_told_of_frames_changes_nothing(void **state)
{
	struct ring_rig *rig = *state;

	ring_rig_remember(rig);
	ring_put_soon(&rig->ring);
	rig->ring.next_avail = UINT16_MAX;
	ring_put_soon(&rig->ring);
	ring_rig_assert_untouched(rig);
	assert_int_equal(rig->ring.next_avail, UINT16_MAX);
	ring_rig_assert_broken(rig, NULL);
}

static void a_burst_is_one_call(void **state)
{
	struct ring_rig *rig = *state;

	for (uint16_t i = 0; i < 5; i++) {
		add_frame(rig, 60);
		offer_buffer(rig, i, 0, 1526);
	}
	put(rig);
	assert_int_equal(ring_rig_calls(rig), 1);
	rig->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	rig->burst->n = 1;
	offer_buffer(rig, 0, 0, 1526);
	put(rig);
	assert_int_equal(ring_rig_calls(rig), 0);
}

static void with_event_indices_the_call_comes_when_the_burst_passes_the_index(void **state)
{
	struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN | VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX),
					       OFFLOAD_ALL, 65533);
	volatile uint16_t *used_event = &rig->avail->ring[RING_RIG_SIZE];

	add_frame(rig, 60);
	add_frame(rig, 60);
	for (uint16_t i = 0; i < 10; i++)
		offer_buffer(rig, i, 0, 1526);
	*used_event = 1;
	put(rig); /* 65533, 65534 */
	assert_int_equal(ring_rig_calls(rig), 0);
	put(rig); /* 65535, 0 */
	assert_int_equal(ring_rig_calls(rig), 0);
	put(rig); /* 1, 2 */
	assert_int_equal(ring_rig_calls(rig), 1);
	put(rig); /* 3, 4 */
	assert_int_equal(ring_rig_calls(rig), 0);
	*used_event = 6;
	put(rig); /* 5, 6 */
	assert_int_equal(ring_rig_calls(rig), 1);
	ring_rig_destroy(rig);
}

/* --- hostile --- */

#define TABLE(offset) (RING_RIG_GPA + RING_RIG_TABLE + (offset))
#define GOOD AT(0x8000), 20, WRITE

/* Entries 0 and 1 of the descriptors, the start of an indirect table, and what weft says of it. */
static const struct {
	const char *why;
	struct vring_desc desc[2];
	struct vring_desc table[2];
} bad_chains[] = {
	{"or a loop", {{AT(0), 0, WRITE | NEXT, 0}}, {{0}}},
	{"or a loop", {{GOOD | NEXT, 1}, {GOOD | NEXT, 0}}, {{0}}},
	{"beyond the table", {{GOOD | NEXT, RING_RIG_SIZE}}, {{0}}},
	{"beyond the table", {{GOOD | NEXT, 0xffff}}, {{0}}},
	{"outside the guest's memory", {{0, 1526, WRITE, 0}}, {{0}}},
	{"outside the guest's memory", {{RING_RIG_GPA - 1, 1526, WRITE, 0}}, {{0}}},
	{"outside the guest's memory", {{RING_RIG_GPA + RING_RIG_BYTES, 1526, WRITE, 0}}, {{0}}},
	{"outside the guest's memory",
	 {{RING_RIG_GPA + RING_RIG_BYTES - 1525, 1526, WRITE, 0}},
	 {{0}}},
	{"outside the guest's memory", {{AT(0), 0xffffffff, WRITE, 0}}, {{0}}},
	{"end of the address space", {{UINT64_MAX - 100, 1526, WRITE, 0}}, {{0}}},
	{"wrong direction", {{AT(0), 1526, 0, 0}}, {{0}}},
	{"wrong direction", {{GOOD | NEXT, 1}, {AT(0), 1526, 0, 0}}, {{0}}},
	{"smaller than the virtio-net header", {{AT(0), 0, WRITE, 0}}, {{0}}},
	{"smaller than the virtio-net header", {{AT(0), HEADER - 1, WRITE, 0}}, {{0}}},
	{"with a next one", {{TABLE(0), 16, INDIRECT | NEXT, 1}, {GOOD, 0}}, {{GOOD, 0}}},
	{"impossible length", {{TABLE(0), 17, INDIRECT, 0}}, {{GOOD, 0}}},
	{"outside the guest's memory", {{16, 16, INDIRECT, 0}}, {{0}}},
	{"odd address", {{TABLE(2), 16, INDIRECT, 0}}, {{0}}},
	{"inside an indirect", {{TABLE(0), 16, INDIRECT, 0}}, {{TABLE(0), 16, INDIRECT, 0}}},
	{"wrong direction", {{TABLE(0), 16, INDIRECT, 0}}, {{AT(0), 1526, 0, 0}}},
	{"outside the guest's memory", {{TABLE(0), 16, INDIRECT, 0}}, {{0, 1526, WRITE, 0}}},
};

/* One frame goes out, the next meets the bad chain, a third finds the ring broken. */
static void assert_breaks(struct ring_rig *rig, const char *why)
{
	for (int i = 0; i < 3; i++)
		add_frame(rig, 100);
	ring_rig_desc(rig->desc, 200, AT(0x4000), 1526, WRITE, 0);
	ring_rig_offer(rig, 200);
	ring_rig_offer(rig, 0);
	ring_rig_offer(rig, 200);
	ring_rig_remember(rig);
	ring_rig_allow(rig, RING_RIG_BUFFERS + 0x4000, HEADER + 100);
	put(rig);
	ring_rig_assert_broken(rig, why);
	assert_true(rig->burst->attention);
	assert_int_equal(rig->count.tx_frames, 1);
	assert_int_equal(rig->count.drops[DROP_BAD_CHAIN], 1);
	assert_int_equal(rig->count.drops[DROP_PORT_DOWN], 1);
	put(rig);
	assert_int_equal(rig->count.drops[DROP_PORT_DOWN], 4);
	assert_int_equal(rig->used->idx, 1);
	ring_rig_assert_untouched(rig);
}

static void every_bad_chain_breaks_the_ring_and_nothing_is_written(void **state)
{
	for (size_t i = 0; i < sizeof(bad_chains) / sizeof(bad_chains[0]); i++) {
		struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 0);

		memcpy(rig->desc, bad_chains[i].desc, sizeof(bad_chains[i].desc));
		memcpy(ring_rig_table(rig), bad_chains[i].table, sizeof(bad_chains[i].table));
		assert_breaks(rig, bad_chains[i].why);
		ring_rig_destroy(rig);
	}
}

static void a_bad_second_buffer_leaves_the_first_as_it_was(void **state)
{
	struct ring_rig *rig = *state;

	add_frame(rig, 3000);
	offer_buffer(rig, 0, 0, 1526);
	ring_rig_desc(rig->desc, 1, 0, 1526, WRITE, 0);
	ring_rig_offer(rig, 1);
	ring_rig_remember(rig);
	put(rig);
	ring_rig_assert_untouched(rig);
	ring_rig_assert_broken(rig, "outside the guest's memory");
	assert_int_equal(rig->used->idx, 0);
}

static void an_index_that_jumps_breaks_the_ring(void **state)
{
	struct ring_rig *rig = *state;

	add_frame(rig, 60);
	rig->avail->idx = RING_RIG_SIZE + 1;
	ring_rig_remember(rig);
	put(rig);
	ring_rig_assert_broken(rig, "index jumped");
	assert_int_equal(n_dropped(rig), 1);
	assert_int_equal(rig->used->idx, 0);
	ring_rig_assert_untouched(rig);
}

static void a_head_beyond_the_ring_breaks_it(void **state)
{
	struct ring_rig *rig = *state;

	add_frame(rig, 60);
	add_frame(rig, 60);
	ring_rig_offer(rig, RING_RIG_SIZE);
	ring_rig_offer(rig, 0xffff);
	ring_rig_remember(rig);
	put(rig);
	ring_rig_assert_broken(rig, "beyond the ring");
	ring_rig_assert_untouched(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_frame_fills_one_buffer_and_not_a_byte_more),
		TEST(there_is_room_for_as_many_as_were_offered),
		TEST(a_chained_buffer_may_be_cut_anywhere),
		TEST(an_indirect_buffer_is_filled),
		TEST(a_buffer_may_span_two_regions),
		TEST(a_large_frame_fills_several_mergeable_buffers),
		TEST(a_frame_that_does_not_fit_takes_no_buffer),
		cmocka_unit_test(without_mergeable_buffers_a_frame_must_fit_one),
		cmocka_unit_test(old_drivers_get_a_header_of_10_bytes),
		cmocka_unit_test(indices_wrap_at_65535),
		TEST(a_ring_without_buffers_is_full),
		cmocka_unit_test(a_guest_gets_only_the_offloads_it_takes),
		TEST(to_be_told_of_frames_changes_nothing),
		TEST(a_burst_is_one_call),
		cmocka_unit_test(with_event_indices_the_call_comes_when_the_burst_passes_the_index),
		cmocka_unit_test(every_bad_chain_breaks_the_ring_and_nothing_is_written),
		TEST(a_bad_second_buffer_leaves_the_first_as_it_was),
		TEST(an_index_that_jumps_breaks_the_ring),
		TEST(a_head_beyond_the_ring_breaks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
