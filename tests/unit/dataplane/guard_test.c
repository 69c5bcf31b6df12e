/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/guard.c: each guard's verdicts, who turns it on and off, what main is told. */
#include "dataplane/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/classify.h"
#include "dataplane/counters.h"
#include "dataplane/neigh.h"
#include "dataplane/txn.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define ALPHA 1
#define ME 50 /* station of port 1 */
#define OTHER 60

/* What port 1 is given; the segment's guards. */
struct settings {
	uint16_t segment_guards, on, off;
	bool has_no_mac, has_addresses;
};

static struct dp_port port_spec(const struct settings *settings)
{
	struct dp_port port = rig_port_spec(1, ALPHA);

	port.guards_on = settings->on;
	port.guards_off = settings->off;
	if (!settings->has_no_mac)
		rig_mac(port.mac, ME);
	if (settings->has_addresses) {
		port.n_addresses = 3;
		port.addresses[0] =
			(struct dp_address){{10, 0, 0, 1}, .version = 4, .prefix_bits = 32};
		port.addresses[1] =
			(struct dp_address){{10, 1, 16}, .version = 4, .prefix_bits = 20};
		port.addresses[2] =
			(struct dp_address){{0xfd, 0, [15] = 1}, .version = 6, .prefix_bits = 128};
	}
	return port;
}

static void put(struct dataplane *dp, const struct settings *settings)
{
	struct dp_segment segment = rig_segment(ALPHA);
	struct dp_port port = port_spec(settings);
	char why[DP_TEXT_BYTES];
	struct txn *txn = NULL;

	segment.guards = settings->segment_guards;
	assert_int_equal(txn_begin(dp, &txn), 0);
	txn_put_segment(txn, &segment);
	txn_put_port(txn, &port, NULL, 0);
	assert_int_equal(txn_prepare(txn, why, sizeof(why)), 0);
	txn_commit(txn);
}

static struct dataplane *create(struct settings settings)
{
	struct dataplane *dp = rig_create(1);

	put(dp, &settings);
	return dp;
}

static struct dataplane *guarded(uint16_t guards)
{
	return create((struct settings){.segment_guards = guards, .has_addresses = true});
}

/* A frame of `station` with these bytes after its addresses, through the stage. */
static enum drop_reason verdict_of(struct dataplane *dp, uint32_t station, const uint8_t *bytes,
				   size_t n)
{
	struct burst *burst = dp->workers[0]->burst;

	burst->n = 0;
	burst->now_s = 1000;
	burst->now_ns = 1000ULL * 1000000000;
	struct frame *frame = rig_add_frame(burst, RIG_BROADCAST, station, (uint32_t)(12 + n));

	memcpy(frame->head + 12, bytes, n);
	frame->segment = ALPHA;
	guard_burst(dp->workers[0], port_find(dp, 1), burst);
	return (enum drop_reason)frame->drop;
}

#define VERDICT(dp, station, ...)                                                                  \
	verdict_of(dp, station, (const uint8_t[]){__VA_ARGS__},                                    \
		   sizeof((const uint8_t[]){__VA_ARGS__}))

/* Headers up to the addresses. */
#define ARP(ip, station)                                                                           \
	8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, station, ip, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9
#define IPV4(protocol, ip) 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0, ip, 10, 0, 0, 9
#define IPV6(bytes, next, ip)                                                                      \
	0x86, 0xdd, 0x60, 0, 0, 0, 0, bytes, next, 255, ip, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
		0, 0, 0, 1
#define MY_IP4 10, 0, 0, 1
#define MY_NET4 10, 1, 31, 255
#define OUTSIDE_IP4 10, 1, 32, 0
#define OTHER_IP4 10, 0, 0, 2
#define NO_IP4 0, 0, 0, 0
#define MY_IP6 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define OTHER_IP6 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define OTHER_LOCAL 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, OTHER
#define NO_IP6 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define MY_LOCAL 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, ME
#define ND(type, ip) type, 0, 0, 0, 0, 0, 0, 0, ip
#define LLA(option, station) option, 1, 2, 0, 0, 0, 0, station
#define UDP(from, to) (from) >> 8, (from)&255, (to) >> 8, (to)&255, 0, 8, 0, 0
#define NUMBERED_IP4(i) 10, 9, (uint8_t)((i) >> 8), (uint8_t)(i)
#define TCP_PORTS 0, 80, 0, 80

