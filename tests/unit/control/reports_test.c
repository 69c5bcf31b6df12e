/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of channels over counters that the test writes, second by second. */
#include "control/reports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/control/counters_file.h"

#define S_NS 1000000000ULL
#define START_S 6000 /* a whole minute */
#define WORKERS 2
#define SLOTS 16384
#define MBPS 1000000ULL
#define MANY 10000
#define ALL_USED_US_MAX 1000000 /* some tens of thousands; a scan of all for each is more */
#define SAMPLE_US_MAX 20000	/* some hundred without sanitizers */

struct rig {
	struct counters_file file;
	struct reports *reports;
	uint64_t now_ns;
};

static struct counters_channel *block_of(const struct rig *rig, uint32_t slot, uint32_t worker,
					 enum dp_way way)
{
	return counters_file_channel(&rig->file, slot, worker, way);
}

static void own(const struct rig *rig, uint32_t slot, uint32_t id)
{
	counters_file_channel_slot(&rig->file, slot)->object_id = id;
	counters_file_channel_slot(&rig->file, slot)->generation++;
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	counters_file_open(&rig->file, 0, WORKERS, SLOTS);
	assert_int_equal(reports_create(&rig->reports), 0);
	rig->now_ns = START_S * S_NS;
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	reports_destroy(rig->reports);
	reports_destroy(NULL);
	counters_file_close(&rig->file);
	free(rig);
	return 0;
}

/* gold has 500 Mbit/s of 1 Gbit/s, silver 300, bronze nothing; free is of no pool. tx only. */
enum id { GOLD = 11, SILVER = 12, BRONZE = 13, FREE = 14, POOL = 20 };

static const struct reports_channel channels[] = {
	{GOLD, POOL, {500 * MBPS}},
	{SILVER, POOL, {300 * MBPS}},
	{BRONZE, POOL, {0}},
	{FREE, 0, {100 * MBPS}},
};
static const struct reports_pool pools[] = {{POOL, {1000 * MBPS, 1000 * MBPS}}};

static void configure(struct rig *rig)
{
	assert_int_equal(reports_configure(rig->reports, channels, 4, pools, 1), 0);
	for (uint32_t i = 0; i < 4; i++)
		own(rig, i + 1, channels[i].id);
	reports_run(rig->reports, &rig->file.meter, rig->now_ns);
}

/* Frames of 1000 bytes, passed at a rate for a second, by one worker or the other. */
static void pass(const struct rig *rig, uint32_t id, uint64_t rate_bps)
{
	struct counters_channel *block = block_of(rig, id - GOLD + 1, rig->now_ns / S_NS % 2, 0);

	block->asked_frames += rate_bps / 8000;
	block->asked_bytes += rate_bps / 8;
	block->passed_frames += rate_bps / 8000;
	block->passed_bytes += rate_bps / 8;
}

static void end_second(struct rig *rig)
{
	rig->now_ns += S_NS;
	assert_int_equal(reports_run(rig->reports, &rig->file.meter, rig->now_ns), 1000);
}

static struct report report_of(const struct rig *rig, uint32_t id, enum window_span span)
{
	return reports_get(rig->reports, id, DP_TX, span);
}

static void assert_had(const struct rig *rig, uint32_t id, enum window_span span,
		       const struct report_lender *expected, size_t n_expected)
{
	struct report_lender *lenders;
	size_t n;

	assert_int_equal(reports_list_lenders(rig->reports, id, DP_TX, span, &lenders, &n), 0);
	assert_int_equal(n, n_expected);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(lenders[i].id, expected[i].id);
		assert_int_equal(lenders[i].bytes, expected[i].bytes);
	}
	free(lenders);
}

