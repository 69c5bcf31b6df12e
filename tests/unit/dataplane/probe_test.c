/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of dataplane/probe.c through whole turns: a question of a peer is answered to its port, and
 * everything else that looks like one is refused; no port of a segment ever gets one.
 *
 *     ports 1, 2 in ALPHA | uplink | peer 11: ALPHA
 */
#include "dataplane/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "tests/unit/dataplane/tunnel_rig.h"
#include "vxlan/vxlan_bytes.h"
#include "vxlan/vxlan_sum.h"
#include "vxlan/vxlan_tunnel.h"

#define NOW_S 1000
#define ALPHA 1
#define PEER 11
#define STRANGER 77
#define TOKEN 0xfeedfacecafef00dULL
#define PORT 0xc48d /* that tunnel_rig_send() sends from */

static int set_up_version(void **state, uint8_t ip_version)
{
	static const uint32_t segments[] = {ALPHA, 0};
	struct dataplane *dp = tunnel_rig_create(ip_version);

	rig_put_segment(dp, ALPHA);
	rig_put_port(dp, 1, ALPHA);
	rig_put_port(dp, 2, ALPHA);
	tunnel_rig_put_peer(dp, ip_version, PEER, segments);
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

/* Whatever was sent: it is accounted for, and no machine has got it. */
static int tear_down(void **state)
{
	struct dataplane *dp = *state;

	assert_int_equal(rig_port(dp, 1)->n_out + rig_port(dp, 2)->n_out, 0);
	rig_assert_accounted(dp);
	dataplane_destroy(dp);
	return 0;
}

static uint8_t version_of(const struct dataplane *dp)
{
	return port_find(dp, TUNNEL_RIG_UPLINK)->spec.addresses[0].version;
}

static uint8_t *udp_of(const struct dataplane *dp, struct rig_frame *frame)
{
	return frame->bytes + ETH_HLEN + (version_of(dp) == 4 ? 20 : 40);
}

/* Writes a right checksum. */
static void seal(const struct dataplane *dp, struct rig_frame *frame)
{
	uint8_t *udp = udp_of(dp, frame);
	size_t n_addresses = version_of(dp) == 4 ? 8 : 32;
	uint16_t n = vxlan_load_be16(udp + 4), checksum = 0;
	struct vxlan_sum sum = {0};

	memcpy(udp + 6, &checksum, sizeof(checksum));
	vxlan_sum_add_pseudo(&sum, udp - n_addresses, n_addresses, n, IPPROTO_UDP);
	vxlan_sum_add(&sum, udp, n);
	checksum = (uint16_t)~vxlan_sum_fold(&sum);
	memcpy(udp + 6, &checksum, sizeof(checksum));
}

static struct rig_frame *ask(const struct dataplane *dp, uint8_t peer, uint32_t len, bool is_answer)
{
	struct rig_frame *frame = tunnel_rig_send(dp, version_of(dp), peer, VXLAN_PROBE_VNI,
						  RIG_BROADCAST, 0xa1, len, 0);
	struct vxlan_probe question = {.is_answer = is_answer, .token = TOKEN, .sequence = 5};
	uint8_t bytes[VXLAN_PROBE_BYTES];

	vxlan_probe_write(&question, bytes);
	memcpy(udp_of(dp, frame) + 16, bytes, len < sizeof(bytes) ? len : sizeof(bytes));
	if (version_of(dp) == 6)
		seal(dp, frame);
	return frame;
}

/* The n-th frame that the uplink has sent. */
static struct vxlan_probe answer_of(const struct dataplane *dp, unsigned int n)
{
	struct rig_frame *frame = &rig_port(dp, TUNNEL_RIG_UPLINK)->out[n];
	struct vxlan_decap_rules rules = {.port = PORT};
	struct vxlan_probe answer = {.is_answer = false};
	struct vxlan_outer outer;

	assert_int_equal(vxlan_decap(frame->bytes, frame->len, frame->len, &rules, &outer),
			 VXLAN_DECAP_OK);
	assert_true(vxlan_decap_is_intact(&outer, frame->bytes, frame->len, NULL, 0));
	assert_int_equal(outer.src_port, 4789);
	assert_int_equal(outer.vni, VXLAN_PROBE_VNI);
	assert_int_equal(outer.inner_bytes, VXLAN_PROBE_BYTES);
	assert_int_equal(outer.dst_ip[outer.ip_version == 4 ? 3 : 15], PEER);
	assert_true(
		vxlan_probe_read(frame->bytes + outer.inner_offset, outer.inner_bytes, &answer));
	return answer;
}

static void assert_silent(const struct dataplane *dp, enum drop_reason reason)
{
	const struct counters_block *uplink = rig_counters(dp, TUNNEL_RIG_UPLINK);
	uint64_t before = uplink->drops[reason];

	rig_turn((struct dataplane *)(uintptr_t)dp, NOW_S);
	assert_int_equal(rig_port(dp, TUNNEL_RIG_UPLINK)->n_out, 0);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->drops[reason], before + 1);
	assert_int_equal(rig_counters(dp, PEER)->generated, 0);
}