static void an_unguarded_port_may_say_anything(void **state)
{
	struct dataplane *dp = guarded(0);

	assert_int_equal(VERDICT(dp, OTHER, ARP(OTHER_IP4, 99)), DROP_NONE);
	assert_int_equal(VERDICT(dp, OTHER, IPV4(17, OTHER_IP4), UDP(67, 68)), DROP_NONE);
	assert_int_equal(VERDICT(dp, OTHER, 8, 6, 0), DROP_NONE);
	dataplane_destroy(dp);
}

static void the_mac_guard_knows_one_sender(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_MAC);

	assert_int_equal(VERDICT(dp, ME, 0x88, 0xb5), DROP_NONE);
	assert_int_equal(VERDICT(dp, OTHER, 0x88, 0xb5), DROP_MAC_SPOOF);
	dataplane_destroy(dp);
	dp = create((struct settings){.segment_guards = DP_GUARD_MAC, .has_no_mac = true});
	assert_int_equal(VERDICT(dp, OTHER, 0x88, 0xb5), DROP_NONE);
	dataplane_destroy(dp);
}

static void the_ip_guard_knows_addresses_and_prefixes(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_IP);

	assert_int_equal(VERDICT(dp, ME, IPV4(6, MY_IP4), TCP_PORTS), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV4(6, MY_NET4), TCP_PORTS), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV4(6, OUTSIDE_IP4), TCP_PORTS), DROP_IP_SPOOF);
	assert_int_equal(VERDICT(dp, ME, IPV4(17, OTHER_IP4), UDP(53, 53)), DROP_IP_SPOOF);
	assert_int_equal(VERDICT(dp, ME, IPV4(1, OTHER_IP4), 8, 0, 0, 0), DROP_IP_SPOOF);
	assert_int_equal(VERDICT(dp, ME, IPV4(17, NO_IP4), UDP(68, 67)), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV6(4, 6, MY_IP6), TCP_PORTS), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV6(4, 6, MY_LOCAL), TCP_PORTS), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV6(4, 6, NO_IP6), TCP_PORTS), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV6(4, 6, OTHER_LOCAL), TCP_PORTS), DROP_IP_SPOOF);
	assert_int_equal(VERDICT(dp, ME, IPV6(4, 6, OTHER_IP6), TCP_PORTS), DROP_IP_SPOOF);
	dataplane_destroy(dp);
}

static void fragments_have_a_source_too(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_IP);

	assert_int_equal(VERDICT(dp, ME, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 100, 64, 17, 0, 0,
				 OTHER_IP4, MY_IP4),
			 DROP_IP_SPOOF);
	assert_int_equal(
		VERDICT(dp, ME, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 100, 64, 17, 0, 0, MY_IP4, MY_IP4),
		DROP_NONE);
	dataplane_destroy(dp);
}

static void without_addresses_there_is_no_ip_to_hold_to(void **state)
{
	struct dataplane *dp =
		create((struct settings){.segment_guards = DP_GUARD_IP | DP_GUARD_ARP});

	assert_int_equal(VERDICT(dp, ME, IPV4(6, OTHER_IP4), TCP_PORTS), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, ARP(OTHER_IP4, ME)), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, ARP(OTHER_IP4, OTHER)), DROP_ARP_SPOOF);
	dataplane_destroy(dp);
}

static void arp_claims_only_what_the_port_has(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_ARP);

	assert_int_equal(VERDICT(dp, ME, ARP(MY_IP4, ME)), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, ARP(NO_IP4, ME)), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, ARP(OTHER_IP4, ME)), DROP_ARP_SPOOF);
	assert_int_equal(VERDICT(dp, ME, ARP(MY_IP4, OTHER)), DROP_ARP_SPOOF);
	assert_int_equal(VERDICT(dp, ME, 0x81, 0, 0, 0, ARP(OTHER_IP4, ME)), DROP_ARP_SPOOF);
	dataplane_destroy(dp);
}

