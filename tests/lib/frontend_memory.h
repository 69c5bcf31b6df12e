/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of a pretended guest: one memfd, mapped once here, shown to the back-end as 1 to 8
 * regions of the same size. Owned by one thread.
 *
 *     memfd             |  region 0  |  region 1  | ...
 *     here              base, contiguous
 *     guest-physical    FRONTEND_MEMORY_START, then each region one region's size after the end
 *                       of the last (a hole between), or touching if `adjacent`
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/vhu.h"

#define FRONTEND_MEMORY_START 0x100000000ULL /* above 4 GiB: addresses cut to 32 bits show */

struct frontend_memory_options {
	uint64_t bytes; /* rounded up to whole pages for every region */
	unsigned int n_regions;
	bool huge;     /* 2 MiB pages */
	bool unsealed; /* without F_SEAL_SHRINK and F_SEAL_GROW */
	bool adjacent;
};

struct frontend_memory {
	int fd;
	unsigned int n_regions;
	unsigned char *base;
	uint64_t region_bytes;
	uint64_t stride;		/* from region to region in guest-physical space */
	uint64_t used[VHU_REGIONS_MAX]; /* bytes handed out of each region */
};

/* 0 or -errno; -ENOMEM also when no huge pages are free. */
int frontend_memory_init(struct frontend_memory *memory,
			 const struct frontend_memory_options *options);
void frontend_memory_fini(struct frontend_memory *memory);

/* Zeroed room inside one region, for good; NULL if that region has no more. */
void *frontend_memory_take(struct frontend_memory *memory, unsigned int region, uint64_t n_bytes,
			   uint64_t align);

/* Guest-physical address of something taken above; and the way back, NULL if outside. */
uint64_t frontend_memory_address(const struct frontend_memory *memory, const void *pointer);
void *frontend_memory_pointer(const struct frontend_memory *memory, uint64_t address,
			      uint64_t n_bytes);

/* What SET_MEM_TABLE says; the same descriptor goes with every region. */
void frontend_memory_table(const struct frontend_memory *memory, struct vhu_memory *table);
