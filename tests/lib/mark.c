/* SPDX-License-Identifier: BSD-3-Clause */
/* Marked frames. See mark.h. Pure; any thread. */
#include "tests/lib/mark.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define MAGIC "WFTM"
#define RUNT_BYTES 13
#define SHORT_BYTES 42
#define PLAIN_BYTES 60
#define IP_BYTES 20
#define UDP_BYTES 8
#define TCP_BYTES 20
#define SEGMENT_BYTES 1400 /* payload of one TCP segment */
#define IP_MAX 65535

static const struct mark_kind_info kinds[MARK_KIND_COUNT] = {
	[MARK_UNICAST] = {"unicast", "to one address", DROP_NONE},
	[MARK_BROADCAST] = {"broadcast", "to ff:ff:ff:ff:ff:ff", DROP_NONE},
	[MARK_MULTICAST] = {"multicast", "to 01:00:5e:01:02:03", DROP_NONE},
	[MARK_TAGGED] = {"tagged", "802.1Q, VLAN 10", DROP_TAGGED},
	[MARK_DOUBLE_TAGGED] = {"double-tagged", "802.1ad 10, 802.1Q 20", DROP_TAGGED},
	[MARK_PRIORITY_TAGGED] = {"priority-tagged", "802.1Q, VLAN 0", DROP_TAGGED},
	[MARK_RUNT] = {"runt", "13 bytes", DROP_RUNT},
	[MARK_BARE] = {"bare", "14 bytes", DROP_NONE},
	[MARK_SHORT] = {"short", "42 bytes", DROP_NONE},
	[MARK_LENGTH] = {"length", "802.3 length and LLC", DROP_NONE},
	[MARK_LINK_LOCAL] = {"link-local", "to 01:80:c2:00:00:0e", DROP_LINK_LOCAL},
	[MARK_CHECKSUM] = {"checksum", "UDP with its checksum left open", DROP_NONE},
	[MARK_SEGMENTS] = {"segments", "TCP, 5,600 bytes in segments of 1,400", DROP_NONE},
	[MARK_LARGE] = {"large", "TCP, an IP packet of 65,535 bytes", DROP_NONE},
};

const struct mark_kind_info *mark_kind(enum mark_kind kind)
{
	return &kinds[kind];
}

int mark_kind_find(const char *name)
{
	for (int i = 0; i < MARK_KIND_COUNT; i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return i;
	}
	return -ENOENT;
}

static void put16(unsigned char *bytes, unsigned int value)
{
	bytes[0] = (unsigned char)(value >> 8);
	bytes[1] = (unsigned char)value;
}

