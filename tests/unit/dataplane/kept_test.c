/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads of frames that are kept: what is read, what is left out, and how many a millisecond has. */
#include "dataplane/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/frame.h"

static void test_as_it_was(void **state)
{
	struct kept kept = {0};
	struct frame frame = {.len = 1500, .head_len = 500};
	struct dp_dropped_frame read;

	assert_false(kept_read(&kept, &read));
	memset(frame.head, 0xab, sizeof(frame.head));
	kept_write(&kept, &frame,
		   &(struct kept_as){.time_ns = 1, .port_id = 2, .segment_id = 3, .reason = 4});
	assert_true(kept_read(&kept, &read));
	assert_int_equal(read.time_ns, 1);
	assert_int_equal(read.port_id, 2);
	assert_int_equal(read.segment_id, 3);
	assert_int_equal(read.reason, 4);
	assert_int_equal(read.len, 1500);
	/* A length beyond the head is not believed. */
	assert_int_equal(read.head_len, FRAME_HEAD_BYTES);
	assert_memory_equal(read.head, frame.head, FRAME_HEAD_BYTES);
	/* While it is written nobody gets half of it. */
	atomic_fetch_add(&kept.sequence, 1);
	assert_false(kept_read(&kept, &read));
}

static void count(void *ctx, const struct dp_dropped_frame *frame)
{
	*(unsigned int *)ctx += frame->len;
}

static void test_walk(void **state)
{
	struct kept kept[4] = {0};
	struct frame frame = {.len = 10, .head_len = 10};
	unsigned int sum = 0;

	kept_write(&kept[1], &frame, &(struct kept_as){0});
	kept_write(&kept[3], &frame, &(struct kept_as){0});
	kept_walk(kept, 4, count, &sum);
	assert_int_equal(sum, 20);
}

static void test_pace(void **state)
{
	struct kept_pace pace = {0};

	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(kept_is_in_time(&pace, 3, 5000000 + i), i < 3);
	assert_false(kept_is_in_time(&pace, 3, 5999999));
	assert_true(kept_is_in_time(&pace, 3, 6000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_it_was),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
