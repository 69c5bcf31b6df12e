/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes pcap and pcapng. */
#include "capture/capture_writer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NS_PER_S 1000000000ull
#define SECTION_TYPE 0x0a0d0d0au
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define PCAP_MAGIC_NANOSECONDS 0xa1b23c4du
#define INTERFACE_TYPE 1
#define PACKET_TYPE 6
#define COUNTS_TYPE 5
#define RESOLUTION_NS 9
#define SECTION_BYTES_MAX (48 + CAPTURE_SECTION_COMMENT_BYTES)
#define BLOCK_HEAD_BYTES_MAX (64 + CAPTURE_NAME_BYTES)
#define BLOCK_TAIL_BYTES_MAX (32 + CAPTURE_COMMENT_BYTES)

struct bytes {
	uint8_t *at;
	size_t n;
};

static void add(struct bytes *bytes, const void *from, size_t n)
{
	if (n != 0)
		memcpy(bytes->at + bytes->n, from, n);
	bytes->n += n;
}

static void add_u16(struct bytes *bytes, unsigned int value)
{
	uint16_t word = (uint16_t)value;

	add(bytes, &word, sizeof(word));
}

static void add_u32(struct bytes *bytes, uint32_t value)
{
	add(bytes, &value, sizeof(value));
}

static void pad(struct bytes *bytes)
{
	while (bytes->n % 4 != 0)
		bytes->at[bytes->n++] = 0;
}

static void add_option(struct bytes *bytes, unsigned int code, const void *value, size_t n)
{
	add_u16(bytes, code);
	add_u16(bytes, (unsigned int)n);
	add(bytes, value, n);
	pad(bytes);
}

static size_t text_len(const char *text, size_t room)
{
	return text != NULL ? strnlen(text, room - 1) : 0;
}

static int begin_pcap(struct capture_writer *writer)
{
	uint8_t room[24];
	struct bytes head = {room, 0};

	add_u32(&head, PCAP_MAGIC_NANOSECONDS);
	add_u16(&head, 2);
	add_u16(&head, 4);
	add_u32(&head, 0);
	add_u32(&head, 0);
	add_u32(&head, CAPTURE_PACKET_BYTES_MAX);
	add_u32(&head, CAPTURE_LINK_ETHERNET);
	writer->n_interfaces = 1;
	return writer->sink(writer->ctx, room, head.n);
}

static int begin_pcapng(struct capture_writer *writer, const char *comment)
{
	static const uint8_t unknown_length[8] = {255, 255, 255, 255, 255, 255, 255, 255};
	uint8_t room[SECTION_BYTES_MAX];
	struct bytes head = {room, 0};
	size_t comment_len = text_len(comment, CAPTURE_SECTION_COMMENT_BYTES);

	add_u32(&head, SECTION_TYPE);
	add_u32(&head, 0);
	add_u32(&head, BYTE_ORDER_MAGIC);
	add_u16(&head, 1);
	add_u16(&head, 0);
	add(&head, unknown_length, sizeof(unknown_length));
	if (comment_len != 0) {
		add_option(&head, 1, comment, comment_len);
		add_option(&head, 0, NULL, 0);
	}
	add_u32(&head, (uint32_t)head.n + 4);
	memcpy(room + 4, room + head.n - 4, 4);
	return writer->sink(writer->ctx, room, head.n);
}

int capture_writer_begin(struct capture_writer *writer, enum capture_format format,
			 capture_sink_fn sink, void *ctx)
{
	*writer = (struct capture_writer){.sink = sink, .ctx = ctx, .format = format};
	return format == CAPTURE_PCAP ? begin_pcap(writer) : begin_pcapng(writer, NULL);
}

int capture_writer_begin_section(struct capture_writer *writer, const char *comment,
				 capture_sink_fn sink, void *ctx)
{
	*writer = (struct capture_writer){.sink = sink, .ctx = ctx, .format = CAPTURE_PCAPNG};
	return begin_pcapng(writer, comment);
}

