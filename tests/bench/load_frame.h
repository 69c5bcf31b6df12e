/* SPDX-License-Identifier: BSD-3-Clause */
/* What the frames of a load look like. Any thread. */
#pragma once

#include <stdint.h>

#define LOAD_BROADCAST UINT32_MAX

struct load_look {
	unsigned int from;     /* port, part of its addresses */
	unsigned int to;       /* or LOAD_BROADCAST */
	unsigned int n_macs;   /* from as many addresses, in turn */
	unsigned int n_to;     /* to as many */
	unsigned int n_flows;  /* UDP source ports; 0: no IP */
	const uint16_t *sizes; /* of n_sizes frames in a row, which have the same addresses */
	unsigned int n_sizes;
};

/* IMIX: of twelve frames seven have 60 bytes, four 590, one 1514. */
#define LOAD_IMIX_FRAMES 12
extern const uint16_t load_imix[LOAD_IMIX_FRAMES];

void load_frame_build(const struct load_look *look, unsigned int i, unsigned char *frame);

/* Behind the headers that a frame has. */
void load_frame_mark(unsigned char *frame, uint32_t sequence, uint64_t sent_ns);
void load_frame_read(const unsigned char *frame, uint32_t *sequence, uint64_t *sent_ns);
