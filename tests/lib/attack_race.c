/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks with what changes while it is read: a second thread rewrites descriptors, tables or
 * headers as fast as it can while frames flow. A back-end that reads anything twice is caught by a
 * crash, a sanitizer, or a used entry that cannot be. See attack.h.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/attack.h"
#include "tests/lib/deadline.h"

#define RACE_MS 300u
#define N_VICTIMS 16u /* of the slots: free ones are taken last-in first-out, so the first */
#define PIECES_AT 1024u

struct race {
	struct frontend *attacker;
	struct frontend_queue *queue;
	void (*spoil)(struct race *race, unsigned int i, uint64_t random);
	bool is_over;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void *rewrite(void *arg)
{
	struct race *race = arg;
	uint64_t state = 0x9e3779b97f4a7c15;

	while (!__atomic_load_n(&race->is_over, __ATOMIC_RELAXED)) {
		for (unsigned int i = 0; i < N_VICTIMS; i++)
			race->spoil(race, i, next_random(&state));
	}
	return NULL;
}

/* Every value is one that could be right at another time: within the slot. */
static void spoil_length(struct race *race, unsigned int i, uint64_t random)
{
	volatile struct vring_desc *desc = &race->queue->ring.desc[i];

	desc->len = (uint32_t)(random % 2048);
}

static void spoil_descriptor(struct race *race, unsigned int i, uint64_t random)
{
	static const uint64_t addresses[] = {0, 0x1000, UINT64_MAX - 7, 0xffff888000000000};
	volatile struct vring_desc *desc = &race->queue->ring.desc[i];

	switch (random >> 8 & 7) {
	case 0:
		desc->addr = addresses[random & 3];
		break;
	case 1:
		desc->len = (uint32_t)(random >> 16);
		break;
	case 2:
		desc->flags = (uint16_t)(random >> 16 & 7);
		break;
	case 3:
		desc->next = (uint16_t)(random >> 16);
		break;
	default:
		/* Mostly right, so that the ring runs on until the switch happens to look. */
		desc->addr = frontend_memory_address(&race->attacker->memory,
						     frontend_slot(race->attacker, race->queue, i) +
							     PIECES_AT);
		desc->len = 72;
		desc->flags = race->queue->index == 0 ? VRING_DESC_F_WRITE : 0;
		break;
	}
}

static void spoil_table(struct race *race, unsigned int i, uint64_t random)
{
	volatile struct vring_desc *table = (void *)frontend_slot(race->attacker, race->queue, i);
	volatile struct vring_desc *head = &race->queue->ring.desc[i];

	table[random & 3].next = (uint16_t)(random >> 8 & 0xf);
	table[random & 3].flags = (uint16_t)(random >> 16 & 7);
	table[random >> 2 & 3].len = (uint32_t)(random >> 24);
	head->len = (uint32_t)(random >> 32 & 0xff);
}

static void spoil_header(struct race *race, unsigned int i, uint64_t random)
{
	volatile struct virtio_net_hdr *header =
		(void *)(frontend_slot(race->attacker, race->queue, i) + PIECES_AT);

	header->flags = (uint8_t)(random & 3);
	header->gso_type = (uint8_t)(random >> 8 & 7);
	header->hdr_len = (uint16_t)(random >> 16);
	header->gso_size = (uint16_t)(random >> 32);
	header->csum_start = (uint16_t)(random >> 48);
	header->csum_offset = (uint16_t)(random >> 40);
}

/* One turn of traffic while the other thread writes. What comes back is not looked at: it is the
 * attacker's own mess. */
static void flow(struct attack_scene *scene, bool indirect)
{
	struct frontend *f = scene->attacker;
	static const unsigned char bytes[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
						'W',  0xba, 0xd0, 0,	1,    0x88, 0xb5};
	struct frontend_frame frame = {
		.bytes = bytes,
		.n_bytes = sizeof(bytes),
		.chain = {.n_pieces = indirect ? 4 : 1, .indirect = indirect},
	};
	struct frontend_received received;

	if (scene->receives) {
		frontend_post(f, 0, N_VICTIMS);
		attack_broadcast(scene->peer);
		while (frontend_receive(f, 0, 0, &received) == 0)
			;
	} else {
		frontend_send(f, 0, &frame);
	}
}

static int run_race(struct attack_scene *scene, struct race *race, bool indirect,
		    void *(*other)(void *arg))
{
	uint64_t deadline_ns = deadline_in_ms(RACE_MS);
	pthread_t thread;
	int err = pthread_create(&thread, NULL, other, race);

	if (err != 0)
		return -err;
	while (!deadline_passed(deadline_ns))
		flow(scene, indirect);
	__atomic_store_n(&race->is_over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return 0;
}

static int race_with(struct attack_scene *scene, bool indirect,
		     void (*spoil)(struct race *race, unsigned int i, uint64_t random))
{
	struct frontend *f = scene->attacker;
	struct race race = {
		.attacker = f,
		.queue = scene->receives ? &f->rx[0] : &f->tx[0],
		.spoil = spoil,
	};

	return run_race(scene, &race, indirect, rewrite);
}

static int race_lengths(struct attack_scene *scene, uint64_t detail)
{
	return race_with(scene, false, spoil_length);
}

static int race_descriptors(struct attack_scene *scene, uint64_t detail)
{
	return race_with(scene, false, spoil_descriptor);
}

static int race_tables(struct attack_scene *scene, uint64_t detail)
{
	return race_with(scene, true, spoil_table);
}

static int race_headers(struct attack_scene *scene, uint64_t detail)
{
	return race_with(scene, false, spoil_header);
}

static void *share_again(void *arg)
{
	struct race *race = arg;
	struct frontend *f = race->attacker;

	/* Only the socket is used here, only the rings by the other thread. */
	while (!__atomic_load_n(&race->is_over, __ATOMIC_RELAXED) &&
	       handshake_share_memory(&f->handshake, &f->memory) == 0)
		;
	return NULL;
}

/* The memory table comes again and again while frames flow: every frame is in the old or the
 * new. */
static int race_memory(struct attack_scene *scene, uint64_t detail)
{
	struct race race = {.attacker = scene->attacker};

	return run_race(scene, &race, false, share_again);
}

/* Buffers in memory that is gone when the peer's frames come: a fault in the middle of a copy. */
static int truncate_buffers(struct attack_scene *scene, uint64_t detail)
{
	struct frontend *f = scene->attacker;

	frontend_post(f, 0, N_VICTIMS);
	return ftruncate(f->memory.fd, (off_t)f->memory.region_bytes) < 0 ? -errno : 0;
}

const struct attack attack_race_rows[] = {
	{.name = "race-tx-lengths",
	 .what = "lengths change, all of them possible",
	 .ends = ATTACK_HARMLESS,
	 .run = race_lengths},
	{.name = "race-tx-descriptors",
	 .what = "descriptors change, now right, now wrong",
	 .ends = ATTACK_ANY,
	 .run = race_descriptors},
	{.name = "race-tx-tables",
	 .what = "indirect tables change",
	 .ends = ATTACK_ANY,
	 .run = race_tables},
	{.name = "race-tx-headers",
	 .what = "virtio headers change",
	 .ends = ATTACK_HARMLESS,
	 .run = race_headers},
	{.name = "race-rx-lengths",
	 .what = "lengths of receive buffers change",
	 .ends = ATTACK_ANY,
	 .receives = true,
	 .run = race_lengths},
	{.name = "race-rx-descriptors",
	 .what = "receive descriptors change, now right, now wrong",
	 .ends = ATTACK_ANY,
	 .receives = true,
	 .run = race_descriptors},
	{.name = "race-tx-memory",
	 .what = "the memory table comes again while frames are sent",
	 .ends = ATTACK_HARMLESS,
	 .run = race_memory},
	{.name = "race-rx-memory",
	 .what = "the same while frames are received",
	 .ends = ATTACK_HARMLESS,
	 .receives = true,
	 .run = race_memory},
	{.name = "truncate-buffers",
	 .what = "receive buffers are gone when frames come",
	 .ends = ATTACK_STOPPED,
	 .receives = true,
	 .unsealed = true,
	 .memory_gone = true,
	 .run = truncate_buffers},
	{.name = NULL},
};
