/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed ring: start and go on, chains, giving buffers back, who wants to be told of what. Every
 * access to the array and to the two event structures is here or in ring_packed.h. Worker threads;
 * init: main.
 */
#include "dataplane/vhost/ring_packed.h"

#include <rte_prefetch.h>
#include <sys/random.h>

#include "dataplane/vhost/dirty_log.h"
#include "dataplane/vhost/ring_chain.h"
#include "dataplane/vhost/ring_frame.h"
#include "dataplane/vhost/ring_notify.h"

#define EVENT_FLAGS_MASK 3
#define SLOTS_A_LINE (64 / (unsigned int)sizeof(struct vring_packed_desc))
#define FETCHED_LINES 4u

#define LAP_FLAGS ((uint16_t)(1u << VRING_PACKED_DESC_F_AVAIL | 1u << VRING_PACKED_DESC_F_USED))

/* All of a slot but its address: read and written as one. */
union slot_says {
	uint64_t word;
	struct {
		uint32_t len;
		uint16_t id, flags;
	};
};

static inline _Atomic uint64_t *word_of(struct vring_packed_desc *desc)
{
	return (void *)&desc->len;
}

/* --- giving back --- */

/* lap: LAP_FLAGS or 0, as the wrap counter is 1 or 0. */
static inline void write_used(struct vring_packed_desc *desc, struct ring_journal_entry entry,
			      uint16_t lap)
{
	uint16_t flags = entry.bytes != 0 ? lap | VRING_DESC_F_WRITE : lap;
	union slot_says says = {.len = entry.bytes, .id = entry.id, .flags = flags};

	atomic_store_explicit(word_of(desc), says.word, memory_order_release);
}

static inline uint16_t lap_of(uint16_t position)
{
	return (position & RING_PACKED_WRAP) != 0 ? LAP_FLAGS : 0;
}

/* The first goes last: a guest looks at one after the other, so it sees none or all of them, and
 * a frame in several buffers is never there by half. Returns the position behind them. */
static uint16_t write_batch(const struct ring *ring, uint16_t from, unsigned int n)
{
	const struct ring_journal_entry *entries = ring->packed.journal->entries;
	struct vring_packed_desc *table = ring->packed.desc;
	uint16_t at = ring_packed_step(ring, from, entries[0].slots), lap = lap_of(at);
	unsigned int slot = at & (unsigned int)~RING_PACKED_WRAP;
	const unsigned int size = ring->size;

	for (unsigned int i = 1; i < n; i++) {
		struct ring_journal_entry entry = entries[i];

		write_used(&table[slot], entry, lap);
		slot += entry.slots;
		if (slot >= size) {
			slot -= size;
			lap ^= LAP_FLAGS;
		}
	}
	write_used(ring_packed_slot(ring, from), entries[0], lap_of(from));
	return (uint16_t)(slot | (lap != 0 ? RING_PACKED_WRAP : 0));
}

/* A page or a few, so nobody counts slots. */
static void log_slots(const struct ring *ring)
{
	dirty_log_mark(ring->memory, ring->packed.desc,
		       ring->size * sizeof(struct vring_packed_desc));
}

/* Whether the guest wants a call for what was given back from `from` up to `to`. VIRTIO 1.2, 2.8.10
 * and 2.8.14; the distance to `to` makes a slot of the last lap comparable. */
static bool is_call_wanted(const struct ring *ring, uint16_t from, uint16_t to)
{
	union {
		uint32_t word;
		struct vring_packed_desc_event event;
	} wish = {.word = atomic_load_explicit((const _Atomic uint32_t *)ring->packed.driver_event,
					       memory_order_relaxed)};
	uint16_t flags = wish.event.flags & EVENT_FLAGS_MASK;
	uint16_t new = to &(uint16_t)~RING_PACKED_WRAP, old = from &(uint16_t)~RING_PACKED_WRAP;
	uint16_t event = wish.event.off_wrap & (uint16_t)~RING_PACKED_WRAP;

	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !ring->has_event_idx)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	if (new <= old)
		old = (uint16_t)(old - ring->size);
	if (((wish.event.off_wrap ^ to) & RING_PACKED_WRAP) != 0)
		event = (uint16_t)(event - ring->size);
	return vring_need_event(event, new, old);
}

