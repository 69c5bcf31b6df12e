/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071): sums of 16-bit words that wrap around. Bytes are summed as they
 * lie in memory, so the result is stored as it is and no byte order matters. Pure; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The sum with `n` more bytes, fewer than 2^32 in all. Only the last part may have an
 * odd length. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t n);

/* The sum as 16 bits: what a header holds while its checksum is left open. */
uint16_t checksum_fold(uint64_t sum);

/* Completes a checksum that was left open: sums `len` bytes from `start` on, among them the 16 bits
 * at start + offset, and writes the result there. start + offset + 2 <= len. */
void checksum_complete(uint8_t *bytes, uint32_t len, uint32_t start, uint32_t offset);
