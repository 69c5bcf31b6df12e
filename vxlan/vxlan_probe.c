/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes as they lie in a frame. Pure; any thread. */
#include "vxlan/vxlan_probe.h"

#include <string.h>

#include "vxlan/vxlan_bytes.h"

#define MAGIC 0x77656674u /* "weft" */
#define VERSION 1
#define QUESTION 1
#define ANSWER 2
#define FLAG_CHECKSUM 1

/* Offsets. */
#define KIND_AT (ETH_HLEN + 5)
#define TOKEN_AT (ETH_HLEN + 8)
#define SEQUENCE_AT (ETH_HLEN + 16)
#define SEEN_AT (ETH_HLEN + 20)

/* "IEEE Std 802 - Local Experimental Ethertype 2" (IEEE 802-2014, section 9.2.4), between addresses
 * that are locally administered. Then magic and version. */
static const uint8_t start[KIND_AT] = {0x02,
				       'w',
				       'e',
				       'f',
				       't',
				       2,
				       0x02,
				       'w',
				       'e',
				       'f',
				       't',
				       1,
				       0x88,
				       0xb6,
				       MAGIC >> 24,
				       (MAGIC >> 16) & 0xff,
				       (MAGIC >> 8) & 0xff,
				       MAGIC & 0xff,
				       VERSION};

static void store_be32(uint8_t *bytes, uint32_t value)
{
	vxlan_store_be16(bytes, value >> 16);
	vxlan_store_be16(bytes + 2, value);
}

static uint32_t load_be32(const uint8_t *bytes)
{
	return (uint32_t)vxlan_load_be16(bytes) << 16 | vxlan_load_be16(bytes + 2);
}

void vxlan_probe_write(const struct vxlan_probe *probe, uint8_t out[VXLAN_PROBE_BYTES])
{
	memset(out, 0, VXLAN_PROBE_BYTES);
	memcpy(out, start, sizeof(start));
	out[KIND_AT] = probe->is_answer ? ANSWER : QUESTION;
	store_be32(out + TOKEN_AT, (uint32_t)(probe->token >> 32));
	store_be32(out + TOKEN_AT + 4, (uint32_t)probe->token);
	store_be32(out + SEQUENCE_AT, probe->sequence);
	if (!probe->is_answer)
		return;
	vxlan_store_be16(out + SEEN_AT, probe->src_port);
	out[SEEN_AT + 2] = probe->ttl;
	out[SEEN_AT + 3] = probe->has_checksum ? FLAG_CHECKSUM : 0;
	store_be32(out + SEEN_AT + 4, probe->packet_bytes);
}

bool vxlan_probe_read(const uint8_t *bytes, uint32_t n, struct vxlan_probe *probe)
{
	if (n < VXLAN_PROBE_BYTES || memcmp(bytes, start, sizeof(start)) != 0 ||
	    (bytes[KIND_AT] != QUESTION && bytes[KIND_AT] != ANSWER))
		return false;
	*probe = (struct vxlan_probe){
		.is_answer = bytes[KIND_AT] == ANSWER,
		.token = (uint64_t)load_be32(bytes + TOKEN_AT) << 32 |
			 load_be32(bytes + TOKEN_AT + 4),
		.sequence = load_be32(bytes + SEQUENCE_AT),
		.src_port = vxlan_load_be16(bytes + SEEN_AT),
		.ttl = bytes[SEEN_AT + 2],
		.has_checksum = (bytes[SEEN_AT + 3] & FLAG_CHECKSUM) != 0,
		.packet_bytes = load_be32(bytes + SEEN_AT + 4),
	};
	return true;
}
