/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for frames that wait: blocks of 2 KiB out of one bounded area, taken and given back by any
 * worker without a lock. The area is reserved whole and used from its beginning, so what was never
 * needed costs nothing.
 *
 * Blocks are numbers. Those that are free form a stack, linked by number; its head is one word with
 * a tag that counts up, so that a number which came back meanwhile is no mistake. The same links
 * chain the blocks of a frame that does not fit one.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUFFERS_BLOCK_BYTES 2048u
#define BUFFERS_NONE UINT32_MAX

/* What a dataplane reserves unless it is told otherwise. */
#define BUFFERS_BYTES_DEFAULT (64ULL << 20)

struct buffers {
	uint8_t *blocks;
	_Atomic uint32_t *next;		/* of each block: the one below it, or of the same frame */
	uint32_t n;
	_Atomic uint64_t head __attribute__((aligned(64)));	/* tag << 32 | number */
	_Atomic uint32_t n_fresh;	/* blocks that were ever used: the first ones */
	_Atomic uint32_t n_free;	/* and may be taken, or soon */
};

/* 0 or -errno. Main. */
int buffers_create(uint64_t bytes, struct buffers **buffers);
void buffers_destroy(struct buffers *buffers);	/* NULL is legal */

/* Any worker, as all that follows. Sets n blocks aside for who is to take them: they are there
 * then. What is not taken is to be released. false: there are not so many. */
bool buffers_reserve(struct buffers *buffers, unsigned int n);
void buffers_release(struct buffers *buffers, unsigned int n);
uint32_t buffers_take_reserved(struct buffers *buffers, unsigned int n);

/* A chain of n blocks, its last linked to BUFFERS_NONE; or
 * BUFFERS_NONE, if there are not so many. */
uint32_t buffers_take(struct buffers *buffers, unsigned int n);

/* Gives a chain back. */
void buffers_give(struct buffers *buffers, uint32_t first);

static inline uint8_t *buffers_at(const struct buffers *buffers, uint32_t block)
{
	return buffers->blocks + (size_t)block * BUFFERS_BLOCK_BYTES;
}

static inline uint32_t buffers_next(const struct buffers *buffers, uint32_t block)
{
	return atomic_load_explicit(&buffers->next[block], memory_order_relaxed);
}

/* Blocks that nobody has. */
static inline uint32_t buffers_n_free(const struct buffers *buffers)
{
	return atomic_load_explicit(&buffers->n_free, memory_order_relaxed);
}
