/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/answer.c for arp_suppress, through whole turns. Ports 1, 2 and 3 and the peer
 * 11 in ALPHA; station N has the addresses 10.1.0.N and fd00::N. */
#include "dataplane/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "dataplane/neigh.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/tunnel_rig.h"
#include "vxlan/vxlan_sum.h"

#define NOW_S 1000
#define ALPHA 1
#define REMOTE 0xa1
#define ARP_BYTES 60
#define ND_BYTES 86
#define OUTER_BYTES 50
#define R_FLAG 0x80

static void put_segment(struct dataplane *dp, const char *word)
{
	struct dp_segment segment = rig_segment(ALPHA);

	segment.guards = DP_GUARD_SNOOP;
	rig_set_segment(&segment, "arp_suppress", word);
	rig_put_segment_spec(dp, &segment);
}

static int set_up(void **state)
{
	struct dataplane *dp = tunnel_rig_create(4);

	put_segment(dp, "on");
	for (uint64_t id = 1; id <= 3; id++)
		rig_put_port(dp, id, ALPHA);
	tunnel_rig_put_peer(dp, 4, 11, NULL);
	*state = dp;
	return 0;
}

/* An ARP packet behind the MACs. from_ip 0: of nobody, as in a probe. */
static void write_arp(uint8_t *bytes, uint8_t operation, uint32_t from, uint8_t from_ip, uint8_t ip)
{
	const uint8_t arp[30] = {8,	    6,	       0, 1, 8,	      0,	 6, 4, 0,
				 operation, [16] = 10, 1, 0, from_ip, [26] = 10, 1, 0, ip};

	memset(bytes + 12, 0, ARP_BYTES - 12);
	memcpy(bytes + 12, arp, sizeof(arp));
	rig_mac(bytes + 22, from);
	if (from_ip == 0)
		memset(bytes + 28, 0, 4);
}

static void send_arp(struct dataplane *dp, uint64_t port, uint32_t from, uint8_t from_ip,
		     uint8_t ip)
{
	rig_send(dp, port, RIG_BROADCAST, from, ARP_BYTES, 0);
	write_arp(rig_port(dp, port)->in[rig_port(dp, port)->n_in - 1].bytes, 1, from, from_ip, ip);
}

/* Announces its own address (RFC 5227). */
static void announce(struct dataplane *dp, uint64_t port, uint32_t station, uint8_t ip)
{
	send_arp(dp, port, station, ip, ip);
}

static void announce_remote(struct dataplane *dp, uint32_t station, uint8_t ip)
{
	struct rig_frame *frame =
		tunnel_rig_send(dp, 4, 11, ALPHA, RIG_BROADCAST, station, ARP_BYTES, 0);

	write_arp(frame->bytes + OUTER_BYTES, 1, station, ip, ip);
}

/* Neighbour solicitation (135) or advertisement (136) of the station, whose address is `from`. */
static void send_nd(struct dataplane *dp, uint64_t port, uint8_t type, uint8_t station,
		    uint8_t from, uint8_t target, uint8_t flags)
{
	struct rig_port *rig = rig_port(dp, port);
	uint8_t *bytes = rig->in[rig->n_in].bytes, *icmp = bytes + 54;
	struct vxlan_sum sum = {0};
	uint16_t checksum;

	rig_send(dp, port, RIG_BROADCAST, station, ND_BYTES, 0);
	memset(bytes + 12, 0, ND_BYTES - 12);
	memcpy(bytes + 12, (uint8_t[10]){0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255}, 10);
	bytes[22] = from != 0 ? 0xfd : 0;
	bytes[37] = from;
	memcpy(bytes + 38, (uint8_t[16]){0xff, 2, [11] = 1, 0xff, 0, 0, target}, 16);
	icmp[0] = type;
	icmp[4] = flags;
	icmp[8] = 0xfd;
	icmp[23] = target;
	icmp[24] = type == 135 ? 1 : 2;
	icmp[25] = 1;
	rig_mac(icmp + 26, station);
	vxlan_sum_add_pseudo(&sum, bytes + 22, 32, 32, 58);
	vxlan_sum_add(&sum, icmp, 32);
	checksum = (uint16_t)~vxlan_sum_fold(&sum);
	memcpy(icmp + 2, &checksum, sizeof(checksum));
}

