/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The segments that a trunk port carries by tag: a value that never changes, shared by the copies
 * of its port. Members stand in the order of their names. Pure; one thread.
 *
 *     trunk: {ALPHA: 10, BETA: own}      lab file, API; own: the segment's own vlan
 *     trunk=ALPHA:10,BETA                command line
 *
 * A peer carries segments by VNI: the same list without tags.
 *
 *     segments: [ALPHA, BETA]            lab file, API
 *     segments=ALPHA,BETA                command line
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

#define TRUNK_MEMBERS_MAX (DP_MEMBERS_MAX - 1) /* one place is the native segment's */

struct trunk_member {
	char segment[DP_NAME_BYTES];
	uint16_t vlan; /* 0: the segment's own */
};

struct trunk {
	unsigned int refs;
	unsigned int n_members;
	struct trunk_member members[];
};

/* Reads what a user wrote, one of the forms above. 0, or -EINVAL or -ENOMEM with one line. */
int trunk_parse(const json_t *json, struct trunk **trunk, char *why, size_t why_bytes);
json_t *trunk_format(const struct trunk *trunk); /* new reference; NULL: no memory */

/* The same of a list of names, which must have no tags. */
int trunk_parse_names(const json_t *json, struct trunk **trunk, char *why, size_t why_bytes);
json_t *trunk_format_names(const struct trunk *trunk);

/* NULL is legal in all of these. */
struct trunk *trunk_ref(struct trunk *trunk);
void trunk_unref(struct trunk *trunk);
bool trunk_is_same(const struct trunk *a, const struct trunk *b);
bool trunk_has(const struct trunk *trunk, const char *segment);
