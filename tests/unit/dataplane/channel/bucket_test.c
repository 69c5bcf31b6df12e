/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/bucket.h. */
#include "dataplane/channel/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

#define US 1000ULL
#define MS 1000000ULL
#define S 1000000000ULL
#define START (5 * S)

/* IMIX: 7 of 64, 4 of 594, 1 of 1,518 without FCS. */
static uint32_t imix(unsigned int i)
{
	static const uint16_t bytes[12] = {60, 590, 60, 60, 590, 60, 1514, 60, 590, 60, 590, 60};

	return bytes[i % 12];
}

/* Who has always something to send, looks every step, and waits when there is nothing to take. */
struct sender {
	struct bucket *bucket;
	uint32_t frame_bytes; /* 0: IMIX */
	unsigned int n;	      /* frames so far */
	uint64_t bytes;
	bool waits;
};

static void poll(struct sender *sender, uint64_t now_ns)
{
	if (sender->waits && bucket_due_ns(sender->bucket) > now_ns)
		return;
	int64_t credit = bucket_credit(sender->bucket, now_ns, sender->waits);
	uint64_t bytes = 0, frames = 0;

	while (credit > 0) {
		uint32_t len = sender->frame_bytes != 0 ? sender->frame_bytes : imix(sender->n);

		credit -= len;
		bytes += len;
		frames++;
		sender->n++;
	}
	sender->bytes += bytes;
	bucket_charge(sender->bucket, now_ns, bytes, frames, sender->waits);
	sender->waits = true;
}

static uint64_t expected_bytes(uint64_t rate_bps, uint64_t ns)
{
	return (uint64_t)((unsigned __int128)rate_bps * ns / 8 / S);
}

/* 0.1 % over a second, or a frame. */
static void assert_rate(uint64_t bytes, uint64_t rate_bps, uint64_t ns, uint32_t frame_bytes)
{
	uint64_t expected = expected_bytes(rate_bps, ns);
	uint64_t slack = expected / 1000 > frame_bytes ? expected / 1000 : frame_bytes;

	assert_in_range(bytes, expected > slack ? expected - slack : 0, expected + slack);
}

static void the_rate_is_exact_at_every_rate_and_size(void **state)
{
	static const uint64_t rates_bps[] = {
		BUCKET_RATE_BPS_MIN, 1000000,	  10000000,	100000000,
		1000000000,	     10000000000, 100000000000, BUCKET_RATE_BPS_MAX};
	static const uint32_t sizes[] = {60, 1514, 0, 65000};
	static const uint64_t steps_ns[] = {333, 7 * US, 130 * US};

	for (unsigned int i = 0; i < 8 * 4 * 3; i++) {
		struct bucket bucket;
		uint64_t rate_bps = rates_bps[i / 12];
		struct sender sender = {.bucket = &bucket, .frame_bytes = sizes[i % 4]};
		uint64_t step_ns = steps_ns[i / 4 % 3];
		/* Slow ones need longer for one frame. */
		uint64_t span_ns = rate_bps < 1000000 ? 2000 * S : S / 5;
		uint64_t now_ns = START;

		if (rate_bps < 1000000)
			step_ns = 500 * US;
		bucket_init(&bucket, rate_bps, 0, 0);
		for (; now_ns < START + span_ns; now_ns += step_ns)
			poll(&sender, now_ns);
		assert_rate(sender.bytes, rate_bps, now_ns - START,
			    sizes[i % 4] == 0 ? 1514 : sizes[i % 4]);
	}
}

static void frames_go_in_bursts_where_the_rate_allows(void **state)
{
	struct bucket bucket;
	struct sender sender = {.bucket = &bucket, .frame_bytes = 1514};
	uint64_t now_ns = START;
	unsigned int last, n_polls = 0;

	bucket_init(&bucket, 10000000000, 0, 0);
	for (; now_ns < START + 10 * MS; now_ns += US) {
		last = sender.n;
		poll(&sender, now_ns);
		n_polls += sender.n != last;
	}
	/* 50 us at 10 Gbit/s are 41 frames. */
	assert_in_range(n_polls, 190, 202);
	assert_in_range(sender.n / n_polls, 40, 44);
}

static void no_limit_is_no_limit(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 0, 0, 0);
	assert_int_equal(bucket_credit(&bucket, 0, false), BUCKET_UNLIMITED);
	assert_int_equal(bucket_credit_frames(&bucket, 0, false), BUCKET_UNLIMITED);
	bucket_charge(&bucket, START, UINT32_MAX, 1, false);
	assert_int_equal(bucket_credit(&bucket, START, false), BUCKET_UNLIMITED);
	assert_int_equal(bucket_ns_bytes(&bucket, S), BUCKET_UNLIMITED);
	assert_int_equal(bucket_bytes_ns(&bucket, 1000), 0);
	assert_int_equal(bucket_rate_bps(&bucket), 0);
}

