/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbour table as workers read it: a copy of its entries by address, in buckets of three,
 * of which an address has two. Main alone writes, and a bucket's count is odd while it does: who
 * reads meanwhile takes the address for unknown, and so never waits and never sees half of an
 * entry. Its size is fixed, in memory that the kernel provides page by page as it is used. What
 * finds no room in its two buckets is unknown, too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct neigh_entry;
struct neigh_index;

/* n_buckets: a power of two. seed: secret, guests choose the addresses. 0 or -ENOMEM. Main. */
int neigh_index_create(uint32_t n_buckets, uint64_t seed, struct neigh_index **index);
void neigh_index_destroy(struct neigh_index *index);	/* NULL is legal. Main */

/* Stores, or replaces what the address has. A role that is not known stays what it was, if the MAC
 * does. Main. */
void neigh_index_put(struct neigh_index *index, const struct neigh_entry *entry);
/* Of the entry only segment, version and address count. Main. */
void neigh_index_remove(struct neigh_index *index, const struct neigh_entry *entry);

/* Completes the entry, of which segment (in its key), version and address are given. false: the
 * address is unknown. Any thread. */
bool neigh_index_find(const struct neigh_index *index, struct neigh_entry *entry);