static void what_is_counted_is_told_for_each_span(void **state)
{
	struct rig *rig = *state;

	configure(rig);
	for (unsigned int i = 0; i < 90; i++) {
		struct counters_channel *block = block_of(rig, 1, 0, DP_TX);

		pass(rig, GOLD, 80 * MBPS);
		block->asked_bytes += 500;
		block->held_ns += 1000;
		block->marks += 2;
		block->drops += 3;
		block->delays[40] += 4;
		end_second(rig);
	}
	struct report second = report_of(rig, GOLD, WINDOW_SECOND);
	assert_int_equal(second.span_ns, S_NS);
	assert_int_equal(second.asked_bytes, 10000500);
	assert_int_equal(second.passed_bytes, 10000000);
	assert_int_equal(second.passed_frames, 10000);
	assert_int_equal(second.held_ns, 1000);
	assert_int_equal(second.marks, 2);
	assert_int_equal(second.drops, 3);
	assert_int_equal(second.n_delays, 4);
	assert_int_equal(second.p50_ns, 1152000);
	assert_int_equal(second.p99_ns, 1277440);
	assert_int_equal(second.assured_bytes, 62500000);
	struct report minute = report_of(rig, GOLD, WINDOW_MINUTE);
	assert_int_equal(minute.span_ns, 60 * S_NS);
	assert_int_equal(minute.passed_bytes, 600000000);
	assert_int_equal(minute.drops, 180);
	struct report hour = report_of(rig, GOLD, WINDOW_HOUR);
	assert_int_equal(hour.span_ns, 90 * S_NS);
	assert_int_equal(hour.passed_bytes, 900000000);
	assert_int_equal(hour.assured_bytes, 5625000000);
	struct counters_channel total;
	assert_true(reports_total(rig->reports, GOLD, DP_TX, &total));
	assert_int_equal(total.passed_bytes, 900000000);
	assert_int_equal(total.drops, 270);
	assert_false(reports_total(rig->reports, GOLD, DP_RX, &total));
	assert_false(reports_total(rig->reports, 99, DP_TX, &total));
	/* Nothing of it is of the other way, or of another channel. */
	assert_int_equal(reports_get(rig->reports, GOLD, DP_RX, WINDOW_HOUR).passed_bytes, 0);
	assert_int_equal(report_of(rig, SILVER, WINDOW_HOUR).passed_bytes, 0);
	assert_int_equal(report_of(rig, 99, WINDOW_HOUR).passed_bytes, 0);
}

static void what_is_borrowed_has_its_lenders(void **state)
{
	static const struct report_lender second[] = {{SILVER, 9375000}, {GOLD, 3125000}};
	static const struct report_lender minute[] = {{SILVER, 93750000}, {GOLD, 31250000}};
	struct rig *rig = *state;

	configure(rig);
	/* 300 Mbit/s borrowed: 200 are free, of the rest gold left 100, silver, idle, 300. */
	for (unsigned int i = 0; i < 10; i++) {
		pass(rig, GOLD, 400 * MBPS);
		pass(rig, BRONZE, 300 * MBPS);
		/* What it leaves is not for them. */
		pass(rig, FREE, i % 2 == 0 ? 300 * MBPS : 0);
		end_second(rig);
	}
	struct report bronze = report_of(rig, BRONZE, WINDOW_SECOND);
	assert_int_equal(bronze.assured_bytes, 0);
	assert_int_equal(bronze.borrowed_bytes, 37500000);
	assert_int_equal(bronze.free_bytes, 25000000);
	assert_int_equal(bronze.lent_bytes, 0);
	assert_had(rig, BRONZE, WINDOW_SECOND, second, 2);
	assert_had(rig, BRONZE, WINDOW_MINUTE, minute, 2);
	assert_had(rig, BRONZE, WINDOW_HOUR, minute, 2);
	assert_int_equal(report_of(rig, GOLD, WINDOW_SECOND).lent_bytes, 3125000);
	assert_int_equal(report_of(rig, SILVER, WINDOW_MINUTE).lent_bytes, 93750000);
	assert_int_equal(report_of(rig, SILVER, WINDOW_MINUTE).assured_bytes, 375000000);
	assert_had(rig, GOLD, WINDOW_HOUR, NULL, 0);
	/* Of no pool: nobody lends. */
	assert_int_equal(report_of(rig, FREE, WINDOW_MINUTE).borrowed_bytes, 0);
	assert_had(rig, FREE, WINDOW_MINUTE, NULL, 0);
	/* A second without bronze: neither has it anything in it. */
	pass(rig, GOLD, 400 * MBPS);
	end_second(rig);
	assert_had(rig, BRONZE, WINDOW_SECOND, NULL, 0);
	assert_had(rig, BRONZE, WINDOW_MINUTE, minute, 2);
	assert_int_equal(report_of(rig, SILVER, WINDOW_MINUTE).lent_bytes, 93750000);
}

