/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a dataplane gets its memory from: passed in, so that the program can take it from EAL's
 * huge pages and tests from an allocator that the sanitizers watch. Zeroed memory, `align` a power
 * of two of at least 64. alloc returns NULL when there is none; free(NULL) is legal. Main thread.
 */
#pragma once

#include <stddef.h>

struct memory {
	void *(*alloc)(size_t bytes, size_t align);
	void (*free)(void *memory);
};

/* Plain memory of the C library. */
extern const struct memory memory_plain;

/* Mapped for each; for large tables that are read here and there, since of 2 MiB and more the
 * kernel may make huge pages. align: 64 at most. */
extern const struct memory memory_mapped;
