/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/flow.c: what belongs together stays together, what does not spreads. */
#include "dataplane/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dataplane/rig.h"

#define IP 14 /* where the IP header begins */
#define FLOWS 64

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct burst));
	return *state == NULL;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

/* UDP over IPv4 from a port of its own for each flow. */
static struct frame *add_udp(struct burst *burst, uint16_t flow)
{
	static const uint8_t ip[24] = {0x45, 0, 0, 50, 0,  0, 0, 0, 64,	  17,	0, 0,
				       10,   0, 0, 1,  10, 0, 0, 2, 0x20, 0x00, 0, 53};
	struct frame *frame = rig_add_frame(burst, 1, 2, 64);

	memcpy(frame->head + IP, ip, sizeof(ip));
	frame->head[IP + 20] = (uint8_t)(flow >> 8);
	frame->head[IP + 21] = (uint8_t)flow;
	return frame;
}

static struct frame *add_udp6(struct burst *burst, uint16_t flow)
{
	struct frame *frame = rig_add_frame(burst, 1, 2, 80);
	uint8_t *ip = frame->head + IP;

	frame->head[12] = 0x86;
	frame->head[13] = 0xdd;
	ip[0] = 0x60;
	ip[6] = 17;
	ip[23] = 1;
	ip[39] = 2;
	ip[40] = (uint8_t)(flow >> 8);
	ip[41] = (uint8_t)flow;
	return frame;
}

/* A byte at an offset of the frame, and whether a change of it makes another flow. */
struct row {
	const char *what;
	unsigned int at;
	bool is_other;
};

static void assert_rows(struct burst *burst, struct frame *frame, const struct row *rows, size_t n)
{
	uint32_t hash = flow_hash(frame, 0);

	for (size_t i = 0; i < n; i++) {
		frame->head[rows[i].at] ^= 1;
		if ((flow_hash(frame, 0) != hash) != rows[i].is_other)
			fail_msg("%s: %s flow", rows[i].what, rows[i].is_other ? "same" : "other");
		frame->head[rows[i].at] ^= 1;
	}
	assert_int_equal(flow_hash(frame, 0), hash);
}

static void addresses_protocol_and_ports_make_an_ipv4_flow(void **state)
{
	static const struct row rows[] = {
		{"destination MAC", 5, true},
		{"source MAC", 11, true},
		{"source address", IP + 15, true},
		{"destination address", IP + 19, true},
		{"source port", IP + 21, true},
		{"destination port", IP + 23, true},
		{"protocol", IP + 9, true},
		{"length", IP + 3, false},
		{"id", IP + 5, false},
		{"ttl", IP + 8, false},
		{"ECN", IP + 1, false},
		{"checksum", IP + 10, false},
		{"payload", IP + 30, false},
	};

	assert_rows(*state, add_udp(*state, 1000), rows, sizeof(rows) / sizeof(rows[0]));
}

static void addresses_and_ports_make_an_ipv6_flow(void **state)
{
	static const struct row rows[] = {
		{"source address", IP + 23, true}, {"destination address", IP + 39, true},
		{"source port", IP + 41, true},	   {"destination port", IP + 43, true},
		{"hop limit", IP + 7, false},	   {"payload length", IP + 5, false},
		{"payload", IP + 50, false},
	};

	assert_rows(*state, add_udp6(*state, 1000), rows, sizeof(rows) / sizeof(rows[0]));
}

static void all_fragments_of_a_packet_go_the_same_way(void **state)
{
	struct frame *first = add_udp(*state, 1000), *second = add_udp(*state, 2000);

	first->head[IP + 6] = 0x20; /* more fragments */
	second->head[IP + 7] = 185; /* an offset */
	assert_int_equal(flow_hash(first, 0), flow_hash(second, 0));
}

static void a_tag_does_not_hide_the_flow(void **state)
{
	struct frame *plain = add_udp(*state, 1000), *tagged = add_udp(*state, 1000);
	struct frame *other = add_udp(*state, 1001);
	static const uint8_t tags[8] = {0x88, 0xa8, 0, 10, 0x81, 0, 0, 20};

	memmove(tagged->head + 20, tagged->head + 12, 40);
	memcpy(tagged->head + 12, tags, sizeof(tags));
	memmove(other->head + 20, other->head + 12, 40);
	memcpy(other->head + 12, tags, sizeof(tags));
	assert_int_equal(flow_hash(plain, 0), flow_hash(tagged, 0));
	assert_int_not_equal(flow_hash(tagged, 0), flow_hash(other, 0));
}

/* What lies behind the frame's end in the head is of another frame. */
static void nothing_behind_the_end_is_looked_at(void **state)
{
	for (uint16_t bytes = 0; bytes <= 64; bytes++) {
		struct burst *burst = *state;

		burst->n = 0;
		for (unsigned int kind = 0; kind < 2; kind++) {
			struct frame *frame = kind == 0 ? add_udp(burst, 1) : add_udp6(burst, 1);

			frame->head_len = bytes;
			uint32_t hash = flow_hash(frame, 0);

			memset(frame->head + bytes, 0xee, sizeof(frame->head) - bytes);
			assert_int_equal(flow_hash(frame, 0), hash);
		}
	}
}

static void flows_spread_over_the_queues_and_keep_their_order(void **state)
{
	struct burst *burst = *state;
	struct flow_lists lists;
	uint8_t order[BURST_FRAMES];

	for (unsigned int n_queues = 1; n_queues <= PORT_QUEUES_MAX; n_queues *= 2) {
		unsigned int queue_of[FLOWS], sum = 0;

		burst->n = 0;
		for (uint16_t i = 0; i < BURST_FRAMES; i++) {
			add_udp(burst, i % FLOWS);
			order[i] = (uint8_t)i;
		}
		flow_spread(burst, order, BURST_FRAMES, n_queues, &lists);
		for (unsigned int q = 0; q < n_queues; q++) {
			sum += lists.n[q];
			assert_in_range(lists.n[q], 1, 3 * BURST_FRAMES / n_queues);
			for (unsigned int i = 0; i < lists.n[q]; i++) {
				queue_of[lists.order[q][i] % FLOWS] = q;
				if (i != 0)
					assert_true(lists.order[q][i] > lists.order[q][i - 1]);
			}
		}
		assert_int_equal(sum, BURST_FRAMES);
		/* In the next burst, of half the frames, each goes where it went. */
		flow_spread(burst, order + 8, BURST_FRAMES / 2, n_queues, &lists);
		for (unsigned int q = 0; q < n_queues; q++) {
			for (unsigned int i = 0; i < lists.n[q]; i++)
				assert_int_equal(queue_of[lists.order[q][i] % FLOWS], q);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_protocol_and_ports_make_an_ipv4_flow),
		TEST(addresses_and_ports_make_an_ipv6_flow),
		TEST(all_fragments_of_a_packet_go_the_same_way),
		TEST(a_tag_does_not_hide_the_flow),
		TEST(nothing_behind_the_end_is_looked_at),
		TEST(flows_spread_over_the_queues_and_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
