/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed ring, frames that the guest receives: fill its buffers. Worker threads. */
#include "dataplane/api/counters.h"
#include "dataplane/drop.h"
#include "dataplane/vhost/ring_chain.h"
#include "dataplane/vhost/ring_frame.h"
#include "dataplane/vhost/ring_notify.h"
#include "dataplane/vhost/ring_packed.h"

/* Pieces of buffers that one frame may fill, and so buffers: as in ring_put.c. */
#define PUT_PIECES_MAX (2 * FRAME_PIECES_MAX)

_Static_assert(PUT_PIECES_MAX + BURST_FRAMES <= RING_JOURNAL_ENTRIES, "a burst and one frame more");
_Static_assert(PUT_PIECES_MAX >= BURST_FRAMES, "room for a burst of plain frames, too");

/* Buffers collected for one frame. */
struct room {
	struct iovec pieces[PUT_PIECES_MAX];
	unsigned int n_pieces;
	uint64_t bytes;
	uint16_t n_entries;
	uint16_t end; /* position behind them */
};

/* Collects as many buffers as `need` bytes take. DROP_NONE, or why not; a broken ring is marked. */
static enum drop_reason make_room(struct ring *ring, struct burst *burst, uint64_t need,
				  struct ring_journal_entry *entries, struct room *room)
{
	room->n_pieces = room->n_entries = 0;
	room->bytes = 0;
	room->end = ring->packed.next;
	while (room->bytes < need) {
		unsigned int n = 0, max = PUT_PIECES_MAX - room->n_pieces;
		struct ring_journal_entry *entry = &entries[room->n_entries];
		uint64_t bytes = 0;

		if (max == 0 || (room->n_entries != 0 && !ring->is_mergeable) ||
		    room->n_entries == PUT_PIECES_MAX ||
		    !ring_packed_is_offered(ring_packed_flags(ring, room->end), room->end))
			return DROP_RING_FULL;
		const char *why = ring_packed_collect(
			ring, room->end, VRING_DESC_F_WRITE, &room->pieces[room->n_pieces],
			max < FRAME_PIECES_MAX ? max : FRAME_PIECES_MAX, &n, &bytes, entry);

		/* No place left for the pieces of a buffer that is sound by itself. */
		if (why != NULL && n == max && max < FRAME_PIECES_MAX)
			return DROP_RING_FULL;
		if (why == NULL && bytes < ring->header_bytes)
			why = "receive buffer smaller than the virtio-net header";
		if (why != NULL) {
			ring_notify_break(ring, burst, why);
			return DROP_BAD_CHAIN;
		}
		entry->bytes = (uint32_t)(bytes < need ? bytes : need);
		room->n_entries++;
		room->n_pieces += n;
		room->bytes += bytes;
		room->end = ring_packed_step(ring, room->end, entry->slots);
	}
	return DROP_NONE;
}

/* The general way: chains, buffers that are too small, several buffers for one frame. */
static enum drop_reason put_scattered(struct ring *ring, struct burst *burst,
				      const struct frame *frame, unsigned int *n_entries)
{
	struct ring_journal_entry *entries = &ring->packed.journal->entries[*n_entries];
	uint32_t left = ring->header_bytes + frame->len;
	struct room room;
	enum drop_reason reason = make_room(ring, burst, left, entries, &room);

	if (reason != DROP_NONE)
		return reason;
	ring_frame_to_pieces(ring, frame, room.pieces, room.n_entries);
	for (unsigned int i = 0; i < room.n_entries; i++) {
		entries[i].bytes = entries[i].bytes < left ? entries[i].bytes : left;
		left -= entries[i].bytes;
	}
	*n_entries += room.n_entries;
	ring->packed.next = room.end;
	return DROP_NONE;
}