bool ring_packed_publish(struct ring *ring, unsigned int n)
{
	struct ring_packed *packed = &ring->packed;
	uint16_t from = packed->used;

	if (n == 0)
		return false;
	atomic_store_explicit(&packed->journal->state, from | n << 16, memory_order_release);
	packed->used = write_batch(ring, from, n);
	log_slots(ring);
	atomic_store_explicit(&packed->journal->state, packed->used, memory_order_release);
	/* The guest sets its wish and looks again; we publish and look at its wish. */
	atomic_thread_fence(memory_order_seq_cst);
	return is_call_wanted(ring, from, packed->used);
}

/* --- starting --- */

static bool is_within(const struct ring *ring, uint16_t position)
{
	return (position & ~RING_PACKED_WRAP) < ring->size;
}

/* The file is ours, but nobody knows what has been done to it. */
static bool are_entries_sound(const struct ring *ring, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint16_t slots = ring->packed.journal->entries[i].slots;

		if (slots == 0 || slots > ring->size)
			return false;
	}
	return true;
}

/* The token stands where the guest lets a device name a slot. It reads that only beside the flag
 * DESC, which we never set, and it clears it when it makes a new ring: so it tells a ring that goes
 * on from a new one at the same place. */
static bool is_same_ring(const struct ring *ring)
{
	const struct ring_journal *journal = ring->packed.journal;
	uint32_t state = atomic_load(&journal->state);

	return journal->version == RING_JOURNAL_VERSION && journal->token != 0 &&
	       journal->token == ring->packed.device_event->off_wrap &&
	       journal->size == ring->size && is_within(ring, (uint16_t)state) &&
	       is_within(ring, journal->told) && is_within(ring, journal->lost_from) &&
	       is_within(ring, journal->lost_to) && state >> 16 <= RING_JOURNAL_ENTRIES &&
	       are_entries_sound(ring, state >> 16);
}

/* Slots from one position forward to another; the same slot comes again after two laps. */
static unsigned int distance(const struct ring *ring, uint16_t from, uint16_t to)
{
	unsigned int laps = ((from ^ to) & RING_PACKED_WRAP) != 0 ? 1 : 2;

	return (laps * ring->size + (to & ~RING_PACKED_WRAP & 0xffffu) -
		(from & ~RING_PACKED_WRAP & 0xffffu)) %
	       (2u * ring->size);
}

static void set_lost(struct ring *ring, uint16_t from, uint16_t to)
{
	ring->packed.lost_from = ring->packed.journal->lost_from = from;
	ring->packed.lost_to = ring->packed.journal->lost_to = to;
}

/* What the front-end gave back since the ring stood at `from` (ring_journal.h): it tells another
 * base then. Who knows the true place, as we do after a pause, has given nothing back. */
static void find_lost(struct ring *ring, uint16_t from, uint16_t base)
{
	struct ring_journal *journal = ring->packed.journal;
	uint16_t lost_from = journal->lost_from, lost_to = journal->lost_to;

	if (base != from && base != journal->told) {
		if (lost_from == lost_to || lost_to != journal->told)
			lost_from = journal->told;
		lost_to = base;
		journal->told = base;
	}
	unsigned int end = distance(ring, from, lost_to);

	if (distance(ring, from, lost_from) >= end || end > ring->size)
		lost_to = lost_from;
	set_lost(ring, lost_from, lost_to);
}

void ring_packed_skip_lost(struct ring *ring)
{
	struct ring_packed *packed = &ring->packed;

	if (packed->lost_from == packed->lost_to)
		return;
	packed->next = packed->used = packed->lost_to;
	/* First the place: a kill in between leaves chains that were lost behind us. */
	atomic_store_explicit(&packed->journal->state, packed->used, memory_order_release);
	set_lost(ring, packed->lost_to, packed->lost_to);
}

/* Finishes what the last process was about to give back; the position behind it. */
static uint16_t finish_batch(struct ring *ring, uint16_t from, unsigned int n)
{
	const struct ring_journal *journal = ring->packed.journal;
	uint16_t at = from;

	if (n == 0)
		return from;
	if (ring_packed_is_offered(ring_packed_flags(ring, from), from)) {
		at = write_batch(ring, from, n);
		log_slots(ring);
		return at;
	}
	for (unsigned int i = 0; i < n; i++)
		at = ring_packed_step(ring, at, journal->entries[i].slots);
	return at;
}

