/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer's side of the counters memfd; its layout is api/counters.h. Main thread, but for what
 * says where a worker counts. */
#pragma once

#include <stdint.h>

#include "dataplane/api/counters.h"
#include "dataplane/api/dp_msg.h"

struct counters;

int counters_create(unsigned int n_slots, unsigned int n_channels, unsigned int n_workers,
		    uint64_t epoch, uint64_t tsc_hz, struct counters **counters);
void counters_destroy(struct counters *counters); /* NULL is legal */

/* Descriptor through which others can read but not write; the caller closes it. Or -errno. */
int counters_reader_fd(const struct counters *counters);

/* A free slot for a port, or -ENOSPC. */
int counters_take_slot(struct counters *counters, uint64_t object_id);

/* The port is gone: its sums go to slot 0, the slot is free again. */
void counters_return_slot(struct counters *counters, unsigned int slot);

/* The same for a channel. What a slot that is given back had counted is gone: nothing sums up over
 * channels. */
int counters_take_channel(struct counters *counters, uint64_t object_id);
void counters_return_channel(struct counters *counters, unsigned int slot);

struct counters_block *counters_block(const struct counters *counters, unsigned int slot,
				      unsigned int worker);
/* The block of another slot, of the worker that `block` is of. */
struct counters_block *counters_beside(const struct counters *counters,
				       const struct counters_block *block, unsigned int slot);
/* What a block is of: the port's id, 0: nobody's; and the worker. Worker threads. */
uint64_t counters_owner(const struct counters *counters, const struct counters_block *block);
unsigned int counters_worker_of(const struct counters *counters,
				const struct counters_block *block);
/* One more flight recorder has stopped. Any thread. */
void counters_add_flight(const struct counters *counters);
/* What the dataplane has of memory. */
void counters_set_memory(const struct counters *counters, uint64_t bytes);
struct counters_worker *counters_worker(const struct counters *counters, unsigned int worker);
struct counters_channel *counters_channel(const struct counters *counters, unsigned int slot,
					  unsigned int worker, enum dp_way way);
