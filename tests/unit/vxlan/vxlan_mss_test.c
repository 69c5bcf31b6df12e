/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of vxlan/vxlan_mss.c: the MSS that scapy would have sent, checksum included. */
#include "vxlan/vxlan_mss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vxlan/rig.h"
#include "vxlan/vxlan_bytes.h"

#define MTU 1300

static bool clamp(uint8_t *head, uint32_t n, uint32_t mtu, bool is_sum_open)
{
	struct vxlan_inner inner;

	vxlan_inner_read(head, n, &inner);
	return vxlan_mss_clamp(head, n, &inner, mtu, is_sum_open);
}

static void segments_are_made_to_fit(void **state)
{
	static const char *const names[] = {"syn4", "syn4-odd", "syn6", "syn6-odd"};

	for (size_t i = 0; i < 4; i++) {
		const struct vector *before = rig_vector(names[i]);
		uint8_t *head = rig_copy(before->bytes, before->n);
		char fits[32];

		snprintf(fits, sizeof(fits), "%s-fits", names[i]);
		assert_true(rig_is_intact(head, before->n));
		assert_true(clamp(head, before->n, MTU, false));
		assert_memory_equal(head, rig_vector(fits)->bytes, before->n);
		/* What fits stays. */
		assert_false(clamp(head, before->n, MTU, false));
		assert_memory_equal(head, rig_vector(fits)->bytes, before->n);
		free(head);
	}
}

static void any_mtu_leaves_the_checksum_right(void **state)
{
	static const char *const names[] = {"syn4", "syn4-odd", "syn6", "syn6-odd"};

	for (size_t i = 0; i < 4; i++) {
		const struct vector *before = rig_vector(names[i]);
		uint32_t headers = names[i][3] == '4' ? 40 : 60;

		for (uint32_t mtu = 0; mtu < 1600; mtu++) {
			uint8_t *head = rig_copy(before->bytes, before->n);
			bool is_clamped = clamp(head, before->n, mtu, false);

			assert_int_equal(is_clamped, mtu > headers && mtu - headers < 1460);
			assert_true(rig_is_intact(head, before->n));
			free(head);
		}
	}
}

/* The checksum field holds the sum of the pseudo header; whoever completes it sums the rest. */
static void open_checksum_stays_and_completes_right(void **state)
{
	const struct vector *before = rig_vector("syn4-odd");
	uint8_t *head = rig_copy(before->bytes, before->n), *tcp = head + 34;
	const uint8_t rest[4] = {0, 6, 0, (uint8_t)(before->n - 34)};
	uint16_t open = rig_sum(rig_sum(0, head + 26, 8), rest, 4);

	vxlan_store_be16(tcp + 16, open);
	assert_true(clamp(head, before->n, MTU, true));
	assert_int_equal(vxlan_load_be16(tcp + 16), open);
	vxlan_store_be16(tcp + 16, (uint16_t)~rig_sum(0, tcp, before->n - 34));
	assert_memory_equal(head, rig_vector("syn4-odd-fits")->bytes, before->n);
	free(head);
}

/* Changes a byte of the vector, or two; then nothing may be clamped, and nothing written. */
static void check_left_alone(const char *name, uint32_t at, uint16_t value)
{
	const struct vector *vector = rig_vector(name);
	uint8_t *head = rig_copy(vector->bytes, vector->n);

	vxlan_store_be16(head + at, value);
	uint8_t *before = rig_copy(head, vector->n);

	assert_false(clamp(head, vector->n, MTU, false));
	assert_memory_equal(head, before, vector->n);
	free(before);
	free(head);
}

static void only_a_whole_syn_with_sound_options_is_touched(void **state)
{
	check_left_alone("syn4", 46, 0xa010);	/* an ACK */
	check_left_alone("syn4", 20, 0x2000);	/* a fragment */
	check_left_alone("syn4", 20, 0x0001);
	check_left_alone("syn4", 22, 0x4011);	/* UDP */
	check_left_alone("syn4", 46, 0x4002);	/* a header shorter than TCP's */
	check_left_alone("syn4", 46, 0xb002);	/* one longer than the packet */
	check_left_alone("syn4", 16, 40);	/* IP says there are no options */
	check_left_alone("syn4", 54, 0x0203);	/* an MSS of the wrong length */
	check_left_alone("syn4", 54, 0x0300);	/* options without length */
	check_left_alone("syn4", 54, 0x0301);
	check_left_alone("syn4", 54, 0x03ff);	/* longer than the header */
	check_left_alone("syn4", 54, 0x0000);	/* the end of options */
	check_left_alone("syn4", 54, 0x0804);	/* another option, and no MSS */
	check_left_alone("inner", 0, 0);
	check_left_alone("arp", 0, 0);
	check_left_alone("udp6", 0, 0);
}

static void syn_ack_behind_tags_is_clamped(void **state)
{
	const struct vector *syn = rig_vector("syn4");
	uint8_t head[128];

	memcpy(head, syn->bytes, 12);
	memcpy(head + 12, "\x81\x00\x00\x05", 4);
	memcpy(head + 16, syn->bytes + 12, syn->n - 12);
	head[18 + 20 + 13] = 0x12;
	assert_true(clamp(head, syn->n + 4, MTU, false));
	assert_int_equal(vxlan_load_be16(head + 18 + 20 + 22), MTU - 40);
}

static void every_cut_is_left_alone_or_clamped_in_bounds(void **state)
{
	static const char *const names[] = {"syn4", "syn4-odd", "syn6", "syn6-odd"};

	for (size_t i = 0; i < 4; i++) {
		const struct vector *vector = rig_vector(names[i]);

		for (uint32_t n = 0; n < vector->n; n++) {
			uint8_t *head = rig_copy(vector->bytes, n);

			/* The header is cut, so the options are. */
			assert_false(clamp(head, n, MTU, false));
			assert_memory_equal(head, vector->bytes, n);
			free(head);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_are_made_to_fit),
		cmocka_unit_test(any_mtu_leaves_the_checksum_right),
		cmocka_unit_test(open_checksum_stays_and_completes_right),
		cmocka_unit_test(only_a_whole_syn_with_sound_options_is_touched),
		cmocka_unit_test(syn_ack_behind_tags_is_clamped),
		cmocka_unit_test(every_cut_is_left_alone_or_clamped_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
