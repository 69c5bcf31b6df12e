/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of one front-end, mapped and checked: the only way from an address that a guest names
 * to bytes that weft touches. Made and destroyed by main, read by workers while a ring runs.
 *
 * Each region is one mapping of the front-end's file, with unmapped pages on both sides:
 *
 *	reservation  | PROT_NONE | file, MAP_SHARED             | PROT_NONE |
 *	                         ^ start        ^ host (= gpa)
 *
 * The file belongs to the front-end, which may shrink it under our feet: see fault.h.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/vhost/message.h"

/* What one front-end may map. Mappings cost address space (128 TiB on x86-64) and page tables, not
 * memory; 1 TiB is beyond the guests that weft serves and lets a hundred such front-ends in. */
#define MEMORY_MAX_BYTES (UINT64_C(1) << 40)

struct guest_region {
	uint64_t gpa;
	uint64_t bytes;			/* 0: unused, matches nothing */
	uint8_t *host;			/* where gpa lies in this process */
};

struct dirty_log;

struct guest_mapping {
	uint64_t uva;			/* the front-end's own address of the region */
	uint8_t *start;			/* file pages, whole ones */
	size_t bytes;
	void *reservation;
	size_t reserved_bytes;
	bool is_sealed;			/* F_SEAL_SHRINK: the file cannot shrink */
};

struct guest_memory {
	struct guest_region regions[VHOST_MAX_REGIONS];
	unsigned n_regions;
	struct dirty_log *log;		/* where writes are marked; NULL: nowhere (dirty_log.h) */
	_Atomic bool faulted;		/* bytes were lost, zeros stand in: close the port */

	struct guest_mapping mappings[VHOST_MAX_REGIONS];	/* cold; same index as regions */
};

/* Maps what the table names, at most max_bytes in all. fds: one for each region, they stay the
 * caller's. 0, or -errno with one line in *why. */
int memory_create(struct guest_memory **out, const struct vhost_memory_table *table, const int *fds,
		  uint64_t max_bytes, const char **why);
void memory_destroy(struct guest_memory *memory);	/* NULL is legal */

/* The region that holds gpa, or NULL; *hint becomes its index. For the translators below. */
const struct guest_region *memory_find(const struct guest_memory *memory, uint64_t gpa,
				       unsigned *hint);

/* Like guest_memory_at(), for an address of the front-end's user space. Not for the fast path. */
void *memory_at_uva(const struct guest_memory *memory, uint64_t uva, uint64_t bytes);

static inline const struct guest_region *guest_memory_region(const struct guest_memory *memory,
							     uint64_t gpa, unsigned *hint)
{
	const struct guest_region *region = &memory->regions[*hint];

	if (__builtin_expect(gpa - region->gpa < region->bytes, 1))
		return region;
	return memory_find(memory, gpa, hint);
}

/* [gpa, gpa + bytes) in this process, or NULL unless all of it lies in one region. *hint is the
 * caller's guess of the region (0 at first): keep it, guests seldom change region. */
static inline void *guest_memory_at(const struct guest_memory *memory, uint64_t gpa, uint64_t bytes,
				    unsigned *hint)
{
	const struct guest_region *region = guest_memory_region(memory, gpa, hint);

	if (__builtin_expect(region == NULL || bytes > region->bytes - (gpa - region->gpa), 0))
		return NULL;
	return region->host + (gpa - region->gpa);
}

/* Like guest_memory_at(), but shortens *bytes to what lies in the region of gpa: a buffer may span
 * two regions that touch each other. NULL if gpa lies in none. */
static inline void *guest_memory_span(const struct guest_memory *memory, uint64_t gpa,
				      uint64_t *bytes, unsigned *hint)
{
	const struct guest_region *region = guest_memory_region(memory, gpa, hint);
	uint64_t room;

	if (__builtin_expect(region == NULL, 0))
		return NULL;
	room = region->bytes - (gpa - region->gpa);
	if (*bytes > room)
		*bytes = room;
	return region->host + (gpa - region->gpa);
}
