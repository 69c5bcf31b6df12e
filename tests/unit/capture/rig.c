/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures made by hand. */
#include "tests/unit/capture/rig.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void made_bytes(struct made *made, const void *bytes, size_t n)
{
	assert(made->n + n <= sizeof(made->bytes));
	memcpy(made->bytes + made->n, bytes, n);
	made->n += n;
}

void made_u16(struct made *made, unsigned int value)
{
	uint16_t word = (uint16_t)value;

	word = made->is_swapped ? __builtin_bswap16(word) : word;
	made_bytes(made, &word, sizeof(word));
}

void made_u32(struct made *made, uint32_t value)
{
	value = made->is_swapped ? __builtin_bswap32(value) : value;
	made_bytes(made, &value, sizeof(value));
}

void made_pcap(struct made *made, uint32_t magic)
{
	made_u32(made, magic);
	made_u16(made, 2);
	made_u16(made, 4);
	made_u32(made, 0);
	made_u32(made, 0);
	made_u32(made, 65535);
	made_u32(made, CAPTURE_LINK_ETHERNET);
}

void made_record(struct made *made, uint32_t seconds, uint32_t ticks, const void *bytes,
		 uint32_t len)
{
	made_u32(made, seconds);
	made_u32(made, ticks);
	made_u32(made, len);
	made_u32(made, len);
	made_bytes(made, bytes, len);
}

void made_section(struct made *made)
{
	struct made body = {.is_swapped = made->is_swapped};

	made_u32(&body, 0x1a2b3c4d);
	made_u16(&body, 1);
	made_u16(&body, 0);
	made_u32(&body, UINT32_MAX);
	made_u32(&body, UINT32_MAX);
	made_block(made, 0x0a0d0d0a, &body);
}

void made_block(struct made *made, uint32_t type, const struct made *body)
{
	uint32_t bytes = (uint32_t)(body->n + 3) / 4 * 4 + 12;

	made_u32(made, type);
	made_u32(made, bytes);
	made_bytes(made, body->bytes, body->n);
	made_bytes(made, "\0\0\0", (4 - body->n % 4) % 4);
	made_u32(made, bytes);
}

static void keep(const struct capture_reader *reader, const struct capture_packet *packet,
		 struct read *read)
{
	const struct capture_interface *interface =
		capture_reader_interface(reader, packet->interface);

	read->n++;
	read->last = *packet;
	assert(packet->len <= sizeof(read->last_bytes) && interface != NULL);
	memcpy(read->last_bytes, packet->bytes, packet->len);
	snprintf(read->comment, sizeof(read->comment), "%s",
		 packet->comment != NULL ? packet->comment : "");
	read->interface = *interface;
}

struct read read_all(const void *bytes, size_t n, size_t piece)
{
	struct read read = {.n = 0};
	struct capture_reader *reader = NULL;
	struct capture_packet packet;

	if (capture_reader_create(&reader) < 0)
		return (struct read){.result = -1};
	for (size_t at = 0; read.result >= 0 && at < n; at += piece) {
		size_t some = n - at < piece ? n - at : piece;

		read.result = capture_reader_push(reader, (const uint8_t *)bytes + at, some);
		while (read.result >= 0 && (read.result = capture_reader_next(reader, &packet)) > 0)
			keep(reader, &packet, &read);
	}
	if (read.result >= 0)
		read.result = capture_reader_finish(reader);
	snprintf(read.why, sizeof(read.why), "%s", capture_reader_why(reader));
	capture_reader_destroy(reader);
	return read;
}
