/* SPDX-License-Identifier: BSD-3-Clause */
/* See replay_gap.h. */
#include "dataplane/api/replay_gap.h"

#define SUB_BITS 3
#define SUBS (1u << SUB_BITS)

unsigned int replay_gap_bucket(uint64_t error_ns)
{
	if (error_ns < SUBS)
		return (unsigned int)error_ns;
	unsigned int exponent = 63 - (unsigned int)__builtin_clzll(error_ns);
	unsigned int sub = (unsigned int)(error_ns >> (exponent - SUB_BITS)) & (SUBS - 1);
	unsigned int bucket = (exponent - SUB_BITS + 1) * SUBS + sub;

	return bucket < DP_REPLAY_BUCKETS ? bucket : DP_REPLAY_BUCKETS - 1;
}

uint64_t replay_gap_ns(unsigned int bucket)
{
	if (bucket < SUBS)
		return bucket;
	unsigned int shift = bucket / SUBS - 1;

	return ((uint64_t)(SUBS + bucket % SUBS + 1) << shift) - 1;
}

uint64_t replay_gap_permille(const uint64_t buckets[DP_REPLAY_BUCKETS], unsigned int permille)
{
	uint64_t n = 0, sum = 0;

	for (unsigned int i = 0; i < DP_REPLAY_BUCKETS; i++)
		n += buckets[i];
	for (unsigned int i = 0; i < DP_REPLAY_BUCKETS; i++) {
		sum += buckets[i];
		if (sum != 0 && sum * 1000 >= n * permille)
			return replay_gap_ns(i);
	}
	return 0;
}
