/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares lists of packets. */
#include "scenario/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "scenario/dissect.h"
#include "scenario/timeline.h"

#define NS_PER_S UINT64_C(1000000000)
#define TIME_BYTES 32
#define LOOK_AHEAD 256 /* packets that may be missing or too many in a row */

int compare_add_rule(struct compare_rules *rules, const char *word)
{
	const char *name = word;
	uint32_t from, to;
	char more;

	if (strcmp(word, "time") == 0) {
		rules->late_ns = UINT64_MAX;
		return 0;
	}
	if (strncmp(word, "time ", strlen("time ")) == 0)
		return timeline_parse_time(word + strlen("time "), &rules->late_ns);
	if (sscanf(word, "bytes %" SCNu32 "-%" SCNu32 "%c", &from, &to, &more) == 2 && from <= to) {
		if (rules->n_ranges == COMPARE_IGNORED_MAX)
			return -ENOSPC;
		rules->ranges[rules->n_ranges].from = from;
		rules->ranges[rules->n_ranges++].to = to;
		return 0;
	}
	while (strncmp(name, "inner.", strlen("inner.")) == 0)
		name += strlen("inner.");
	if (!dissect_is_name(name))
		return -EINVAL;
	if (rules->n_fields == COMPARE_IGNORED_MAX)
		return -ENOSPC;
	rules->fields[rules->n_fields++] = word;
	return 0;
}

