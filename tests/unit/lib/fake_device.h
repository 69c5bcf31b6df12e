/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's side of a split ring, honest and slow, over the same memory in the same process:
 * what the front-end of tests/lib is tested against. Asserts (cmocka) that chains are well formed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/frontend_memory.h"
#include "tests/lib/split_ring.h"

struct fake_device {
	const struct frontend_memory *memory;
	const struct split_ring *ring; /* only where its three parts lie, and its size */
	uint16_t next_avail;
};

/* Chains that wait. */
unsigned int fake_device_waiting(const struct fake_device *device);

/* Takes the next chain of a transmit ring: copies it and gives it back. Bytes. */
size_t fake_device_take(struct fake_device *device, unsigned char *bytes, size_t n_bytes_max,
			unsigned int *n_descriptors);

/* Fills the next chain of a receive ring with up to n_bytes; unpublished. Bytes that fitted. */
size_t fake_device_fill(struct fake_device *device, const unsigned char *bytes, size_t n_bytes);

/* Publishes what was filled: n more used entries. */
void fake_device_publish(struct fake_device *device, unsigned int n);
