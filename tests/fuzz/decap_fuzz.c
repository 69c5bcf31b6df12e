/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: any bytes on the underlay, under any virtio-net header, through decap into a burst.
 * What comes out is as long as it says, lies in memory that came in, and was sent by the peer by
 * its VNI. Two bytes of the input choose how the frame lies in head and pieces, ten are the header.
 *
 *	input: head u8 | piece u8 | virtio-net header [10] | frame
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/decap.h"
#include "dataplane/overlay.h"
#include "dataplane/port_peer.h"
#include "dataplane/segment_set.h"

#define CONTROL_BYTES 12
#define PEER 3
#define SEGMENT 5
#define VNI 0x123456

/* The tables that decap asks; the configuration is not what is tested. */
struct overlay {
	struct overlay_underlay underlay;
};

const struct overlay_underlay *overlay_underlay(const struct overlay *overlay, uint16_t port)
{
	return &overlay->underlay;
}

uint16_t overlay_peer(const struct overlay *overlay, uint8_t ip_version, const uint8_t ip[16])
{
	return ip[0] == 10 ? PEER : 0;
}

uint16_t overlay_segment(const struct overlay *overlay, uint32_t vni)
{
	return vni == VNI ? SEGMENT : 0;
}

bool port_is_in(const struct port *port, uint16_t segment)
{
	return segment == SEGMENT;
}

static void check(int is_true)
{
	if (!is_true)
		abort();
}

/* Probes are read here, and answered elsewhere. */
void port_peer_answer(const struct port *port, const struct frame *frame, uint16_t udp_port,
		      struct counters_block *count)
{
	check(false);
}

struct counters_block *counters_block(const struct counters *counters, unsigned int slot,
				      unsigned int worker)
{
	return NULL;
}

/* Each piece in memory of exactly its size, so that a byte too far is seen. */
static void lay_out(struct burst *burst, const uint8_t *data, size_t bytes, size_t head,
		    size_t piece)
{
	struct frame *frame = &burst->frames[0];

	burst->n = 1;
	frame->drop = DROP_NONE;
	frame->len = (uint32_t)bytes;
	frame->head_len = (uint16_t)(bytes < head ? bytes : head);
	frame->iov = burst->pieces;
	frame->n_iov = 0;
	memcpy(frame->head, data, frame->head_len);
	for (size_t at = frame->head_len; at < bytes; at += piece) {
		size_t n = bytes - at < piece ? bytes - at : piece;
		uint8_t *copy = malloc(n);

		check(copy != NULL && frame->n_iov < FRAME_PIECES_MAX);
		memcpy(copy, data + at, n);
		burst->pieces[frame->n_iov++] = (struct iovec){copy, n};
	}
}

static void check_frame(const struct frame *frame)
{
	size_t bytes = frame->head_len;

	check(frame->segment == SEGMENT && frame->len >= 14);
	check(frame->head_len == (frame->len < FRAME_HEAD_BYTES ? frame->len : FRAME_HEAD_BYTES));
	for (unsigned int i = 0; i < frame->n_iov; i++) {
		volatile uint8_t last =
			((uint8_t *)frame->iov[i].iov_base)[frame->iov[i].iov_len - 1];

		(void)last;
		bytes += frame->iov[i].iov_len;
	}
	check(bytes == frame->len);
	if (frame->drop == DROP_NONE && frame->vnet.hdr.flags != 0)
		check(frame->vnet.hdr.csum_start + frame->vnet.hdr.csum_offset + 2u <= frame->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct dataplane dp;
	static struct burst outer, inner;
	struct port peer = {.is_peer = true};
	struct overlay overlay = {.underlay = {.ip_version = 4, .rules = {.port = 4789}}};
	struct decap decap;

	if (bytes < CONTROL_BYTES + 1)
		return 0;
	size_t head = 1 + data[0] % FRAME_HEAD_BYTES, n = bytes - CONTROL_BYTES;
	size_t piece = 1 + n / 32 + data[1];

	memcpy(overlay.underlay.ip, (uint8_t[4]){10, 0, 0, 1}, 4);
	atomic_store(&dp.ports[PEER], &peer);
	memset(&outer.frames[0].vnet, 0, sizeof(outer.frames[0].vnet));
	memcpy(&outer.frames[0].vnet.hdr, data + 2, sizeof(outer.frames[0].vnet.hdr));
	lay_out(&outer, data + CONTROL_BYTES, n, head, piece);
	decap_burst(&dp, &overlay, &overlay.underlay, &outer, &decap);
	check(outer.frames[0].drop < DROP_COUNT);
	if (decap_take(&outer, &decap, &inner) != NULL) {
		check(outer.frames[0].drop == DROP_NONE && inner.n == 1);
		check_frame(&inner.frames[0]);
		check(decap_take(&outer, &decap, &inner) == NULL);
	} else {
		check(outer.frames[0].drop != DROP_NONE);
	}
	for (unsigned int i = 0; i < outer.frames[0].n_iov; i++)
		free(outer.pieces[i].iov_base);
	return 0;
}