static void rates_that_change_count_from_then_on(void **state)
{
	struct reports_channel changed[4];
	struct rig *rig = *state;

	configure(rig);
	pass(rig, BRONZE, 300 * MBPS);
	end_second(rig);
	memcpy(changed, channels, sizeof(changed));
	changed[2].assured_bps[DP_TX] = 200 * MBPS;
	assert_int_equal(reports_configure(rig->reports, changed, 4, pools, 1), 0);
	pass(rig, BRONZE, 300 * MBPS);
	end_second(rig);
	assert_int_equal(report_of(rig, BRONZE, WINDOW_SECOND).borrowed_bytes, 12500000);
	assert_int_equal(report_of(rig, BRONZE, WINDOW_MINUTE).borrowed_bytes, 50000000);
	assert_int_equal(report_of(rig, BRONZE, WINDOW_MINUTE).assured_bytes, 25000000);
	/* gold goes: who is left keeps what it had. */
	assert_int_equal(reports_configure(rig->reports, &changed[1], 3, pools, 1), 0);
	assert_int_equal(report_of(rig, BRONZE, WINDOW_MINUTE).borrowed_bytes, 50000000);
	assert_int_equal(report_of(rig, GOLD, WINDOW_MINUTE).assured_bytes, 0);
	pass(rig, BRONZE, 300 * MBPS);
	end_second(rig);
	assert_int_equal(report_of(rig, BRONZE, WINDOW_MINUTE).passed_bytes, 112500000);
}

static void counters_begin_anew_with_their_owner_and_their_dataplane(void **state)
{
	struct rig *rig = *state;

	/* What was counted before anybody looked is of no second. */
	pass(rig, GOLD, 800 * MBPS);
	configure(rig);
	assert_int_equal(report_of(rig, GOLD, WINDOW_HOUR).passed_bytes, 0);
	pass(rig, GOLD, 8 * MBPS);
	end_second(rig);
	assert_int_equal(report_of(rig, GOLD, WINDOW_SECOND).passed_bytes, 1000000);
	/* Another start, with less on the counter than before; seen within a second, it counts from
	 * then on. */
	memset(block_of(rig, 1, 0, DP_TX), 0, WORKERS * DP_WAYS * sizeof(struct counters_channel));
	rig->file.header->epoch++;
	pass(rig, GOLD, 4 * MBPS);
	reports_run(rig->reports, &rig->file.meter, rig->now_ns + 1000);
	pass(rig, GOLD, 80 * MBPS);
	end_second(rig);
	assert_int_equal(report_of(rig, GOLD, WINDOW_SECOND).passed_bytes, 10000000);
	pass(rig, GOLD, 16 * MBPS);
	end_second(rig);
	assert_int_equal(report_of(rig, GOLD, WINDOW_SECOND).passed_bytes, 2000000);
	/* silver has gold's slot now, and has counted from zero. */
	memset(block_of(rig, 1, 0, DP_TX), 0, WORKERS * DP_WAYS * sizeof(struct counters_channel));
	own(rig, 2, 0);
	own(rig, 1, SILVER);
	pass(rig, GOLD, 24 * MBPS);
	end_second(rig);
	assert_int_equal(report_of(rig, SILVER, WINDOW_SECOND).passed_bytes, 3000000);
	assert_int_equal(report_of(rig, GOLD, WINDOW_SECOND).passed_bytes, 0);
	assert_int_equal(report_of(rig, GOLD, WINDOW_MINUTE).passed_bytes, 13000000);
	/* Without a dataplane the time goes on. */
	rig->now_ns += 4 * S_NS;
	reports_run(rig->reports, NULL, rig->now_ns);
	assert_int_equal(report_of(rig, GOLD, WINDOW_MINUTE).span_ns, 8 * S_NS);
}

