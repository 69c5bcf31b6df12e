/* SPDX-License-Identifier: BSD-3-Clause */
/* Split ring, frames that the guest sends: take them, give their buffers back. Worker threads. */
#include <errno.h>
#include <sys/eventfd.h>

#include "dataplane/vhost/ring.h"
#include "dataplane/vhost/ring_ahead.h"
#include "dataplane/vhost/ring_budget.h"
#include "dataplane/vhost/ring_chain.h"
#include "dataplane/vhost/ring_frame.h"
#include "dataplane/vhost/ring_notify.h"
#include "dataplane/vhost/ring_packed.h"

void ring_init(struct ring *ring, const struct session_ring *config, uint32_t caps,
	       struct ring_journal *journal)
{
	const uint64_t wide =
		VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF);

	*ring = (struct ring){
		.desc = config->desc,
		.avail = config->avail,
		.used = config->used,
		.memory = config->memory,
		.size = (uint16_t)config->size,
		.mask = (uint16_t)(config->size - 1),
		/* VIRTIO 1.2, 5.1.6: num_buffers is there with either of the two. */
		.header_bytes = (config->features & wide) != 0 ? 12 : 10,
		.is_mergeable = (config->features & VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF)) != 0,
		.has_event_idx = (config->features & VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX)) != 0,
		.caps = caps,
		.call_fd = config->call_fd,
		.next_avail = config->base,
		/* Buffers are given back in the order they were taken, and none is out while a ring
		 * stands still: so both indices are the same. */
		.next_used = config->base,
		.called_used = config->base,
	};
	if ((config->features & VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)) != 0) {
		ring_packed_init(ring, config, journal);
		return;
	}
	/* A front-end that reconnects after weft went away restores its own idea of the base from
	 * the used index, so this changes nothing then; after a reset both are 0. */
	atomic_store_explicit((_Atomic uint16_t *)&ring->used->idx, config->base,
			      memory_order_release);
	ring_notify_log(ring);
	ring_disarm(ring);
}

/* The frame's header and first bytes, from a chain of any shape. */
static void fill_from_chain(struct ring *ring, struct burst *burst, struct frame *frame,
			    uint16_t id)
{
	struct iovec *pieces = &burst->pieces[burst->n_pieces];
	unsigned int n;
	uint64_t total;
	const char *why = ring_chain_collect(ring, id, 0, pieces, FRAME_PIECES_MAX, &n, &total);

	if (why == NULL) {
		ring_frame_from_pieces(ring, burst, frame, n, total);
		return;
	}
	ring_notify_break(ring, burst, why);
	ring_frame_fail(frame, DROP_BAD_CHAIN);
}

/* One buffer of a size that a frame can have; of none, `bytes` is 0. */
static inline bool is_buffer(const struct ring *ring, uint32_t bytes)
{
	return bytes - ring->header_bytes <= FRAME_BYTES_MAX;
}

/* Frame i of the burst. false: its pieces have no room in this one. */
static inline bool take_frame(struct ring *ring, struct burst *burst,
			      const struct ring_ahead *ahead, unsigned int i)
{
	struct frame *frame = &burst->frames[i];

	ring_frame_start(frame);
	if (__builtin_expect(is_buffer(ring, ahead->bytes[i]), 1)) {
		ring_frame_from_buffer(ring, burst, frame, ahead->at[i], ahead->bytes[i]);
		return true;
	}
	/* A chain can take many pieces: the rest waits for the next burst. */
	if (burst->n_pieces + FRAME_PIECES_MAX + BURST_FRAMES > BURST_PIECES)
		return false;
	fill_from_chain(ring, burst, frame, ahead->id[i]);
	return true;
}

/* Both return the frames taken; what breaks the ring is the last of them. */
static inline unsigned int take_all(struct ring *ring, struct burst *burst,
				    const struct ring_ahead *ahead)
{
	unsigned int n = 0;

	while (n < ahead->n && take_frame(ring, burst, ahead, n)) {
		if (__builtin_expect(burst->frames[n++].drop == DROP_BAD_CHAIN, 0))
			break;
	}
	return n;
}

