/* SPDX-License-Identifier: BSD-3-Clause */
/* Creates and hands out the shared counters. Main thread; workers write their own blocks. */
#include "dataplane/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct counters {
	int fd;
	struct counters_header *header;
	struct counters_slot *slots;
	struct counters_worker *workers;
	struct counters_block *blocks;
	struct counters_slot *channel_slots;
	struct counters_channel *channels;
	unsigned int free_from, channels_free_from; /* no slot below is free */
};

static uint64_t align_line(uint64_t bytes)
{
	return (bytes + COUNTERS_LINE - 1) / COUNTERS_LINE * COUNTERS_LINE;
}

static struct counters_header layout(unsigned int n_slots, unsigned int n_channels,
				     unsigned int n_workers)
{
	struct counters_header header = {
		.magic = COUNTERS_MAGIC,
		.version = COUNTERS_VERSION,
		.n_slots = n_slots,
		.n_workers = n_workers,
		.n_channels = n_channels,
		.n_reasons = DROP_COUNT,
		.slots_offset = align_line(sizeof(header)),
	};

	header.workers_offset =
		header.slots_offset + align_line(n_slots * sizeof(struct counters_slot));
	header.blocks_offset = header.workers_offset + n_workers * sizeof(struct counters_worker);
	header.channel_slots_offset = header.blocks_offset +
				      (uint64_t)n_slots * n_workers * sizeof(struct counters_block);
	header.channels_offset =
		header.channel_slots_offset + align_line(n_channels * sizeof(struct counters_slot));
	header.total_bytes = header.channels_offset + (uint64_t)n_channels * n_workers * DP_WAYS *
							      sizeof(struct counters_channel);
	return header;
}

