/* SPDX-License-Identifier: BSD-3-Clause */
/* See tunnel_rig.h. */
#include "tests/unit/dataplane/tunnel_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dataplane/api/kinds.h"
#include "dataplane/port_peer.h"
#include "vxlan/vxlan_tunnel.h"

static void uplink_send(struct port *port, const struct port_out *out, unsigned int n,
			struct counters_block *count)
{
	struct rig_port *rig = port->impl;

	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = out[i].frame;
		struct rig_frame *to = &rig->out[rig->n_out++];
		uint32_t at = out[i].outer_len;

		assert_true(rig->n_out < RIG_FRAMES);
		assert_int_equal(frame->vnet.hdr.flags, 0);
		assert_int_equal(frame->vnet.hdr.gso_type, 0);
		memcpy(to->bytes, out[i].outer, at);
		memcpy(to->bytes + at, frame->head, frame->head_len);
		at += frame->head_len;
		for (unsigned int k = 0; k < frame->n_iov; k++) {
			assert_true(at + frame->iov[k].iov_len <= RIG_FRAME_BYTES);
			memcpy(to->bytes + at, frame->iov[k].iov_base, frame->iov[k].iov_len);
			at += (uint32_t)frame->iov[k].iov_len;
		}
		assert_int_equal(at, frame->len + out[i].outer_len);
		to->len = at;
		count->tx_frames++;
		count->tx_bytes += frame->len;
	}
}

struct dp_address tunnel_rig_address(uint8_t ip_version, uint8_t last)
{
	struct dp_address address = {.version = ip_version, .prefix_bits = 32};

	if (ip_version == 4)
		memcpy(address.ip, (uint8_t[4]){10, 0, 0, last}, 4);
	else
		memcpy(address.ip, (uint8_t[16]){0xfd, [15] = last}, 16);
	address.prefix_bits = ip_version == 4 ? 32 : 128;
	return address;
}

struct dp_port tunnel_rig_uplink(uint8_t ip_version)
{
	struct dp_port port = rig_port_spec(TUNNEL_RIG_UPLINK, 0);

	snprintf(port.kind, sizeof(port.kind), "uplink");
	port.addresses[0] = tunnel_rig_address(ip_version, 1);
	port.n_addresses = 1;
	return port;
}

struct dp_port tunnel_rig_peer(uint8_t ip_version, uint64_t id, const uint32_t *segments)
{
	struct dp_port port = rig_port_spec(id, 0);

	snprintf(port.kind, sizeof(port.kind), "peer");
	port.addresses[0] = tunnel_rig_address(ip_version, (uint8_t)id);
	port.n_addresses = 1;
	for (; segments != NULL && segments[port.n_members] != 0; port.n_members++)
		port.members[port.n_members].segment_id = segments[port.n_members];
	return port;
}

struct dp_nexthop tunnel_rig_nexthop(uint64_t peer_id)
{
	return (struct dp_nexthop){
		.peer_id = peer_id,
		.uplink_id = TUNNEL_RIG_UPLINK,
		.dst_mac = {2, 0xee, 0, 0, 0, (uint8_t)peer_id},
		.src_mac = {2, 0xee, 0, 0, 0, 1},
		.mtu = TUNNEL_RIG_MTU,
	};
}

void tunnel_rig_put_peer(struct dataplane *dp, uint8_t ip_version, uint64_t id,
			 const uint32_t *segments)
{
	struct dp_port peer = tunnel_rig_peer(ip_version, id, segments);
	struct dp_nexthop nexthop = tunnel_rig_nexthop(id);
	char why[DP_TEXT_BYTES] = "";

	rig_put_port_spec(dp, &peer);
	if (port_peer_nexthop(port_find(dp, id), &nexthop, why, sizeof(why)) != 0)
		fail_msg("%s", why);
}

struct dataplane *tunnel_rig_create(uint8_t ip_version)
{
	static struct port_type uplink_type;
	static const struct port_type *const types[] = {&rig_port_type, &uplink_type,
							&port_peer_type, NULL};
	struct dataplane_config config = rig_config(1);
	struct dp_port uplink = tunnel_rig_uplink(ip_version);
	struct dataplane *dp = NULL;

