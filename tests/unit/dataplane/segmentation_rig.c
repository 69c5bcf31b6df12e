/* SPDX-License-Identifier: BSD-3-Clause */
/* See segmentation_rig.h. */
#include "tests/unit/dataplane/segmentation_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <endian.h>

#include "dataplane/offload.h"

/* --- a port that keeps what it gets --- */

static void keep(struct segmentation_rig *rig, const struct frame *frame)
{
	struct sent *out = &rig->out[rig->n_out++];
	uint32_t at = frame->head_len;

	assert_true(rig->n_out <= SEGMENTATION_RIG_OUT_MAX);
	assert_int_equal(frame->head_len,
			 frame->len < FRAME_HEAD_BYTES ? frame->len : FRAME_HEAD_BYTES);
	out->vnet = frame->vnet;
	out->len = frame->len;
	out->bytes = malloc(frame->len);
	assert_non_null(out->bytes);
	memcpy(out->bytes, frame->head, frame->head_len);
	for (unsigned int i = 0; i < frame->n_iov; i++) {
		assert_true(frame->iov[i].iov_len != 0);
		memcpy(out->bytes + at, frame->iov[i].iov_base, frame->iov[i].iov_len);
		at += (uint32_t)frame->iov[i].iov_len;
	}
	assert_int_equal(at, frame->len);
}

static void rig_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		   struct counters_block *count)
{
	struct segmentation_rig *rig = port->impl;

	rig->n_tx++;
	for (unsigned int i = 0; i < n; i++)
		keep(rig, &burst->frames[order[i]]);
	count->tx_frames += n;
	for (unsigned int i = 0; rig->scribble && i < rig->burst->n; i++)
		memset(rig->sent[i], 0xee, rig->burst->frames[i].len);
	burst->attention = rig->is_wanted;
}

static const struct port_type rig_type = {.tx = rig_tx};

struct segmentation_rig *segmentation_rig_create(void)
{
	struct segmentation_rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->scratch = aligned_alloc(64, (sizeof(*rig->scratch) + 63) / 64 * 64);
	rig->burst = aligned_alloc(64, (sizeof(*rig->burst) + 63) / 64 * 64);
	assert_true(rig->scratch != NULL && rig->burst != NULL);
	memset(rig->scratch, 0, sizeof(*rig->scratch));
	memset(rig->burst, 0, sizeof(*rig->burst));
	rig->port.type = &rig_type;
	atomic_init(&rig->port.io, &rig_type);
	rig->port.impl = rig;
	return rig;
}

void segmentation_rig_forget(struct segmentation_rig *rig)
{
	for (unsigned int i = 0; i < rig->n_out; i++)
		free(rig->out[i].bytes);
	for (unsigned int i = 0; i < rig->burst->n; i++)
		free(rig->sent[i]);
	rig->n_out = rig->n_tx = 0;
	rig->burst->n = rig->burst->n_pieces = 0;
	memset(&rig->count, 0, sizeof(rig->count));
}

void segmentation_rig_destroy(struct segmentation_rig *rig)
{
	segmentation_rig_forget(rig);
	free(rig->scratch);
	free(rig->burst);
	free(rig);
}

void segmentation_rig_transmit(struct segmentation_rig *rig, unsigned int caps)
{
	uint8_t order[BURST_FRAMES];
	uint64_t drops = 0;

	for (unsigned int i = 0; i < rig->burst->n; i++)
		order[i] = (uint8_t)i;
	atomic_store(&rig->port.offload_caps, caps);
	segmentation_transmit(rig->scratch, &rig->port, rig->burst, order, rig->burst->n,
			      &rig->count);
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		drops += rig->count.drops[i];
	assert_int_equal(rig->count.tx_frames, rig->n_out);
	assert_int_equal(rig->burst->n + rig->count.segments, rig->n_out + drops);
	assert_int_equal(rig->scratch->out.n, 0);
}

/* --- what is sent --- */