static inline enum drop_reason put_frame(struct ring *ring, struct burst *burst,
					 const struct frame *frame, struct ring_packed_ahead *ahead,
					 unsigned int *n_entries)
{
	uint32_t need = ring->header_bytes + frame->len;
	unsigned int i = ahead->next;

	if (!offload_fits(frame, ring->caps))
		return DROP_NO_OFFLOAD;
	if (i >= ahead->n || ahead->bytes[i] < need) {
		ahead->n = 0; /* what follows starts elsewhere */
		return put_scattered(ring, burst, frame, n_entries);
	}
	ring_frame_to_buffer(ring, frame, ahead->at[i]);
	ring->packed.journal->entries[(*n_entries)++] =
		(struct ring_journal_entry){.id = ahead->id[i], .slots = 1, .bytes = need};
	ring->packed.next = ring_packed_step(ring, ring->packed.next, 1);
	ahead->next++;
	return DROP_NONE;
}

/* The frames that come first, as far as they are without offloads and all head, and meet buffers
 * that take them whole: as in ring_put.c. Returns how many they are. */
static inline unsigned int put_heads(struct ring *ring, const struct burst *burst,
				     const uint8_t *order, unsigned int n,
				     struct ring_packed_ahead *ahead, unsigned int n_entries,
				     uint64_t *bytes)
{
	struct ring_journal_entry *entries = &ring->packed.journal->entries[n_entries];
	const unsigned int next = ahead->next, n_left = ahead->n > next ? ahead->n - next : 0;
	const unsigned int max = n < n_left ? n : n_left;
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < max; i++) {
		const struct frame *frame = &burst->frames[order[i]];
		const uint32_t len = frame->len, need = (uint32_t)sizeof(frame->vnet) + len;
		unsigned int offloads = frame->vnet.hdr.flags | frame->vnet.hdr.gso_type;

		if (__builtin_expect(ahead->bytes[next + i] < need, 0) ||
		    __builtin_expect((frame->n_iov | offloads) != 0, 0))
			break;
		ring_frame_head_to_buffer(frame, ahead->at[next + i]);
		entries[i] = (struct ring_journal_entry){
			.id = ahead->id[next + i], .slots = 1, .bytes = need};
		sum += len;
	}
	ahead->next = next + i;
	*bytes += sum;
	ring->packed.next = ring_packed_step(ring, ring->packed.next, i);
	return i;
}

bool ring_packed_put(struct ring *ring, struct burst *burst, const uint8_t *order, unsigned int n,
		     struct counters_block *count)
{
	struct ring_packed_ahead ahead; /* filled as far as it is used: it is large */
	const bool is_logged = ring->memory->log != NULL;
	const bool is_wide = ring->header_bytes == sizeof(burst->frames[0].vnet);
	uint64_t bytes = 0, frames = n, gso = 0;
	unsigned int n_entries = 0;
	bool is_call_due = false;

	ahead.n = ahead.next = 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[order[i]];
		enum drop_reason reason = DROP_PORT_DOWN;

		if (n_entries + PUT_PIECES_MAX > RING_JOURNAL_ENTRIES) {
			is_call_due |= ring_packed_publish(ring, n_entries);
			n_entries = 0;
		}
		if (!ring_notify_is_broken(ring)) {
			/* What is logged goes the general way, which marks what it writes. */
			if (ahead.next >= ahead.n && !is_logged)
				ring_packed_look_ahead(ring, n - i, VRING_DESC_F_WRITE, &ahead);
			unsigned int n_heads = is_wide ? put_heads(ring, burst, order + i, n - i,
								   &ahead, n_entries, &bytes)
						       : 0;

			if (n_heads != 0) {
				n_entries += n_heads;
				i += n_heads - 1;
				continue;
			}
			reason = put_frame(ring, burst, frame, &ahead, &n_entries);
		}
		if (reason != DROP_NONE) {
			drop_frame(burst->recorder, count, frame, reason);
			frames--;
			continue;
		}
		bytes += frame->len;
		gso += frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
	}
	is_call_due |= ring_packed_publish(ring, n_entries);
	count->tx_frames += frames;
	count->tx_bytes += bytes;
	count->tx_gso_frames += gso;
	burst->attention |= atomic_load_explicit(&ring->memory->faulted, memory_order_relaxed);
	return is_call_due;
}
