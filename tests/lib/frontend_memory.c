/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of a pretended guest. See frontend_memory.h. Owned by one thread. */
#include "tests/lib/frontend_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES 4096ULL
#define HUGE_PAGE_BYTES (2ULL << 20)

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static int open_memfd(const struct frontend_memory_options *options, uint64_t n_bytes)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (options->huge ? MFD_HUGETLB : 0);
	int fd = memfd_create("weft-frontend", flags);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)n_bytes) < 0)
		goto close_fd;
	if (!options->unsealed && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		goto close_fd;
	return fd;
close_fd:;
	int err = -errno;

	close(fd);
	return err;
}

int frontend_memory_init(struct frontend_memory *memory,
			 const struct frontend_memory_options *options)
{
	unsigned int n = options->n_regions == 0 ? 1 : options->n_regions;
	uint64_t page = options->huge ? HUGE_PAGE_BYTES : PAGE_BYTES;

	if (n > VHU_REGIONS_MAX || options->bytes == 0)
		return -EINVAL;
	*memory = (struct frontend_memory){
		.n_regions = n,
		.region_bytes = round_up((options->bytes + n - 1) / n, page),
	};
	memory->stride = memory->region_bytes * (options->adjacent ? 1 : 2);
	memory->fd = open_memfd(options, memory->region_bytes * n);
	if (memory->fd < 0)
		return memory->fd;
	void *base = mmap(NULL, memory->region_bytes * n, PROT_READ | PROT_WRITE, MAP_SHARED,
			  memory->fd, 0);
	if (base == MAP_FAILED) {
		int err = -errno;

		close(memory->fd);
		return err;
	}
	memory->base = base;
	return 0;
}

void frontend_memory_fini(struct frontend_memory *memory)
{
	munmap(memory->base, memory->region_bytes * memory->n_regions);
	close(memory->fd);
}

void *frontend_memory_take(struct frontend_memory *memory, unsigned int region, uint64_t n_bytes,
			   uint64_t align)
{
	uint64_t start = round_up(memory->used[region], align);

	if (start > memory->region_bytes || n_bytes > memory->region_bytes - start)
		return NULL;
	memory->used[region] = start + n_bytes;
	return memory->base + memory->region_bytes * region + start;
}

uint64_t frontend_memory_address(const struct frontend_memory *memory, const void *pointer)
{
	uint64_t offset = (uint64_t)((const unsigned char *)pointer - memory->base);
	uint64_t region = offset / memory->region_bytes;

	return FRONTEND_MEMORY_START + region * memory->stride + offset % memory->region_bytes;
}

void *frontend_memory_pointer(const struct frontend_memory *memory, uint64_t address,
			      uint64_t n_bytes)
{
	if (address < FRONTEND_MEMORY_START)
		return NULL;
	uint64_t region = (address - FRONTEND_MEMORY_START) / memory->stride;
	uint64_t offset = (address - FRONTEND_MEMORY_START) % memory->stride;

	if (region >= memory->n_regions || offset > memory->region_bytes ||
	    n_bytes > memory->region_bytes - offset)
		return NULL;
	return memory->base + region * memory->region_bytes + offset;
}

void frontend_memory_table(const struct frontend_memory *memory, struct vhu_memory *table)
{
	*table = (struct vhu_memory){.n_regions = memory->n_regions};
	for (unsigned int i = 0; i < memory->n_regions; i++) {
		table->regions[i] = (struct vhu_region){
			.guest_address = FRONTEND_MEMORY_START + i * memory->stride,
			.bytes = memory->region_bytes,
			.user_address =
				(uint64_t)(uintptr_t)memory->base + i * memory->region_bytes,
			.file_offset = i * memory->region_bytes,
		};
	}
}
