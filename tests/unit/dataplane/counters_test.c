/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/counters.c: what a reader sees, and that it can only read. */
#include "dataplane/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/dataplane/rig.h"

#define SLOTS 5
#define WORKERS 3
#define CHANNELS 4

/* The writer, and what a reader has mapped of it. */
struct view {
	unsigned int n_fds;
	struct counters *counters;
	int fd;
	const struct counters_header *header;
};

static int set_up(void **state)
{
	static struct view view;

	view = (struct view){.n_fds = rig_count_fds()};
	assert_int_equal(counters_create(SLOTS, CHANNELS, WORKERS, 77, 1000, &view.counters), 0);
	view.fd = counters_reader_fd(view.counters);
	assert_true(view.fd >= 0);
	struct stat st;

	assert_int_equal(fstat(view.fd, &st), 0);
	view.header = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, view.fd, 0);
	assert_ptr_not_equal(view.header, MAP_FAILED);
	*state = &view;
	return 0;
}

static int tear_down(void **state)
{
	struct view *view = *state;

	munmap((void *)(uintptr_t)view->header, view->header->total_bytes);
	close(view->fd);
	counters_destroy(view->counters);
	assert_int_equal(rig_count_fds(), view->n_fds);
	return 0;
}

static const struct counters_slot *slots(const struct view *view)
{
	return (const void *)((const char *)view->header + view->header->slots_offset);
}

static const struct counters_block *block(const struct view *view, unsigned int slot,
					  unsigned int worker)
{
	const struct counters_block *blocks =
		(const void *)((const char *)view->header + view->header->blocks_offset);

	return &blocks[slot * WORKERS + worker];
}

static void the_header_describes_the_layout(void **state)
{
	const struct view *view = *state;
	const struct counters_header *header = view->header;
	struct stat st;

	assert_true(header->magic == COUNTERS_MAGIC);
	assert_int_equal(header->version, COUNTERS_VERSION);
	assert_int_equal(header->n_slots, SLOTS);
	assert_int_equal(header->n_workers, WORKERS);
	assert_int_equal(header->n_reasons, DROP_COUNT);
	assert_int_equal(header->epoch, 77);
	assert_int_equal(header->tsc_hz, 1000);
	assert_int_equal(fstat(view->fd, &st), 0);
	assert_int_equal(st.st_size, header->total_bytes);
}

static void the_parts_are_in_order_on_cache_lines_and_do_not_overlap(void **state)
{
	const struct counters_header *h = ((struct view *)*state)->header;

	assert_int_equal(h->slots_offset % COUNTERS_LINE, 0);
	assert_int_equal(h->workers_offset % COUNTERS_LINE, 0);
	assert_int_equal(h->blocks_offset % COUNTERS_LINE, 0);
	assert_true(h->slots_offset >= sizeof(*h));
	assert_true(h->workers_offset >= h->slots_offset + SLOTS * sizeof(struct counters_slot));
	assert_true(h->blocks_offset >=
		    h->workers_offset + WORKERS * sizeof(struct counters_worker));
	assert_int_equal(h->channel_slots_offset % COUNTERS_LINE, 0);
	assert_int_equal(h->channels_offset % COUNTERS_LINE, 0);
	assert_true(h->channel_slots_offset >=
		    h->blocks_offset + SLOTS * WORKERS * sizeof(struct counters_block));
	assert_true(h->channels_offset >=
		    h->channel_slots_offset + CHANNELS * sizeof(struct counters_slot));
	assert_int_equal(h->total_bytes,
			 h->channels_offset +
				 CHANNELS * WORKERS * DP_WAYS * sizeof(struct counters_channel));
}

