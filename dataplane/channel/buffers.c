/* SPDX-License-Identifier: BSD-3-Clause */
/* See buffers.h. Workers; created and destroyed by main. */
#include "dataplane/channel/buffers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Zeroed pages that are there once they are written to. */
static void *reserve(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static size_t links_bytes(const struct buffers *buffers)
{
	return buffers->n * sizeof(buffers->next[0]);
}

int buffers_create(uint64_t bytes, struct buffers **out)
{
	uint64_t n = bytes / BUFFERS_BLOCK_BYTES;
	struct buffers *buffers;

	if (n == 0 || n >= BUFFERS_NONE)
		return -EINVAL;
	buffers = aligned_alloc(_Alignof(struct buffers), sizeof(*buffers));
	if (buffers == NULL)
		return -ENOMEM;
	*buffers = (struct buffers){.n = (uint32_t)n};
	atomic_init(&buffers->head, BUFFERS_NONE);
	atomic_init(&buffers->n_fresh, 0);
	atomic_init(&buffers->n_free, (uint32_t)n);
	buffers->blocks = reserve(n * BUFFERS_BLOCK_BYTES);
	buffers->next = reserve(links_bytes(buffers));
	if (buffers->blocks == NULL || buffers->next == NULL) {
		buffers_destroy(buffers);
		return -ENOMEM;
	}
	*out = buffers;
	return 0;
}

void buffers_destroy(struct buffers *buffers)
{
	if (buffers == NULL)
		return;
	if (buffers->blocks != NULL)
		munmap(buffers->blocks, (size_t)buffers->n * BUFFERS_BLOCK_BYTES);
	if (buffers->next != NULL)
		munmap(buffers->next, links_bytes(buffers));
	free(buffers);
}

static uint64_t head_of(uint64_t old, uint32_t block)
{
	return ((old >> 32) + 1) << 32 | block;
}

static void link_to(struct buffers *buffers, uint32_t block, uint32_t next)
{
	atomic_store_explicit(&buffers->next[block], next, memory_order_relaxed);
}

/* Whoever reserved it by n_free finds one, but perhaps not at once: who gives back says so only
 * when the blocks are on the stack. */
static uint32_t pop(struct buffers *buffers)
{
	uint64_t old = atomic_load_explicit(&buffers->head, memory_order_acquire);

	for (;;) {
		uint32_t block = (uint32_t)old;

		if (block == BUFFERS_NONE)
			break;
		/* Of a block that somebody else has taken meanwhile this is any number; then the
		 * tag is another one, too. */
		uint64_t new = head_of(old, buffers_next(buffers, block));

		if (atomic_compare_exchange_weak_explicit(
			    &buffers->head, &old, new, memory_order_acquire, memory_order_acquire))
			return block;
	}
	return atomic_fetch_add_explicit(&buffers->n_fresh, 1, memory_order_relaxed);
}

bool buffers_reserve(struct buffers *buffers, unsigned int n)
{
	uint32_t n_free = atomic_load_explicit(&buffers->n_free, memory_order_relaxed);

	do {
		if (n_free < n)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&buffers->n_free, &n_free, n_free - n, memory_order_acquire, memory_order_relaxed));
	return true;
}

void buffers_release(struct buffers *buffers, unsigned int n)
{
	atomic_fetch_add_explicit(&buffers->n_free, n, memory_order_release);
}

uint32_t buffers_take_reserved(struct buffers *buffers, unsigned int n)
{
	uint32_t first = BUFFERS_NONE;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t block = pop(buffers);

		link_to(buffers, block, first);
		first = block;
	}
	return first;
}

uint32_t buffers_take(struct buffers *buffers, unsigned int n)
{
	return buffers_reserve(buffers, n) ? buffers_take_reserved(buffers, n) : BUFFERS_NONE;
}

void buffers_give(struct buffers *buffers, uint32_t first)
{
	uint64_t old = atomic_load_explicit(&buffers->head, memory_order_relaxed);
	uint32_t last = first, n = 1;

	for (uint32_t next; (next = buffers_next(buffers, last)) != BUFFERS_NONE; last = next)
		n++;
	do
		link_to(buffers, last, (uint32_t)old);
	while (!atomic_compare_exchange_weak_explicit(&buffers->head, &old, head_of(old, first),
						      memory_order_release, memory_order_relaxed));
	atomic_fetch_add_explicit(&buffers->n_free, n, memory_order_release);
}
