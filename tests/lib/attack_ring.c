/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks with what stands in the rings. Each lays an honest chain, spoils it before the back-end
 * sees it, and publishes it. See attack.h.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#include "tests/lib/attack.h"

#define PIECE_BYTES 64u
#define PIECE_STRIDE 80u
#define PIECES_AT 1024u /* in a slot: behind its indirect table */
#define N_PIECES 3u
#define ALL (~0ULL)

static struct frontend_queue *queue_of(const struct attack_scene *scene)
{
	return scene->receives ? &scene->attacker->rx[0] : &scene->attacker->tx[0];
}

/* An honest broadcast, or an honest receive buffer, of n pieces; not published. With `table` the
 * chain is indirect, and that is where its descriptors are. */
static struct split_ring *lay(struct attack_scene *scene, unsigned int n, struct vring_desc **table)
{
	struct frontend *f = scene->attacker;
	struct frontend_queue *queue = queue_of(scene);
	struct split_ring_piece pieces[FRONTEND_PIECES_MAX];
	unsigned char *slot = frontend_slot(f, queue, split_ring_next_head(&queue->ring));
	uint64_t address = frontend_memory_address(&f->memory, slot);

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
		*table = (struct vring_desc *)slot;
	split_ring_add(&queue->ring, pieces, n, table == NULL ? NULL : *table, address);
	return &queue->ring;
}

static int launch(struct attack_scene *scene)
{
	struct frontend_queue *queue = queue_of(scene);

	split_ring_publish(&queue->ring);
	frontend_kick(queue);
	return 0;
}

/* ---- the chain ---- */

static int link_last_to(struct attack_scene *scene, uint64_t detail)
{
	struct split_ring *ring = lay(scene, N_PIECES, NULL);
	struct vring_desc *last = &ring->desc[N_PIECES - 1];

	last->flags |= VRING_DESC_F_NEXT;
	last->next = detail == ALL ? ring->size : (uint16_t)detail;
	return launch(scene);
}

static int set_address(struct attack_scene *scene, uint64_t detail)
{
	struct split_ring *ring = lay(scene, 1, NULL);

	ring->desc[0].addr = detail;
	return launch(scene);
}

/* The second region ends here: one byte too far, and wholly outside. */
static int pass_the_end(struct attack_scene *scene, uint64_t detail)
{
	const struct frontend_memory *memory = &scene->attacker->memory;
	struct split_ring *ring = lay(scene, 1, NULL);
	uint64_t end = FRONTEND_MEMORY_START + memory->stride + memory->region_bytes;

	ring->desc[0].addr = end - detail;
	return launch(scene);
}

/* From the last bytes of the first region into the hole behind it. */
static int enter_the_hole(struct attack_scene *scene, uint64_t detail)
{
	const struct frontend_memory *memory = &scene->attacker->memory;
	struct split_ring *ring = lay(scene, 1, NULL);

	ring->desc[0].addr = FRONTEND_MEMORY_START + memory->region_bytes - detail;
	return launch(scene);
}

static int set_length(struct attack_scene *scene, uint64_t detail)
{
	struct split_ring *ring = lay(scene, 1, NULL);

	ring->desc[0].len = (uint32_t)detail;
	return launch(scene);
}

static int turn_direction(struct attack_scene *scene, uint64_t detail)
{
	struct split_ring *ring = lay(scene, N_PIECES, NULL);

	ring->desc[detail].flags ^= VRING_DESC_F_WRITE;
	return launch(scene);
}

/* Many descriptors of `detail` bytes: the header lies across several, or the sum is too large. */
static int spread(struct attack_scene *scene, uint64_t detail)
{
	struct split_ring *ring = lay(scene, FRONTEND_PIECES_MAX, NULL);

	for (unsigned int i = 0; i < FRONTEND_PIECES_MAX; i++)
		ring->desc[i].len = (uint32_t)detail;
	return launch(scene);
}

/* A chain as long as the ring, without a loop. */
static int use_whole_ring(struct attack_scene *scene, uint64_t detail)
{
	struct split_ring *ring = lay(scene, 1, NULL);

	for (unsigned int i = 1; i < ring->size; i++) {
		ring->desc[i] = ring->desc[0];
		ring->desc[i - 1].flags |= VRING_DESC_F_NEXT;
		ring->desc[i - 1].next = (uint16_t)i;
	}
	return launch(scene);
}

/* ---- the available ring ---- */

static int jump_index(struct attack_scene *scene, uint64_t detail)
{
	struct split_ring *ring = lay(scene, 1, NULL);

	launch(scene);
	__atomic_store_n(&ring->avail->idx, (uint16_t)(ring->avail_idx + detail), __ATOMIC_RELEASE);
	frontend_kick(queue_of(scene));
	return 0;
}

static int set_head(struct attack_scene *scene, uint64_t detail)
{
	struct split_ring *ring = lay(scene, 1, NULL);

	ring->avail->ring[(ring->avail_idx - 1) & (ring->size - 1)] =
		detail == ALL ? ring->size : (uint16_t)detail;
	return launch(scene);
}

/* ---- indirect tables ---- */

