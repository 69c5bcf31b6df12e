/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/answer.c through whole turns. ALPHA has an MTU of 100; the answer's bytes are
 * those of vxlan/'s tests. Ports 1 and 2 in ALPHA, 3 a trunk, peer 11 has it too. */
#include "dataplane/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "dataplane/worker.h"
#include "tests/unit/dataplane/tunnel_rig.h"

#define NOW_S 1000
#define ALPHA 1
#define MTU 100
#define TAG 42

static int set_up(void **state)
{
	struct dataplane *dp = tunnel_rig_create(4);
	struct dp_segment segment = rig_segment(ALPHA);
	struct dp_port trunk = rig_port_spec(3, ALPHA);

	segment.mtu = MTU;
	trunk.members[0].vlan = TAG;
	rig_put_segment_spec(dp, &segment);
	rig_put_port(dp, 1, ALPHA);
	rig_put_port(dp, 2, ALPHA);
	rig_put_port_spec(dp, &trunk);
	tunnel_rig_put_peer(dp, 4, 11, NULL);
	*state = dp;
	return 0;
}

/* Station `src` sends UDP to station `dst`, with DF; len: of IP. */
static uint8_t *send_udp(struct dataplane *dp, uint64_t port, uint32_t dst, uint32_t src,
			 uint8_t len)
{
	struct rig_port *rig = rig_port(dp, port);
	uint8_t ip[20] = {0x45, 0, 0, len, [6] = 0x40, [8] = 64, 17, [12] = 10,
			  1,	0, 1, 10,  1,	       0,	 2};
	uint8_t *bytes = rig->in[rig->n_in].bytes;

	rig_send(dp, port, dst, src, len + 14u, 0);
	memcpy(bytes + 14, ip, sizeof(ip));
	return bytes;
}

static void sender_is_told_the_mtu(void **state)
{
	struct dataplane *dp = *state;
	struct rig_port *port = rig_port(dp, 1);
	uint8_t mac[6];

	send_udp(dp, 1, 2, 1, MTU + 1);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 2)->n_out, 0);
	assert_int_equal(port->n_out, 1);
	rig_mac(mac, 1);
	assert_memory_equal(port->out[0].bytes, mac, 6);
	rig_mac(mac, 2);
	assert_memory_equal(port->out[0].bytes + 6, mac, 6);
	assert_int_equal(port->out[0].bytes[14 + 9], 1);  /* ICMP */
	assert_int_equal(port->out[0].bytes[14 + 20], 3); /* unreachable: needs fragmentation */
	assert_int_equal(port->out[0].bytes[14 + 21], 4);
	assert_int_equal(port->out[0].bytes[14 + 27], MTU);
	assert_int_equal(rig_counters(dp, 1)->generated, 1);
	assert_int_equal(rig_counters(dp, 1)->drops[DROP_TOO_BIG], 1);
	assert_int_equal(rig_counters(dp, 1)->tx_frames, 1);
}

static void what_fits_is_not_answered(void **state)
{
	struct dataplane *dp = *state;

	send_udp(dp, 1, 2, 1, MTU);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 2)->n_out, 1);
	assert_int_equal(rig_port(dp, 1)->n_out, 0);
	assert_int_equal(rig_counters(dp, 1)->generated, 0);
}

/* No DF, no IP, to a group: nobody asked to be told. */
static void nothing_is_due(void **state)
{
	struct dataplane *dp = *state;

	send_udp(dp, 1, 2, 1, MTU + 1)[14 + 6] = 0;
	send_udp(dp, 1, RIG_BROADCAST, 1, MTU + 1);
	send_udp(dp, 1, 2, 1, MTU + 1)[12] = 0x77;
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 1)->n_out, 0);
	assert_int_equal(rig_counters(dp, 1)->drops[DROP_TOO_BIG], 3);
}

/* A trunk's answer has the tag of the segment; an isolated port gets one too. */
static void answers_find_back(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port isolated = rig_port_spec(2, ALPHA);
	uint8_t *bytes = send_udp(dp, 3, 2, 1, MTU + 20);

	rig_set_port(&isolated, "isolated", "on");
	rig_put_port_spec(dp, &isolated);
	memmove(bytes + 16, bytes + 12, 100);
	memcpy(bytes + 12, (uint8_t[4]){0x81, 0, 0, TAG}, 4);
	send_udp(dp, 2, 1, 2, MTU + 1);
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, 3)->n_out, 1);
	assert_memory_equal(rig_port(dp, 3)->out[0].bytes + 12, bytes + 12, 4);
	assert_int_equal(rig_port(dp, 2)->n_out, 1);
}

