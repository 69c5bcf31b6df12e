/* SPDX-License-Identifier: BSD-3-Clause */
/* Delays counted in the buckets of counters.h: what part of them was within which time. Pure. */
#pragma once

#include <stdint.h>

#include "dataplane/api/counters.h"

/* Where a bucket begins; of COUNTERS_DELAYS: where the last one ends, as far as it is drawn. The
 * first begins at 0: it holds those below a microsecond too. */
uint64_t delays_begin_ns(unsigned int bucket);

/* The delay that so many thousandths of all were within, as if those of a bucket lay evenly in it;
 * 0 if there are none. */
uint64_t delays_quantile_ns(const uint64_t counts[COUNTERS_DELAYS], unsigned int permille);
