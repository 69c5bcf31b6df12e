/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of a load. See load_frame.h. */
#include "tests/bench/load_frame.h"

#include <string.h>

#define IP_AT 14
#define UDP_AT 34
#define MARK_AT 42 /* 12 bytes: behind a UDP header, within the smallest frame */
#define SOURCE_PORT 1024u

const uint16_t load_imix[LOAD_IMIX_FRAMES] = {60, 590, 60, 60, 590, 60, 1514, 60, 590, 60, 60, 590};

static void put_be16(unsigned char *at, unsigned int value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static void put_address(unsigned char *mac, unsigned int port, unsigned int i)
{
	if (port == LOAD_BROADCAST) {
		memset(mac, 0xff, 6);
		return;
	}
	mac[0] = 0x02;
	mac[1] = 'L';
	mac[2] = (unsigned char)port;
	mac[3] = (unsigned char)(i >> 16);
	put_be16(mac + 4, i);
}

static void put_udp(const struct load_look *look, unsigned int flow, unsigned int n_bytes,
		    unsigned char *frame)
{
	unsigned char *ip = frame + IP_AT;
	uint32_t sum = 0;

	put_be16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put_be16(ip + 2, n_bytes - IP_AT);
	ip[6] = 0x40; /* do not fragment */
	ip[8] = 64;
	ip[9] = 17;
	ip[12] = ip[16] = 10;
	ip[15] = (unsigned char)(look->from + 1);
	ip[19] = (unsigned char)(look->to + 1);
	for (unsigned int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put_be16(ip + 10, ~(sum + (sum >> 16)));
	put_be16(frame + UDP_AT, SOURCE_PORT + flow);
	put_be16(frame + UDP_AT + 2, 9);
	put_be16(frame + UDP_AT + 4, n_bytes - UDP_AT);
}

void load_frame_build(const struct load_look *look, unsigned int i, unsigned char *frame)
{
	unsigned int n_bytes = look->sizes[i % look->n_sizes];
	unsigned int turn = i / look->n_sizes;

	memset(frame, 0, n_bytes);
	put_address(frame, look->to, turn % look->n_to);
	put_address(frame + 6, look->from, turn % look->n_macs);
	if (look->n_flows > 0)
		put_udp(look, turn / look->n_macs % look->n_flows, n_bytes, frame);
	else
		put_be16(frame + 12, 0x88b5); /* IEEE 802, local experiments */
}

void load_frame_mark(unsigned char *frame, uint32_t sequence, uint64_t sent_ns)
{
	memcpy(frame + MARK_AT, &sequence, sizeof(sequence));
	memcpy(frame + MARK_AT + sizeof(sequence), &sent_ns, sizeof(sent_ns));
}

void load_frame_read(const unsigned char *frame, uint32_t *sequence, uint64_t *sent_ns)
{
	memcpy(sequence, frame + MARK_AT, sizeof(*sequence));
	memcpy(sent_ns, frame + MARK_AT + sizeof(*sequence), sizeof(*sent_ns));
}
