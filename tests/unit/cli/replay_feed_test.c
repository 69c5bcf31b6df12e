/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of cli/replay_feed.c: captures on one timeline, and files that are cut off or damaged. */
#include "cli/replay_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME_BYTES 60
#define US 1000ull
#define MAGIC_US 0xa1b2c3d4u

struct head {
	uint64_t due_ns;
	uint32_t len;
	uint16_t port;
	uint16_t reserved;
};

struct rig {
	char paths[2][32];
	struct replay_feed feed;
	uint8_t buffer[4096];
	struct head heads[64];
	uint8_t firsts[64]; /* byte 0 of each frame */
	size_t n;
};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	*state = rig;
	for (size_t i = 0; i < 2; i++) {
		snprintf(rig->paths[i], sizeof(rig->paths[i]), "/tmp/feed.XXXXXX");
		int fd = mkstemp(rig->paths[i]);

		assert_true(fd >= 0);
		close(fd);
	}
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	replay_feed_fini(&rig->feed);
	for (size_t i = 0; i < 2; i++)
		unlink(rig->paths[i]);
	free(rig);
	return 0;
}

/* A capture with frames at these microseconds; byte 0 of each is its number from `first` on. */
static void write_capture(const char *path, uint32_t link, const uint32_t *at_us, size_t n,
			  uint8_t first)
{
	const uint32_t head[] = {MAGIC_US, 2 | 4 << 16, 0, 0, 65535, link};
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fwrite(head, sizeof(head), 1, file);
	for (size_t i = 0; i < n; i++) {
		const uint32_t record[] = {at_us[i] / 1000000, at_us[i] % 1000000, FRAME_BYTES,
					   FRAME_BYTES};
		uint8_t frame[FRAME_BYTES] = {(uint8_t)(first + i)};

		fwrite(record, sizeof(record), 1, file);
		fwrite(frame, sizeof(frame), 1, file);
	}
	assert_int_equal(fclose(file), 0);
}

#define WRITE(path, first, ...)                                                                    \
	write_capture(path, 1, (const uint32_t[]){__VA_ARGS__},                                    \
		      sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), first)

/* A feed of the first n files; its pace is the caller's to change. */
static struct replay_feed *begin(struct rig *rig, size_t n)
{
	struct replay_feed *feed = &rig->feed;

	replay_feed_fini(feed);
	*feed = (struct replay_feed){
		.n_inputs = n, .speed = 1, .loops = 1, .rewrite.vlan = REPLAY_VLAN_KEEP};
	for (size_t i = 0; i < n; i++)
		feed->inputs[i] = (struct replay_input){.path = rig->paths[i], .port = "p"};
	rig->n = 0;
	return feed;
}

/* All that it has, in buffers of so many bytes. */
static void drain(struct rig *rig, size_t buffer_bytes)
{
	size_t n;

	do {
		assert_int_equal(replay_feed_fill(&rig->feed, rig->buffer, buffer_bytes, &n), 0);
		for (size_t at = 0; at < n; rig->n++) {
			struct head *head = &rig->heads[rig->n];

			memcpy(head, rig->buffer + at, sizeof(*head));
			assert_int_equal(head->reserved, 0);
			rig->firsts[rig->n] = rig->buffer[at + sizeof(*head)];
			at += sizeof(*head) + head->len;
			assert_true(at <= n);
		}
	} while (n != 0);
}

static void times_count_from_the_first(void **state)
{
	struct rig *rig = *state;

	WRITE(rig->paths[0], 1, 1000000, 1000100, 1000050, 1000300);
	struct replay_feed *feed = begin(rig, 1);

	assert_int_equal(replay_feed_scan(feed), 0);
	assert_int_equal(feed->inputs[0].backwards, 1);
	drain(rig, sizeof(rig->buffer));
	assert_int_equal(rig->n, 4);
	assert_int_equal(rig->heads[0].due_ns, 0);
	assert_int_equal(rig->heads[1].due_ns, 100 * US);
	assert_int_equal(rig->heads[2].due_ns, 100 * US); /* older than the one before */
	assert_int_equal(rig->heads[3].due_ns, 300 * US);
	assert_int_equal(rig->heads[3].len, FRAME_BYTES);
}

static void files_lie_on_one_timeline(void **state)
{
	struct rig *rig = *state;

	WRITE(rig->paths[0], 1, 100, 300, 500);
	WRITE(rig->paths[1], 11, 200, 400);
	assert_int_equal(replay_feed_scan(begin(rig, 2)), 0);
	drain(rig, sizeof(rig->buffer));
	assert_memory_equal(rig->firsts, ((uint8_t[]){1, 11, 2, 12, 3}), 5);
	assert_int_equal(rig->heads[3].port, 1);
	assert_int_equal(rig->heads[3].due_ns, 300 * US);
}

