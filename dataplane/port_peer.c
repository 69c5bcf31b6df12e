/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_peer.h. */
#include "dataplane/port_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/kinds.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/drop.h"
#include "dataplane/recorder.h"
#include "vxlan/vxlan_flow.h"
#include "vxlan/vxlan_inner.h"
#include "vxlan/vxlan_tunnel.h"

/* All that sending needs. Plain bytes, so that two can be compared. */
struct peer_way {
	struct vxlan_tunnel tunnel;
	uint32_t max_inner_bytes; /* of a frame, so that the path's MTU holds it */
	uint16_t uplink;	  /* index */
};

struct peer {
	_Atomic(struct peer_way *) way; /* one of the next two, or NULL */
	struct peer_way ways[2];	/* main makes the new one where the old one is not */
	struct dp_nexthop nexthop;	/* main; as told last */
};

/* --- the way: main --- */

static bool has_mac(const uint8_t mac[6])
{
	return (mac[0] & 1) == 0 && memcmp(mac, (uint8_t[6]){0}, 6) != 0;
}

/* The headers' settings are options of the uplink. */
static void set_policy(const struct port *uplink, struct vxlan_tunnel_options *options)
{
	struct option_set set = port_kinds_options(uplink->type->kind);
	const struct dp_port *spec = &uplink->spec;
	const struct dp_option *dscp = port_option(uplink, "dscp");
	bool is_ipv4 = options->ip_version == 4;
	bool on = options_number(&set, spec->options, spec->n_options,
				 is_ipv4 ? "checksum" : "zero_checksum6") != 0;

	options->port =
		(uint16_t)options_number(&set, spec->options, spec->n_options, "vxlan_port");
	options->ttl = (uint8_t)options_number(&set, spec->options, spec->n_options, "ttl");
	options->inherits_dscp = dscp == NULL;
	options->dscp = dscp != NULL ? (uint8_t)dscp->number : 0;
	options->checksum = on == is_ipv4 ? VXLAN_TUNNEL_CHECKSUM_FULL : VXLAN_TUNNEL_CHECKSUM_NONE;
}

/* The way that a next hop means now, or in one line why there is none. */
static const char *find_way(const struct port *port, const struct dp_nexthop *nexthop,
			    struct peer_way *way)
{
	const struct port *uplink =
		nexthop->uplink_id != 0 ? port_find(port->dp, nexthop->uplink_id) : NULL;
	const struct dp_address *from, *to = &port->spec.addresses[0];

	if (nexthop->uplink_id == 0)
		return "no route to its VTEP, or no neighbour answers on the way";
	if (uplink == NULL || uplink->type->send == NULL)
		return "the uplink that leads to it does not exist";
	from = &uplink->spec.addresses[0];
	if (uplink->spec.n_addresses == 0)
		return "the uplink that leads to it has no VTEP";
	if (from->version != to->version)
		return "its VTEP and that of the uplink are of different IP versions";
	struct vxlan_tunnel_options options = {.ip_version = to->version};

	memcpy(options.src_mac, nexthop->src_mac, sizeof(options.src_mac));
	memcpy(options.dst_mac, nexthop->dst_mac, sizeof(options.dst_mac));
	memcpy(options.src_ip, from->ip, sizeof(options.src_ip));
	memcpy(options.dst_ip, to->ip, sizeof(options.dst_ip));
	set_policy(uplink, &options);
	memset(way, 0, sizeof(*way));
	if (vxlan_tunnel_init(&way->tunnel, &options) < 0)
		return "its VTEP or its next hop is no address of a host";
	uint32_t overhead = way->tunnel.header_bytes - (uint32_t)ETH_HLEN;

	if (nexthop->mtu != 0 && nexthop->mtu < overhead + ETH_HLEN)
		return "the path's MTU is too small for a frame";
	way->max_inner_bytes = nexthop->mtu != 0 ? nexthop->mtu - overhead : UINT32_MAX;
	way->uplink = uplink->index;
	return NULL;
}

/* Returns whether workers may still hold what was there before. */
static bool publish_way(struct peer *peer, const struct peer_way *way)
{
	struct peer_way *old = atomic_load(&peer->way);
	struct peer_way *next = old == &peer->ways[0] ? &peer->ways[1] : &peer->ways[0];

	if (way == NULL ? old == NULL : old != NULL && memcmp(old, way, sizeof(*way)) == 0)
		return false;
	if (way != NULL)
		*next = *way;
	atomic_store_explicit(&peer->way, way != NULL ? next : NULL, memory_order_release);
	return true;
}

void port_peer_refresh(struct port *port)
{
	struct peer *peer = port->impl;
	struct peer_way way;

	publish_way(peer, find_way(port, &peer->nexthop, &way) == NULL ? &way : NULL);
}

