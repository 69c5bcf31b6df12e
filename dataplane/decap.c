/* SPDX-License-Identifier: BSD-3-Clause */
/* Outer headers off, or the reason why not. Worker threads. */
#include "dataplane/decap.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/offload.h"
#include "dataplane/overlay.h"
#include "dataplane/segment_set.h"
#include "vxlan/vxlan.h"
#include "vxlan/vxlan_decap.h"
#include "vxlan/vxlan_ecn.h"
#include "vxlan/vxlan_inner.h"

/* clang-format off */
static const uint8_t reasons[VXLAN_DECAP_COUNT] = {
	[VXLAN_DECAP_NOT_IP] = DROP_TUNNEL_TARGET,
	[VXLAN_DECAP_TAGGED] = DROP_TUNNEL_TARGET,
	[VXLAN_DECAP_NOT_UDP] = DROP_TUNNEL_TARGET,
	[VXLAN_DECAP_WRONG_PORT] = DROP_TUNNEL_TARGET,
	[VXLAN_DECAP_FRAGMENT] = DROP_TUNNEL_FRAGMENT,
	[VXLAN_DECAP_EXTENSION] = DROP_TUNNEL_MALFORMED,
	[VXLAN_DECAP_TRUNCATED] = DROP_TUNNEL_MALFORMED,
	[VXLAN_DECAP_BAD_HEADER] = DROP_TUNNEL_MALFORMED,
	[VXLAN_DECAP_BAD_UDP_LENGTH] = DROP_TUNNEL_MALFORMED,
	[VXLAN_DECAP_NO_CHECKSUM] = DROP_TUNNEL_CHECKSUM,
	[VXLAN_DECAP_NO_VNI] = DROP_TUNNEL_MALFORMED,
	[VXLAN_DECAP_INNER_SHORT] = DROP_TUNNEL_MALFORMED,
};
/* clang-format on */

/* --- outer headers --- */

/* The kernel has checked the outer checksum, or whoever sent it here from this machine has left it
 * open: it is not wrong, there is none yet. */
static bool is_vouched_for(const struct frame *frame)
{
	return (frame->vnet.hdr.flags &
		(VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID)) != 0;
}

/* From where to where a frame went: nearly all of a burst have that in common, and it is looked up
 * once for those in a row. */
struct origin {
	uint8_t ip_version; /* 0: of none yet */
	uint8_t src_ip[16];
	uint32_t vni;
	uint16_t segment;  /* index; 0: none that the peer has */
	struct port *peer; /* NULL: unknown */
};

static inline bool is_from(const struct vxlan_outer *outer, const struct origin *origin)
{
	return outer->ip_version == origin->ip_version && outer->vni == origin->vni &&
	       memcmp(outer->src_ip, origin->src_ip, sizeof(outer->src_ip)) == 0;
}

static void find_origin(const struct dataplane *dp, const struct overlay *overlay,
			const struct vxlan_outer *outer, struct origin *origin)
{
	uint16_t index = overlay_peer(overlay, outer->ip_version, outer->src_ip);
	struct port *peer = atomic_load_explicit(&dp->ports[index], memory_order_acquire);
	uint16_t segment = overlay_segment(overlay, outer->vni);

	*origin = (struct origin){.ip_version = outer->ip_version, .vni = outer->vni};
	memcpy(origin->src_ip, outer->src_ip, sizeof(origin->src_ip));
	/* It may have gone since the overlay was made; nobody has index 0. */
	if (peer == NULL || !peer->is_peer)
		return;
	origin->peer = peer;
	origin->segment = segment != 0 && port_is_in(peer, segment) ? segment : 0;
}

static enum drop_reason read_outer(const struct dataplane *dp, const struct overlay *overlay,
				   const struct overlay_underlay *underlay,
				   const struct frame *frame, uint64_t now_ns,
				   struct origin *origin, struct decap *decap,
				   struct decap_note *note)
{
	struct probe *probe = NULL;
	struct vxlan_outer outer;
	enum vxlan_decap_reason reason =
		vxlan_decap(frame->head, frame->head_len, frame->len, &underlay->rules, &outer);

	if (reason != VXLAN_DECAP_OK)
		return (enum drop_reason)reasons[reason];
	if (outer.ip_version != underlay->ip_version ||
	    memcmp(outer.dst_ip, underlay->ip, sizeof(outer.dst_ip)) != 0)
		return DROP_TUNNEL_TARGET;
	if (!is_from(&outer, origin))
		find_origin(dp, overlay, &outer, origin);
	if (origin->peer == NULL)
		return DROP_TUNNEL_PEER;
	if (__builtin_expect(origin->segment == 0, 0)) {
		probe = &decap->probes[decap->n_probes];
		if (!probe_read(frame, &outer, origin->peer, now_ns, probe))
			return DROP_TUNNEL_VNI;
	}
	if (outer.has_checksum && !is_vouched_for(frame) &&
	    !vxlan_decap_is_intact(&outer, frame->head, frame->head_len, frame->iov, frame->n_iov))
		return DROP_TUNNEL_CHECKSUM;
	if (probe != NULL) {
		decap->n_probes++;
		return DROP_ANSWERED;
	}
	*note = (struct decap_note){.peer = origin->peer,
				    .inner_bytes = outer.inner_bytes,
				    .inner_offset = outer.inner_offset,
				    .segment = origin->segment,
				    .tos = outer.tos};
	return DROP_NONE;
}

