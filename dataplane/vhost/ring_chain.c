/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptor chains of the guest: the slow, general way. Worker threads. */
#include "dataplane/vhost/ring_chain.h"

#include "dataplane/vhost/ring.h"

/* The table that a chain runs through: the ring's own, or an indirect one. */
struct table {
	const struct vring_desc *desc;
	uint32_t size;
};

const char *ring_chain_table(struct ring *ring, uint64_t gpa, uint32_t bytes, const void **table)
{
	if (bytes == 0 || bytes % sizeof(struct vring_desc) != 0 ||
	    bytes > VHOST_MAX_RING_SIZE * sizeof(struct vring_desc))
		return "indirect table of an impossible length";
	*table = guest_memory_at(ring->memory, gpa, bytes, &ring->hint);
	if (*table == NULL)
		return "indirect table outside the guest's memory";
	return (uintptr_t)*table % _Alignof(struct vring_desc) == 0
		       ? NULL
		       : "indirect table at an odd address";
}

/* VIRTIO 1.2, 2.7.5.3: a descriptor with INDIRECT is the last of its chain, and there is no
 * INDIRECT inside an indirect table. */
static const char *enter_indirect(struct ring *ring, const struct vring_desc *desc,
				  struct table *table)
{
	if ((desc->flags & VRING_DESC_F_NEXT) != 0)
		return "indirect descriptor with a next one";
	table->size = desc->len / sizeof(*desc);
	return ring_chain_table(ring, desc->addr, desc->len, (const void **)&table->desc);
}

const char *ring_chain_add(struct ring *ring, uint64_t gpa, uint64_t left, struct iovec *pieces,
			   unsigned int max, unsigned int *n)
{
	if (gpa + left < gpa)
		return "descriptor beyond the end of the address space";
	while (left != 0) {
		uint64_t bytes = left;
		void *at = guest_memory_span(ring->memory, gpa, &bytes, &ring->hint);

		if (at == NULL)
			return "descriptor outside the guest's memory";
		if (*n == max)
			return "chain of too many descriptors, or a loop";
		pieces[(*n)++] = (struct iovec){.iov_base = at, .iov_len = bytes};
		gpa += bytes;
		left -= bytes;
	}
	return NULL;
}

const char *ring_chain_collect(struct ring *ring, uint16_t head, uint16_t write_flag,
			       struct iovec *pieces, unsigned int max, unsigned int *n,
			       uint64_t *total)
{
	struct table table = {.desc = ring->desc, .size = ring->size};
	bool is_indirect = false;
	uint32_t index = head;

	*n = 0;
	*total = 0;
	/* Each round takes one descriptor, so a loop in the chain ends here too. */
	for (unsigned int steps = 0; steps < FRAME_PIECES_MAX + 1; steps++) {
		struct vring_desc desc = ring_chain_read(&table.desc[index]);
		const char *why = NULL;

		if ((desc.flags & VRING_DESC_F_INDIRECT) != 0) {
			if (is_indirect)
				return "indirect table inside an indirect table";
			why = enter_indirect(ring, &desc, &table);
			if (why != NULL)
				return why;
			is_indirect = true;
			index = 0;
			continue;
		}
		if ((desc.flags & VRING_DESC_F_WRITE) != write_flag)
			return "descriptor of the wrong direction";
		why = ring_chain_add(ring, desc.addr, desc.len, pieces, max, n);
		if (why != NULL)
			return why;
		*total += desc.len;
		if ((desc.flags & VRING_DESC_F_NEXT) == 0)
			return NULL;
		if (desc.next >= table.size)
			return "next descriptor beyond the table";
		index = desc.next;
	}
	return "chain of too many descriptors, or a loop";
}

size_t ring_chain_pull(struct iovec **pieces, unsigned int *n, uint8_t *to, size_t bytes)
{
	size_t done = 0;

	while (done < bytes && *n != 0) {
		struct iovec *piece = *pieces;
		size_t part = piece->iov_len < bytes - done ? piece->iov_len : bytes - done;

		frame_copy(to + done, piece->iov_base, part);
		done += part;
		piece->iov_base = (uint8_t *)piece->iov_base + part;
		piece->iov_len -= part;
		if (piece->iov_len == 0) {
			(*pieces)++;
			(*n)--;
		}
	}
	return done;
}
