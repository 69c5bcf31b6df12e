/* SPDX-License-Identifier: BSD-3-Clause */
/* Forwarding database: two-choice buckets of one cache line, one writer (main), many readers.
 * Beside the buckets the writer keeps lists by port and segment (fdb_lists.h). Static entries are
 * in those of no port: limits and eviction do not see them. */
#include "dataplane/fdb.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "dataplane/fdb_lists.h"
#include "dataplane/fdb_table.h"

#define BUCKET_SLOTS FDB_BUCKET_ENTRIES
#define BUCKETS_AT_START 1024
#define BUCKETS_MAX (1ULL << 26)	/* the mask counts in bytes, and has 32 bits */
#define GROW_RETRY_S 10
#define LISTS_AT_START 256
#define EVICT_CANDIDATES 8

struct fdb {
	_Atomic(struct fdb_table *) table;
	struct fdb_lists lists;
	uint32_t *by_segment;	/* entries of each segment */
	uint32_t count;
	uint32_t cramped_until_s;	/* growing failed: not tried again before */
	struct fdb_config config;
};

/* Number i of the SplitMix64 sequence of a seed. */
static uint64_t number(uint64_t seed, uint64_t i)
{
	uint64_t h = seed + i * 0x9e3779b97f4a7c15ULL;

	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
	return h ^ (h >> 31);
}

struct fdb_table *fdb_table(const struct fdb *fdb)
{
	return atomic_load_explicit(&fdb->table, memory_order_acquire);
}

static uint64_t n_buckets_of(const struct fdb_table *table)
{
	return table->mask / sizeof(struct fdb_bucket) + 1;
}

static inline struct fdb_bucket *find(const struct fdb *fdb, uint64_t key, int *slot)
{
	struct fdb_table *table = fdb_table(fdb);

	return fdb_table_find(table, key, fdb_table_hash(table, key), slot);
}

static struct fdb_table *table_create(const struct fdb_config *config, uint32_t n_buckets)
{
	struct fdb_table *table =
		config->memory.alloc(sizeof(*table) + n_buckets * sizeof(struct fdb_bucket), 64);

	if (table == NULL)
		return NULL;
	table->mask = (n_buckets - 1) * (uint32_t)sizeof(struct fdb_bucket);
	table->seed = number(config->seed, 1);
	table->factor = number(config->seed, 2) | 1;
	return table;
}

int fdb_create(const struct fdb_config *config, struct fdb **out)
{
	struct fdb *fdb = calloc(1, sizeof(*fdb));
	struct fdb_table *table = table_create(config, BUCKETS_AT_START);

	if (fdb == NULL || table == NULL) {
		config->memory.free(table);
		free(fdb);
		return -ENOMEM;
	}
	fdb->config = *config;
	atomic_store(&fdb->table, table);
	fdb->by_segment = calloc(FDB_SEGMENTS, sizeof(fdb->by_segment[0]));
	if (fdb_lists_create(&fdb->lists, BUCKETS_AT_START * BUCKET_SLOTS, LISTS_AT_START) < 0 ||
	    fdb->by_segment == NULL) {
		fdb_destroy(fdb);
		return -ENOMEM;
	}
	*out = fdb;
	return 0;
}

void fdb_destroy(struct fdb *fdb)
{
	if (fdb == NULL)
		return;
	fdb->config.memory.free(atomic_load(&fdb->table));
	fdb_lists_destroy(&fdb->lists);
	free(fdb->by_segment);
	free(fdb);
}

uint16_t fdb_lookup(const struct fdb *fdb, uint64_t key, uint32_t now_s, uint32_t age_s)
{
	struct fdb_table *table = fdb_table(fdb);

	return fdb_table_look_up(table, key, fdb_table_hash(table, key), now_s, age_s);
}

bool fdb_refresh(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t now_s)
{
	struct fdb_table *table = fdb_table(fdb);

	return fdb_table_refresh(table, key, fdb_table_hash(table, key), fdb_value(port, 0, now_s));
}

static uint32_t slot_number(const struct fdb_table *table, const struct fdb_bucket *bucket,
			    int slot)
{
	return (uint32_t)(bucket - table->buckets) * BUCKET_SLOTS + (uint32_t)slot;
}