static bool is_ignored(const struct compare_rules *rules, const struct dissect_field *field)
{
	char name[DISSECT_NAME_BYTES];

	dissect_name(field, name);
	for (unsigned int i = 0; i < rules->n_fields; i++) {
		if (strcmp(rules->fields[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_byte_ignored(const struct compare_rules *rules, uint32_t at)
{
	for (unsigned int i = 0; i < rules->n_ranges; i++) {
		if (at >= rules->ranges[i].from && at <= rules->ranges[i].to)
			return true;
	}
	return false;
}

/* The first byte of the field that counts and differs, or UINT32_MAX. */
static uint32_t find_byte(const struct packet *expected, const struct packet *seen,
			  const struct dissect_field *field, const struct compare_rules *rules)
{
	if (is_ignored(rules, field))
		return UINT32_MAX;
	for (uint32_t at = field->at; at < field->at + field->n && at < seen->len; at++) {
		if (expected->bytes[at] != seen->bytes[at] && !is_byte_ignored(rules, at))
			return at;
	}
	return UINT32_MAX;
}

static bool is_in_time(const struct packet *a, const struct packet *b,
		       const struct compare_rules *rules)
{
	return (a->time_ns > b->time_ns ? a->time_ns - b->time_ns : b->time_ns - a->time_ns) <=
	       rules->late_ns;
}

static bool has_rules_on_bytes(const struct compare_rules *rules)
{
	return rules->n_fields != 0 || rules->n_ranges != 0;
}

static bool is_same(const struct packet *a, const struct packet *b,
		    const struct compare_rules *rules)
{
	struct dissect dissect;

	if (!is_in_time(a, b, rules) || a->len != b->len)
		return false;
	if (memcmp(a->bytes, b->bytes, a->len) == 0)
		return true;
	if (!has_rules_on_bytes(rules))
		return false;
	dissect_frame(a->bytes, a->len, &dissect);
	for (unsigned int i = 0; i < dissect.n; i++) {
		if (find_byte(a, b, &dissect.fields[i], rules) != UINT32_MAX)
			return false;
	}
	return true;
}

/* "0.001000000" */
static void format_time(uint64_t time_ns, char text[TIME_BYTES])
{
	snprintf(text, TIME_BYTES, "%" PRIu64 ".%09" PRIu64, time_ns / NS_PER_S,
		 time_ns % NS_PER_S);
}

static json_t *describe(const struct packets *packets, size_t i)
{
	static const char digits[] = "0123456789abcdef";
	char time[TIME_BYTES], hex[2 * 256 + 1];
	const struct packet *packet;
	uint32_t n = 0;

	if (i >= packets->n)
		return json_null();
	packet = &packets->list[i];
	format_time(packet->time_ns, time);
	for (; n < packet->len && n < 256; n++) {
		hex[2 * n] = digits[packet->bytes[n] >> 4];
		hex[2 * n + 1] = digits[packet->bytes[n] & 15];
	}
	hex[2 * n] = '\0';
	return json_pack("{s:s, s:I, s:s}", "time", time, "bytes", (json_int_t)packet->len, "hex",
			 hex);
}

static void add_field(json_t *fields, const char *name, json_int_t byte, const char *expected,
		      const char *seen)
{
	json_t *field =
		json_pack("{s:s, s:s, s:s}", "field", name, "expected", expected, "seen", seen);

	if (byte >= 0)
		json_object_set_new(field, "byte", json_integer(byte));
	json_array_append_new(fields, field);
}

/* The fields in which two packets differ. */
static json_t *list_fields(const struct packet *expected, const struct packet *seen,
			   const struct compare_rules *rules)
{
	char name[DISSECT_NAME_BYTES], was[DISSECT_TEXT_BYTES], is[DISSECT_TEXT_BYTES];
	json_t *fields = json_array();
	struct dissect dissect;

	dissect_frame(expected->bytes, expected->len, &dissect);
	for (unsigned int i = 0; i < dissect.n; i++) {
		uint32_t at = find_byte(expected, seen, &dissect.fields[i], rules);

		if (at == UINT32_MAX)
			continue;
		dissect_name(&dissect.fields[i], name);
		dissect_value(&dissect.fields[i], expected->bytes, expected->len, was);
		dissect_value(&dissect.fields[i], seen->bytes, seen->len, is);
		add_field(fields, name, at, was, is);
	}
	if (expected->len != seen->len) {
		snprintf(was, sizeof(was), "%" PRIu32 " bytes", expected->len);
		snprintf(is, sizeof(is), "%" PRIu32 " bytes", seen->len);
		add_field(fields, "size", -1, was, is);
	}
	if (!is_in_time(expected, seen, rules)) {
		format_time(expected->time_ns, was);
		format_time(seen->time_ns, is);
		add_field(fields, "time", -1, was, is);
	}
	return fields;
}

struct walk {
	const struct packets *expected, *seen;
	const struct compare_rules *rules;
	const char *port;
	json_t *differences;
	size_t i, j; /* the next of either list */
	size_t n_told, n;
};

static void tell(struct walk *walk, const char *what, bool has_expected, bool has_seen)
{
	walk->n++;
	if (walk->n_told == COMPARE_TOLD_MAX)
		return;
	walk->n_told++;
	json_t *difference = json_pack("{s:s, s:s}", "port", walk->port, "what", what);

	if (has_expected) {
		json_object_set_new(difference, "packet", json_integer((json_int_t)walk->i + 1));
		json_object_set_new(difference, "expected", describe(walk->expected, walk->i));
	}
	if (has_seen) {
		json_object_set_new(difference, "seen_packet",
				    json_integer((json_int_t)walk->j + 1));
		json_object_set_new(difference, "seen", describe(walk->seen, walk->j));
	}
	if (has_expected && has_seen)
		json_object_set_new(difference, "fields",
				    list_fields(&walk->expected->list[walk->i],
						&walk->seen->list[walk->j], walk->rules));
	json_array_append_new(walk->differences, difference);
}

/* How far ahead in one list the next packet of the other is; 0: not within LOOK_AHEAD. */
static size_t distance(const struct packets *from, size_t at, const struct packet *wanted,
		       const struct compare_rules *rules)
{
	for (size_t k = 1; k <= LOOK_AHEAD && at + k < from->n; k++) {
		if (is_same(&from->list[at + k], wanted, rules))
			return k;
	}
	return 0;
}

static void step(struct walk *walk)
{
	bool has_expected = walk->i < walk->expected->n, has_seen = walk->j < walk->seen->n;
	size_t n_missing = 0, n_extra = 0;

	if (has_expected && has_seen) {
		const struct packet *expected = &walk->expected->list[walk->i];
		const struct packet *seen = &walk->seen->list[walk->j];

		if (is_same(expected, seen, walk->rules)) {
			walk->i++;
			walk->j++;
			return;
		}
		n_missing = distance(walk->expected, walk->i, seen, walk->rules);
		n_extra = distance(walk->seen, walk->j, expected, walk->rules);
		if (n_missing == 0 && n_extra == 0) {
			tell(walk, "changed", true, true);
			walk->i++;
			walk->j++;
			return;
		}
	}
	if (!has_seen || (n_missing != 0 && (n_extra == 0 || n_missing <= n_extra))) {
		tell(walk, "missing", true, false);
		walk->i++;
	} else {
		tell(walk, "unexpected", false, true);
		walk->j++;
	}
}

size_t compare_packets(const struct packets *expected, const struct packets *seen,
		       const struct compare_rules *rules, const char *port, json_t *differences)
{
	struct walk walk = {expected, seen, rules, port, differences, 0, 0, 0, 0};

	while (walk.i < expected->n || walk.j < seen->n)
		step(&walk);
	if (walk.n > walk.n_told)
		json_array_append_new(differences,
				      json_pack("{s:s, s:s, s:I}", "port", port, "what", "more",
						"count", (json_int_t)(walk.n - walk.n_told)));
	return walk.n;
}
