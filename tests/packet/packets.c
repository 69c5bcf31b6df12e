/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet lists and pcap files for the packet suite. */
#include "tests/packet/packets.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S ((uint64_t)1000000000)
#define SNAPLEN 262144

int packets_add(struct packets *packets, uint64_t time_ns, const uint8_t *bytes, uint32_t len)
{
	struct packet *list = realloc(packets->list, (packets->n + 1) * sizeof(*list));
	uint8_t *copy = malloc(len != 0 ? len : 1);

	if (list != NULL)
		packets->list = list;
	if (list == NULL || copy == NULL) {
		free(copy);
		return -ENOMEM;
	}
	if (len != 0)
		memcpy(copy, bytes, len);
	list[packets->n++] = (struct packet){.time_ns = time_ns, .len = len, .bytes = copy};
	return 0;
}

void packets_clear(struct packets *packets)
{
	for (size_t i = 0; i < packets->n; i++)
		free(packets->list[i].bytes);
	free(packets->list);
	*packets = (struct packets){0};
}

int packets_read(struct packets *packets, const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int result, added = 0;

	if (access(path, F_OK) < 0)
		return -ENOENT;
	pcap_t *pcap =
		pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);

	if (pcap == NULL || pcap_datalink(pcap) != DLT_EN10MB) {
		if (pcap != NULL)
			pcap_close(pcap);
		return -EINVAL;
	}
	while (added == 0 && (result = pcap_next_ex(pcap, &header, &bytes)) == 1)
		added = packets_add(packets,
				    (uint64_t)header->ts.tv_sec * NS_PER_S +
					    (uint64_t)header->ts.tv_usec,
				    bytes, header->caplen);
	pcap_close(pcap);
	return added < 0 ? added : result == PCAP_ERROR_BREAK ? 0 : -EINVAL;
}

int packets_write(const struct packets *packets, const char *path)
{
	pcap_t *pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAPLEN,
							    PCAP_TSTAMP_PRECISION_NANO);
	pcap_dumper_t *dumper = pcap != NULL ? pcap_dump_open(pcap, path) : NULL;

	if (dumper == NULL)
		return -EIO;
	for (size_t i = 0; i < packets->n; i++) {
		const struct packet *packet = &packets->list[i];
		struct pcap_pkthdr header = {
			.ts = {.tv_sec = (time_t)(packet->time_ns / NS_PER_S),
			       /* tv_usec holds nanoseconds in this precision */
			       .tv_usec = (suseconds_t)(packet->time_ns % NS_PER_S)},
			.caplen = packet->len,
			.len = packet->len,
		};

		pcap_dump((unsigned char *)dumper, &header, packet->bytes);
	}
	int result = pcap_dump_flush(dumper);

	pcap_dump_close(dumper);
	pcap_close(pcap);
	return result < 0 ? -EIO : 0;
}

static void print_packet(const char *label, const struct packets *packets, size_t i)
{
	if (i >= packets->n) {
		fprintf(stderr, "    %s nothing\n", label);
		return;
	}
	const struct packet *packet = &packets->list[i];

	fprintf(stderr, "    %s %" PRIu64 ".%09" PRIu64 " s, %u bytes:", label,
		packet->time_ns / NS_PER_S, packet->time_ns % NS_PER_S, packet->len);
	for (uint32_t b = 0; b < packet->len && b < 48; b++)
		fprintf(stderr, "%s%02x", b % 4 == 0 ? " " : "", packet->bytes[b]);
	fprintf(stderr, "%s\n", packet->len > 48 ? " ..." : "");
}

static bool is_same(const struct packets *a, const struct packets *b, size_t i)
{
	return i < a->n && i < b->n && a->list[i].time_ns == b->list[i].time_ns &&
	       a->list[i].len == b->list[i].len &&
	       memcmp(a->list[i].bytes, b->list[i].bytes, a->list[i].len) == 0;
}

size_t packets_compare(const struct packets *expected, const struct packets *seen, const char *what)
{
	size_t n = expected->n > seen->n ? expected->n : seen->n, differ = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_same(expected, seen, i))
			continue;
		if (differ++ == 0) {
			fprintf(stderr, "  %s: packet %zu differs\n", what, i + 1);
			print_packet("expected", expected, i);
			print_packet("seen    ", seen, i);
		}
	}
	if (differ > 1)
		fprintf(stderr, "  %s: %zu packets differ in all\n", what, differ);
	return differ;
}
