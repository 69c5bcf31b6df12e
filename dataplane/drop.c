/* SPDX-License-Identifier: BSD-3-Clause */
/* See drop.h. Worker threads. */
#include "dataplane/drop.h"

#include "dataplane/recorder.h"

void drop_frame(struct recorder *recorder, struct counters_block *count, const struct frame *frame,
		enum drop_reason reason)
{
	count->drops[reason]++;
	if (recorder != NULL)
		recorder_drop(recorder, count, frame, reason);
}

void drop_frames(const struct burst *burst, struct counters_block *count, const uint8_t *order,
		 unsigned int n, enum drop_reason reason)
{
	for (unsigned int i = 0; i < n; i++)
		drop_frame(burst->recorder, count, &burst->frames[order[i]], reason);
}
