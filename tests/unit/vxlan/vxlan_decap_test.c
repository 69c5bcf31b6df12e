/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of vxlan/vxlan_decap.c: what is taken, and every reason why something is not. */
#include "vxlan/vxlan_decap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vxlan/rig.h"
#include "vxlan/vxlan.h"
#include "vxlan/vxlan_bytes.h"

#define HEAD_BYTES 128

static const struct vxlan_decap_rules strict = {.port = 4789};

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static enum vxlan_decap_reason decap(const uint8_t *frame, uint32_t n, struct vxlan_outer *outer)
{
	uint8_t *head = rig_copy(frame, smaller(n, HEAD_BYTES));
	enum vxlan_decap_reason reason =
		vxlan_decap(head, smaller(n, HEAD_BYTES), n, &strict, outer);

	free(head);
	return reason;
}

static enum vxlan_decap_reason decap_vector(const char *name)
{
	const struct vector *vector = rig_vector(name);
	struct vxlan_outer outer;

	return decap(vector->bytes, vector->n, &outer);
}

static void outer_headers_are_read(void **state)
{
	static const uint8_t near4[16] = {192, 0, 2, 1}, far4[16] = {192, 0, 2, 2};
	static const uint8_t near6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	static const uint8_t far6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 2};
	static const char *const names[] = {"v4", "v4-sum", "v4-options", "v4-reserved", "v6-sum"};

	for (size_t i = 0; i < 5; i++) {
		const struct vector *vector = rig_vector(names[i]), *inner = rig_vector("inner");
		struct vxlan_outer outer;
		bool is_ipv4 = names[i][1] == '4';

		assert_int_equal(decap(vector->bytes, vector->n, &outer), VXLAN_DECAP_OK);
		assert_int_equal(outer.ip_version, is_ipv4 ? 4 : 6);
		assert_memory_equal(outer.src_ip, is_ipv4 ? near4 : near6, 16);
		assert_memory_equal(outer.dst_ip, is_ipv4 ? far4 : far6, 16);
		assert_memory_equal(outer.dst_mac, "\x02\0\0\0\x01\x02", 6);
		assert_int_equal(outer.ttl, 64);
		assert_int_equal(outer.tos, 0xba);
		assert_int_equal(outer.src_port, 49152 | 0xdeadbeef >> 18);
		assert_int_equal(outer.dst_port, 4789);
		assert_int_equal(outer.vni, 0x123456);
		assert_int_equal(outer.inner_offset, vector->n - inner->n);
		assert_int_equal(outer.inner_bytes, inner->n);
		assert_int_equal(outer.has_checksum, strstr(names[i], "sum") != NULL);
	}
}

static void padding_is_trimmed(void **state)
{
	const struct vector *vector = rig_vector("v4-padded");
	struct vxlan_outer outer;

	assert_int_equal(decap(vector->bytes, vector->n, &outer), VXLAN_DECAP_OK);
	assert_int_equal(outer.inner_bytes, rig_vector("inner")->n);
	assert_int_equal(vector->n, outer.inner_offset + outer.inner_bytes + 7);
}

static void each_reason_has_its_frame(void **state)
{
	assert_int_equal(decap_vector("arp"), VXLAN_DECAP_NOT_IP);
	assert_int_equal(decap_vector("udp4-tagged"), VXLAN_DECAP_TAGGED);
	assert_int_equal(decap_vector("udp4-qinq"), VXLAN_DECAP_TAGGED);
	assert_int_equal(decap_vector("syn4"), VXLAN_DECAP_NOT_UDP);
	assert_int_equal(decap_vector("syn6"), VXLAN_DECAP_NOT_UDP);
	assert_int_equal(decap_vector("ping6"), VXLAN_DECAP_NOT_UDP);
	assert_int_equal(decap_vector("inner"), VXLAN_DECAP_WRONG_PORT);
	assert_int_equal(decap_vector("v4-wrong-port"), VXLAN_DECAP_WRONG_PORT);
	assert_int_equal(decap_vector("v4-fragment"), VXLAN_DECAP_FRAGMENT);
	assert_int_equal(decap_vector("v4-later"), VXLAN_DECAP_FRAGMENT);
	assert_int_equal(decap_vector("first6"), VXLAN_DECAP_FRAGMENT);
	assert_int_equal(decap_vector("v6-extension"), VXLAN_DECAP_EXTENSION);
	assert_int_equal(decap_vector("v6"), VXLAN_DECAP_NO_CHECKSUM);
	assert_int_equal(decap_vector("v4-no-flag"), VXLAN_DECAP_NO_VNI);
	assert_int_equal(decap_vector("v4-short"), VXLAN_DECAP_INNER_SHORT);
}

