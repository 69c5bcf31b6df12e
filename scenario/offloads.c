/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtio-net headers for scenarios. */
#include "scenario/offloads.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "dataplane/offload.h"

#define TCP_CWR 0x80

static void describe_tcp(struct frame *frame, uint32_t tcp, bool is_ipv4, uint16_t segment_bytes)
{
	uint32_t payload = tcp + (frame->head[tcp + 12] >> 4) * 4u;

	frame->vnet.hdr.csum_offset = htole16(16);
	if (frame->len <= payload + segment_bytes)
		return;
	frame->vnet.hdr.gso_type = is_ipv4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	if ((frame->head[tcp + 13] & TCP_CWR) != 0)
		frame->vnet.hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	frame->vnet.hdr.gso_size = htole16(segment_bytes);
}

void offloads_describe(struct frame *frame, uint16_t segment_bytes)
{
	const uint8_t *ip = frame->head + ETH_HLEN;
	bool is_ipv4 = frame->head[12] == 0x08 && frame->head[13] == 0x00;
	bool is_ipv6 = frame->head[12] == 0x86 && frame->head[13] == 0xdd;
	uint8_t protocol = is_ipv4 ? ip[9] : is_ipv6 ? ip[6] : 0;
	uint16_t l4 = is_ipv4 ? ETH_HLEN + 20 : ETH_HLEN + 40;

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return;
	frame->vnet.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	frame->vnet.hdr.csum_start = htole16(l4);
	frame->vnet.hdr.csum_offset = htole16(6);
	if (protocol == IPPROTO_TCP)
		describe_tcp(frame, l4, is_ipv4, segment_bytes);
	if (!offload_check(frame, OFFLOAD_ALL))
		frame->drop = DROP_BAD_OFFLOAD;
}
