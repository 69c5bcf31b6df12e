/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles of delays that were counted in buckets. Pure. */
#include "control/delays.h"

#define NS_PER_US 1000
#define PER_OCTAVE 4 /* buckets to each power of two */

uint64_t delays_begin_ns(unsigned int bucket)
{
	if (bucket == 0)
		return 0;
	/* In quarters of a power of two of microseconds. */
	return ((uint64_t)(PER_OCTAVE + bucket % PER_OCTAVE) << (bucket / PER_OCTAVE)) * NS_PER_US /
	       PER_OCTAVE;
}

uint64_t delays_quantile_ns(const uint64_t counts[COUNTERS_DELAYS], unsigned int permille)
{
	uint64_t n = 0, before = 0;

	for (unsigned int i = 0; i < COUNTERS_DELAYS; i++)
		n += counts[i];
	/* Double: what is interpolated is no more exact than that. */
	double rank = (double)n * permille / 1000;
	for (unsigned int i = 0; i < COUNTERS_DELAYS; i++) {
		if (counts[i] != 0 && (double)(before + counts[i]) >= rank) {
			uint64_t begin_ns = delays_begin_ns(i);
			double part = (rank - (double)before) / (double)counts[i];

			return begin_ns +
			       (uint64_t)((double)(delays_begin_ns(i + 1) - begin_ns) * part);
		}
		before += counts[i];
	}
	return 0;
}
