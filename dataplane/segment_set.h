/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets of segments: those that a peer has. A set is a value: main makes a new one for every change
 * and frees the old one after a grace period; to a worker it is one bit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/segment.h"

#define SEGMENT_SET_WORD_BITS 64

struct segment_set {
	uint64_t words[SEGMENTS_MAX / SEGMENT_SET_WORD_BITS];
};

/* Of n indices; none: of every segment that there is and ever will be. NULL: no memory. Freed by
 * free(). Main. */
struct segment_set *segment_set_create(const uint16_t *segments, unsigned int n);

/* 0 is no segment, and in no set. Any thread. */
static inline bool segment_set_has(const struct segment_set *set, uint16_t segment)
{
	return segment < SEGMENTS_MAX && (set->words[segment / SEGMENT_SET_WORD_BITS] >>
						  segment % SEGMENT_SET_WORD_BITS &
					  1) != 0;
}
