/* SPDX-License-Identifier: BSD-3-Clause */
/* vxlan/vxlan.h: limits and layout against the numbers of RFC 7348. */
#include "vxlan/vxlan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

static void vni_is_valid_from_1_to_24_bits(void **state)
{
	assert_false(vxlan_vni_is_valid(0));
	assert_true(vxlan_vni_is_valid(1));
	assert_true(vxlan_vni_is_valid(100));
	assert_true(vxlan_vni_is_valid((1u << 24) - 1));
	assert_false(vxlan_vni_is_valid(1u << 24));
	assert_false(vxlan_vni_is_valid(UINT32_MAX));
}

static void header_has_the_layout_of_section_5(void **state)
{
	/* Flags "I" alone, VNI 0x123456. */
	const uint8_t wire[8] = {0x08, 0, 0, 0, 0x12, 0x34, 0x56, 0};
	struct vxlan_header header = {.flags = VXLAN_FLAG_VNI, .vni = {0x12, 0x34, 0x56}};

	assert_memory_equal(&header, wire, sizeof(wire));
	assert_int_equal(VXLAN_PORT, 4789);
}

static void overhead_is_the_sum_of_the_outer_headers(void **state)
{
	size_t inner = sizeof(struct udphdr) + sizeof(struct vxlan_header);

	assert_int_equal(VXLAN_OVERHEAD_IPV4_BYTES, ETH_HLEN + sizeof(struct iphdr) + inner);
	assert_int_equal(VXLAN_OVERHEAD_IPV6_BYTES, ETH_HLEN + sizeof(struct ipv6hdr) + inner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vni_is_valid_from_1_to_24_bits),
		cmocka_unit_test(header_has_the_layout_of_section_5),
		cmocka_unit_test(overhead_is_the_sum_of_the_outer_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
