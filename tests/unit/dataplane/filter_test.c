/* SPDX-License-Identifier: BSD-3-Clause */
/* Filters of captures: programs that libpcap makes are run as libpcap runs them; others are
 * refused, or end. */
#include "dataplane/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pcap/pcap.h>

_Static_assert(sizeof(struct dp_insn) == sizeof(struct bpf_insn), "the same layout");

static const char *const texts[] = {
	"ip",
	"ip6",
	"arp",
	"tcp",
	"udp port 53",
	"tcp port 80 or tcp port 443",
	"host 10.0.0.1",
	"net 10.0.0.0/8 and not icmp",
	"vlan 10",
	"vlan and tcp",
	"ether host 02:00:00:00:00:01",
	"len > 100",
	"greater 60",
	"less 50",
	"ip[6:2] & 0x1fff != 0",
	"tcp[13] & 2 != 0",
	"ether[14:4] < 100",
	"ip6 and tcp port 22",
	"ether proto 0x88b5",
	"portrange 1000-2000",
	"ip[0] & 15 * 4 > 20",
	"len / 3 == 20",
	"len % 7 == 1",
	"ether[0] & 1 != 0",
};

/* What there is on wires, more or less: types, versions and ports that the filters ask for. */
static void make_frame(uint8_t frame[128])
{
	static const uint8_t types[][2] = {{8, 0}, {0x86, 0xdd}, {8, 6}, {0x81, 0}, {0x88, 0xb5}};

	for (int i = 0; i < 128; i++)
		frame[i] = (uint8_t)(rand() % 4 != 0 ? rand() % 4 : rand());
	memcpy(frame + 12, types[rand() % 5], 2);
	if (rand() % 2 != 0) {
		frame[14] = 0x45;
		frame[23] = (uint8_t)(rand() % 2 != 0 ? 6 : 17);
		frame[36] = 0;
		frame[37] = (uint8_t)(rand() % 3 != 0 ? 80 : 53);
	}
}

static void test_as_libpcap(void **state)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 262144);
	unsigned int taken = 0, refused = 0;

	srand(1);
	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		struct bpf_program program;

		assert_int_equal(pcap_compile(pcap, &program, texts[t], 1, PCAP_NETMASK_UNKNOWN),
				 0);
		const struct dp_insn *ours = (const struct dp_insn *)program.bf_insns;

		assert_true(filter_check(ours, program.bf_len));
		for (int i = 0; i < 2000; i++) {
			uint32_t n = (uint32_t)(rand() % 129),
				 len = n + (uint32_t)(rand() % 2 * 900);
			uint8_t frame[128];

			make_frame(frame);
			bool expected = bpf_filter(program.bf_insns, frame, len, n) != 0;

			assert_int_equal(filter_run(ours, frame, n, len), expected);
			taken += expected;
			refused += !expected;
		}
		pcap_freecode(&program);
	}
	assert_true(taken > 1000 && refused > 1000);
	pcap_close(pcap);
}

/* Whatever passes the check ends, and reads nothing that is not there (sanitizers look). */
static void test_anything(void **state)
{
	unsigned int n_legal = 0;

	srand(2);
	for (int round = 0; round < 200000; round++) {
		struct dp_insn program[4];
		unsigned int n = 1 + (unsigned int)(rand() % 4);
		uint8_t *frame = calloc(1, 32);

		for (unsigned int i = 0; i < n; i++)
			program[i] = (struct dp_insn){.code = (uint16_t)(rand() % 0x120),
						      .jt = (uint8_t)(rand() % 4),
						      .jf = (uint8_t)(rand() % 4),
						      .k = rand() % 3 != 0
								   ? (uint32_t)(rand() % 40)
								   : 0u - (uint32_t)(rand() % 9)};
		if (rand() % 2 != 0)
			program[n - 1].code = 6;
		if (filter_check(program, n)) {
			n_legal++;
			filter_run(program, frame, 32, 64);
		}
		free(frame);
	}
	assert_true(n_legal > 100);
}

static void test_refused(void **state)
{
	static const struct dp_insn bad[][2] = {
		{{0x06, 0, 0, 1}, {0x28, 0, 0, 12}}, /* does not end in a return */
		{{0x05, 0, 0, 1}, {0x06, 0, 0, 1}},  /* jumps out */
		{{0x05, 0, 0, UINT32_MAX}, {0x06, 0, 0, 1}},
		{{0x15, 0, 1, 0}, {0x06, 0, 0, 1}},
		{{0x15, 1, 0, 0}, {0x06, 0, 0, 1}},
		{{0x34, 0, 0, 0}, {0x06, 0, 0, 1}}, /* divides by zero */
		{{0x94, 0, 0, 0}, {0x06, 0, 0, 1}},
		{{0x64, 0, 0, 32}, {0x06, 0, 0, 1}}, /* shifts too far */
		{{0x60, 0, 0, 16}, {0x06, 0, 0, 1}}, /* memory that is not there */
		{{0x02, 0, 0, 16}, {0x06, 0, 0, 1}},
		{{0xffff, 0, 0, 0}, {0x06, 0, 0, 1}},
	};
	static const struct dp_insn good[] = {{0x64, 0, 0, 31}, {0x06, 0, 0, 1}};
	static const struct dp_insn by_x[] = {{0x3c, 0, 0, 0}, {0x06, 0, 0, 1}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(filter_check(bad[i], 2));
	assert_true(filter_check(good, 2));
	assert_true(filter_check(NULL, 0));
	assert_false(filter_check(good, DP_INSNS_MAX + 1));
	/* A division by an index that is zero refuses the frame. */
	assert_true(filter_check(by_x, 2));
	assert_false(filter_run(by_x, (const uint8_t *)"", 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_libpcap),
		cmocka_unit_test(test_anything),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
