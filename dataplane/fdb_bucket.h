/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bucket of the forwarding table (fdb.h): four slots in one cache line. Main writes, workers read
 * meanwhile, and say when an address was seen.
 *
 *     value   63      32 31  17    16    15       0
 *            +----------+------+--------+----------+
 *            | seen_s   | 0    | static | port     |
 *            +----------+------+--------+----------+
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/fdb.h"

struct fdb_bucket {
	_Atomic uint64_t key[FDB_BUCKET_ENTRIES];	/* 0: empty */
	_Atomic uint64_t value[FDB_BUCKET_ENTRIES];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct fdb_bucket) == 64, "one cache line");
_Static_assert(FDB_BUCKET_ENTRIES == 4, "fdb_bucket_find() computes with four");

#define FDB_VALUE_STATIC 0x10000U

/* flags: FDB_VALUE_STATIC or 0. */
static inline uint64_t fdb_value(uint16_t port, uint64_t flags, uint32_t seen_s)
{
	return (uint64_t)seen_s << 32 | flags | port;
}

static inline uint16_t fdb_value_port(uint64_t value)
{
	return (uint16_t)value;
}

static inline uint32_t fdb_value_seen_s(uint64_t value)
{
	return (uint32_t)(value >> 32);
}

static inline uint64_t fdb_bucket_value(const struct fdb_bucket *bucket, unsigned int slot)
{
	return atomic_load_explicit(&bucket->value[slot], memory_order_acquire);
}

static inline uint64_t fdb_bucket_key(const struct fdb_bucket *bucket, unsigned int slot)
{
	return atomic_load_explicit(&bucket->key[slot], memory_order_acquire);
}

/* The first slot that is free, or -1. */
static inline int fdb_bucket_free(const struct fdb_bucket *bucket)
{
	for (int i = 0; i < FDB_BUCKET_ENTRIES; i++) {
		if (fdb_bucket_key(bucket, (unsigned int)i) == 0)
			return i;
	}
	return -1;
}

/* The slot with that key, which is in one at most, or -1. Which one it is nobody can predict among
 * many addresses, and a wrong guess costs more than a lookup: it is computed, not branched on. */
static inline int fdb_bucket_find(const struct fdb_bucket *bucket, uint64_t key)
{
	bool is_1 = fdb_bucket_key(bucket, 1) == key, is_2 = fdb_bucket_key(bucket, 2) == key,
	     is_3 = fdb_bucket_key(bucket, 3) == key;
	/* Beside a writer it may have been seen twice: that makes no number beyond 3. */
	unsigned int slot = (unsigned int)(is_1 | is_3) + 2U * (is_2 | is_3);

	return fdb_bucket_key(bucket, slot) == key ? (int)slot : -1;
}
