/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/account.h, ecn_mark.c and fair.h. */
#include "dataplane/channel/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/channel/ecn_mark.h"
#include "dataplane/channel/fair.h"
#include "dataplane/checksum.h"

#define IP 14
#define TCP 34

static struct frame plain(uint32_t len)
{
	return (struct frame){.len = len,
			      .head_len =
				      (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES)};
}

/* Ethernet, IPv4, TCP with 12 bytes of options. */
static struct frame large(uint32_t payload, uint16_t mss)
{
	struct frame frame = plain(TCP + 32 + payload);

	frame.head[TCP + 12] = 8 << 4;
	frame.vnet.hdr = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
						 .gso_size = htole16(mss),
						 .csum_start = htole16(TCP)};
	return frame;
}

static void a_plain_frame_costs_its_bytes(void **state)
{
	struct frame frame = plain(1514);

	assert_int_equal(account_frame(&frame, 0), 1514);
	assert_int_equal(account_frame(&frame, 24), 1538);
}

static void a_large_frame_costs_what_it_stands_for(void **state)
{
	struct frame frame = large(45 * 1448, 1448);

	assert_int_equal(account_frame(&frame, 0), 45 * 1514);
	assert_int_equal(account_frame(&frame, 24), 45 * 1538);
	frame = large(2 * 1448 + 1, 1448);
	assert_int_equal(account_frame(&frame, 0), 2 * 1514 + 67);
	frame = large(100, 1448);
	assert_int_equal(account_frame(&frame, 24), 166 + 24);
}

static void nonsense_costs_its_bytes(void **state)
{
	struct frame frame = large(1000, 0);

	assert_int_equal(account_frame(&frame, 0), 1066);
	frame = large(0, 1448);
	frame.head[TCP + 12] = 0xf0;
	assert_int_equal(account_frame(&frame, 0), 66);
	/* The TCP header is not in sight. */
	frame = large(2896, 1448);
	frame.vnet.hdr.csum_start = htole16(200);
	assert_int_equal(account_frame(&frame, 0), frame.len + 220);
}

static void delays_have_four_places_for_each_power_of_two(void **state)
{
	static const struct {
		uint64_t ns;
		unsigned int place;
	} cases[] = {{0, 0},	     {999, 0},	       {1000, 0},	{1249, 0},
		     {1250, 1},	     {1750, 3},	       {1999, 3},	{2000, 4},
		     {2500, 5},	     {1023999, 39},    {1024000, 40},	{28672000, 59},
		     {32767999, 59}, {1ULL << 30, 80}, {UINT64_MAX, 95}};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(account_delay(cases[i].ns), cases[i].place);
}

/* --- marks --- */

static struct frame ipv4(uint8_t tos)
{
	struct frame frame = plain(60);
	uint16_t sum;

	frame.head[12] = 0x08;
	frame.head[IP] = 0x45;
	frame.head[IP + 1] = tos;
	frame.head[IP + 3] = 46;
	frame.head[IP + 8] = 64;
	frame.head[IP + 9] = 17;
	memcpy(&frame.head[IP + 12], "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
	sum = (uint16_t)~checksum_fold(checksum_add(0, &frame.head[IP], 20));
	memcpy(&frame.head[IP + 10], &sum, sizeof(sum));
	return frame;
}

static void ipv4_is_marked_and_its_checksum_is_right(void **state)
{
	for (uint8_t ecn = 1; ecn <= 3; ecn++) {
		struct frame frame = ipv4((uint8_t)(0xb8 | ecn));

		assert_true(ecn_mark(&frame));
		assert_int_equal(frame.head[IP + 1], 0xbb);
		assert_int_equal(checksum_fold(checksum_add(0, &frame.head[IP], 20)), 0xffff);
	}
}

static void a_sender_that_knows_no_marks_gets_none(void **state)
{
	struct frame frame = ipv4(0xb8), before = frame;

	assert_false(ecn_mark(&frame));
	assert_memory_equal(&frame, &before, sizeof(frame));
}

static void ipv6_behind_a_tag_is_marked(void **state)
{
	struct frame frame = plain(100);
	uint8_t *ip = &frame.head[IP + 4];

	memcpy(&frame.head[12], "\x81\x00\x00\x05\x86\xdd", 6);
	ip[0] = 0x6b;
	ip[1] = 0xa5; /* traffic class 0xba: ECT(0); flow label 5.... */
	ip[5] = 42;
	ip[6] = 59;
	assert_true(ecn_mark(&frame));
	assert_int_equal(ip[0], 0x6b);
	assert_int_equal(ip[1], 0xb5);
}

static void what_is_not_ip_or_cut_is_left_alone(void **state)
{
	struct frame frame = ipv4(2), before;

	frame.head[13] = 0x06;
	before = frame;
	assert_false(ecn_mark(&frame));
	assert_memory_equal(&frame, &before, sizeof(frame));
	frame = ipv4(2);
	frame.len = frame.head_len = IP + 10;
	before = frame;
	assert_false(ecn_mark(&frame));
	assert_memory_equal(&frame, &before, sizeof(frame));
}

/* --- work --- */

static void a_full_burst_of_usual_frames_is_within_a_share(void **state)
{
	struct rxq rxq = {0};

	assert_int_equal(fair_frames(&rxq), BURST_FRAMES);
	assert_int_equal(fair_work(64, 64 * 60, 0), 67);
	assert_int_equal(fair_work(64, 64 * 1514, 0), 158);
	fair_charge(&rxq, 64, 158);
	assert_true(fair_pass(&rxq));
	assert_int_equal(fair_frames(&rxq), BURST_FRAMES);
}

static void a_flood_is_paid_for_by_turns(void **state)
{
	struct rxq rxq = {0};
	uint32_t work = fair_work(64, 64 * 60, 64 * 99);
	unsigned int n_turns = 1;

	assert_int_equal(work, 6400 + 300);
	for (fair_charge(&rxq, 64, work); !fair_pass(&rxq); n_turns++)
		;
	assert_int_equal(n_turns, (work + FAIR_SHARE - 1) / FAIR_SHARE);
	/* And from then on it takes as much as a turn's share. */
	assert_int_equal(fair_frames(&rxq), 2);
	fair_charge(&rxq, 2, 209);
	assert_true(fair_pass(&rxq));
	assert_int_equal(fair_frames(&rxq), 2);
	fair_charge(&rxq, 1, 5000);
	assert_int_equal(fair_frames(&rxq), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_frame_costs_its_bytes),
		cmocka_unit_test(a_large_frame_costs_what_it_stands_for),
		cmocka_unit_test(nonsense_costs_its_bytes),
		cmocka_unit_test(delays_have_four_places_for_each_power_of_two),
		cmocka_unit_test(ipv4_is_marked_and_its_checksum_is_right),
		cmocka_unit_test(a_sender_that_knows_no_marks_gets_none),
		cmocka_unit_test(ipv6_behind_a_tag_is_marked),
		cmocka_unit_test(what_is_not_ip_or_cut_is_left_alone),
		cmocka_unit_test(a_full_burst_of_usual_frames_is_within_a_share),
		cmocka_unit_test(a_flood_is_paid_for_by_turns),
	};

	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
