/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of dataplane/decap.c through whole turns: what comes out of tunnels reaches ports of the
 * segment, and every forgery reaches nobody and is counted by its name at the uplink.
 *
 *     ports 1, 2 in ALPHA, 3 in BETA | uplink | peer 11: ALPHA, BETA; peer 12: ALPHA
 */
#include "dataplane/decap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/overlay.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/tunnel_rig.h"
#include "vxlan/vxlan_sum.h"

#define NOW_S 1000
#define ALPHA TUNNEL_RIG_ALPHA
#define BETA TUNNEL_RIG_BETA
#define REMOTE 0xa1 /* a station behind a peer */

static int set_up(void **state)
{
	*state = tunnel_rig_create_full(4);
	return 0;
}

static int set_up_ipv6(void **state)
{
	*state = tunnel_rig_create_full(6);
	return 0;
}

static uint64_t drops(const struct dataplane *dp, uint64_t id, enum drop_reason reason)
{
	return rig_counters(dp, id)->drops[reason];
}

static void assert_out(struct dataplane *dp, unsigned int n1, unsigned int n2, unsigned int n3)
{
	assert_int_equal(rig_port(dp, 1)->n_out, n1);
	assert_int_equal(rig_port(dp, 2)->n_out, n2);
	assert_int_equal(rig_port(dp, 3)->n_out, n3);
	assert_int_equal(rig_port(dp, TUNNEL_RIG_UPLINK)->n_out, 0);
}

/* One frame that must reach nobody, refused at the uplink for this reason. */
static void assert_refused(struct dataplane *dp, enum drop_reason reason)
{
	uint64_t before = drops(dp, TUNNEL_RIG_UPLINK, reason);

	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 0, 0);
	assert_int_equal(drops(dp, TUNNEL_RIG_UPLINK, reason), before + 1);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->carried_rx_frames, 0);
	assert_int_equal(rig_counters(dp, 11)->rx_frames + rig_counters(dp, 12)->rx_frames, 0);
}

static struct rig_frame *send_flood(struct dataplane *dp, uint8_t peer, uint32_t vni)
{
	uint8_t version = port_find(dp, TUNNEL_RIG_UPLINK)->spec.addresses[0].version;

	return tunnel_rig_send(dp, version, peer, vni, RIG_BROADCAST, REMOTE, 100, 7);
}

/* The IPv4 header's checksum after a change. */
static void fix_ipv4(struct rig_frame *frame)
{
	struct vxlan_sum sum = {0};
	uint8_t *ip = frame->bytes + 14;
	uint16_t checksum;

	memset(ip + 10, 0, 2);
	vxlan_sum_add(&sum, ip, 20);
	checksum = (uint16_t)~vxlan_sum_fold(&sum);
	memcpy(ip + 10, &checksum, 2);
}

static void floods_reach_the_segment(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame *sent = send_flood(dp, 11, ALPHA);
	uint32_t outer = sent->len - 100;
	struct rig_frame copy = *sent;

	rig_turn(dp, NOW_S);
	assert_out(dp, 1, 1, 0);
	assert_int_equal(rig_port(dp, 1)->out[0].len, 100);
	assert_memory_equal(rig_port(dp, 1)->out[0].bytes, copy.bytes + outer, 100);
	/* Counted at the peer, as inner bytes; the wire's beside it. */
	assert_int_equal(rig_counters(dp, 11)->rx_frames, 1);
	assert_int_equal(rig_counters(dp, 11)->rx_bytes, 100);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->rx_frames, 0);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->carried_rx_frames, 1);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->carried_rx_bytes, copy.len);
}

static void vnis_keep_apart(void **state)
{
	struct dataplane *dp = *state;

	send_flood(dp, 11, BETA);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 0, 1);
}

