/* SPDX-License-Identifier: BSD-3-Clause */
/* See segment_set.h. Main thread. */
#include "dataplane/segment_set.h"

#include <stdlib.h>
#include <string.h>

struct segment_set *segment_set_create(const uint16_t *segments, unsigned int n)
{
	struct segment_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	if (n == 0)
		memset(set->words, 0xff, sizeof(set->words));
	for (unsigned int i = 0; i < n; i++)
		set->words[segments[i] / SEGMENT_SET_WORD_BITS] |=
			1ULL << segments[i] % SEGMENT_SET_WORD_BITS;
	set->words[0] &= ~1ULL;
	return set;
}