int port_peer_nexthop(struct port *port, const struct dp_nexthop *nexthop, char *why,
		      size_t why_bytes)
{
	struct peer *peer = port->impl;
	struct peer_way way;
	const char *fault = NULL;
	bool is_none = nexthop->uplink_id == 0;

	if (!is_none && (!has_mac(nexthop->dst_mac) || !has_mac(nexthop->src_mac)))
		fault = "a next hop's MAC is that of a group, or none";
	else if (!is_none)
		fault = find_way(port, nexthop, &way);
	if (fault != NULL) {
		snprintf(why, why_bytes, "peer %s: %s", port->spec.name, fault);
		return -EINVAL;
	}
	peer->nexthop = *nexthop;
	if (publish_way(peer, is_none ? NULL : &way))
		dataplane_synchronize(port->dp);
	return 0;
}

bool port_peer_way(const struct port *port, struct port_peer_way *told)
{
	const struct peer *peer = port->impl;
	const struct peer_way *way = atomic_load(&peer->way);

	if (way == NULL)
		return false;
	*told = (struct port_peer_way){
		.uplink = way->uplink,
		.outer_bytes = way->tunnel.header_bytes,
		.max_inner_bytes = way->max_inner_bytes,
	};
	return true;
}

/* --- life: main --- */

static void peer_claim(const struct dataplane *dp, const struct dp_port *spec, char *text,
		       size_t text_bytes)
{
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(spec->addresses[0].version == 4 ? AF_INET : AF_INET6, spec->addresses[0].ip,
		  address, sizeof(address));
	snprintf(text, text_bytes, "VTEP %s", address);
}

static int peer_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
			size_t why_bytes)
{
	port->impl = calloc(1, sizeof(struct peer));
	if (port->impl != NULL)
		return 0;
	snprintf(why, why_bytes, "port %s: out of memory", port->spec.name);
	return -ENOMEM;
}

static void peer_publish(struct port *port)
{
	/* Nothing is polled; the way is told later. */
}

static void peer_close(struct port *port)
{
	free(port->impl);
	port->impl = NULL;
}

static void peer_state(const struct port *port, struct dp_port_state *state)
{
	const struct peer *peer = port->impl;
	struct peer_way way;
	const char *fault = find_way(port, &peer->nexthop, &way);

	state->link = fault == NULL ? DP_LINK_UP : DP_LINK_DOWN;
	if (fault != NULL)
		snprintf(state->reason, sizeof(state->reason), "%s", fault);
}

/* --- frames: worker --- */

static uint32_t vni_of(const struct dataplane *dp, uint16_t index)
{
	const struct segment *segment =
		atomic_load_explicit(&dp->segments[index], memory_order_acquire);

	return segment != NULL ? atomic_load_explicit(&segment->vni, memory_order_relaxed) : 0;
}

/* Over the whole inner frame, as the checksum of UDP is. */
static void seal(const struct vxlan_tunnel *tunnel, const struct frame *frame, uint8_t *header)
{
	struct vxlan_sum sum = {0};

	vxlan_sum_add(&sum, frame->head, frame->head_len);
	for (unsigned int i = 0; i < frame->n_iov; i++)
		vxlan_sum_add(&sum, frame->iov[i].iov_base, frame->iov[i].iov_len);
	vxlan_tunnel_seal(tunnel, header, &sum);
}

/* The flow of the frame before, so that the next one of it is not read again. */
struct flow_before {
	const struct frame *frame; /* NULL: none yet */
	uint32_t hash;
	uint8_t tos;
};

static void enter_flow(const struct frame *frame, struct flow_before *flow)
{
	const struct frame *before = flow->frame;
	struct vxlan_inner inner;

	flow->frame = frame;
	if (before != NULL &&
	    vxlan_flow_is_same(frame->head, frame->head_len, before->head, before->head_len))
		return;
	vxlan_inner_read(frame->head, frame->head_len, &inner);
	flow->hash = vxlan_flow_hash(frame->head, frame->head_len, &inner);
	flow->tos = inner.tos;
}

/* Writes the outer headers of a frame; returns their length. 0: it fits no packet. */
static uint16_t stamp(const struct peer_way *way, const struct frame *frame, uint32_t vni,
		      struct flow_before *flow, uint8_t *header)
{
	uint32_t bytes;

	if (frame->len > way->max_inner_bytes)
		return 0;
	enter_flow(frame, flow);
	bytes = vxlan_tunnel_encap(&way->tunnel, vni, frame->len, flow->hash, flow->tos, header);
	if (bytes != 0 && way->tunnel.has_checksum)
		seal(&way->tunnel, frame, header);
	return (uint16_t)bytes;
}

/* Lists the first frame of `order` with its outer headers, and those behind it that have the same:
 * of its segment and flow, as long, and without a checksum. Returns how many these are. */
