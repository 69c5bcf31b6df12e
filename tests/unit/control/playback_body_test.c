/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of a replay as a client sends them: what is whole is read, all else refused, and nothing
 * behind the end is looked at. */
#include "control/playback_body.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PORTS 2
#define BODY_BYTES (2 * (PLAYBACK_HEAD_BYTES + PLAYBACK_FRAME_BYTES_MAX + 1))

struct body {
	char bytes[BODY_BYTES];
	size_t n;
};

static struct body body;

static void add_head(uint64_t due_ns, uint32_t len, uint16_t port, uint16_t reserved)
{
	char *at = body.bytes + body.n;

	memcpy(at, &due_ns, sizeof(due_ns));
	memcpy(at + 8, &len, sizeof(len));
	memcpy(at + 12, &port, sizeof(port));
	memcpy(at + 14, &reserved, sizeof(reserved));
	body.n += PLAYBACK_HEAD_BYTES;
}

static void add(uint64_t due_ns, uint32_t len, uint16_t port)
{
	add_head(due_ns, len, port, 0);
	memset(body.bytes + body.n, (int)(due_ns & 0xff), len);
	body.n += len;
}

/* In memory of just that size: a sanitizer sees what is read beyond. */
static int check(size_t bytes, const char *words)
{
	struct problem problem = {0};
	char *copy = malloc(bytes + 1);

	assert_non_null(copy);
	memcpy(copy + 1, body.bytes, bytes);
	int error = playback_body_check(copy + 1, bytes, PORTS, &problem);

	if (error < 0)
		assert_non_null(strstr(problem.detail, words));
	problem_fini(&problem);
	free(copy);
	return error;
}

static int setup(void **state)
{
	body.n = 0;
	return 0;
}

static void whole_frames_are_read_in_order(void **state)
{
	struct playback_frame frame;

	assert_int_equal(check(0, ""), 0);
	add(5, 1, 0);
	add(UINT64_MAX, PLAYBACK_FRAME_BYTES_MAX, PORTS - 1);
	assert_int_equal(check(body.n, ""), 0);
	size_t at = playback_body_frame(body.bytes, &frame);

	assert_int_equal(at, PLAYBACK_HEAD_BYTES + 1);
	assert_int_equal(frame.due_ns, 5);
	assert_int_equal(frame.len, 1);
	assert_int_equal(frame.port, 0);
	assert_ptr_equal(frame.bytes, body.bytes + PLAYBACK_HEAD_BYTES);
	at += playback_body_frame(body.bytes + at, &frame);
	assert_int_equal(at, body.n);
	assert_true(frame.due_ns == UINT64_MAX);
	assert_int_equal(frame.len, PLAYBACK_FRAME_BYTES_MAX);
	assert_int_equal(frame.port, PORTS - 1);
	assert_int_equal((uint8_t)frame.bytes[frame.len - 1], 0xff);
}

static void a_body_that_is_cut_is_refused_wherever_that_is(void **state)
{
	size_t first = PLAYBACK_HEAD_BYTES + 60;

	add(1, 60, 0);
	add(2, 61, 1);
	for (size_t n = 1; n < body.n; n++) {
		bool is_in_head = (n > first ? n - first : n) < PLAYBACK_HEAD_BYTES;

		if (n == first)
			assert_int_equal(check(n, ""), 0);
		else
			assert_int_equal(
				check(n, is_in_head ? "within a header" : "within a frame"),
				-EINVAL);
	}
}

static void sizes_that_no_frame_has_are_refused(void **state)
{
	static const uint32_t sizes[] = {0, PLAYBACK_FRAME_BYTES_MAX + 1, INT32_MAX, UINT32_MAX,
					 UINT32_MAX - PLAYBACK_HEAD_BYTES + 1};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		body.n = 0;
		add(1, 60, 0);
		add_head(2, sizes[i], 0, 0);
		assert_int_equal(check(body.n, "1 to 65599 bytes"), -EINVAL);
		/* And where as many bytes follow. */
		body.n = BODY_BYTES;
		assert_int_equal(check(body.n, "1 to 65599 bytes"), -EINVAL);
	}
}

static void ports_that_are_none_are_refused(void **state)
{
	static const uint16_t ports[][2] = {{PORTS, 0}, {UINT16_MAX, 0}, {0, 1}, {1, UINT16_MAX}};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		body.n = 0;
		add_head(1, 1, ports[i][0], ports[i][1]);
		body.n++;
		assert_int_equal(check(body.n, "no such port"), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(whole_frames_are_read_in_order, setup),
		cmocka_unit_test_setup(a_body_that_is_cut_is_refused_wherever_that_is, setup),
		cmocka_unit_test_setup(sizes_that_no_frame_has_are_refused, setup),
		cmocka_unit_test_setup(ports_that_are_none_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