static void a_pause_saves_up_a_burst_and_no_more(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 1000000000, 64000, 0);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t now_ns = START + i * 100 * S;

		assert_in_range(bucket_credit(&bucket, now_ns, false), 64000, 64002);
		bucket_charge(&bucket, now_ns, 64000, 50, false);
		assert_in_range(bucket_credit(&bucket, now_ns, false), 0, 2);
	}
	/* Of time the same: 1 us is 125 bytes. */
	assert_in_range(bucket_credit(&bucket, START + 200 * S + 8 * US, false), 999, 1002);
}

static void a_burst_below_what_is_taken_ahead_saves_up_nothing(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 1000000000, 1000, 0);
	/* 50 us. */
	assert_in_range(bucket_credit(&bucket, START, false), 6249, 6251);
}

static void a_late_worker_loses_nothing_up_to_a_limit(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 1000000000, 0, 0);
	bucket_charge(&bucket, START, 6250, 5, false);
	assert_int_equal(bucket_due_ns(&bucket), START + 50 * US);
	assert_in_range(bucket_credit(&bucket, START + 850 * US, true), 106249, 106251);
	assert_in_range(bucket_credit(&bucket, START + 850 * US, false), 6249, 6251);
	/* 125 bytes are 1 us. */
	int64_t most = (int64_t)((BUCKET_LATE_NS + BUCKET_AHEAD_NS) / 8);

	assert_in_range(bucket_credit(&bucket, START + 80 * MS, true), most - 1, most + 1);
	bucket_charge(&bucket, START + 850 * US, 106250, 80, true);
	assert_int_equal(bucket_due_ns(&bucket), START + 900 * US);
}

/* It was idle until somebody began to wait: a worker is late only from then on. */
static void an_idle_time_is_not_that_of_a_late_worker(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 1000000000, 12500, 0);
	bucket_settle(&bucket, START);
	assert_in_range(bucket_credit(&bucket, START, true), 12499, 12502);
	assert_in_range(bucket_credit(&bucket, START + 800 * US, true), 112499, 112502);
	/* What was taken meanwhile stays taken. */
	bucket_charge(&bucket, START + 800 * US, 112500, 80, true);
	bucket_settle(&bucket, START + 800 * US);
	assert_int_equal(bucket_due_ns(&bucket), START + 850 * US);
}

static void debt_is_paid_in_full(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 1000000, 0, 0);
	assert_true(bucket_credit(&bucket, START, false) > 0);
	bucket_charge(&bucket, START, 65000, 1, false);
	assert_int_equal(bucket_credit(&bucket, START + 519 * MS, false), 0);
	assert_int_equal(bucket_due_ns(&bucket), START + 520 * MS);
	assert_true(bucket_credit(&bucket, START + 520 * MS, true) > 0);
}

/* --- changes --- */

static void a_new_rate_rescales_debt(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 1000000, 0, 0);
	bucket_charge(&bucket, START, 12500, 1, false);
	assert_int_equal(bucket_due_ns(&bucket), START + 100 * MS);
	bucket_set(&bucket, 100000000, 0, 0, START + 50 * MS);
	/* What was left were 50 ms at 1 Mbit/s; what is taken ahead stays a time. */
	assert_in_range(bucket_due_ns(&bucket), START + 50 * MS + 549 * US,
			START + 50 * MS + 550 * US);
	bucket_set(&bucket, 1000000, 0, 0, START + 50 * MS);
	assert_in_range(bucket_due_ns(&bucket), START + 100 * MS - US, START + 100 * MS + US);
}

static void what_was_taken_ahead_does_not_delay_a_lower_rate(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 1000000000, 0, 0);
	bucket_charge(&bucket, START, 6250, 5, false);
	bucket_set(&bucket, 1000000, 0, 0, START);
	assert_in_range(bucket_due_ns(&bucket), START + 50 * US - 1, START + 50 * US + 1);
}

static void a_new_rate_keeps_what_was_saved_as_bytes(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 1000000000, 1250000, 0);
	bucket_charge(&bucket, START, 1250000, 1, false);
	/* 5 ms later it has 625,000 bytes. */
	bucket_set(&bucket, 500000000, 1250000, 0, START + 5 * MS);
	assert_in_range(bucket_credit(&bucket, START + 5 * MS, false), 621870, 628130);
	/* The new burst is all that is left of it. */
	bucket_set(&bucket, 1000000000, 10000, 0, START + 5 * MS);
	assert_in_range(bucket_credit(&bucket, START + 5 * MS, false), 9999, 10001);
}

static void the_same_rate_again_changes_nothing(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 10000000, 0, 0);
	bucket_charge(&bucket, START, 9000, 1, false);
	uint64_t due_ns = bucket_due_ns(&bucket);

	for (unsigned int i = 0; i < 1000; i++)
		bucket_set(&bucket, 10000000, 0, 0, START + i * US);
	assert_int_equal(bucket_due_ns(&bucket), due_ns);
}

static void a_limit_where_there_was_none_begins_with_now(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 0, 0, 0);
	bucket_set(&bucket, 1000000000, 1000000, 0, START);
	assert_in_range(bucket_credit(&bucket, START, true), 6249, 6252);
	bucket_set(&bucket, 0, 0, 0, START);
	assert_int_equal(bucket_credit(&bucket, START, false), BUCKET_UNLIMITED);
}