static inline unsigned int list_alike(const struct burst *burst, const uint8_t *order,
				      unsigned int n, struct port_out like, struct port_out *out)
{
	const struct frame *first = &burst->frames[order[0]];
	const enum vxlan_flow_words words = vxlan_flow_words(first->head, first->head_len);
	const uint32_t len = first->len;
	unsigned int i;

	out[0] = like;
	if (words == VXLAN_FLOW_NO_WORDS)
		return 1;
	for (i = 1; i < n; i++) {
		const struct frame *frame = &burst->frames[order[i]];

		if (frame->len != len || frame->head_len != first->head_len ||
		    frame->segment != first->segment ||
		    !vxlan_flow_are_equal(frame->head, first->head, words))
			break;
		out[i] = (struct port_out){frame, like.outer, like.outer_len};
	}
	return i;
}

/* Hands them over, and counts beside the uplink's own frames what it took. */
static void send_out(struct port *uplink, const struct port_out *out, unsigned int n,
		     struct counters_block *count)
{
	struct counters_block *carrier = counters_beside(uplink->dp->counters, count, uplink->slot);
	uint64_t frames = count->tx_frames, bytes = count->tx_bytes;

	port_io(uplink)->send(uplink, out, n, count);
	frames = count->tx_frames - frames;
	carrier->carried_tx_frames += frames;
	carrier->carried_tx_bytes += count->tx_bytes - bytes + frames * out[0].outer_len;
}

/* The uplink that carries frames to the peer, or NULL with the reason. */
static struct port *find_carrier(const struct port *port, const struct peer_way *way,
				 enum drop_reason *reason)
{
	struct port *uplink = way != NULL ? atomic_load_explicit(&port->dp->ports[way->uplink],
								 memory_order_acquire)
					  : NULL;

	*reason = DROP_NO_NEXTHOP;
	if (uplink == NULL || uplink->type->send == NULL)
		return NULL;
	*reason = DROP_BLOCKED;
	return port_state_blocks(atomic_load_explicit(&uplink->state, memory_order_relaxed))
		       ? NULL
		       : uplink;
}

static void peer_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		    struct counters_block *count)
{
	const struct peer *peer = port->impl;
	const struct peer_way *way = atomic_load_explicit(&peer->way, memory_order_acquire);
	enum drop_reason reason;
	struct port *uplink = find_carrier(port, way, &reason);
	uint8_t headers[BURST_FRAMES][VXLAN_OVERHEAD_IPV6_BYTES];
	struct port_out out[BURST_FRAMES];
	struct flow_before flow = {0};
	unsigned int n_out = 0, n_alike;
	uint16_t segment = 0;
	uint32_t vni = 0;

	if (uplink == NULL) {
		drop_frames(burst, count, order, n, reason);
		return;
	}
	for (unsigned int i = 0; i < n; i += n_alike) {
		struct port_out like = {&burst->frames[order[i]], headers[n_out], 0};

		if (like.frame->segment != segment) {
			segment = like.frame->segment;
			vni = vni_of(port->dp, segment);
		}
		if (vni != 0)
			like.outer_len = stamp(way, like.frame, vni, &flow, headers[n_out]);
		n_alike = 1;
		if (like.outer_len == 0) {
			drop_frame(burst->recorder, count, like.frame,
				   vni != 0 ? DROP_TOO_BIG : DROP_WRONG_SEGMENT);
			continue;
		}
		n_alike = list_alike(burst, order + i, way->tunnel.has_checksum ? 1 : n - i, like,
				     out + n_out);
		n_out += n_alike;
	}
	if (n_out != 0)
		send_out(uplink, out, n_out, count);
}

void port_peer_answer(const struct port *port, const struct frame *frame, uint16_t udp_port,
		      struct counters_block *count)
{
	const struct peer *peer = port->impl;
	const struct peer_way *way = atomic_load_explicit(&peer->way, memory_order_acquire);
	enum drop_reason reason;
	struct port *uplink = find_carrier(port, way, &reason);
	uint8_t header[VXLAN_OVERHEAD_IPV6_BYTES];

	if (uplink == NULL || frame->len > way->max_inner_bytes) {
		drop_frame(recorder_of(port, count), count, frame,
			   uplink == NULL ? reason : DROP_TOO_BIG);
		return;
	}
	uint32_t bytes = vxlan_tunnel_encap(&way->tunnel, 0, frame->len, 0, 0, header);

	vxlan_tunnel_set_ports(&way->tunnel, header, udp_port);
	if (way->tunnel.has_checksum)
		seal(&way->tunnel, frame, header);
	struct port_out out = {frame, header, (uint16_t)bytes};

	send_out(uplink, &out, 1, count);
}

const struct port_type port_peer_type = {
	.kind = &kind_peer,
	.claim = peer_claim,
	.prepare = peer_prepare,
	.publish = peer_publish,
	.close = peer_close,
	.state = peer_state,
	.tx = peer_tx,
};
