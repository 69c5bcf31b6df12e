/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads pcapng: blocks. Those that hold no packet and describe no interface are skipped. */
#include <errno.h>
#include <string.h>

#include "capture/capture_reader_block.h"

#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum block {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET_OLD = 2,
	BLOCK_PACKET_SIMPLE = 3,
	BLOCK_PACKET = 6,
	BLOCK_SECTION = 0x0a0d0d0a,
};

enum option {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_NAME = 2,  /* of an interface */
	OPTION_FLAGS = 2, /* of a packet */
	OPTION_RESOLUTION = 9,
	OPTION_OFFSET = 14,
};

/* type and length before the body, the length once more behind it */
#define BLOCK_HEAD_BYTES 8
#define BLOCK_BYTES_MIN 12
#define SECTION_BYTES_MIN 28
#define EXPONENT_10_MAX 19
#define EXPONENT_2_MAX 63

struct body {
	const uint8_t *bytes;
	uint32_t n;
};

/* The next option of the list; false: there is no other, or it does not fit. */
static bool next_option(const struct capture_reader *reader, struct body *list, uint16_t *code,
			struct body *value)
{
	if (list->n < 4)
		return false;
	*code = capture_reader_u16(reader, list->bytes);
	value->n = capture_reader_u16(reader, list->bytes + 2);
	value->bytes = list->bytes + 4;
	uint32_t bytes = 4 + (value->n + 3u) / 4 * 4;

	if (*code == OPTION_END || bytes > list->n)
		return false;
	list->bytes += bytes;
	list->n -= bytes;
	return true;
}

static void copy_text(char *text, size_t room, const struct body *value)
{
	size_t n = value->n < room - 1 ? value->n : room - 1;

	memcpy(text, value->bytes, n);
	text[n] = '\0';
}

static int read_interface(struct capture_reader *reader, struct body body)
{
	struct capture_described described = {.clock = {.exponent = 6}};
	struct body value;
	uint16_t code;

	if (body.n < 8)
		return capture_reader_fail(reader, "an interface block of %u bytes", body.n);
	described.interface.link = capture_reader_u16(reader, body.bytes);
	described.interface.snaplen = capture_reader_u32(reader, body.bytes + 4);
	body = (struct body){body.bytes + 8, body.n - 8};
	while (next_option(reader, &body, &code, &value)) {
		if (code == OPTION_NAME)
			copy_text(described.interface.name, CAPTURE_NAME_BYTES, &value);
		if (code == OPTION_RESOLUTION && value.n == 1) {
			described.clock.exponent = value.bytes[0] & 0x7f;
			described.clock.is_binary = (value.bytes[0] & 0x80) != 0;
		}
		if (code == OPTION_OFFSET && value.n == 8) {
			uint64_t offset;

			memcpy(&offset, value.bytes, sizeof(offset));
			described.clock.offset_s =
				(int64_t)(reader->is_swapped ? __builtin_bswap64(offset) : offset);
		}
	}
	if (described.clock.exponent >
	    (described.clock.is_binary ? EXPONENT_2_MAX : EXPONENT_10_MAX))
		return capture_reader_fail(reader, "interface %u counts in steps of %u^-%u s",
					   reader->n_interfaces, described.clock.is_binary ? 2 : 10,
					   described.clock.exponent);
	return capture_reader_describe(reader, &described);
}

/* false: beyond what nanoseconds in 64 bits can say (the year 2554), or before 1970. */
static bool to_ns(const struct capture_clock *clock, uint64_t ticks, uint64_t *time_ns)
{
	__extension__ typedef unsigned __int128 wide;
	uint64_t whole, part, per_s = 1;

	if (clock->is_binary) {
		per_s <<= clock->exponent;
	} else {
		for (unsigned int i = 0; i < clock->exponent; i++)
			per_s *= 10;
	}
	whole = ticks / per_s;
	part = (uint64_t)((wide)(ticks % per_s) * CAPTURE_NS_PER_S / per_s);
	if (clock->offset_s < 0 && whole < -(uint64_t)clock->offset_s)
		return false;
	wide all = clock->offset_s < 0 ? whole - -(uint64_t)clock->offset_s
				       : (wide)whole + (uint64_t)clock->offset_s;

	all = all * CAPTURE_NS_PER_S + part;
	*time_ns = (uint64_t)all;
	return all <= UINT64_MAX;
}

static void read_packet_options(struct capture_reader *reader, struct body options,
				struct capture_packet *packet)
{
	struct body value;
	uint16_t code;

	while (next_option(reader, &options, &code, &value)) {
		if (code == OPTION_COMMENT && packet->comment == NULL) {
			copy_text(reader->comment, sizeof(reader->comment), &value);
			packet->comment = reader->comment;
		}
		if (code == OPTION_FLAGS && value.n == 4) {
			uint32_t way = capture_reader_u32(reader, value.bytes) & 3;

			packet->direction =
				way == 3 ? CAPTURE_DIRECTION_UNKNOWN : (enum capture_direction)way;
		}
	}
}

/* The present form and the old one differ in where the interface stands. */
static int read_packet(struct capture_reader *reader, struct body body, bool is_old,
		       struct capture_packet *packet)
{
	if (body.n < 20)
		return capture_reader_fail(reader, "a packet block of %u bytes", body.n);
	uint32_t interface = is_old ? capture_reader_u16(reader, body.bytes)
				    : capture_reader_u32(reader, body.bytes);
	uint64_t ticks = (uint64_t)capture_reader_u32(reader, body.bytes + 4) << 32 |
			 capture_reader_u32(reader, body.bytes + 8);
	uint32_t len = capture_reader_u32(reader, body.bytes + 12);
	uint32_t wire_len = capture_reader_u32(reader, body.bytes + 16);
	unsigned long long number = (unsigned long long)reader->n_packets + 1;

