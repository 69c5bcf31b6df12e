/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of vxlan/vxlan_inner.c: where headers are found, and where they are not. */
#include "vxlan/vxlan_inner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vxlan/rig.h"

static struct vxlan_inner read_vector(const char *name)
{
	const struct vector *vector = rig_vector(name);
	struct vxlan_inner inner;

	vxlan_inner_read(vector->bytes, vector->n, &inner);
	return inner;
}

static void headers_are_found_through_tags_and_extensions(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint8_t version, n_tags, tos, protocol;
		uint16_t ip_offset, upper_offset;
	} wanted[] = {
		{"inner", 4, 0, 0x2a, 17, 14, 34},
		{"udp4-tagged", 4, 1, 0x2a, 17, 18, 38},
		{"udp4-qinq", 4, 2, 0x2a, 17, 22, 42},
		{"udp6", 6, 0, 0x2a, 17, 14, 54},
		{"udp6-extension", 6, 0, 0, 17, 14, 62},
		{"syn6", 6, 0, 0, 6, 14, 54},
		{"v4-options", 4, 0, 0xba, 17, 14, 74},
		{"first4", 4, 0, 0, 17, 14, 34},
		{"later4", 4, 0, 0, 17, 14, 0},
		{"first6", 6, 0, 0, 17, 14, 62},
		{"later6", 6, 0, 0, 0, 14, 0},
		{"arp", 0, 0, 0, 0, 14, 0},
		{"arp-tagged", 0, 1, 0, 0, 18, 0},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct vxlan_inner inner = read_vector(wanted[i].name);

		assert_int_equal(inner.ip_version, wanted[i].version);
		assert_int_equal(inner.n_tags, wanted[i].n_tags);
		assert_int_equal(inner.tos, wanted[i].tos);
		assert_int_equal(inner.protocol, wanted[i].protocol);
		assert_int_equal(inner.ip_offset, wanted[i].ip_offset);
		assert_int_equal(inner.upper_offset, wanted[i].upper_offset);
	}
	assert_int_equal(read_vector("inner").ip_bytes, 20 + 8 + 41);
	assert_int_equal(read_vector("udp6").ip_bytes, 40 + 8 + 41);
	assert_int_equal(read_vector("arp-tagged").ether_type, 0x0806);
}

static void fragments_are_marked(void **state)
{
	static const char *const names[] = {"first4", "later4", "first6", "later6"};

	for (size_t i = 0; i < 4; i++)
		assert_true(read_vector(names[i]).is_fragment);
	assert_false(read_vector("inner").is_fragment);
	assert_false(read_vector("udp6").is_fragment);
}

static void a_third_tag_ends_the_search(void **state)
{
	uint8_t head[64] = {[12] = 0x81, [13] = 0, [16] = 0x88, [17] = 0xa8, [20] = 0x91, [25] = 0};
	struct vxlan_inner inner;

	vxlan_inner_read(head, sizeof(head), &inner);
	assert_int_equal(inner.n_tags, 2);
	assert_int_equal(inner.ether_type, 0x9100);
	assert_int_equal(inner.ip_version, 0);
}

static void extension_headers_are_followed_to_a_limit(void **state)
{
	uint8_t head[14 + 40 + 8 * (VXLAN_INNER_EXTENSIONS_MAX + 2)] = {
		[12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 60};
	struct vxlan_inner inner;

	for (int n = 1; n <= VXLAN_INNER_EXTENSIONS_MAX + 1; n++) {
		for (int i = 1; i <= n; i++)
			head[54 + 8 * (i - 1)] = i == n ? 6 : 60;
		vxlan_inner_read(head, sizeof(head), &inner);
		bool is_seen = n <= VXLAN_INNER_EXTENSIONS_MAX;

		assert_int_equal(inner.upper_offset, is_seen ? 54 + 8 * n : 0);
		assert_int_equal(inner.protocol, is_seen ? 6 : 0);
	}
}

static void what_an_authentication_header_covers_is_not_looked_into(void **state)
{
	uint8_t head[128] = {[12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 51, [54] = 6};
	struct vxlan_inner inner;

	vxlan_inner_read(head, sizeof(head), &inner);
	assert_int_equal(inner.protocol, 51);
	assert_int_equal(inner.upper_offset, 54);
}

static void wrong_ip_headers_are_no_ip(void **state)
{
	uint8_t head[34] = {[12] = 8, [14] = 0x44};
	struct vxlan_inner inner;

	vxlan_inner_read(head, sizeof(head), &inner);
	assert_int_equal(inner.ip_version, 0);
	head[14] = 0x46;
	vxlan_inner_read(head, sizeof(head), &inner);
	assert_int_equal(inner.ip_version, 0);
	head[14] = 0x65;
	vxlan_inner_read(head, sizeof(head), &inner);
	assert_int_equal(inner.ip_version, 0);
	head[14] = 0x45;
	vxlan_inner_read(head, sizeof(head), &inner);
	assert_int_equal(inner.ip_version, 4);
}

static void offsets_stay_in_a_head_that_is_cut_anywhere(void **state)
{
	for (const struct vector *vector = vectors; vector->name != NULL; vector++) {
		for (uint32_t n = 0; n <= vector->n; n++) {
			uint8_t *head = rig_copy(vector->bytes, n);
			struct vxlan_inner inner;

			vxlan_inner_read(head, n, &inner);
			assert_true(inner.ip_offset <= n);
			assert_true(inner.upper_offset <= n);
			free(head);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_found_through_tags_and_extensions),
		cmocka_unit_test(fragments_are_marked),
		cmocka_unit_test(a_third_tag_ends_the_search),
		cmocka_unit_test(extension_headers_are_followed_to_a_limit),
		cmocka_unit_test(what_an_authentication_header_covers_is_not_looked_into),
		cmocka_unit_test(wrong_ip_headers_are_no_ip),
		cmocka_unit_test(offsets_stay_in_a_head_that_is_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