static void answers_are_limited(void **state)
{
	struct dataplane *dp = *state;
	struct rig_port *port = rig_port(dp, 1);

	for (unsigned int i = 0; i < 50; i++)
		send_udp(dp, 1, 2, 1, MTU + 1);
	rig_turn(dp, NOW_S);
	assert_int_equal(port->n_out, ANSWERS_BURST);
	send_udp(dp, 1, 2, 1, MTU + 1);
	rig_turn(dp, NOW_S + 1);
	assert_int_equal(port->n_out, ANSWERS_BURST + 1);
}

/* From another host: its VTEP is told by its own switch. */
static void tunnels_are_not_answered(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame *frame = tunnel_rig_send(dp, 4, 11, ALPHA, 2, 0xa1, MTU + 15, 0);
	uint8_t ip[20] = {0x45, 0, 0, MTU + 1, [6] = 0x40, [8] = 64, 17, [12] = 10,
			  1,	0, 1, 10,      1,	   0,	     2};

	memcpy(frame->bytes + 50 + 12, (uint8_t[2]){8, 0}, 2);
	memcpy(frame->bytes + 50 + 14, ip, sizeof(ip));
	rig_turn(dp, NOW_S);
	assert_int_equal(rig_port(dp, TUNNEL_RIG_UPLINK)->n_out, 0);
	assert_int_equal(rig_counters(dp, 11)->drops[DROP_TOO_BIG], 1);
	assert_int_equal(rig_counters(dp, 11)->generated, 0);
}

/* --- MSS --- */

static const uint8_t syn[44] = {
	0x45, 0, 0, 44, [6] = 0x40, [8] = 64, 6,	   [12] = 10, 1,	0, 1, 10,  1,
	0,    2, 4, 0,	5,	    0,	      [32] = 0x60, 2,	      [40] = 2, 4, 5, 0xb4};

static unsigned int mss_of(const uint8_t *frame)
{
	return (unsigned int)frame[14 + 42] << 8 | frame[14 + 43];
}

static void set_clamp(struct dataplane *dp, const char *word)
{
	struct dp_segment segment = rig_segment(ALPHA);

	segment.mtu = MTU;
	rig_set_segment(&segment, "mss_clamp", word);
	rig_put_segment_spec(dp, &segment);
}

static void mss_is_lowered_if_asked(void **state)
{
	struct dataplane *dp = *state;

	for (int on = 0; on < 2; on++) {
		set_clamp(dp, on ? "on" : "off");
		rig_send(dp, 1, 2, 1, 60, 0);
		memcpy(rig_port(dp, 1)->in[on].bytes + 14, syn, sizeof(syn));
		rig_turn(dp, NOW_S);
		assert_int_equal(rig_port(dp, 2)->n_out, on + 1);
		assert_int_equal(mss_of(rig_port(dp, 2)->out[on].bytes), on ? MTU - 40 : 1460);
	}
}

static void mss_from_a_tunnel_too(void **state)
{
	struct dataplane *dp = *state;
	struct rig_frame *frame = tunnel_rig_send(dp, 4, 11, ALPHA, 2, 0xa1, 60, 0);

	set_clamp(dp, "on");
	memcpy(frame->bytes + 50 + 12, (uint8_t[2]){8, 0}, 2);
	memcpy(frame->bytes + 50 + 14, syn, sizeof(syn));
	rig_turn(dp, NOW_S);
	assert_int_equal(mss_of(rig_port(dp, 2)->out[0].bytes), MTU - 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tunnel_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sender_is_told_the_mtu),  TEST(what_fits_is_not_answered),
		TEST(nothing_is_due),	       TEST(answers_find_back),
		TEST(answers_are_limited),     TEST(tunnels_are_not_answered),
		TEST(mss_is_lowered_if_asked), TEST(mss_from_a_tunnel_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
