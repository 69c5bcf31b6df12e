/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A split ring in a memfd that the test writes as a guest, descriptor by descriptor, and the ring
 * that weft makes of it. Guest memory is one file in two regions that touch each other.
 */
#pragma once

#include "dataplane/api/counters.h"
#include "dataplane/vhost/ring.h"

#define RING_RIG_BYTES (1u << 20)
#define RING_RIG_SEAM (768u << 10) /* where the second region starts */
#define RING_RIG_GPA UINT64_C(0x40000000)
#define RING_RIG_SIZE 256
/* Offsets: desc at 0, avail, used, a page for indirect tables, then buffers. */
#define RING_RIG_AVAIL 0x2000
#define RING_RIG_USED 0x3000
#define RING_RIG_TABLE 0x4000
#define RING_RIG_BUFFERS 0x10000

#define RING_RIG_MODERN                                                                            \
	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF))

struct ring_rig {
	int fd, call_fd;
	uint8_t *guest;	 /* the guest's own mapping: offset 0 is RING_RIG_GPA */
	uint8_t *before; /* as it was at ring_rig_remember(), and what may change */
	bool *may_change;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct guest_memory *memory;
	struct ring ring;
	struct burst *burst;
	struct counters_block count;
};

/* features: VIRTIO_FEATURE() bits. base: where the indices start. */
struct ring_rig *ring_rig_create(uint64_t features, uint32_t caps, uint16_t base);
void ring_rig_destroy(struct ring_rig *rig);

/* Writes entry i of a table (rig->desc, or one at an offset of guest memory). */
void ring_rig_desc(struct vring_desc *table, unsigned int i, uint64_t gpa, uint32_t bytes,
		   unsigned int flags, unsigned int next);
struct vring_desc *ring_rig_table(struct ring_rig *rig); /* for indirect ones */

/* The guest offers the chain that starts at `head`. */
void ring_rig_offer(struct ring_rig *rig, uint16_t head);

/* Counts up from `start`, without a period that divides a page. */
uint8_t ring_rig_pattern(uint32_t start, uint32_t i);

/* Times that the guest was called since the last look. */
uint64_t ring_rig_calls(struct ring_rig *rig);

/* From now on weft may write to the used ring and to what is allowed, nowhere else. */
void ring_rig_remember(struct ring_rig *rig);
void ring_rig_allow(struct ring_rig *rig, uint32_t offset, uint32_t bytes);
void ring_rig_assert_untouched(struct ring_rig *rig);

/* The ring is broken and the reason contains `text`; NULL: it runs. */
void ring_rig_assert_broken(struct ring_rig *rig, const char *text);
