/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two lists of packets: what was expected and what came. They are laid side by side, so that one
 * packet that is missing does not make all behind it differ; the first differences are told field
 * by field. Pure.
 */
#pragma once

#include <jansson.h>

#include "scenario/packets.h"

#define COMPARE_IGNORED_MAX 32
#define COMPARE_TOLD_MAX 10 /* differences of a port that are told; the rest is counted */

/* What may vary. */
struct compare_rules {
	uint64_t late_ns; /* by so much a packet may come earlier or later */
	unsigned int n_fields;
	const char *fields[COMPARE_IGNORED_MAX]; /* names as dissect_name() gives them */
	unsigned int n_ranges;
	struct {
		uint32_t from, to; /* both belong to it */
	} ranges[COMPARE_IGNORED_MAX];
};

/* One word of a scenario's `ignore`: "time", "time 50us", "ipv4.id", "inner.udp.checksum", "bytes
 * 40-43". The word must stay. 0, -EINVAL: not known, or -ENOSPC: too many. */
int compare_add_rule(struct compare_rules *rules, const char *word);

/* Appends to `differences` an object for each of the first COMPARE_TOLD_MAX:
 *
 *   {port, what: changed|missing|unexpected, packet, seen_packet, byte, fields: [{field, byte,
 *    expected, seen}], expected: {time, bytes, hex}, seen: {...}}
 *
 * and one {port, what: more, count} for the others. Returns how many packets differ. */
size_t compare_packets(const struct packets *expected, const struct packets *seen,
		       const struct compare_rules *rules, const char *port, json_t *differences);
