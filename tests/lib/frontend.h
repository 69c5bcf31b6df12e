/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user front-end without a guest: what QEMU and a guest's driver do together, over memory
 * of its own. The honest load of the tests, and the vehicle of tests/lib/attack.h, which is why the
 * structures are open. One thread owns a front-end; different ones are independent.
 *
 * Every receive and send buffer is a slot, found by the head of its chain, slots spread over the
 * memory regions:
 *
 *     slot   | indirect table | gap | piece 0: header, bytes | gap | piece 1: bytes | ...
 *
 * so pieces never touch, and a back-end that takes one for the continuation of another is seen.
 */
#pragma once

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/frontend_memory.h"
#include "tests/lib/handshake.h"
#include "tests/lib/packed_ring.h"
#include "tests/lib/split_ring.h"
#include "tests/lib/vhu.h"

#define FRONTEND_PAIRS_MAX 8
#define FRONTEND_PIECES_MAX 62	  /* of one frame; with the header apart 63 descriptors */
#define FRONTEND_FRAME_MAX 65600u /* largest frame: 64 KiB and headers */
#define FRONTEND_WHY_BYTES 160

/* Virtio features by what they are for; a front-end takes those that are offered. */
#define FRONTEND_BIT(n) (1ULL << (n))
#define FRONTEND_BASIC                                                                             \
	(FRONTEND_BIT(VIRTIO_F_VERSION_1) | FRONTEND_BIT(VIRTIO_RING_F_EVENT_IDX) |                \
	 FRONTEND_BIT(VIRTIO_RING_F_INDIRECT_DESC) | FRONTEND_BIT(VHU_F_PROTOCOL_FEATURES))
#define FRONTEND_MERGEABLE FRONTEND_BIT(VIRTIO_NET_F_MRG_RXBUF)
#define FRONTEND_OFFLOADS                                                                          \
	(FRONTEND_BIT(VIRTIO_NET_F_CSUM) | FRONTEND_BIT(VIRTIO_NET_F_GUEST_CSUM) |                 \
	 FRONTEND_BIT(VIRTIO_NET_F_HOST_TSO4) | FRONTEND_BIT(VIRTIO_NET_F_HOST_TSO6) |             \
	 FRONTEND_BIT(VIRTIO_NET_F_GUEST_TSO4) | FRONTEND_BIT(VIRTIO_NET_F_GUEST_TSO6))
#define FRONTEND_ALL (FRONTEND_BASIC | FRONTEND_MERGEABLE | FRONTEND_OFFLOADS)

enum frontend_layout {
	FRONTEND_SPLIT,
	FRONTEND_PACKED, /* required, then */
};

/* How far frontend_create goes; an attack on an early step stops there. */
enum frontend_stage {
	FRONTEND_RUNNING = 0,
	FRONTEND_CONNECTED,  /* the socket is open, nothing was said */
	FRONTEND_NEGOTIATED, /* features and ownership */
	FRONTEND_SHARED,     /* memory too, no ring yet */
};

/* How a frame or a receive buffer is spread over descriptors. */
struct frontend_chain {
	unsigned int n_pieces; /* of its bytes; 0 means 1 */
	bool header_apart;     /* the virtio header in a descriptor of its own */
	bool indirect;	       /* all in a table, where INDIRECT_DESC is agreed */
};