static void what_waits_is_a_level(void **state)
{
	struct rig *rig = *state;

	configure(rig);
	assert_int_equal(reports_queued_bytes(rig->reports, &rig->file.meter, GOLD, DP_TX), 0);
	pass(rig, GOLD, 8 * MBPS);
	/* Added by one worker, taken out by another. */
	block_of(rig, 1, 0, DP_TX)->queued_bytes = 5000;
	block_of(rig, 1, 1, DP_TX)->queued_bytes = (uint64_t)-2000;
	end_second(rig);
	assert_int_equal(reports_queued_bytes(rig->reports, &rig->file.meter, GOLD, DP_TX), 3000);
	assert_int_equal(reports_queued_bytes(rig->reports, NULL, GOLD, DP_TX), 0);
	assert_int_equal(report_of(rig, GOLD, WINDOW_SECOND).passed_bytes, 1000000);
}

static void samples_come_at_the_turn_of_a_second(void **state)
{
	struct rig *rig = *state;

	rig->now_ns += 250000000;
	configure(rig);
	pass(rig, GOLD, 8 * MBPS);
	assert_int_equal(reports_run(rig->reports, &rig->file.meter, rig->now_ns + 100000000), 650);
	assert_int_equal(report_of(rig, GOLD, WINDOW_SECOND).passed_bytes, 0);
	/* One that comes late is of a longer time. */
	assert_int_equal(reports_run(rig->reports, &rig->file.meter, rig->now_ns + 2500000000),
			 250);
	assert_int_equal(report_of(rig, GOLD, WINDOW_SECOND).passed_bytes, 1000000);
	assert_int_equal(report_of(rig, GOLD, WINDOW_SECOND).span_ns, 2500000000);
}

static uint64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t backed_bytes(const struct rig *rig)
{
	struct stat stat;

	assert_int_equal(fstat(rig->file.fd, &stat), 0);
	return (uint64_t)stat.st_blocks * 512;
}

static uint64_t time_sample(struct rig *rig, const char *what)
{
	uint64_t begin_us = cpu_us();

	for (unsigned int i = 0; i < 20; i++)
		end_second(rig);
	uint64_t us = (cpu_us() - begin_us) / 20;
	print_message("%d channels, %s: %u us of CPU for a sample\n", MANY, what, (unsigned int)us);
	assert_true(us < SAMPLE_US_MAX);
	return us;
}

static void ten_thousand_idle_channels_cost_next_to_nothing(void **state)
{
	struct reports_channel *many = calloc(MANY, sizeof(*many));
	struct rig *rig = *state;

	for (uint32_t i = 0; i < MANY; i++) {
		many[i] = (struct reports_channel){i + 1, POOL, {10000, 10000}};
		own(rig, i + 1, i + 1);
	}
	assert_int_equal(reports_configure(rig->reports, many, MANY, pools, 1), 0);
	end_second(rig);
	uint64_t bytes = backed_bytes(rig);
	time_sample(rig, "never used");
	/* To have looked has given them no memory. */
	assert_int_equal(backed_bytes(rig), bytes);
	for (unsigned int second = 0; second < 3; second++) {
		for (uint32_t i = 0; i < MANY; i++) {
			block_of(rig, i + 1, 0, DP_TX)->passed_bytes += 1000;
			block_of(rig, i + 1, 1, DP_RX)->passed_bytes += 2000;
		}
		uint64_t begin_us = cpu_us();

		end_second(rig);
		uint64_t us = cpu_us() - begin_us;
		print_message("%d channels, all used: %u us\n", MANY, (unsigned int)us);
		assert_true(us < ALL_USED_US_MAX);
	}
	assert_int_equal(report_of(rig, MANY, WINDOW_SECOND).passed_bytes, 1000);
	assert_int_equal(reports_get(rig->reports, 1, DP_RX, WINDOW_SECOND).passed_bytes, 2000);
	time_sample(rig, "idle again");
	free(many);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_counted_is_told_for_each_span),
		TEST(what_is_borrowed_has_its_lenders),
		TEST(rates_that_change_count_from_then_on),
		TEST(counters_begin_anew_with_their_owner_and_their_dataplane),
		TEST(what_waits_is_a_level),
		TEST(samples_come_at_the_turn_of_a_second),
		TEST(ten_thousand_idle_channels_cost_next_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