/* Frames of two peers in one burst, each in its order; learned behind their peers. */
static void peers_share_a_burst(void **state)
{
	struct dataplane *dp = *state;

	for (uint8_t i = 0; i < 3; i++) {
		tunnel_rig_send(dp, 4, 11, ALPHA, RIG_BROADCAST, REMOTE, 60, i);
		tunnel_rig_send(dp, 4, 12, ALPHA, RIG_BROADCAST, REMOTE + 1, 60, (uint8_t)(10 + i));
	}
	rig_turn(dp, NOW_S);
	assert_out(dp, 6, 6, 0);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(rig_port(dp, 1)->out[i].bytes[14], i < 3 ? i : 10 + i - 3);
	assert_int_equal(rig_port(dp, TUNNEL_RIG_UPLINK)->n_rx_done, 1);
	for (uint32_t i = 0; i < 2; i++) {
		uint8_t mac[6];

		rig_mac(mac, REMOTE + i);
		assert_int_equal(fdb_owner(dp->fdb, fdb_key(segment_find(dp, ALPHA)->index, mac)),
				 port_find(dp, 11 + i)->index);
	}
}

/* In one burst, among those that are right, in each place: lengths and source ports differ, and a
 * forged one is no excuse for the next, nor a right one for it. */
static void frames_are_judged_one_by_one(void **state)
{
	static const enum drop_reason expected[] = {DROP_NONE,
						    DROP_TUNNEL_VNI,
						    DROP_NONE,
						    DROP_TUNNEL_PEER,
						    DROP_TUNNEL_MALFORMED,
						    DROP_NONE,
						    DROP_TUNNEL_MALFORMED,
						    DROP_NONE,
						    DROP_TUNNEL_CHECKSUM,
						    DROP_NONE};
	struct dataplane *dp = *state;
	struct rig_frame *frame;

	send_flood(dp, 11, ALPHA);
	send_flood(dp, 11, 12345);
	tunnel_rig_send(dp, 4, 11, ALPHA, RIG_BROADCAST, REMOTE, 60, 7)->bytes[35]++;
	send_flood(dp, 99, ALPHA);
	frame = send_flood(dp, 11, ALPHA);
	frame->bytes[16]++; /* IP's length: the header's checksum is wrong now */
	tunnel_rig_send(dp, 4, 12, ALPHA, RIG_BROADCAST, REMOTE + 1, 200, 7);
	frame = tunnel_rig_send(dp, 4, 12, ALPHA, RIG_BROADCAST, REMOTE + 1, 200, 7);
	frame->len -= 1;
	send_flood(dp, 11, BETA);
	send_flood(dp, 11, BETA)->bytes[41] = 1;
	send_flood(dp, 11, BETA);
	rig_turn(dp, NOW_S);
	assert_out(dp, 3, 3, 2);
	assert_int_equal(rig_port(dp, 1)->out[0].len, 100);
	assert_int_equal(rig_port(dp, 1)->out[1].len, 60);
	assert_int_equal(rig_port(dp, 1)->out[2].len, 200);
	for (enum drop_reason reason = 1; reason < DROP_COUNT; reason++) {
		unsigned int n = 0;

		for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
			n += expected[i] == reason;
		assert_int_equal(drops(dp, TUNNEL_RIG_UPLINK, reason), n);
	}
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->carried_rx_frames, 5);
}

