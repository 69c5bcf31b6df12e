/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules for what leaves a port. See frame_rules.h. */
#include "tests/fuzz/frame_rules.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/offload.h"

#define MACS_BYTES 12u
#define TAG_BYTES 4u
#define NATIVE 1u
#define CHECKSUM_BYTES 2u
#define TCP_CHECKSUM_AT 16u

struct whole {
	uint8_t bytes[FRAME_BYTES_MAX + TAG_BYTES];
	uint32_t len;
};

void frame_check(bool is_true)
{
	if (!is_true)
		abort();
}

bool frame_is_guarded(const struct frame_manner *manner)
{
	return manner->mac[0] != 0;
}

static uint16_t read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static bool is_tag(const uint8_t *bytes, uint32_t len)
{
	uint16_t type = len >= MACS_BYTES + 2 ? read16(bytes + MACS_BYTES) : 0;

	/* 802.1Q, 802.1ad, and the older one that some cards still take for a tag. */
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

/* RFC 1071, word by word: 64 KiB of them fit. */
static uint16_t sum_of(uint32_t sum, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i + 1 < n; i += 2)
		sum += read16(bytes + i);
	if (n % 2 != 0)
		sum += (uint32_t)bytes[n - 1] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Reads every byte, as a receiver would. */
static void gather(const struct frame *out, struct whole *whole)
{
	uint32_t at = out->head_len;

	frame_check(out->head_len <= FRAME_HEAD_BYTES && out->head_len <= out->len);
	frame_check(out->len >= MACS_BYTES + 2 && out->len <= sizeof(whole->bytes));
	frame_check(out->n_iov <= FRAME_IOV_MAX);
	memcpy(whole->bytes, out->head, out->head_len);
	for (unsigned int i = 0; i < out->n_iov; i++) {
		frame_check(out->iov[i].iov_len <= out->len - at);
		memcpy(whole->bytes + at, out->iov[i].iov_base, out->iov[i].iov_len);
		at += (uint32_t)out->iov[i].iov_len;
	}
	frame_check(at == out->len);
	whole->len = at;
}

/* Virtio 1.2, 5.1.6.2: what a receiver relies on, and only what it has agreed to. */
static void check_header(const struct frame *out, unsigned int caps)
{
	const struct virtio_net_hdr *hdr = &out->vnet.hdr;
	uint32_t start = le16toh(hdr->csum_start), gso = hdr->gso_type;

	frame_check(le16toh(out->vnet.num_buffers) == 1);
	frame_check(hdr->flags == 0 || hdr->flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	if (hdr->flags != 0) {
		frame_check((caps & OFFLOAD_CSUM) != 0);
		frame_check(start >= MACS_BYTES + 2);
		frame_check(start + le16toh(hdr->csum_offset) + CHECKSUM_BYTES <= out->len);
	}
	if (gso == VIRTIO_NET_HDR_GSO_NONE)
		return;
	frame_check(hdr->flags != 0 && le16toh(hdr->csum_offset) == TCP_CHECKSUM_AT);
	frame_check((caps & OFFLOAD_TSO4) != 0 && (caps & OFFLOAD_TSO6) != 0);
	gso &= ~(uint32_t)VIRTIO_NET_HDR_GSO_ECN;
	frame_check(gso == VIRTIO_NET_HDR_GSO_TCPV4 || gso == VIRTIO_NET_HDR_GSO_TCPV6);
	frame_check(hdr->gso_size != 0 && le16toh(hdr->hdr_len) == start + 20);
	frame_check(start + 20 <= out->len);
}

/* Was a tag taken off, and which segment is the frame in? */
static uint32_t segment_of(const struct frame_in *in, const struct frame_manner *from,
			   bool *is_stripped)
{
	uint16_t vlan = is_tag(in->bytes, in->len) && in->len >= MACS_BYTES + 4
				? read16(in->bytes + MACS_BYTES + 2) & 0xfff
				: 0;

	*is_stripped =
		is_tag(in->bytes, in->len) &&
		(from->segment == 0 || (vlan == 0 && read16(in->bytes + MACS_BYTES) == 0x8100));
	if (from->segment != 0)
		return from->segment;
	frame_check(vlan == 0 || vlan == 10 || vlan == 20);
	return NATIVE + vlan / 10;
}

/* The tag that says the segment on a trunk, and none that would say another. Returns the bytes of
 * it. */
static uint32_t check_tag(const struct whole *out, uint32_t segment, const struct frame_manner *to)
{
	uint32_t tag_bytes = 0;

	if (to->segment == 0 && segment != NATIVE) {
		frame_check(read16(out->bytes + MACS_BYTES) == 0x8100);
		frame_check(read16(out->bytes + MACS_BYTES + 2) == (segment - NATIVE) * 10);
		tag_bytes = TAG_BYTES;
	}
	if (to->takes_tags && (to->segment != 0 || tag_bytes != 0))
		return tag_bytes;
	frame_check(!is_tag(out->bytes + tag_bytes, out->len - tag_bytes));
	return tag_bytes;
}

/* Not cut: the same bytes from out_at and in_at on, where the tags that come and go have ended; but
 * for a checksum that was completed. */
static void check_same(const struct whole *out, uint32_t out_at, const struct frame_in *in,
		       uint32_t in_at, bool is_completed)
{
	uint32_t n = in->len - in_at, start = le16toh(in->hdr.csum_start);
	uint32_t field = start + le16toh(in->hdr.csum_offset);

	frame_check(out->len - out_at == n);
	frame_check(memcmp(out->bytes, in->bytes, MACS_BYTES) == 0);
	if (!is_completed) {
		frame_check(memcmp(out->bytes + out_at, in->bytes + in_at, n) == 0);
		return;
	}
	uint16_t expected = (uint16_t)~sum_of(0, in->bytes + start, in->len - start);
	uint16_t found = read16(out->bytes + out_at + field - in_at);

	frame_check(found == expected || (found == 0xffff && expected == 0));
	frame_check(memcmp(out->bytes + out_at, in->bytes + in_at, field - in_at) == 0);
	frame_check(memcmp(out->bytes + out_at + field - in_at + CHECKSUM_BYTES,
			   in->bytes + field + CHECKSUM_BYTES,
			   in->len - field - CHECKSUM_BYTES) == 0);
}

/* Cut, with everything done: IP and TCP are whole and say so. tcp: where it starts. */
static void check_piece(const struct whole *out, uint32_t ip, uint32_t tcp, bool is_ipv4)
{
	const uint8_t *at = out->bytes + ip;
	uint32_t tcp_bytes = out->len - tcp;
	uint32_t sum = 6 + tcp_bytes;

	frame_check(tcp + 20 <= out->len);
	if (is_ipv4) {
		frame_check(at[0] >> 4 == 4 && ip + (at[0] & 15u) * 4 == tcp);
		frame_check(read16(at + 2) == out->len - ip);
		frame_check(sum_of(0, at, tcp - ip) == 0xffff);
		sum += sum_of(0, at + 12, 8);
	} else {
		frame_check(at[0] >> 4 == 6 && read16(at + 4) == out->len - ip - 40);
		sum += sum_of(0, at + 8, 32);
	}
	frame_check(sum_of(sum, out->bytes + tcp, tcp_bytes) == 0xffff);
}

/* Behind all tags. */
static uint32_t find_ip(const struct whole *out)
{
	uint32_t at = MACS_BYTES + 2;

	for (unsigned int i = 0; i < 3 && is_tag(out->bytes + at - MACS_BYTES - 2, out->len - at);
	     i++)
		at += TAG_BYTES;
	return at;
}

void frame_check_out(const struct frame *out, const struct frame_manner *from,
		     const struct frame_manner *to, const struct frame_in *only)
{
	static struct whole whole;
	bool is_stripped = false;

	gather(out, &whole);
	check_header(out, to->caps);
	frame_check(from->segment == 0 || to->segment == 0 || from->segment == to->segment);
	frame_check((whole.bytes[6] & 1) == 0);
	if (frame_is_guarded(from))
		frame_check(memcmp(whole.bytes + 6, from->mac, 6) == 0);
	if (to->segment != 0 && !to->takes_tags)
		frame_check(!is_tag(whole.bytes, whole.len));
	if (only == NULL)
		return;
	uint32_t segment = segment_of(only, from, &is_stripped);
	uint32_t in_at = MACS_BYTES + (is_stripped ? TAG_BYTES : 0);

	frame_check(to->segment == 0 || to->segment == segment);
	uint32_t out_at = MACS_BYTES + check_tag(&whole, segment, to);
	uint32_t tcp = le16toh(only->hdr.csum_start) + out_at - in_at;

	if (only->hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE)
		check_same(&whole, out_at, only, in_at,
			   (only->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 &&
				   out->vnet.hdr.flags == 0);
	else if (out->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		check_same(&whole, out_at, only, in_at, false);
	else if (out->vnet.hdr.flags == 0)
		check_piece(&whole, find_ip(&whole), tcp,
			    (only->hdr.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) ==
				    VIRTIO_NET_HDR_GSO_TCPV4);
}
