/* SPDX-License-Identifier: BSD-3-Clause */
/* What a scenario changes while its packets are played, in the order of its times. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct timeline_event {
	uint64_t time_ns;
	const char *word;    /* the time as it was written; borrowed */
	const json_t *patch; /* borrowed */
};

struct timeline {
	struct timeline_event *events;
	size_t n;
};

/* Two years: the dataplane's rates count no further from 0. */
#define TIMELINE_NS_MAX (1ull << 56)

/* "1.5s", "250ms", "0.1us", "7ns", "2m", "1h": exact, at most TIMELINE_NS_MAX. 0 or -EINVAL. */
int timeline_parse_time(const char *word, uint64_t *time_ns);

/* {TIME: {...}, ...}, or NULL. 0, -ENOMEM, or -EINVAL with one line in `why`. `at` must stay. */
int timeline_parse(const json_t *at, struct timeline *timeline, char *why, size_t why_bytes);
void timeline_fini(struct timeline *timeline);

/* Lays a patch over a tree as RFC 7396 says: null takes away, objects are merged, the rest is put.
 * New reference; NULL: no memory. */
json_t *timeline_merge(const json_t *target, const json_t *patch);
