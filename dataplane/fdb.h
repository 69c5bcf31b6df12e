/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding database: behind which port is a MAC address of a segment.
 *
 * Key: segment index and MAC in one 64-bit word. Value: a port's index. A lookup costs one cache
 * line as a rule and two at most, however many flows, addresses or segments there are.
 *
 *   table    2^n buckets of one cache line, four slots each. A key lives in one of two buckets
 *            (two hashes of a secret seed: guests cannot aim at one bucket). When neither has room
 *            one that is in them goes to its other bucket; when none can, the table is doubled,
 *            well above half full. If there is no memory, not again for some seconds.
 *   writer   main alone inserts, moves and deletes. Tables are replaced whole when they grow; the
 *            old one is freed after a grace period.
 *   readers  workers, any time, without locks or references. A slot may be emptied and taken by
 *            another key while a reader looks at it, so a reader reads key, port, key again.
 *   age      a reader refreshes `seen_s`, at most once a second per entry, when the address sends.
 *            An entry that is older than its segment's age is no answer, whether or not main has
 *            swept it out yet; so ageing is exact to the second.
 *   static   bound to a port by configuration: no age, not moved by what is learned, never evicted,
 *            and in no count.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/memory.h"

struct fdb;
struct fdb_table;

struct fdb_config {
	struct memory memory;
	uint32_t capacity;	/* entries at most */
	uint64_t seed;		/* secret; fixed in tests */
	void (*synchronize)(void *ctx);	/* waits until no reader uses what was unlinked before */
	void *ctx;
};

#define FDB_NO_PORT 0
#define FDB_PORTS 65536		/* what a port index can be */
#define FDB_SEGMENTS 65536

#define FDB_KEY_MAC 0xffffffffffffU	/* its bits of a key: the first byte is the lowest */
#define FDB_KEY_GROUP 1U		/* of them: not one station's */

/* Key of a MAC in a segment (index, never 0, so no key is 0). */
static inline uint64_t fdb_key(uint16_t segment, const uint8_t mac[6])
{
	uint32_t first;
	uint16_t last;

	memcpy(&first, mac, 4);
	memcpy(&last, mac + 4, 2);
	return (uint64_t)segment << 48 | (uint64_t)le16toh(last) << 32 | le32toh(first);
}

/* The same of a MAC that two bytes more follow: one load. */
static inline uint64_t fdb_key_in_frame(uint16_t segment, const uint8_t mac[8])
{
	uint64_t bytes;

	memcpy(&bytes, mac, sizeof(bytes));
	return (uint64_t)segment << 48 | (le64toh(bytes) & FDB_KEY_MAC);
}

static inline uint16_t fdb_key_segment(uint64_t key)
{
	return (uint16_t)(key >> 48);
}

static inline void fdb_key_mac(uint64_t key, uint8_t mac[6])
{
	uint32_t first = htole32((uint32_t)key);
	uint16_t last = htole16((uint16_t)(key >> 32));

	memcpy(mac, &first, 4);
	memcpy(mac + 4, &last, 2);
}

int fdb_create(const struct fdb_config *config, struct fdb **fdb);
void fdb_destroy(struct fdb *fdb);	/* NULL is legal */

/* --- readers: any worker --- */

/* Port behind which `key` was seen no longer than age_s ago, or FDB_NO_PORT. */
uint16_t fdb_lookup(const struct fdb *fdb, uint64_t key, uint32_t now_s, uint32_t age_s);

/* The address sent from `port`: true if that is what the table says (and its age is now fresh), or
 * if it is static, wherever; false: main must be told. */
bool fdb_refresh(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t now_s);

/* The table as it is now, for many keys asked together (fdb_table.h). */
struct fdb_table *fdb_table(const struct fdb *fdb);

/* --- writer: main --- */

enum fdb_learned {
	FDB_LEARNED_NEW,
	FDB_LEARNED_MOVED,	/* *old_port has the port it was behind */
	FDB_LEARNED_SAME,
	FDB_LEARNED_STATIC,	/* it stays behind *old_port */
	FDB_LEARNED_FULL,	/* no room: not stored */
};

enum fdb_learned fdb_learn(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t now_s,
			   uint16_t *old_port);

/* Makes the address static behind `port`, whatever the table said. -ENOMEM: no room. */
int fdb_bind(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t now_s);

struct fdb_entry {
	uint64_t key;
	uint16_t port;
	bool is_static;
	uint32_t seen_s;
};

/* Walks the entries of n_buckets from number `from` on; those for which `forget` returns true are
 * deleted. Returns where to go on, 0 at the end. A walk in pieces, with changes between them, meets
 * each entry that stays once, but for the rare one that makes room for another meanwhile, and
 * unless the table grows, which fdb_buckets() tells. */
uint64_t fdb_sweep(struct fdb *fdb, uint64_t from, uint64_t n_buckets,
		   bool (*forget)(void *ctx, const struct fdb_entry *entry), void *ctx);

#define FDB_BUCKET_ENTRIES 4	/* at most */
uint64_t fdb_buckets(const struct fdb *fdb);

/* The same with what was learned behind a port, or (FDB_NO_PORT) all static entries. */
void fdb_forget(struct fdb *fdb, uint16_t port,
		bool (*forget)(void *ctx, const struct fdb_entry *entry), void *ctx);

/* Takes one of the port's entries out: of those it has had longest, the one that has been silent
 * longest. segment: in this one; 0: in the one in which it has most. false: it has none. */
bool fdb_evict(struct fdb *fdb, uint16_t port, uint16_t segment);

/* Port that an address was last seen behind, however long ago, or FDB_NO_PORT. */
uint16_t fdb_owner(const struct fdb *fdb, uint64_t key);

uint32_t fdb_count(const struct fdb *fdb);
uint32_t fdb_count_port(const struct fdb *fdb, uint16_t port);
uint32_t fdb_count_in(const struct fdb *fdb, uint16_t port, uint16_t segment);
uint32_t fdb_count_segments(const struct fdb *fdb, uint16_t port); /* in which it has entries */
uint32_t fdb_count_segment(const struct fdb *fdb, uint16_t segment);
