/* SPDX-License-Identifier: BSD-3-Clause */
/* The dataplane's counters, mapped read-only. Any thread. */
#include "control/meter.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>

static bool is_inside(const struct counters_header *header, uint64_t offset, uint64_t n,
		      size_t item_bytes)
{
	return offset % COUNTERS_LINE == 0 && offset <= header->total_bytes &&
	       n * item_bytes <= header->total_bytes - offset;
}

/* From here on its offsets are trusted; the memfd is sealed against shrinking. */
static bool is_ours(const struct counters_header *header, uint64_t file_bytes)
{
	return header->magic == COUNTERS_MAGIC && header->version == COUNTERS_VERSION &&
	       header->n_reasons == DROP_COUNT && header->total_bytes <= file_bytes &&
	       header->n_slots <= UINT16_MAX && header->n_workers <= UINT16_MAX &&
	       is_inside(header, header->slots_offset, header->n_slots,
			 sizeof(struct counters_slot)) &&
	       is_inside(header, header->workers_offset, header->n_workers,
			 sizeof(struct counters_worker)) &&
	       is_inside(header, header->blocks_offset,
			 (uint64_t)header->n_slots * header->n_workers,
			 sizeof(struct counters_block));
}

int meter_open(struct meter *meter, int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return -errno;
	if ((size_t)stat.st_size < sizeof(struct counters_header))
		return -EPROTONOSUPPORT;
	void *map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	if (!is_ours(map, (uint64_t)stat.st_size)) {
		munmap(map, (size_t)stat.st_size);
		return -EPROTONOSUPPORT;
	}
	*meter = (struct meter){.header = map, .bytes = (size_t)stat.st_size};
	return 0;
}

void meter_close(struct meter *meter)
{
	/* cast: munmap() takes no const pointer */
	if (meter->header != NULL)
		munmap((void *)(uintptr_t)meter->header, meter->bytes);
	*meter = (struct meter){0};
}

/* All counters are 64 bits wide, one after the other. */
static void add(uint64_t *sum, const uint64_t *counters, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(uint64_t); i++)
		sum[i] += __atomic_load_n(&counters[i], __ATOMIC_RELAXED);
}

struct counters_block meter_sum(const struct meter *meter, uint32_t slot)
{
	const struct counters_header *header = meter->header;
	const struct counters_block *blocks =
		(const void *)((const uint8_t *)header + header->blocks_offset);
	struct counters_block sum = {0};

	for (uint32_t w = 0; w < header->n_workers && slot < header->n_slots; w++)
		add((uint64_t *)&sum,
		    (const uint64_t *)&blocks[(size_t)slot * header->n_workers + w], sizeof(sum));
	return sum;
}

struct counters_worker meter_worker(const struct meter *meter, uint32_t worker)
{
	const struct counters_header *header = meter->header;
	const struct counters_worker *workers =
		(const void *)((const uint8_t *)header + header->workers_offset);
	struct counters_worker sum = {0};

	if (worker < header->n_workers)
		add((uint64_t *)&sum, (const uint64_t *)&workers[worker], sizeof(sum));
	return sum;
}
