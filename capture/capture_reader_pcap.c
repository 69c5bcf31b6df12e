/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads pcap: one header, then records. */
#include "capture/capture_reader_block.h"

#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define MAGIC_NANOSECONDS 0xa1b23c4du
#define HEADER_BYTES 24
#define RECORD_BYTES 16

/* 1: it is none. */
int capture_reader_pcap_header(struct capture_reader *reader, const uint8_t *bytes, size_t n,
			       size_t *used)
{
	uint32_t magic = capture_reader_u32(reader, bytes);
	bool is_swapped = magic == __builtin_bswap32(MAGIC_MICROSECONDS) ||
			  magic == __builtin_bswap32(MAGIC_NANOSECONDS);
	struct capture_described described = {.interface = {.link = 0}};

	if (is_swapped)
		magic = __builtin_bswap32(magic);
	if (magic != MAGIC_MICROSECONDS && magic != MAGIC_NANOSECONDS)
		return 1;
	if (n < HEADER_BYTES)
		return 0;
	reader->format = CAPTURE_PCAP;
	reader->is_swapped = is_swapped;
	reader->ns_per_tick = magic == MAGIC_NANOSECONDS ? 1 : 1000;
	if (capture_reader_u16(reader, bytes + 4) != 2 || capture_reader_u16(reader, bytes + 6) < 4)
		return capture_reader_fail(reader,
					   "pcap of version %u.%u; turn it into pcapng first: "
					   "editcap -F pcapng",
					   capture_reader_u16(reader, bytes + 4),
					   capture_reader_u16(reader, bytes + 6));
	described.interface.snaplen = capture_reader_u32(reader, bytes + 16);
	/* The upper half says whether checksums of frames (FCS) are among the bytes. */
	described.interface.link = (uint16_t)capture_reader_u32(reader, bytes + 20);
	*used = HEADER_BYTES;
	return capture_reader_describe(reader, &described);
}

int capture_reader_pcap_next(struct capture_reader *reader, const uint8_t *bytes, size_t n,
			     struct capture_packet *packet, size_t *used)
{
	if (n < RECORD_BYTES)
		return 0;
	uint32_t seconds = capture_reader_u32(reader, bytes);
	uint32_t ticks = capture_reader_u32(reader, bytes + 4);
	uint32_t len = capture_reader_u32(reader, bytes + 8);
	uint32_t wire_len = capture_reader_u32(reader, bytes + 12);

	if (len > CAPTURE_PACKET_BYTES_MAX)
		return capture_reader_fail(reader,
					   "packet %llu says that it has %u bytes, more than %u: "
					   "the file is damaged",
					   (unsigned long long)reader->n_packets + 1, len,
					   CAPTURE_PACKET_BYTES_MAX);
	if (n - RECORD_BYTES < len)
		return 0;
	*packet = (struct capture_packet){
		.time_ns = seconds * CAPTURE_NS_PER_S + (uint64_t)ticks * reader->ns_per_tick,
		.len = len,
		.wire_len = wire_len > len ? wire_len : len,
		.bytes = bytes + RECORD_BYTES,
	};
	*used = RECORD_BYTES + len;
	return 1;
}
