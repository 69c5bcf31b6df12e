/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums and segments as a network card makes them. See plain.h. Pure. */
#include "tests/system/isolation/plain.h"

#include <string.h>

#define IP 14
#define L4 34
#define PAYLOAD 54

static unsigned int sum(const unsigned char *bytes, size_t n, unsigned int start)
{
	for (size_t i = 0; i < n; i++)
		start += i % 2 == 0 ? bytes[i] * 256u : bytes[i];
	while (start > 0xffff)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

static void put16(unsigned char *bytes, unsigned int value)
{
	bytes[0] = (unsigned char)(value >> 8);
	bytes[1] = (unsigned char)value;
}

static void add16(unsigned char *bytes, unsigned int value)
{
	put16(bytes, bytes[0] * 256u + bytes[1] + value);
}

/* The checksum of UDP or TCP, over a pseudo header of its own. */
static void put_checksum(unsigned char *bytes, size_t n, size_t field)
{
	unsigned int pseudo = sum(bytes + IP + 12, 8, bytes[IP + 9] + (unsigned int)(n - L4));

	put16(bytes + L4 + field, 0);
	unsigned int checksum = ~sum(bytes + L4, n - L4, pseudo) & 0xffff;

	put16(bytes + L4 + field, checksum == 0 ? 0xffff : checksum);
}

bool plain_is_needed(const struct rig_frame *frame)
{
	return frame->header.flags != 0 || frame->header.gso_type != 0;
}

size_t plain_packet(const struct rig_frame *frame, unsigned int index, unsigned char *bytes)
{
	size_t size = frame->header.gso_size, skip = index * size, left;

	if (frame->header.gso_type == 0) {
		memcpy(bytes, frame->bytes, frame->n_bytes);
		put_checksum(bytes, frame->n_bytes, frame->header.csum_offset);
		return index == 0 ? frame->n_bytes : 0;
	}
	if (PAYLOAD + skip >= frame->n_bytes)
		return 0;
	left = frame->n_bytes - PAYLOAD - skip;
	left = left < size ? left : size;
	memcpy(bytes, frame->bytes, PAYLOAD);
	memcpy(bytes + PAYLOAD, frame->bytes + PAYLOAD + skip, left);
	put16(bytes + IP + 2, (unsigned int)(PAYLOAD - IP + left));
	add16(bytes + IP + 4, index);
	put16(bytes + IP + 10, 0);
	put16(bytes + IP + 10, ~sum(bytes + IP, 20, 0));
	/* Its sequence numbers do not cross 65536 twice in one frame. */
	if (bytes[L4 + 6] * 256u + bytes[L4 + 7] + (skip & 0xffff) > 0xffff)
		add16(bytes + L4 + 4, 1);
	add16(bytes + L4 + 4, (unsigned int)(skip >> 16));
	add16(bytes + L4 + 6, (unsigned int)skip);
	put_checksum(bytes, PAYLOAD + left, 16);
	return PAYLOAD + left;
}
