/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters as a dataplane has them (dataplane/api/counters.h), that a test writes. */
#pragma once

#include "control/meter.h"

struct counters_file {
	int fd;
	struct counters_header *header; /* the memory begins here */
	struct meter meter;		/* that reads it */
};

/* All zero, epoch 1. What fails fails the test. */
void counters_file_open(struct counters_file *file, uint32_t n_slots, uint32_t n_workers,
			uint32_t n_channels);
void counters_file_close(struct counters_file *file);

struct counters_slot *counters_file_slot(const struct counters_file *file, uint32_t slot);
struct counters_block *counters_file_block(const struct counters_file *file, uint32_t slot,
					   uint32_t worker);
struct counters_slot *counters_file_channel_slot(const struct counters_file *file, uint32_t slot);
struct counters_channel *counters_file_channel(const struct counters_file *file, uint32_t slot,
					       uint32_t worker, enum dp_way way);
