/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet lists and their files. */
#include "scenario/packets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture_file.h"
#include "capture/capture_writer.h"

int packets_add(struct packets *packets, uint64_t time_ns, const uint8_t *bytes, uint32_t len)
{
	if (packets->n == packets->max) {
		size_t max = packets->max == 0 ? 64 : packets->max * 2;
		struct packet *list = realloc(packets->list, max * sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		packets->list = list;
		packets->max = max;
	}
	/* Of exactly the frame's size, so that a sanitizer sees who reads beyond it. */
	uint8_t *copy = malloc(len != 0 ? len : 1);

	if (copy == NULL)
		return -ENOMEM;
	if (len != 0)
		memcpy(copy, bytes, len);
	packets->list[packets->n++] =
		(struct packet){.time_ns = time_ns, .len = len, .bytes = copy};
	return 0;
}

void packets_clear(struct packets *packets)
{
	for (size_t i = 0; i < packets->n; i++)
		free(packets->list[i].bytes);
	free(packets->list);
	*packets = (struct packets){0};
}

void packets_shift(struct packets *packets, uint64_t by_ns)
{
	for (size_t i = 0; i < packets->n; i++)
		packets->list[i].time_ns -= by_ns;
}

/* NULL: it can be played. */
static const char *find_fault(const struct packets *packets, const struct capture_packet *packet,
			      const struct capture_interface *interface)
{
	if (interface->link != CAPTURE_LINK_ETHERNET)
		return "is of another kind of link than Ethernet";
	if (packet->wire_len != packet->len)
		return "was cut by a snapshot length: record it whole (-s 0)";
	if (packets->n != 0 && packets->list[packets->n - 1].time_ns > packet->time_ns)
		return "is older than the one before: sort them first (reordercap)";
	return NULL;
}

static int read_file(struct packets *packets, struct capture_file *file, char *why,
		     size_t why_bytes)
{
	struct capture_packet packet;
	int result;

	while ((result = capture_file_next(file, &packet)) == 1) {
		const struct capture_interface *interface =
			capture_file_interface(file, packet.interface);
		const char *fault = find_fault(packets, &packet, interface);

		if (fault != NULL) {
			snprintf(why, why_bytes, "packet %zu %s%s%s", packets->n + 1, fault,
				 interface->link != CAPTURE_LINK_ETHERNET ? ": " : "",
				 interface->link != CAPTURE_LINK_ETHERNET
					 ? capture_link_name(interface->link)
					 : "");
			return -EINVAL;
		}
		result = packets_add(packets, packet.time_ns, packet.bytes, packet.len);
		if (result < 0)
			return result;
	}
	if (result < 0)
		snprintf(why, why_bytes, "%s", capture_file_why(file));
	return result;
}

int packets_read(struct packets *packets, const char *path, char *why, size_t why_bytes)
{
	struct capture_file *file = NULL;
	int error = capture_file_open(path, &file);

	snprintf(why, why_bytes, "%s", strerror(-error));
	if (error == 0)
		error = read_file(packets, file, why, why_bytes);
	capture_file_close(file);
	return error;
}

static int to_file(void *ctx, const void *bytes, size_t n)
{
	return fwrite(bytes, 1, n, ctx) == n ? 0 : -EIO;
}

static int write_all(const struct packets *packets, enum capture_format format, FILE *file)
{
	const struct capture_interface interface = {.link = CAPTURE_LINK_ETHERNET};
	struct capture_writer writer;
	int error = capture_writer_begin(&writer, format, to_file, file);

	if (error == 0 && format == CAPTURE_PCAPNG)
		error = capture_writer_add_interface(&writer, &interface);
	for (size_t i = 0; i < packets->n && error == 0; i++) {
		const struct packet *packet = &packets->list[i];
		const struct capture_packet captured = {
			.time_ns = packet->time_ns,
			.len = packet->len,
			.wire_len = packet->len,
			.bytes = packet->bytes,
		};

		error = capture_writer_put(&writer, &captured);
	}
	return error;
}

int packets_write(const struct packets *packets, const char *path)
{
	size_t len = strlen(path);
	bool is_pcapng = len > 7 && strcmp(path + len - 7, ".pcapng") == 0;
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return -errno;
	int error = write_all(packets, is_pcapng ? CAPTURE_PCAPNG : CAPTURE_PCAP, file);

	if (fclose(file) != 0 && error == 0)
		error = -errno;
	return error;
}
