/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks with what stands in packed rings. As in attack_ring.c, each lays an honest chain, spoils
 * it before the back-end sees it, and publishes it. See attack.h.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/lib/attack.h"
#include "tests/lib/deadline.h"
#include "tests/lib/frontend_ring.h"

#define PIECE_BYTES 64u
#define PIECE_STRIDE 80u
#define PIECES_AT 1024u /* in a slot: behind its indirect table */
#define N_PIECES 3u
#define RACE_MS 300

static struct frontend_queue *queue_of(const struct attack_scene *scene)
{
	return scene->receives ? &scene->attacker->rx[0] : &scene->attacker->tx[0];
}

/* An honest broadcast, or an honest receive buffer, of n pieces; not published. Its first slot.
 * With `table` the chain is indirect, and that is where its elements are. */
static struct vring_packed_desc *lay(struct attack_scene *scene, unsigned int n,
				     struct vring_packed_desc **table)
{
	struct frontend *f = scene->attacker;
	struct frontend_queue *queue = queue_of(scene);
	struct split_ring_piece pieces[N_PIECES];
	unsigned char *slot = frontend_slot(f, queue, frontend_ring_next_head(queue));
	uint64_t address = frontend_memory_address(&f->memory, slot);
	uint16_t position = queue->packed.avail;

	memset(slot, 0, PIECES_AT + n * PIECE_STRIDE);
	memset(slot + PIECES_AT + f->header_bytes, 0xff, ETH_ALEN);
	memcpy(slot + PIECES_AT + f->header_bytes + ETH_ALEN, "\x02W\xba\xd0\x00\x01\x88\xb5", 8);
	for (unsigned int i = 0; i < n; i++)
		pieces[i] = (struct split_ring_piece){
			.address = address + PIECES_AT + i * PIECE_STRIDE,
			.n_bytes = PIECE_BYTES,
			.device_writes = scene->receives,
		};
	if (table != NULL)
		*table = (struct vring_packed_desc *)slot;
	frontend_ring_add(queue, pieces, n, table == NULL ? NULL : *table, address);
	return packed_ring_slot(&queue->packed, position);
}

static int launch(struct attack_scene *scene)
{
	struct frontend_queue *queue = queue_of(scene);

	frontend_ring_publish(queue);
	frontend_kick(queue);
	return 0;
}

/* ---- chains ---- */

/* Every slot says that another one follows. */
static int use_whole_ring(struct attack_scene *scene, uint64_t detail)
{
	struct packed_ring *ring = &queue_of(scene)->packed;
	struct vring_packed_desc *first = lay(scene, 1, NULL);

	for (unsigned int i = 0; i < ring->size; i++) {
		ring->desc[i] = *first;
		ring->desc[i].flags = VRING_DESC_F_NEXT | 1 << VRING_PACKED_DESC_F_AVAIL;
	}
	ring->held_flags |= VRING_DESC_F_NEXT;
	return launch(scene);
}

static int set_address(struct attack_scene *scene, uint64_t detail)
{
	lay(scene, 1, NULL)->addr = detail;
	return launch(scene);
}

static int set_length(struct attack_scene *scene, uint64_t detail)
{
	lay(scene, 1, NULL)->len = (uint32_t)detail;
	return launch(scene);
}

static int turn_flags(struct attack_scene *scene, uint64_t detail)
{
	lay(scene, 1, NULL);
	queue_of(scene)->packed.held_flags ^= (uint16_t)detail;
	return launch(scene);
}

static int turn_last_flags(struct attack_scene *scene, uint64_t detail)
{
	lay(scene, N_PIECES, NULL)[N_PIECES - 1].flags ^= (uint16_t)detail;
	return launch(scene);
}

/* ---- indirect tables ---- */

static int set_table_length(struct attack_scene *scene, uint64_t detail)
{
	struct vring_packed_desc *table;

	lay(scene, N_PIECES, &table)->len = (uint32_t)detail;
	return launch(scene);
}

static int set_table_address(struct attack_scene *scene, uint64_t detail)
{
	struct vring_packed_desc *table;

	lay(scene, N_PIECES, &table)->addr = detail;
	return launch(scene);
}

static int nest_table(struct attack_scene *scene, uint64_t detail)
{
	struct vring_packed_desc *table;
	struct vring_packed_desc *first = lay(scene, N_PIECES, &table);

	table[detail] = *first;
	table[detail].flags = VRING_DESC_F_INDIRECT;
	return launch(scene);
}

/* ---- wishes ---- */

/* A wish for calls that cannot be: a slot beyond the ring, flags that do not exist. */
static int spoil_wish(struct attack_scene *scene, uint64_t detail)
{
	queue_of(scene)->packed.driver->off_wrap = 0xffff;
	queue_of(scene)->packed.driver->flags = (uint16_t)detail;
	lay(scene, 1, NULL);
	return launch(scene);
}

/* What the device keeps in guest memory. */
static int spoil_device_event(struct attack_scene *scene, uint64_t detail)
{
	queue_of(scene)->packed.device->off_wrap ^= (uint16_t)detail;
	queue_of(scene)->packed.device->flags ^= (uint16_t)detail;
	lay(scene, 1, NULL);
	return launch(scene);
}

/* ---- the base ---- */

static int start_at(struct attack_scene *scene, uint64_t detail)
{
	struct frontend *f = scene->attacker;
	struct handshake_ring ring = frontend_ring_place(&f->tx[0]);
	uint32_t base;
	int err = handshake_stop_ring(&f->handshake, f->tx[0].index, &base);

	ring.base = (uint32_t)detail;
	if (err == 0)
		err = handshake_start_ring(&f->handshake, f->tx[0].index, &ring, f->tx[0].kick_fd,
					   f->tx[0].call_fd);
	return err == -EREMOTEIO ? 0 : err;
}

