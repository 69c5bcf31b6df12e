/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/checksum.c against RFC 1071's example and a sum taken word by word. */
#include "dataplane/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define BYTES 70000

static uint8_t bytes[BYTES];

static int fill(void **state)
{
	uint32_t seed = 1;

	for (size_t i = 0; i < BYTES; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(seed >> 24);
	}
	return 0;
}

/* As the RFC says it: big-endian words, carries added at once. */
static uint16_t reference(const uint8_t *at, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum += i % 2 == 0 ? at[i] * 256u : at[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

/* The bytes of a sum as they stand in a packet. */
static uint16_t in_packet(uint16_t sum)
{
	uint8_t at[2];

	memcpy(at, &sum, 2);
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void the_example_of_rfc_1071_adds_up(void **state)
{
	static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(in_packet(checksum_fold(checksum_add(0, example, 8))), 0xddf2);
}

static void any_length_at_any_address_is_summed(void **state)
{
	for (size_t n = 0; n < 200; n++) {
		for (size_t at = 0; at < 9; at++)
			assert_int_equal(in_packet(checksum_fold(checksum_add(0, bytes + at, n))),
					 reference(bytes + at, n));
	}
	assert_int_equal(in_packet(checksum_fold(checksum_add(0, bytes, 65599))),
			 reference(bytes, 65599));
}

static void a_sum_can_be_taken_in_parts(void **state)
{
	uint64_t sum = checksum_add(0, bytes, 14);

	sum = checksum_add(sum, bytes + 14, 1000);
	sum = checksum_add(sum, bytes + 1014, 501);
	assert_int_equal(in_packet(checksum_fold(sum)), reference(bytes, 1515));
}

static void the_largest_words_do_not_overflow(void **state)
{
	static uint8_t ones[BYTES];

	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(checksum_fold(checksum_add(0, ones, sizeof(ones))), 0xffff);
	assert_int_equal(checksum_fold(UINT64_MAX), 0xffff);
	assert_int_equal(checksum_fold(0), 0);
}

static void a_completed_checksum_makes_the_sum_all_ones(void **state)
{
	for (uint32_t len = 60; len < 200; len++) {
		uint8_t packet[200];

		memcpy(packet, bytes + len, sizeof(packet));
		checksum_complete(packet, len, 34, 6);
		/* Without the two bytes that were in the field: they are part of the sum. */
		uint16_t rest = reference(packet + 34, len - 34);
		uint16_t open = reference(bytes + len + 40, 2);

		assert_int_equal(reference((uint8_t[]){(uint8_t)(rest >> 8), (uint8_t)rest,
						       (uint8_t)(open >> 8), (uint8_t)open},
					   4),
				 0xffff);
		memcpy(packet + 40, bytes + len + 40, 2);
		assert_memory_equal(packet, bytes + len, sizeof(packet));
	}
}

static void a_checksum_of_zero_is_written_as_ones(void **state)
{
	uint8_t packet[40] = {0};

	packet[20] = packet[21] = 0xff;
	checksum_complete(packet, 40, 20, 6);
	assert_int_equal(packet[26], 0xff);
	assert_int_equal(packet[27], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_rfc_1071_adds_up),
		cmocka_unit_test(any_length_at_any_address_is_summed),
		cmocka_unit_test(a_sum_can_be_taken_in_parts),
		cmocka_unit_test(the_largest_words_do_not_overflow),
		cmocka_unit_test(a_completed_checksum_makes_the_sum_all_ones),
		cmocka_unit_test(a_checksum_of_zero_is_written_as_ones),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
