/* SPDX-License-Identifier: BSD-3-Clause */
/* See probe.h. Worker threads. */
#include "dataplane/probe.h"

#include <linux/if_ether.h>
#include <string.h>

#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/port.h"
#include "dataplane/port_peer.h"

bool probe_read(const struct frame *frame, const struct vxlan_outer *outer, struct port *peer,
		uint64_t now_ns, struct probe *probe)
{
	uint32_t head_bytes = frame->head_len > outer->inner_offset
				      ? (uint32_t)frame->head_len - outer->inner_offset
				      : 0;
	uint32_t n = head_bytes < outer->inner_bytes ? head_bytes : outer->inner_bytes;

	/* Other ports would make of a forged question a packet to a service of the peer. */
	if (outer->vni != VXLAN_PROBE_VNI || outer->src_port < VXLAN_PROBE_PORT_MIN ||
	    !vxlan_probe_read(frame->head + outer->inner_offset, n, &probe->answer) ||
	    probe->answer.is_answer ||
	    port_state_blocks(atomic_load_explicit(&peer->state, memory_order_relaxed)) ||
	    !rate_take(&peer->answers, now_ns))
		return false;
	probe->peer = peer;
	probe->answer.is_answer = true;
	probe->answer.src_port = outer->src_port;
	probe->answer.ttl = outer->ttl;
	probe->answer.has_checksum = outer->has_checksum;
	probe->answer.packet_bytes = outer->inner_offset + outer->inner_bytes - ETH_HLEN;
	return true;
}

void probe_answer(const struct dataplane *dp, const struct probe *probes, unsigned int n,
		  unsigned int worker)
{
	struct frame frame;

	memset(&frame, 0, offsetof(struct frame, head));
	frame.len = frame.head_len = VXLAN_PROBE_BYTES;
	for (unsigned int i = 0; i < n; i++) {
		struct port *peer = probes[i].peer;
		struct counters_block *count = counters_block(dp->counters, peer->slot, worker);

		vxlan_probe_write(&probes[i].answer, frame.head);
		count->generated++;
		port_peer_answer(peer, &frame, probes[i].answer.src_port, count);
	}
}