static void neighbour_discovery_claims_only_what_the_port_has(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_ARP);

	assert_int_equal(VERDICT(dp, ME, IPV6(32, 58, MY_LOCAL), ND(136, MY_IP6), LLA(2, ME)),
			 DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV6(32, 58, MY_LOCAL), ND(136, OTHER_IP6), LLA(2, ME)),
			 DROP_ND_SPOOF);
	assert_int_equal(VERDICT(dp, ME, IPV6(32, 58, MY_LOCAL), ND(136, MY_IP6), LLA(2, OTHER)),
			 DROP_ND_SPOOF);
	/* To ask for another's address is no claim; to ask in another's name is. */
	assert_int_equal(VERDICT(dp, ME, IPV6(32, 58, MY_IP6), ND(135, OTHER_IP6), LLA(1, ME)),
			 DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV6(32, 58, OTHER_IP6), ND(135, MY_IP6), LLA(1, ME)),
			 DROP_ND_SPOOF);
	/* A probe for another's address keeps that one from starting. */
	assert_int_equal(VERDICT(dp, ME, IPV6(24, 58, NO_IP6), ND(135, MY_LOCAL)), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV6(24, 58, NO_IP6), ND(135, OTHER_IP6)), DROP_ND_SPOOF);
	dataplane_destroy(dp);
}

/* Neither before nor behind frames that need no look, nor behind one that was dropped. */
static void what_is_wrong_is_found_among_plain_frames(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_DHCP | DP_GUARD_RA);
	const uint8_t server[] = {IPV4(17, OTHER_IP4), 0, 67, 0, 68};
	struct burst *burst = dp->workers[0]->burst;

	burst->n = 0;
	for (unsigned int i = 0; i < BURST_FRAMES; i++) {
		struct frame *frame = rig_add_frame(burst, RIG_BROADCAST, ME, 12 + sizeof(server));

		memcpy(frame->head + 12, server, sizeof(server));
		if (i % 5 != 0)
			frame->head[35] = frame->head[37] = 80; /* other ports */
		if (i % 7 == 0)
			frame->drop = DROP_TAGGED;
		frame->segment = ALPHA;
	}
	guard_burst(dp->workers[0], port_find(dp, 1), burst);
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		assert_int_equal(burst->frames[i].drop, i % 7 == 0   ? DROP_TAGGED
							: i % 5 == 0 ? DROP_ROGUE_DHCP
								     : DROP_NONE);
	dataplane_destroy(dp);
}

static void only_dhcp_servers_speak_as_such(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_DHCP);

	assert_int_equal(VERDICT(dp, ME, IPV4(17, NO_IP4), UDP(68, 67)), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV4(17, MY_IP4), UDP(67, 68)), DROP_ROGUE_DHCP);
	assert_int_equal(VERDICT(dp, ME, IPV4(17, MY_IP4), UDP(9999, 68)), DROP_ROGUE_DHCP);
	assert_int_equal(VERDICT(dp, ME, IPV4(6, MY_IP4), UDP(67, 68)), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV6(8, 17, MY_LOCAL), UDP(546, 547)), DROP_NONE);
	assert_int_equal(VERDICT(dp, ME, IPV6(8, 17, MY_LOCAL), UDP(547, 546)), DROP_ROGUE_DHCP);
	assert_int_equal(
		VERDICT(dp, ME, IPV6(16, 60, MY_LOCAL), 17, 0, 1, 4, 0, 0, 0, 0, UDP(547, 546)),
		DROP_ROGUE_DHCP);
	dataplane_destroy(dp);
}

static void only_routers_advertise_and_redirect(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_RA);

	for (uint8_t type = 0; type < 200; type++) {
		bool is_6 = type == 134 || type == 137, is_4 = type == 5 || type == 9;

		assert_int_equal(VERDICT(dp, ME, IPV6(24, 58, MY_LOCAL), ND(type, MY_IP6)),
				 is_6 ? DROP_ROGUE_RA : DROP_NONE);
		assert_int_equal(VERDICT(dp, ME, IPV4(1, MY_IP4), type, 0, 0, 0),
				 is_4 ? DROP_ROGUE_RA : DROP_NONE);
	}
	dataplane_destroy(dp);
}

static void what_cannot_be_read_does_not_pass_a_guard(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_RA | DP_GUARD_UNREADABLE);

	assert_int_equal(VERDICT(dp, ME, 8, 6, 0, 1), DROP_UNREADABLE);
	assert_int_equal(VERDICT(dp, ME, IPV6(100, 60, MY_LOCAL), 58, 40, 0, 0, 0, 0, 0, 0),
			 DROP_UNREADABLE);
	assert_int_equal(VERDICT(dp, ME, 0x88, 0xb5), DROP_NONE);
	dataplane_destroy(dp);
}

