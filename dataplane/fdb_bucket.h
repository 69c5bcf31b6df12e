/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bucket of the forwarding table (fdb.h): four slots in one cache line. Main writes, workers read
 * meanwhile.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "dataplane/fdb.h"

struct fdb_bucket {
	_Atomic uint64_t key[FDB_BUCKET_ENTRIES];	/* 0: empty */
	_Atomic uint32_t port[FDB_BUCKET_ENTRIES];
	_Atomic uint32_t seen_s[FDB_BUCKET_ENTRIES];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct fdb_bucket) == 64, "one cache line");
_Static_assert(FDB_BUCKET_ENTRIES == 4, "fdb_bucket_find() computes with four");

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
	unsigned int slot = (fdb_bucket_key(bucket, 1) == key) +
			    2U * (fdb_bucket_key(bucket, 2) == key) +
			    3U * (fdb_bucket_key(bucket, 3) == key);

	/* Beside a writer it may have been seen twice. */
	slot &= FDB_BUCKET_ENTRIES - 1;
	return fdb_bucket_key(bucket, slot) == key ? (int)slot : -1;
}
