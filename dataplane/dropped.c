/* SPDX-License-Identifier: BSD-3-Clause */
/* See dropped.h. */
#include "dataplane/dropped.h"

void dropped_put(struct dropped *dropped, const struct frame *frame, const struct kept_as *as)
{
	unsigned int ring = as->port_id % DROPPED_RINGS;

	if (!kept_is_in_time(&dropped->pace, DROPPED_PER_MS, as->time_ns)) {
		uint64_t skipped = atomic_load_explicit(&dropped->skipped, memory_order_relaxed);

		atomic_store_explicit(&dropped->skipped, skipped + 1, memory_order_relaxed);
		return;
	}
	kept_write(&dropped->entries[ring][dropped->next[ring]++ % DROPPED_PER_RING], frame, as);
}

void dropped_walk(struct dropped *dropped, kept_fn fn, void *ctx)
{
	kept_walk(dropped->entries[0], DROPPED_RINGS * DROPPED_PER_RING, fn, ctx);
}