/* A pool sets the rate every millisecond, a little up, a little down. */
static void small_changes_all_the_time_do_not_add_up(void **state)
{
	struct bucket bucket;
	struct sender sender = {.bucket = &bucket, .frame_bytes = 1514};
	uint64_t now_ns = START;
	unsigned int i = 0;

	bucket_init(&bucket, 100000000, 0, 0);
	for (; now_ns < START + S; now_ns += 5 * US, i++) {
		if (i % 200 == 0)
			bucket_set(&bucket, i % 400 == 0 ? 99000000 : 101000000, 0, 0, now_ns);
		poll(&sender, now_ns);
	}
	assert_rate(sender.bytes, 100000000, S, 1514);
}

static void the_rate_that_was_set_can_be_read(void **state)
{
	static const uint64_t rates_bps[] = {BUCKET_RATE_BPS_MIN, 999999,      1000000,
					     123456789,		  25000000000, BUCKET_RATE_BPS_MAX};
	struct bucket bucket;

	bucket_init(&bucket, 0, 0, 0);
	for (unsigned int i = 0; i < 6; i++) {
		bucket_set(&bucket, rates_bps[i], 1, 0, START);
		assert_in_range(bucket_rate_bps(&bucket), rates_bps[i] - rates_bps[i] / 1000000,
				rates_bps[i] + rates_bps[i] / 1000000);
	}
	bucket_set(&bucket, 1000000, 1, 0, START);
	assert_in_range(bucket_bytes_ns(&bucket, 125), MS - 1, MS + 1);
	assert_in_range(bucket_ns_bytes(&bucket, MS), 124, 126);
}

/* --- frames --- */

static void frames_can_be_limited_alone(void **state)
{
	struct bucket bucket;
	uint64_t frames = 0, now_ns = START;

	bucket_init(&bucket, 0, 0, 1000);
	for (; now_ns < START + S; now_ns += 20 * US) {
		int64_t n = bucket_credit_frames(&bucket, now_ns, true);

		assert_int_equal(n > 0, bucket_credit(&bucket, now_ns, true) > 0);
		frames += (uint64_t)n;
		bucket_charge(&bucket, now_ns, (uint64_t)n * 60, (uint64_t)n, true);
	}
	assert_in_range(frames, 999, 1001 + BUCKET_LATE_NS / MS);
}

static void of_bytes_and_frames_the_dearer_counts(void **state)
{
	struct bucket bucket;

	bucket_init(&bucket, 8000000, 0, 1000);
	bucket_charge(&bucket, START, 60, 1, false);
	assert_int_equal(bucket_due_ns(&bucket), START + MS);
	bucket_charge(&bucket, START, 4000, 1, false);
	assert_int_equal(bucket_due_ns(&bucket), START + 5 * MS);
}

/* --- several workers --- */

#define TAKERS 4
#define TAKES 200000

static void *charge_many(void *arg)
{
	for (unsigned int i = 0; i < TAKES; i++)
		bucket_charge(arg, START, 100, 1, true);
	return NULL;
}

static void what_several_take_at_once_is_all_paid_for(void **state)
{
	struct bucket bucket;
	pthread_t threads[TAKERS];

	bucket_init(&bucket, 800000000, 0, 0);
	/* The time that may be late. */
	bucket_charge(&bucket, START, BUCKET_LATE_NS / 10, 1, true);
	for (unsigned int i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, charge_many, &bucket), 0);
	for (unsigned int i = 0; i < TAKERS; i++)
		pthread_join(threads[i], NULL);
	/* 100 bytes are 1 us. */
	assert_int_equal(bucket_due_ns(&bucket), START + TAKERS * TAKES * US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rate_is_exact_at_every_rate_and_size),
		cmocka_unit_test(frames_go_in_bursts_where_the_rate_allows),
		cmocka_unit_test(no_limit_is_no_limit),
		cmocka_unit_test(a_pause_saves_up_a_burst_and_no_more),
		cmocka_unit_test(a_burst_below_what_is_taken_ahead_saves_up_nothing),
		cmocka_unit_test(a_late_worker_loses_nothing_up_to_a_limit),
		cmocka_unit_test(an_idle_time_is_not_that_of_a_late_worker),
		cmocka_unit_test(debt_is_paid_in_full),
		cmocka_unit_test(a_new_rate_rescales_debt),
		cmocka_unit_test(what_was_taken_ahead_does_not_delay_a_lower_rate),
		cmocka_unit_test(a_new_rate_keeps_what_was_saved_as_bytes),
		cmocka_unit_test(the_same_rate_again_changes_nothing),
		cmocka_unit_test(a_limit_where_there_was_none_begins_with_now),
		cmocka_unit_test(small_changes_all_the_time_do_not_add_up),
		cmocka_unit_test(the_rate_that_was_set_can_be_read),
		cmocka_unit_test(frames_can_be_limited_alone),
		cmocka_unit_test(of_bytes_and_frames_the_dearer_counts),
		cmocka_unit_test(what_several_take_at_once_is_all_paid_for),
	};

	return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