static void write_ip(const struct tcp_shape *shape, uint8_t *ip)
{
	if (shape->is_ipv6) {
		ip[0] = 0x60;
		ip[6] = shape->ip_options != 0 ? 0 : 6; /* hop-by-hop options, or TCP */
		ip[7] = 64;
		memcpy(ip + 8, "\xfd\1aaaaaaaaaaaaaa\xfd\1bbbbbbbbbbbbbb", 32);
		if (shape->ip_options != 0) {
			ip[40] = 6;
			ip[41] = (uint8_t)(shape->ip_options / 8 - 1);
		}
		return;
	}
	ip[0] = (uint8_t)(0x45 + shape->ip_options / 4);
	put16(ip + 4, 0xfffe); /* wraps at the third piece */
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = 6;
	memcpy(ip + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
	memset(ip + 20, 1, shape->ip_options);
}

/* Adds the frame to the burst: private head, and a body in three pieces. */
struct frame *segmentation_rig_add(struct segmentation_rig *rig, const uint8_t *bytes, uint32_t len)
{
	struct burst *burst = rig->burst;
	struct frame *frame = &burst->frames[burst->n];
	uint8_t *copy = malloc(len);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	rig->sent[burst->n++] = copy;
	*frame = (struct frame){.len = len, .vnet = {.num_buffers = htole16(1)}};
	frame->head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	memcpy(frame->head, bytes, frame->head_len);
	frame->iov = &burst->pieces[burst->n_pieces];
	for (uint32_t at = frame->head_len, n; at < len; at += n) {
		n = frame->n_iov < 2 && len - at > 7 ? 7 : len - at;
		burst->pieces[burst->n_pieces++] =
			(struct iovec){.iov_base = copy + at, .iov_len = n};
		frame->n_iov++;
	}
	return frame;
}

void segmentation_rig_open(struct frame *frame, unsigned int start, unsigned int offset)
{
	frame->vnet.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	frame->vnet.hdr.csum_start = htole16((uint16_t)start);
	frame->vnet.hdr.csum_offset = htole16((uint16_t)offset);
}

struct frame *segmentation_rig_add_tcp(struct segmentation_rig *rig, const struct tcp_shape *shape)
{
	static uint8_t bytes[FRAME_BYTES_MAX];
	unsigned int tcp = tcp_at(shape), len = payload_at(shape) + shape->payload;

	assert_true(len <= FRAME_BYTES_MAX);
	memset(bytes, 0, payload_at(shape));
	memcpy(bytes, "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
	for (unsigned int i = 0; i < shape->n_tags; i++) {
		put16(bytes + 12 + 4 * i, i + 1 < shape->n_tags ? 0x88a8 : 0x8100);
		put16(bytes + 14 + 4 * i, 10 + i);
	}
	put16(bytes + ip_at(shape) - 2, shape->is_ipv6 ? 0x86dd : 0x0800);
	write_ip(shape, bytes + ip_at(shape));
	put16(bytes + tcp, 1234);
	put16(bytes + tcp + 2, 5678);
	memcpy(bytes + tcp + 4, "\xff\xff\xff\0\0\0\0\7", 8); /* the sequence number wraps */
	bytes[tcp + 12] = (uint8_t)((20 + shape->tcp_options) / 4 << 4);
	bytes[tcp + 13] = shape->tcp_flags;
	put16(bytes + tcp + 16, 0xdead); /* whatever the sender left there */
	memset(bytes + tcp + 20, 1, shape->tcp_options);
	for (unsigned int i = 0; i < shape->payload; i++)
		bytes[payload_at(shape) + i] = (uint8_t)(i * 7 + i / 251);
	struct frame *frame = segmentation_rig_add(rig, bytes, len);

	segmentation_rig_open(frame, tcp, 16);
	frame->vnet.hdr.gso_type =
		shape->is_ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	frame->vnet.hdr.gso_size = htole16((uint16_t)shape->mss);
	assert_true(offload_check(frame, OFFLOAD_ALL));
	return frame;
}
