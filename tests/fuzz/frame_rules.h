/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What may leave a port, for frame_fuzz.c: written anew from the standards and the documents, not
 * by the code under test.
 */
#pragma once

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/frame.h"

/* How a port is set up. */
struct frame_manner {
	uint32_t segment;  /* of an access port; 0: a trunk */
	unsigned int caps; /* enum offload_cap */
	bool takes_tags;
	uint8_t mac[6]; /* of a guarded port */
};

/* A frame as its sender made it. */
struct frame_in {
	uint8_t *bytes;
	uint32_t len;
	bool is_in_pieces;
	struct virtio_net_hdr hdr;
};

void frame_check(bool is_true); /* or abort */
bool frame_is_guarded(const struct frame_manner *manner);

/* A frame that leaves through `to`. only: the one that it was made of; NULL: one of several. */
void frame_check_out(const struct frame *out, const struct frame_manner *from,
		     const struct frame_manner *to, const struct frame_in *only);