/* Nothing that a tunnel brings leaves through a tunnel, wherever it is addressed. */
static void tunnels_do_not_loop(void **state)
{
	struct dataplane *dp = *state;

	tunnel_rig_send(dp, 4, 12, ALPHA, RIG_BROADCAST, REMOTE, 60, 0);
	rig_turn(dp, NOW_S);
	/* A flood does not even try. */
	assert_int_equal(rig_sum(dp).drops[DROP_TUNNEL_LOOP], 0);
	tunnel_rig_send(dp, 4, 11, ALPHA, REMOTE, REMOTE + 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_out(dp, 1, 1, 0);
	assert_int_equal(drops(dp, 12, DROP_TUNNEL_LOOP), 1);
	/* And back to where it came from. */
	tunnel_rig_send(dp, 4, 12, ALPHA, REMOTE, REMOTE + 2, 60, 0);
	rig_turn(dp, NOW_S);
	assert_out(dp, 1, 1, 0);
	assert_int_equal(drops(dp, 12, DROP_SAME_PORT), 1);
}

static void forged_vtep(void **state)
{
	send_flood(*state, 99, ALPHA);
	assert_refused(*state, DROP_TUNNEL_PEER);
}

static void wrong_vni(void **state)
{
	send_flood(*state, 11, 12345);
	assert_refused(*state, DROP_TUNNEL_VNI);
	/* A VNI of this host that the peer does not have. */
	send_flood(*state, 12, BETA);
	assert_refused(*state, DROP_TUNNEL_VNI);
}

static void flag_clear(void **state)
{
	struct rig_frame *frame = send_flood(*state, 11, ALPHA);

	frame->bytes[42] = 0;
	assert_refused(*state, DROP_TUNNEL_MALFORMED);
}

static void truncated(void **state)
{
	for (uint32_t len = 34; len < 64; len++) {
		struct rig_frame *frame = send_flood(*state, 11, ALPHA);

		frame->len = len;
		assert_refused(*state, DROP_TUNNEL_MALFORMED);
	}
}

static void shorter_inside(void **state)
{
	struct rig_frame *frame = send_flood(*state, 11, ALPHA);

	/* A UDP length that leaves 13 bytes for the inner frame. */
	frame->bytes[38] = 0;
	frame->bytes[39] = 8 + 8 + 13;
	assert_refused(*state, DROP_TUNNEL_MALFORMED);
}

static void other_target(void **state)
{
	struct rig_frame *frame = send_flood(*state, 11, ALPHA);

	frame->bytes[14 + 19] = 2;
	fix_ipv4(frame);
	assert_refused(*state, DROP_TUNNEL_TARGET);
	frame = send_flood(*state, 11, ALPHA);
	frame->bytes[37]++;
	assert_refused(*state, DROP_TUNNEL_TARGET);
	frame = send_flood(*state, 11, ALPHA);
	frame->bytes[13] = 6; /* ARP */
	assert_refused(*state, DROP_TUNNEL_TARGET);
}

static void fragments(void **state)
{
	struct rig_frame *frame = send_flood(*state, 11, ALPHA);

	frame->bytes[14 + 6] = 0x20;
	fix_ipv4(frame);
	assert_refused(*state, DROP_TUNNEL_FRAGMENT);
	frame = send_flood(*state, 11, ALPHA);
	frame->bytes[14 + 6] = 0;
	frame->bytes[14 + 7] = 1;
	fix_ipv4(frame);
	assert_refused(*state, DROP_TUNNEL_FRAGMENT);
}

static void checksum_wrong(void **state)
{
	struct rig_frame *frame = send_flood(*state, 11, ALPHA);

	frame->bytes[40] = 0x12;
	assert_refused(*state, DROP_TUNNEL_CHECKSUM);
}

static void ipv6_checksum_missing_or_wrong(void **state)
{
	struct rig_frame *frame = send_flood(*state, 11, ALPHA);

	frame->bytes[frame->len - 1] ^= 1;
	assert_refused(*state, DROP_TUNNEL_CHECKSUM);
	frame = send_flood(*state, 11, ALPHA);
	memset(frame->bytes + 60, 0, 2);
	assert_refused(*state, DROP_TUNNEL_CHECKSUM);

	struct dp_port uplink = tunnel_rig_uplink(6);

	rig_set_port(&uplink, "zero_checksum6", "on");
	rig_put_port_spec(*state, &uplink);
	frame = send_flood(*state, 11, ALPHA);
	memset(frame->bytes + 60, 0, 2);
	rig_turn(*state, NOW_S);
	assert_out(*state, 1, 1, 0);
}

/* VXLAN inside VXLAN is payload, whatever its outer headers were. */
static void nested_stays_nested(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame inner = *send_flood(dp, 11, BETA);
	struct rig_port *uplink = rig_port(dp, TUNNEL_RIG_UPLINK);

	uplink->n_in--;
	struct rig_frame *frame =
		tunnel_rig_send(dp, 4, 11, ALPHA, RIG_BROADCAST, REMOTE, inner.len, 0);

	memcpy(frame->bytes + 50, inner.bytes, inner.len);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 3)->n_out, 0);
	assert_true(rig_port(dp, 1)->n_out + rig_port(dp, 2)->n_out <= 2);
	for (unsigned int i = 0; i < rig_port(dp, 1)->n_out; i++)
		assert_int_equal(rig_port(dp, 1)->out[i].len, inner.len);
}