/* What has come out anywhere but at port 1 since the last call. */
static unsigned int others_heard(struct dataplane *dp)
{
	static const uint64_t ids[] = {2, 3, TUNNEL_RIG_UPLINK};
	unsigned int n = 0;

	for (unsigned int i = 0; i < 3; i++) {
		n += rig_port(dp, ids[i])->n_out;
		rig_port(dp, ids[i])->n_out = 0;
	}
	return n;
}

/* Station 1 at port 1 asks for 10.1.0.ip. The answer, or NULL and everybody is asked. */
static const uint8_t *ask(struct dataplane *dp, uint64_t now_s, uint8_t ip)
{
	struct rig_port *port = rig_port(dp, 1);

	others_heard(dp);
	port->n_out = 0;
	send_arp(dp, 1, 1, 1, ip);
	rig_turn(dp, now_s);
	assert_int_equal(others_heard(dp) + 3 * port->n_out, 3);
	return port->n_out != 0 ? port->out[0].bytes : NULL;
}

static void assert_arp_answer(const uint8_t *bytes, uint32_t station, uint8_t ip)
{
	uint8_t expected[ARP_BYTES];

	assert_non_null(bytes);
	rig_mac(expected, 1);
	rig_mac(expected + 6, station);
	write_arp(expected, 2, station, ip, 1);
	rig_mac(expected + 32, 1);
	assert_memory_equal(bytes, expected, 42);
}