/* The vector `name` with the bytes at `at` replaced, and the IPv4 checksum mended. */
static enum vxlan_decap_reason decap_changed(const char *name, uint32_t at, uint16_t value)
{
	const struct vector *vector = rig_vector(name);
	uint8_t *frame = rig_copy(vector->bytes, vector->n);
	struct vxlan_outer outer;

	vxlan_store_be16(frame + at, value);
	if (name[1] == '4' && at != 24) {
		memset(frame + 24, 0, 2);
		vxlan_store_be16(frame + 24, (uint16_t)~rig_sum(0, frame + 14, 20));
	}
	enum vxlan_decap_reason reason = decap(frame, vector->n, &outer);

	free(frame);
	return reason;
}

static void lengths_have_to_fit(void **state)
{
	uint16_t n4 = (uint16_t)(rig_vector("v4")->n - 14);
	uint16_t n6 = (uint16_t)(rig_vector("v6-sum")->n - 54);

	assert_int_equal(decap_changed("v4", 16, n4), VXLAN_DECAP_OK);
	assert_int_equal(decap_changed("v4", 16, n4 + 1), VXLAN_DECAP_TRUNCATED);
	assert_int_equal(decap_changed("v4", 16, n4 - 1), VXLAN_DECAP_BAD_UDP_LENGTH);
	assert_int_equal(decap_changed("v4", 16, 27), VXLAN_DECAP_BAD_UDP_LENGTH);
	assert_int_equal(decap_changed("v4", 16, 19), VXLAN_DECAP_BAD_HEADER);
	assert_int_equal(decap_changed("v4", 38, n4 - 20), VXLAN_DECAP_OK);
	assert_int_equal(decap_changed("v4", 38, n4 - 19), VXLAN_DECAP_BAD_UDP_LENGTH);
	assert_int_equal(decap_changed("v4", 38, 15), VXLAN_DECAP_BAD_UDP_LENGTH);
	assert_int_equal(decap_changed("v4", 38, 16 + 13), VXLAN_DECAP_INNER_SHORT);
	assert_int_equal(decap_changed("v4", 38, 16 + 14), VXLAN_DECAP_OK);
	assert_int_equal(decap_changed("v6-sum", 18, n6), VXLAN_DECAP_OK);
	assert_int_equal(decap_changed("v6-sum", 18, n6 + 1), VXLAN_DECAP_TRUNCATED);
	assert_int_equal(decap_changed("v6-sum", 18, n6 - 1), VXLAN_DECAP_BAD_UDP_LENGTH);
	assert_int_equal(decap_changed("v6-sum", 18, 0), VXLAN_DECAP_BAD_UDP_LENGTH);
}

static void ip_headers_have_to_be_right(void **state)
{
	assert_int_equal(decap_changed("v4", 14, 0x65ba), VXLAN_DECAP_BAD_HEADER);
	assert_int_equal(decap_changed("v4", 14, 0x44ba), VXLAN_DECAP_BAD_HEADER);
	assert_int_equal(decap_changed("v4", 24, 0x1234), VXLAN_DECAP_BAD_HEADER);
	assert_int_equal(decap_changed("v6-sum", 14, 0x4000), VXLAN_DECAP_BAD_HEADER);
	/* Don't fragment and the reserved bit are no fragment. */
	assert_int_equal(decap_changed("v4", 20, 0xc000), VXLAN_DECAP_OK);
	assert_int_equal(decap_changed("v4", 20, 0x0001), VXLAN_DECAP_FRAGMENT);
}

static void every_cut_has_a_reason(void **state)
{
	static const char *const names[] = {"v4", "v4-sum", "v4-options", "v6-sum"};

	for (size_t i = 0; i < 4; i++) {
		const struct vector *vector = rig_vector(names[i]);
		struct vxlan_outer outer;

		for (uint32_t n = 0; n < vector->n; n++)
			assert_int_equal(decap(vector->bytes, n, &outer), VXLAN_DECAP_TRUNCATED);
	}
	/* A head that is cut although the frame goes on. */
	const struct vector *vector = rig_vector("v4");

	for (uint32_t n = 0; n <= vector->n; n++) {
		uint8_t *head = rig_copy(vector->bytes, n);
		struct vxlan_outer outer;

		assert_int_equal(vxlan_decap(head, n, vector->n, &strict, &outer),
				 n < 50 ? VXLAN_DECAP_TRUNCATED : VXLAN_DECAP_OK);
		free(head);
	}
}

