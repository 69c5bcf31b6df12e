/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads captures: the buffer, and which of the formats it is. */
#include "capture/capture_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture_reader_block.h"

/* What a file begins with that is not ours, and what to do with it. */
static const struct {
	const char *bytes, *what;
	size_t n;
} strangers[] = {
	{"\x1f\x8b", "compressed by gzip; unpack it first: gunzip", 2},
	{"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first: unzstd", 4},
	{"\xfd\x37zXZ", "compressed by xz; unpack it first: unxz", 5},
	{"BZh", "compressed by bzip2; unpack it first: bunzip2", 3},
	{"\x04\x22\x4d\x18", "compressed by lz4; unpack it first: unlz4", 4},
	{"snoop\0\0\0", "a snoop capture; turn it into pcapng first: editcap -F pcapng", 8},
	{"GMBU", "a Network Monitor capture; turn it into pcapng first: editcap -F pcapng", 4},
	{"RTSS", "a Network Monitor capture; turn it into pcapng first: editcap -F pcapng", 4},
	{"\xa1\xb2\xcd\x34", "pcap as Kuznetzov changed it; turn it into pcapng first: editcap", 4},
	{"\x34\xcd\xb2\xa1", "pcap as Kuznetzov changed it; turn it into pcapng first: editcap", 4},
};

int capture_reader_create(struct capture_reader **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : -ENOMEM;
}

void capture_reader_destroy(struct capture_reader *reader)
{
	if (reader == NULL)
		return;
	free(reader->interfaces);
	free(reader->bytes);
	free(reader);
}

int capture_reader_push(struct capture_reader *reader, const void *bytes, size_t n)
{
	size_t kept = reader->end - reader->at;

	if (kept != 0 && reader->at != 0)
		memmove(reader->bytes, reader->bytes + reader->at, kept);
	reader->at = 0;
	reader->end = kept;
	if (n > reader->room - kept) {
		uint8_t *more = realloc(reader->bytes, kept + n);

		if (more == NULL)
			return -ENOMEM;
		reader->bytes = more;
		reader->room = kept + n;
	}
	if (n != 0)
		memcpy(reader->bytes + kept, bytes, n);
	reader->end += n;
	return 0;
}

uint16_t capture_reader_u16(const struct capture_reader *reader, const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return reader->is_swapped ? __builtin_bswap16(value) : value;
}

uint32_t capture_reader_u32(const struct capture_reader *reader, const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return reader->is_swapped ? __builtin_bswap32(value) : value;
}

int capture_reader_fail(struct capture_reader *reader, const char *format, ...)
{
	char what[CAPTURE_WHY_BYTES - 40];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	snprintf(reader->why, sizeof(reader->why), "byte %llu: %s",
		 (unsigned long long)reader->offset, what);
	reader->has_failed = true;
	return -EINVAL;
}

int capture_reader_describe(struct capture_reader *reader,
			    const struct capture_described *described)
{
	if (reader->n_interfaces == CAPTURE_INTERFACES_MAX)
		return capture_reader_fail(reader, "more than %u interfaces",
					   CAPTURE_INTERFACES_MAX);
	if (reader->n_interfaces == reader->max_interfaces) {
		uint32_t max = reader->max_interfaces == 0 ? 4 : reader->max_interfaces * 2;
		struct capture_described *more = realloc(reader->interfaces, max * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		reader->interfaces = more;
		reader->max_interfaces = max;
	}
	reader->interfaces[reader->n_interfaces++] = *described;
	return 0;
}

static int refuse_stranger(struct capture_reader *reader, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		if (n >= strangers[i].n && memcmp(bytes, strangers[i].bytes, strangers[i].n) == 0)
			return capture_reader_fail(reader, "this is %s", strangers[i].what);
	}
	return capture_reader_fail(reader,
				   "no pcap and no pcapng: it begins with %02x %02x %02x %02x",
				   bytes[0], bytes[1], bytes[2], bytes[3]);
}

/* The first bytes say which it is. Of a pcapng nothing is used up: it is blocks all through. */
static int recognize(struct capture_reader *reader, const uint8_t *bytes, size_t n, size_t *used)
{
	static const uint8_t pcapng[4] = {0x0a, 0x0d, 0x0d, 0x0a};
	int result;

	if (n < sizeof(pcapng))
		return 0;
	if (memcmp(bytes, pcapng, sizeof(pcapng)) == 0) {
		reader->format = CAPTURE_PCAPNG;
		reader->is_known = true;
		return 0;
	}
	result = capture_reader_pcap_header(reader, bytes, n, used);
	if (result == 1)
		return n >= 8 ? refuse_stranger(reader, bytes, n) : 0;
	reader->is_known = *used != 0;
	return result;
}

static int step(struct capture_reader *reader, struct capture_packet *packet, size_t *used)
{
	size_t n = reader->end - reader->at;

	*used = 0;
	if (n == 0)
		return 0;
	const uint8_t *bytes = reader->bytes + reader->at;

	if (!reader->is_known) {
		int error = recognize(reader, bytes, n, used);

		if (error < 0 || !reader->is_known || *used != 0)
			return error;
	}
	return reader->format == CAPTURE_PCAP
		       ? capture_reader_pcap_next(reader, bytes, n, packet, used)
		       : capture_reader_pcapng_next(reader, bytes, n, packet, used);
}

int capture_reader_next(struct capture_reader *reader, struct capture_packet *packet)
{
	size_t used;
	int result;

	if (reader->has_failed)
		return -EINVAL;
	do {
		result = step(reader, packet, &used);
		if (result < 0)
			return result;
		reader->at += used;
		reader->offset += used;
	} while (result == 0 && used != 0);
	reader->n_packets += result == 1;
	if (result == 1)
		reader->last_ns = packet->time_ns;
	return result;
}

int capture_reader_finish(struct capture_reader *reader)
{
	size_t rest = reader->end - reader->at;

	if (reader->has_failed)
		return -EINVAL;
	if (!reader->is_known && rest == 0)
		return capture_reader_fail(reader, "the file is empty");
	if (!reader->is_known)
		return rest >= 4
			       ? refuse_stranger(reader, reader->bytes + reader->at, rest)
			       : capture_reader_fail(reader, "no capture: only %zu byte(s)", rest);
	if (rest != 0)
		return capture_reader_fail(reader,
					   "the file was cut off: it ends %zu byte(s) into what "
					   "follows packet %llu",
					   rest, (unsigned long long)reader->n_packets);
	return 0;
}

const char *capture_reader_why(const struct capture_reader *reader)
{
	return reader->why;
}

const struct capture_interface *capture_reader_interface(const struct capture_reader *reader,
							 uint32_t interface)
{
	return interface < reader->n_interfaces ? &reader->interfaces[interface].interface : NULL;
}