/* Memory of a size that nobody can change, zeroed, mapped for writing. */
static int map_memfd(struct counters *counters, uint64_t bytes)
{
	counters->fd = memfd_create("weft-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (counters->fd < 0)
		return -errno;
	if (ftruncate(counters->fd, (off_t)bytes) < 0)
		return -errno;
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, counters->fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	counters->header = map;
	/* FUTURE_WRITE leaves our own mapping alone: it is the only one that will ever write. */
	if (fcntl(counters->fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

int counters_create(unsigned int n_slots, unsigned int n_channels, unsigned int n_workers,
		    uint64_t epoch, uint64_t tsc_hz, struct counters **out)
{
	struct counters_header header = layout(n_slots, n_channels, n_workers);
	struct counters *counters = calloc(1, sizeof(*counters));

	if (counters == NULL)
		return -ENOMEM;
	header.epoch = epoch;
	header.tsc_hz = tsc_hz;
	int error = map_memfd(counters, header.total_bytes);

	if (error < 0) {
		if (counters->header != NULL)
			munmap(counters->header, header.total_bytes);
		if (counters->fd >= 0)
			close(counters->fd);
		free(counters);
		return error;
	}
	char *base = (char *)counters->header;

	*counters->header = header;
	counters->slots = (struct counters_slot *)(base + header.slots_offset);
	counters->workers = (struct counters_worker *)(base + header.workers_offset);
	counters->blocks = (struct counters_block *)(base + header.blocks_offset);
	counters->channel_slots = (struct counters_slot *)(base + header.channel_slots_offset);
	counters->channels = (struct counters_channel *)(base + header.channels_offset);
	counters->free_from = counters->channels_free_from = 1;
	*out = counters;
	return 0;
}

void counters_destroy(struct counters *counters)
{
	if (counters == NULL)
		return;
	munmap(counters->header, counters->header->total_bytes);
	close(counters->fd);
	free(counters);
}

int counters_reader_fd(const struct counters *counters)
{
	char path[40];

	/* A new open file description, so that it can be opened read-only. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", counters->fd);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int take(struct counters_slot *slots, unsigned int n, unsigned int *free_from,
		uint64_t object_id)
{
	for (unsigned int i = *free_from; i < n; i++) {
		if (slots[i].object_id == 0) {
			slots[i].object_id = object_id;
			slots[i].generation++;
			*free_from = i + 1;
			return (int)i;
		}
	}
	return -ENOSPC;
}

static void give_back(struct counters_slot *slots, unsigned int *free_from, unsigned int slot)
{
	slots[slot].object_id = 0;
	if (slot < *free_from)
		*free_from = slot;
}

int counters_take_slot(struct counters *counters, uint64_t object_id)
{
	return take(counters->slots, counters->header->n_slots, &counters->free_from, object_id);
}

void counters_return_slot(struct counters *counters, unsigned int slot)
{
	const size_t n = sizeof(struct counters_block) / sizeof(uint64_t);

	/* No worker writes blocks of slot 0: main is the one writer. */
	uint64_t *retired = (uint64_t *)counters_block(counters, 0, 0);

	for (unsigned int w = 0; w < counters->header->n_workers; w++) {
		struct counters_block *block = counters_block(counters, slot, w);

		/* What was held for the port goes with it. (By one worker the level may be below
		 * zero; over all it is not.) */
		block->drops[DROP_PORT_GONE] += block->queued;
		block->queued = 0;
		for (size_t i = 0; i < n; i++)
			retired[i] += ((uint64_t *)block)[i];
		memset(block, 0, sizeof(*block));
	}
	give_back(counters->slots, &counters->free_from, slot);
}

int counters_take_channel(struct counters *counters, uint64_t object_id)
{
	return take(counters->channel_slots, counters->header->n_channels,
		    &counters->channels_free_from, object_id);
}

void counters_return_channel(struct counters *counters, unsigned int slot)
{
	char *base = (char *)counters->header;
	off_t from = (char *)counters_channel(counters, slot, 0, DP_TX) - base;
	off_t end = (char *)counters_channel(counters, slot + 1, 0, DP_TX) - base;

	/* Of pages that were never written to there are none, and that is to stay so. */
	while (from < end) {
		off_t data = lseek(counters->fd, from, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(counters->fd, data, SEEK_HOLE);

		if (hole < 0 || data >= end)
			break;
		from = hole < end ? hole : end;
		memset(base + data, 0, (size_t)(from - data));
	}
	give_back(counters->channel_slots, &counters->channels_free_from, slot);
}

struct counters_block *counters_block(const struct counters *counters, unsigned int slot,
				      unsigned int worker)
{
	return &counters->blocks[(size_t)slot * counters->header->n_workers + worker];
}

struct counters_block *counters_beside(const struct counters *counters,
				       const struct counters_block *block, unsigned int slot)
{
	return counters_block(counters, slot, counters_worker_of(counters, block));
}

uint64_t counters_owner(const struct counters *counters, const struct counters_block *block)
{
	size_t at = (size_t)(block - counters->blocks);

	return counters->slots[at / counters->header->n_workers].object_id;
}

unsigned int counters_worker_of(const struct counters *counters, const struct counters_block *block)
{
	size_t at = (size_t)(block - counters->blocks);

	return (unsigned int)(at % counters->header->n_workers);
}

struct counters_worker *counters_worker(const struct counters *counters, unsigned int worker)
{
	return &counters->workers[worker];
}

struct counters_channel *counters_channel(const struct counters *counters, unsigned int slot,
					  unsigned int worker, enum dp_way way)
{
	size_t at = (size_t)slot * counters->header->n_workers + worker;

	return &counters->channels[at * DP_WAYS + way];
}

void counters_add_flight(const struct counters *counters)
{
	__atomic_fetch_add(&counters->header->n_flights, 1, __ATOMIC_RELEASE);
}

void counters_set_memory(const struct counters *counters, uint64_t bytes)
{
	__atomic_store_n(&counters->header->memory_bytes, bytes, __ATOMIC_RELAXED);
}