static void what_is_counted_is_seen_where_the_layout_says(void **state)
{
	const struct view *view = *state;

	counters_block(view->counters, 2, 1)->rx_frames = 11;
	counters_block(view->counters, SLOTS - 1, WORKERS - 1)->drops[DROP_COUNT - 1] = 12;
	counters_worker(view->counters, 2)->turns = 13;
	const struct counters_worker *workers =
		(const void *)((const char *)view->header + view->header->workers_offset);

	assert_int_equal(block(view, 2, 1)->rx_frames, 11);
	assert_int_equal(block(view, SLOTS - 1, WORKERS - 1)->drops[DROP_COUNT - 1], 12);
	assert_int_equal(workers[2].turns, 13);
}

static void a_reader_cannot_write_by_any_way(void **state)
{
	const struct view *view = *state;
	size_t bytes = view->header->total_bytes;
	char path[40];

	assert_ptr_equal(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, view->fd, 0),
			 MAP_FAILED);
	assert_int_equal(write(view->fd, "x", 1), -1);
	assert_int_equal(mprotect((void *)(uintptr_t)view->header, bytes, PROT_READ | PROT_WRITE),
			 -1);
	/* Opened again through /proc it is writable by its mode, but sealed. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", view->fd);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_ptr_equal(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, (off_t)bytes + 4096), -1);
	void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(mprotect(map, bytes, PROT_READ | PROT_WRITE), -1);
	munmap(map, bytes);
	close(fd);
}

static void slots_run_out_and_come_back(void **state)
{
	const struct view *view = *state;

	for (int i = 1; i < SLOTS; i++)
		assert_int_equal(counters_take_slot(view->counters, 100 + (uint64_t)i), i);
	assert_int_equal(counters_take_slot(view->counters, 200), -ENOSPC);
	counters_return_slot(view->counters, 2);
	assert_int_equal(counters_take_slot(view->counters, 200), 2);
	assert_int_equal(slots(view)[2].object_id, 200);
	assert_int_equal(slots(view)[0].object_id, 0);
}

static void a_new_owner_of_a_slot_is_a_new_generation_and_starts_at_zero(void **state)
{
	const struct view *view = *state;
	int slot = counters_take_slot(view->counters, 100);
	uint64_t generation = slots(view)[slot].generation;

	counters_block(view->counters, (unsigned int)slot, 1)->tx_frames = 5;
	counters_return_slot(view->counters, (unsigned int)slot);
	assert_int_equal(slots(view)[slot].object_id, 0);
	/* The very same object again: its baseline is void all the same. */
	assert_int_equal(counters_take_slot(view->counters, 100), slot);
	assert_true(slots(view)[slot].generation > generation);
	assert_int_equal(block(view, (unsigned int)slot, 1)->tx_frames, 0);
}

static void the_sums_of_a_port_that_went_stay_in_slot_0(void **state)
{
	const struct view *view = *state;

	for (int round = 1; round <= 2; round++) {
		unsigned int slot = (unsigned int)counters_take_slot(view->counters, 100);

		for (unsigned int w = 0; w < WORKERS; w++) {
			counters_block(view->counters, slot, w)->rx_frames = 10;
			counters_block(view->counters, slot, w)->drops[DROP_COUNT - 1] = w;
		}
		counters_return_slot(view->counters, slot);
		assert_int_equal(block(view, 0, 0)->rx_frames, 30 * round);
		assert_int_equal(block(view, 0, 0)->drops[DROP_COUNT - 1], 3 * round);
	}
}

static const struct counters_slot *channel_slots(const struct view *view)
{
	return (const void *)((const char *)view->header + view->header->channel_slots_offset);
}

static void a_channel_counts_by_worker_and_way_where_the_layout_says(void **state)
{
	const struct view *view = *state;
	const struct counters_channel *channels =
		(const void *)((const char *)view->header + view->header->channels_offset);

	counters_channel(view->counters, 2, 1, DP_RX)->marks = 5;
	counters_channel(view->counters, CHANNELS - 1, WORKERS - 1, DP_RX)
		->delays[COUNTERS_DELAYS - 1] = 6;
	assert_int_equal(channels[(2 * WORKERS + 1) * DP_WAYS + DP_RX].marks, 5);
	assert_int_equal(channels[CHANNELS * WORKERS * DP_WAYS - 1].delays[COUNTERS_DELAYS - 1], 6);
}

