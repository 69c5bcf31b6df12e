/* SPDX-License-Identifier: BSD-3-Clause */
/* A stream of pcapng cut into its blocks, however it comes. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPNG_SPLIT_SECTION 0x0a0d0d0au
#define PCAPNG_SPLIT_INTERFACE 1u
#define PCAPNG_SPLIT_COUNTS 5u
#define PCAPNG_SPLIT_PACKET 6u
#define PCAPNG_SPLIT_BYTES_MAX (1u << 20) /* of one block */

/* Zeroed at first. */
struct pcapng_split {
	uint8_t *bytes;
	size_t n, room;
};

/* Not 0: stop. */
typedef int (*pcapng_split_fn)(void *ctx, uint32_t type, const uint8_t *block, size_t n);

/* 0, what fn said, -ENOMEM, or -EBADMSG: this is no pcapng of this machine's byte order. */
int pcapng_split_push(struct pcapng_split *split, const void *bytes, size_t n, pcapng_split_fn fn,
		      void *ctx);
void pcapng_split_fini(struct pcapng_split *split);

/* Of a block of counts: how many packets could not be kept. false: it does not say. */
bool pcapng_split_dropped(const uint8_t *block, size_t n, uint64_t *dropped);
