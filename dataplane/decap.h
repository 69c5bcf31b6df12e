/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage: out of the tunnels, before classify. What comes in on an uplink with a VTEP is VXLAN from
 * a known peer with a VNI that this peer has, or has a drop reason. The rest goes on without outer
 * headers, in bursts of one peer each: from there on the path is the one of frames that the peer's
 * port was polled for. Frames of a peer keep their order. Nothing is decapsulated twice: what comes
 * out is only looked at as an inner frame. Worker threads.
 *
 * The virtio-net headers of such an uplink come as the kernel made them, unchecked: that is done
 * here, when the offsets mean the inner frame.
 */
#pragma once

#include <stdint.h>

#include "dataplane/frame.h"
#include "dataplane/probe.h"

struct dataplane;
struct overlay;
struct overlay_underlay;
struct port;

/* What the outer headers of a frame said. */
struct decap_note {
	struct port *peer;	/* NULL: refused, or taken already */
	uint32_t inner_bytes;
	uint16_t inner_offset;
	uint16_t segment;	/* index */
	uint8_t tos;
};

/* The frames of a burst that are still to be taken: notes[next ..]; and the probes in it. */
struct decap {
	unsigned int next;
	unsigned int n_probes;
	struct probe probes[BURST_FRAMES];
	struct decap_note notes[BURST_FRAMES];
};

/* Reads the outer headers of all frames. */
void decap_burst(const struct dataplane *dp, const struct overlay *overlay,
		 const struct overlay_underlay *underlay, struct burst *burst,
		 struct decap *decap);

/* Fills `to`, whose attention stays, with the inner frames of one peer; their bodies stay where
 * they are. Its port, or NULL when all have been taken. */
struct port *decap_take(const struct burst *burst, struct decap *decap, struct burst *to);
