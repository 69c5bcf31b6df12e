/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of control/meter.c: what is read of channels, and that reading makes no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "tests/unit/control/counters_file.h"

#define N_SLOTS 2
#define N_WORKERS 2
#define N_CHANNELS 1000

static int set_up(void **state)
{
	static struct counters_file file;

	counters_file_open(&file, N_SLOTS, N_WORKERS, N_CHANNELS);
	*state = &file;
	return 0;
}

static int tear_down(void **state)
{
	counters_file_close(*state);
	return 0;
}

static void counters_of_a_way_are_summed_over_workers(void **state)
{
	struct counters_file *f = *state;

	*counters_file_channel_slot(f, 7) =
		(struct counters_slot){.object_id = 70, .generation = 3};
	counters_file_channel(f, 7, 0, DP_RX)->asked_frames = 1;
	counters_file_channel(f, 7, 1, DP_RX)->asked_frames = 2;
	counters_file_channel(f, 7, 1, DP_RX)->delays[COUNTERS_DELAYS - 1] = 5;
	counters_file_channel(f, 7, 1, DP_TX)->drops = 9;
	struct counters_channel rx = meter_channel(&f->meter, 7, DP_RX);

	assert_int_equal(rx.asked_frames, 3);
	assert_int_equal(rx.delays[COUNTERS_DELAYS - 1], 5);
	assert_int_equal(rx.drops, 0);
	assert_int_equal(meter_channel(&f->meter, 7, DP_TX).drops, 9);
	assert_int_equal(meter_channel(&f->meter, N_CHANNELS, DP_TX).drops, 0);
	assert_int_equal(meter_channel_slot(&f->meter, 7).object_id, 70);
	assert_int_equal(meter_channel_slot(&f->meter, 7).generation, 3);
	assert_int_equal(meter_channel_slot(&f->meter, N_CHANNELS).object_id, 0);
}

static uint64_t used_blocks(const struct counters_file *f)
{
	struct stat stat;

	assert_int_equal(fstat(f->fd, &stat), 0);
	return (uint64_t)stat.st_blocks;
}

static void counters_of_a_port_are_summed_over_workers(void **state)
{
	struct counters_file *f = *state;

	*counters_file_slot(f, 1) = (struct counters_slot){.object_id = 5, .generation = 2};
	counters_file_block(f, 1, 0)->rx_frames = 1;
	counters_file_block(f, 1, 1)->rx_frames = 2;
	counters_file_block(f, 1, 1)->drops[DROP_COUNT - 1] = 7;
	assert_int_equal(meter_sum(&f->meter, 1).rx_frames, 3);
	assert_int_equal(meter_sum(&f->meter, 1).drops[DROP_COUNT - 1], 7);
	assert_int_equal(meter_sum(&f->meter, 0).rx_frames, 0);
	assert_int_equal(meter_sum(&f->meter, N_SLOTS).rx_frames, 0);
	assert_int_equal(meter_slot(&f->meter, 1).object_id, 5);
	assert_int_equal(meter_slot(&f->meter, 1).generation, 2);
	assert_int_equal(meter_slot(&f->meter, N_SLOTS).object_id, 0);
}

static void only_what_counted_is_read_and_no_memory_is_made(void **state)
{
	struct counters_file *f = *state;
	static uint64_t changes[N_CHANNELS * DP_WAYS], later[N_CHANNELS * DP_WAYS];

	counters_file_channel(f, 3, 0, DP_TX)->asked_frames = 1;
	counters_file_channel(f, 500, 1, DP_RX)->asked_frames = 1;
	counters_file_channel(f, N_CHANNELS - 1, 1, DP_RX)->asked_frames = 1;
	uint64_t blocks = used_blocks(f);

	meter_look_at_channels(&f->meter, N_CHANNELS, changes);
	for (unsigned int i = 0; i < N_CHANNELS * DP_WAYS; i++) {
		bool has_counted = i == 3 * DP_WAYS + DP_TX || i == 500 * DP_WAYS + DP_RX ||
				   i == (N_CHANNELS - 1) * DP_WAYS + DP_RX;

		assert_int_equal(changes[i] != 0, has_counted);
	}
	for (uint32_t slot = 3; slot < N_CHANNELS; slot += slot == 3 ? 497 : 499) {
		meter_channel(&f->meter, slot, DP_TX);
		meter_channel(&f->meter, slot, DP_RX);
	}
	assert_int_equal(used_blocks(f), blocks);
	/* And what counts on looks different. */
	counters_file_channel(f, 500, 1, DP_RX)->held_ns += 5;
	meter_look_at_channels(&f->meter, N_CHANNELS, later);
	for (unsigned int i = 0; i < N_CHANNELS * DP_WAYS; i++)
		assert_int_equal(later[i] != changes[i], i == 500 * DP_WAYS + DP_RX);
}

static void a_layout_that_does_not_fit_is_refused(void **state)
{
	struct counters_file *f = *state;
	struct counters_header *header = f->header, good = *header;
	struct meter other;

	for (int i = 0; i < 5; i++) {
		*header = good;
		if (i == 0)
			header->n_channels++;
		else if (i == 1)
			header->channels_offset += COUNTERS_LINE;
		else if (i == 2)
			header->channel_slots_offset++;
		else if (i == 3)
			header->channel_slots_offset = header->total_bytes;
		else
			header->n_channels = UINT32_MAX;
		assert_int_equal(meter_open(&other, f->fd), -EPROTONOSUPPORT);
	}
	*header = good;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(counters_of_a_port_are_summed_over_workers),
		TEST(counters_of_a_way_are_summed_over_workers),
		TEST(only_what_counted_is_read_and_no_memory_is_made),
		TEST(a_layout_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
