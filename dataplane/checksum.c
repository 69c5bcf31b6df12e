/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum. Worker threads. */
#include "dataplane/checksum.h"

#include <string.h>

uint64_t checksum_add(uint64_t sum, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	uint32_t word;

	for (; n >= sizeof(word); n -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum += word;
	}
	/* What is missing at the end counts as zero bytes. */
	word = 0;
	memcpy(&word, at, n);
	return sum + word;
}

uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT16_MAX) + (sum >> 16);
	sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)sum;
}

void checksum_complete(uint8_t *bytes, uint32_t len, uint32_t start, uint32_t offset)
{
	uint16_t checksum = (uint16_t)~checksum_fold(checksum_add(0, bytes + start, len - start));

	/* Both mean zero, but in UDP 0 says that there is no checksum. */
	if (checksum == 0)
		checksum = UINT16_MAX;
	memcpy(bytes + start + offset, &checksum, sizeof(checksum));
}
