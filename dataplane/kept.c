/* SPDX-License-Identifier: BSD-3-Clause */
/* See kept.h. */
#include "dataplane/kept.h"

#include <string.h>

#include "dataplane/frame.h"

#define WINDOW_NS 1000000ULL

bool kept_is_in_time(struct kept_pace *pace, uint32_t per_ms, uint64_t now_ns)
{
	if (now_ns - pace->window_ns >= WINDOW_NS) {
		pace->window_ns = now_ns;
		pace->n = 0;
	}
	if (pace->n == per_ms)
		return false;
	pace->n++;
	return true;
}

/* A reader sees all of it, or that it has changed: the number is odd before the first word and even
 * again behind the last. */
void kept_write(struct kept *kept, const struct frame *frame, const struct kept_as *as)
{
	uint64_t sequence = atomic_load_explicit(&kept->sequence, memory_order_relaxed);
	uint64_t words[KEPT_WORDS];
	struct dp_dropped_frame copy = {
		.time_ns = as->time_ns,
		.port_id = as->port_id,
		.segment_id = as->segment_id,
		.len = frame->len,
		.head_len = frame->head_len < FRAME_HEAD_BYTES ? frame->head_len : FRAME_HEAD_BYTES,
		.reason = as->reason,
	};

	memcpy(copy.head, frame->head, copy.head_len);
	memcpy(words, &copy, sizeof(words));
	atomic_store_explicit(&kept->sequence, sequence + 1, memory_order_relaxed);
	/* Release of each: none of them is seen without the odd number. */
	for (unsigned int i = 0; i < KEPT_WORDS; i++)
		atomic_store_explicit(&kept->words[i], words[i], memory_order_release);
	atomic_store_explicit(&kept->sequence, sequence + 2, memory_order_release);
}

bool kept_read(struct kept *kept, struct dp_dropped_frame *frame)
{
	uint64_t sequence = atomic_load_explicit(&kept->sequence, memory_order_acquire);
	uint64_t words[KEPT_WORDS];

	if (sequence == 0 || sequence % 2 != 0)
		return false;
	for (unsigned int i = 0; i < KEPT_WORDS; i++)
		words[i] = atomic_load_explicit(&kept->words[i], memory_order_acquire);
	memcpy(frame, words, sizeof(words));
	return atomic_load_explicit(&kept->sequence, memory_order_relaxed) == sequence;
}

void kept_walk(struct kept *kept, unsigned int n, kept_fn fn, void *ctx)
{
	for (unsigned int i = 0; i < n; i++) {
		struct dp_dropped_frame frame;

		if (kept_read(&kept[i], &frame))
			fn(ctx, &frame);
	}
}