/* A guest's own VXLAN to the VTEP of its host: bytes of its segment. */
static void guests_vxlan_is_payload(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame *frame = send_flood(dp, 11, BETA);
	struct rig_port *guest = rig_port(dp, 1);

	guest->in[guest->n_in++] = *frame;
	rig_port(dp, TUNNEL_RIG_UPLINK)->n_in--;
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 2)->n_out, 1);
	assert_int_equal(rig_port(dp, 2)->out[0].len, frame->len);
	assert_int_equal(rig_port(dp, 3)->n_out, 0);
}

static void padding_is_trimmed(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame *frame = send_flood(dp, 11, ALPHA);

	frame->len += 20;
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 1)->out[0].len, 100);
}

static void tags_need_qinq(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame *frame = send_flood(dp, 11, ALPHA);
	struct dp_port peer = tunnel_rig_peer(4, 11, tunnel_rig_both),
		       port = rig_port_spec(1, ALPHA);

	memcpy(frame->bytes + 50 + 12, (uint8_t[4]){0x81, 0, 0, 5}, 4);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 0, 0);
	assert_int_equal(drops(dp, 11, DROP_TAGGED), 1);
	rig_set_port(&peer, "qinq", "on");
	rig_set_port(&port, "qinq", "on");
	rig_put_port_spec(dp, &peer);
	rig_put_port_spec(dp, &port);
	frame = send_flood(dp, 11, ALPHA);
	memcpy(frame->bytes + 50 + 12, (uint8_t[4]){0x81, 0, 0, 5}, 4);
	rig_turn(dp, NOW_S);
	assert_out(dp, 1, 0, 0);
	assert_int_equal(rig_port(dp, 1)->out[0].bytes[12], 0x81);
}

/* Congestion of the underlay is told to who understands it; to who does not by a loss. */
static void marks_are_combined(void **state)
{
	struct dataplane *dp = *state;

	for (uint8_t ecn = 0; ecn < 4; ecn++) {
		struct rig_frame *frame = send_flood(dp, 11, ALPHA);
		uint8_t ip[20] = {0x45, ecn, 0, 86, [8] = 64, 17, [12] = 10, 1, 0, 1, 10, 1, 0, 2};

		memcpy(frame->bytes + 50 + 12, (uint8_t[2]){8, 0}, 2);
		memcpy(frame->bytes + 50 + 14, ip, sizeof(ip));
		frame->bytes[15] = 3;
		fix_ipv4(frame);
	}
	rig_turn(dp, NOW_S);
	assert_int_equal(drops(dp, 11, DROP_TUNNEL_ECN), 1);
	assert_out(dp, 3, 3, 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(rig_port(dp, 1)->out[i].bytes[15], 3);
}

static void no_learning_if_off(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port peer = tunnel_rig_peer(4, 11, tunnel_rig_both);

	send_flood(dp, 11, ALPHA);
	rig_turn(dp, NOW_S);
	assert_int_equal(fdb_count(dp->fdb), 1);
	/* What was learned is forgotten; static addresses take its place. */
	rig_set_port(&peer, "learn", "off");
	rig_set_port(&peer, "macs", "02:00:00:00:00:55");
	rig_put_port_spec(dp, &peer);
	assert_int_equal(fdb_count(dp->fdb), 0);
	send_flood(dp, 11, ALPHA);
	rig_turn(dp, NOW_S);
	assert_int_equal(fdb_count(dp->fdb), 0);

	uint8_t mac[6];

	rig_mac(mac, 0x55);
	assert_int_equal(fdb_owner(dp->fdb, fdb_key(segment_find(dp, ALPHA)->index, mac)),
			 port_find(dp, 11)->index);
}

/* A station that was local now speaks from another host: the next frame for it goes there. */
static void moves_to_another_host(void **state)
{
	struct dataplane *dp = *state;

	rig_send(dp, 1, RIG_BROADCAST, REMOTE, 60, 0);
	rig_turn(dp, NOW_S);
	rig_port(dp, TUNNEL_RIG_UPLINK)->n_out = 0;
	send_flood(dp, 11, ALPHA);
	rig_turn(dp, NOW_S);
	rig_send(dp, 2, REMOTE, 2, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, TUNNEL_RIG_UPLINK)->n_out, 1);
	assert_memory_equal(tunnel_rig_outer(dp, 0).dst_ip, tunnel_rig_address(4, 11).ip, 16);
}