/* Whose list an entry is in. */
static uint16_t list_of(const struct fdb_entry *entry)
{
	return entry->is_static ? FDB_NO_PORT : entry->port;
}

static void set_value(struct fdb_bucket *bucket, int slot, const struct fdb_entry *entry)
{
	uint64_t flags = entry->is_static ? FDB_VALUE_STATIC : 0;

	atomic_store_explicit(&bucket->value[slot], fdb_value(entry->port, flags, entry->seen_s),
			      memory_order_release);
}

static struct fdb_entry entry_at(const struct fdb_bucket *bucket, int slot)
{
	uint64_t value = fdb_bucket_value(bucket, (unsigned int)slot);

	return (struct fdb_entry){
		.key = atomic_load_explicit(&bucket->key[slot], memory_order_relaxed),
		.port = fdb_value_port(value),
		.is_static = (value & FDB_VALUE_STATIC) != 0,
		.seen_s = fdb_value_seen_s(value),
	};
}

/* Value first, the key makes it visible. */
static void fill_slot(struct fdb_bucket *bucket, int slot, const struct fdb_entry *entry)
{
	set_value(bucket, slot, entry);
	atomic_store_explicit(&bucket->key[slot], entry->key, memory_order_release);
}

/* Room in a full bucket: one of its entries goes to its other bucket. Until then it is in both, so
 * a reader finds it. The slot that is free now, or -1. */
static int make_slot(struct fdb *fdb, struct fdb_table *table, struct fdb_lists *lists,
		     struct fdb_bucket *bucket)
{
	for (int i = 0; i < BUCKET_SLOTS; i++) {
		struct fdb_entry entry = entry_at(bucket, i);
		uint64_t h = fdb_table_hash(table, entry.key);
		struct fdb_bucket *other = fdb_table_first(table, h);

		if (other == bucket)
			other = fdb_table_second(table, h);
		int slot = other != bucket ? fdb_bucket_free(other) : -1;

		if (slot < 0)
			continue;
		fill_slot(other, slot, &entry);
		fdb_lists_move(lists, list_of(&entry), fdb_key_segment(entry.key),
			       slot_number(table, bucket, i), slot_number(table, other, slot));
		atomic_store_explicit(&bucket->key[i], 0, memory_order_release);
		return i;
	}
	return -1;
}

/* Writes an entry into a free slot of one of its two buckets. false: both are full, and so are the
 * other buckets of what is in them. Main. */
static bool insert(struct fdb *fdb, struct fdb_table *table, struct fdb_lists *lists,
		   const struct fdb_entry *entry)
{
	uint64_t h = fdb_table_hash(table, entry->key);
	struct fdb_bucket *first = fdb_table_first(table, h), *bucket = first;
	int slot = fdb_bucket_free(bucket);

	if (slot < 0) {
		bucket = fdb_table_second(table, h);
		slot = fdb_bucket_free(bucket);
	}
	if (slot < 0)
		slot = make_slot(fdb, table, lists, bucket);
	if (slot < 0) {
		bucket = first;
		slot = make_slot(fdb, table, lists, bucket);
	}
	if (slot < 0)
		return false;
	fill_slot(bucket, slot, entry);
	fdb_lists_append(lists, list_of(entry), fdb_key_segment(entry->key),
			 slot_number(table, bucket, slot));
	return true;
}

static struct fdb_entry entry_of(struct fdb_table *table, uint32_t slot)
{
	return entry_at(&table->buckets[slot / BUCKET_SLOTS], (int)(slot % BUCKET_SLOTS));
}

/* List by list, so that each keeps its order. */
static bool copy_all(struct fdb *fdb, struct fdb_table *from, struct fdb_table *to,
		     struct fdb_lists *lists)
{
	for (uint32_t i = 0; i < fdb->lists.n_lists; i++) {
		const struct fdb_list *list = &fdb->lists.lists[i];
		uint32_t next = list->count != 0 ? list->first : 0;

		for (; next != 0; next = fdb->lists.links[next - 1].next) {
			struct fdb_entry entry = entry_of(from, next - 1);

			if (!insert(fdb, to, lists, &entry))
				return false;
		}
	}
	return true;
}

