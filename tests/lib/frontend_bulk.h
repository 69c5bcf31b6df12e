/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast half of a front-end: frames prebuilt in guest memory, one descriptor each, no work per
 * frame but on the rings. Takes a queue pair over from an honest front-end created with manual_post
 * and enough extra_bytes (frontend_bulk_bytes); frontend_send, _post and _receive are not for that
 * pair any more. Owned by the front-end's thread.
 *
 * Frames may be more than descriptors (a thousand source addresses): each goes out in turn. With
 * `touch` the header's line is written before a frame is sent and read when one came, as a driver
 * does; without, only the rings move between the CPUs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/frontend.h"

struct frontend_bulk_load {
	unsigned int n_frames;
	unsigned int n_bytes;  /* of every frame, or the largest; of every receive buffer too */
	const uint16_t *sizes; /* NULL, or frame i has sizes[i % n_sizes] */
	unsigned int n_sizes;  /* divides n_frames */
	bool touch;
	void (*build)(void *ctx, unsigned int i, unsigned char *frame); /* writes frame i */
	/* NULL, or called with each frame before it goes out, and with each that came. For that
	 * there must be as many frames as descriptors, lest one on its way is written. */
	void (*sending)(void *ctx, unsigned char *frame);
	void (*arrived)(void *ctx, const unsigned char *frame, uint32_t n_bytes);
	void *ctx; /* of all three */
};

struct frontend_bulk {
	struct frontend_queue *rx;
	struct frontend_queue *tx;
	struct frontend_bulk_load load;
	bool mergeable;
	unsigned int header_bytes;
	unsigned int next_frame;
	unsigned int next_size; /* index */
	unsigned char *frames; /* each with its header before it */
	uint64_t frames_address;
	uint64_t frame_stride;
	unsigned char *buffers; /* receive buffers, by descriptor */
	uint64_t buffers_address;
	uint64_t buffer_stride;
	uint64_t n_sent;
	uint64_t n_received;
	uint64_t received_bytes; /* without header */
	uint64_t n_bad;		 /* used entries that cannot be, headers not of one buffer */
};

/* extra_bytes that a load needs. */
uint64_t frontend_bulk_bytes(unsigned int n_frames, unsigned int n_bytes, unsigned int ring_size);

/* 0, -EBUSY if the pair was in use, -ENOMEM. */
int frontend_bulk_init(struct frontend_bulk *bulk, struct frontend *frontend, unsigned int pair,
		       const struct frontend_bulk_load *load);

/* Sends up to n frames, drains and posts again up to n buffers: how many. Kicks when it must. */
unsigned int frontend_bulk_send(struct frontend_bulk *bulk, unsigned int n);
unsigned int frontend_bulk_receive(struct frontend_bulk *bulk, unsigned int n);

/* Frames sent that the back-end has not taken yet. */
unsigned int frontend_bulk_in_flight(const struct frontend_bulk *bulk);
