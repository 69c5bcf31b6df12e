/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071) of bytes that come in pieces of any length, and its update when
 * a field changes (RFC 1624). Bytes are summed as they lie in memory, so results are stored as they
 * are and no byte order matters. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vxlan/vxlan_bytes.h"

/* Starts as {0}. Fewer than 2^32 bytes. */
struct vxlan_sum {
	uint64_t words;
	bool is_odd;	/* the next byte is the second of its word */
};

void vxlan_sum_add(struct vxlan_sum *sum, const void *bytes, size_t n);

/* The first n_bytes of the pieces. false: there are fewer. */
bool vxlan_sum_add_iov(struct vxlan_sum *sum, const struct iovec *iov, unsigned int n_iov,
		       size_t n_bytes);

static inline uint16_t vxlan_sum_fold_words(uint64_t words)
{
	words = (words & UINT32_MAX) + (words >> 32);
	words = (words & UINT32_MAX) + (words >> 32);
	words = (words & UINT16_MAX) + (words >> 16);
	words = (words & UINT16_MAX) + (words >> 16);
	return (uint16_t)words;
}

/* The sum as 16 bits; 0xffff over bytes that hold their own checksum. */
static inline uint16_t vxlan_sum_fold(const struct vxlan_sum *sum)
{
	return vxlan_sum_fold_words(sum->words);
}

/* Addresses, length and protocol that UDP, TCP and ICMPv6 sum too (RFC 768; RFC 8200 section 8.1):
 * addresses are the 8 or 32 bytes of source and destination. */
void vxlan_sum_add_pseudo(struct vxlan_sum *sum, const uint8_t *addresses, size_t n_addresses,
			  uint32_t n_bytes, uint8_t protocol);

/* Changes the word at `field` to `value` and corrects the checksum that covers it (RFC 1624,
 * equation 3). is_odd: the checksum sees `field` from its second byte on. checksum: where it lies,
 * or NULL: the field is changed and that is all. */
void vxlan_sum_change(uint8_t *checksum, uint8_t *field, uint16_t value, bool is_odd);