static void a_port_adds_to_its_segments_guards_and_takes_away(void **state)
{
	struct dataplane *dp = create((struct settings){.segment_guards = DP_GUARD_MAC});

	assert_int_equal(VERDICT(dp, OTHER, ARP(OTHER_IP4, ME)), DROP_MAC_SPOOF);
	put(dp, &(struct settings){.segment_guards = DP_GUARD_MAC, .off = DP_GUARD_MAC});
	assert_int_equal(VERDICT(dp, OTHER, ARP(OTHER_IP4, ME)), DROP_NONE);
	put(dp, &(struct settings){
			.segment_guards = DP_GUARD_MAC, .off = DP_GUARD_MAC, .on = DP_GUARD_ARP});
	assert_int_equal(VERDICT(dp, OTHER, ARP(OTHER_IP4, ME)), DROP_ARP_SPOOF);
	/* The segment's are changed under traffic too. */
	put(dp, &(struct settings){.segment_guards = 0});
	assert_int_equal(VERDICT(dp, OTHER, ARP(OTHER_IP4, ME)), DROP_NONE);
	dataplane_destroy(dp);
}

static bool count_six(void *ctx, const struct neigh_entry *entry)
{
	*(unsigned int *)ctx += entry->version == 6;
	return false;
}

static void main_is_told_of_claims_that_pass(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_ARP | DP_GUARD_SNOOP);
	unsigned int n_six = 0;

	VERDICT(dp, ME, ARP(MY_IP4, ME));
	VERDICT(dp, ME, ARP(NO_IP4, ME));
	VERDICT(dp, ME, ARP(OTHER_IP4, ME));
	VERDICT(dp, ME, IPV6(24, 58, MY_IP6), ND(135, OTHER_IP6));
	VERDICT(dp, ME, IPV4(6, MY_NET4), TCP_PORTS);
	neigh_requests(dp, dp->workers[0]->neigh);
	assert_int_equal(neigh_count(dp->neigh), 2);
	neigh_sweep(dp->neigh, NEIGH_ALL, NEIGH_ALL, count_six, &n_six);
	assert_int_equal(n_six, 1);
	dataplane_destroy(dp);
}

static void a_port_that_claims_without_end_is_not_heard(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_SNOOP);

	for (unsigned int i = 0; i < NEIGH_REQUESTS; i++)
		VERDICT(dp, ME, ARP(NUMBERED_IP4(i), ME));
	assert_int_equal(rte_ring_count(dp->workers[0]->neigh), NEIGH_CLAIMS_BURST);
	assert_int_equal(dp->workers[0]->count->claims_lost, 0);
	dataplane_destroy(dp);
}

static void what_main_has_no_room_for_is_counted(void **state)
{
	struct dataplane *dp = guarded(DP_GUARD_SNOOP);
	const unsigned int n = NEIGH_REQUESTS + 100;

	for (unsigned int i = 0; i < n; i++) {
		rate_init(&port_find(dp, 1)->claims, 0, 0);
		VERDICT(dp, ME, ARP(NUMBERED_IP4(i), ME));
	}
	assert_int_equal(rte_ring_count(dp->workers[0]->neigh) + dp->workers[0]->count->claims_lost,
			 n);
	assert_true(dp->workers[0]->count->claims_lost >= 100);
	dataplane_destroy(dp);
}

/* --- trunks --- */

#define BETA 2
#define TAG(vlan) 0x81, 0, 0, vlan
#define SPOOFED_ARP ARP(OTHER_IP4, ME)
#define SERVERS_UDP IPV4(17, MY_IP4), UDP(67, 68)

/* What a trunk sends, in one burst: without a tag in ALPHA, with tag 20 in BETA. */
static const struct trunk_row {
	uint32_t station;
	size_t n;
	uint8_t bytes[64];
	enum drop_reason alpha_guarded, beta_guarded; /* the other one is not */
} trunk_rows[] = {
#define ROW(station, alpha, beta, ...)                                                             \
	{                                                                                          \
		station, sizeof((const uint8_t[]){__VA_ARGS__}), {__VA_ARGS__}, alpha, beta        \
	}
	ROW(OTHER, DROP_MAC_SPOOF, DROP_NONE, 0x88, 0xb5),
	ROW(OTHER, DROP_NONE, DROP_MAC_SPOOF, TAG(20), 0x88, 0xb5),
	ROW(ME, DROP_NONE, DROP_ARP_SPOOF, TAG(20), SPOOFED_ARP),
	ROW(ME, DROP_ARP_SPOOF, DROP_NONE, SPOOFED_ARP),
	ROW(ME, DROP_ROGUE_DHCP, DROP_NONE, SERVERS_UDP),
	ROW(ME, DROP_NONE, DROP_ROGUE_DHCP, TAG(20), SERVERS_UDP),
	ROW(ME, DROP_NONE, DROP_NONE, TAG(20), ARP(MY_IP4, ME)),
	ROW(ME, DROP_NONE, DROP_NONE, ARP(MY_IP4, ME)),
#undef ROW
};

