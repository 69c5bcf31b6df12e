/* SPDX-License-Identifier: BSD-3-Clause */
/* Split ring, frames that the guest receives: fill its buffers. Worker threads. */
#include "dataplane/api/counters.h"
#include "dataplane/drop.h"
#include "dataplane/vhost/ring.h"
#include "dataplane/vhost/ring_ahead.h"
#include "dataplane/vhost/ring_chain.h"
#include "dataplane/vhost/ring_frame.h"
#include "dataplane/vhost/ring_notify.h"
#include "dataplane/vhost/ring_packed.h"

/* Pieces of buffers that one frame may fill: 64 KiB in buffers of 1,526 bytes need 43. */
#define PUT_PIECES_MAX (2 * FRAME_PIECES_MAX)

/* The buffers that the guest offers, from next_avail on. */
struct offer {
	uint16_t n;		 /* entries offered */
	uint16_t used;		 /* entries that frames have taken */
	struct ring_ahead ahead; /* the first of them */
	uint16_t id[BURST_FRAMES];
};

/* Buffers collected for one frame. */
struct room {
	struct iovec pieces[PUT_PIECES_MAX];
	unsigned int n_pieces;
	uint64_t bytes;
	uint16_t n_entries;
	uint16_t id[PUT_PIECES_MAX];
	uint64_t entry_bytes[PUT_PIECES_MAX];
};

/* Collects as many buffers as `need` bytes take. DROP_NONE, or why not; a broken ring is marked. */
static enum drop_reason make_room(struct ring *ring, struct burst *burst, const struct offer *offer,
				  uint64_t need, struct room *room)
{
	room->n_pieces = room->n_entries = 0;
	room->bytes = 0;
	while (room->bytes < need) {
		uint16_t entry = (uint16_t)(offer->used + room->n_entries);
		unsigned int n = 0, max = PUT_PIECES_MAX - room->n_pieces;
		const char *why;

		if (entry >= offer->n || max == 0 || (room->n_entries != 0 && !ring->is_mergeable))
			return DROP_RING_FULL;
		uint16_t id = ring_notify_entry(ring, (uint16_t)(ring->next_avail + entry));
		uint64_t bytes = 0;

		if (id >= ring->size)
			why = "descriptor index beyond the ring";
		else
			why = ring_chain_collect(
				ring, id, VRING_DESC_F_WRITE, &room->pieces[room->n_pieces],
				max < FRAME_PIECES_MAX ? max : FRAME_PIECES_MAX, &n, &bytes);
		/* No place left for the pieces of a buffer that is sound by itself. */
		if (why != NULL && n == max && max < FRAME_PIECES_MAX)
			return DROP_RING_FULL;
		if (why == NULL && bytes < ring->header_bytes)
			why = "receive buffer smaller than the virtio-net header";
		if (why != NULL) {
			ring_notify_break(ring, burst, why);
			return DROP_BAD_CHAIN;
		}
		room->id[room->n_entries] = id;
		room->entry_bytes[room->n_entries++] = bytes;
		room->n_pieces += n;
		room->bytes += bytes;
	}
	return DROP_NONE;
}

/* The general way: chains, buffers that are too small, several buffers for one frame. */
static enum drop_reason put_scattered(struct ring *ring, struct burst *burst,
				      const struct frame *frame, struct offer *offer)
{
	struct room room;
	uint64_t left = ring->header_bytes + frame->len;
	enum drop_reason reason = make_room(ring, burst, offer, left, &room);

	if (reason != DROP_NONE)
		return reason;
	ring_frame_to_pieces(ring, frame, room.pieces, room.n_entries);
	for (unsigned int i = 0; i < room.n_entries; i++) {
		uint64_t bytes = room.entry_bytes[i] < left ? room.entry_bytes[i] : left;

		ring_notify_use(ring, (uint16_t)(ring->next_used + offer->used + i), room.id[i],
				(uint32_t)bytes);
		left -= bytes;
	}
	offer->used = (uint16_t)(offer->used + room.n_entries);
	return DROP_NONE;
}

/* Every frame that is not a plain head for a plain buffer. */
static __attribute__((noinline)) enum drop_reason put_frame(struct ring *ring, struct burst *burst,
							    const struct frame *frame,
							    struct offer *offer)
{
	const struct ring_ahead *ahead = &offer->ahead;
	uint32_t need = ring->header_bytes + frame->len;
	uint16_t entry = offer->used;

	if (ring_notify_is_broken(ring))
		return DROP_PORT_DOWN;
	if (!offload_fits(frame, ring->caps))
		return DROP_NO_OFFLOAD;
	if (entry == offer->n)
		return DROP_RING_FULL;
	if (entry >= ahead->n || ahead->bytes[entry] < need)
		return put_scattered(ring, burst, frame, offer);
	ring_frame_to_buffer(ring, frame, ahead->at[entry]);
	ring_notify_use(ring, (uint16_t)(ring->next_used + entry), offer->id[entry], need);
	offer->used++;
	return DROP_NONE;
}

