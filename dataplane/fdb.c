/* SPDX-License-Identifier: BSD-3-Clause */
/* Forwarding database: two-choice buckets of one cache line, one writer (main), many readers. */
#include "dataplane/fdb.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BUCKET_SLOTS 4
#define BUCKETS_AT_START 1024

struct bucket {
	_Atomic uint64_t key[BUCKET_SLOTS];	/* 0: empty */
	_Atomic uint32_t port[BUCKET_SLOTS];
	_Atomic uint32_t seen_s[BUCKET_SLOTS];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct bucket) == 64, "one cache line");

struct table {
	uint32_t mask;		/* number of buckets - 1 */
	struct bucket buckets[] __attribute__((aligned(64)));
};

struct fdb {
	_Atomic(struct table *) table;
	uint64_t seed;
	uint32_t count;
	struct fdb_config config;
};

/* Mixes key and seed (the finalizer of SplitMix64, with the seed xor-ed in): both halves of the
 * result are used, as the two hashes. */
static inline uint64_t hash(const struct fdb *fdb, uint64_t key)
{
	uint64_t h = key ^ fdb->seed;

	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
	return h ^ (h >> 31);
}

static inline struct bucket *first_bucket(struct table *table, uint64_t h)
{
	return &table->buckets[(uint32_t)h & table->mask];
}

static inline struct bucket *second_bucket(struct table *table, uint64_t h)
{
	return &table->buckets[(uint32_t)(h >> 32) & table->mask];
}

static inline int find_slot(struct bucket *bucket, uint64_t key)
{
	for (int i = 0; i < BUCKET_SLOTS; i++) {
		if (atomic_load_explicit(&bucket->key[i], memory_order_acquire) == key)
			return i;
	}
	return -1;
}

/* Bucket and slot of a key, or NULL. Any thread. */
static inline struct bucket *find(const struct fdb *fdb, uint64_t key, int *slot)
{
	struct table *table = atomic_load_explicit(&fdb->table, memory_order_acquire);
	uint64_t h = hash(fdb, key);
	struct bucket *bucket = first_bucket(table, h);

	*slot = find_slot(bucket, key);
	if (*slot >= 0)
		return bucket;
	bucket = second_bucket(table, h);
	*slot = find_slot(bucket, key);
	return *slot >= 0 ? bucket : NULL;
}

static struct table *table_create(const struct memory *memory, uint32_t n_buckets)
{
	struct table *table = memory->alloc(sizeof(*table) + n_buckets * sizeof(struct bucket), 64);

	if (table != NULL)
		table->mask = n_buckets - 1;
	return table;
}

int fdb_create(const struct fdb_config *config, struct fdb **out)
{
	struct fdb *fdb = calloc(1, sizeof(*fdb));
	struct table *table = table_create(&config->memory, BUCKETS_AT_START);

	if (fdb == NULL || table == NULL) {
		config->memory.free(table);
		free(fdb);
		return -ENOMEM;
	}
	fdb->config = *config;
	fdb->seed = config->seed;
	atomic_store(&fdb->table, table);
	*out = fdb;
	return 0;
}

void fdb_destroy(struct fdb *fdb)
{
	if (fdb == NULL)
		return;
	fdb->config.memory.free(atomic_load(&fdb->table));
	free(fdb);
}

uint16_t fdb_lookup(const struct fdb *fdb, uint64_t key, uint32_t now_s, uint32_t age_s)
{
	int slot;
	struct bucket *bucket = find(fdb, key, &slot);

	if (bucket == NULL)
		return FDB_NO_PORT;
	uint32_t port = atomic_load_explicit(&bucket->port[slot], memory_order_acquire);
	uint32_t seen_s = atomic_load_explicit(&bucket->seen_s[slot], memory_order_acquire);

	/* The slot may have changed hands since the key was read: then the port is another's. */
	if (atomic_load_explicit(&bucket->key[slot], memory_order_relaxed) != key)
		return FDB_NO_PORT;
	/* Signed: another worker's clock may be a second ahead of ours. */
	return (int32_t)(now_s - seen_s) > (int32_t)age_s ? FDB_NO_PORT : (uint16_t)port;
}

bool fdb_refresh(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t now_s)
{
	int slot;
	struct bucket *bucket = find(fdb, key, &slot);

	if (bucket == NULL ||
	    atomic_load_explicit(&bucket->port[slot], memory_order_acquire) != port)
		return false;
	if (atomic_load_explicit(&bucket->seen_s[slot], memory_order_relaxed) != now_s)
		atomic_store_explicit(&bucket->seen_s[slot], now_s, memory_order_relaxed);
	return true;
}

