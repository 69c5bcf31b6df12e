/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of scenario/compare.c and dissect.c: which packets differ, where, and what may. */
#include "scenario/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/dissect.h"

/* Ethernet, IPv4, UDP to VXLAN, inner Ethernet, inner IPv4 and TCP. */
#define OUTER_UDP 34
#define INNER 50
#define FRAME_BYTES (INNER + 14 + 20 + 20 + 10)

static void make_frame(uint8_t frame[FRAME_BYTES])
{
	memset(frame, 0, FRAME_BYTES);
	for (unsigned int i = 0; i < 12; i++)
		frame[i] = (uint8_t)(2 * i);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[22] = 64;
	frame[23] = 17;
	frame[OUTER_UDP + 2] = 0x12;
	frame[OUTER_UDP + 3] = 0xb5;
	frame[OUTER_UDP + 8] = 8;
	frame[INNER + 12] = 8;
	frame[INNER + 14] = 0x45;
	frame[INNER + 14 + 9] = 6;
	frame[INNER + 14 + 20 + 12] = 0x50;
}

static void add_frame(struct packets *packets, uint64_t time_ns, unsigned int changed_at)
{
	uint8_t frame[FRAME_BYTES];

	make_frame(frame);
	if (changed_at < FRAME_BYTES)
		frame[changed_at] ^= 1;
	assert_int_equal(packets_add(packets, time_ns, frame, FRAME_BYTES), 0);
}

#define SAME FRAME_BYTES

/* Everything belongs to one field, and to no two; cut anywhere. */
static void every_byte_has_its_field(void **state)
{
	uint8_t frame[FRAME_BYTES];
	struct dissect dissect;

	make_frame(frame);
	for (uint32_t n = 0; n <= FRAME_BYTES; n++) {
		uint8_t *copy = malloc(n != 0 ? n : 1);
		uint32_t at = 0;

		assert_non_null(copy);
		memcpy(copy, frame, n);
		dissect_frame(copy, n, &dissect);
		for (unsigned int i = 0; i < dissect.n; i++) {
			assert_int_equal(dissect.fields[i].at, at);
			at += dissect.fields[i].n;
		}
		assert_int_equal(at, n);
		free(copy);
	}
}

static void random_bytes_are_legal(void **state)
{
	uint8_t frame[300];
	char name[DISSECT_NAME_BYTES], text[DISSECT_TEXT_BYTES];
	struct dissect dissect;
	uint32_t random = 1;

	for (int round = 0; round < 20000; round++) {
		uint32_t n = (uint32_t)round % sizeof(frame);

		make_frame(frame);
		for (uint32_t i = FRAME_BYTES; i < n; i++)
			frame[i] = (uint8_t)(random >> 16);
		for (int i = 0; i < 3; i++) {
			random = random * 1103515245 + 12345;
			frame[random % sizeof(frame)] = (uint8_t)(random >> 20);
		}
		dissect_frame(frame, n, &dissect);
		for (unsigned int i = 0; i < dissect.n; i++) {
			dissect_name(&dissect.fields[i], name);
			dissect_value(&dissect.fields[i], frame, n / 2, text);
			assert_true(strlen(text) < DISSECT_TEXT_BYTES);
		}
	}
}

static size_t compare(struct packets *expected, struct packets *seen, json_t **differences,
		      const char *const words[])
{
	struct compare_rules rules = {.n_fields = 0};

	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		assert_int_equal(compare_add_rule(&rules, words[i]), 0);
	*differences = json_array();
	size_t n = compare_packets(expected, seen, &rules, "p1", *differences);

	packets_clear(expected);
	packets_clear(seen);
	return n;
}

static const char *text_at(const json_t *list, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(list, i), key));
}

/* Changes one byte, and expects this field to be named. */
static void check_field(unsigned int at, const char *name, const char *seen_value)
{
	struct packets expected = {0}, seen = {0};
	json_t *differences;

	add_frame(&expected, 5, SAME);
	add_frame(&seen, 5, at);
	assert_int_equal(compare(&expected, &seen, &differences, NULL), 1);
	const json_t *fields = json_object_get(json_array_get(differences, 0), "fields");

	assert_int_equal(json_array_size(fields), 1);
	assert_string_equal(text_at(fields, 0, "field"), name);
	assert_string_equal(text_at(fields, 0, "seen"), seen_value);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(fields, 0), "byte")),
			 at);
	json_decref(differences);
}

static void fields_by_name(void **state)
{
	check_field(5, "eth.destination", "00:02:04:06:08:0b");
	check_field(22, "ipv4.ttl", "65");
	check_field(29, "ipv4.source", "0.0.0.1");
	check_field(OUTER_UDP, "udp.source", "256");
	check_field(OUTER_UDP + 8 + 6, "vxlan.vni", "1");
	check_field(INNER + 12, "inner.eth.type", "0x0900");
	check_field(INNER + 14 + 20 + 7, "inner.tcp.sequence", "1");
	check_field(FRAME_BYTES - 1, "inner.payload", "00000000000000000001");
}