/* Zero is a sensible value of every field but the path. */
struct frontend_config {
	const char *path;
	bool listen; /* the back-end connects to us */
	enum frontend_stage stage;
	enum frontend_layout layout;
	unsigned int n_pairs;	/* 0: 1 */
	unsigned int ring_size; /* 0: 256 */
	uint64_t features;	/* wanted; 0: FRONTEND_ALL */
	uint64_t required;	/* -ENOTSUP without these */
	unsigned int n_regions; /* 0: 1 */
	bool adjacent;		/* regions touch in guest-physical space */
	bool huge;
	bool unsealed;
	uint64_t memory_bytes;	      /* 0: what rings and slots need */
	uint64_t extra_bytes;	      /* more of it, for the caller to take */
	unsigned int frame_bytes_max; /* largest frame to send; 0: FRONTEND_FRAME_MAX */
	unsigned int rx_bytes; /* of a receive buffer without header; 0: what the features ask */
	struct frontend_chain rx_chain;
	bool manual_post;	 /* no buffer is posted but by frontend_post */
	unsigned int timeout_ms; /* for the connection, and for each step; 0: 5000 */
	char *why;		 /* FRONTEND_WHY_BYTES or NULL: gets one line on failure */
};

struct frontend_queue {
	bool is_packed;
	struct split_ring ring; /* one of the two */
	struct packed_ring packed;
	unsigned int index; /* of the virtqueue: 2 * pair, + 1 for transmit */
	int kick_fd;
	int call_fd;
	uint64_t n_kicks;
	unsigned int data_bytes_max; /* of a slot, without header */
	uint64_t slot_bytes;
	unsigned char *slots[VHU_REGIONS_MAX]; /* slot i: region i % n, place i / n */
};

struct frontend {
	struct frontend_config config;
	struct handshake handshake;
	struct frontend_memory memory;
	unsigned int header_bytes; /* 12, or 10 for a legacy device */
	unsigned int n_pairs;
	struct frontend_queue rx[FRONTEND_PAIRS_MAX];
	struct frontend_queue tx[FRONTEND_PAIRS_MAX];
	unsigned char *received; /* the frame that frontend_receive hands out */
};

struct frontend_frame {
	struct virtio_net_hdr header;
	const void *bytes;
	size_t n_bytes;
	struct frontend_chain chain;
};

struct frontend_received {
	struct virtio_net_hdr_mrg_rxbuf header;
	unsigned int n_buffers;
	const unsigned char *bytes; /* until the next call */
	size_t n_bytes;
};

/* 0 or -errno; see handshake_connect and handshake_negotiate for which. */
int frontend_create(const struct frontend_config *config, struct frontend **frontend);

/* Closes at once, as a killed QEMU would. NULL is legal. */
void frontend_destroy(struct frontend *frontend);

/* Connects again after the back-end has gone: same memory, rings go on behind what was used. */
int frontend_reconnect(struct frontend *frontend);

/* Puts one frame on the ring and kicks if the back-end wants it. 0, -EAGAIN without room,
 * -EMSGSIZE. frontend_flush waits until everything sent was taken: 0, -ETIMEDOUT, -ECONNRESET. */
int frontend_send(struct frontend *frontend, unsigned int pair, const struct frontend_frame *frame);
int frontend_flush(struct frontend *frontend, unsigned int pair, unsigned int timeout_ms);

/* Posts up to n free receive buffers; how many it did. */
unsigned int frontend_post(struct frontend *frontend, unsigned int pair, unsigned int n);

/* Waits for the next frame, assembled from all its buffers, which are posted again at once. 0,
 * -ETIMEDOUT, -ECONNRESET, -EPROTO if what the back-end wrote into the ring or header is wrong. */
int frontend_receive(struct frontend *frontend, unsigned int pair, unsigned int timeout_ms,
		     struct frontend_received *received);

/* Raw bytes and descriptors on the socket: half a message, a wrong size, too many descriptors. */
int frontend_send_raw(struct frontend *frontend, const void *bytes, size_t n_bytes, const int *fds,
		      unsigned int n_fds);

/* Waits until the back-end has closed the connection: 0, or -ETIMEDOUT. */
int frontend_wait_closed(struct frontend *frontend, unsigned int timeout_ms);

/* Start of a slot's piece area, and writing the kick descriptor whatever the ring says. */
unsigned char *frontend_slot(const struct frontend *frontend, const struct frontend_queue *queue,
			     unsigned int head);
void frontend_kick(struct frontend_queue *queue);
