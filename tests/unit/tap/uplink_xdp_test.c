/* SPDX-License-Identifier: BSD-3-Clause */
/* The programs, run by the kernel on single frames (BPF_PROG_TEST_RUN), beside the same decision in
 * C: each frame must go the same way by both. */
#include "tap/uplink_xdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/tap/sandbox.h"

#define FRAME_BYTES 114

static struct uplink_vtep vtep_of(const char *address)
{
	struct uplink_vtep vtep = {.family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET,
				   .udp_port = 4789};

	assert_int_equal(inet_pton(vtep.family, address, vtep.address), 1);
	return vtep;
}

/* What the program says of a frame. */
static uint32_t verdict(const struct uplink_vtep *vtep, uint8_t *frame, size_t bytes)
{
	int socket_fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	union bpf_attr attr = {0};

	assert_return_code(socket_fd, errno);
	int fd = uplink_xdp_load(vtep, &socket_fd, 1);

	if (fd < 0)
		fail_msg("the kernel refuses the program: %s", strerror(-fd));
	attr.test.prog_fd = (uint32_t)fd;
	attr.test.data_in = (uint64_t)(uintptr_t)frame;
	attr.test.data_size_in = (uint32_t)bytes;
	attr.test.repeat = 1;
	assert_return_code(syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)), errno);
	close(fd);
	close(socket_fd);
	return attr.test.retval;
}

static void assert_goes(const char *address, uint8_t *frame, size_t bytes, bool to_weft)
{
	struct uplink_vtep vtep = vtep_of(address);

	assert_int_equal(verdict(&vtep, frame, bytes), to_weft ? XDP_REDIRECT : XDP_PASS);
	assert_int_equal(uplink_filter_is_vxlan(&vtep, frame, bytes), to_weft);
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* UDP to port 4789 of 10.0.0.1 or fd00::1. */
static void build_ipv4(uint8_t frame[FRAME_BYTES])
{
	memset(frame, 0, FRAME_BYTES);
	put16(frame + 12, 0x0800);
	frame[14] = 0x45;
	frame[14 + 9] = 17;
	inet_pton(AF_INET, "10.0.0.1", frame + 14 + 16);
	put16(frame + 36, 4789);
}

static void build_ipv6(uint8_t frame[FRAME_BYTES])
{
	memset(frame, 0, FRAME_BYTES);
	put16(frame + 12, 0x86dd);
	frame[14] = 0x60;
	frame[14 + 6] = 17;
	inet_pton(AF_INET6, "fd00::1", frame + 14 + 24);
	put16(frame + 56, 4789);
}

struct change {
	unsigned int at;
	uint8_t value;
};

static void vxlan_for_the_vtep_is_ours(void **state)
{
	uint8_t frame[FRAME_BYTES];

	sandbox_require();
	build_ipv4(frame);
	assert_goes("10.0.0.1", frame, FRAME_BYTES, true);
	assert_goes("10.0.0.1", frame, 42, true);
	assert_goes("10.0.0.1", frame, 41, false);
	assert_goes("10.0.0.2", frame, FRAME_BYTES, false);
	assert_goes("fd00::1", frame, FRAME_BYTES, false);
	/* More fragments to come: the first one has the ports. */
	frame[14 + 6] = 0x20;
	assert_goes("10.0.0.1", frame, FRAME_BYTES, true);
	build_ipv6(frame);
	assert_goes("fd00::1", frame, FRAME_BYTES, true);
	assert_goes("fd00::1", frame, 62, true);
	assert_goes("fd00::1", frame, 61, false);
	assert_goes("fd00::2", frame, FRAME_BYTES, false);
}

static void whatever_differs_is_the_kernels(void **state)
{
	/* A group, another type, options, no UDP, a later fragment, and each byte of the rest. */
	static const struct change ipv4[] = {
		{0, 1},	      {12, 9},	      {13, 6},	     {14, 0x46},   {14 + 9, 6},
		{14 + 7, 1},  {14 + 6, 0x10}, {14 + 16, 11}, {14 + 17, 1}, {14 + 18, 1},
		{14 + 19, 2}, {36, 0},	      {37, 0}};
	static const struct change ipv6[] = {{0, 0x33},	   {12, 8},	 {14 + 6, 44}, {14 + 24, 1},
					     {14 + 28, 1}, {14 + 32, 1}, {14 + 36, 1}, {14 + 39, 2},
					     {56, 0},	   {57, 0}};
	uint8_t frame[FRAME_BYTES];

	sandbox_require();
	for (size_t i = 0; i < sizeof(ipv4) / sizeof(ipv4[0]); i++) {
		build_ipv4(frame);
		frame[ipv4[i].at] = ipv4[i].value;
		assert_goes("10.0.0.1", frame, FRAME_BYTES, false);
	}
	for (size_t i = 0; i < sizeof(ipv6) / sizeof(ipv6[0]); i++) {
		build_ipv6(frame);
		frame[ipv6[i].at] = ipv6[i].value;
		assert_goes("fd00::1", frame, FRAME_BYTES, false);
	}
}

static void a_trunk_has_what_is_tagged(void **state)
{
	static const struct {
		unsigned int ethertype;
		uint32_t verdict;
	} rows[] = {{0x8100, XDP_REDIRECT}, {0x88a8, XDP_REDIRECT}, {0x9100, XDP_REDIRECT},
		    {0x0800, XDP_PASS},	    {0x0806, XDP_PASS},	    {0x0081, XDP_PASS}};
	uint8_t frame[FRAME_BYTES] = {0};

	sandbox_require();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put16(frame + 12, rows[i].ethertype);
		assert_int_equal(verdict(NULL, frame, FRAME_BYTES), rows[i].verdict);
	}
}

static void a_socket_is_used_once_it_has_memory(void **state)
{
	static uint8_t memory[2 * 4096] __attribute__((aligned(4096)));
	struct xdp_umem_reg registration = {
		.addr = (uint64_t)(uintptr_t)memory, .len = sizeof(memory), .chunk_size = 4096};
	int fd;

	sandbox_require();
	fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_return_code(fd, errno);
	assert_false(uplink_xdp_is_used(fd));
	assert_false(uplink_xdp_is_used(fd));
	assert_return_code(
		setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &registration, sizeof(registration)), errno);
	assert_true(uplink_xdp_is_used(fd));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vxlan_for_the_vtep_is_ours),
		cmocka_unit_test(whatever_differs_is_the_kernels),
		cmocka_unit_test(a_trunk_has_what_is_tagged),
		cmocka_unit_test(a_socket_is_used_once_it_has_memory),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