int capture_writer_add_interface(struct capture_writer *writer,
				 const struct capture_interface *interface)
{
	static const uint8_t resolution = RESOLUTION_NS;
	uint8_t room[BLOCK_HEAD_BYTES_MAX];
	struct bytes block = {room, 0};
	size_t name_len = text_len(interface->name, CAPTURE_NAME_BYTES);

	if (writer->format == CAPTURE_PCAP || writer->n_interfaces == CAPTURE_INTERFACES_MAX)
		return -EINVAL;
	add_u32(&block, INTERFACE_TYPE);
	add_u32(&block, 0);
	add_u16(&block, interface->link);
	add_u16(&block, 0);
	add_u32(&block, interface->snaplen);
	if (name_len != 0)
		add_option(&block, 2, interface->name, name_len);
	add_option(&block, 9, &resolution, sizeof(resolution));
	add_option(&block, 0, NULL, 0);
	add_u32(&block, (uint32_t)block.n + 4);
	memcpy(room + 4, room + block.n - 4, 4);
	writer->n_interfaces++;
	return writer->sink(writer->ctx, room, block.n);
}

static int put_pcap(struct capture_writer *writer, const struct capture_packet *packet)
{
	uint8_t room[16];
	struct bytes head = {room, 0};

	add_u32(&head, (uint32_t)(packet->time_ns / NS_PER_S));
	add_u32(&head, (uint32_t)(packet->time_ns % NS_PER_S));
	add_u32(&head, packet->len);
	add_u32(&head, packet->wire_len);
	int error = writer->sink(writer->ctx, room, head.n);

	return error < 0 ? error : writer->sink(writer->ctx, packet->bytes, packet->len);
}

/* Padding, options, and the length once more. */
static void end_packet(const struct capture_packet *packet, uint32_t head_bytes,
		       struct bytes *block)
{
	size_t comment_len = text_len(packet->comment, CAPTURE_COMMENT_BYTES);
	uint32_t way = packet->direction;

	for (uint32_t n = packet->len; n % 4 != 0; n++)
		block->at[block->n++] = 0;
	size_t padding = block->n;

	if (comment_len != 0) {
		add_u16(block, 1);
		add_u16(block, (unsigned int)comment_len);
		add(block, packet->comment, comment_len);
		for (size_t n = comment_len; n % 4 != 0; n++)
			block->at[block->n++] = 0;
	}
	if (way != CAPTURE_DIRECTION_UNKNOWN) {
		add_u16(block, 2);
		add_u16(block, sizeof(way));
		add_u32(block, way);
	}
	if (block->n != padding)
		add_u32(block, 0);
	add_u32(block, head_bytes + packet->len + (uint32_t)block->n + 4);
}

static int put_pcapng(struct capture_writer *writer, const struct capture_packet *packet)
{
	uint8_t head_room[28], tail_room[BLOCK_TAIL_BYTES_MAX];
	struct bytes head = {head_room, 0}, tail = {tail_room, 0};

	end_packet(packet, sizeof(head_room), &tail);
	add_u32(&head, PACKET_TYPE);
	add(&head, tail_room + tail.n - 4, 4);
	add_u32(&head, packet->interface);
	add_u32(&head, (uint32_t)(packet->time_ns >> 32));
	add_u32(&head, (uint32_t)packet->time_ns);
	add_u32(&head, packet->len);
	add_u32(&head, packet->wire_len);
	int error = writer->sink(writer->ctx, head_room, head.n);

	if (error == 0)
		error = writer->sink(writer->ctx, packet->bytes, packet->len);
	return error < 0 ? error : writer->sink(writer->ctx, tail_room, tail.n);
}

int capture_writer_put(struct capture_writer *writer, const struct capture_packet *packet)
{
	if (packet->interface >= writer->n_interfaces || packet->len > CAPTURE_PACKET_BYTES_MAX)
		return -EINVAL;
	return writer->format == CAPTURE_PCAP ? put_pcap(writer, packet)
					      : put_pcapng(writer, packet);
}

int capture_writer_put_counts(struct capture_writer *writer, uint32_t interface, uint64_t time_ns,
			      uint64_t received, uint64_t dropped)
{
	uint8_t room[64];
	struct bytes block = {room, 0};

	if (writer->format == CAPTURE_PCAP || interface >= writer->n_interfaces)
		return -EINVAL;
	add_u32(&block, COUNTS_TYPE);
	add_u32(&block, 0);
	add_u32(&block, interface);
	add_u32(&block, (uint32_t)(time_ns >> 32));
	add_u32(&block, (uint32_t)time_ns);
	add_option(&block, 4, &received, sizeof(received));
	add_option(&block, 5, &dropped, sizeof(dropped));
	add_option(&block, 0, NULL, 0);
	add_u32(&block, (uint32_t)block.n + 4);
	memcpy(room + 4, room + block.n - 4, 4);
	return writer->sink(writer->ctx, room, block.n);
}
