/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed ring, frames that the guest sends: take them. Worker threads. */
#include <rte_common.h>

#include "dataplane/vhost/ring_budget.h"
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

/* What is offered behind the last frame taken, in frames of as many slots as that one: an estimate.
 * Offered slots lie in a row, so where they end is found by halving; at most the ring's size. If that
 * does not matter, 1 stands for all. */
static uint32_t count_left(const struct ring *ring, unsigned int slots_per_frame, bool matters)
{
	unsigned int offered = 0, end = ring->size;
	uint16_t next = ring->packed.next;

	if (!ring_packed_is_offered(ring_packed_flags(ring, next), next))
		return 0;
	while (matters && offered + 1 < end) {
		unsigned int middle = (offered + end) / 2;
		uint16_t at = ring_packed_step(ring, next, middle);

		if (ring_packed_is_offered(ring_packed_flags(ring, at), at))
			offered = middle;
		else
			end = middle;
	}
	return (offered + slots_per_frame) / slots_per_frame;
}

/* Returns the frames taken, without what breaks the ring. is_limited: by a budget; a constant. */
__rte_always_inline static unsigned int take_frames(struct ring *ring, struct burst *burst,
						    const bool is_limited,
						    unsigned int *slots_per_frame)
{
	struct ring_budget budget = ring_budget(burst);
	enum ring_budget_step step = RING_BUDGET_MORE;
	struct ring_packed_ahead ahead; /* filled as far as it is used: it is large */
	const unsigned int max = is_limited ? budget.frames : BURST_FRAMES;
	bool is_checked = !is_limited;
	unsigned int n;

	ahead.n = ahead.next = 0;
	for (n = 0; n < max && step == RING_BUDGET_MORE; n++) {
		struct frame *frame = &burst->frames[n];
		struct ring_journal_entry *entry = &ring->packed.journal->entries[n];

		if (ahead.next >= ahead.n) {
			if (is_limited && budget.bytes <= 0)
				break;
			ring_packed_look_ahead(ring, max - n, 0, &ahead);
			if (is_limited)
				is_checked = ring_budget_pass(&budget, ahead.bytes, ahead.n,
							      ring->header_bytes);
		}
		if (!take_frame(ring, burst, frame, &ahead, entry))
			break;
		if (!is_checked)
			step = ring_budget_take(&budget, burst, n);
		if (step == RING_BUDGET_STAYS)
			break;
		if (__builtin_expect(frame->drop == DROP_BAD_CHAIN, 0))
			break;
		*slots_per_frame = entry->slots;
		ring->packed.next = ring_packed_step(ring, ring->packed.next, entry->slots);
	}
	return n;
}

void ring_packed_take(struct ring *ring, struct burst *burst)
{
	unsigned int n, slots_per_frame = 1;

	if (ring_notify_is_broken(ring))
		return;
	n = __builtin_expect(!burst->has_budget, 1)
		    ? take_frames(ring, burst, false, &slots_per_frame)
		    : take_frames(ring, burst, true, &slots_per_frame);
	/* What broke the ring is counted, and stays where it is: nobody knows where it ends. */
	ring->n_taken = n;
	burst->n = n + ring_notify_is_broken(ring);
	if (burst->has_budget && !ring_notify_is_broken(ring))
		burst->n_left = count_left(ring, slots_per_frame, burst->counts_left);
	burst->attention |= atomic_load_explicit(&ring->memory->faulted, memory_order_relaxed);
}
