/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log of dirty pages, for live migration: a bitmap that the front-end shares, one bit for each
 * 4 KiB of guest-physical addresses. Whoever writes to guest memory marks afterwards what it wrote
 * with dirty_log_mark(). While guest_memory.log is NULL, nobody migrates and nobody pays.
 *
 * Main makes, attaches and destroys logs while no ring runs; workers mark.
 */
#pragma once

#include <stdint.h>

#include "dataplane/vhost/memory.h"

/* A bitmap for addresses up to 8 TiB. */
#define DIRTY_LOG_MAX_BYTES (UINT64_C(256) << 20)

struct dirty_log;

/* Maps `bytes` at `offset` of the file behind fd, which stays the caller's. It must be shared
 * memory that can never shrink. 0, or -errno with one line in *why. */
int dirty_log_create(struct dirty_log **out, int fd, uint64_t bytes, uint64_t offset,
		     const char **why);
void dirty_log_destroy(struct dirty_log *log); /* NULL is legal */

/* Sets the bits of [at, at + bytes), which lies in one region of a memory with a log. */
void dirty_log_set(const struct guest_memory *memory, const void *at, uint64_t bytes);

static inline void dirty_log_mark(const struct guest_memory *memory, const void *at, uint64_t bytes)
{
	if (__builtin_expect(memory->log != NULL, 0))
		dirty_log_set(memory, at, bytes);
}
