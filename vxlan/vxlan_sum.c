/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum. Any thread. */
#include "vxlan/vxlan_sum.h"

#include <string.h>

static uint16_t swap(uint16_t word)
{
	return (uint16_t)(word << 8 | word >> 8);
}

void vxlan_sum_add(struct vxlan_sum *sum, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	uint64_t words = 0;
	uint32_t word;
	uint16_t half = 0;
	bool ends_odd = sum->is_odd != (n % 2 != 0);

	for (; n >= sizeof(word); n -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		words += word;
	}
	if (n >= sizeof(half)) {
		memcpy(&half, at, sizeof(half));
		words += half;
		at += sizeof(half);
	}
	/* What is missing at the end counts as a zero byte. */
	half = 0;
	if (n % 2 != 0)
		memcpy(&half, at, 1);
	words += half;
	/* From an odd byte on, every byte has the other place in its word: the sum does, too
	 * (RFC 1071 section 2, B). */
	sum->words += sum->is_odd ? swap(vxlan_sum_fold_words(words)) : words;
	sum->is_odd = ends_odd;
}

bool vxlan_sum_add_iov(struct vxlan_sum *sum, const struct iovec *iov, unsigned int n_iov,
		       size_t n_bytes)
{
	for (unsigned int i = 0; i < n_iov && n_bytes != 0; i++) {
		size_t n = iov[i].iov_len < n_bytes ? iov[i].iov_len : n_bytes;

		if (n != 0)
			vxlan_sum_add(sum, iov[i].iov_base, n);
		n_bytes -= n;
	}
	return n_bytes == 0;
}

void vxlan_sum_add_pseudo(struct vxlan_sum *sum, const uint8_t *addresses, size_t n_addresses,
			  uint32_t n_bytes, uint8_t protocol)
{
	uint8_t tail[8] = {0, 0, 0, 0, 0, 0, 0, protocol};

	vxlan_store_be16(tail, n_bytes >> 16);
	vxlan_store_be16(tail + 2, n_bytes);
	vxlan_sum_add(sum, addresses, n_addresses);
	vxlan_sum_add(sum, tail, sizeof(tail));
}

void vxlan_sum_change(uint8_t *checksum, uint8_t *field, uint16_t value, bool is_odd)
{
	uint16_t before, after, old;

	memcpy(&before, field, sizeof(before));
	vxlan_store_be16(field, value);
	if (checksum == NULL)
		return;
	memcpy(&after, field, sizeof(after));
	memcpy(&old, checksum, sizeof(old));
	if (is_odd) {
		before = swap(before);
		after = swap(after);
	}
	uint64_t words = (uint64_t)(uint16_t)~old + (uint16_t)~before + after;
	uint16_t sum = (uint16_t)~vxlan_sum_fold_words(words);

	memcpy(checksum, &sum, sizeof(sum));
}
