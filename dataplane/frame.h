/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame on its way through the switch, and the burst that it travels in. Worker threads only.
 *
 * A frame is not a packet buffer. Its first bytes are copied once, when a port takes it, into
 * private memory (`head`): every decision is made on that copy, and that copy is what receivers
 * get, so a guest that rewrites its buffer meanwhile changes nothing that was checked. The rest
 * (`iov`) stays where it is, in guest memory or in the burst's arena, until the receiving port
 * copies it to its destination: from guest to guest that is one copy. Only ports open `iov`.
 *
 *      struct frame, 192 bytes, three cache lines
 *      +---------------------+---------------+--------------------------+
 *      | what stages decide  | virtio-net    | head: the first 128      |
 *      | (52 bytes)          | header (12)   | bytes of the frame       |
 *      +---------------------+---------------+--------------------------+
 *      0                     52              64                       192
 *
 * The virtio-net header sits right before the head, because receivers (guests, taps) want the two
 * in a row. It has been checked against the frame by offload_check() (offload.h): sizes and
 * offsets can be trusted, `num_buffers` is 1.
 *
 * A burst lives from a port's rx to its rx_done: when rx_done has run, nobody refers to it.
 */
#pragma once

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "dataplane/api/drop_reasons.h"

#define FRAME_HEAD_BYTES 128
#define FRAME_PIECES_MAX 64		/* descriptors of one chain that we follow */
#define FRAME_IOV_MAX (FRAME_PIECES_MAX + 1)	/* of a body: a tag may push one out of the head */
#define FRAME_BYTES_MAX (65535 + 64)	/* 64 KiB of IP and the headers in front of it */
#define BURST_FRAMES 64
/* Enough that a burst always has room for one more frame of the largest kind. */
#define BURST_PIECES (BURST_FRAMES * 20 + FRAME_PIECES_MAX)
#define BURST_ARENA_BYTES (1024 * 1024)

/* Where forward sends a frame: a port's index, or one of these. */
enum frame_out {
	FRAME_OUT_DROP = 0,	/* no port has index 0 */
	FRAME_OUT_FLOOD = 0xffff,
};

/* What of a burst answer.c has to look at; all but the last are settings of its segments. */
enum frame_service {
	FRAME_MSS = 1,		/* TCP's segment size is lowered to what fits */
	FRAME_NEIGH = 2,	/* neighbours that are known are answered for */
	FRAME_TOO_BIG = 4,	/* some frame was too big */
};

struct recorder;

/* Whose frame it is, while a replay asks what becomes of its frames (fates.h). All zero in any
 * other: who makes a frame leaves it alone, who copies one copies it, who has set it takes it
 * back. */
struct frame_mark {
	uint16_t replay;		/* tag of the replay; 0: of none */
	uint32_t number;		/* from 0, the lower 32 bits */
	uint64_t in_ns;			/* when it entered its port */
} __attribute__((packed));

struct frame {
	const struct iovec *iov;	/* the bytes after the head, in `n_iov` pieces */
	uint64_t src_key, dst_key;	/* segment and MAC, as the FDB wants them (fdb.h) */
	uint32_t len;			/* layer-2 bytes, all of them */
	uint16_t head_len;		/* bytes in `head`: the headers, or all of a short frame */
	uint16_t n_iov;
	uint16_t segment;		/* index; 0: none. From classify on, or once dropped */
	uint16_t out;			/* enum frame_out or a port's index */
	uint8_t drop;			/* enum drop_reason; DROP_NONE while it is alive */
	bool has_tag;			/* its payload begins with a VLAN tag; if burst.has_tags */
	struct frame_mark mark;
	struct virtio_net_hdr_mrg_rxbuf vnet;
	uint8_t head[FRAME_HEAD_BYTES];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct virtio_net_hdr_mrg_rxbuf) == 12, "virtio 1.x header");
_Static_assert(offsetof(struct frame, head) == 64, "layout of the drawing");
_Static_assert(offsetof(struct frame, vnet) == 52, "layout of the drawing");

struct burst {
	unsigned int n;			/* frames in use */
	unsigned int n_pieces;		/* of `pieces` in use */
	unsigned int n_flooded;		/* live frames that look up has found no one port for */
	uint32_t now_s;			/* time of the turn, seconds of the caller's clock */
	uint64_t now_ns;		/* the same in nanoseconds */
	uint32_t bytes;			/* after look up: of all its frames */
	uint16_t n_large;		/* and how many of them are to be cut later */
	uint32_t stripped_bytes;	/* of tags that classify took off */
	bool has_tags;			/* after classify: some frame has has_tag */
	bool is_mixed;			/* after classify: perhaps of several segments */
	uint8_t services;		/* after classify: enum frame_service */
	bool attention;			/* a port found something that main has to look at */
	bool has_marks;			/* frames of a replay whose fates are kept */
	struct recorder *recorder;	/* of the worker whose burst this is; NULL: there is none */
	/* What a port that can hold its frames (port.h) may take for its channel: whole frames
	 * while there is something left. As a rule there is no budget: then nothing of this is
	 * looked at. */
	bool has_budget;
	bool counts_left;		/* n_left is more than whether there are any */
	int64_t budget_bytes;
	uint32_t budget_frames;
	uint32_t alone_bytes;		/* a large TCP frame longer than this comes alone */
	uint32_t n_left;		/* frames that were there beyond the budget, about */
	uint8_t *arena; /* BURST_ARENA_BYTES for ports that must read into something */
	struct frame frames[BURST_FRAMES];
	struct iovec pieces[BURST_PIECES];
};

/* Copies n <= 160 bytes, as heads of frames are, in pieces of 16 that overlap, without a call:
 * straight through up to 64, as most are, then with one branch for each 32 more. Never touches a
 * byte beyond n on either side, so nothing of a neighbour's frame leaks. */
static inline void frame_copy(uint8_t *to, const uint8_t *from, size_t n)
{
	if (__builtin_expect(n < 32, 0)) {
		for (size_t i = 0; i < n; i++)
			to[i] = from[i];
		return;
	}
	memcpy(to, from, 16);
	memcpy(to + 16, from + 16, 16);
	if (__builtin_expect(n > 64, 0)) {
		for (size_t i = 32; i + 32 < n; i += 32) {
			memcpy(to + i, from + i, 16);
			memcpy(to + i + 16, from + i + 16, 16);
		}
	}
	memcpy(to + n - 32, from + n - 32, 16);
	memcpy(to + n - 16, from + n - 16, 16);
}
