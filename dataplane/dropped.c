/* SPDX-License-Identifier: BSD-3-Clause */
/* See dropped.h. */
#include "dataplane/dropped.h"

#include <stdbool.h>
#include <string.h>

#include "dataplane/frame.h"

#define WINDOW_NS 1000000ULL

/* false: there were enough of late. */
static bool is_in_time(struct dropped *dropped, uint64_t now_ns)
{
	if (now_ns - dropped->window_ns >= WINDOW_NS) {
		dropped->window_ns = now_ns;
		dropped->n_in_window = 0;
	}
	return dropped->n_in_window++ < DROPPED_PER_MS;
}

/* A reader sees all of it, or that it has changed: the number is odd before the first word and even
 * again behind the last. */
static void write_entry(struct dropped_entry *entry, const struct dp_dropped_frame *frame)
{
	uint64_t sequence = atomic_load_explicit(&entry->sequence, memory_order_relaxed);
	uint64_t words[DROPPED_WORDS];

	memcpy(words, frame, sizeof(words));
	atomic_store_explicit(&entry->sequence, sequence + 1, memory_order_relaxed);
	/* Release of each: none of them is seen without the odd number. */
	for (unsigned int i = 0; i < DROPPED_WORDS; i++)
		atomic_store_explicit(&entry->words[i], words[i], memory_order_release);
	atomic_store_explicit(&entry->sequence, sequence + 2, memory_order_release);
}

void dropped_put(struct dropped *dropped, const struct frame *frame, uint64_t port_id,
		 uint32_t segment_id, uint8_t reason, uint64_t now_ns)
{
	unsigned int ring = port_id % DROPPED_RINGS;

	if (!is_in_time(dropped, now_ns)) {
		uint64_t skipped = atomic_load_explicit(&dropped->skipped, memory_order_relaxed);

		atomic_store_explicit(&dropped->skipped, skipped + 1, memory_order_relaxed);
		return;
	}
	struct dp_dropped_frame copy = {
		.time_ns = now_ns,
		.port_id = port_id,
		.segment_id = segment_id,
		.len = frame->len,
		.head_len = frame->head_len < FRAME_HEAD_BYTES ? frame->head_len : FRAME_HEAD_BYTES,
		.reason = reason,
	};

	memcpy(copy.head, frame->head, copy.head_len);
	write_entry(&dropped->entries[ring][dropped->next[ring]++ % DROPPED_PER_RING], &copy);
}

static bool read_entry(struct dropped_entry *entry, struct dp_dropped_frame *frame)
{
	uint64_t sequence = atomic_load_explicit(&entry->sequence, memory_order_acquire);
	uint64_t words[DROPPED_WORDS];

	if (sequence == 0 || sequence % 2 != 0)
		return false;
	for (unsigned int i = 0; i < DROPPED_WORDS; i++)
		words[i] = atomic_load_explicit(&entry->words[i], memory_order_acquire);
	memcpy(frame, words, sizeof(words));
	return atomic_load_explicit(&entry->sequence, memory_order_relaxed) == sequence;
}

void dropped_walk(struct dropped *dropped, dropped_fn fn, void *ctx)
{
	for (unsigned int ring = 0; ring < DROPPED_RINGS; ring++) {
		for (unsigned int i = 0; i < DROPPED_PER_RING; i++) {
			struct dp_dropped_frame frame;

			if (read_entry(&dropped->entries[ring][i], &frame))
				fn(ctx, &frame);
		}
	}
}
