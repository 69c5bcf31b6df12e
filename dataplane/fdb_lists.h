/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer's lists beside the forwarding database: which of the table's slots hold the addresses
 * of a port in a segment, in the order of learning. A list for each pair that has any, found by a
 * hash; the lists of a port are chained. So the count of a pair, of a port, and the oldest address
 * of a pair cost a step or two, however many segments a trunk has. Main only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Slots and lists are numbered; numbers are kept plus one, 0: none. */
struct fdb_link {
	uint32_t next, previous;
};

struct fdb_list {
	uint16_t port, segment;
	uint32_t first, last; /* slots */
	uint32_t count;
	uint32_t next_of_port; /* lists */
	uint32_t next_of_hash; /* or of those that are free */
};

struct fdb_port_lists {
	uint32_t first; /* list */
	uint32_t n_lists;
	uint32_t count; /* entries of all of them */
};

struct fdb_lists {
	struct fdb_link *links;		/* one for each slot */
	struct fdb_port_lists *by_port; /* FDB_PORTS of them */
	struct fdb_list *lists;
	uint32_t *heads;	 /* of the hash's chains */
	uint32_t n_lists, n_max; /* ever used, room for; n_max: a power of two */
	uint32_t free;
};

/* n_lists: for how many there shall be room. 0 or -ENOMEM; destroy in any case. */
int fdb_lists_create(struct fdb_lists *lists, uint64_t n_slots, uint32_t n_lists);
void fdb_lists_destroy(struct fdb_lists *lists);

/* Makes sure that the next append has room. false: there is no memory. */
bool fdb_lists_reserve(struct fdb_lists *lists);

void fdb_lists_append(struct fdb_lists *lists, uint16_t port, uint16_t segment, uint32_t slot);
void fdb_lists_remove(struct fdb_lists *lists, uint16_t port, uint16_t segment, uint32_t slot);

/* An entry of the pair is known by another slot from now on. */
void fdb_lists_move(struct fdb_lists *lists, uint16_t port, uint16_t segment, uint32_t from,
		    uint32_t to);

/* The list of the pair, or the longest of the port (segment 0). NULL: it has none. */
const struct fdb_list *fdb_lists_find(const struct fdb_lists *lists, uint16_t port,
				      uint16_t segment);
