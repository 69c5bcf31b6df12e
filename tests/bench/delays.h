/* SPDX-License-Identifier: BSD-3-Clause */
/* How long frames were on their way: a histogram, 32 steps to each power of two ns. */
#pragma once

#include <stdint.h>

#define DELAYS_SLOTS 1024

struct delays {
	uint32_t n[DELAYS_SLOTS];
	uint64_t max_ns;
};

void delays_note(struct delays *delays, uint64_t ns);

/* Delay that `part` of the frames do not exceed, in us; -1 without any. */
double delays_us(const struct delays *delays, double part);