static void known_neighbours_are_answered_for(void **state)
{
	struct dataplane *dp = *state;

	announce(dp, 2, 2, 2);
	announce_remote(dp, REMOTE, 9);
	rig_turn(dp, NOW_S);
	assert_arp_answer(ask(dp, NOW_S, 2), 2, 2);
	assert_int_equal(rig_port(dp, 1)->out[0].len, 42);
	assert_arp_answer(ask(dp, NOW_S, 9), REMOTE, 9);
	assert_int_equal(rig_counters(dp, 1)->generated, 2);
	assert_int_equal(rig_counters(dp, 1)->drops[DROP_ANSWERED], 2);
	/* Who asks is learned all the same. */
	rig_send(dp, 2, 1, 2, 60, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(others_heard(dp), 0);
}

static void unknown_ones_are_asked_for(void **state)
{
	struct dataplane *dp = *state;

	assert_null(ask(dp, NOW_S, 2));
	announce(dp, 2, 2, 2);
	rig_turn(dp, NOW_S);
	put_segment(dp, "off");
	assert_null(ask(dp, NOW_S, 2));
	put_segment(dp, "on");
	assert_non_null(ask(dp, NOW_S, 2));
	assert_int_equal(rig_counters(dp, 1)->drops[DROP_ANSWERED], 1);
}

/* Probes, announcements, questions to one host, and answers. */
static void what_others_must_see_passes(void **state)
{
	struct dataplane *dp = *state;

	announce(dp, 2, 2, 2);
	rig_turn(dp, NOW_S);
	others_heard(dp);
	send_arp(dp, 1, 1, 0, 2);
	rig_turn(dp, NOW_S);
	assert_int_equal(others_heard(dp), 3);
	announce(dp, 1, 1, 2);
	rig_turn(dp, NOW_S);
	assert_int_equal(others_heard(dp), 3);
	announce(dp, 2, 2, 2);
	rig_turn(dp, NOW_S);
	others_heard(dp);
	send_arp(dp, 1, 1, 1, 2);
	rig_mac(rig_port(dp, 1)->in[rig_port(dp, 1)->n_in - 1].bytes, 2);
	rig_turn(dp, NOW_S);
	assert_int_equal(others_heard(dp), 1);
	assert_int_equal(rig_counters(dp, 1)->generated, 0);
}

static void a_machine_that_moved_is_not_answered_for(void **state)
{
	struct dataplane *dp = *state;

	announce(dp, 2, 2, 2);
	rig_turn(dp, NOW_S);
	assert_non_null(ask(dp, NOW_S, 2));
	/* It is heard elsewhere, but has not said its address there. */
	rig_send(dp, 3, RIG_BROADCAST, 2, 60, 0);
	rig_turn(dp, NOW_S);
	assert_null(ask(dp, NOW_S, 2));
	announce(dp, 3, 2, 2);
	rig_turn(dp, NOW_S);
	assert_arp_answer(ask(dp, NOW_S, 2), 2, 2);
	/* Another MAC takes the address. */
	announce_remote(dp, REMOTE, 2);
	rig_turn(dp, NOW_S);
	assert_arp_answer(ask(dp, NOW_S, 2), REMOTE, 2);
	rig_del_port(dp, 11);
	others_heard(dp);
	send_arp(dp, 1, 1, 1, 2);
	rig_turn(dp, NOW_S);
	assert_int_equal(others_heard(dp), 2);
}

static void old_claims_are_no_answer(void **state)
{
	struct dataplane *dp = *state;

	announce(dp, 2, 2, 2);
	rig_turn(dp, NOW_S);
	assert_non_null(ask(dp, NOW_S + RIG_AGE_S, 2));
	/* Its MAC is heard, but the address may be another's by now. */
	rig_send(dp, 2, 1, 2, 60, 0);
	rig_turn(dp, NOW_S + RIG_AGE_S);
	assert_null(ask(dp, NOW_S + RIG_AGE_S + 1, 2));
	announce(dp, 2, 2, 2);
	rig_turn(dp, NOW_S + RIG_AGE_S + 1);
	assert_non_null(ask(dp, NOW_S + RIG_AGE_S + 1, 2));
}

static void a_mac_that_is_forgotten_is_no_answer(void **state)
{
	struct dataplane *dp = *state;
	struct neigh_entry claim = {.version = 4, .ip = {10, 1, 0, 2}, .seen_s = NOW_S};
	uint8_t mac[6];

	rig_mac(mac, 2);
	claim.key = fdb_key(ALPHA, mac);
	claim.port = port_find(dp, 2)->index;
	assert_true(neigh_learn(dp->neigh, &claim));
	assert_null(ask(dp, NOW_S, 2));
	rig_send(dp, 2, 1, 2, 60, 0);
	rig_turn(dp, NOW_S);
	assert_non_null(ask(dp, NOW_S, 2));
}

/* The neighbour is behind the same port, is the asker itself, or may not be reached. */
static void who_cannot_use_it_gets_no_answer(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port ports[2] = {rig_port_spec(1, ALPHA), rig_port_spec(2, ALPHA)};

	announce(dp, 1, 5, 5);
	announce(dp, 2, 2, 2);
	rig_turn(dp, NOW_S);
	assert_null(ask(dp, NOW_S, 5));
	for (int i = 0; i < 2; i++) {
		rig_set_port(&ports[i], "isolated", "on");
		rig_put_port_spec(dp, &ports[i]);
		others_heard(dp);
		send_arp(dp, 1, 1, 1, 2);
		rig_turn(dp, NOW_S);
		assert_int_equal(others_heard(dp), i == 0 ? 0 : 2);
	}
	assert_int_equal(rig_counters(dp, 1)->drops[DROP_ANSWERED], 1);
}

/* What comes from another host has been looked at there. */
static void tunnels_are_not_answered(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame *frame;

	announce(dp, 2, 2, 2);
	rig_turn(dp, NOW_S);
	others_heard(dp);
	frame = tunnel_rig_send(dp, 4, 11, ALPHA, RIG_BROADCAST, REMOTE, ARP_BYTES, 0);
	write_arp(frame->bytes + OUTER_BYTES, 1, REMOTE, 9, 2);
	rig_turn(dp, NOW_S);
	assert_int_equal(others_heard(dp), 2);
	assert_int_equal(rig_counters(dp, 11)->generated, 0);
}

static unsigned int ask_nd(struct dataplane *dp, uint8_t from, uint8_t target)
{
	others_heard(dp);
	rig_port(dp, 1)->n_out = 0;
	send_nd(dp, 1, 135, 1, from, target, 0);
	rig_turn(dp, NOW_S);
	return others_heard(dp);
}

static void solicitations_are_answered_once_the_role_is_known(void **state)
{
	struct dataplane *dp = *state;
	const struct rig_frame *answer = &rig_port(dp, 1)->out[0];

	/* A solicitation tells its address, but not whether it is a router. */
	send_nd(dp, 2, 135, 2, 2, 77, 0);
	rig_turn(dp, NOW_S);
	assert_int_equal(ask_nd(dp, 1, 2), 3);
	for (int router = 0; router < 2; router++) {
		uint8_t flags = router ? R_FLAG : 0;

		send_nd(dp, 2, 136, 2, 2, 2, flags);
		rig_turn(dp, NOW_S);
		/* The next solicitation of its own does not make it unknown. */
		send_nd(dp, 2, 135, 2, 2, 77, 0);
		rig_turn(dp, NOW_S);
		assert_int_equal(ask_nd(dp, 1, 2), 0);
		assert_int_equal(rig_port(dp, 1)->n_out, 1);
		assert_int_equal(answer->len, ND_BYTES);
		assert_int_equal(answer->bytes[54], 136);
		assert_int_equal(answer->bytes[58], flags | 0x60);
		assert_int_equal(answer->bytes[85], 2);
	}
	/* Duplicate address detection. */
	assert_int_equal(ask_nd(dp, 0, 2), 3);
	assert_int_equal(rig_port(dp, 1)->n_out, 0);
}

/* Port 4 has a MAC and addresses by configuration. */
static void configured_addresses_are_known(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port spec = rig_port_spec(4, ALPHA);

	rig_mac(spec.mac, 4);
	spec.n_addresses = 2;
	spec.addresses[0] =
		(struct dp_address){.version = 4, .prefix_bits = 32, .ip = {10, 1, 0, 4}};
	spec.addresses[1] =
		(struct dp_address){.version = 4, .prefix_bits = 24, .ip = {10, 1, 0, 8}};
	rig_put_port_spec(dp, &spec);
	rig_turn(dp, NOW_S);
	/* Its machine has not been heard. */
	assert_int_equal(neigh_count(dp->neigh), 0);
	rig_send(dp, 4, 1, 4, 60, 0);
	rig_turn(dp, NOW_S + 10);
	send_arp(dp, 1, 1, 1, 4);
	rig_turn(dp, NOW_S + 20);
	assert_int_equal(rig_counters(dp, 1)->drops[DROP_ANSWERED], 1);
	/* 10.1.0.1, of who asks, and 10.1.0.4; of a prefix nobody knows who has which. */
	assert_int_equal(neigh_count(dp->neigh), 2);
	/* Another claims it: who was heard last counts, not the configuration. */
	announce(dp, 2, 2, 4);
	rig_send(dp, 4, 1, 4, 60, 0);
	rig_turn(dp, NOW_S + 30);
	rig_turn(dp, NOW_S + 40);
	rig_port(dp, 1)->n_out = 0;
	send_arp(dp, 1, 1, 1, 4);
	rig_turn(dp, NOW_S + 40);
	assert_arp_answer(rig_port(dp, 1)->out[0].bytes, 2, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tunnel_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(known_neighbours_are_answered_for),
		TEST(unknown_ones_are_asked_for),
		TEST(what_others_must_see_passes),
		TEST(a_machine_that_moved_is_not_answered_for),
		TEST(old_claims_are_no_answer),
		TEST(a_mac_that_is_forgotten_is_no_answer),
		TEST(who_cannot_use_it_gets_no_answer),
		TEST(tunnels_are_not_answered),
		TEST(solicitations_are_answered_once_the_role_is_known),
		TEST(configured_addresses_are_known),
	};

	return cmocka_run_group_tests_name("answer_neigh", tests, NULL, NULL);
}