/* Plays one against the other: what is said of each difference. */
static void missing_and_unexpected(void **state)
{
	struct packets expected = {0}, seen = {0};
	json_t *differences;

	for (unsigned int i = 0; i < 6; i++)
		add_frame(&expected, i, SAME);
	for (unsigned int i = 1; i < 6; i++) {
		if (i == 3)
			add_frame(&seen, i, 60);
		add_frame(&seen, i, i == 4 ? 22 : SAME);
	}
	add_frame(&seen, 9, SAME);
	assert_int_equal(compare(&expected, &seen, &differences, NULL), 4);
	assert_string_equal(text_at(differences, 0, "what"), "missing");
	assert_string_equal(text_at(differences, 1, "what"), "unexpected");
	assert_string_equal(text_at(differences, 2, "what"), "changed");
	assert_string_equal(text_at(differences, 3, "what"), "unexpected");
	json_decref(differences);
}

static void time_and_size(void **state)
{
	struct packets expected = {0}, seen = {0};
	json_t *differences;
	uint8_t frame[FRAME_BYTES];

	make_frame(frame);
	add_frame(&expected, 1000000000, SAME);
	assert_int_equal(packets_add(&seen, 1000000001, frame, FRAME_BYTES - 1), 0);
	assert_int_equal(compare(&expected, &seen, &differences, NULL), 1);
	const json_t *fields = json_object_get(json_array_get(differences, 0), "fields");

	assert_string_equal(text_at(fields, 0, "field"), "size");
	assert_string_equal(text_at(fields, 1, "field"), "time");
	assert_string_equal(text_at(fields, 1, "seen"), "1.000000001");
	json_decref(differences);
}

static size_t with_rules(unsigned int changed_at, uint64_t late_ns, const char *word)
{
	struct packets expected = {0}, seen = {0};
	const char *words[] = {word, NULL};
	json_t *differences;

	add_frame(&expected, 7, SAME);
	add_frame(&seen, 7 + late_ns, changed_at);
	size_t n = compare(&expected, &seen, &differences, words);

	json_decref(differences);
	return n;
}

static void what_may_vary(void **state)
{
	assert_int_equal(with_rules(OUTER_UDP, 0, "udp.source"), 0);
	assert_int_equal(with_rules(OUTER_UDP, 0, "inner.udp.source"), 1);
	assert_int_equal(with_rules(OUTER_UDP + 4, 0, "udp.source"), 1);
	assert_int_equal(with_rules(INNER + 14 + 20, 0, "inner.tcp.source"), 0);
	assert_int_equal(with_rules(SAME, 1, "time"), 0);
	assert_int_equal(with_rules(SAME, 1, "udp.source"), 1);
	assert_int_equal(with_rules(SAME, 1000, "time 1us"), 0);
	assert_int_equal(with_rules(SAME, 1001, "time 1us"), 1);
	assert_int_equal(with_rules(22, 0, "time"), 1);
	assert_int_equal(with_rules(22, 0, "bytes 20-22"), 0);
	assert_int_equal(with_rules(22, 0, "bytes 22-22"), 0);
	assert_int_equal(with_rules(22, 0, "bytes 23-40"), 1);
}

static void rules_that_are_none(void **state)
{
	static const char *const bad[] = {"",	       "ttl",	    "ipv4",
					  "bytes 5",   "bytes 6-5", "bytes 1-2x",
					  "time soon", "inner.",    "inner.time"};
	struct compare_rules rules = {.n_fields = 0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(compare_add_rule(&rules, bad[i]), -EINVAL);
	for (int i = 0; i < COMPARE_IGNORED_MAX; i++) {
		assert_int_equal(compare_add_rule(&rules, "ipv4.id"), 0);
		assert_int_equal(compare_add_rule(&rules, "bytes 1-1"), 0);
	}
	assert_int_equal(compare_add_rule(&rules, "ipv4.id"), -ENOSPC);
	assert_int_equal(compare_add_rule(&rules, "bytes 1-1"), -ENOSPC);
}

static void many_differences_are_counted(void **state)
{
	struct packets expected = {0}, seen = {0};
	json_t *differences;

	for (uint64_t i = 0; i < 100; i++)
		add_frame(&expected, i, SAME);
	assert_int_equal(compare(&expected, &seen, &differences, NULL), 100);
	assert_int_equal(json_array_size(differences), COMPARE_TOLD_MAX + 1);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(differences, COMPARE_TOLD_MAX), "count")),
			 100 - COMPARE_TOLD_MAX);
	json_decref(differences);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_has_its_field),
		cmocka_unit_test(random_bytes_are_legal),
		cmocka_unit_test(fields_by_name),
		cmocka_unit_test(missing_and_unexpected),
		cmocka_unit_test(time_and_size),
		cmocka_unit_test(what_may_vary),
		cmocka_unit_test(rules_that_are_none),
		cmocka_unit_test(many_differences_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
