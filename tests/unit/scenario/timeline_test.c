/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of scenario/timeline.c: times to the nanosecond, patches as RFC 7396 says. */
#include "scenario/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static void times(void **state)
{
	static const struct {
		const char *word;
		uint64_t ns;
	} good[] = {
		{"0s", 0},
		{"7ns", 7},
		{"1.5us", 1500},
		{"10ms", 10000000},
		{"1.000000001s", 1000000001},
		{"0.000001ms", 1},
		{"2m", 120000000000ull},
		{"1.5h", 5400000000000ull},
		{"10.999999ms", 10999999},
	};
	static const char *const bad[] = {"",	      "s",    "1",	    "1.s",
					  ".5s",      "-1s",  "1 s",	    "1.5ns",
					  "0.0001us", "1d",   "1sec",	    "99999999999999999999s",
					  "0x1s",     "1e3s", "4611686019s"};
	uint64_t ns;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(timeline_parse_time(good[i].word, &ns), 0);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (timeline_parse_time(bad[i], &ns) != -EINVAL)
			fail_msg("'%s' is a time", bad[i]);
	}
}

static void check_parse(const char *text, const char *wanted)
{
	json_t *at = json_loads(text, JSON_DECODE_ANY, NULL);
	struct timeline timeline;
	char why[200] = "";
	int error = timeline_parse(at, &timeline, why, sizeof(why));

	assert_int_equal(error, -EINVAL);
	if (strstr(why, wanted) == NULL)
		fail_msg("'%s' does not say '%s'", why, wanted);
	timeline_fini(&timeline);
	json_decref(at);
}

static void events_in_their_order(void **state)
{
	json_t *at = json_loads("{\"1s\": {\"a\": 1}, \"5ms\": {}, \"20us\": {}}", 0, NULL);
	struct timeline timeline;
	char why[200];

	assert_int_equal(timeline_parse(at, &timeline, why, sizeof(why)), 0);
	assert_int_equal(timeline.n, 3);
	assert_int_equal(timeline.events[0].time_ns, 20000);
	assert_int_equal(timeline.events[1].time_ns, 5000000);
	assert_string_equal(timeline.events[2].word, "1s");
	assert_int_equal(json_object_size(timeline.events[2].patch), 1);
	timeline_fini(&timeline);
	json_decref(at);
	assert_int_equal(timeline_parse(NULL, &timeline, why, sizeof(why)), 0);
	assert_int_equal(timeline.n, 0);
	check_parse("[]", "needs times");
	check_parse("{\"soon\": {}}", "'soon' is no time");
	check_parse("{\"1s\": 3}", "at.1s: needs what changes");
	check_parse("{\"1s\": {}, \"1000ms\": {}}", "are one time");
}

static void check_merge(const char *target, const char *patch, const char *wanted)
{
	json_t *a = json_loads(target, JSON_DECODE_ANY, NULL);
	json_t *b = json_loads(patch, JSON_DECODE_ANY, NULL);
	json_t *c = json_loads(wanted, JSON_DECODE_ANY, NULL);
	json_t *merged = timeline_merge(a, b);

	assert_true(json_equal(merged, c));
	json_decref(merged);
	json_decref(a);
	json_decref(b);
	json_decref(c);
}

/* RFC 7396, appendix A. */
static void patches(void **state)
{
	check_merge("{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
	check_merge("{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}");
	check_merge("{\"a\":\"b\"}", "{\"a\":null}", "{}");
	check_merge("{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}");
	check_merge("{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
	check_merge("{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		    "{\"a\":{\"b\":\"d\"}}");
	check_merge("{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}");
	check_merge("[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]");
	check_merge("{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}");
	check_merge("[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}");
	check_merge("{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(events_in_their_order),
		cmocka_unit_test(patches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
