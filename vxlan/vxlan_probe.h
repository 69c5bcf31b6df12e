/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probes: what hosts ask each other to find out what the way between them carries. A probe is VXLAN
 * like any other, so it takes the way that guests' frames take, but its VNI is 0, which no segment
 * has: whoever does not know probes drops it. The inner frame:
 *
 *     Ethernet 14, EtherType 0x88b6 | magic 4 | version 1 | kind 1 | 0 2 | token 8 | sequence 4
 *     | of an answer, what the question looked like: source port 2 | TTL 1 | flags 1 | length 4
 *     | of a question: padding to the length that is tried
 *
 * Numbers in network order. An answer is never longer than its question. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VXLAN_PROBE_VNI 0
#define VXLAN_PROBE_BYTES 42 /* of the inner frame, without padding */
/* Questions come from ports that tunnels use (vxlan_flow_port()), and answers go there. */
#define VXLAN_PROBE_PORT_MIN 49152

struct vxlan_probe {
	bool is_answer;
	uint64_t token; /* of whoever asks: its own answers, and no others */
	uint32_t sequence;
	/* Of an answer. */
	uint16_t src_port;     /* outer UDP */
	uint8_t ttl;	       /* outer; hop limit */
	bool has_checksum;     /* outer UDP; it was right */
	uint32_t packet_bytes; /* outer IP */
};

void vxlan_probe_write(const struct vxlan_probe *probe, uint8_t out[VXLAN_PROBE_BYTES]);

/* n: bytes of an inner frame, or of its beginning. false: it is no probe. */
bool vxlan_probe_read(const uint8_t *bytes, uint32_t n, struct vxlan_probe *probe);
