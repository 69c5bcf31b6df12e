/* SPDX-License-Identifier: BSD-3-Clause */
/* A histogram of delays. See delays.h. */
#include "tests/bench/delays.h"

#define FIRST_POWER 5u
#define STEPS 32u

void delays_note(struct delays *delays, uint64_t ns)
{
	unsigned int power = ns < STEPS ? FIRST_POWER : 63 - (unsigned int)__builtin_clzll(ns);
	unsigned int slot =
		(power - FIRST_POWER) * STEPS + (unsigned int)(ns >> (power - FIRST_POWER)) - STEPS;

	if (ns < STEPS)
		slot = 0;
	delays->n[slot < DELAYS_SLOTS ? slot : DELAYS_SLOTS - 1]++;
	if (ns > delays->max_ns)
		delays->max_ns = ns;
}

double delays_us(const struct delays *delays, double part)
{
	uint64_t n = 0, sum = 0;

	for (unsigned int i = 0; i < DELAYS_SLOTS; i++)
		n += delays->n[i];
	for (unsigned int i = 0; i < DELAYS_SLOTS && n > 0; i++) {
		sum += delays->n[i];
		if ((double)sum >= part * (double)n)
			return (double)((i % STEPS + STEPS + 1ULL) << (i / STEPS)) / 1e3;
	}
	return -1;
}
