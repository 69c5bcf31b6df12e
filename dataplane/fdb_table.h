/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a worker reads the forwarding table (fdb.h), in line with its stages. Of many addresses it
 * asks for all first (fdb_table_ask), so that their buckets are on their way into the cache before
 * the first is looked at. A table is valid until the worker's turn ends.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/fdb.h"
#include "dataplane/fdb_bucket.h"

struct fdb_table {
	uint64_t seed, factor;	/* of the hash; secret */
	uint32_t mask;		/* bytes of all buckets but one: offset of the last */
	struct fdb_bucket buckets[] __attribute__((aligned(64)));
};

/* The two halves of a product, folded. */
static inline uint64_t fdb_table_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* By secret numbers: which keys meet nobody can say who does not know them. Twice, since of
 * addresses that count up one product alone makes a row. Both halves of the result are used, as the
 * two hashes. */
static inline uint64_t fdb_table_hash(const struct fdb_table *table, uint64_t key)
{
	return fdb_table_fold(fdb_table_fold(key ^ table->seed, table->factor),
			      0x9e3779b97f4a7c15ULL);
}

static inline struct fdb_bucket *fdb_table_at(struct fdb_table *table, uint32_t hash)
{
	return (struct fdb_bucket *)((char *)table->buckets + (hash & table->mask));
}

static inline struct fdb_bucket *fdb_table_first(struct fdb_table *table, uint64_t hash)
{
	return fdb_table_at(table, (uint32_t)hash);
}

static inline struct fdb_bucket *fdb_table_second(struct fdb_table *table, uint64_t hash)
{
	return fdb_table_at(table, (uint32_t)(hash >> 32));
}

/* The hash of a key, which goes with it from now on. Fetches the bucket in which nearly all are. */
static inline uint64_t fdb_table_ask(struct fdb_table *table, uint64_t key)
{
	uint64_t hash = fdb_table_hash(table, key);

	/* Of the compiler only: else GCC 12 passes the products of a loop through the stack. */
	atomic_signal_fence(memory_order_acq_rel);
	__builtin_prefetch(fdb_table_first(table, hash));
	return hash;
}

/* Bucket and slot of a key with that hash, or NULL. Any thread. */
static inline struct fdb_bucket *fdb_table_find(struct fdb_table *table, uint64_t key,
						uint64_t hash, int *slot)
{
	struct fdb_bucket *bucket = fdb_table_first(table, hash);

	*slot = fdb_bucket_find(bucket, key);
	if (*slot >= 0)
		return bucket;
	bucket = fdb_table_second(table, hash);
	*slot = fdb_bucket_find(bucket, key);
	return *slot >= 0 ? bucket : NULL;
}

/* fdb_lookup() of a key with that hash. */
static inline uint16_t fdb_table_look_up(struct fdb_table *table, uint64_t key, uint64_t hash,
					 uint32_t now_s, uint32_t age_s)
{
	int slot;
	struct fdb_bucket *bucket = fdb_table_find(table, key, hash, &slot);

	if (bucket == NULL)
		return FDB_NO_PORT;
	uint64_t value = fdb_bucket_value(bucket, (unsigned int)slot);

	/* The slot may have changed hands since the key was read: then the port is another's. */
	if (atomic_load_explicit(&bucket->key[slot], memory_order_relaxed) != key)
		return FDB_NO_PORT;
	/* Signed: another worker's clock may be a second ahead of ours. */
	bool is_old = (int32_t)(now_s - fdb_value_seen_s(value)) > (int32_t)age_s;

	return is_old && (value & FDB_VALUE_STATIC) == 0 ? FDB_NO_PORT : fdb_value_port(value);
}

/* fdb_refresh() of a key with that hash. seen_now: fdb_value() of port and time. As a rule it
 * writes nothing. */
static inline bool fdb_table_refresh(struct fdb_table *table, uint64_t key, uint64_t hash,
				     uint64_t seen_now)
{
	int slot;
	struct fdb_bucket *bucket = fdb_table_find(table, key, hash, &slot);

	if (bucket == NULL)
		return false;
	uint64_t value = fdb_bucket_value(bucket, (unsigned int)slot);
	uint64_t flags = value & FDB_VALUE_STATIC;

	if (__builtin_expect((value ^ seen_now) == flags, 1))
		return true;
	if (fdb_value_port(value) != fdb_value_port(seen_now))
		return flags != 0;
	/* If main or another worker has just written it, that stands. */
	atomic_compare_exchange_strong_explicit(&bucket->value[slot], &value, seen_now | flags,
						memory_order_relaxed, memory_order_relaxed);
	return true;
}
