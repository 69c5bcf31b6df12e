/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of vxlan/vxlan_ecn.c against figure 4 of RFC 6040. */
#include "vxlan/vxlan_ecn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/vxlan/rig.h"

#define DROP (-1)

/* [inner][outer], in the order of the bits: none, ECT1, ECT0, CE. */
static const int figure_4[4][4] = {{0, 0, 0, DROP}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};

static void marks_combine_as_in_figure_4(void **state)
{
	for (uint8_t inner = 0; inner < 4; inner++) {
		for (uint8_t outer = 0; outer < 4; outer++) {
			assert_int_equal(vxlan_ecn_combine(outer, inner), figure_4[inner][outer]);
			/* DSCP is another matter. */
			assert_int_equal(vxlan_ecn_combine(0xfc | outer, 0x28 | inner),
					 figure_4[inner][outer]);
		}
	}
}

static const struct vector *marked(int version, int ecn)
{
	char name[16];

	snprintf(name, sizeof(name), "ecn%d-%d", version, ecn);
	return rig_vector(name);
}

static void frame_becomes_what_scapy_makes_with_that_mark(void **state)
{
	for (int i = 0; i < 2 * 4 * 4; i++) {
		int version = i / 16 ? 6 : 4, mark = i / 4 % 4, outer = i % 4;
		const struct vector *before = marked(version, mark);
		uint8_t *head = rig_copy(before->bytes, before->n);
		struct vxlan_inner inner;
		int wanted = figure_4[mark][outer];

		vxlan_inner_read(head, before->n, &inner);
		assert_int_equal(vxlan_ecn_decap(head, &inner, (uint8_t)(0xb8 | outer)),
				 wanted != DROP);
		if (wanted == DROP)
			wanted = mark;
		assert_memory_equal(head, marked(version, wanted)->bytes, before->n);
		assert_int_equal(inner.tos, 0x28 | wanted);
		free(head);
	}
}

static void what_is_not_ip_passes(void **state)
{
	const struct vector *arp = rig_vector("arp");
	uint8_t *head = rig_copy(arp->bytes, arp->n);
	struct vxlan_inner inner;

	vxlan_inner_read(head, arp->n, &inner);
	assert_true(vxlan_ecn_decap(head, &inner, VXLAN_ECN_CE));
	assert_memory_equal(head, arp->bytes, arp->n);
	free(head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_combine_as_in_figure_4),
		cmocka_unit_test(frame_becomes_what_scapy_makes_with_that_mark),
		cmocka_unit_test(what_is_not_ip_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
