/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of segments: what frames may do in one. */
#pragma once

#include "dataplane/api/options.h"

/* Segments are of one kind, so this set has no common rows. */
extern const struct option_set segment_options;

/* A choice of what happens to a frame, in this order in every row that has it. */
enum segment_action {
	SEGMENT_FLOOD,
	SEGMENT_DROP,
};
