/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of the virtio-net header. Worker threads. */
#include "dataplane/offload.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <string.h>

#define TCP_HEADER_MIN 20
#define TCP_CHECKSUM_OFFSET 16
#define SEGMENT_BYTES_MIN 48 /* Linux: tcp_min_snd_mss */

static bool check_checksum(const struct frame *frame, const struct virtio_net_hdr *hdr)
{
	uint32_t start = le16toh(hdr->csum_start);
	uint32_t offset = le16toh(hdr->csum_offset);

	return start >= ETH_HLEN && start + offset + 2 <= frame->len;
}

/* Is the frame what its header says? What stands behind a tag is for others to judge. */
static bool is_of_type(const struct frame *frame, unsigned int type)
{
	uint16_t ethertype;

	memcpy(&ethertype, frame->head + 2 * ETH_ALEN, sizeof(ethertype));
	ethertype = be16toh(ethertype);
	if (ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD)
		return true;
	return ethertype == (type == VIRTIO_NET_HDR_GSO_TCPV4 ? ETH_P_IP : ETH_P_IPV6);
}

static bool check_segments(const struct frame *frame, struct virtio_net_hdr *hdr, unsigned int caps)
{
	unsigned int type = OFFLOAD_GSO_TYPE(&frame->vnet);
	unsigned int need = type == VIRTIO_NET_HDR_GSO_TCPV4 ? OFFLOAD_TSO4 : OFFLOAD_TSO6;
	uint32_t headers = (uint32_t)le16toh(hdr->csum_start) + TCP_HEADER_MIN;

	if (type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6)
		return false;	/* UFO and whatever comes later: never offered */
	if ((hdr->gso_type & VIRTIO_NET_HDR_GSO_ECN) != 0)
		need |= OFFLOAD_ECN;
	if ((need & ~caps) != 0)
		return false;
	/* Segments carry a TCP checksum that the receiver computes: without it they make no
	 * sense. */
	if ((hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0 ||
	    le16toh(hdr->csum_offset) != TCP_CHECKSUM_OFFSET || headers > frame->len)
		return false;
	/* That of a frame in a tunnel is looked at when the outer headers are off it. */
	if ((caps & OFFLOAD_TUNNEL) == 0 && !is_of_type(frame, type))
		return false;
	/* Receivers cut these frames, in their kernels or weft for them: not into more pieces than
	 * a sane sender makes, and 0xffff is Linux's GSO_BY_FRAGS, never a size. */
	if (le16toh(hdr->gso_size) < SEGMENT_BYTES_MIN || le16toh(hdr->gso_size) == UINT16_MAX)
		return false;
	/* A hint by which receivers size a copy: ours, not the sender's. */
	hdr->hdr_len = htole16((uint16_t)headers);
	return true;
}

bool offload_shift(struct frame *frame, int bytes)
{
	struct virtio_net_hdr *hdr = &frame->vnet.hdr;

	if (hdr->flags == 0)
		return true;
	hdr->csum_start = htole16((uint16_t)(le16toh(hdr->csum_start) + bytes));
	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return check_checksum(frame, hdr);
	hdr->hdr_len = htole16((uint16_t)(le16toh(hdr->hdr_len) + bytes));
	return check_checksum(frame, hdr) && is_of_type(frame, OFFLOAD_GSO_TYPE(&frame->vnet));
}

bool offload_check(struct frame *frame, unsigned int caps)
{
	struct virtio_net_hdr *hdr = &frame->vnet.hdr;

	frame->vnet.num_buffers = htole16(1);
	/* DATA_VALID is the receiver's business to decide: a guest cannot vouch for its own
	 * frames. */
	hdr->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
	if (hdr->flags != 0 && ((caps & OFFLOAD_CSUM) == 0 || !check_checksum(frame, hdr)))
		return false;
	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return check_segments(frame, hdr, caps);
	hdr->gso_size = 0;
	hdr->hdr_len = 0;
	if (hdr->flags == 0) {
		hdr->csum_start = 0;
		hdr->csum_offset = 0;
	}
	return true;
}