static void a_question_is_answered(void **state)
{
	struct dataplane *dp = *state;
	uint32_t overhead = version_of(dp) == 4 ? 36 : 56;

	ask(dp, PEER, 180, false);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, TUNNEL_RIG_UPLINK)->n_out, 1);
	struct vxlan_probe answer = answer_of(dp, 0);

	assert_true(answer.is_answer);
	assert_int_equal(answer.token, TOKEN);
	assert_int_equal(answer.sequence, 5);
	assert_int_equal(answer.src_port, PORT);
	assert_int_equal(answer.ttl, VXLAN_TUNNEL_TTL);
	assert_int_equal(answer.has_checksum, version_of(dp) == 6);
	assert_int_equal(answer.packet_bytes, 180 + overhead);
	assert_int_equal(rig_counters(dp, PEER)->generated, 1);
	assert_int_equal(rig_counters(dp, PEER)->tx_frames, 1);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->drops[DROP_ANSWERED], 1);
}

static void the_shortest_question_is_as_long_as_its_answer(void **state)
{
	struct dataplane *dp = *state;
	uint32_t len = ask(dp, PEER, VXLAN_PROBE_BYTES, false)->len;

	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, TUNNEL_RIG_UPLINK)->n_out, 1);
	assert_int_equal(rig_port(dp, TUNNEL_RIG_UPLINK)->out[0].len, len);
}

static void a_checksum_is_verified_and_told(void **state)
{
	struct dataplane *dp = *state;

	seal(dp, ask(dp, PEER, 100, false));
	rig_turn(dp, NOW_S);
	assert_true(answer_of(dp, 0).has_checksum);
}

static void a_wrong_checksum_is_not_answered(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame *frame = ask(dp, PEER, 100, false);

	seal(dp, frame);
	udp_of(dp, frame)[50] ^= 1;
	assert_silent(dp, DROP_TUNNEL_CHECKSUM);
}

static void strangers_are_not_answered(void **state)
{
	ask(*state, STRANGER, 100, false);
	assert_silent(*state, DROP_TUNNEL_PEER);
}

/* Or two hosts would talk for ever. */
static void answers_are_not_answered(void **state)
{
	ask(*state, PEER, 100, true);
	assert_silent(*state, DROP_TUNNEL_VNI);
}

static void truncated_questions_are_not_answered(void **state)
{
	for (uint32_t len = ETH_HLEN; len < VXLAN_PROBE_BYTES; len++) {
		ask(*state, PEER, len, false);
		assert_silent(*state, DROP_TUNNEL_VNI);
	}
}

static void other_frames_without_a_segment_are_not_answered(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame *frame = ask(dp, PEER, 100, false);

	udp_of(dp, frame)[16 + 14] ^= 1;
	assert_silent(dp, DROP_TUNNEL_VNI);
	/* With a VNI that is nobody's it is none, either. */
	frame = ask(dp, PEER, 100, false);
	udp_of(dp, frame)[8 + 6] = 99;
	assert_silent(dp, DROP_TUNNEL_VNI);
}

/* A forged question would send the answer to a service of the peer. */
static void services_get_no_answers(void **state)
{
	struct dataplane *dp = *state;
	static const uint16_t ports[] = {53, 4789, 49151};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		vxlan_store_be16(udp_of(dp, ask(dp, PEER, 100, false)), ports[i]);
		assert_silent(dp, DROP_TUNNEL_VNI);
	}
}

static void a_flood_is_answered_at_its_rate(void **state)
{
	struct dataplane *dp = *state;
	struct rig_port *rig = rig_port(dp, TUNNEL_RIG_UPLINK);
	unsigned int n_sent = 0;

	while (n_sent < 2 * PROBES_BURST) {
		for (unsigned int i = 0; i < 32; i++, n_sent++)
			ask(dp, PEER, 100, false);
		rig_turn(dp, NOW_S);
		rig->n_in = rig->n_taken = rig->n_out = 0;
	}
	assert_int_equal(rig_counters(dp, PEER)->generated, PROBES_BURST);
	assert_int_equal(rig_counters(dp, TUNNEL_RIG_UPLINK)->drops[DROP_TUNNEL_VNI], PROBES_BURST);
	/* A second later there is some again. */
	ask(dp, PEER, 100, false);
	rig_turn(dp, NOW_S + 1);
	assert_int_equal(rig_counters(dp, PEER)->generated, PROBES_BURST + 1);
}

static void a_blocked_peer_is_not_answered(void **state)
{
	struct dataplane *dp = *state;

	atomic_store(&port_find(dp, PEER)->state, PORT_STATE_BLOCKED);
	ask(dp, PEER, 100, false);
	assert_silent(dp, DROP_TUNNEL_VNI);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_IPV6(name)                                                                            \
	{                                                                                          \
#name "_ipv6", name, set_up_ipv6, tear_down, NULL                                  \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_question_is_answered),
		TEST_IPV6(a_question_is_answered),
		TEST(the_shortest_question_is_as_long_as_its_answer),
		TEST_IPV6(the_shortest_question_is_as_long_as_its_answer),
		TEST(a_checksum_is_verified_and_told),
		TEST(a_wrong_checksum_is_not_answered),
		TEST_IPV6(a_wrong_checksum_is_not_answered),
		TEST(strangers_are_not_answered),
		TEST(answers_are_not_answered),
		TEST(truncated_questions_are_not_answered),
		TEST(other_frames_without_a_segment_are_not_answered),
		TEST(services_get_no_answers),
		TEST(a_flood_is_answered_at_its_rate),
		TEST(a_blocked_peer_is_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