static void blocked_uplink_and_peer(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port peer = tunnel_rig_peer(4, 11, tunnel_rig_both),
		       uplink = tunnel_rig_uplink(4);

	rig_set_port(&peer, "state", "blocked");
	rig_put_port_spec(dp, &peer);
	send_flood(dp, 11, ALPHA);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 0, 0);
	assert_int_equal(drops(dp, 11, DROP_BLOCKED), 1);
	rig_set_port(&uplink, "state", "blocked");
	rig_put_port_spec(dp, &uplink);
	send_flood(dp, 12, ALPHA);
	rig_turn(dp, NOW_S);
	assert_out(dp, 0, 0, 0);
	assert_int_equal(drops(dp, TUNNEL_RIG_UPLINK, DROP_BLOCKED), 1);
}

/* --- virtio-net headers, which the rig's ports do not have --- */

struct offload_case {
	uint16_t start;
	uint8_t flags, gso;
	enum drop_reason drop;
	uint8_t inner_flags;
	uint16_t inner_start;
};

static void offloads_move_with_the_frame(void **state)
{
	static const struct offload_case cases[] = {
		/* TCP of 64 KiB from the kernel's VXLAN device over a veth. */
		{84, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4, DROP_NONE,
		 VIRTIO_NET_HDR_F_NEEDS_CSUM, 34},
		{84, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_NONE, DROP_NONE,
		 VIRTIO_NET_HDR_F_NEEDS_CSUM, 34},
		/* The outer checksum was left open: it is gone. */
		{34, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_NONE, DROP_NONE, 0, 0},
		{0, VIRTIO_NET_HDR_F_DATA_VALID, VIRTIO_NET_HDR_GSO_NONE, DROP_NONE, 0, 0},
		/* Nonsense. */
		{34, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4, DROP_BAD_OFFLOAD, 0, 0},
		{52, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_NONE, DROP_BAD_OFFLOAD, 0, 0},
		{84, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV6, DROP_BAD_OFFLOAD, 0, 0},
		{84, 0, VIRTIO_NET_HDR_GSO_TCPV4, DROP_BAD_OFFLOAD, 0, 0},
	};
	struct dataplane *dp = *state;
	const struct overlay *overlay = atomic_load(&dp->overlay);
	struct rig_frame *sent = send_flood(dp, 11, ALPHA);
	struct burst *outer = calloc(1, sizeof(*outer)), *inner = calloc(1, sizeof(*inner));
	struct decap decap;

	memcpy(sent->bytes + 62, (uint8_t[3]){8, 0, 0x45}, 3);
	sent->bytes[40] = 1; /* a checksum that is wrong, and that nobody is to look at */
	rig_port(dp, TUNNEL_RIG_UPLINK)->n_in--;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame *frame = &outer->frames[0];

		outer->n = 1;
		*frame = (struct frame){.len = sent->len, .head_len = 128, .iov = outer->pieces};
		frame->n_iov = 1;
		memcpy(frame->head, sent->bytes, 128);
		sent->bytes[40] = cases[i].flags != 0;
		frame->head[40] = sent->bytes[40];
		outer->pieces[0] = (struct iovec){sent->bytes + 128, sent->len - 128};
		frame->vnet.hdr.flags = cases[i].flags;
		frame->vnet.hdr.gso_type = cases[i].gso;
		frame->vnet.hdr.gso_size = htole16(1000);
		frame->vnet.hdr.csum_start = htole16(cases[i].start);
		frame->vnet.hdr.csum_offset = htole16(16);
		decap_burst(dp, overlay,
			    overlay_underlay(overlay, port_find(dp, TUNNEL_RIG_UPLINK)->index),
			    outer, &decap);
		assert_int_equal(frame->drop, DROP_NONE);
		assert_ptr_equal(decap_take(outer, &decap, inner), port_find(dp, 11));
		assert_int_equal(inner->frames[0].drop, cases[i].drop);
		if (cases[i].drop != DROP_NONE)
			continue;
		assert_int_equal(inner->frames[0].vnet.hdr.flags, cases[i].inner_flags);
		assert_int_equal(le16toh(inner->frames[0].vnet.hdr.csum_start),
				 cases[i].inner_start);
		assert_int_equal(inner->frames[0].head_len, 100);
		assert_null(decap_take(outer, &decap, inner));
	}
	free(outer);
	free(inner);
}

