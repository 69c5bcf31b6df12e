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

/* Frame n of the burst, if the buffer that was looked at is of a size that a frame can have. */
static inline bool take_buffer(struct ring *ring, struct burst *burst, unsigned int n,
			       const struct ring_packed_ahead *ahead, unsigned int i)
{
	struct frame *frame = &burst->frames[n];

	if (__builtin_expect(ahead->bytes[i] - ring->header_bytes > FRAME_BYTES_MAX, 0))
		return false;
	ring_frame_start(frame);
	ring_frame_from_buffer(ring, burst, frame, ahead->at[i], ahead->bytes[i]);
	ring->packed.journal->entries[n] =
		(struct ring_journal_entry){.id = ahead->id[i], .slots = 1};
	return true;
}

/* Frame n of the burst; false: there is none, or its pieces have no room in this one. */
static bool take_frame(struct ring *ring, struct burst *burst, unsigned int n,
		       struct ring_packed_ahead *ahead)
{
	struct frame *frame = &burst->frames[n];
	uint16_t next = ring->packed.next;
	unsigned int i = ahead->next++;

	if (i < ahead->n && take_buffer(ring, burst, n, ahead, i))
		return true;
	/* A chain can take many pieces: the rest waits for the next burst. */
	if (burst->n_pieces + FRAME_PIECES_MAX + BURST_FRAMES > BURST_PIECES ||
	    !ring_packed_is_offered(ring_packed_flags(ring, next), next))
		return false;
	ahead->n = 0; /* what follows starts elsewhere */
	ring_frame_start(frame);
	take_chain(ring, burst, frame, &ring->packed.journal->entries[n]);
	return true;
}

/* Frames n to max of the burst, as far as they are in buffers that were looked at; returns how many
 * it has then. */
static inline unsigned int take_buffers(struct ring *ring, struct burst *burst,
					struct ring_packed_ahead *ahead, unsigned int n,
					unsigned int max)
{
	const unsigned int before = n;
	unsigned int i = ahead->next;

	for (; i < ahead->n && n < max && take_buffer(ring, burst, n, ahead, i); i++)
		n++;
	ahead->next = i;
	ring->packed.next = ring_packed_step(ring, ring->packed.next, n - before);
	return n;
}

static inline bool is_next_offered(const struct ring *ring)
{
	uint16_t next = ring->packed.next;

	return ring_packed_is_offered(ring_packed_flags(ring, next), next);
}

/* What is offered behind the n frames taken, in frames of as many slots as the last: an estimate.
 * Offered slots lie in a row, so where they end is found by halving; at most the ring's size. If
 * that does not matter, 1 stands for all. */
static uint32_t count_left(const struct ring *ring, unsigned int n, bool matters)
{
	unsigned int slots = n != 0 ? ring->packed.journal->entries[n - 1].slots : 1;
	unsigned int offered = 0, end = ring->size;
	uint16_t next = ring->packed.next;

	if (!is_next_offered(ring))
		return 0;
	while (matters && offered + 1 < end) {
		unsigned int middle = (offered + end) / 2;
		uint16_t at = ring_packed_step(ring, next, middle);

		if (ring_packed_is_offered(ring_packed_flags(ring, at), at))
			offered = middle;
		else
			end = middle;
	}
	return (offered + slots) / slots;
}

/* Returns how many frames the burst has then, without what breaks the ring. */
static __attribute__((noinline)) unsigned int take_all(struct ring *ring, struct burst *burst,
						       struct ring_packed_ahead *ahead)
{
	const struct ring_journal_entry *entries = ring->packed.journal->entries;
	unsigned int n = 0;

	while (n < BURST_FRAMES) {
		if (ahead->next >= ahead->n)
			ring_packed_look_ahead(ring, BURST_FRAMES - n, 0, ahead);
		unsigned int before = n;

		n = take_buffers(ring, burst, ahead, n, BURST_FRAMES);
		if (n != before)
			continue;
		if (!take_frame(ring, burst, n, ahead) ||
		    __builtin_expect(burst->frames[n].drop == DROP_BAD_CHAIN, 0))
			break;
		ring->packed.next = ring_packed_step(ring, ring->packed.next, entries[n++].slots);
	}
	return n;
}

/* The same one by one, within a budget. */
static __attribute__((noinline)) unsigned int take_each(struct ring *ring, struct burst *burst,
							struct ring_packed_ahead *ahead,
							struct ring_budget *budget, unsigned int n)
{
	enum ring_budget_step step = RING_BUDGET_MORE;

	for (; n < budget->frames && budget->bytes > 0 && step == RING_BUDGET_MORE; n++) {
		if (ahead->next >= ahead->n)
			ring_packed_look_ahead(ring, budget->frames - n, 0, ahead);
		if (!take_frame(ring, burst, n, ahead))
			break;
		step = ring_budget_take(budget, burst, n);
		if (step == RING_BUDGET_STAYS || burst->frames[n].drop == DROP_BAD_CHAIN)
			break;
		ring->packed.next = ring_packed_step(ring, ring->packed.next,
						     ring->packed.journal->entries[n].slots);
	}
	return n;
}

/* What lies in plain buffers and fits as a whole, then one by one. */
static unsigned int take_within(struct ring *ring, struct burst *burst,
				struct ring_packed_ahead *ahead)
{
	struct ring_budget budget = ring_budget(burst);
	unsigned int n = 0;

	if (budget.bytes <= 0 || budget.frames == 0 || !is_next_offered(ring))
		return 0;
	ring_packed_look_ahead(ring, budget.frames, 0, ahead);
	if (ring_budget_pass(&budget, ahead->bytes, ahead->n, ring->header_bytes)) {
		/* Nothing that was not reckoned: who reads a length again finds another. */
		n = take_buffers(ring, burst, ahead, 0, ahead->n);
		/* As a rule that was all. */
		if (n == budget.frames || !is_next_offered(ring))
			return n;
		ring_budget_spend(&budget, burst, n);
	}
	return take_each(ring, burst, ahead, &budget, n);
}

void ring_packed_take(struct ring *ring, struct burst *burst)
{
	struct ring_packed_ahead ahead; /* filled as far as it is used: it is large */
	unsigned int n;

	if (ring_notify_is_broken(ring))
		return;
	if (__builtin_expect(ring->packed.next == ring->packed.lost_from, 0))
		ring_packed_skip_lost(ring);
	ahead.n = ahead.next = 0;
	n = __builtin_expect(!burst->has_budget, 1) ? take_all(ring, burst, &ahead)
						    : take_within(ring, burst, &ahead);
	/* What broke the ring is counted, and stays where it is: nobody knows where it ends. */
	ring->n_taken = n;
	burst->n = n + ring_notify_is_broken(ring);
	if (burst->has_budget && !ring_notify_is_broken(ring))
		burst->n_left = count_left(ring, n, burst->counts_left);
	burst->attention |= atomic_load_explicit(&ring->memory->faulted, memory_order_relaxed);
}