/* The frames that come first, as far as they are without offloads and all head, and meet buffers
 * that take them whole: short copies. Returns how many they are, adds up their bytes. */
static inline unsigned int put_heads(struct ring *ring, const struct burst *burst,
				     const uint8_t *order, unsigned int n, struct offer *offer,
				     uint64_t *bytes)
{
	const struct ring_ahead *ahead = &offer->ahead;
	const unsigned int before = offer->used, n_left = ahead->n > before ? ahead->n - before : 0;
	const unsigned int max = n < n_left ? n : n_left;
	/* What the compiler would read again after each copy. */
	struct vring_used_elem *const used = ring->used->ring;
	const unsigned int next_used = ring->next_used + before, mask = ring->mask;
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < max; i++) {
		const struct frame *frame = &burst->frames[order[i]];
		const uint32_t len = frame->len, need = (uint32_t)sizeof(frame->vnet) + len;
		unsigned int offloads = frame->vnet.hdr.flags | frame->vnet.hdr.gso_type;

		if (__builtin_expect(ahead->bytes[before + i] < need, 0) ||
		    __builtin_expect((frame->n_iov | offloads) != 0, 0))
			break;
		ring_frame_head_to_buffer(frame, ahead->at[before + i]);
		ring_notify_write(&used[(next_used + i) & mask], offer->id[before + i], need);
		sum += len;
	}
	offer->used = (uint16_t)(before + i);
	*bytes += sum;
	return i;
}

static void look_ahead(struct ring *ring, struct burst *burst, unsigned int n, struct offer *offer)
{
	offer->n = (uint16_t)(ring_notify_avail(ring) - ring->next_avail);
	offer->used = 0;
	if (offer->n > ring->size)
		ring_notify_break(ring, burst, "available index jumped by more than the ring");
	if (ring_notify_is_broken(ring))
		offer->n = 0;
	offer->ahead.id = offer->id;
	/* While there is a log, every frame goes the general way, which marks what it writes. */
	if (__builtin_expect(ring->memory->log != NULL, 0))
		n = 0;
	ring_ahead(ring, n < offer->n ? n : offer->n, VRING_DESC_F_WRITE, &offer->ahead);
}

bool ring_has_room(const struct ring *ring, unsigned int n_buffers)
{
	if (n_buffers > ring->size)
		n_buffers = ring->size;
	/* What is lost in a broken one is lost at once. */
	if (ring_notify_is_broken(ring) || n_buffers == 0)
		return true;
	if (!ring->is_packed)
		return (uint16_t)(ring_notify_avail(ring) - ring->next_avail) >= n_buffers;
	/* They are offered in a row. */
	uint16_t last = ring_packed_step(ring, ring->packed.next, n_buffers - 1);

	return ring_packed_is_offered(ring_packed_flags(ring, last), last);
}

void ring_put_soon(const struct ring *ring)
{
	if (ring->is_packed) {
		rte_prefetch0(ring_packed_slot(ring, ring->packed.next));
		return;
	}
	rte_prefetch0(&ring->avail->idx);
	for (unsigned int i = 0; i <= BURST_FRAMES; i += BURST_FRAMES / 2)
		rte_prefetch0(&ring->avail->ring[(ring->next_avail + i) & ring->mask]);
}

bool ring_put(struct ring *ring, struct burst *burst, const uint8_t *order, unsigned int n,
	      struct counters_block *count)
{
	if (ring->is_packed)
		return ring_packed_put(ring, burst, order, n, count);
	const bool is_wide = ring->header_bytes == sizeof(burst->frames[0].vnet);
	struct offer offer; /* filled as far as it is used: it is large */
	uint64_t bytes = 0, frames = n, gso = 0;

	look_ahead(ring, burst, n, &offer);
	for (unsigned int i = 0; i < n; i++) {
		if (is_wide)
			i += put_heads(ring, burst, order + i, n - i, &offer, &bytes);
		if (i == n)
			break;
		const struct frame *frame = &burst->frames[order[i]];
		enum drop_reason reason = put_frame(ring, burst, frame, &offer);

		if (reason != DROP_NONE) {
			drop_frame(burst->recorder, count, frame, reason);
			frames--;
			continue;
		}
		bytes += frame->len;
		gso += frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
	}
	ring->next_avail = (uint16_t)(ring->next_avail + offer.used);
	bool is_call_due = ring_notify_publish(ring, offer.used);

	count->tx_frames += frames;
	count->tx_bytes += bytes;
	count->tx_gso_frames += gso;
	burst->attention |= atomic_load_explicit(&ring->memory->faulted, memory_order_relaxed);
	return is_call_due;
}