void fdb_prefetch(const struct fdb *fdb, uint64_t key)
{
	struct table *table = atomic_load_explicit(&fdb->table, memory_order_acquire);

	__builtin_prefetch(first_bucket(table, hash(fdb, key)));
}

/* Writes an entry into a free slot of one of its two buckets: value first, the key makes it
 * visible. false: both are full. Main. */
static bool insert(struct fdb *fdb, struct table *table, const struct fdb_entry *entry)
{
	uint64_t h = hash(fdb, entry->key);
	struct bucket *bucket = first_bucket(table, h);
	int slot = find_slot(bucket, 0);

	if (slot < 0) {
		bucket = second_bucket(table, h);
		slot = find_slot(bucket, 0);
	}
	if (slot < 0)
		return false;
	atomic_store_explicit(&bucket->port[slot], entry->port, memory_order_release);
	atomic_store_explicit(&bucket->seen_s[slot], entry->seen_s, memory_order_release);
	atomic_store_explicit(&bucket->key[slot], entry->key, memory_order_release);
	return true;
}

static struct fdb_entry entry_at(struct bucket *bucket, int slot)
{
	return (struct fdb_entry){
		.key = atomic_load_explicit(&bucket->key[slot], memory_order_relaxed),
		.port = (uint16_t)atomic_load_explicit(&bucket->port[slot], memory_order_relaxed),
		.seen_s = atomic_load_explicit(&bucket->seen_s[slot], memory_order_relaxed),
	};
}

static bool copy_all(struct fdb *fdb, struct table *from, struct table *to)
{
	for (uint64_t b = 0; b <= from->mask; b++) {
		for (int i = 0; i < BUCKET_SLOTS; i++) {
			struct fdb_entry entry = entry_at(&from->buckets[b], i);

			if (entry.key != 0 && !insert(fdb, to, &entry))
				return false;
		}
	}
	return true;
}

/* A table of at least twice the size with the same entries takes the old one's place. Main. */
static int grow(struct fdb *fdb)
{
	struct table *old = atomic_load(&fdb->table);
	uint64_t n_buckets = ((uint64_t)old->mask + 1) * 2;

	for (; n_buckets <= 1ULL << 30; n_buckets *= 2) {
		struct table *table = table_create(&fdb->config.memory, (uint32_t)n_buckets);

		if (table == NULL)
			return -ENOMEM;
		if (copy_all(fdb, old, table)) {
			atomic_store_explicit(&fdb->table, table, memory_order_release);
			fdb->config.synchronize(fdb->config.ctx);
			fdb->config.memory.free(old);
			return 0;
		}
		fdb->config.memory.free(table);
	}
	return -ENOSPC;
}

enum fdb_learned fdb_learn(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t now_s,
			   uint16_t *old_port)
{
	struct fdb_entry entry = {.key = key, .port = port, .seen_s = now_s};
	int slot;
	struct bucket *bucket = find(fdb, key, &slot);

	if (bucket != NULL) {
		*old_port = (uint16_t)atomic_load(&bucket->port[slot]);
		atomic_store_explicit(&bucket->seen_s[slot], now_s, memory_order_relaxed);
		if (*old_port == port)
			return FDB_LEARNED_SAME;
		atomic_store_explicit(&bucket->port[slot], port, memory_order_release);
		return FDB_LEARNED_MOVED;
	}
	if (fdb->count >= fdb->config.capacity)
		return FDB_LEARNED_FULL;
	while (!insert(fdb, atomic_load(&fdb->table), &entry)) {
		if (grow(fdb) < 0)
			return FDB_LEARNED_FULL;
	}
	fdb->count++;
	return FDB_LEARNED_NEW;
}

void fdb_sweep(struct fdb *fdb, bool (*forget)(void *ctx, const struct fdb_entry *entry), void *ctx)
{
	struct table *table = atomic_load(&fdb->table);

	for (uint64_t b = 0; b <= table->mask; b++) {
		for (int i = 0; i < BUCKET_SLOTS; i++) {
			struct fdb_entry entry = entry_at(&table->buckets[b], i);

			if (entry.key == 0 || !forget(ctx, &entry))
				continue;
			atomic_store_explicit(&table->buckets[b].key[i], 0, memory_order_release);
			fdb->count--;
		}
	}
}

uint32_t fdb_count(const struct fdb *fdb)
{
	return fdb->count;
}
