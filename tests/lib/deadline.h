/* SPDX-License-Identifier: BSD-3-Clause */
/* Deadlines of the tests: every wait has one, on the monotonic clock in ns. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t deadline_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static inline uint64_t deadline_in_ms(unsigned int ms)
{
	return deadline_now_ns() + (uint64_t)ms * 1000000U;
}

static inline bool deadline_passed(uint64_t deadline_ns)
{
	return deadline_now_ns() >= deadline_ns;
}

/* What is left, for poll(): rounded up, so that a wait never ends before its deadline. */
static inline int deadline_left_ms(uint64_t deadline_ns)
{
	uint64_t now = deadline_now_ns();

	return now >= deadline_ns ? 0 : (int)((deadline_ns - now + 999999U) / 1000000U);
}