/* A table of at least twice the size with the same entries takes the old one's place. Main. */
static int grow(struct fdb *fdb)
{
	struct fdb_table *old = atomic_load(&fdb->table);
	uint64_t n_buckets = n_buckets_of(old) * 2;

	for (; n_buckets <= BUCKETS_MAX; n_buckets *= 2) {
		struct fdb_table *table = table_create(&fdb->config, (uint32_t)n_buckets);
		struct fdb_lists lists = {0};
		int error = table != NULL ? fdb_lists_create(&lists, n_buckets * BUCKET_SLOTS,
							     fdb->lists.n_max)
					  : -ENOMEM;

		if (error == 0 && copy_all(fdb, old, table, &lists)) {
			atomic_store_explicit(&fdb->table, table, memory_order_release);
			fdb->config.synchronize(fdb->config.ctx);
			fdb->config.memory.free(old);
			fdb_lists_destroy(&fdb->lists);
			fdb->lists = lists;
			return 0;
		}
		fdb_lists_destroy(&lists);
		fdb->config.memory.free(table);
		if (error < 0)
			return error;
	}
	return -ENOSPC;
}

/* Where there is no memory now there will be none in the next moment, and each try costs. */
static bool make_slots(struct fdb *fdb, uint32_t now_s)
{
	if ((int32_t)(now_s - fdb->cramped_until_s) < 0)
		return false;
	if (grow(fdb) == 0)
		return true;
	fdb->cramped_until_s = now_s + GROW_RETRY_S;
	return false;
}

/* Inserts with as many tries as it takes. false: no memory. */
static bool insert_grown(struct fdb *fdb, const struct fdb_entry *entry)
{
	if (!fdb_lists_reserve(&fdb->lists))
		return false;
	while (!insert(fdb, atomic_load(&fdb->table), &fdb->lists, entry)) {
		if (!make_slots(fdb, entry->seen_s))
			return false;
	}
	return true;
}

/* Puts an entry that is in the table behind another port. false: no memory. */
static bool move(struct fdb *fdb, const struct fdb_entry *from, const struct fdb_entry *to,
		 uint32_t slot)
{
	uint16_t segment = fdb_key_segment(to->key);

	if (!fdb_lists_reserve(&fdb->lists))
		return false;
	fdb_lists_remove(&fdb->lists, list_of(from), segment, slot);
	fdb_lists_append(&fdb->lists, list_of(to), segment, slot);
	return true;
}

enum fdb_learned fdb_learn(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t now_s,
			   uint16_t *old_port)
{
	struct fdb_entry entry = {.key = key, .port = port, .seen_s = now_s};
	struct fdb_table *table = atomic_load(&fdb->table);
	int slot;
	struct fdb_bucket *bucket = find(fdb, key, &slot);

	if (bucket != NULL) {
		struct fdb_entry old = entry_at(bucket, slot);

		*old_port = old.port;
		if (old.is_static)
			return FDB_LEARNED_STATIC;
		if (old.port != port && !move(fdb, &old, &entry, slot_number(table, bucket, slot)))
			return FDB_LEARNED_FULL;
		set_value(bucket, slot, &entry);
		return old.port == port ? FDB_LEARNED_SAME : FDB_LEARNED_MOVED;
	}
	if (fdb->count >= fdb->config.capacity || !insert_grown(fdb, &entry))
		return FDB_LEARNED_FULL;
	fdb->count++;
	fdb->by_segment[fdb_key_segment(key)]++;
	return FDB_LEARNED_NEW;
}

/* Takes an entry out of the counts. */
static void uncount(struct fdb *fdb, const struct fdb_entry *entry)
{
	if (entry->is_static)
		return;
	fdb->by_segment[fdb_key_segment(entry->key)]--;
	fdb->count--;
}

static void forget_slot(struct fdb *fdb, struct fdb_table *table, uint32_t slot)
{
	struct fdb_bucket *bucket = &table->buckets[slot / BUCKET_SLOTS];
	int i = (int)(slot % BUCKET_SLOTS);
	struct fdb_entry entry = entry_at(bucket, i);

	fdb_lists_remove(&fdb->lists, list_of(&entry), fdb_key_segment(entry.key), slot);
	uncount(fdb, &entry);
	atomic_store_explicit(&bucket->key[i], 0, memory_order_release);
}

