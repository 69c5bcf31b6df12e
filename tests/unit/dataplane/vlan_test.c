/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vlan.c: maps, and tags put on. Taken off: classify_test.c. */
#include "dataplane/vlan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tests/unit/dataplane/rig.h"

static void a_map_answers_both_ways(void **state)
{
	const struct vlan_member members[] = {{7, 0}, {3, 10}, {500, 4094}};
	struct vlan_map *map = vlan_create(members, 3);

	assert_non_null(map);
	assert_int_equal(map->native, 7);
	assert_int_equal(vlan_segment(map, 0), 7);
	assert_int_equal(vlan_segment(map, 10), 3);
	assert_int_equal(vlan_segment(map, 4094), 500);
	assert_int_equal(vlan_segment(map, 11), 0);
	assert_int_equal(vlan_segment(map, 4095), 0);
	assert_int_equal(vlan_of(map, 7), 0);
	assert_int_equal(vlan_of(map, 3), 10);
	assert_int_equal(vlan_of(map, 500), 4094);
	assert_int_equal(vlan_of(map, 4), VLAN_NOT_MEMBER);
	assert_int_equal(vlan_of(map, 501), VLAN_NOT_MEMBER);
	assert_int_equal(vlan_of(map, 0), VLAN_NOT_MEMBER);
	free(map);
}

static void a_map_without_a_native_segment_has_none(void **state)
{
	const struct vlan_member members[] = {{3, 10}};
	struct vlan_map *map = vlan_create(members, 1);

	assert_non_null(map);
	assert_int_equal(map->native, 0);
	assert_int_equal(vlan_segment(map, 0), 0);
	free(map);
}

static size_t gather(const struct frame *frame, uint8_t *bytes)
{
	size_t n = frame->head_len;

	memcpy(bytes, frame->head, n);
	for (unsigned int i = 0; i < frame->n_iov; i++) {
		memcpy(bytes + n, frame->iov[i].iov_base, frame->iov[i].iov_len);
		n += frame->iov[i].iov_len;
	}
	return n;
}

/* A frame of `len` bytes that count up, the body in one piece. */
static void fill(struct frame *frame, struct iovec *piece, uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)i;
	*frame = (struct frame){.len = len, .iov = piece};
	frame->head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	memcpy(frame->head, bytes, frame->head_len);
	if (len > FRAME_HEAD_BYTES) {
		*piece = (struct iovec){bytes + FRAME_HEAD_BYTES, len - FRAME_HEAD_BYTES};
		frame->n_iov = 1;
	}
}

static void a_tag_stands_before_the_ethertype_at_every_length(void **state)
{
	struct burst *to = calloc(1, sizeof(*to));
	static const uint8_t tag[4] = {0x81, 0x00, 0x0a, 0xbc};
	uint8_t bytes[300], out[304];

	assert_non_null(to);
	for (uint32_t len = 14; len <= sizeof(bytes); len++) {
		struct frame frame;
		struct iovec piece;

		fill(&frame, &piece, bytes, len);
		to->n = to->n_pieces = 0;
		assert_true(vlan_put(&frame, 0xabc, to));
		assert_int_equal(to->n, 1);
		assert_int_equal(to->frames[0].len, len + 4);
		assert_int_equal(gather(&to->frames[0], out), len + 4);
		assert_memory_equal(out, bytes, 12);
		assert_memory_equal(out + 12, tag, 4);
		assert_memory_equal(out + 16, bytes + 12, len - 12);
		assert_true(to->n_pieces <= frame.n_iov + 1u);
		assert_int_equal(frame.len, len);
	}
	free(to);
}

static void without_a_tag_the_copy_is_the_frame(void **state)
{
	struct burst *to = calloc(1, sizeof(*to));
	uint8_t bytes[200], out[200];
	struct iovec piece;
	struct frame frame;

	assert_non_null(to);
	fill(&frame, &piece, bytes, sizeof(bytes));
	assert_true(vlan_put(&frame, 0, to));
	assert_int_equal(gather(&to->frames[0], out), sizeof(bytes));
	assert_memory_equal(out, bytes, sizeof(bytes));
	free(to);
}

static void offsets_move_with_a_tag_that_is_put_on(void **state)
{
	struct burst *to = calloc(1, sizeof(*to));
	uint8_t bytes[200];
	struct iovec piece;
	struct frame frame;

	assert_non_null(to);
	fill(&frame, &piece, bytes, sizeof(bytes));
	frame.vnet.hdr = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
	assert_true(vlan_put(&frame, 5, to));
	assert_int_equal(to->frames[0].vnet.hdr.csum_start, 38);
	assert_int_equal(frame.vnet.hdr.csum_start, 34);
	/* An offset that four bytes more would carry over the end of its field. */
	frame.vnet.hdr.csum_start = UINT16_MAX;
	assert_false(vlan_put(&frame, 5, to));
	assert_int_equal(to->n, 1);
	free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_answers_both_ways),
		cmocka_unit_test(a_map_without_a_native_segment_has_none),
		cmocka_unit_test(a_tag_stands_before_the_ethertype_at_every_length),
		cmocka_unit_test(without_a_tag_the_copy_is_the_frame),
		cmocka_unit_test(offsets_move_with_a_tag_that_is_put_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
