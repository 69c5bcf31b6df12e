/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port of weft-shape: a front-end whose frames are prebuilt, one descriptor each, numbered and
 * stamped as they go out. Owned by one thread.
 *
 * Frames are UDP, with a mark behind the header, or large TCP frames, whose sequence number says
 * which bytes they are: those may come whole or cut. The source's address says which port it was.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/frontend.h"

#define SHAPE_NOBODY UINT32_MAX	  /* no port of ours */
#define SHAPE_EVERYBODY 0xffffffU /* to the broadcast address */
#define SHAPE_SEGMENT_BYTES 1460u /* payload of a cut TCP frame */
#define SHAPE_TSO_BYTES (54u + 44u * SHAPE_SEGMENT_BYTES)

enum shape_load {
	SHAPE_FIXED,
	SHAPE_IMIX, /* of twelve frames seven have 60 bytes, four 590, one 1514 */
	SHAPE_TSO,
};

struct shape_port_config {
	const char *path;
	uint32_t index; /* in its address */
	uint32_t peer;	/* index of whom it sends to, or SHAPE_EVERYBODY */
	enum shape_load load;
	unsigned int n_bytes;  /* of a fixed frame, without FCS */
	unsigned int rx_bytes; /* of the largest frame that may come */
	unsigned int ring_size;
};

struct shape_port {
	struct shape_port_config config;
	struct frontend *frontend;
	unsigned char *frames; /* of each transmit descriptor; its header before it */
	uint64_t frame_stride;
	unsigned char *buffers; /* of each receive descriptor */
	uint64_t buffer_stride;
	uint64_t n_sent;
	uint32_t sequence; /* of the next frame, or byte */
	uint64_t n_bad;	   /* used entries and headers that cannot be */
};

/* What came in one frame. */
struct shape_arrival {
	uint32_t source;   /* index, or SHAPE_NOBODY */
	uint32_t sequence; /* of the frame, or its first byte */
	uint32_t length;   /* numbers that it covers: 1, or bytes */
	uint32_t n_bytes;  /* of the frame; of a large one, of what it would be cut to */
	uint64_t sent_ns;  /* 0: unknown */
};

/* Writes such a frame, of n_bytes that are zero, to the config's peer; and, of a large one, its
 * header. */
void shape_frame_build(const struct shape_port_config *config, unsigned int n_bytes,
		       unsigned char *frame, struct virtio_net_hdr *header);

/* 0 or -errno, then a line in why (FRONTEND_WHY_BYTES). */
int shape_port_open(struct shape_port *port, const struct shape_port_config *config, char *why);
void shape_port_close(struct shape_port *port);

/* Sends up to n frames: how many the ring took. */
unsigned int shape_port_send(struct shape_port *port, unsigned int n, uint64_t now_ns);
unsigned int shape_port_in_flight(const struct shape_port *port);

/* Takes up to n frames and posts their buffers again: how many. */
unsigned int shape_port_receive(struct shape_port *port, unsigned int n,
				void (*note)(void *ctx, const struct shape_arrival *arrival),
				void *ctx);
