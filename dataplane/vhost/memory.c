/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks and maps the memory that a front-end shares. Main thread. Every number in the table and
 * every file behind it is hostile; what passes here is what workers later touch without a check.
 */
#include "dataplane/vhost/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PAGE_BYTES UINT64_C(4096)
#define PMD_BYTES (UINT64_C(2) << 20)

static int refuse(int error, const char **why, const char *reason)
{
	*why = reason;
	return error;
}

static bool ranges_overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

#define NOT_SHARED_MEMORY                                                                          \
	"memory is not shared memory: use memory-backend-memfd, or a file on tmpfs or hugetlbfs"

static int check_region(const struct vhost_memory_table *table, unsigned idx, const char **why)
{
	const struct vhost_region *region = &table->regions[idx];
	uint64_t end;

	if (region->bytes == 0)
		return refuse(-EINVAL, why, "a memory region is empty");
	if (__builtin_add_overflow(region->gpa, region->bytes, &end) ||
	    __builtin_add_overflow(region->uva, region->bytes, &end) ||
	    __builtin_add_overflow(region->offset, region->bytes, &end))
		return refuse(-EINVAL, why, "a memory region wraps around");
	for (unsigned i = 0; i < idx; i++) {
		const struct vhost_region *other = &table->regions[i];

		if (ranges_overlap(region->gpa, region->bytes, other->gpa, other->bytes) ||
		    ranges_overlap(region->uva, region->bytes, other->uva, other->bytes))
			return refuse(-EINVAL, why, "memory regions overlap");
	}
	return 0;
}

/* Only files that live in memory: a page of any other can make the reader wait, on a FUSE or
 * network file system for as long as its server likes. *page_bytes: the unit of its mappings. */
static int check_file(const struct vhost_region *region, int fd, uint64_t *page_bytes,
		      const char **why)
{
	struct stat stat;
	struct statfs fs;

	/* Answered by the kernel itself: a FUSE file would ask its server in fstat(). */
	if (fcntl(fd, F_GET_SEALS) < 0 && errno == EINVAL)
		return refuse(-EINVAL, why, NOT_SHARED_MEMORY);
	if (fstat(fd, &stat) < 0 || fstatfs(fd, &fs) < 0)
		return refuse(-errno, why, "cannot look at the file of a memory region");
	if (!S_ISREG(stat.st_mode) || (fs.f_type != TMPFS_MAGIC && fs.f_type != HUGETLBFS_MAGIC))
		return refuse(-EINVAL, why, NOT_SHARED_MEMORY);
	if (stat.st_size < 0 || region->offset + region->bytes > (uint64_t)stat.st_size)
		return refuse(-EINVAL, why, "a memory region is larger than its file");
	*page_bytes = fs.f_type == HUGETLBFS_MAGIC ? (uint64_t)fs.f_bsize : PAGE_BYTES;
	return 0;
}

/*
 * Reserves address space first, then puts the file into the middle of it, so that what lies around
 * the mapping can never become anything else. The file's 2 MiB pages fall on ours: without that the
 * kernel could not map transparent huge pages as such.
 */
static int map_file(struct guest_mapping *mapping, int fd, uint64_t offset, uint64_t page_bytes,
		    const char **why)
{
	uint64_t align = page_bytes > PMD_BYTES ? page_bytes : PMD_BYTES;
	uint64_t start;

	mapping->reserved_bytes = mapping->bytes + 2 * align;
	mapping->reservation = mmap(NULL, mapping->reserved_bytes, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapping->reservation == MAP_FAILED) {
		mapping->reservation = NULL;
		return refuse(-errno, why, "no address space left for the memory");
	}
	start = (uintptr_t)mapping->reservation + PAGE_BYTES;
	start = (start + align - 1) / align * align + offset % align;
	mapping->start = mmap(
		(uint8_t *)mapping->reservation + (start - (uintptr_t)mapping->reservation),
		mapping->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, (off_t)offset);
	if (mapping->start == MAP_FAILED)
		return refuse(-errno, why, "cannot map the memory for reading and writing");
	/* A core file of weft must not carry what the guests hold. */
	if (madvise(mapping->start, mapping->bytes, MADV_DONTDUMP) < 0)
		return refuse(-errno, why, "cannot keep the memory out of core files");
	return 0;
}

static int map_region(struct guest_memory *memory, const struct vhost_region *wire, int fd,
		      uint64_t *budget_bytes, const char **why)
{
	struct guest_mapping *mapping = &memory->mappings[memory->n_regions];
	struct guest_region *region = &memory->regions[memory->n_regions];
	uint64_t page_bytes = PAGE_BYTES, offset, end;
	int seals = fcntl(fd, F_GET_SEALS);
	int ret = check_file(wire, fd, &page_bytes, why);

	if (ret < 0)
		return ret;
	offset = wire->offset / page_bytes * page_bytes;
	end = (wire->offset + wire->bytes + page_bytes - 1) / page_bytes * page_bytes;
	if (end - offset > *budget_bytes)
		return refuse(-E2BIG, why, "more memory than one front-end may share");
	*budget_bytes -= end - offset;

	memory->n_regions++;	/* from here on memory_destroy() cleans up */
	mapping->bytes = end - offset;
	mapping->uva = wire->uva;
	mapping->is_sealed = seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
	ret = map_file(mapping, fd, offset, page_bytes, why);
	if (ret < 0)
		return ret;
	region->gpa = wire->gpa;
	region->bytes = wire->bytes;
	region->host = mapping->start + (wire->offset - offset);
	return 0;
}

int memory_create(struct guest_memory **out, const struct vhost_memory_table *table, const int *fds,
		  uint64_t max_bytes, const char **why)
{
	struct guest_memory *memory;
	int ret = 0;

	if (table->n_regions == 0 || table->n_regions > VHOST_MAX_REGIONS)
		return refuse(-EINVAL, why, "a memory table has 1 to 8 regions");
	memory = calloc(1, sizeof(*memory));
	if (memory == NULL)
		return refuse(-ENOMEM, why, "out of memory");
	for (unsigned i = 0; i < table->n_regions && ret == 0; i++) {
		ret = check_region(table, i, why);
		if (ret == 0)
			ret = map_region(memory, &table->regions[i], fds[i], &max_bytes, why);
	}
	if (ret < 0) {
		memory_destroy(memory);
		return ret;
	}
	*out = memory;
	return 0;
}

void memory_destroy(struct guest_memory *memory)
{
	if (memory == NULL)
		return;
	for (unsigned i = 0; i < memory->n_regions; i++) {
		const struct guest_mapping *mapping = &memory->mappings[i];

		if (mapping->reservation != NULL)
			munmap(mapping->reservation, mapping->reserved_bytes);
	}
	free(memory);
}

const struct guest_region *memory_find(const struct guest_memory *memory, uint64_t gpa,
				       unsigned *hint)
{
	for (unsigned i = 0; i < memory->n_regions; i++) {
		const struct guest_region *region = &memory->regions[i];

		if (gpa - region->gpa < region->bytes) {
			*hint = i;
			return region;
		}
	}
	return NULL;
}

void *memory_at_uva(const struct guest_memory *memory, uint64_t uva, uint64_t bytes)
{
	for (unsigned i = 0; i < memory->n_regions; i++) {
		const struct guest_region *region = &memory->regions[i];
		uint64_t offset = uva - memory->mappings[i].uva;

		if (offset < region->bytes && bytes <= region->bytes - offset)
			return region->host + offset;
	}
	return NULL;
}
