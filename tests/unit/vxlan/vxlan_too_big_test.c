/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of vxlan/vxlan_too_big.c: answers as scapy makes them, and silence where it is due. */
#include "vxlan/vxlan_too_big.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vxlan/rig.h"
#include "vxlan/vxlan_bytes.h"

#define MTU 1350

static uint32_t answer(const uint8_t *head, uint32_t n, uint32_t mtu, uint8_t *out)
{
	struct vxlan_inner inner;

	vxlan_inner_read(head, n, &inner);
	return vxlan_too_big(head, n, &inner, mtu, out);
}

static void answers_are_those_of_scapy(void **state)
{
	static const char *const names[] = {"large4", "large6", "large4-tagged", "large6-tagged"};

	for (size_t i = 0; i < 4; i++) {
		const struct vector *large = rig_vector(names[i]);
		uint8_t out[VXLAN_TOO_BIG_BYTES_MAX];
		char name[32];

		snprintf(name, sizeof(name), "%s-answer", names[i]);
		const struct vector *wanted = rig_vector(name);

		assert_int_equal(answer(large->bytes, large->n, MTU, out), wanted->n);
		assert_memory_equal(out, wanted->bytes, wanted->n);
	}
}

static void any_cut_and_any_mtu_gives_a_right_answer_or_none(void **state)
{
	static const char *const names[] = {"large4", "large6"};

	for (size_t i = 0; i < 2; i++) {
		const struct vector *large = rig_vector(names[i]);
		/* IPv4 quotes its header and eight bytes, IPv6 the header and a byte. */
		uint32_t n_min = i == 0 ? 14 + 20 + 8 : 14 + 40 + 1;

		for (uint32_t n = 0; n <= large->n; n++) {
			uint8_t *head = rig_copy(large->bytes, n);
			uint8_t *out = malloc(VXLAN_TOO_BIG_BYTES_MAX);

			assert_non_null(out);
			uint32_t n_out = answer(head, n, MTU + n, out);

			assert_int_equal(n_out != 0, n >= n_min);
			assert_true(n_out == 0 || rig_is_intact(out, n_out));
			free(head);
			free(out);
		}
	}
}

static void no_answer_exceeds_its_room(void **state)
{
	const struct vector *large = rig_vector("large6-tagged");
	uint8_t head[1400] = {0};
	uint8_t out[VXLAN_TOO_BIG_BYTES_MAX];

	memcpy(head, large->bytes, 16);
	memcpy(head + 16, large->bytes + 12, large->n - 12);
	/* Two tags, and a head with more than is ever quoted. */
	assert_int_equal(answer(head, sizeof(head), MTU, out), VXLAN_TOO_BIG_BYTES_MAX);
	assert_memory_equal(out + 12, head + 12, 10);
}

static void padding_is_not_quoted(void **state)
{
	const struct vector *large = rig_vector("large4");
	uint8_t *head = rig_copy(large->bytes, large->n);
	uint8_t out[VXLAN_TOO_BIG_BYTES_MAX];

	vxlan_store_be16(head + 16, 60);
	assert_int_equal(answer(head, large->n, MTU, out), 14 + 28 + 60);
	free(head);
}

/* The vector with two bytes changed. */
static uint32_t answer_changed(const char *name, uint32_t at, uint16_t value)
{
	const struct vector *vector = rig_vector(name);
	uint32_t n = vector->n < 128 ? vector->n : 128;
	uint8_t *head = rig_copy(vector->bytes, n);
	uint8_t out[VXLAN_TOO_BIG_BYTES_MAX];

	vxlan_store_be16(head + at, value);
	uint32_t n_out = answer(head, n, MTU, out);

	free(head);
	return n_out;
}