static void any_changed_byte_is_read_in_bounds(void **state)
{
	for (const struct vector *vector = vectors; vector->name != NULL; vector++) {
		uint8_t *frame = rig_copy(vector->bytes, vector->n);
		struct vxlan_outer outer;

		for (uint32_t i = 0; i < smaller(vector->n, HEAD_BYTES) * 8; i++) {
			frame[i / 8] ^= (uint8_t)(1 << i % 8);
			if (decap(frame, vector->n, &outer) == VXLAN_DECAP_OK)
				assert_true(outer.inner_offset + outer.inner_bytes <= vector->n);
			frame[i / 8] ^= (uint8_t)(1 << i % 8);
		}
		free(frame);
	}
}

/* What vxlan_decap() says of the frame, if it may be taken for one like the vector before it. */
static bool is_again(const uint8_t *frame, uint32_t n, const struct vector *before)
{
	uint8_t *head = rig_copy(frame, smaller(n, HEAD_BYTES));
	uint8_t *head_before = rig_copy(before->bytes, VXLAN_OVERHEAD_IPV4_BYTES);
	struct vxlan_outer outer, outer_before;
	uint32_t inner_bytes = 0;
	bool is = vxlan_decap_again(head, smaller(n, HEAD_BYTES), n, head_before, &inner_bytes);

	if (is) {
		assert_int_equal(decap(before->bytes, before->n, &outer_before), VXLAN_DECAP_OK);
		assert_int_equal(decap(frame, n, &outer), VXLAN_DECAP_OK);
		assert_int_equal(outer.inner_bytes, inner_bytes);
		assert_false(outer.has_checksum);
		outer_before.inner_bytes = outer.inner_bytes;
		outer_before.src_port = outer.src_port;
		outer_before.has_checksum = false;
		memcpy(outer_before.dst_mac, outer.dst_mac, 6);
		assert_memory_equal(&outer, &outer_before, sizeof(outer));
	}
	free(head);
	free(head_before);
	return is;
}

/* The checksum of the IPv4 header that there should be. */
static void mend(uint8_t *frame)
{
	memset(frame + 24, 0, 2);
	vxlan_store_be16(frame + 24, (uint16_t)~rig_sum(0, frame + 14, 20));
}

static void frames_like_the_one_before_are_known(void **state)
{
	const struct vector *before = rig_vector("v4");
	uint8_t *frame = rig_copy(before->bytes, before->n);

	assert_true(is_again(frame, before->n, before));
	assert_true(is_again(frame, before->n, rig_vector("v4-sum")));
	assert_false(is_again(rig_vector("v4-sum")->bytes, rig_vector("v4-sum")->n, before));
	/* Another length, identification and source port. */
	vxlan_store_be16(frame + 16, before->n - 14 - 5);
	vxlan_store_be16(frame + 18, 0x1234);
	vxlan_store_be16(frame + 34, 50001);
	vxlan_store_be16(frame + 38, before->n - 34 - 6);
	assert_false(is_again(frame, before->n, before));
	mend(frame);
	assert_true(is_again(frame, before->n, before));
	for (uint32_t n = 0; n < before->n - 5; n++)
		assert_false(is_again(frame, n, before));
	/* Everything else is for vxlan_decap() to judge. */
	memcpy(frame, before->bytes, before->n);
	for (uint32_t i = 0; i < VXLAN_OVERHEAD_IPV4_BYTES * 8; i++) {
		uint32_t at = i / 8;

		frame[at] ^= (uint8_t)(1 << i % 8);
		if (at >= 14 && at < 34)
			mend(frame);
		bool may_differ = at < 12 || at == 18 || at == 19 || at == 24 || at == 25 ||
				  at == 34 || at == 35;
		bool is = is_again(frame, before->n, before);

		/* A length may differ as far as the frame goes. */
		if (at != 16 && at != 17 && at != 38 && at != 39)
			assert_int_equal(is, may_differ);
		memcpy(frame, before->bytes, before->n);
	}
	free(frame);
}