static void rounds_follow_each_other(void **state)
{
	struct rig *rig = *state;

	WRITE(rig->paths[0], 1, 0, 100);
	struct replay_feed *feed = begin(rig, 1);

	feed->loops = 3;
	feed->speed = 2;
	assert_int_equal(replay_feed_scan(feed), 0);
	assert_int_equal(feed->packets, 6);
	drain(rig, sizeof(rig->buffer));
	assert_int_equal(rig->n, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(rig->heads[i].due_ns, i * 50 * US);
}

/* No sum of rounded gaps: frame number n is due at n / pps. */
static void a_rate_does_not_drift(void **state)
{
	struct rig *rig = *state;

	WRITE(rig->paths[0], 1, 0, 7, 8);
	struct replay_feed *feed = begin(rig, 1);

	feed->pace = REPLAY_PACE_PPS;
	feed->pps = 3;
	feed->loops = 3;
	assert_int_equal(replay_feed_scan(feed), 0);
	drain(rig, sizeof(rig->buffer));
	assert_int_equal(rig->heads[1].due_ns, 333333333);
	assert_int_equal(rig->heads[3].due_ns, 1000000000);
	assert_int_equal(rig->heads[6].due_ns, 2000000000);
	feed = begin(rig, 1);
	feed->pace = REPLAY_PACE_RATE;
	feed->rate_bps = 8000;
	assert_int_equal(replay_feed_scan(feed), 0);
	drain(rig, sizeof(rig->buffer));
	assert_int_equal(rig->heads[2].due_ns, 2 * FRAME_BYTES * 1000000ull);
}

static void frames_stay_whole_in_small_buffers(void **state)
{
	struct rig *rig = *state;

	WRITE(rig->paths[0], 1, 0, 1, 2, 3, 4);
	assert_int_equal(replay_feed_scan(begin(rig, 1)), 0);
	drain(rig, sizeof(struct head) + FRAME_BYTES + 4);
	assert_int_equal(rig->n, 5);
	assert_memory_equal(rig->firsts, ((uint8_t[]){1, 2, 3, 4, 5}), 5);
	/* One that has room for none is no end: nothing is lost. */
	size_t n = 1;

	assert_int_equal(replay_feed_scan(begin(rig, 1)), 0);
	assert_int_equal(replay_feed_fill(&rig->feed, rig->buffer, 79, &n), 0);
	assert_int_equal(n, 0);
	drain(rig, sizeof(rig->buffer));
	assert_int_equal(rig->n, 5);
}

static void files_that_are_cut_off_are_refused(void **state)
{
	struct rig *rig = *state;
	const long whole = 24 + 2 * (16 + FRAME_BYTES);

	for (long bytes = 0; bytes < whole; bytes++) {
		WRITE(rig->paths[0], 1, 0, 1);
		assert_int_equal(truncate(rig->paths[0], bytes), 0);
		struct replay_feed *feed = begin(rig, 1);
		int err = replay_feed_scan(feed);

		/* Behind a whole packet it is only shorter. */
		assert_int_equal(err == 0, bytes == 24 + 16 + FRAME_BYTES);
		assert_true(err == 0 || strstr(feed->why, rig->paths[0]) == feed->why);
	}
}

static void damaged_and_foreign_files_are_refused(void **state)
{
	struct rig *rig = *state;
	const uint32_t lengths[][2] = {
		{FRAME_BYTES, FRAME_BYTES + 1}, /* cut by a snapshot length */
		{13, 13},
		{0x7fffffff, 0x7fffffff},
	};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		WRITE(rig->paths[0], 1, 0, 1);
		FILE *file = fopen(rig->paths[0], "r+");

		assert_int_equal(fseek(file, 24 + 8, SEEK_SET), 0);
		assert_int_equal(fwrite(lengths[i], sizeof(lengths[i]), 1, file), 1);
		fclose(file);
		assert_true(replay_feed_scan(begin(rig, 1)) < 0);
		assert_null(strchr(rig->feed.why, '\n'));
	}
	write_capture(rig->paths[0], 113, (const uint32_t[]){0}, 1, 1);
	assert_int_equal(replay_feed_scan(begin(rig, 1)), -EINVAL);
	assert_non_null(strstr(rig->feed.why, "no Ethernet frame"));
	write_capture(rig->paths[0], 1, NULL, 0, 1);
	assert_int_equal(replay_feed_scan(begin(rig, 1)), -EINVAL);
	assert_non_null(strstr(rig->feed.why, "no packets"));
	begin(rig, 1)->inputs[0].path = "-";
	assert_int_equal(replay_feed_scan(&rig->feed), -EINVAL);
	begin(rig, 1)->inputs[0].path = "/nowhere/at/all";
	assert_int_equal(replay_feed_scan(&rig->feed), -ENOENT);
}

/* Between the scan and the second reading. */
static void a_file_that_changes_is_noticed(void **state)
{
	struct rig *rig = *state;
	size_t n;

	WRITE(rig->paths[0], 1, 0, 1);
	assert_int_equal(replay_feed_scan(begin(rig, 1)), 0);
	assert_int_equal(truncate(rig->paths[0], 130), 0);
	assert_true(replay_feed_fill(&rig->feed, rig->buffer, sizeof(rig->buffer), &n) < 0);
	assert_non_null(strstr(rig->feed.why, rig->paths[0]));
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_RIG(times_count_from_the_first),
		WITH_RIG(files_lie_on_one_timeline),
		WITH_RIG(rounds_follow_each_other),
		WITH_RIG(a_rate_does_not_drift),
		WITH_RIG(frames_stay_whole_in_small_buffers),
		WITH_RIG(files_that_are_cut_off_are_refused),
		WITH_RIG(damaged_and_foreign_files_are_refused),
		WITH_RIG(a_file_that_changes_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
