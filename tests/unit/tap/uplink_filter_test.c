/* SPDX-License-Identifier: BSD-3-Clause */
/* The filters, run by the kernel: on a pair of Unix sockets, which takes them too, without root. */
#include "tap/uplink_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_BYTES 114

/* Does the filter let the bytes through? */
static bool passes(struct sock_filter *code, unsigned int n, const uint8_t *frame, size_t bytes)
{
	struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
	uint8_t got[256];
	int fds[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), errno);
	assert_return_code(
		setsockopt(fds[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), errno);
	assert_int_equal(send(fds[0], frame, bytes, 0), bytes);
	ssize_t came = recv(fds[1], got, sizeof(got), MSG_DONTWAIT);

	if (came >= 0)
		assert_int_equal(came, bytes);
	close(fds[0]);
	close(fds[1]);
	return came >= 0;
}

static struct uplink_vtep vtep_of(const char *address)
{
	struct uplink_vtep vtep = {.family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET,
				   .udp_port = 4789};

	assert_int_equal(inet_pton(vtep.family, address, vtep.address), 1);
	return vtep;
}

static bool vxlan_passes(const char *address, const uint8_t *frame, size_t bytes)
{
	struct sock_filter code[UPLINK_FILTER_MAX];
	struct uplink_vtep vtep = vtep_of(address);
	unsigned int n = uplink_filter_vxlan(&vtep, code);

	assert_in_range(n, 1, UPLINK_FILTER_MAX);
	return passes(code, n, frame, bytes);
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* UDP from port 50000 to 4789 at 10.0.0.1, with option bytes in the IPv4 header. */
static void build_ipv4(uint8_t frame[FRAME_BYTES], unsigned int option_bytes)
{
	memset(frame, 0, FRAME_BYTES);
	put16(frame + 12, 0x0800);
	frame[14] = (uint8_t)(0x45 + option_bytes / 4);
	frame[14 + 9] = 17;
	inet_pton(AF_INET, "10.0.0.2", frame + 14 + 12);
	inet_pton(AF_INET, "10.0.0.1", frame + 14 + 16);
	put16(frame + 34 + option_bytes, 50000);
	put16(frame + 36 + option_bytes, 4789);
}

static void build_ipv6(uint8_t frame[FRAME_BYTES])
{
	memset(frame, 0, FRAME_BYTES);
	put16(frame + 12, 0x86dd);
	frame[14] = 0x60;
	frame[14 + 6] = 17;
	inet_pton(AF_INET6, "fd00::2", frame + 14 + 8);
	inet_pton(AF_INET6, "fd00::1", frame + 14 + 24);
	put16(frame + 54, 50000);
	put16(frame + 56, 4789);
}

static void what_is_for_the_vtep_passes(void **state)
{
	uint8_t frame[FRAME_BYTES];

	build_ipv4(frame, 0);
	assert_true(vxlan_passes("10.0.0.1", frame, sizeof(frame)));
	build_ipv4(frame, 8);
	assert_true(vxlan_passes("10.0.0.1", frame, sizeof(frame)));
	build_ipv6(frame);
	assert_true(vxlan_passes("fd00::1", frame, sizeof(frame)));
}

/* One byte of a frame that passes is another one. */
struct change {
	const char *what;
	unsigned int at;
	uint8_t value;
	bool passes;
};

static void check_changes(const char *vtep, const uint8_t *frame, const struct change *changes,
			  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t changed[FRAME_BYTES];

		memcpy(changed, frame, sizeof(changed));
		changed[changes[i].at] = changes[i].value;
		if (vxlan_passes(vtep, changed, sizeof(changed)) != changes[i].passes)
			fail_msg("%s", changes[i].what);
	}
}

static void what_is_not_stays_with_the_kernel_ipv4(void **state)
{
	static const struct change changes[] = {
		{"another ethertype", 13, 0x06, false},
		{"a VLAN tag", 12, 0x81, false},
		{"TCP", 23, 6, false},
		{"another address, first byte", 30, 11, false},
		{"another address, last byte", 33, 2, false},
		{"another port, high byte", 36, 0, false},
		{"another port, low byte", 37, 0, false},
		{"a later fragment", 21, 1, false},
		{"a later fragment, far behind", 20, 0x10, false},
		{"the first fragment (MF)", 20, 0x20, true},
		{"DF", 20, 0x40, true},
		{"another source port", 34, 1, true},
		{"another source", 29, 9, true},
	};
	uint8_t frame[FRAME_BYTES];

	build_ipv4(frame, 0);
	check_changes("10.0.0.1", frame, changes, sizeof(changes) / sizeof(changes[0]));
}

static void what_is_not_stays_with_the_kernel_ipv6(void **state)
{
	static const struct change changes[] = {
		{"another ethertype", 12, 0x08, false},
		{"a fragment header", 20, 44, false},
		{"hop-by-hop options", 20, 0, false},
		{"another address, first word", 38, 0xfe, false},
		{"another address, second word", 45, 1, false},
		{"another address, third word", 49, 1, false},
		{"another address, last word", 53, 2, false},
		{"another port", 57, 0, false},
		{"another source", 37, 3, true},
	};
	uint8_t frame[FRAME_BYTES];

	build_ipv6(frame);
	check_changes("fd00::1", frame, changes, sizeof(changes) / sizeof(changes[0]));
	assert_false(vxlan_passes("10.0.0.1", frame, sizeof(frame)));
}

static void what_is_cut_short_stays_with_the_kernel(void **state)
{
	uint8_t frame[FRAME_BYTES];

	build_ipv4(frame, 0);
	for (size_t bytes = 1; bytes < 38; bytes++)
		assert_false(vxlan_passes("10.0.0.1", frame, bytes));
	assert_true(vxlan_passes("10.0.0.1", frame, 38));
	build_ipv6(frame);
	for (size_t bytes = 1; bytes < 58; bytes++)
		assert_false(vxlan_passes("fd00::1", frame, bytes));
	assert_true(vxlan_passes("fd00::1", frame, 58));
}

static void none_passes_nothing(void **state)
{
	struct sock_filter code[UPLINK_FILTER_MAX];
	uint8_t frame[FRAME_BYTES];

	build_ipv4(frame, 0);
	assert_false(passes(code, uplink_filter_none(code), frame, sizeof(frame)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_for_the_vtep_passes),
		cmocka_unit_test(what_is_not_stays_with_the_kernel_ipv4),
		cmocka_unit_test(what_is_not_stays_with_the_kernel_ipv6),
		cmocka_unit_test(what_is_cut_short_stays_with_the_kernel),
		cmocka_unit_test(none_passes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
