/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A front-end's queue whatever its layout: each call goes to split_ring.h or packed_ring.h, where
 * it is described. `head` is the name of a chain. Owned by the front-end's thread.
 */
#pragma once

#include "tests/lib/frontend.h"

int frontend_ring_init(struct frontend_queue *queue, struct frontend_memory *memory,
		       unsigned int size, uint64_t features);
void frontend_ring_fini(struct frontend_queue *queue);
unsigned int frontend_ring_size(const struct frontend_queue *queue);
unsigned int frontend_ring_free(const struct frontend_queue *queue);
uint16_t frontend_ring_next_head(const struct frontend_queue *queue);
int frontend_ring_add(struct frontend_queue *queue, const struct split_ring_piece *pieces,
		      unsigned int n, void *table, uint64_t table_address);
bool frontend_ring_publish(struct frontend_queue *queue);
int frontend_ring_take_used(struct frontend_queue *queue, uint16_t *head, uint32_t *n_bytes);
void frontend_ring_want_call(struct frontend_queue *queue, bool wanted);
bool frontend_ring_is_waiting(const struct frontend_queue *queue);

/* Where the ring lies, and the base that QEMU would say. */
struct handshake_ring frontend_ring_place(const struct frontend_queue *queue);
