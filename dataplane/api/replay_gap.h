/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errors of gaps, counted in buckets: 8 for each doubling, so that what is read out of them is at
 * most an eighth too much. Pure.
 */
#pragma once

#include <stdint.h>

#include "dataplane/api/dp_msg.h"

/* The bucket of an error; the last one has all that are larger, too. */
unsigned int replay_gap_bucket(uint64_t error_ns);

/* The largest error of a bucket. */
uint64_t replay_gap_ns(unsigned int bucket);

/* No more than this have that many of a thousand gaps. 0: there are none. */
uint64_t replay_gap_permille(const uint64_t buckets[DP_REPLAY_BUCKETS], unsigned int permille);
