/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of dataplane/port_peer.c through whole turns: who gets a copy, what is on the wire, and
 * that what is not known to have a way is dropped by name.
 *
 *     ports 1, 2 in ALPHA, 3 in BETA | peers 11: ALPHA, BETA; 12: ALPHA; 13: every segment | uplink
 */
#include "dataplane/port_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/txn.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/tunnel_rig.h"

#define NOW_S 1000
#define ALPHA TUNNEL_RIG_ALPHA
#define BETA TUNNEL_RIG_BETA
#define FLOWS 1000
#define FLOW_PORTS_MIN 900
#define REMOTE 0xa1

static int set_up_version(void **state, uint8_t ip_version)
{
	struct dataplane *dp = tunnel_rig_create_full(ip_version);

	tunnel_rig_put_peer(dp, ip_version, 13, NULL);
	*state = dp;
	return 0;
}

static int set_up(void **state)
{
	return set_up_version(state, 4);
}

static int set_up_ipv6(void **state)
{
	return set_up_version(state, 6);
}

static uint64_t drops(const struct dataplane *dp, uint64_t id, enum drop_reason reason)
{
	return rig_counters(dp, id)->drops[reason];
}

static unsigned int n_sent(const struct dataplane *dp)
{
	return rig_port(dp, TUNNEL_RIG_UPLINK)->n_out;
}

/* How many of the frames on the wire are for the peer by the VNI. */
static unsigned int count_to(const struct dataplane *dp, uint8_t peer, uint32_t vni)
{
	uint8_t version = port_find(dp, TUNNEL_RIG_UPLINK)->spec.addresses[0].version;
	struct dp_address address = tunnel_rig_address(version, peer);
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_sent(dp); i++) {
		struct vxlan_outer outer = tunnel_rig_outer(dp, i);

		n += outer.vni == vni && memcmp(outer.dst_ip, address.ip, 16) == 0;
	}
	return n;
}

/* Head-end replication: one copy for each host that has the segment, none for others. */
static void floods_go_to_hosts_of_the_segment(void **state)
{
	struct dataplane *dp = *state;

	rig_send(dp, 1, RIG_BROADCAST, 1, 100, 5);
	rig_turn(dp, NOW_S);
	assert_int_equal(n_sent(dp), 3);
	for (uint8_t peer = 11; peer <= 13; peer++)
		assert_int_equal(count_to(dp, peer, ALPHA), 1);
	assert_int_equal(rig_port(dp, 2)->n_out, 1);
	rig_port(dp, TUNNEL_RIG_UPLINK)->n_out = 0;

	rig_send(dp, 3, RIG_BROADCAST, 3, 100, 5);
	rig_turn(dp, NOW_S);
	assert_int_equal(n_sent(dp), 2);
	assert_int_equal(count_to(dp, 11, BETA), 1);
	assert_int_equal(count_to(dp, 12, BETA), 0);
	assert_int_equal(count_to(dp, 13, BETA), 1);
	/* Counted at the peers, as inner bytes; beside the uplink's own, what the wire carried. */
	assert_int_equal(rig_counters(dp, 11)->tx_frames, 2);
	assert_int_equal(rig_counters(dp, 11)->tx_bytes, 200);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->tx_frames, 0);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->carried_tx_frames, 5);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->carried_tx_bytes,
			 5 * (rig_port(dp, TUNNEL_RIG_UPLINK)->out[0].len));
}