static void ipv4_is_answered_only_where_that_is_due(void **state)
{
	assert_int_not_equal(answer_changed("large4", 20, 0x4000), 0);
	assert_int_equal(answer_changed("large4", 20, 0x0000), 0);	/* may be fragmented */
	assert_int_equal(answer_changed("large4", 20, 0x4001), 0);	/* a later fragment */
	assert_int_equal(answer_changed("large4", 0, 0xffff), 0);	/* to a group of MACs */
	assert_int_equal(answer_changed("large4", 6, 0x0100), 0);	/* from one */
	assert_int_equal(answer_changed("large4", 26, 0), 0);		/* from nobody */
	assert_int_equal(answer_changed("large4", 26, 0x7f00), 0);
	assert_int_equal(answer_changed("large4", 26, 0xe000), 0);
	assert_int_equal(answer_changed("large4", 26, 0xffff), 0);
	assert_int_equal(answer_changed("large4", 30, 0xe000), 0);	/* to a group */
	assert_int_equal(answer_changed("large4", 30, 0xffff), 0);
	assert_int_equal(answer_changed("large4", 30, 0x7f00), 0);
	assert_int_equal(answer_changed("large4", 30, 0), 0);
	assert_int_not_equal(answer_changed("ping4", 34, 0x0800), 0);
	assert_int_not_equal(answer_changed("ping4", 34, 0x0000), 0);
	for (uint16_t type = 1; type < 256; type++)	/* errors, and what may be one */
		assert_int_equal(answer_changed("ping4", 34, type << 8) != 0, type == 8);
}

static void ipv6_is_answered_only_where_that_is_due(void **state)
{
	assert_int_not_equal(answer_changed("large6", 22, 0xfe80), 0);
	assert_int_equal(answer_changed("large6", 0, 0x3333), 0);
	assert_int_equal(answer_changed("large6", 22, 0xff02), 0);
	assert_int_equal(answer_changed("large6", 38, 0xff02), 0);
	/* Next header 0, 43, 44, 60: what the chain leads to lies beyond the head. */
	assert_int_equal(answer_changed("large6", 20, 60 << 8), 0);
	assert_int_equal(answer_changed("later6", 0, 0x0200), 0);
	assert_int_not_equal(answer_changed("first6", 0, 0x0200), 0);
	for (uint16_t type = 0; type < 256; type++)
		assert_int_equal(answer_changed("ping6", 54, type << 8) != 0,
				 type >= 128 && type != 137);
}

static void ipv6_loopback_and_unspecified_get_no_answer(void **state)
{
	for (int i = 0; i < 4; i++) {
		const struct vector *large = rig_vector("large6");
		uint8_t *head = rig_copy(large->bytes, large->n);
		uint8_t out[VXLAN_TOO_BIG_BYTES_MAX];
		uint8_t *address = head + (i / 2 ? 38 : 22);

		memset(address, 0, 16);
		address[15] = (uint8_t)(i % 2);
		assert_int_equal(answer(head, large->n, MTU, out), 0);
		address[15] = 2;
		assert_int_not_equal(answer(head, large->n, MTU, out), 0);
		free(head);
	}
}

static void mtu_has_to_be_one_of_the_protocol(void **state)
{
	const struct vector *large4 = rig_vector("large4"), *large6 = rig_vector("large6");
	uint8_t out[VXLAN_TOO_BIG_BYTES_MAX];

	assert_int_equal(answer(large4->bytes, large4->n, 67, out), 0);
	assert_int_not_equal(answer(large4->bytes, large4->n, 68, out), 0);
	assert_int_equal(answer(large4->bytes, large4->n, 65536, out), 0);
	assert_int_equal(answer(large6->bytes, large6->n, 1279, out), 0);
	assert_int_not_equal(answer(large6->bytes, large6->n, 1280, out), 0);
	assert_int_equal(out[14 + 40 + 6] << 8 | out[14 + 40 + 7], 1280);
}

static void what_is_not_ip_gets_no_answer(void **state)
{
	assert_int_equal(answer_changed("arp", 0, 0x0200), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_of_scapy),
		cmocka_unit_test(any_cut_and_any_mtu_gives_a_right_answer_or_none),
		cmocka_unit_test(no_answer_exceeds_its_room),
		cmocka_unit_test(padding_is_not_quoted),
		cmocka_unit_test(ipv4_is_answered_only_where_that_is_due),
		cmocka_unit_test(ipv6_is_answered_only_where_that_is_due),
		cmocka_unit_test(ipv6_loopback_and_unspecified_get_no_answer),
		cmocka_unit_test(mtu_has_to_be_one_of_the_protocol),
		cmocka_unit_test(what_is_not_ip_gets_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
