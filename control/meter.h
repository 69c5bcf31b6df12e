/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataplane's counters, mapped read-only: checked once against what this program was built for,
 * then summed over the workers. They may be written to at any moment. Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/counters.h"

#define METER_RETIRED_SLOT 0 /* sums of the ports that are gone */

struct meter {
	const struct counters_header *header; /* NULL: not open */
	size_t bytes;
};

/* Maps the memfd, which stays the caller's. 0 or -errno (-EPROTONOSUPPORT: another layout). */
int meter_open(struct meter *meter, int fd);
void meter_close(struct meter *meter); /* not open is legal */

/* Each counter is right; they are a moment apart from each other. A slot that does not exist: 0. */
struct counters_block meter_sum(const struct meter *meter, uint32_t slot);
struct counters_worker meter_worker(const struct meter *meter, uint32_t worker);