static void known_addresses_go_to_one(void **state)
{
	struct dataplane *dp = *state;
	uint8_t version = port_find(dp, TUNNEL_RIG_UPLINK)->spec.addresses[0].version;
	const struct rig_frame *wire = &rig_port(dp, TUNNEL_RIG_UPLINK)->out[0];

	tunnel_rig_send(dp, version, 12, ALPHA, RIG_BROADCAST, REMOTE, 60, 0);
	rig_turn(dp, NOW_S);
	rig_send(dp, 1, REMOTE, 1, 180, 9);
	rig_turn(dp, NOW_S);
	assert_int_equal(n_sent(dp), 1);
	assert_int_equal(count_to(dp, 12, ALPHA), 1);

	struct vxlan_outer outer = tunnel_rig_outer(dp, 0);

	assert_memory_equal(wire->bytes, tunnel_rig_nexthop(12).dst_mac, 6);
	assert_memory_equal(wire->bytes + 6, tunnel_rig_nexthop(12).src_mac, 6);
	assert_memory_equal(outer.src_ip, tunnel_rig_address(version, 1).ip, 16);
	assert_memory_equal(wire->bytes + outer.inner_offset, rig_port(dp, 1)->in[0].bytes, 180);
	assert_int_equal(outer.ttl, 64);
	assert_int_equal(outer.has_checksum, version == 6);
}

/* Whatever came before them in the burst: of one flow or of others, as long or not. */
static void frames_of_a_burst_have_their_own_headers(void **state)
{
	static const uint32_t sources[] = {1, 1, 1, 5, 5, 1, 1},
			      lens[] = {100, 100, 180, 180, 180, 180, 60};
	struct dataplane *dp = *state;
	uint8_t version = port_find(dp, TUNNEL_RIG_UPLINK)->spec.addresses[0].version;
	uint16_t ports[7];

	tunnel_rig_send(dp, version, 12, ALPHA, RIG_BROADCAST, REMOTE, 60, 0);
	rig_turn(dp, NOW_S);
	for (uint8_t i = 0; i < 7; i++)
		rig_send(dp, 1, REMOTE, sources[i], lens[i], i);
	rig_turn(dp, NOW_S);
	assert_int_equal(n_sent(dp), 7);
	for (unsigned int i = 0; i < 7; i++) {
		const struct rig_frame *wire = &rig_port(dp, TUNNEL_RIG_UPLINK)->out[i];
		struct vxlan_outer outer = tunnel_rig_outer(dp, i);

		assert_int_equal(outer.inner_bytes, lens[i]);
		assert_int_equal(outer.vni, ALPHA);
		assert_memory_equal(wire->bytes + outer.inner_offset, rig_port(dp, 1)->in[i].bytes,
				    lens[i]);
		ports[i] = outer.src_port;
		assert_int_equal(outer.src_port == ports[0], sources[i] == sources[0]);
	}
}

