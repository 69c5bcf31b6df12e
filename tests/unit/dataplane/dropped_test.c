/* SPDX-License-Identifier: BSD-3-Clause */
/* The last frames that were dropped. */
#include "dataplane/dropped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/frame.h"

struct found {
	unsigned int n;
	uint64_t newest_ns, oldest_ns;
	uint64_t port_id;
};

static void find(void *ctx, const struct dp_dropped_frame *frame)
{
	struct found *found = ctx;

	if (frame->port_id != found->port_id)
		return;
	assert_int_equal(frame->head[0], (uint8_t)frame->len);
	assert_int_equal(frame->head_len, 60);
	assert_int_equal(frame->segment_id, 7);
	found->n++;
	if (frame->time_ns > found->newest_ns)
		found->newest_ns = frame->time_ns;
	if (frame->time_ns < found->oldest_ns)
		found->oldest_ns = frame->time_ns;
}

static void drop(struct dropped *dropped, uint64_t port_id, uint32_t len, uint64_t now_ns)
{
	struct frame frame = {.len = len, .head_len = 60};
	const struct kept_as as = {
		.time_ns = now_ns, .port_id = port_id, .segment_id = 7, .reason = DROP_RUNT};

	memset(frame.head, (int)(uint8_t)len, sizeof(frame.head));
	dropped_put(dropped, &frame, &as);
}

static void test_last_of_a_port(void **state)
{
	struct dropped *dropped = calloc(1, sizeof(*dropped));
	struct found one = {.port_id = 1, .oldest_ns = UINT64_MAX};
	struct found two = {.port_id = 2, .oldest_ns = UINT64_MAX};

	drop(dropped, 2, 100, 1);
	for (uint32_t i = 1; i <= 200; i++)
		drop(dropped, 1, i, i * 1000000ULL);
	dropped_walk(dropped, find, &one);
	dropped_walk(dropped, find, &two);
	assert_int_equal(one.n, DROPPED_PER_RING);
	assert_int_equal(one.newest_ns, 200000000ULL);
	assert_int_equal(one.oldest_ns, (200 - DROPPED_PER_RING + 1) * 1000000ULL);
	assert_int_equal(two.n, 1); /* the noisy one has not pushed it out */
	assert_int_equal(dropped->skipped, 0);
	free(dropped);
}

static void test_many_at_once(void **state)
{
	struct dropped *dropped = calloc(1, sizeof(*dropped));
	struct found found = {.port_id = 1, .oldest_ns = UINT64_MAX};

	for (uint32_t i = 0; i < 1000; i++)
		drop(dropped, 1, i, 5000000 + i);
	assert_int_equal(dropped->skipped, 1000 - DROPPED_PER_MS);
	drop(dropped, 1, 1, 7000000);
	assert_int_equal(dropped->skipped, 1000 - DROPPED_PER_MS);
	dropped_walk(dropped, find, &found);
	assert_int_equal(found.newest_ns, 7000000);
	free(dropped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_of_a_port),
		cmocka_unit_test(test_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
