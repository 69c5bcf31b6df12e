/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/classify.c: which frames get a segment, and why the others do not. */
#include "dataplane/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/fdb.h"
#include "tests/unit/dataplane/rig.h"

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct burst));
	return *state == NULL;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void a_good_frame_gets_its_segment_and_both_keys(void **state)
{
	struct burst *burst = *state;
	struct frame *frame = rig_add_frame(burst, 1, 2, 64);

	classify_burst(burst, 9);
	assert_int_equal(frame->drop, DROP_NONE);
	assert_int_equal(frame->segment, 9);
	assert_true(frame->dst_key == fdb_key(9, frame->head));
	assert_true(frame->src_key == fdb_key(9, frame->head + 6));
}

/* What byte of the head is changed to what, and what comes of it. */
struct row {
	const char *what;
	uint32_t len;
	int at;
	uint8_t bytes[6];
	unsigned int n;
	enum drop_reason drop;
};

static const struct row rows[] = {
	{"as it is", 64, 0, {0}, 0, DROP_NONE},
	{"the shortest with a header", 14, 0, {0}, 0, DROP_NONE},
	{"one byte too short", 13, 0, {0}, 0, DROP_RUNT},
	{"empty", 0, 0, {0}, 0, DROP_RUNT},
	{"broadcast", 64, 0, {255, 255, 255, 255, 255, 255}, 6, DROP_NONE},
	{"multicast", 64, 0, {1, 0, 0x5e, 0, 0, 1}, 6, DROP_NONE},
	{"multicast source", 64, 6, {3}, 1, DROP_BAD_SOURCE},
	{"zero source", 64, 6, {0, 0, 0, 0, 0, 0}, 6, DROP_BAD_SOURCE},
	{"source of one bit", 64, 6, {0, 0, 0, 0, 0, 1}, 6, DROP_NONE},
	{"802.1Q", 64, 12, {0x81, 0x00}, 2, DROP_TAGGED},
	{"802.1ad", 64, 12, {0x88, 0xa8}, 2, DROP_TAGGED},
	{"0x9100", 64, 12, {0x91, 0x00}, 2, DROP_TAGGED},
	{"802.1Q without a tag to follow", 14, 12, {0x81, 0x00}, 2, DROP_TAGGED},
	{"length field of 802.3", 64, 12, {0x00, 0x32}, 2, DROP_NONE},
	{"spanning tree", 64, 0, {1, 0x80, 0xc2, 0, 0, 0}, 6, DROP_LINK_LOCAL},
	{"LLDP", 64, 0, {1, 0x80, 0xc2, 0, 0, 0x0e}, 6, DROP_LINK_LOCAL},
	{"last reserved address", 64, 0, {1, 0x80, 0xc2, 0, 0, 0x0f}, 6, DROP_LINK_LOCAL},
	{"first that is not reserved", 64, 0, {1, 0x80, 0xc2, 0, 0, 0x10}, 6, DROP_NONE},
	{"looks like reserved", 64, 0, {1, 0x80, 0xc2, 0, 1, 0x00}, 6, DROP_NONE},
};

static void each_kind_of_frame_gets_its_verdict(void **state)
{
	struct burst *burst = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct frame *frame;

		burst->n = 0;
		frame = rig_add_frame(burst, 1, 2, row->len);
		memcpy(frame->head + row->at, row->bytes, row->n);
		classify_burst(burst, 9);
		if (frame->drop != row->drop)
			fail_msg("%s: %s, not %s", row->what, drop_reason_name(frame->drop),
				 drop_reason_name(row->drop));
	}
}

static void without_a_segment_nothing_passes(void **state)
{
	struct burst *burst = *state;

	rig_add_frame(burst, 1, 2, 64);
	rig_add_frame(burst, RIG_BROADCAST, 2, 64);
	rig_add_frame(burst, 1, 2, 10);
	classify_burst(burst, 0);
	assert_int_equal(burst->frames[0].drop, DROP_NO_SEGMENT);
	assert_int_equal(burst->frames[1].drop, DROP_NO_SEGMENT);
	assert_int_equal(burst->frames[2].drop, DROP_RUNT);
}

static void what_the_port_dropped_keeps_its_reason(void **state)
{
	struct burst *burst = *state;

	rig_add_frame(burst, 1, 2, 0)->drop = DROP_BAD_CHAIN;
	rig_add_frame(burst, 1, 2, 64);
	classify_burst(burst, 9);
	assert_int_equal(burst->frames[0].drop, DROP_BAD_CHAIN);
	assert_int_equal(burst->frames[1].drop, DROP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_good_frame_gets_its_segment_and_both_keys, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(each_kind_of_frame_gets_its_verdict, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(without_a_segment_nothing_passes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_the_port_dropped_keeps_its_reason, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