/* Frames in a row that differ in nothing but the segment. */
static void segments_in_a_row_have_their_own_vni(void **state)
{
	static const uint32_t segments[] = {ALPHA, BETA, BETA, ALPHA};
	struct dataplane *dp = *state;
	struct dp_port trunk = rig_port_spec(4, ALPHA);

	trunk.n_members = 2;
	for (unsigned int i = 0; i < 2; i++) {
		trunk.members[i].segment_id = i == 0 ? ALPHA : BETA;
		trunk.members[i].vlan = (uint16_t)trunk.members[i].segment_id;
	}
	rig_put_port_spec(dp, &trunk);
	tunnel_rig_send(dp, 4, 11, ALPHA, RIG_BROADCAST, REMOTE, 60, 0);
	tunnel_rig_send(dp, 4, 11, BETA, RIG_BROADCAST, REMOTE, 60, 0);
	rig_turn(dp, NOW_S);
	for (unsigned int i = 0; i < 4; i++) {
		rig_send(dp, 4, REMOTE, 9, 100, 0);
		memcpy(rig_port(dp, 4)->in[i].bytes + 12,
		       (uint8_t[6]){0x81, 0, 0, (uint8_t)segments[i], 0x88, 0xb5}, 6);
	}
	rig_turn(dp, NOW_S);
	assert_int_equal(n_sent(dp), 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(tunnel_rig_outer(dp, i).vni, segments[i]);
}

/* A segment that comes later is one of "every segment". */
static void every_segment_means_later_ones_too(void **state)
{
	struct dataplane *dp = *state;

	rig_put_segment(dp, 3);
	rig_put_port(dp, 4, 3);
	rig_send(dp, 4, RIG_BROADCAST, 4, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(n_sent(dp), 1);
	assert_int_equal(count_to(dp, 13, 3), 1);
}

static void members_change_under_traffic(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port peer = tunnel_rig_peer(4, 11, tunnel_rig_only_alpha);
	uint16_t index = port_find(dp, 11)->index;

	tunnel_rig_send(dp, 4, 11, BETA, RIG_BROADCAST, REMOTE, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(fdb_count(dp->fdb), 1);
	rig_put_port_spec(dp, &peer);
	assert_int_equal(port_find(dp, 11)->index, index);
	/* What was learned there is forgotten with the membership. */
	assert_int_equal(fdb_count(dp->fdb), 0);
	rig_send(dp, 3, REMOTE, 3, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(count_to(dp, 11, BETA), 0);
	assert_int_equal(count_to(dp, 13, BETA), 1);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(count_to(dp, 11, ALPHA), 1);
}

/* The last gate, whatever the tables say. */
static void stale_entries_lead_nowhere(void **state)
{
	struct dataplane *dp = *state;
	uint16_t owner;
	uint8_t mac[6];

	rig_mac(mac, REMOTE);
	fdb_learn(dp->fdb, fdb_key(segment_find(dp, BETA)->index, mac), port_find(dp, 12)->index,
		  NOW_S, &owner);
	rig_send(dp, 3, REMOTE, 3, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(n_sent(dp), 0);
	assert_int_equal(drops(dp, 12, DROP_WRONG_SEGMENT), 1);
}

static void vtep_changes_in_place(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port peer = tunnel_rig_peer(4, 12, tunnel_rig_only_alpha);

	peer.addresses[0] = tunnel_rig_address(4, 77);
	rig_put_port_spec(dp, &peer);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(count_to(dp, 12, ALPHA), 0);
	assert_int_equal(count_to(dp, 77, ALPHA), 1);
}

static void options_of_the_uplink_are_live(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port uplink = tunnel_rig_uplink(4);
	const struct rig_frame *wire = &rig_port(dp, TUNNEL_RIG_UPLINK)->out[0];

	rig_set_port(&uplink, "ttl", "7");
	rig_set_port(&uplink, "dscp", "10");
	rig_set_port(&uplink, "checksum", "on");
	rig_put_port_spec(dp, &uplink);
	rig_send(dp, 1, RIG_BROADCAST, 1, 61, 0);
	rig_turn(dp, NOW_S);

	struct vxlan_outer outer = tunnel_rig_outer(dp, 0);

	assert_int_equal(outer.ttl, 7);
	assert_int_equal(outer.tos, 40);
	assert_true(outer.has_checksum);
	assert_int_equal(wire->bytes[14 + 6], 0x40); /* DF */
}

static void no_way_is_a_reason(void **state)
{
	struct dataplane *dp = *state;
	struct dp_nexthop none = {.peer_id = 11};
	struct dp_port_state peer_state = {0};
	char why[DP_TEXT_BYTES] = "";

	assert_int_equal(port_peer_nexthop(port_find(dp, 11), &none, why, sizeof(why)), 0);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(drops(dp, 11, DROP_NO_NEXTHOP), 1);
	assert_int_equal(n_sent(dp), 2);
	port_peer_type.state(port_find(dp, 11), &peer_state);
	assert_int_equal(peer_state.link, DP_LINK_DOWN);
	assert_non_null(strstr(peer_state.reason, "no route"));

	/* The uplink goes: so do all ways; it comes back: so do they. */
	rig_del_port(dp, TUNNEL_RIG_UPLINK);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(drops(dp, 12, DROP_NO_NEXTHOP), 1);
	port_peer_type.state(port_find(dp, 12), &peer_state);
	assert_int_equal(peer_state.link, DP_LINK_DOWN);

	struct dp_port uplink = tunnel_rig_uplink(4);

	rig_put_port_spec(dp, &uplink);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(n_sent(dp), 2);
	port_peer_type.state(port_find(dp, 12), &peer_state);
	assert_int_equal(peer_state.link, DP_LINK_UP);
}

static void next_hops_are_checked(void **state)
{
	struct dataplane *dp = *state;
	struct port *peer = port_find(dp, 11);
	char why[DP_TEXT_BYTES] = "";
	struct dp_nexthop wrong[5];

	for (int i = 0; i < 5; i++)
		wrong[i] = tunnel_rig_nexthop(11);
	wrong[0].uplink_id = 1;
	wrong[1].uplink_id = 4711;
	wrong[2].dst_mac[0] = 1;
	memset(wrong[3].src_mac, 0, 6);
	wrong[4].mtu = 49;
	for (int i = 0; i < 5; i++) {
		why[0] = '\0';
		assert_int_equal(port_peer_nexthop(peer, &wrong[i], why, sizeof(why)), -EINVAL);
		assert_true(why[0] != '\0');
	}
	/* And nothing has changed. */
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(count_to(dp, 11, ALPHA), 1);
}

static void next_hop_moves(void **state)
{
	struct dataplane *dp = *state;
	char why[DP_TEXT_BYTES] = "";

	for (uint8_t i = 0; i < 4; i++) {
		struct dp_nexthop nexthop = tunnel_rig_nexthop(12);
		uint8_t mac[6];

		rig_mac(mac, REMOTE);
		nexthop.dst_mac[5] = i;
		assert_int_equal(port_peer_nexthop(port_find(dp, 12), &nexthop, why, sizeof(why)),
				 0);
		tunnel_rig_send(dp, 4, 12, ALPHA, RIG_BROADCAST, REMOTE, 60, 0);
		rig_turn(dp, NOW_S);
		rig_send(dp, 1, REMOTE, 1, 60, 0);
		rig_turn(dp, NOW_S);
		assert_int_equal(n_sent(dp), i + 1);
		assert_int_equal(rig_port(dp, TUNNEL_RIG_UPLINK)->out[i].bytes[5], i);
	}
}

static void beyond_the_path_is_too_big(void **state)
{
	struct dataplane *dp = *state;
	struct dp_nexthop nexthop = tunnel_rig_nexthop(12);
	char why[DP_TEXT_BYTES] = "";

	/* 100 bytes of outer IP packet: 36 of headers, 64 of frame. */
	nexthop.mtu = 100;
	assert_int_equal(port_peer_nexthop(port_find(dp, 12), &nexthop, why, sizeof(why)), 0);
	rig_send(dp, 1, RIG_BROADCAST, 1, 64, 0);
	rig_send(dp, 1, RIG_BROADCAST, 1, 65, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(count_to(dp, 12, ALPHA), 1);
	assert_int_equal(count_to(dp, 11, ALPHA), 2);
	assert_int_equal(drops(dp, 12, DROP_TOO_BIG), 1);
}

/* An isolated port reaches peers that are not, and those it does not reach neither reach it. */
static void isolation(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port port = rig_port_spec(1, ALPHA), other = rig_port_spec(2, ALPHA);
	struct dp_port peer = tunnel_rig_peer(4, 11, tunnel_rig_both);

	rig_set_port(&port, "isolated", "on");
	rig_set_port(&other, "isolated", "on");
	rig_set_port(&peer, "isolated", "on");
	rig_put_port_spec(dp, &port);
	rig_put_port_spec(dp, &other);
	rig_put_port_spec(dp, &peer);
	rig_send(dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 2)->n_out, 0);
	assert_int_equal(count_to(dp, 11, ALPHA), 0);
	assert_int_equal(count_to(dp, 12, ALPHA), 1);
	assert_int_equal(count_to(dp, 13, ALPHA), 1);
	tunnel_rig_send(dp, 4, 11, ALPHA, RIG_BROADCAST, REMOTE, 60, 0);
	tunnel_rig_send(dp, 4, 11, BETA, RIG_BROADCAST, REMOTE, 60, 0);
	tunnel_rig_send(dp, 4, 12, ALPHA, RIG_BROADCAST, REMOTE + 1, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 1)->n_out, 1);
	assert_int_equal(rig_port(dp, 2)->n_out, 1);
	assert_int_equal(rig_port(dp, 3)->n_out, 1);
	/* Nobody was tried in vain. */
	assert_int_equal(rig_sum(dp).drops[DROP_ISOLATED], 0);
}

/* 1,000 flows leave from at least 900 source ports; each from one. */
static void flows_spread_over_source_ports(void **state)
{
	struct dataplane *dp = *state;
	struct rig_port *guest = rig_port(dp, 1), *uplink = rig_port(dp, TUNNEL_RIG_UPLINK);
	uint16_t *of_flow = calloc(FLOWS, sizeof(of_flow[0]));
	bool *seen = calloc(65536, sizeof(seen[0]));
	unsigned int distinct = 0;

	tunnel_rig_send(dp, 4, 12, ALPHA, RIG_BROADCAST, REMOTE, 60, 0);
	rig_turn(dp, NOW_S);
	for (unsigned int i = 0; i < 2 * FLOWS; i++) {
		uint8_t udp[24] = {0x45, 0, 0, 46, [8] = 64, 17, [12] = 10, 1, 0, 1, 10, 1, 0, 2};
		unsigned int flow = i % FLOWS;

		udp[20] = (uint8_t)(flow >> 8);
		udp[21] = (uint8_t)flow;
		guest->n_in = guest->n_taken = uplink->n_out = 0;
		rig_send(dp, 1, REMOTE, 1, 60, 0);
		memcpy(guest->in[0].bytes + 14, udp, sizeof(udp));
		rig_turn(dp, NOW_S);
		assert_int_equal(uplink->n_out, 1);

		uint16_t port = tunnel_rig_outer(dp, 0).src_port;

		assert_true(port >= 49152);
		if (i >= FLOWS)
			assert_int_equal(port, of_flow[flow]);
		of_flow[flow] = port;
		distinct += !seen[port];
		seen[port] = true;
	}
	print_message("%u flows on %u ports\n", FLOWS, distinct);
	assert_true(distinct >= FLOW_PORTS_MIN);
	free(of_flow);
	free(seen);
}

static void bad_peers_are_refused(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port wrong[5];

	for (int i = 0; i < 5; i++)
		wrong[i] = tunnel_rig_peer(4, 20, tunnel_rig_only_alpha);
	wrong[0].n_addresses = 0;
	wrong[1].addresses[0].prefix_bits = 24;
	wrong[2].addresses[0].ip[0] = 230;
	wrong[3].members[0].vlan = 5;
	wrong[4].addresses[0] = tunnel_rig_address(4, 11); /* another peer's */
	for (int i = 0; i < 5; i++) {
		struct txn *txn = NULL;
		char why[DP_TEXT_BYTES] = "";

		assert_int_equal(txn_begin(dp, &txn), 0);
		assert_int_equal(txn_put_port(txn, &wrong[i], NULL, 0), 0);
		assert_true(txn_prepare(txn, why, sizeof(why)) < 0);
		txn_abort(txn);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tunnel_rig_tear_down)
#define TEST6(name) cmocka_unit_test_setup_teardown(name, set_up_ipv6, tunnel_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(floods_go_to_hosts_of_the_segment),
		TEST6(floods_go_to_hosts_of_the_segment),
		TEST(known_addresses_go_to_one),
		TEST6(known_addresses_go_to_one),
		TEST(frames_of_a_burst_have_their_own_headers),
		TEST6(frames_of_a_burst_have_their_own_headers),
		TEST(segments_in_a_row_have_their_own_vni),
		TEST(every_segment_means_later_ones_too),
		TEST(members_change_under_traffic),
		TEST(stale_entries_lead_nowhere),
		TEST(vtep_changes_in_place),
		TEST(options_of_the_uplink_are_live),
		TEST(no_way_is_a_reason),
		TEST(next_hops_are_checked),
		TEST(next_hop_moves),
		TEST(beyond_the_path_is_too_big),
		TEST(isolation),
		TEST(flows_spread_over_source_ports),
		TEST(bad_peers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
