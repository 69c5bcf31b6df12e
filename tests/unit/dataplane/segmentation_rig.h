/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP frames of any shape, and a port that keeps what segmentation.c sends it. For unit tests. */
#pragma once

#include "dataplane/api/counters.h"
#include "dataplane/port.h"
#include "dataplane/segmentation.h"

#define SEGMENTATION_RIG_OUT_MAX 4096

struct sent {
	struct virtio_net_hdr_mrg_rxbuf vnet;
	uint32_t len;
	uint8_t *bytes;
};

struct segmentation_rig {
	struct port port;
	struct segmentation *scratch;
	struct burst *burst;
	struct counters_block count;
	struct sent out[SEGMENTATION_RIG_OUT_MAX];
	unsigned int n_out, n_tx;
	uint8_t *sent[BURST_FRAMES]; /* what the burst's frames are made of */
	bool scribble;		     /* the sender overwrites its buffers at the first tx */
	bool is_wanted;		     /* the receiver wants attention */
};

/* Bytes of options and payload, size of segments. */
struct tcp_shape {
	const char *what;
	bool is_ipv6;
	unsigned int n_tags, ip_options, tcp_options, payload, mss;
	uint8_t tcp_flags;
};

struct segmentation_rig *segmentation_rig_create(void);
void segmentation_rig_destroy(struct segmentation_rig *rig);

/* Frees what was sent and what came, for the next frame of the same test. */
void segmentation_rig_forget(struct segmentation_rig *rig);

/* The next frame of the burst: private head, and a body in three pieces. */
struct frame *segmentation_rig_add(struct segmentation_rig *rig, const uint8_t *bytes,
				   uint32_t len);
void segmentation_rig_open(struct frame *frame, unsigned int start, unsigned int offset);
struct frame *segmentation_rig_add_tcp(struct segmentation_rig *rig, const struct tcp_shape *shape);

/* Sends the burst to a receiver with these capabilities; asserts that every frame is accounted
 * for. */
void segmentation_rig_transmit(struct segmentation_rig *rig, unsigned int caps);

static inline void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline unsigned int get16(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

static inline unsigned int ip_at(const struct tcp_shape *shape)
{
	return 14 + 4 * shape->n_tags;
}

static inline unsigned int tcp_at(const struct tcp_shape *shape)
{
	return ip_at(shape) + (shape->is_ipv6 ? 40 : 20) + shape->ip_options;
}

static inline unsigned int payload_at(const struct tcp_shape *shape)
{
	return tcp_at(shape) + 20 + shape->tcp_options;
}
