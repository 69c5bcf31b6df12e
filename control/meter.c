/* SPDX-License-Identifier: BSD-3-Clause */
/* The dataplane's counters, mapped read-only. Any thread. */
#include "control/meter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096 /* or a multiple of it */

/* The beginning of a channel's block, which every change shows in, is one cache line. */
#define LINE_COUNTERS (COUNTERS_LINE / sizeof(uint64_t))

_Static_assert(offsetof(struct counters_channel, delays) == COUNTERS_LINE,
	       "what meter_look_at_channels() reads is one line");

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
			 sizeof(struct counters_block)) &&
	       header->n_channels <= UINT16_MAX &&
	       is_inside(header, header->channel_slots_offset, header->n_channels,
			 sizeof(struct counters_slot)) &&
	       is_inside(header, header->channels_offset,
			 (uint64_t)header->n_channels * header->n_workers * DP_WAYS,
			 sizeof(struct counters_channel));
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
	int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own_fd < 0) {
		int error = -errno;

		munmap(map, (size_t)stat.st_size);
		return error;
	}
	*meter = (struct meter){.header = map, .bytes = (size_t)stat.st_size, .fd = own_fd};
	return 0;
}

void meter_close(struct meter *meter)
{
	if (meter->header != NULL) {
		/* cast: munmap() takes no const pointer */
		munmap((void *)(uintptr_t)meter->header, meter->bytes);
		close(meter->fd);
	}
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

static struct counters_slot copy_slot(const struct meter *meter, uint64_t offset, uint32_t n_slots,
				      uint32_t slot)
{
	const struct counters_slot *slots = (const void *)((const uint8_t *)meter->header + offset);
	struct counters_slot copy = {0};

	if (slot < n_slots)
		add((uint64_t *)&copy, (const uint64_t *)&slots[slot], sizeof(copy));
	return copy;
}

struct counters_slot meter_slot(const struct meter *meter, uint32_t slot)
{
	return copy_slot(meter, meter->header->slots_offset, meter->header->n_slots, slot);
}

uint64_t meter_memory_bytes(const struct meter *meter)
{
	return __atomic_load_n(&meter->header->memory_bytes, __ATOMIC_RELAXED);
}

uint32_t meter_flights(const struct meter *meter)
{
	return __atomic_load_n(&meter->header->n_flights, __ATOMIC_ACQUIRE);
}

/* Offset of what the workers count for a slot. */
static uint64_t channel_offset(const struct counters_header *header, uint32_t slot)
{
	return header->channels_offset +
	       (uint64_t)slot * header->n_workers * DP_WAYS * sizeof(struct counters_channel);
}

/* The blocks of which the first line lies between two offsets of the memfd. */
static void look_between(const struct meter *meter, uint64_t begin, uint64_t end, uint64_t *changes)
{
	const struct counters_header *header = meter->header;
	const struct counters_channel *channels =
		(const void *)((const uint8_t *)header + header->channels_offset);
	const uint64_t bytes = sizeof(struct counters_channel);
	uint64_t from = (begin - header->channels_offset + bytes - 1) / bytes;
	uint64_t to = (end - header->channels_offset + bytes - COUNTERS_LINE) / bytes;

	for (uint64_t i = from; i < to; i++) {
		const uint64_t *line = (const uint64_t *)&channels[i];
		uint64_t *change =
			&changes[i / DP_WAYS / header->n_workers * DP_WAYS + i % DP_WAYS];

		for (unsigned int c = 0; c < LINE_COUNTERS; c++)
			*change += __atomic_load_n(&line[c], __ATOMIC_RELAXED);
	}
}

void meter_look_at_channels(const struct meter *meter, uint32_t n_slots, uint64_t *changes)
{
	const struct counters_header *header = meter->header;
	uint64_t n_blocks =
		(uint64_t)(n_slots < header->n_channels ? n_slots : header->n_channels) *
		header->n_workers * DP_WAYS;
	uint64_t at = header->channels_offset;
	uint64_t end = at + n_blocks * sizeof(struct counters_channel);

	memset(changes, 0, (size_t)n_slots * DP_WAYS * sizeof(*changes));
	while (at < end) {
		off_t data = lseek(meter->fd, (off_t)at, SEEK_DATA);
		off_t hole = data >= 0 ? lseek(meter->fd, data, SEEK_HOLE) : -1;

		/* Nothing was written to behind here. */
		if (hole < 0 || (uint64_t)data >= end)
			return;
		at = (uint64_t)hole < end ? (uint64_t)hole : end;
		look_between(meter, (uint64_t)data, at, changes);
	}
}

struct counters_slot meter_channel_slot(const struct meter *meter, uint32_t slot)
{
	return copy_slot(meter, meter->header->channel_slots_offset, meter->header->n_channels,
			 slot);
}

struct counters_channel meter_channel(const struct meter *meter, uint32_t slot, enum dp_way way)
{
	const struct counters_header *header = meter->header;
	struct counters_channel sum = {0};

	if (slot >= header->n_channels)
		return sum;
	const uint64_t begin = channel_offset(header, slot), end = channel_offset(header, slot + 1);

	/* Page by page: to ask where data end takes as long as there are pages of them. */
	for (uint64_t from = begin; from < end;) {
		off_t data = lseek(meter->fd, (off_t)from, SEEK_DATA);

		if (data < 0 || (uint64_t)data >= end)
			break;
		from = ((uint64_t)data / PAGE_BYTES + 1) * PAGE_BYTES;
		if (from > end)
			from = end;
		/* Of each part, a way of a worker, what lies on this page. */
		for (uint64_t at = (uint64_t)data, next; at < from; at = next) {
			uint64_t part = (at - begin) / sizeof(sum);
			uint64_t skip = (at - begin) % sizeof(sum);

			next = begin + (part + 1) * sizeof(sum);
			next = next < from ? next : from;
			if (part % DP_WAYS == way)
				add((uint64_t *)&sum + skip / sizeof(uint64_t),
				    (const void *)((const uint8_t *)header + at), next - at);
		}
	}
	return sum;
}
