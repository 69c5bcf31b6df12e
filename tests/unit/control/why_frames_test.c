/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of control/why_frames.c: frames as a machine would send them. */
#include "control/why_frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct why_end end_of(uint8_t last, uint8_t ip_version)
{
	struct why_end end = {.mac = {2, 0, 0, 0, 0, last}, .ip_version = ip_version};

	if (ip_version == 4)
		memcpy(end.ip, (uint8_t[4]){10, 0, 0, last}, 4);
	else if (ip_version == 6)
		memcpy(end.ip, (uint8_t[16]){0xfd, [15] = last}, 16);
	return end;
}

static unsigned int word(const uint8_t *at)
{
	return (unsigned int)(at[0] << 8 | at[1]);
}

static void a_question_is_arp_where_both_addresses_are_known(void **state)
{
	struct why_end a = end_of(1, 4), b = end_of(2, 4), c = end_of(3, 6);
	uint8_t bytes[WHY_FRAME_BYTES];

	assert_int_equal(why_frames_question(&a, &b, bytes), 60);
	assert_memory_equal(bytes, "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x8\x6\0\1\x8\0\6\4\0\1",
			    22);
	assert_memory_equal(bytes + 22, "\2\0\0\0\0\1\xa\0\0\1\0\0\0\0\0\0\xa\0\0\2", 20);
	assert_int_equal(why_frames_question(&a, &c, bytes), 60);
	assert_int_equal(word(bytes + 12), 0x88b5);
}

static void a_tag_stands_where_the_wire_has_one(void **state)
{
	struct why_end a = end_of(1, 4), b = end_of(2, 4);
	uint8_t bytes[WHY_FRAME_BYTES];

	a.vlan = 10;
	why_frames_question(&a, &b, bytes);
	assert_memory_equal(bytes + 12, "\x81\0\0\xa\x8\x6", 6);
	assert_int_equal(why_frames_packet(&a, &b, 1500, bytes), 1518);
	assert_memory_equal(bytes + 12, "\x81\0\0\xa\x8\0\x45", 7);
}

/* RFC 1071: the sum over a right header is all ones. */
static void a_packet_has_the_size_and_a_right_header(void **state)
{
	struct why_end a = end_of(1, 4), b = end_of(2, 4);
	uint8_t bytes[WHY_FRAME_BYTES];
	unsigned int sum = 0;

	assert_int_equal(why_frames_packet(&a, &b, 1400, bytes), 1414);
	assert_memory_equal(bytes, "\2\0\0\0\0\2\2\0\0\0\0\1\x8\0", 14);
	for (int i = 0; i < 20; i += 2)
		sum += word(bytes + 14 + i);
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	assert_int_equal(word(bytes + 16), 1400);
	assert_int_equal(word(bytes + 38), 1380);
	assert_int_equal(why_frames_packet(&a, &b, 68, bytes), 82);
}

static void of_ipv6_and_of_none(void **state)
{
	struct why_end a = end_of(1, 6), b = end_of(2, 6), c = end_of(3, 0);
	uint8_t bytes[WHY_FRAME_BYTES];

	assert_int_equal(why_frames_packet(&a, &b, 1280, bytes), 1294);
	assert_int_equal(word(bytes + 12), 0x86dd);
	assert_int_equal(word(bytes + 18), 1240);
	assert_memory_equal(bytes + 38, b.ip, 16);
	assert_int_equal(why_frames_packet(&a, &c, 1280, bytes), 1294);
	assert_int_equal(word(bytes + 12), 0x88b5);
}

static void no_size_is_too_much_for_it(void **state)
{
	struct why_end a = end_of(1, 4), b = end_of(2, 4);
	uint8_t bytes[WHY_FRAME_BYTES];

	a.vlan = 10;
	assert_int_equal(why_frames_packet(&a, &b, 1u << 20, bytes), WHY_FRAME_BYTES);
	assert_true(why_frames_packet(&a, &b, 0, bytes) >= 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_arp_where_both_addresses_are_known),
		cmocka_unit_test(a_tag_stands_where_the_wire_has_one),
		cmocka_unit_test(a_packet_has_the_size_and_a_right_header),
		cmocka_unit_test(of_ipv6_and_of_none),
		cmocka_unit_test(no_size_is_too_much_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