static void setting_allows_ipv6_without_checksum(void **state)
{
	const struct vxlan_decap_rules rules = {.port = 4789, .allows_ipv6_no_checksum = true};
	const struct vector *vector = rig_vector("v6");
	struct vxlan_outer outer;

	assert_int_equal(vxlan_decap(vector->bytes, vector->n, vector->n, &rules, &outer),
			 VXLAN_DECAP_OK);
	assert_false(outer.has_checksum);
	assert_true(vxlan_decap_is_intact(&outer, vector->bytes, vector->n, NULL, 0));
}

static void another_port_can_be_ours(void **state)
{
	const struct vxlan_decap_rules rules = {.port = 8472};
	const struct vector *vector = rig_vector("v4-wrong-port");
	struct vxlan_outer outer;

	assert_int_equal(vxlan_decap(vector->bytes, vector->n, vector->n, &rules, &outer),
			 VXLAN_DECAP_OK);
}

/* In a head and two pieces, split everywhere; right, and with any one bit wrong. */
static void checksum_is_verified_over_pieces(void **state)
{
	static const char *const names[] = {"v4-sum", "v6-sum"};

	for (size_t i = 0; i < 2; i++) {
		const struct vector *vector = rig_vector(names[i]);
		uint8_t *frame = rig_copy(vector->bytes, vector->n);
		struct vxlan_outer outer;

		assert_int_equal(decap(frame, vector->n, &outer), VXLAN_DECAP_OK);
		for (uint32_t a = outer.inner_offset; a <= vector->n; a++) {
			for (uint32_t b = a; b <= vector->n; b++) {
				struct iovec iov[] = {{frame + a, b - a},
						      {frame + b, vector->n - b}};

				assert_true(vxlan_decap_is_intact(&outer, frame, a, iov, 2));
			}
		}
		struct iovec cut = {frame + 100, vector->n - 101};

		assert_false(vxlan_decap_is_intact(&outer, frame, 100, &cut, 1));
		for (uint32_t bit = outer.inner_offset * 8; bit < vector->n * 8; bit++) {
			struct iovec iov = {frame + 101, vector->n - 101};

			frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(vxlan_decap_is_intact(&outer, frame, 101, &iov, 1));
			frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		free(frame);
	}
}

static void bytes_behind_the_datagram_are_not_summed(void **state)
{
	const struct vector *vector = rig_vector("v4-sum");
	uint8_t frame[256];
	struct vxlan_outer outer;

	memcpy(frame, vector->bytes, vector->n);
	memset(frame + vector->n, 0xee, 9);
	assert_int_equal(decap(frame, vector->n + 9, &outer), VXLAN_DECAP_OK);
	assert_true(vxlan_decap_is_intact(&outer, frame, vector->n + 9, NULL, 0));
}

static void what_is_inside_a_tunnel_is_not_opened(void **state)
{
	const struct vector *vector = rig_vector("v4-nested");
	struct vxlan_outer outer;

	assert_int_equal(decap(vector->bytes, vector->n, &outer), VXLAN_DECAP_OK);
	assert_int_equal(outer.inner_offset, 50);
	assert_int_equal(outer.inner_bytes, vector->n - 50);
}

static void reasons_have_names(void **state)
{
	assert_string_equal(vxlan_decap_reason_name(VXLAN_DECAP_OK), "ok");
	assert_string_equal(vxlan_decap_reason_name(VXLAN_DECAP_INNER_SHORT), "inner-short");
	assert_string_equal(vxlan_decap_reason_name(VXLAN_DECAP_COUNT), "unknown");
	for (unsigned int i = 0; i < VXLAN_DECAP_COUNT; i++)
		assert_true(strlen(vxlan_decap_reason_help(i)) > 10);
	assert_string_equal(vxlan_decap_reason_help(VXLAN_DECAP_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outer_headers_are_read),
		cmocka_unit_test(padding_is_trimmed),
		cmocka_unit_test(each_reason_has_its_frame),
		cmocka_unit_test(lengths_have_to_fit),
		cmocka_unit_test(ip_headers_have_to_be_right),
		cmocka_unit_test(every_cut_has_a_reason),
		cmocka_unit_test(any_changed_byte_is_read_in_bounds),
		cmocka_unit_test(frames_like_the_one_before_are_known),
		cmocka_unit_test(setting_allows_ipv6_without_checksum),
		cmocka_unit_test(another_port_can_be_ours),
		cmocka_unit_test(checksum_is_verified_over_pieces),
		cmocka_unit_test(bytes_behind_the_datagram_are_not_summed),
		cmocka_unit_test(what_is_inside_a_tunnel_is_not_opened),
		cmocka_unit_test(reasons_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