/* ---- races ---- */

struct race {
	struct packed_ring *ring;
	atomic_bool is_over;
};

static void *flip_flags(void *arg)
{
	struct race *race = arg;
	uint32_t random = 1;

	while (!atomic_load(&race->is_over)) {
		random = random * 1664525 + 1013904223;
		race->ring->desc[(random >> 8) % race->ring->size].flags ^=
			(uint16_t)(1u << random % 32 % 16);
	}
	return NULL;
}

/* Flags of all slots change at any time while the back-end reads them. */
static int flip_while_sending(struct attack_scene *scene, uint64_t detail)
{
	struct race race = {.ring = &queue_of(scene)->packed};
	uint64_t deadline_ns = deadline_in_ms(RACE_MS);
	pthread_t thread;
	int err = -pthread_create(&thread, NULL, flip_flags, &race);

	if (err < 0)
		return err;
	while (!deadline_passed(deadline_ns)) {
		if (frontend_ring_free(queue_of(scene)) > 0)
			lay(scene, 1, NULL);
		launch(scene);
	}
	atomic_store(&race.is_over, true);
	pthread_join(thread, NULL);
	/* The end is the same whatever the race has done. */
	return use_whole_ring(scene, 0);
}

#define TX(row, text, end, fn, number)                                                             \
	{                                                                                          \
		.name = row, .what = text, .ends = end, .run = fn, .detail = number,               \
		.packed = true                                                                     \
	}
#define RX(row, text, end, fn, number)                                                             \
	{                                                                                          \
		.name = row, .what = text, .ends = end, .run = fn, .detail = number,               \
		.packed = true, .receives = true                                                   \
	}

const struct attack attack_packed_rows[] = {
	TX("packed-whole-ring", "all slots are one chain", ATTACK_STOPPED, use_whole_ring, 0),
	TX("packed-address-zero", "address 0", ATTACK_STOPPED, set_address, 0),
	TX("packed-address-wrap", "address and length wrap around", ATTACK_STOPPED, set_address,
	   UINT64_MAX - 7),
	TX("packed-length-zero", "an empty descriptor", ATTACK_HARMLESS, set_length, 0),
	TX("packed-length-header", "shorter than the virtio header", ATTACK_HARMLESS, set_length,
	   5),
	TX("packed-length-4g", "4 GiB less one byte", ATTACK_STOPPED, set_length, 0xffffffff),
	TX("packed-write-first", "a piece is for the device to write", ATTACK_STOPPED, turn_flags,
	   VRING_DESC_F_WRITE),
	TX("packed-write-last", "the same of the last of three", ATTACK_STOPPED, turn_last_flags,
	   VRING_DESC_F_WRITE),
	TX("packed-indirect-last", "an indirect descriptor ends a chain", ATTACK_STOPPED,
	   turn_last_flags, VRING_DESC_F_INDIRECT),
	TX("packed-both", "indirect, with a next one", ATTACK_STOPPED, turn_flags,
	   VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT),
	TX("packed-table-odd", "an indirect table of 40 bytes", ATTACK_STOPPED, set_table_length,
	   40),
	TX("packed-table-empty", "an indirect table of 0 bytes", ATTACK_STOPPED, set_table_length,
	   0),
	TX("packed-table-long", "an indirect table of 65 elements", ATTACK_STOPPED,
	   set_table_length, 65 * 16),
	TX("packed-table-4g", "an indirect table of 4 GiB", ATTACK_STOPPED, set_table_length,
	   0xfffffff0),
	TX("packed-table-outside", "an indirect table at address 0", ATTACK_STOPPED,
	   set_table_address, 0),
	TX("packed-table-nested", "an indirect table in a table", ATTACK_STOPPED, nest_table, 1),
	TX("packed-wish-slot", "a call wished for at a slot that is not there", ATTACK_HARMLESS,
	   spoil_wish, VRING_PACKED_EVENT_FLAG_DESC),
	TX("packed-wish-flags", "a wish of an unknown kind", ATTACK_HARMLESS, spoil_wish, 0xffff),
	TX("packed-token", "the device's event structure is overwritten", ATTACK_HARMLESS,
	   spoil_device_event, 0xffff),
	TX("packed-base-far", "a base beyond the ring", ATTACK_DISCONNECTED, start_at, 0x7fff7fff),
	TX("packed-base-halves", "a base with buffers still out", ATTACK_DISCONNECTED, start_at,
	   0x80008001),
	TX("packed-race-flags", "flags flip while they are read", ATTACK_STOPPED,
	   flip_while_sending, 0),

	RX("packed-rx-runt", "receive buffers of 4 bytes", ATTACK_STOPPED, set_length, 4),
	RX("packed-rx-empty", "receive buffers of 0 bytes", ATTACK_STOPPED, set_length, 0),
	RX("packed-rx-4g", "a receive buffer of 4 GiB", ATTACK_STOPPED, set_length, 0xffffffff),
	RX("packed-rx-read-only", "a receive buffer that must not be written", ATTACK_STOPPED,
	   turn_flags, VRING_DESC_F_WRITE),
	RX("packed-rx-address", "a receive buffer at address 0", ATTACK_STOPPED, set_address, 0),
	RX("packed-rx-whole-ring", "all slots are one chain", ATTACK_STOPPED, use_whole_ring, 0),
	{.name = NULL},
};
