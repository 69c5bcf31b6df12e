/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process holds: descriptors, mappings, threads. Taken before and compared after a test, so
 * that a leak of any of them fails it. Reads /proc; any thread.
 */
#pragma once

#include <sys/types.h>

struct baseline {
	unsigned int n_fds;
	unsigned int n_mappings;
	unsigned int n_threads;
};

/* 0 or -errno (-ENOENT: no such process). */
int baseline_take(pid_t pid, struct baseline *baseline);

/* Waits until the process holds as much as before. 0; -ETIMEDOUT, and *now is what it holds. */
int baseline_wait(pid_t pid, const struct baseline *before, unsigned int timeout_ms,
		  struct baseline *now);