	if (len > CAPTURE_PACKET_BYTES_MAX || len > body.n - 20)
		return capture_reader_fail(reader,
					   "packet %llu says that it has %u bytes, but its block "
					   "has room for %u: the file is damaged",
					   number, len, body.n - 20);
	if (interface >= reader->n_interfaces)
		return capture_reader_fail(reader,
					   "packet %llu is of interface %u, but only %u "
					   "were described",
					   number, interface, reader->n_interfaces);
	*packet = (struct capture_packet){
		.len = len,
		.wire_len = wire_len > len ? wire_len : len,
		.interface = interface,
		.bytes = body.bytes + 20,
	};
	if (!to_ns(&reader->interfaces[interface].clock, ticks, &packet->time_ns))
		return capture_reader_fail(reader,
					   "packet %llu has a time before 1970 or "
					   "after 2554",
					   number);
	uint32_t used = 20 + (len + 3) / 4 * 4;

	if (used < body.n)
		read_packet_options(reader, (struct body){body.bytes + used, body.n - used},
				    packet);
	return 1;
}

/* Has no time: it is as old as the one before. */
static int read_simple(struct capture_reader *reader, struct body body,
		       struct capture_packet *packet)
{
	if (body.n < 4)
		return capture_reader_fail(reader, "a packet block of %u bytes", body.n);
	if (reader->n_interfaces == 0)
		return capture_reader_fail(reader, "a packet, but no interface was described");
	uint32_t wire_len = capture_reader_u32(reader, body.bytes);
	uint32_t snaplen = reader->interfaces[0].interface.snaplen;
	uint32_t len = snaplen != 0 && snaplen < wire_len ? snaplen : wire_len;

	if (len > CAPTURE_PACKET_BYTES_MAX || len > body.n - 4)
		return capture_reader_fail(reader,
					   "packet %llu says that it has %u bytes, but its block "
					   "has room for %u: the file is damaged",
					   (unsigned long long)reader->n_packets + 1, len,
					   body.n - 4);
	*packet = (struct capture_packet){
		.time_ns = reader->last_ns,
		.len = len,
		.wire_len = wire_len,
		.bytes = body.bytes + 4,
	};
	return 1;
}

/* A section says its byte order itself, before its length can be read. 0: more bytes are needed. */
static int enter_section(struct capture_reader *reader, const uint8_t *bytes, size_t n)
{
	if (n < BLOCK_HEAD_BYTES + 4)
		return 0;
	reader->is_swapped = false;
	uint32_t magic = capture_reader_u32(reader, bytes + 8);

	reader->is_swapped = magic == __builtin_bswap32(BYTE_ORDER_MAGIC);
	if (!reader->is_swapped && magic != BYTE_ORDER_MAGIC)
		return capture_reader_fail(reader, "a section without its byte order: no pcapng, "
						   "or damaged");
	return 1;
}

static int check_section(struct capture_reader *reader, struct body body)
{
	if (body.n + BLOCK_BYTES_MIN < SECTION_BYTES_MIN)
		return capture_reader_fail(reader, "a section block of %u bytes", body.n);
	if (capture_reader_u16(reader, body.bytes + 4) != 1)
		return capture_reader_fail(reader, "pcapng of version %u.%u",
					   capture_reader_u16(reader, body.bytes + 4),
					   capture_reader_u16(reader, body.bytes + 6));
	reader->n_interfaces = 0;
	return 0;
}

static int read_block(struct capture_reader *reader, uint32_t type, struct body body,
		      struct capture_packet *packet)
{
	switch (type) {
	case BLOCK_SECTION:
		return check_section(reader, body);
	case BLOCK_INTERFACE:
		return read_interface(reader, body);
	case BLOCK_PACKET:
		return read_packet(reader, body, false, packet);
	case BLOCK_PACKET_OLD:
		return read_packet(reader, body, true, packet);
	case BLOCK_PACKET_SIMPLE:
		return read_simple(reader, body, packet);
	default:
		return 0;
	}
}

int capture_reader_pcapng_next(struct capture_reader *reader, const uint8_t *bytes, size_t n,
			       struct capture_packet *packet, size_t *used)
{
	if (n < BLOCK_HEAD_BYTES)
		return 0;
	uint32_t type = capture_reader_u32(reader, bytes);

	/* Reads the same in either order. */
	if (type == BLOCK_SECTION) {
		int result = enter_section(reader, bytes, n);

		if (result != 1)
			return result;
	}
	uint32_t len = capture_reader_u32(reader, bytes + 4);

	if (len < BLOCK_BYTES_MIN || len % 4 != 0 || len > CAPTURE_BLOCK_BYTES_MAX)
		return capture_reader_fail(reader,
					   "a block that says it has %u bytes: the file is "
					   "damaged",
					   len);
	if (n < len)
		return 0;
	if (capture_reader_u32(reader, bytes + len - 4) != len)
		return capture_reader_fail(reader,
					   "a block of %u bytes ends with another length: "
					   "the file is damaged",
					   len);
	struct body body = {bytes + BLOCK_HEAD_BYTES, len - BLOCK_BYTES_MIN};
	int result = read_block(reader, type, body, packet);

	if (result >= 0)
		*used = len;
	return result;
}
