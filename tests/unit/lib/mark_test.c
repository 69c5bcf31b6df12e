/* SPDX-License-Identifier: BSD-3-Clause */
/* Marked frames: what is built is found, what is damaged is seen. */
#include "tests/lib/mark.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t to[6] = {2, 'W', 0, 7, 0, 9};
static unsigned char frame[MARK_FRAME_MAX];

static size_t build(enum mark_kind kind, struct virtio_net_hdr *header)
{
	struct mark mark = {
		.segment = 0x1234, .port = 0x0567, .sequence = 0x89abcdef, .kind = kind};

	return mark_build(&mark, to, frame, header);
}

static void every_kind_is_found(void **state)
{
	for (int kind = 0; kind < MARK_KIND_COUNT; kind++) {
		struct virtio_net_hdr header;
		struct mark mark;
		size_t n = build((enum mark_kind)kind, &header);
		bool is_bare = kind == MARK_RUNT || kind == MARK_BARE;

		assert_int_equal(mark_find(frame, n, &mark), 0);
		assert_int_equal(mark.segment, 0x1234);
		assert_int_equal(mark.port, 0x0567);
		assert_int_equal(mark.sequence, is_bare ? 0 : 0x89abcdef);
		assert_int_equal(mark.kind, kind);
		assert_int_equal(mark_kind_find(mark_kind((enum mark_kind)kind)->name), kind);
	}
}

static void sizes_are_what_the_kinds_say(void **state)
{
	struct virtio_net_hdr header;

	assert_int_equal(build(MARK_RUNT, &header), 13);
	assert_int_equal(build(MARK_BARE, &header), 14);
	assert_int_equal(build(MARK_SHORT, &header), 42);
	assert_int_equal(build(MARK_UNICAST, &header), 60);
	assert_int_equal(build(MARK_LARGE, &header), 14 + 65535);
	assert_int_equal(header.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(header.hdr_len, 54);
	assert_int_equal(header.csum_start, 34);
}

static void tags_are_on_the_wire(void **state)
{
	struct virtio_net_hdr header;

	build(MARK_DOUBLE_TAGGED, &header);
	assert_memory_equal(frame + 12, "\x88\xa8\x00\x0a\x81\x00\x00\x14", 8);
	build(MARK_PRIORITY_TAGGED, &header);
	assert_memory_equal(frame + 12, "\x81\x00\xa0\x00", 4);
	build(MARK_LENGTH, &header);
	assert_true((frame[12] << 8 | frame[13]) == 60 - 14);
}

static uint32_t ones_sum(const unsigned char *bytes, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if ((n & 1) != 0)
		sum += (uint32_t)bytes[n - 1] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Completed as a device would, the checksum holds under the full rule of RFC 793. */
static void open_checksum_can_be_completed(void **state)
{
	static const int kinds[] = {MARK_CHECKSUM, MARK_SEGMENTS};

	for (unsigned int i = 0; i < 2; i++) {
		struct virtio_net_hdr header;
		size_t n = build((enum mark_kind)kinds[i], &header);
		unsigned char pseudo[12] = {0};
		size_t n_l4 = n - header.csum_start;

		assert_int_equal(ones_sum(frame + 14, 20), 0xffff);
		uint32_t sum = ~ones_sum(frame + header.csum_start, n_l4) & 0xffff;

		frame[header.csum_start + header.csum_offset] = (unsigned char)(sum >> 8);
		frame[header.csum_start + header.csum_offset + 1] = (unsigned char)sum;
		memcpy(pseudo, frame + 26, 8);
		pseudo[9] = frame[23];
		pseudo[10] = (unsigned char)(n_l4 >> 8);
		pseudo[11] = (unsigned char)n_l4;
		sum = ones_sum(pseudo, 12) + ones_sum(frame + header.csum_start, n_l4);
		assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	}
}

static void padding_is_not_damage(void **state)
{
	struct virtio_net_hdr header;
	struct mark mark;
	size_t n = build(MARK_SHORT, &header);

	memset(frame + n, 0, 60 - n);
	assert_int_equal(mark_find(frame, 60, &mark), 0);
	assert_int_equal(mark.kind, MARK_SHORT);
}

static void damage_is_seen_anywhere(void **state)
{
	struct virtio_net_hdr header;
	struct mark mark;
	size_t n = build(MARK_UNICAST, &header);

	for (size_t i = 18; i < n; i++) {
		frame[i] ^= 0x10;
		assert_int_equal(mark_find(frame, n, &mark), -EBADMSG);
		frame[i] ^= 0x10;
	}
	assert_int_equal(mark_find(frame, n - 1, &mark), -EBADMSG);
	assert_int_equal(mark_find(frame, n, &mark), 0);
}

static void other_frames_are_not_ours(void **state)
{
	unsigned char other[60] = {0};
	struct mark mark;

	assert_int_equal(mark_find(other, sizeof(other), &mark), -ENOENT);
	assert_int_equal(mark_find(other, 0, &mark), -ENOENT);
	assert_int_equal(mark_kind_find("no such kind"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_found),
		cmocka_unit_test(sizes_are_what_the_kinds_say),
		cmocka_unit_test(tags_are_on_the_wire),
		cmocka_unit_test(open_checksum_can_be_completed),
		cmocka_unit_test(padding_is_not_damage),
		cmocka_unit_test(damage_is_seen_anywhere),
		cmocka_unit_test(other_frames_are_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
