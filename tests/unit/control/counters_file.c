/* SPDX-License-Identifier: BSD-3-Clause */
/* See counters_file.h. */
#include "tests/unit/control/counters_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* The next part: where it begins. */
static uint64_t add(struct counters_header *header, uint64_t n, size_t item_bytes)
{
	uint64_t offset = header->total_bytes;

	header->total_bytes =
		(offset + n * item_bytes + COUNTERS_LINE - 1) / COUNTERS_LINE * COUNTERS_LINE;
	return offset;
}

void counters_file_open(struct counters_file *file, uint32_t n_slots, uint32_t n_workers,
			uint32_t n_channels)
{
	struct counters_header header = {
		.magic = COUNTERS_MAGIC,
		.version = COUNTERS_VERSION,
		.n_slots = n_slots,
		.n_workers = n_workers,
		.n_reasons = DROP_COUNT,
		.n_channels = n_channels,
		.epoch = 1,
	};

	add(&header, 1, sizeof(header));
	header.slots_offset = add(&header, n_slots, sizeof(struct counters_slot));
	header.workers_offset = add(&header, n_workers, sizeof(struct counters_worker));
	header.blocks_offset =
		add(&header, (uint64_t)n_slots * n_workers, sizeof(struct counters_block));
	header.channel_slots_offset = add(&header, n_channels, sizeof(struct counters_slot));
	header.channels_offset = add(&header, (uint64_t)n_channels * n_workers * DP_WAYS,
				     sizeof(struct counters_channel));
	*file = (struct counters_file){.fd = memfd_create("counters", MFD_CLOEXEC)};
	assert_true(file->fd >= 0);
	assert_int_equal(ftruncate(file->fd, (off_t)header.total_bytes), 0);
	file->header =
		mmap(NULL, header.total_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	assert_ptr_not_equal(file->header, MAP_FAILED);
	*file->header = header;
	assert_int_equal(meter_open(&file->meter, file->fd), 0);
}

void counters_file_close(struct counters_file *file)
{
	meter_close(&file->meter);
	munmap(file->header, file->header->total_bytes);
	close(file->fd);
}

static void *at(const struct counters_file *file, uint64_t offset)
{
	return (uint8_t *)file->header + offset;
}

struct counters_slot *counters_file_slot(const struct counters_file *file, uint32_t slot)
{
	return (struct counters_slot *)at(file, file->header->slots_offset) + slot;
}

struct counters_block *counters_file_block(const struct counters_file *file, uint32_t slot,
					   uint32_t worker)
{
	return (struct counters_block *)at(file, file->header->blocks_offset) +
	       (size_t)slot * file->header->n_workers + worker;
}

struct counters_slot *counters_file_channel_slot(const struct counters_file *file, uint32_t slot)
{
	return (struct counters_slot *)at(file, file->header->channel_slots_offset) + slot;
}

struct counters_channel *counters_file_channel(const struct counters_file *file, uint32_t slot,
					       uint32_t worker, enum dp_way way)
{
	return (struct counters_channel *)at(file, file->header->channels_offset) +
	       ((size_t)slot * file->header->n_workers + worker) * DP_WAYS + way;
}