static void slots_of_channels_run_out_and_come_back_at_zero(void **state)
{
	const struct view *view = *state;

	for (int i = 1; i < CHANNELS; i++)
		assert_int_equal(counters_take_channel(view->counters, 100 + (uint64_t)i), i);
	assert_int_equal(counters_take_channel(view->counters, 200), -ENOSPC);
	uint64_t generation = channel_slots(view)[2].generation;

	counters_channel(view->counters, 2, 0, DP_TX)->drops = 5;
	counters_channel(view->counters, 2, WORKERS - 1, DP_RX)->drops = 5;
	counters_channel(view->counters, 3, 0, DP_TX)->drops = 5;
	counters_return_channel(view->counters, 2);
	assert_int_equal(channel_slots(view)[2].object_id, 0);
	assert_int_equal(counters_take_channel(view->counters, 200), 2);
	assert_int_equal(channel_slots(view)[2].object_id, 200);
	assert_true(channel_slots(view)[2].generation > generation);
	assert_int_equal(counters_channel(view->counters, 2, 0, DP_TX)->drops, 0);
	assert_int_equal(counters_channel(view->counters, 2, WORKERS - 1, DP_RX)->drops, 0);
	assert_int_equal(counters_channel(view->counters, 3, 0, DP_TX)->drops, 5);
	/* Ports have slots of their own. */
	assert_int_equal(counters_take_slot(view->counters, 300), 1);
}

static void ten_thousand_channels_have_no_memory_but_for_what_counted(void **state)
{
	struct counters *counters;
	struct stat before, after;

	assert_int_equal(counters_create(SLOTS, 10001, WORKERS, 77, 1000, &counters), 0);
	int fd = counters_reader_fd(counters);

	for (unsigned int i = 1; i <= 10000; i++)
		assert_int_equal(counters_take_channel(counters, i), i);
	counters_channel(counters, 5000, 1, DP_TX)->marks = 1;
	assert_int_equal(fstat(fd, &before), 0);
	for (unsigned int i = 1; i <= 10000; i++)
		counters_return_channel(counters, i);
	assert_int_equal(fstat(fd, &after), 0);
	/* The table of the slots, and nothing more. */
	assert_true((uint64_t)before.st_blocks * 512 <
		    10001 * sizeof(struct counters_slot) + 65536);
	assert_int_equal(after.st_blocks, before.st_blocks);
	close(fd);
	counters_destroy(counters);
}

static void what_was_held_for_a_port_goes_with_it(void **state)
{
	const struct view *view = *state;
	unsigned int slot = (unsigned int)counters_take_slot(view->counters, 100);

	/* One worker took in what another one let out. */
	counters_block(view->counters, slot, 0)->queued = 10;
	counters_block(view->counters, slot, 2)->queued = (uint64_t)-7;
	counters_return_slot(view->counters, slot);
	assert_int_equal(block(view, 0, 0)->queued, 0);
	assert_int_equal(block(view, 0, 0)->drops[DROP_PORT_GONE], 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_header_describes_the_layout),
		TEST(the_parts_are_in_order_on_cache_lines_and_do_not_overlap),
		TEST(what_is_counted_is_seen_where_the_layout_says),
		TEST(a_reader_cannot_write_by_any_way),
		TEST(slots_run_out_and_come_back),
		TEST(a_new_owner_of_a_slot_is_a_new_generation_and_starts_at_zero),
		TEST(the_sums_of_a_port_that_went_stay_in_slot_0),
		TEST(a_channel_counts_by_worker_and_way_where_the_layout_says),
		TEST(slots_of_channels_run_out_and_come_back_at_zero),
		TEST(ten_thousand_channels_have_no_memory_but_for_what_counted),
		TEST(what_was_held_for_a_port_goes_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