static int set_table_length(struct attack_scene *scene, uint64_t detail)
{
	struct vring_desc *table;
	struct split_ring *ring = lay(scene, N_PIECES, &table);

	ring->desc[0].len = (uint32_t)detail;
	return launch(scene);
}

static int set_table_address(struct attack_scene *scene, uint64_t detail)
{
	struct vring_desc *table;
	struct split_ring *ring = lay(scene, N_PIECES, &table);

	ring->desc[0].addr = detail;
	return launch(scene);
}

static int nest_table(struct attack_scene *scene, uint64_t detail)
{
	struct vring_desc *table;
	struct split_ring *ring = lay(scene, N_PIECES, &table);

	table[detail] = ring->desc[0];
	return launch(scene);
}

static int chain_table(struct attack_scene *scene, uint64_t detail)
{
	struct vring_desc *table;
	struct split_ring *ring = lay(scene, N_PIECES, &table);

	ring->desc[0].flags |= VRING_DESC_F_NEXT;
	ring->desc[0].next = (uint16_t)detail;
	return launch(scene);
}

static int link_table_to(struct attack_scene *scene, uint64_t detail)
{
	struct vring_desc *table;

	lay(scene, N_PIECES, &table);
	table[N_PIECES - 1].flags |= VRING_DESC_F_NEXT;
	table[N_PIECES - 1].next = (uint16_t)detail;
	return launch(scene);
}

/* ---- the virtio header ---- */

/* detail: four fields of 16 bits. The checksum always starts far beyond the frame. */
#define HEADER(flags, gso_type, hdr_len, gso_size)                                                 \
	((uint64_t)(flags) << 48 | (uint64_t)(gso_type) << 32 | (uint64_t)(hdr_len) << 16 |        \
	 (uint64_t)(gso_size))

static int set_header(struct attack_scene *scene, uint64_t detail)
{
	struct frontend *f = scene->attacker;
	struct frontend_queue *queue = &f->tx[0];
	struct virtio_net_hdr header = {
		.flags = (uint8_t)(detail >> 48),
		.gso_type = (uint8_t)(detail >> 32),
		.hdr_len = (uint16_t)(detail >> 16),
		.gso_size = (uint16_t)detail,
		.csum_start = 0xffff,
		.csum_offset = 0xffff,
	};
	unsigned char *slot = frontend_slot(f, queue, split_ring_next_head(&queue->ring));

	lay(scene, N_PIECES, NULL);
	memcpy(slot + PIECES_AT, &header, sizeof(header));
	return launch(scene);
}

#define TX(row, text, end, fn, number)                                                             \
	{                                                                                          \
		.name = row, .what = text, .ends = end, .run = fn, .detail = number                \
	}
#define RX(row, text, end, fn, number)                                                             \
	{                                                                                          \
		.name = row, .what = text, .ends = end, .run = fn, .detail = number,               \
		.receives = true                                                                   \
	}

