/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of vxlan/vxlan_sum.c against the plainest sum. */
#include "vxlan/vxlan_sum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vxlan/rig.h"

#define BYTES 67

static uint16_t as_number(uint16_t in_memory)
{
	uint8_t bytes[2];

	memcpy(bytes, &in_memory, sizeof(bytes));
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void fill(uint8_t *bytes, size_t n, uint64_t *state)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(rig_random(state) >> 8);
}

static void pieces_of_any_length_sum_as_one(void **state)
{
	uint64_t random = 1;
	uint8_t bytes[BYTES];

	fill(bytes, sizeof(bytes), &random);
	for (size_t a = 0; a <= BYTES; a++) {
		for (size_t b = a; b <= BYTES; b++) {
			struct vxlan_sum sum = {0};

			vxlan_sum_add(&sum, bytes, a);
			vxlan_sum_add(&sum, bytes + a, b - a);
			vxlan_sum_add(&sum, bytes + b, BYTES - b);
			assert_int_equal(as_number(vxlan_sum_fold(&sum)), rig_sum(0, bytes, BYTES));
		}
	}
}

static void a_sum_of_64_kib_in_odd_halves_carries(void **state)
{
	size_t n = 65535;
	uint8_t *bytes = malloc(2 * n);
	struct vxlan_sum sum = {0};

	assert_non_null(bytes);
	memset(bytes, 0xff, 2 * n);
	bytes[n] = 0xfe;
	vxlan_sum_add(&sum, bytes, n);
	vxlan_sum_add(&sum, bytes + n, n);
	assert_int_equal(as_number(vxlan_sum_fold(&sum)), rig_sum(0, bytes, 2 * n));
	free(bytes);
}

static void iov_is_summed_up_to_a_length(void **state)
{
	uint64_t random = 2;
	uint8_t bytes[BYTES];
	struct iovec iov[] = {{bytes, 5}, {NULL, 0}, {bytes + 5, 30}, {bytes + 35, BYTES - 35}};

	fill(bytes, sizeof(bytes), &random);
	for (size_t n = 0; n <= BYTES; n++) {
		struct vxlan_sum sum = {0};

		assert_true(vxlan_sum_add_iov(&sum, iov, 4, n));
		assert_int_equal(as_number(vxlan_sum_fold(&sum)), rig_sum(0, bytes, n));
	}
	struct vxlan_sum sum = {0};

	assert_false(vxlan_sum_add_iov(&sum, iov, 4, BYTES + 1));
}

static void change_is_what_a_new_sum_would_be(void **state)
{
	static const uint16_t special[] = {0, 1, 0xff, 0x100, 0xfffe, 0xffff};
	uint64_t random = 3;
	uint8_t bytes[20];

	for (int round = 0; round < 5000; round++) {
		size_t at = 2 + rig_random(&random) % (sizeof(bytes) - 3);
		uint16_t value = (uint16_t)rig_random(&random);

		fill(bytes, sizeof(bytes), &random);
		if (round % 2) {
			value = special[rig_random(&random) % 6];
			vxlan_store_be16(bytes + at, special[rig_random(&random) % 6]);
		}
		memset(bytes, 0, 2);
		vxlan_store_be16(bytes, (uint16_t)~rig_sum(0, bytes, sizeof(bytes)));
		vxlan_sum_change(bytes, bytes + at, value, at % 2 != 0);
		assert_int_equal(vxlan_load_be16(bytes + at), value);
		assert_int_equal(rig_sum(0, bytes, sizeof(bytes)), 0xffff);
	}
}

static void change_without_a_checksum_touches_nothing_else(void **state)
{
	uint8_t bytes[4] = {1, 2, 3, 4};

	vxlan_sum_change(NULL, bytes + 1, 0x0908, true);
	assert_memory_equal(bytes, "\x01\x09\x08\x04", 4);
}

static void pseudo_header_has_addresses_length_and_protocol(void **state)
{
	const uint8_t whole[40] = {[0 ... 31] = 0x5a, [33] = 1, [34] = 2, [35] = 3, [39] = 58};
	struct vxlan_sum sum = {0};

	vxlan_sum_add_pseudo(&sum, whole, 32, 0x10203, 58);
	assert_int_equal(as_number(vxlan_sum_fold(&sum)), rig_sum(0, whole, sizeof(whole)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_any_length_sum_as_one),
		cmocka_unit_test(a_sum_of_64_kib_in_odd_halves_carries),
		cmocka_unit_test(iov_is_summed_up_to_a_length),
		cmocka_unit_test(change_is_what_a_new_sum_would_be),
		cmocka_unit_test(change_without_a_checksum_touches_nothing_else),
		cmocka_unit_test(pseudo_header_has_addresses_length_and_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