static uint16_t get16(const unsigned char *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

void mark_source(uint16_t segment, uint16_t port, uint8_t mac[6])
{
	mac[0] = 0x02; /* locally administered */
	mac[1] = 'W';
	put16(mac + 2, segment);
	put16(mac + 4, port);
}

/* The checksum of IP: the sum in ones' complement, folded, not inverted. */
static uint16_t sum16(const unsigned char *bytes, size_t n_bytes, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n_bytes; i += 2)
		sum += get16(bytes + i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint8_t check_of(const unsigned char *mark)
{
	uint8_t check = 0x5a;

	for (int i = 0; i < MARK_BYTES; i++)
		check = (uint8_t)(check * 31 + (i == 13 ? 0 : mark[i]));
	return check;
}

static unsigned char fill_byte(uint32_t sequence, size_t i)
{
	return (unsigned char)((sequence + i) * 167 + (i >> 8));
}

static void put_mark(const struct mark *mark, unsigned char *bytes, size_t n_bytes)
{
	size_t n_fill = n_bytes - MARK_BYTES;

	memcpy(bytes, MAGIC, 4);
	put16(bytes + 4, mark->segment);
	put16(bytes + 6, mark->port);
	put16(bytes + 8, mark->sequence >> 16);
	put16(bytes + 10, mark->sequence);
	bytes[12] = (unsigned char)mark->kind;
	put16(bytes + 14, (unsigned int)n_fill);
	bytes[13] = check_of(bytes);
	for (size_t i = 0; i < n_fill; i++)
		bytes[MARK_BYTES + i] = fill_byte(mark->sequence, i);
}

static void put_destination(enum mark_kind kind, const uint8_t to[6], unsigned char *frame)
{
	static const unsigned char multicast[6] = {0x01, 0x00, 0x5e, 0x01, 0x02, 0x03};
	static const unsigned char link_local[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e};

	if (kind == MARK_BROADCAST)
		memset(frame, 0xff, 6);
	else if (kind == MARK_MULTICAST)
		memcpy(frame, multicast, 6);
	else if (kind == MARK_LINK_LOCAL)
		memcpy(frame, link_local, 6);
	else
		memcpy(frame, to, 6);
}

/* Tags, if any, and EtherType. 88B5 is IEEE's for local experiments. Returns the bytes so far. */
static size_t put_type(enum mark_kind kind, unsigned char *frame)
{
	size_t at = 12;

	if (kind == MARK_DOUBLE_TAGGED) {
		put16(frame + at, ETH_P_8021AD);
		put16(frame + at + 2, 10);
		at += 4;
	}
	if (kind == MARK_DOUBLE_TAGGED || kind == MARK_TAGGED || kind == MARK_PRIORITY_TAGGED) {
		unsigned int vlan = kind == MARK_DOUBLE_TAGGED ? 20 : 10;

		put16(frame + at, ETH_P_8021Q);
		put16(frame + at + 2, kind == MARK_PRIORITY_TAGGED ? 5U << 13 : vlan);
		at += 4;
	}
	put16(frame + at, kind == MARK_LENGTH ? PLAIN_BYTES - ETH_HLEN : ETH_P_802_EX1);
	at += 2;
	if (kind == MARK_LENGTH) {
		memcpy(frame + at, "\x42\x42\x03", 3);
		at += 3;
	}
	return at;
}

static void put_ip(unsigned char *ip, unsigned int ip_bytes, unsigned int protocol)
{
	memset(ip, 0, IP_BYTES);
	ip[0] = 0x45;
	put16(ip + 2, ip_bytes);
	put16(ip + 6, 0x4000); /* do not fragment */
	ip[8] = 64;
	ip[9] = (unsigned char)protocol;
	memcpy(ip + 12, "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8); /* 192.0.2.1, 192.0.2.2 */
	put16(ip + 10, (uint16_t)~sum16(ip, IP_BYTES, 0));
}

/* What the sender leaves in a checksum that is to be completed: the sum of the pseudo header. */
static uint16_t pseudo_sum(const unsigned char *ip, unsigned int l4_bytes)
{
	return sum16(ip + 12, 8, ip[9] + l4_bytes);
}

static size_t build_udp(const struct mark *mark, unsigned char *frame,
			struct virtio_net_hdr *header)
{
	unsigned char *ip = frame + ETH_HLEN;
	unsigned char *udp = ip + IP_BYTES;
	unsigned int udp_bytes = UDP_BYTES + MARK_BYTES + 64;

	put16(frame + 12, ETH_P_IP);
	put_ip(ip, IP_BYTES + udp_bytes, IPPROTO_UDP);
	put16(udp, 4000);
	put16(udp + 2, 4001);
	put16(udp + 4, udp_bytes);
	put16(udp + 6, pseudo_sum(ip, udp_bytes));
	put_mark(mark, udp + UDP_BYTES, udp_bytes - UDP_BYTES);
	*header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = ETH_HLEN + IP_BYTES,
		.csum_offset = 6,
	};
	return ETH_HLEN + IP_BYTES + udp_bytes;
}

static size_t build_tcp(const struct mark *mark, unsigned char *frame,
			struct virtio_net_hdr *header)
{
	unsigned char *ip = frame + ETH_HLEN;
	unsigned char *tcp = ip + IP_BYTES;
	unsigned int ip_bytes =
		mark->kind == MARK_LARGE ? IP_MAX : IP_BYTES + TCP_BYTES + 4 * SEGMENT_BYTES;
	unsigned int tcp_bytes = ip_bytes - IP_BYTES;

	put16(frame + 12, ETH_P_IP);
	put_ip(ip, ip_bytes, IPPROTO_TCP);
	memset(tcp, 0, TCP_BYTES);
	put16(tcp, 4000);
	put16(tcp + 2, 4001);
	put16(tcp + 4, mark->sequence >> 16);
	put16(tcp + 6, mark->sequence);
	put16(tcp + 12, 0x5010); /* header of 20 bytes, ACK */
	put16(tcp + 14, 65535);
	put16(tcp + 16, pseudo_sum(ip, tcp_bytes));
	put_mark(mark, tcp + TCP_BYTES, tcp_bytes - TCP_BYTES);
	*header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = ETH_HLEN + IP_BYTES + TCP_BYTES,
		.gso_size = SEGMENT_BYTES,
		.csum_start = ETH_HLEN + IP_BYTES,
		.csum_offset = 16,
	};
	return ETH_HLEN + ip_bytes;
}

size_t mark_build(const struct mark *mark, const uint8_t to[6], unsigned char *frame,
		  struct virtio_net_hdr *header)
{
	put_destination(mark->kind, to, frame);
	mark_source(mark->segment, mark->port, frame + 6);
	*header = (struct virtio_net_hdr){0};
	if (mark->kind == MARK_CHECKSUM)
		return build_udp(mark, frame, header);
	if (mark->kind == MARK_SEGMENTS || mark->kind == MARK_LARGE)
		return build_tcp(mark, frame, header);
	size_t at = put_type(mark->kind, frame);
	size_t n_bytes = mark->kind == MARK_SHORT ? SHORT_BYTES : PLAIN_BYTES;

	if (mark->kind == MARK_RUNT)
		return RUNT_BYTES;
	if (mark->kind == MARK_BARE)
		return ETH_HLEN;
	put_mark(mark, frame + at, n_bytes - at);
	return n_bytes;
}

static int check_mark(const unsigned char *bytes, size_t n_bytes, struct mark *mark)
{
	size_t n_fill = get16(bytes + 14);

	if (bytes[13] != check_of(bytes) || bytes[12] >= MARK_KIND_COUNT ||
	    n_fill > n_bytes - MARK_BYTES)
		return -EBADMSG;
	*mark = (struct mark){
		.segment = get16(bytes + 4),
		.port = get16(bytes + 6),
		.sequence = (uint32_t)get16(bytes + 8) << 16 | get16(bytes + 10),
		.kind = bytes[12],
	};
	for (size_t i = 0; i < n_fill; i++) {
		if (bytes[MARK_BYTES + i] != fill_byte(mark->sequence, i))
			return -EBADMSG;
	}
	return 0;
}

/* Kinds without room for a mark: some receivers pad them to 60 bytes. */
static int find_bare(const unsigned char *frame, size_t n_bytes, struct mark *mark)
{
	if (n_bytes < 12 || n_bytes > PLAIN_BYTES || frame[6] != 0x02 || frame[7] != 'W')
		return -ENOENT;
	*mark = (struct mark){
		.segment = get16(frame + 8),
		.port = get16(frame + 10),
		.kind = n_bytes < ETH_HLEN ? MARK_RUNT : MARK_BARE,
	};
	return 0;
}

int mark_find(const unsigned char *frame, size_t n_bytes, struct mark *mark)
{
	/* Behind addresses, two tags, IP and TCP at the latest; searched, as tags come and go. */
	size_t last = ETH_HLEN + 8 + IP_BYTES + TCP_BYTES;

	for (size_t at = 12; at <= last && at + MARK_BYTES <= n_bytes; at++) {
		if (memcmp(frame + at, MAGIC, 4) == 0)
			return check_mark(frame + at, n_bytes - at, mark);
	}
	return find_bare(frame, n_bytes, mark);
}