	uplink_type = rig_port_type;
	uplink_type.kind = &kind_uplink;
	uplink_type.send = uplink_send;
	config.port_types = types;
	assert_int_equal(dataplane_create(&config, &dp), 0);
	rig_put_port_spec(dp, &uplink);
	return dp;
}

struct rig_frame *tunnel_rig_send(const struct dataplane *dp, uint8_t ip_version, uint8_t peer,
				  uint32_t vni, uint32_t dst, uint32_t src, uint32_t len,
				  uint8_t mark)
{
	struct rig_port *rig = rig_port(dp, TUNNEL_RIG_UPLINK);
	struct rig_frame *frame = &rig->in[rig->n_in];
	struct dp_address from = tunnel_rig_address(ip_version, peer);
	struct dp_address to = tunnel_rig_address(ip_version, 1);
	struct vxlan_tunnel_options options = {.ip_version = ip_version,
					       .src_mac = {2, 0xee, 0, 0, 0, peer},
					       .dst_mac = {2, 0xee, 0, 0, 0, 1}};
	struct vxlan_tunnel tunnel;
	struct vxlan_sum sum = {0};

	memcpy(options.src_ip, from.ip, 16);
	memcpy(options.dst_ip, to.ip, 16);
	assert_int_equal(vxlan_tunnel_init(&tunnel, &options), 0);
	assert_true(len + tunnel.header_bytes <= RIG_FRAME_BYTES);
	rig_send(dp, TUNNEL_RIG_UPLINK, dst, src, len, mark);
	memmove(frame->bytes + tunnel.header_bytes, frame->bytes, len);
	frame->bytes[tunnel.header_bytes + 12] = 0x88; /* not IP: its payload is no header */
	frame->bytes[tunnel.header_bytes + 13] = 0xb5;
	assert_int_equal(vxlan_tunnel_encap(&tunnel, vni, len, 0x12345678, 0, frame->bytes),
			 tunnel.header_bytes);
	vxlan_sum_add(&sum, frame->bytes + tunnel.header_bytes, len);
	if (tunnel.has_checksum)
		vxlan_tunnel_seal(&tunnel, frame->bytes, &sum);
	frame->len = len + tunnel.header_bytes;
	return frame;
}

struct vxlan_outer tunnel_rig_outer(const struct dataplane *dp, unsigned int n)
{
	const struct rig_port *rig = rig_port(dp, TUNNEL_RIG_UPLINK);
	const struct vxlan_decap_rules rules = {.port = 4789};
	struct vxlan_outer outer;

	assert_true(n < rig->n_out);
	assert_int_equal(
		vxlan_decap(rig->out[n].bytes, rig->out[n].len, rig->out[n].len, &rules, &outer),
		VXLAN_DECAP_OK);
	assert_true(vxlan_decap_is_intact(&outer, rig->out[n].bytes, rig->out[n].len, NULL, 0));
	assert_int_equal(outer.inner_offset + outer.inner_bytes, rig->out[n].len);
	return outer;
}

const uint32_t tunnel_rig_both[] = {TUNNEL_RIG_ALPHA, TUNNEL_RIG_BETA, 0};
const uint32_t tunnel_rig_only_alpha[] = {TUNNEL_RIG_ALPHA, 0};

struct dataplane *tunnel_rig_create_full(uint8_t ip_version)
{
	struct dataplane *dp = tunnel_rig_create(ip_version);

	rig_put_segment(dp, TUNNEL_RIG_ALPHA);
	rig_put_segment(dp, TUNNEL_RIG_BETA);
	rig_put_port(dp, 1, TUNNEL_RIG_ALPHA);
	rig_put_port(dp, 2, TUNNEL_RIG_ALPHA);
	rig_put_port(dp, 3, TUNNEL_RIG_BETA);
	tunnel_rig_put_peer(dp, ip_version, 11, tunnel_rig_both);
	tunnel_rig_put_peer(dp, ip_version, 12, tunnel_rig_only_alpha);
	return dp;
}

int tunnel_rig_tear_down(void **state)
{
	rig_assert_accounted(*state);
	dataplane_destroy(*state);
	return 0;
}
