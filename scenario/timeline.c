/* SPDX-License-Identifier: BSD-3-Clause */
/* Times and patches. */
#include "scenario/timeline.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t unit_of(const char *word)
{
	static const struct {
		const char *word;
		uint64_t ns;
	} units[] = {{"ns", 1},
		     {"us", 1000},
		     {"ms", 1000000},
		     {"s", 1000000000ull},
		     {"m", 60000000000ull},
		     {"h", 3600000000000ull}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(units[i].word, word) == 0)
			return units[i].ns;
	}
	return 0;
}

int timeline_parse_time(const char *word, uint64_t *time_ns)
{
	const char *digit = word;
	uint64_t whole = 0, part = 0, scale = 1;

	for (; isdigit((unsigned char)*digit) && whole < TIMELINE_NS_MAX / 10; digit++)
		whole = whole * 10 + (uint64_t)(*digit - '0');
	if (digit == word)
		return -EINVAL;
	if (*digit == '.' && isdigit((unsigned char)digit[1])) {
		for (digit++; isdigit((unsigned char)*digit) && scale < 1000000000000000ull;
		     digit++) {
			part = part * 10 + (uint64_t)(*digit - '0');
			scale *= 10;
		}
	}
	uint64_t unit_ns = unit_of(digit);

	/* Finer than a nanosecond, or too long. */
	if (unit_ns == 0 || whole > TIMELINE_NS_MAX / unit_ns ||
	    (part != 0 && part > UINT64_MAX / unit_ns) || part * unit_ns % scale != 0)
		return -EINVAL;
	*time_ns = whole * unit_ns + part * unit_ns / scale;
	return *time_ns <= TIMELINE_NS_MAX ? 0 : -EINVAL;
}

static int by_time(const void *a, const void *b)
{
	const struct timeline_event *first = a, *second = b;

	return first->time_ns < second->time_ns ? -1 : first->time_ns > second->time_ns;
}

static int add_event(struct timeline *timeline, const char *word, const json_t *patch, char *why,
		     size_t why_bytes)
{
	struct timeline_event *event = &timeline->events[timeline->n++];

	event->word = word;
	event->patch = patch;
	if (timeline_parse_time(word, &event->time_ns) < 0) {
		snprintf(why, why_bytes,
			 "at: '%.40s' is no time; write a number with ns, us, ms, s, m or h", word);
		return -EINVAL;
	}
	if (!json_is_object(patch)) {
		snprintf(why, why_bytes, "at.%.40s: needs what changes, as {ports: {...}}", word);
		return -EINVAL;
	}
	return 0;
}

int timeline_parse(const json_t *at, struct timeline *timeline, char *why, size_t why_bytes)
{
	json_t *tree = (json_t *)(uintptr_t)at; /* cast: it is only read */
	const char *word;
	json_t *patch;

	*timeline = (struct timeline){0};
	if (at == NULL)
		return 0;
	if (!json_is_object(at)) {
		snprintf(why, why_bytes, "at: needs times, as {10ms: {...}}");
		return -EINVAL;
	}
	timeline->events = calloc(json_object_size(at) + 1, sizeof(timeline->events[0]));
	if (timeline->events == NULL)
		return -ENOMEM;
	json_object_foreach(tree, word, patch) {
		int error = add_event(timeline, word, patch, why, why_bytes);

		if (error < 0)
			return error;
	}
	qsort(timeline->events, timeline->n, sizeof(timeline->events[0]), by_time);
	for (size_t i = 1; i < timeline->n; i++) {
		if (timeline->events[i].time_ns != timeline->events[i - 1].time_ns)
			continue;
		snprintf(why, why_bytes, "at: %.40s and %.40s are one time; put them together",
			 timeline->events[i - 1].word, timeline->events[i].word);
		return -EINVAL;
	}
	return 0;
}

void timeline_fini(struct timeline *timeline)
{
	free(timeline->events);
	*timeline = (struct timeline){0};
}

json_t *timeline_merge(const json_t *target, const json_t *patch)
{
	json_t *from = (json_t *)(uintptr_t)patch; /* cast: it is only read */
	json_t *merged, *value;
	const char *key;

	if (!json_is_object(patch))
		return json_deep_copy(patch);
	merged = json_is_object(target) ? json_deep_copy(target) : json_object();
	json_object_foreach(from, key, value) {
		if (json_is_null(value))
			json_object_del(merged, key);
		else if (json_object_set_new(merged, key,
					     timeline_merge(json_object_get(merged, key), value)) <
			 0) {
			json_decref(merged);
			return NULL;
		}
	}
	return merged;
}