#define N_TRUNK_ROWS (sizeof(trunk_rows) / sizeof(trunk_rows[0]))

/* The rows through classify and the guards, where the trunk is guarded in these segments. */
static void assert_judged(struct dataplane *dp, bool in_alpha, bool in_beta)
{
	struct burst *burst = dp->workers[0]->burst;

	burst->n = burst->n_pieces = 0;
	for (size_t i = 0; i < N_TRUNK_ROWS; i++) {
		struct frame *frame = rig_add_frame(burst, RIG_BROADCAST, trunk_rows[i].station,
						    (uint32_t)(12 + trunk_rows[i].n));

		memcpy(frame->head + 12, trunk_rows[i].bytes, trunk_rows[i].n);
	}
	classify_burst(dp, port_find(dp, 1), burst);
	guard_burst(dp->workers[0], port_find(dp, 1), burst);
	for (size_t i = 0; i < N_TRUNK_ROWS; i++) {
		const struct trunk_row *row = &trunk_rows[i];

		/* A frame is in one of the two. */
		assert_int_equal(burst->frames[i].drop, (in_alpha ? row->alpha_guarded : 0) |
								(in_beta ? row->beta_guarded : 0));
	}
}

static void put_guarded(struct dataplane *dp, uint32_t id, uint16_t guards)
{
	struct dp_segment segment = rig_segment(id);

	segment.guards = guards;
	rig_put_segment_spec(dp, &segment);
}

static void each_frame_of_a_trunk_is_judged_by_its_segment(void **state)
{
	const uint16_t guards = DP_GUARD_MAC | DP_GUARD_ARP | DP_GUARD_DHCP;
	struct dataplane *dp = rig_create(1);
	struct dp_port port = port_spec(&(struct settings){.has_addresses = true});

	put_guarded(dp, ALPHA, guards);
	put_guarded(dp, BETA, 0);
	port.members[port.n_members++] = (struct dp_member){.segment_id = BETA, .vlan = 20};
	rig_put_port_spec(dp, &port);
	assert_judged(dp, true, false);
	put_guarded(dp, ALPHA, 0);
	put_guarded(dp, BETA, guards);
	assert_judged(dp, false, true);
	/* The port's own word counts in all of its segments. */
	port.guards_on = guards;
	rig_put_port_spec(dp, &port);
	assert_judged(dp, true, true);
	port.guards_on = 0;
	port.guards_off = guards;
	rig_put_port_spec(dp, &port);
	assert_judged(dp, false, false);
	dataplane_destroy(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unguarded_port_may_say_anything),
		cmocka_unit_test(the_mac_guard_knows_one_sender),
		cmocka_unit_test(the_ip_guard_knows_addresses_and_prefixes),
		cmocka_unit_test(fragments_have_a_source_too),
		cmocka_unit_test(without_addresses_there_is_no_ip_to_hold_to),
		cmocka_unit_test(arp_claims_only_what_the_port_has),
		cmocka_unit_test(neighbour_discovery_claims_only_what_the_port_has),
		cmocka_unit_test(what_is_wrong_is_found_among_plain_frames),
		cmocka_unit_test(only_dhcp_servers_speak_as_such),
		cmocka_unit_test(only_routers_advertise_and_redirect),
		cmocka_unit_test(what_cannot_be_read_does_not_pass_a_guard),
		cmocka_unit_test(a_port_adds_to_its_segments_guards_and_takes_away),
		cmocka_unit_test(main_is_told_of_claims_that_pass),
		cmocka_unit_test(a_port_that_claims_without_end_is_not_heard),
		cmocka_unit_test(what_main_has_no_room_for_is_counted),
		cmocka_unit_test(each_frame_of_a_trunk_is_judged_by_its_segment),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