/* The same one by one, within a budget. */
static __attribute__((noinline)) unsigned int take_each(struct ring *ring, struct burst *burst,
							const struct ring_ahead *ahead)
{
	struct ring_budget budget = ring_budget(burst);
	enum ring_budget_step step = RING_BUDGET_MORE;
	unsigned int n = 0;

	if (budget.bytes <= 0)
		return 0;
	while (n < ahead->n && step == RING_BUDGET_MORE && take_frame(ring, burst, ahead, n)) {
		step = ring_budget_take(&budget, burst, n);
		if (step == RING_BUDGET_STAYS)
			break;
		if (burst->frames[n++].drop == DROP_BAD_CHAIN)
			break;
	}
	return n;
}

/* Leaves those beyond the number of frames that the budget has. Do all others fit into it? */
static inline bool fits(const struct ring *ring, const struct burst *burst,
			struct ring_ahead *ahead)
{
	struct ring_budget budget = ring_budget(burst);

	if (ahead->n > budget.frames)
		ahead->n = budget.frames;
	return ahead->is_plain &&
	       ring_budget_pass(&budget, ahead->bytes, ahead->n, ring->header_bytes);
}

void ring_take(struct ring *ring, struct burst *burst)
{
	if (ring->is_packed) {
		ring_packed_take(ring, burst);
		return;
	}
	struct ring_ahead ahead; /* filled as far as it is used: it is large */
	uint16_t waiting = (uint16_t)(ring_notify_avail(ring) - ring->next_avail);
	unsigned int n = waiting < BURST_FRAMES ? waiting : BURST_FRAMES;

	if (waiting == 0 || ring_notify_is_broken(ring))
		return;
	if (waiting > ring->size) {
		ring_notify_break(ring, burst, "available index jumped by more than the ring");
		return;
	}
	ahead.id = ring->taken;
	ring_ahead(ring, n, 0, &ahead);
	if (ahead.n < n)
		ring_notify_break(ring, burst, "descriptor index beyond the ring");
	/* One loop for both, as a rule. */
	n = __builtin_expect(!burst->has_budget || fits(ring, burst, &ahead), 1)
		    ? take_all(ring, burst, &ahead)
		    : take_each(ring, burst, &ahead);
	burst->n = n;
	burst->n_left = burst->has_budget ? (uint32_t)waiting - n : 0;
	ring->n_taken = n;
	ring->next_avail = (uint16_t)(ring->next_avail + n);
	burst->attention |= atomic_load_explicit(&ring->memory->faulted, memory_order_relaxed);
}

void ring_complete(struct ring *ring)
{
	bool is_call_due;

	if (ring->is_packed) {
		is_call_due = ring_packed_publish(ring, ring->n_taken);
	} else {
		for (unsigned int i = 0; i < ring->n_taken; i++)
			ring_notify_use(ring, (uint16_t)(ring->next_used + i), ring->taken[i], 0);
		is_call_due = ring_notify_publish(ring, ring->n_taken);
	}
	ring->n_taken = 0;
	if (is_call_due)
		ring_call(ring);
}

bool ring_arm(struct ring *ring)
{
	if (ring->is_packed)
		return ring_packed_arm(ring);
	if (ring_notify_is_broken(ring))
		return true;
	if (ring->has_event_idx)
		ring_notify_avail_event(ring, ring->next_avail);
	else
		ring_notify_flags(ring, 0);
	/* The guest looks at what we wrote after it has added; we look at what it added after we
	 * have written: one of the two sees the other. */
	atomic_thread_fence(memory_order_seq_cst);
	return ring_notify_avail(ring) == ring->next_avail;
}

void ring_disarm(struct ring *ring)
{
	/* With event indices there is nothing to do: the index named at the last arming stays
	 * behind. */
	if (ring->is_packed)
		ring_packed_disarm(ring);
	else if (!ring->has_event_idx)
		ring_notify_flags(ring, VRING_USED_F_NO_NOTIFY);
}

const char ring_call_blocked[] = "the call descriptor was made to block";

void ring_call(struct ring *ring)
{
	/* Full to the brim (EAGAIN) is called, too. */
	if (eventfd_write(ring->call_fd, 1) < 0 && errno == EINTR)
		atomic_store_explicit(&ring->broken, ring_call_blocked, memory_order_release);
}
