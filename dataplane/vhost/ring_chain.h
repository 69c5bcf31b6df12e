/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptor chains: from the index of a head to checked pieces of memory, and copies between lists
 * of pieces. Used by the ring; every loop is bounded, whatever the guest wrote. Worker threads.
 */
#pragma once

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct ring;

/* A descriptor as it was at one moment: read once, then trusted. */
static inline struct vring_desc ring_chain_read(const struct vring_desc *desc)
{
	struct vring_desc copy = *(const volatile struct vring_desc *)desc;

	return copy;
}

/* A descriptor that is a whole chain, of the wanted direction. */
static inline bool ring_chain_is_single(const struct vring_desc *desc, uint16_t write_flag)
{
	return (desc->flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT | VRING_DESC_F_WRITE)) ==
	       write_flag;
}

/*
 * Follows the chain that starts at `head` (below the ring's size). write_flag: VRING_DESC_F_WRITE
 * if the device is to write it, else 0. Stores at most max pieces, their number in *n and their
 * bytes in *total. NULL, or why the ring is broken.
 */
const char *ring_chain_collect(struct ring *ring, uint16_t head, uint16_t write_flag,
			       struct iovec *pieces, unsigned int max, unsigned int *n,
			       uint64_t *total);

/* For both layouts of a ring: `bytes` at gpa as pieces, more than one where they span two regions;
 * and the indirect table of so many bytes at gpa. NULL, or why the ring is broken. */
const char *ring_chain_add(struct ring *ring, uint64_t gpa, uint64_t bytes, struct iovec *pieces,
			   unsigned int max, unsigned int *n);
const char *ring_chain_table(struct ring *ring, uint64_t gpa, uint32_t bytes, const void **table);

/* Moves the first `bytes` of the pieces to `to` (never more than there are), shortens the list. */
size_t ring_chain_pull(struct iovec **pieces, unsigned int *n, uint8_t *to, size_t bytes);