/* Goes on after a kill: behind a batch, and behind what was lost from within it on. */
static void resume(struct ring *ring, uint16_t base)
{
	uint32_t state = atomic_load(&ring->packed.journal->state);
	uint16_t from = (uint16_t)state;

	find_lost(ring, from, base);
	ring->packed.next = finish_batch(ring, from, state >> 16);
	if (distance(ring, from, ring->packed.lost_from) < distance(ring, from, ring->packed.next))
		ring_packed_skip_lost(ring);
}

void ring_packed_init(struct ring *ring, const struct session_ring *config,
		      struct ring_journal *journal)
{
	uint16_t token = 0;

	ring->is_packed = true;
	ring->packed = (struct ring_packed){
		.desc = config->desc,
		.driver_event = config->avail,
		.device_event = config->used,
		.journal = journal,
		.next = config->base,
	};
	if (is_same_ring(ring)) {
		resume(ring, config->base);
	} else {
		/* Without random numbers yet there is no token, and nothing to go on from. */
		if (getrandom(&token, sizeof(token), GRND_NONBLOCK) < 0)
			token = 0;
		journal->version = RING_JOURNAL_VERSION;
		journal->size = ring->size;
		ring->packed.device_event->off_wrap = token;
		journal->token = token;
		journal->told = config->base;
		set_lost(ring, 0, 0);
	}
	ring->packed.used = ring->packed.next;
	atomic_store(&journal->state, ring->packed.next);
	ring_packed_disarm(ring);
}

/* --- kicks --- */

static void write_event(struct ring *ring, uint16_t flags)
{
	struct vring_packed_desc_event *event = ring->packed.device_event;

	atomic_store_explicit((_Atomic uint16_t *)&event->flags, flags, memory_order_relaxed);
	dirty_log_mark(ring->memory, event, sizeof(*event));
}

bool ring_packed_arm(struct ring *ring)
{
	uint16_t next = ring->packed.next;

	if (ring_notify_is_broken(ring))
		return true;
	write_event(ring, VRING_PACKED_EVENT_FLAG_ENABLE);
	/* As in ring_arm(): one of the two sees the other. */
	atomic_thread_fence(memory_order_seq_cst);
	if (next == ring->packed.lost_from)
		return ring->packed.lost_from == ring->packed.lost_to;
	return !ring_packed_is_offered(ring_packed_flags(ring, next), next);
}

void ring_packed_disarm(struct ring *ring)
{
	write_event(ring, VRING_PACKED_EVENT_FLAG_DISABLE);
}

/* --- chains --- */

/* A descriptor as it was at one moment; flags first, since they vouch for the rest. */
static struct vring_packed_desc read_slot(const struct ring *ring, uint16_t position)
{
	uint16_t flags = ring_packed_flags(ring, position);
	struct vring_packed_desc desc =
		*(const volatile struct vring_packed_desc *)ring_packed_slot(ring, position);

	desc.flags = flags;
	return desc;
}

/* Fetches lines of the ring ahead of a slot, number `from` to the last of a few: they are read
 * next, and written when they are given back. Few, since where nothing is offered yet the guest is
 * about to write. Always inline, as ring_frame_fetch() is. */
static inline __attribute__((always_inline)) void fetch_slots(struct vring_packed_desc *table,
							      unsigned int slot, unsigned int size,
							      unsigned int from)
{
	for (unsigned int i = from; i <= FETCHED_LINES && i * SLOTS_A_LINE <= size; i++) {
		unsigned int ahead = slot + i * SLOTS_A_LINE;

		__builtin_prefetch(&table[ahead < size ? ahead : ahead - size], 1);
	}
}

/* One of plain buffers, in one direction: what differs is known when it is compiled. */
static inline __attribute__((always_inline)) void look_ahead(struct ring *ring, unsigned int max,
							     uint16_t write_flag,
							     struct ring_packed_ahead *ahead)
{
	const uint16_t looked_at =
		VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT | VRING_DESC_F_WRITE | LAP_FLAGS;
	struct guest_region region = ring->memory->regions[ring->hint];
	struct vring_packed_desc *table = ring->packed.desc;
	const unsigned int size = ring->size;
	unsigned int slot = ring->packed.next & (unsigned int)~RING_PACKED_WRAP, i;
	/* Offered: AVAIL as the wrap counter, USED the other. */
	uint16_t wanted = write_flag |
			  (lap_of(ring->packed.next) ^ (uint16_t)(1u << VRING_PACKED_DESC_F_USED));

