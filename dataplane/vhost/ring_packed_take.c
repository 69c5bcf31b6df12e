/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed ring, frames that the guest sends: take them. Worker threads. */
#include "dataplane/vhost/ring_chain.h"
#include "dataplane/vhost/ring_frame.h"
#include "dataplane/vhost/ring_notify.h"
#include "dataplane/vhost/ring_packed.h"

/* A chain of any shape. */
static void take_chain(struct ring *ring, struct burst *burst, struct frame *frame,
		       struct ring_journal_entry *entry)
{
	unsigned int n;
	uint64_t total;
	const char *why =
		ring_packed_collect(ring, ring->packed.next, 0, &burst->pieces[burst->n_pieces],
				    FRAME_PIECES_MAX, &n, &total, entry);

	if (why == NULL) {
		ring_frame_from_pieces(ring, burst, frame, n, total);
		return;
	}
	ring_notify_break(ring, burst, why);
	ring_frame_fail(frame, DROP_BAD_CHAIN);
}

/* The next frame; false: there is none, or its pieces have no room in this burst. */
static bool take_frame(struct ring *ring, struct burst *burst, struct frame *frame,
		       struct ring_packed_ahead *ahead, struct ring_journal_entry *entry)
{
	uint16_t next = ring->packed.next;
	unsigned int i = ahead->next;

	if (burst->n_pieces + FRAME_PIECES_MAX > BURST_PIECES)
		return false;
	if (i < ahead->n && ahead->bytes[i] - ring->header_bytes <= FRAME_BYTES_MAX) {
		ring_frame_start(frame);
		ring_frame_from_buffer(ring, burst, frame, ahead->at[i], ahead->bytes[i]);
		*entry = (struct ring_journal_entry){.id = ahead->id[i], .slots = 1};
	} else {
		if (!ring_packed_is_offered(ring_packed_flags(ring, next), next))
			return false;
		ring_frame_start(frame);
		take_chain(ring, burst, frame, entry);
	}
	ahead->next++;
	return true;
}

void ring_packed_take(struct ring *ring, struct burst *burst)
{
	struct ring_packed_ahead ahead; /* filled as far as it is used: it is large */
	unsigned int n;

	if (ring_notify_is_broken(ring))
		return;
	ahead.n = ahead.next = 0;
	for (n = 0; n < BURST_FRAMES; n++) {
		struct frame *frame = &burst->frames[n];
		struct ring_journal_entry *entry = &ring->packed.journal->entries[n];

		if (ahead.next >= ahead.n)
			ring_packed_look_ahead(ring, BURST_FRAMES - n, 0, &ahead);
		if (!take_frame(ring, burst, frame, &ahead, entry))
			break;
		if (__builtin_expect(frame->drop == DROP_BAD_CHAIN, 0))
			break;
		ring->packed.next = ring_packed_step(ring, ring->packed.next, entry->slots);
	}
	/* What broke the ring is counted, and stays where it is: nobody knows where it ends. */
	ring->n_taken = n;
	burst->n = n + ring_notify_is_broken(ring);
	burst->attention |= atomic_load_explicit(&ring->memory->faulted, memory_order_relaxed);
}
