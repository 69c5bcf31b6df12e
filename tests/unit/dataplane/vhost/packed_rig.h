/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packed ring with both ends in one thread: a driver of tests/lib, and the ring that weft makes
 * of it. Chains are made of pieces at places that the test chooses in PACKED_RIG_BUFFERS.
 */
#pragma once

#include "dataplane/api/counters.h"
#include "dataplane/vhost/ring_packed.h"
#include "tests/lib/packed_ring.h"

#define PACKED_RIG_BUFFERS (1u << 20)
#define PACKED_RIG_MODERN                                                                          \
	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | VIRTIO_FEATURE(VIRTIO_F_RING_PACKED) |               \
	 VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF))
#define PACKED_RIG_EVENT_IDX VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX)
#define PACKED_RIG_HEADER 12u
#define PACKED_RIG_BASE 0x8000 /* what a front-end says of a new ring, or of one it knows not */

struct packed_rig {
	struct frontend_memory frontend;
	struct guest_memory *memory;
	struct packed_ring driver;
	uint8_t *buffers;
	uint64_t address; /* of buffers, as the guest sees it */
	struct vring_packed_desc *table;
	struct ring_journal journal;
	struct ring ring;
	struct burst *burst;
	struct counters_block count;
	int call_fd;
	uint64_t features;
};

struct packed_rig *packed_rig_create(uint64_t features, unsigned int size);
void packed_rig_destroy(struct packed_rig *rig);

/* A process starts on the ring with what a front-end says of it. */
void packed_rig_start(struct packed_rig *rig, uint16_t base);

/* The guest offers n pieces of these lengths, from an offset of the buffers on, 16 bytes between
 * them; in a table if `indirect`. Not published yet. The chain's id. */
uint16_t packed_rig_add(struct packed_rig *rig, uint32_t offset, const uint32_t *bytes,
			unsigned int n, bool device_writes, bool indirect);
/* One piece, published. */
uint16_t packed_rig_offer(struct packed_rig *rig, uint32_t offset, uint32_t bytes,
			  bool device_writes);

unsigned int packed_rig_take(struct packed_rig *rig);
/* Puts frames of these lengths, each byte its index. */
void packed_rig_put(struct packed_rig *rig, const uint32_t *lens, unsigned int n);
uint64_t packed_rig_drops(const struct packed_rig *rig);

/* The guest finds this id as next used; id < 0: none. Returns the bytes written. */
uint32_t packed_rig_assert_used(struct packed_rig *rig, int id);
uint64_t packed_rig_calls(struct packed_rig *rig);
/* The ring is broken and the reason contains `text`; NULL: it runs. */
void packed_rig_assert_broken(const struct packed_rig *rig, const char *text);