void decap_burst(const struct dataplane *dp, const struct overlay *overlay,
		 const struct overlay_underlay *underlay, struct burst *burst, struct decap *decap)
{
	struct origin origin = {0};
	const struct decap_note *before = NULL;
	const uint8_t *head_before = NULL;

	decap->next = decap->n_probes = 0;
	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];
		struct decap_note *note = &decap->notes[i];
		uint32_t inner_bytes;

		if (before != NULL && frame->drop == DROP_NONE &&
		    vxlan_decap_again(frame->head, frame->head_len, frame->len, head_before,
				      &inner_bytes)) {
			*note = *before;
			note->inner_bytes = inner_bytes;
			continue;
		}
		note->peer = NULL;
		if (frame->drop == DROP_NONE)
			frame->drop = (uint8_t)read_outer(dp, overlay, underlay, frame,
							  burst->now_ns, &origin, decap, note);
		if (frame->drop != DROP_NONE)
			frame->segment = 0;
		if (note->peer != NULL && note->inner_offset == VXLAN_OVERHEAD_IPV4_BYTES) {
			before = note;
			head_before = frame->head;
		}
	}
}

/* --- inner frames --- */

/* The bytes of the outer frame from `skip` on become the head, as far as it goes, and the body. */
static void move_bytes(const struct frame *outer, uint32_t skip, struct frame *frame,
		       struct burst *to)
{
	uint32_t left = frame->len, n = outer->head_len > skip ? outer->head_len - skip : 0;

	frame->head_len = (uint16_t)(left < FRAME_HEAD_BYTES ? left : FRAME_HEAD_BYTES);
	frame->iov = &to->pieces[to->n_pieces];
	n = n < frame->head_len ? n : frame->head_len;
	frame_copy(frame->head, outer->head + skip, n);
	/* The head may end within the outer headers if IP options are long. */
	skip = outer->head_len > skip ? 0 : skip - outer->head_len;
	left -= n;
	for (unsigned int i = 0; left != 0 && i < outer->n_iov; i++) {
		const uint8_t *at = outer->iov[i].iov_base;
		size_t bytes = outer->iov[i].iov_len, part = bytes < skip ? bytes : skip;

		at += part;
		bytes -= part;
		skip -= (uint32_t)part;
		bytes = bytes < left ? bytes : left;
		left -= (uint32_t)bytes;
		part = frame->head_len - n;
		part = bytes < part ? bytes : part;
		memcpy(frame->head + n, at, part);
		n += (uint32_t)part;
		if (bytes == part)
			continue;
		to->pieces[to->n_pieces++] = (struct iovec){
			.iov_base = (void *)(uintptr_t)(at + part), .iov_len = bytes - part};
		frame->n_iov++;
	}
}

/* What the virtio-net header says of the inner frame. What it says of the outer one is void: that
 * checksum is gone. */
static bool move_offloads(struct frame *frame, uint32_t inner_offset)
{
	struct virtio_net_hdr *hdr = &frame->vnet.hdr;
	uint32_t start = le16toh(hdr->csum_start);

	if ((hdr->flags | hdr->gso_type) == 0) {
		frame->vnet = (struct virtio_net_hdr_mrg_rxbuf){.num_buffers = htole16(1)};
		return true;
	}
	if ((hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
		if (start >= inner_offset)
			hdr->csum_start = htole16((uint16_t)(start - inner_offset));
		else if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
			hdr->flags = 0;
		else
			return false;
	}
	return offload_check(frame, OFFLOAD_ALL);
}

static void unwrap(const struct frame *outer, const struct decap_note *note, struct burst *to)
{
	struct frame *frame = &to->frames[to->n++];
	struct vxlan_inner inner;

	frame->len = note->inner_bytes;
	frame->n_iov = 0;
	frame->segment = note->segment;
	frame->out = FRAME_OUT_DROP;
	frame->drop = DROP_NONE;
	frame->has_tag = false;
	frame->vnet = outer->vnet;
	move_bytes(outer, note->inner_offset, frame, to);
	if (!move_offloads(frame, note->inner_offset)) {
		frame->drop = DROP_BAD_OFFLOAD;
		return;
	}
	/* An outer packet that cannot be marked has no mark to hand down. */
	if ((note->tos & 3) == VXLAN_ECN_NONE)
		return;
	vxlan_inner_read(frame->head, frame->head_len, &inner);
	if (!vxlan_ecn_decap(frame->head, &inner, note->tos))
		frame->drop = DROP_TUNNEL_ECN;
}

/* Inner frames are those of a replay as the outer ones are. */
static void move_marks(const struct burst *burst, const struct decap *decap,
		       const struct port *peer, struct burst *to)
{
	unsigned int n = 0;

	for (unsigned int i = decap->next; i < burst->n; i++) {
		if (decap->notes[i].peer == peer)
			to->frames[n++].mark = burst->frames[i].mark;
	}
}

struct port *decap_take(const struct burst *burst, struct decap *decap, struct burst *to)
{
	while (decap->next < burst->n && decap->notes[decap->next].peer == NULL)
		decap->next++;
	if (decap->next == burst->n)
		return NULL;
	struct port *peer = decap->notes[decap->next].peer;

	to->n = to->n_pieces = 0;
	to->now_s = burst->now_s;
	to->now_ns = burst->now_ns;
	if (__builtin_expect(burst->has_marks, 0))
		move_marks(burst, decap, peer, to);
	for (unsigned int i = decap->next; i < burst->n; i++) {
		if (decap->notes[i].peer != peer)
			continue;
		unwrap(&burst->frames[i], &decap->notes[i], to);
		decap->notes[i].peer = NULL;
	}
	return peer;
}