int fdb_bind(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t now_s)
{
	struct fdb_entry entry = {.key = key, .port = port, .is_static = true, .seen_s = now_s};
	struct fdb_table *table = atomic_load(&fdb->table);
	int slot;
	struct fdb_bucket *bucket = find(fdb, key, &slot);

	if (bucket != NULL) {
		struct fdb_entry old = entry_at(bucket, slot);
		uint32_t number = slot_number(table, bucket, slot);

		if (!move(fdb, &old, &entry, number))
			return -ENOMEM;
		uncount(fdb, &old);
		set_value(bucket, slot, &entry);
		return 0;
	}
	return insert_grown(fdb, &entry) ? 0 : -ENOMEM;
}

bool fdb_evict(struct fdb *fdb, uint16_t port, uint16_t segment)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	const struct fdb_list *list = fdb_lists_find(&fdb->lists, port, segment);

	if (list == NULL)
		return false;
	uint32_t victim = list->first, next = list->first;
	uint32_t victim_seen_s = entry_of(table, victim - 1).seen_s;

	/* The longest silent of those that were learned first. */
	for (int i = 1; i < EVICT_CANDIDATES; i++) {
		next = fdb->lists.links[next - 1].next;
		if (next == 0)
			break;
		uint32_t seen_s = entry_of(table, next - 1).seen_s;

		if ((int32_t)(seen_s - victim_seen_s) < 0) {
			victim = next;
			victim_seen_s = seen_s;
		}
	}
	forget_slot(fdb, table, victim - 1);
	return true;
}

uint64_t fdb_sweep(struct fdb *fdb, uint64_t from, uint64_t n_buckets,
		   bool (*forget)(void *ctx, const struct fdb_entry *entry), void *ctx)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	uint64_t n = n_buckets_of(table), b = from;

	for (; b < n && b - from < n_buckets; b++) {
		for (int i = 0; i < BUCKET_SLOTS; i++) {
			struct fdb_entry entry = entry_at(&table->buckets[b], i);

			if (entry.key != 0 && forget(ctx, &entry))
				forget_slot(fdb, table, (uint32_t)b * BUCKET_SLOTS + (uint32_t)i);
		}
	}
	return b < n ? b : 0;
}

uint64_t fdb_buckets(const struct fdb *fdb)
{
	return n_buckets_of(fdb_table(fdb));
}

void fdb_forget(struct fdb *fdb, uint16_t port,
		bool (*forget)(void *ctx, const struct fdb_entry *entry), void *ctx)
{
	struct fdb_table *table = atomic_load(&fdb->table);
	uint32_t number = fdb->lists.by_port[port].first;

	while (number != 0) {
		uint32_t at = fdb->lists.lists[number - 1].first;

		/* A list that is emptied is none any more. */
		number = fdb->lists.lists[number - 1].next_of_port;
		while (at != 0) {
			struct fdb_entry entry = entry_of(table, at - 1);
			uint32_t next = fdb->lists.links[at - 1].next;

			if (forget(ctx, &entry))
				forget_slot(fdb, table, at - 1);
			at = next;
		}
	}
}

uint32_t fdb_count(const struct fdb *fdb)
{
	return fdb->count;
}

uint32_t fdb_count_port(const struct fdb *fdb, uint16_t port)
{
	return fdb->lists.by_port[port].count;
}

uint32_t fdb_count_segments(const struct fdb *fdb, uint16_t port)
{
	return fdb->lists.by_port[port].n_lists;
}

uint32_t fdb_count_in(const struct fdb *fdb, uint16_t port, uint16_t segment)
{
	const struct fdb_list *list = fdb_lists_find(&fdb->lists, port, segment);

	return list != NULL ? list->count : 0;
}

uint32_t fdb_count_segment(const struct fdb *fdb, uint16_t segment)
{
	return fdb->by_segment[segment];
}

uint16_t fdb_owner(const struct fdb *fdb, uint64_t key)
{
	int slot;
	struct fdb_bucket *bucket = find(fdb, key, &slot);

	return bucket != NULL ? fdb_value_port(fdb_bucket_value(bucket, (unsigned int)slot))
			      : FDB_NO_PORT;
}
