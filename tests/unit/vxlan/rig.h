/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that scapy built (vectors.py), and the checksum in the plainest way. Tests only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vector {
	const char *name;
	uint32_t n;
	const uint8_t *bytes;
};

/* vectors.c; ends with a NULL name. */
extern const struct vector vectors[];

/* Fails the test if there is none of this name. */
const struct vector *rig_vector(const char *name);

/* n bytes in memory of exactly this size, so that AddressSanitizer sees a byte too far. */
uint8_t *rig_copy(const void *bytes, size_t n);

/* A word at a time, carry at once: RFC 1071 section 1 in its own words. Continues `sum`. */
uint16_t rig_sum(uint16_t sum, const uint8_t *bytes, size_t n);

/* Whether a frame without tags, extension headers or padding has right checksums: IPv4's, and that
 * of TCP, UDP (0 counts as wrong), ICMP or ICMPv6. */
bool rig_is_intact(const uint8_t *frame, size_t n);

/* The next of a series of numbers that is the same in every run. */
uint32_t rig_random(uint64_t *state);
