/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours by address: one writer (main), many readers. */
#include "dataplane/neigh_index.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/fdb.h"
#include "dataplane/neigh.h"

#define BUCKET_SLOTS 3

/* An entry in words: key, address, and what is left. */
enum word {
	WORD_KEY,
	WORD_IP,			/* and the next */
	WORD_REST = 3,			/* seen_s, port, version, role; 0: the slot is empty */
	N_WORDS,
};

struct bucket {
	_Atomic uint64_t changes;	/* odd: main is writing */
	_Atomic uint64_t slots[BUCKET_SLOTS][N_WORDS];
	uint8_t pad[24];
};

_Static_assert(sizeof(struct bucket) == 128, "two cache lines");

struct neigh_index {
	uint64_t seed;
	uint32_t mask;			/* number of buckets - 1 */
	struct bucket *buckets;
};

int neigh_index_create(uint32_t n_buckets, uint64_t seed, struct neigh_index **out)
{
	struct neigh_index *index = calloc(1, sizeof(*index));

	if (index == NULL)
		return -ENOMEM;
	index->seed = seed;
	index->mask = n_buckets - 1;
	index->buckets = mmap(NULL, n_buckets * sizeof(struct bucket), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (index->buckets == MAP_FAILED) {
		free(index);
		return -ENOMEM;
	}
	*out = index;
	return 0;
}

void neigh_index_destroy(struct neigh_index *index)
{
	if (index == NULL)
		return;
	munmap(index->buckets, (index->mask + 1ULL) * sizeof(struct bucket));
	free(index);
}

static void to_words(const struct neigh_entry *entry, uint64_t words[N_WORDS])
{
	words[WORD_KEY] = entry->key;
	memcpy(&words[WORD_IP], entry->ip, sizeof(entry->ip));
	words[WORD_REST] = (uint64_t)entry->seen_s << 32 | (uint64_t)entry->port << 16 |
			   (uint64_t)entry->version << 8 | entry->role;
}

static void from_words(const uint64_t words[N_WORDS], struct neigh_entry *entry)
{
	entry->key = words[WORD_KEY];
	memcpy(entry->ip, &words[WORD_IP], sizeof(entry->ip));
	entry->seen_s = (uint32_t)(words[WORD_REST] >> 32);
	entry->port = (uint16_t)(words[WORD_REST] >> 16);
	entry->version = (uint8_t)(words[WORD_REST] >> 8);
	entry->role = (uint8_t)words[WORD_REST];
}

static bool is_same_address(const uint64_t a[N_WORDS], const uint64_t b[N_WORDS])
{
	return a[WORD_IP] == b[WORD_IP] && a[WORD_IP + 1] == b[WORD_IP + 1] &&
	       fdb_key_segment(a[WORD_KEY]) == fdb_key_segment(b[WORD_KEY]) &&
	       (uint8_t)(a[WORD_REST] >> 8) == (uint8_t)(b[WORD_REST] >> 8);
}

/* The finalizer of SplitMix64 over each word; both halves of the result are used. */
static uint64_t hash(const struct neigh_index *index, const uint64_t words[N_WORDS])
{
	uint64_t h = index->seed ^ (uint8_t)(words[WORD_REST] >> 8);
	const uint64_t parts[] = {words[WORD_IP], words[WORD_IP + 1],
				  fdb_key_segment(words[WORD_KEY])};

	for (int i = 0; i < 3; i++) {
		h ^= parts[i];
		h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
		h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
		h ^= h >> 31;
	}
	return h;
}

/* Of the two that an address has: which is 0 or 1. */
static struct bucket *bucket_of(const struct neigh_index *index, uint64_t h, int which)
{
	return &index->buckets[(uint32_t)(which == 0 ? h : h >> 32) & index->mask];
}

/* acquire: whoever sees a new word sees the odd count that was stored before it. */
static void load_slot(struct bucket *bucket, int slot, uint64_t words[N_WORDS])
{
	for (int i = 0; i < N_WORDS; i++)
		words[i] = atomic_load_explicit(&bucket->slots[slot][i], memory_order_acquire);
}

static void store_slot(struct bucket *bucket, int slot, const uint64_t words[N_WORDS])
{
	uint64_t changes = atomic_load_explicit(&bucket->changes, memory_order_relaxed);

	atomic_store_explicit(&bucket->changes, changes + 1, memory_order_relaxed);
	for (int i = 0; i < N_WORDS; i++)
		atomic_store_explicit(&bucket->slots[slot][i], words[i], memory_order_release);
	atomic_store_explicit(&bucket->changes, changes + 2, memory_order_release);
}

/* --- main --- */

struct found {
	struct bucket *bucket;	/* NULL: nowhere */
	int slot;
	uint64_t words[N_WORDS];
};

/* Where the address is, and where it could be. */
static void find(const struct neigh_index *index, const uint64_t words[N_WORDS],
		 struct found *known, struct found *empty)
{
	uint64_t h = hash(index, words), at[N_WORDS];

	known->bucket = empty->bucket = NULL;
	for (int i = 0; i < 2 * BUCKET_SLOTS; i++) {
		struct bucket *bucket = bucket_of(index, h, i / BUCKET_SLOTS);
		struct found *found = NULL;

		load_slot(bucket, i % BUCKET_SLOTS, at);
		if (at[WORD_REST] == 0 && empty->bucket == NULL)
			found = empty;
		else if (is_same_address(at, words))
			found = known;
		if (found == NULL)
			continue;
		found->bucket = bucket;
		found->slot = i % BUCKET_SLOTS;
		memcpy(found->words, at, sizeof(at));
	}
}

void neigh_index_put(struct neigh_index *index, const struct neigh_entry *entry)
{
	struct found known, empty;
	uint64_t words[N_WORDS];

	to_words(entry, words);
	find(index, words, &known, &empty);
	if (known.bucket != NULL) {
		if (entry->role == NEIGH_ROLE_UNKNOWN && known.words[WORD_KEY] == entry->key)
			words[WORD_REST] |= (uint8_t)known.words[WORD_REST];
		store_slot(known.bucket, known.slot, words);
	} else if (empty.bucket != NULL) {
		store_slot(empty.bucket, empty.slot, words);
	}
}

void neigh_index_remove(struct neigh_index *index, const struct neigh_entry *entry)
{
	static const uint64_t nothing[N_WORDS];
	struct found known, empty;
	uint64_t words[N_WORDS];

	to_words(entry, words);
	find(index, words, &known, &empty);
	if (known.bucket != NULL)
		store_slot(known.bucket, known.slot, nothing);
}

/* --- any thread --- */

bool neigh_index_find(const struct neigh_index *index, struct neigh_entry *entry)
{
	uint64_t wanted[N_WORDS], at[N_WORDS];

	to_words(entry, wanted);
	uint64_t h = hash(index, wanted);

	for (int which = 0; which < 2; which++) {
		struct bucket *bucket = bucket_of(index, h, which);
		uint64_t changes = atomic_load_explicit(&bucket->changes, memory_order_acquire);

		for (int slot = 0; slot < BUCKET_SLOTS; slot++) {
			load_slot(bucket, slot, at);
			if (!is_same_address(at, wanted))
				continue;
			from_words(at, entry);
			return (changes & 1) == 0 &&
			       atomic_load_explicit(&bucket->changes, memory_order_relaxed) ==
				       changes;
		}
	}
	return false;
}
