/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of cli/replay_fates.c: events as weftd tells them, and lines that it never would. */
#include "cli/replay_fates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rig {
	struct replay_feed feed;
	struct replay_fates fates;
	char path[64];
};

static int set_up(void **state)
{
	static struct rig rig;

	rig = (struct rig){.feed = {.n_inputs = 2, .loops = 2}, .path = "/tmp/fates.XXXXXX"};
	rig.feed.inputs[0] = (struct replay_input){.port = "c1", .packets = 2};
	rig.feed.inputs[1] = (struct replay_input){.port = "c2", .packets = 1};
	int fd = mkstemp(rig.path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(replay_fates_open(&rig.fates, rig.path, &rig.feed), 0);
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	replay_fates_fini(&rig->fates);
	unlink(rig->path);
	return 0;
}

static int push(struct rig *rig, const char *text)
{
	return replay_fates_push(&rig->fates, text, strlen(text));
}

/* The file, when so many frames were taken of both. */
static void assert_file(struct rig *rig, uint64_t first, uint64_t second, const char *expected)
{
	const uint64_t taken[REPLAY_INPUTS_MAX] = {first, second};
	char text[4096];

	assert_int_equal(replay_fates_end(&rig->fates, taken), 0);
	FILE *file = fopen(rig->path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, expected);
}

#define HEAD "frame,from,in_ns,fate,port,reason,out_ns\n"

static void each_frame_is_in_it(void **state)
{
	assert_int_equal(push(*state, "1,c1,5,delivered,c3,,6\n1,c1,5,delivered,c2,,7\n"), 0);
	assert_int_equal(push(*state, "2,c2,8,dropped,c2,mac-spoof,9\n"), 0);
	assert_file(*state, 3, 2,
		    HEAD "1,c1,5,delivered,c3,,6\n1,c1,5,delivered,c2,,7\n"
			 "2,c2,8,dropped,c2,mac-spoof,9\n"
			 "2,c1,,unknown,,,\n3,c1,,unknown,,,\n1,c2,,unknown,,,\n");
}

static void what_waited_is_what_became_of_it(void **state)
{
	assert_int_equal(push(*state, "1,c1,5,queued,c3,,5\n2,c1,5,queued,c3,,5\n"), 0);
	assert_int_equal(push(*state, "1,c1,5,left,c3,,6\n1,c1,5,delivered,c3,,6\n"), 0);
	assert_int_equal(push(*state, "1,c2,5,queued,c2,,5\n2,c1,5,delivered,c4,,5\n"), 0);
	assert_file(*state, 2, 1,
		    HEAD "1,c1,5,delivered,c3,,6\n2,c1,5,delivered,c4,,5\n"
			 "2,c1,5,queued,c3,,\n1,c2,5,queued,c2,,\n");
}

/* More of them than are kept at once. */
static void many_may_have_waited(void **state)
{
	struct rig *rig = *state;

	for (unsigned int i = 0; i < 200000; i++)
		assert_int_equal(push(rig, i % 2 ? "1,c1,5,left,c3,,6\n" : "1,c1,5,queued,c3,,5\n"),
				 0);
	assert_true(rig->fates.room_waits < 200000);
	assert_int_equal(push(rig, "2,c1,5,queued,c3,,5\n"), 0);
	assert_file(rig, 2, 0, HEAD "2,c1,5,queued,c3,,\n");
}

static void lines_come_in_any_pieces(void **state)
{
	static const char text[] = "1,c1,5,delivered,c3,,6\n2,c1,8,dropped,c1,mac-spoof,9\n";

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		assert_int_equal(replay_fates_push(&((struct rig *)*state)->fates, &text[i], 1), 0);
	assert_file(*state, 2, 0, HEAD "1,c1,5,delivered,c3,,6\n2,c1,8,dropped,c1,mac-spoof,9\n");
}

static void what_weftd_never_says_is_refused(void **state)
{
	static const char *const lines[] = {
		"\n",
		"1\n",
		"0,c1,5,delivered,c3,,6\n",
		"5,c1,5,delivered,c3,,6\n", /* two packets, two rounds */
		"3,c2,5,delivered,c3,,6\n",
		"1,c9,5,delivered,c3,,6\n",
		"-1,c1,5,delivered,c3,,6\n",
		"99999999999999999999999,c1,5,delivered,c3,,6\n",
		"18446744073709551616,c1,5,delivered,c3,,6\n",
		"1x,c1,5,delivered,c3,,6\n",
		"1,c1,5,delivered,c3,,\n",
		"1,c1,5,delivered,c3,,6,7\n",
		"1,c1,5,something-very-long-that-is-no-fate,c3,,6\n",
	};
	char line[1024];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(push(*state, lines[i]), -EBADMSG);
	memset(line, '1', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(push(*state, line), -EBADMSG);
}

static void more_than_can_be_numbered_is_refused(void **state)
{
	struct replay_feed feed = {.n_inputs = 1, .loops = UINT64_C(1) << 31};
	struct replay_fates fates;

	feed.inputs[0] = (struct replay_input){.port = "c1", .packets = 2};
	assert_int_equal(replay_fates_open(&fates, "/dev/null", &feed), -EFBIG);
	replay_fates_fini(&fates);
	feed.loops = 1;
	assert_int_equal(replay_fates_open(&fates, "/nowhere/at/all", &feed), -ENOENT);
	replay_fates_fini(&fates);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_RIG(each_frame_is_in_it),
		WITH_RIG(what_waited_is_what_became_of_it),
		WITH_RIG(many_may_have_waited),
		WITH_RIG(lines_come_in_any_pieces),
		WITH_RIG(what_weftd_never_says_is_refused),
		cmocka_unit_test(more_than_can_be_numbered_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
