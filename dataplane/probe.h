/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probes of other hosts (vxlan_probe.h) are answered here, by whoever carries guests' frames, so
 * that an answer says that these would have come, too. A probe ends in decap as `answered` and
 * reaches no segment. Only a known peer is answered, PROBES_PER_S a second; the answer is no longer
 * than the question and goes to the port that it came from. Worker threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/frame.h"
#include "vxlan/vxlan_decap.h"
#include "vxlan/vxlan_probe.h"

#define PROBES_PER_S 2000 /* of one peer; all tests that its weftd runs at once send as many */
#define PROBES_BURST 256

struct dataplane;
struct port;

/* A question that is to be answered. */
struct probe {
	struct port *peer;
	struct vxlan_probe answer;
};

/* Is what came from the peer without a segment's VNI a question, and due? */
bool probe_read(const struct frame *frame, const struct vxlan_outer *outer, struct port *peer,
		uint64_t now_ns, struct probe *probe);

/* Sends the answers; they are counted at the peers, as generated. */
void probe_answer(const struct dataplane *dp, const struct probe *probes, unsigned int n,
		  unsigned int worker);