/* The head is as full as that of any frame, in whatever pieces the body lies. */
static void head_is_refilled(void **state)
{
	struct dataplane *dp = *state;
	const struct overlay *overlay = atomic_load(&dp->overlay);
	struct rig_frame *sent = tunnel_rig_send(dp, 4, 11, ALPHA, RIG_BROADCAST, REMOTE, 200, 3);
	struct burst *outer = calloc(1, sizeof(*outer)), *inner = calloc(1, sizeof(*inner));
	struct decap decap;

	rig_port(dp, TUNNEL_RIG_UPLINK)->n_in--;
	for (uint32_t piece = 1; piece < 60; piece++) {
		struct frame *frame = &outer->frames[0];
		uint8_t whole[256];
		uint32_t at;

		*frame = (struct frame){.len = sent->len, .head_len = 128, .iov = outer->pieces};
		outer->n = 1;
		memcpy(frame->head, sent->bytes, 128);
		for (at = 128; at < sent->len; at += piece) {
			uint32_t left = sent->len - at;

			outer->pieces[frame->n_iov++] =
				(struct iovec){sent->bytes + at, left < piece ? left : piece};
		}
		decap_burst(dp, overlay,
			    overlay_underlay(overlay, port_find(dp, TUNNEL_RIG_UPLINK)->index),
			    outer, &decap);
		assert_non_null(decap_take(outer, &decap, inner));
		frame = &inner->frames[0];
		assert_int_equal(frame->head_len, FRAME_HEAD_BYTES);
		assert_int_equal(frame->len, 200);
		memcpy(whole, frame->head, 128);
		at = 128;
		for (unsigned int i = 0; i < frame->n_iov; i++) {
			memcpy(whole + at, frame->iov[i].iov_base, frame->iov[i].iov_len);
			at += (uint32_t)frame->iov[i].iov_len;
		}
		assert_int_equal(at, 200);
		assert_memory_equal(whole, sent->bytes + 50, 200);
	}
	free(outer);
	free(inner);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tunnel_rig_tear_down)
#define TEST6(name) cmocka_unit_test_setup_teardown(name, set_up_ipv6, tunnel_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(floods_reach_the_segment),
		TEST6(floods_reach_the_segment),
		TEST(vnis_keep_apart),
		TEST6(vnis_keep_apart),
		TEST(peers_share_a_burst),
		TEST(frames_are_judged_one_by_one),
		TEST(tunnels_do_not_loop),
		TEST(forged_vtep),
		TEST6(forged_vtep),
		TEST(wrong_vni),
		TEST6(wrong_vni),
		TEST(flag_clear),
		TEST(truncated),
		TEST(shorter_inside),
		TEST(other_target),
		TEST(fragments),
		TEST(checksum_wrong),
		TEST6(ipv6_checksum_missing_or_wrong),
		TEST(nested_stays_nested),
		TEST(guests_vxlan_is_payload),
		TEST(padding_is_trimmed),
		TEST(tags_need_qinq),
		TEST(marks_are_combined),
		TEST(no_learning_if_off),
		TEST(moves_to_another_host),
		TEST(blocked_uplink_and_peer),
		TEST(offloads_move_with_the_frame),
		TEST(head_is_refilled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
