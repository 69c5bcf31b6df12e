/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a capture file, pushed in pieces of a size that the first byte says, each out of
 * memory of exactly its size. What is read does not depend on the pieces; every byte of a packet
 * may be looked at; and written out again it is read as the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture_reader.h"
#include "capture/capture_writer.h"

struct sum {
	unsigned int n;
	uint64_t digest;
	int result;
};

struct text {
	uint8_t *bytes;
	size_t n;
};

static void check(int is_true)
{
	if (!is_true)
		abort();
}

static void mix(struct sum *sum, const void *bytes, size_t n)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < n; i++)
		sum->digest = (sum->digest ^ byte[i]) * 0x100000001b3ull;
}

static int append(void *ctx, const void *bytes, size_t n)
{
	struct text *text = ctx;

	text->bytes = realloc(text->bytes, text->n + n + 1);
	check(text->bytes != NULL);
	if (n != 0)
		memcpy(text->bytes + text->n, bytes, n);
	text->n += n;
	return 0;
}

static void see(const struct capture_reader *reader, const struct capture_packet *packet,
		struct capture_writer *writer, struct sum *sum)
{
	struct capture_packet copy = *packet;

	check(packet->len <= CAPTURE_PACKET_BYTES_MAX && packet->wire_len >= packet->len);
	check(capture_reader_interface(reader, packet->interface) != NULL);
	sum->n++;
	mix(sum, &packet->time_ns, sizeof(packet->time_ns));
	mix(sum, &packet->wire_len, sizeof(packet->wire_len));
	mix(sum, packet->bytes, packet->len);
	mix(sum, &packet->direction, sizeof(packet->direction));
	if (packet->comment != NULL)
		mix(sum, packet->comment, strlen(packet->comment));
	copy.interface = 0;
	if (writer != NULL)
		check(capture_writer_put(writer, &copy) == 0);
}

/* `writer` gets what is read. */
static struct sum read_in_pieces(const uint8_t *data, size_t n, size_t piece,
				 struct capture_writer *writer)
{
	struct capture_reader *reader;
	struct capture_packet packet;
	struct sum sum = {0};

	check(capture_reader_create(&reader) == 0);
	for (size_t at = 0; at < n && sum.result >= 0; at += piece) {
		size_t some = n - at < piece ? n - at : piece;
		uint8_t *copy = malloc(some);

		check(copy != NULL);
		memcpy(copy, data + at, some);
		check(capture_reader_push(reader, copy, some) == 0);
		free(copy);
		while ((sum.result = capture_reader_next(reader, &packet)) == 1)
			see(reader, &packet, writer, &sum);
	}
	if (sum.result >= 0)
		sum.result = capture_reader_finish(reader);
	check(sum.result == 0 || capture_reader_why(reader)[0] != '\0');
	capture_reader_destroy(reader);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const struct capture_interface ethernet = {.link = CAPTURE_LINK_ETHERNET, .name = "x"};
	struct capture_writer writer;
	struct text text = {0};

	if (bytes < 1)
		return 0;
	check(capture_writer_begin(&writer, CAPTURE_PCAPNG, append, &text) == 0);
	check(capture_writer_add_interface(&writer, &ethernet) == 0);
	struct sum whole = read_in_pieces(data + 1, bytes - 1, bytes, &writer);
	struct sum pieces = read_in_pieces(data + 1, bytes - 1, 1u + data[0], NULL);
	struct sum again = read_in_pieces(text.bytes, text.n, text.n, NULL);

	check(whole.n == pieces.n && whole.digest == pieces.digest);
	check(whole.result == pieces.result);
	check(again.result == 0 && again.n == whole.n && again.digest == whole.digest);
	free(text.bytes);
	return 0;
}
