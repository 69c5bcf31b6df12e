/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataplane's counters, mapped read-only: checked once against what this program was built for,
 * then summed over the workers. They may be written to at any moment. Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/counters.h"
#include "dataplane/api/dp_msg.h"

#define METER_RETIRED_SLOT 0 /* sums of the ports that are gone */

struct meter {
	const struct counters_header *header; /* NULL: not open */
	size_t bytes;
	int fd; /* asked which pages there are */
};

/* Maps the memfd, which stays the caller's (it is duplicated). 0 or -errno (-EPROTONOSUPPORT:
 * another layout). */
int meter_open(struct meter *meter, int fd);
void meter_close(struct meter *meter); /* not open is legal */

/* Each counter is right; they are a moment apart from each other. A slot that does not exist: 0. */
struct counters_block meter_sum(const struct meter *meter, uint32_t slot);
struct counters_worker meter_worker(const struct meter *meter, uint32_t worker);

/* Whose a slot is: object_id 0 if nobody's. A baseline is good for the same object and generation.
 */
struct counters_slot meter_slot(const struct meter *meter, uint32_t slot);

/* What the dataplane has of memory, at most a second ago; 0: it does not tell. */
uint64_t meter_memory_bytes(const struct meter *meter);

/* Flight recorders that have stopped so far. */
uint32_t meter_flights(const struct meter *meter);

/* For each way of each slot of channels below n_slots a number that is another one after it counted
 * anything, 0 if it never has: changes[slot * DP_WAYS + way]. Slots that never did are not read: to
 * read a page of them would make it. */
void meter_look_at_channels(const struct meter *meter, uint32_t n_slots, uint64_t *changes);

/* As meter_slot(). */
struct counters_slot meter_channel_slot(const struct meter *meter, uint32_t slot);

/* To be asked only of what has counted something. */
struct counters_channel meter_channel(const struct meter *meter, uint32_t slot, enum dp_way way);