	/* No slot comes twice, whatever the guest writes meanwhile. */
	for (i = 0; i < max && i < size; i++) {
		const volatile struct vring_packed_desc *desc = &table[slot];
		/* First what says that it is offered, which vouches for the address. */
		union slot_says says = {
			.word = atomic_load_explicit(word_of(&table[slot]), memory_order_acquire)};
		uint64_t gpa = desc->addr, offset = gpa - region.gpa;
		uint8_t *at;

		if ((says.flags & looked_at) != wanted)
			break;
		if (i % SLOTS_A_LINE == 0)
			fetch_slots(table, slot, size, i == 0 ? 1 : FETCHED_LINES);
		if (__builtin_expect(offset >= region.bytes || says.len > region.bytes - offset,
				     0)) {
			at = guest_memory_at(ring->memory, gpa, says.len, &ring->hint);
			if (at == NULL)
				break;
			region = ring->memory->regions[ring->hint];
		} else {
			at = region.host + offset;
		}
		ring_frame_fetch(at, write_flag);
		ahead->id[i] = says.id;
		ahead->bytes[i] = says.len;
		ahead->at[i] = at;
		if (++slot == size) {
			slot = 0;
			wanted ^= LAP_FLAGS;
		}
	}
	ahead->n = i;
	ahead->next = 0;
}

void ring_packed_look_ahead(struct ring *ring, unsigned int max, uint16_t write_flag,
			    struct ring_packed_ahead *ahead)
{
	if (write_flag != 0)
		look_ahead(ring, max, VRING_DESC_F_WRITE, ahead);
	else
		look_ahead(ring, max, 0, ahead);
}

/* VIRTIO 1.2, 2.8.8: all elements of a table belong to the chain, whatever their flags say but for
 * the direction. */
static const char *collect_table(struct ring *ring, const struct vring_packed_desc *desc,
				 uint16_t write_flag, struct iovec *pieces, unsigned int max,
				 unsigned int *n, uint64_t *total)
{
	const struct vring_packed_desc *table;
	const char *why = ring_chain_table(ring, desc->addr, desc->len, (const void **)&table);

	if (why != NULL)
		return why;
	if (desc->len / sizeof(*table) > FRAME_PIECES_MAX)
		return "chain of too many descriptors, or a loop";
	for (unsigned int i = 0; i < desc->len / sizeof(*table); i++) {
		struct vring_packed_desc element =
			*(const volatile struct vring_packed_desc *)&table[i];

		if ((element.flags & VRING_DESC_F_INDIRECT) != 0)
			return "indirect table inside an indirect table";
		if ((element.flags & VRING_DESC_F_WRITE) != write_flag)
			return "descriptor of the wrong direction";
		why = ring_chain_add(ring, element.addr, element.len, pieces, max, n);
		if (why != NULL)
			return why;
		*total += element.len;
	}
	return NULL;
}

const char *ring_packed_collect(struct ring *ring, uint16_t position, uint16_t write_flag,
				struct iovec *pieces, unsigned int max, unsigned int *n,
				uint64_t *total, struct ring_journal_entry *entry)
{
	*n = 0;
	*total = 0;
	/* Nothing leads back, but all of a ring may claim to be one chain. */
	for (uint16_t slots = 1; slots <= FRAME_PIECES_MAX && slots <= ring->size; slots++) {
		struct vring_packed_desc desc = read_slot(ring, position);
		const char *why;

		/* The guest's own name of the chain, never an index of ours: any will do. */
		*entry = (struct ring_journal_entry){.id = desc.id, .slots = slots};
		if ((desc.flags & VRING_DESC_F_INDIRECT) != 0) {
			if (slots != 1 || (desc.flags & VRING_DESC_F_NEXT) != 0)
				return "indirect descriptor with a next one";
			return collect_table(ring, &desc, write_flag, pieces, max, n, total);
		}
		if ((desc.flags & VRING_DESC_F_WRITE) != write_flag)
			return "descriptor of the wrong direction";
		why = ring_chain_add(ring, desc.addr, desc.len, pieces, max, n);
		if (why != NULL)
			return why;
		*total += desc.len;
		if ((desc.flags & VRING_DESC_F_NEXT) == 0)
			return NULL;
		position = ring_packed_step(ring, position, 1);
	}
	return "chain of too many descriptors, or a loop";
}