const struct attack attack_ring_rows[] = {
	TX("tx-loop-self", "the last descriptor leads to itself", ATTACK_STOPPED, link_last_to, 2),
	TX("tx-loop", "the last descriptor leads to the first", ATTACK_STOPPED, link_last_to, 0),
	TX("tx-next-size", "next is the ring's size", ATTACK_STOPPED, link_last_to, ALL),
	TX("tx-next-far", "next is 65535", ATTACK_STOPPED, link_last_to, 65535),
	TX("tx-whole-ring", "a chain of all descriptors", ATTACK_ANY, use_whole_ring, 0),
	TX("tx-address-zero", "address 0", ATTACK_STOPPED, set_address, 0),
	TX("tx-address-high", "an address of the kernel", ATTACK_STOPPED, set_address,
	   0xffff888000000000),
	TX("tx-address-wrap", "address and length wrap around", ATTACK_STOPPED, set_address,
	   ALL - 7),
	TX("tx-past-end", "one byte beyond the last region", ATTACK_STOPPED, pass_the_end,
	   PIECE_BYTES - 1),
	TX("tx-behind-end", "wholly behind the last region", ATTACK_STOPPED, pass_the_end, 0),
	TX("tx-hole", "from a region into the hole behind it", ATTACK_STOPPED, enter_the_hole, 32),
	TX("tx-length-zero", "an empty descriptor", ATTACK_ANY, set_length, 0),
	TX("tx-length-header", "shorter than the virtio header", ATTACK_HARMLESS, set_length, 5),
	TX("tx-length-runt", "a header and 3 bytes", ATTACK_HARMLESS, set_length, 15),
	TX("tx-length-4g", "4 GiB less one byte", ATTACK_STOPPED, set_length, 0xffffffff),
	TX("tx-length-2g", "2 GiB", ATTACK_STOPPED, set_length, 0x80000000),
	TX("tx-write-first", "the first piece is for the device to write", ATTACK_STOPPED,
	   turn_direction, 0),
	TX("tx-write-last", "the last piece is for the device to write", ATTACK_STOPPED,
	   turn_direction, N_PIECES - 1),
	TX("tx-spread-1", "62 pieces of 1 byte, the header in 12", ATTACK_ANY, spread, 1),
	TX("tx-spread-0", "62 empty pieces", ATTACK_ANY, spread, 0),
	TX("tx-spread-sum", "62 pieces of 8 KiB: more than any frame", ATTACK_ANY, spread, 8192),
	TX("tx-jump-size", "the available index jumps by the ring's size and 1", ATTACK_STOPPED,
	   jump_index, 257),
	TX("tx-jump-far", "the available index jumps by 32768", ATTACK_STOPPED, jump_index, 32768),
	TX("tx-jump-back", "the available index goes back by 2", ATTACK_STOPPED, jump_index, 65534),
	TX("tx-head-size", "an available entry is the ring's size", ATTACK_STOPPED, set_head, ALL),
	TX("tx-head-far", "an available entry is 65535", ATTACK_STOPPED, set_head, 65535),
	TX("tx-table-odd", "an indirect table of 40 bytes", ATTACK_STOPPED, set_table_length, 40),
	TX("tx-table-empty", "an indirect table of 0 bytes", ATTACK_STOPPED, set_table_length, 0),
	TX("tx-table-4g", "an indirect table of 4 GiB", ATTACK_STOPPED, set_table_length,
	   0xfffffff0),
	TX("tx-table-outside", "an indirect table at address 0", ATTACK_STOPPED, set_table_address,
	   0),
	TX("tx-table-nested", "an indirect table that contains itself", ATTACK_STOPPED, nest_table,
	   0),
	TX("tx-table-nested-last", "the same, in its last entry", ATTACK_STOPPED, nest_table,
	   N_PIECES - 1),
	TX("tx-table-chained", "an indirect descriptor with a next one", ATTACK_STOPPED,
	   chain_table, 1),
	TX("tx-table-next", "next beyond the indirect table", ATTACK_STOPPED, link_table_to,
	   N_PIECES),
	TX("tx-table-loop", "a loop in the indirect table", ATTACK_STOPPED, link_table_to, 0),
	TX("tx-header-checksum", "a checksum at byte 65535", ATTACK_HARMLESS, set_header,
	   HEADER(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 0, 0)),
	TX("tx-header-gso-zero", "TCP segments of 0 bytes", ATTACK_HARMLESS, set_header,
	   HEADER(VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4, 54, 0)),
	TX("tx-header-gso-type", "segments of an unknown kind", ATTACK_HARMLESS, set_header,
	   HEADER(VIRTIO_NET_HDR_F_NEEDS_CSUM, 0x7f, 54, 1400)),
	TX("tx-header-gso-length", "headers of 65535 bytes", ATTACK_HARMLESS, set_header,
	   HEADER(VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV6, 0xffff, 1400)),
	TX("tx-header-gso-bare", "segments of a frame that is no TCP", ATTACK_HARMLESS, set_header,
	   HEADER(0, VIRTIO_NET_HDR_GSO_TCPV4, 54, 1400)),
	TX("tx-header-ufo", "UDP fragmentation, which is never offered", ATTACK_HARMLESS,
	   set_header, HEADER(VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_UDP, 42, 1400)),
	TX("tx-header-ones", "all ones", ATTACK_HARMLESS, set_header, ALL),

	RX("rx-runt", "receive buffers of 4 bytes", ATTACK_ANY, set_length, 4),
	RX("rx-empty", "receive buffers of 0 bytes", ATTACK_ANY, set_length, 0),
	RX("rx-header-only", "a receive buffer of 12 bytes", ATTACK_ANY, set_length, 12),
	RX("rx-length-4g", "a receive buffer of 4 GiB", ATTACK_ANY, set_length, 0xffffffff),
	RX("rx-read-only", "a receive buffer that must not be written", ATTACK_STOPPED,
	   turn_direction, 0),
	RX("rx-address-zero", "a receive buffer at address 0", ATTACK_STOPPED, set_address, 0),
	RX("rx-address-wrap", "address and length wrap around", ATTACK_STOPPED, set_address,
	   ALL - 7),
	RX("rx-past-end", "one byte beyond the last region", ATTACK_STOPPED, pass_the_end,
	   PIECE_BYTES - 1),
	RX("rx-hole", "from a region into the hole behind it", ATTACK_STOPPED, enter_the_hole, 32),
	RX("rx-loop", "the last descriptor leads to the first", ATTACK_ANY, link_last_to, 0),
	RX("rx-next-far", "next is 65535", ATTACK_ANY, link_last_to, 65535),
	RX("rx-spread-1", "62 pieces of 1 byte", ATTACK_ANY, spread, 1),
	RX("rx-whole-ring", "a chain of all descriptors", ATTACK_ANY, use_whole_ring, 0),
	RX("rx-jump-far", "the available index jumps by 32768", ATTACK_STOPPED, jump_index, 32768),
	RX("rx-head-far", "an available entry is 65535", ATTACK_STOPPED, set_head, 65535),
	RX("rx-table-nested", "an indirect table that contains itself", ATTACK_STOPPED, nest_table,
	   0),
	RX("rx-table-4g", "an indirect table of 4 GiB", ATTACK_STOPPED, set_table_length,
	   0xfffffff0),
	{.name = NULL},
};
