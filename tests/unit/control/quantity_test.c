/* SPDX-License-Identifier: BSD-3-Clause */
/* Rates, sizes and times, to and from text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "control/quantity.h"
#include "control/utc.h"
#include "dataplane/api/dp_msg.h"
#include "dataplane/channel/bucket.h"

static void words_are_numbers(void **state)
{
	static const struct {
		enum quantity quantity;
		const char *word;
		uint64_t value;
		const char *shown; /* NULL: the same */
	} words[] = {
		{QUANTITY_RATE, "1k", 1000, NULL},
		{QUANTITY_RATE, "1000", 1000, "1k"},
		{QUANTITY_RATE, "500M", 500000000, NULL},
		{QUANTITY_RATE, "0.5G", 500000000, "500M"},
		{QUANTITY_RATE, "1.5G", 1500000000, NULL},
		{QUANTITY_RATE, "1.50000G", 1500000000, "1.5G"},
		{QUANTITY_RATE, "1.000000001G", 1000000001, NULL},
		{QUANTITY_RATE, "400G", 400000000000, NULL},
		{QUANTITY_RATE, "400000000000", 400000000000, "400G"},
		{QUANTITY_RATE, "123456789", 123456789, "123.456789M"},
		{QUANTITY_BYTES, "1514", 1514, "1.514k"},
		{QUANTITY_BYTES, "64k", 64000, NULL},
		{QUANTITY_FRAMES, "1", 1, NULL},
		{QUANTITY_FRAMES, "1.5M", 1500000, NULL},
		{QUANTITY_TIME, "50us", 50, NULL},
		{QUANTITY_TIME, "1.25ms", 1250, NULL},
		{QUANTITY_TIME, "60s", 60000000, NULL},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char text[QUANTITY_TEXT_BYTES];
		uint64_t value;

		if (quantity_parse(words[i].quantity, words[i].word, &value) < 0)
			fail_msg("%s is refused", words[i].word);
		assert_int_equal(value, words[i].value);
		quantity_format(words[i].quantity, value, text);
		assert_string_equal(text, words[i].shown != NULL ? words[i].shown : words[i].word);
	}
}

static void other_words_are_refused(void **state)
{
	static const struct {
		enum quantity quantity;
		const char *word;
		int error;
	} words[] = {
		{QUANTITY_RATE, "", -EINVAL},
		{QUANTITY_RATE, "M", -EINVAL},
		{QUANTITY_RATE, "-1M", -EINVAL},
		{QUANTITY_RATE, "+1M", -EINVAL},
		{QUANTITY_RATE, " 1M", -EINVAL},
		{QUANTITY_RATE, "1 M", -EINVAL},
		{QUANTITY_RATE, "1m", -EINVAL},
		{QUANTITY_RATE, "1MM", -EINVAL},
		{QUANTITY_RATE, "1Mbit", -EINVAL},
		{QUANTITY_RATE, "1.M", -EINVAL},
		{QUANTITY_RATE, ".5M", -EINVAL},
		{QUANTITY_RATE, "1.5.5M", -EINVAL},
		{QUANTITY_RATE, "1,5M", -EINVAL},
		{QUANTITY_RATE, "0x10", -EINVAL},
		{QUANTITY_RATE, "1e9", -EINVAL},
		{QUANTITY_RATE, "1000.5", -EINVAL},
		{QUANTITY_RATE, "1.0001k", -EINVAL},
		{QUANTITY_RATE, "0", -ERANGE},
		{QUANTITY_RATE, "999", -ERANGE},
		{QUANTITY_RATE, "0.999k", -ERANGE},
		{QUANTITY_RATE, "400.000000001G", -ERANGE},
		{QUANTITY_RATE, "18446744073709551616", -ERANGE},
		{QUANTITY_RATE, "99999999999999999999999999999999999999G", -ERANGE},
		{QUANTITY_BYTES, "0", -ERANGE},
		{QUANTITY_BYTES, "65M", -ERANGE},
		{QUANTITY_BYTES, "1G", -EINVAL},
		{QUANTITY_TIME, "5", -EINVAL},
		{QUANTITY_TIME, "49us", -ERANGE},
		{QUANTITY_TIME, "61s", -ERANGE},
		{QUANTITY_TIME, "1.5us", -EINVAL},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		uint64_t value;
		int error = quantity_parse(words[i].quantity, words[i].word, &value);

		if (error != words[i].error)
			fail_msg("'%s': %d, not %d", words[i].word, error, words[i].error);
	}
}

/* What is taken here the clock of the buckets can count. */
static void the_limits_are_those_of_the_clock(void **state)
{
	assert_int_equal(DP_RATE_BPS_MIN, BUCKET_RATE_BPS_MIN);
	assert_int_equal(DP_RATE_BPS_MAX, BUCKET_RATE_BPS_MAX);
}

static void times_of_day_go_there_and_back(void **state)
{
	char text[UTC_MS_BYTES];
	int64_t time_ms;

	assert_int_equal(utc_parse_ms("2026-11-22T19:05:45.25Z", &time_ms), 0);
	utc_format_ms(time_ms, text);
	assert_string_equal(text, "2026-11-22T19:05:45.250Z");
	assert_int_equal(utc_parse_ms("1970-01-01T00:00:01Z", &time_ms), 0);
	assert_int_equal(time_ms, 1000);
	assert_int_equal(utc_parse_ms("2024-02-29T23:59:59.999Z", &time_ms), 0);
	static const char *const bad[] = {
		"",
		"now",
		"2026-11-22",
		"2026-11-22T19:05:45",
		"2026-11-22 19:05:45Z",
		"2026-11-22T19:05:45+01:00",
		"2026-11-22T19:05:45.Z",
		"2026-11-22T19:05:45.1234Z",
		"2026-02-30T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-11-22T24:00:00Z",
		"2026-11-22T19:60:00Z",
		"1969-12-31T23:59:59Z",
		"-026-11-22T19:05:45Z",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (utc_parse_ms(bad[i], &time_ms) == 0)
			fail_msg("'%s' is taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_numbers),
		cmocka_unit_test(other_words_are_refused),
		cmocka_unit_test(the_limits_are_those_of_the_clock),
		cmocka_unit_test(times_of_day_go_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
