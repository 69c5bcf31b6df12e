/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is not EAL's: from the C library, and straight from the kernel. */
#include "dataplane/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE_BYTES ((size_t)2 << 20)

static void *plain_alloc(size_t bytes, size_t align)
{
	void *memory = NULL;

	if (posix_memalign(&memory, align, bytes) != 0)
		return NULL;
	return memset(memory, 0, bytes);
}

const struct memory memory_plain = {.alloc = plain_alloc, .free = free};

/* Before what is handed out, in a place as large as any alignment that is asked for. */
struct mapping {
	size_t bytes;
} __attribute__((aligned(64)));

/* From a huge page's start on, and up to one's end: then the kernel can take huge ones where they
 * are not used unasked. Where it cannot, the pages are plain. */
static void *mapped_alloc(size_t bytes, size_t align)
{
	size_t unit = bytes < HUGE_PAGE_BYTES ? (size_t)4096 : HUGE_PAGE_BYTES;

	if (align > sizeof(struct mapping) || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + sizeof(struct mapping) + unit - 1) / unit * unit;
	uint8_t *start = mmap(NULL, bytes + unit, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	size_t before = -(uintptr_t)start % unit;

	if (before != 0)
		munmap(start, before);
	munmap(start + before + bytes, unit - before);
	struct mapping *mapping = (struct mapping *)(start + before);

	if (unit == HUGE_PAGE_BYTES)
		madvise(mapping, bytes, MADV_HUGEPAGE);
	mapping->bytes = bytes;
	return mapping + 1;
}

static void mapped_free(void *memory)
{
	struct mapping *mapping = memory;

	if (mapping != NULL)
		munmap(mapping - 1, mapping[-1].bytes);
}

const struct memory memory_mapped = {.alloc = mapped_alloc, .free = mapped_free};
