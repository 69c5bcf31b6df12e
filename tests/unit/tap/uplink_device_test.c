/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets of an uplink, on a pair of interfaces in a sandbox. */
#include "tap/uplink_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/tap/sandbox.h"

#define DEADLINE_MS 20000

static void run(const char *command)
{
	/* A command of the test's own, no word of it from outside. */
	if (system(command) != 0)
		fail_msg("%s", command);
}

static int set_up(void **state)
{
	sandbox_require();
	run("ip link add u0 type veth peer name u1 && ip link set u0 up && ip link set u1 up");
	sandbox_await_running("u0");
	sandbox_await_running("u1");
	run("ip address add 10.8.0.1/24 dev u0 && ip address add fd08::1/64 dev u0 nodad");
	return 0;
}

static int tear_down(void **state)
{
	/* A test may have taken it away. */
	if (sandbox_has_link("u1"))
		run("ip link del u1");
	return 0;
}

static struct uplink_device_spec trunk(uint16_t n_queues)
{
	return (struct uplink_device_spec){
		.ifname = "u0", .n_queues = n_queues, .holder_fd = -1, .held_fd = -1};
}

static struct uplink_device_spec underlay(const char *vtep)
{
	return (struct uplink_device_spec){.ifname = "u0",
					   .vtep = vtep,
					   .vxlan_port = 4789,
					   .n_queues = 1,
					   .holder_fd = -1,
					   .held_fd = -1};
}

static void create(const struct uplink_device_spec *spec, int *fds)
{
	char why[256] = "";
	int error = uplink_device_create(spec, fds, why, sizeof(why));

	if (error < 0)
		fail_msg("%d: %s", error, why);
	for (unsigned int i = 0; i < spec->n_queues; i++)
		assert_int_equal(uplink_device_check(fds[i]), 0);
}

static void close_all(const struct uplink_device_spec *spec, const int *fds)
{
	for (unsigned int i = 0; i < uplink_device_count_fds(spec); i++)
		close(fds[i]);
}

static void assert_refused(const struct uplink_device_spec *spec, int error, const char *words)
{
	unsigned int before = sandbox_count_fds();
	char why[256] = "";
	int fds[UPLINK_FDS_MAX];

	assert_int_equal(uplink_device_create(spec, fds, why, sizeof(why)), error);
	if (strstr(why, words) == NULL || strchr(why, '\n') != NULL)
		fail_msg("%s", why);
	assert_int_equal(sandbox_count_fds(), before);
}

/* One frame out of u1, to a stranger. */
static void send_frame(uint8_t mark)
{
	uint8_t frame[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5, mark};
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_ifindex = (int)if_nametoindex("u1")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	const void *any = &address;

	assert_return_code(fd, errno);
	assert_int_equal(sendto(fd, frame, sizeof(frame), 0, any, sizeof(address)), sizeof(frame));
	close(fd);
}

/* Whether a frame with the mark comes; others (the kernel's own) are passed over. */
static bool takes(int fd, uint8_t mark)
{
	uint8_t frame[UPLINK_HEADER_BYTES + 2048];
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	while (poll(&ready, 1, DEADLINE_MS) == 1) {
		ssize_t bytes = recv(fd, frame, sizeof(frame), 0);

		if (bytes > UPLINK_HEADER_BYTES + 14 && frame[UPLINK_HEADER_BYTES + 12] == 0x88 &&
		    frame[UPLINK_HEADER_BYTES + 14] == mark)
			return true;
	}
	return false;
}

static void a_trunk_takes_frames_to_anyone(void **state)
{
	struct uplink_device_spec spec = trunk(1);
	int fds[UPLINK_FDS_MAX];

	create(&spec, fds);
	assert_int_equal(uplink_device_count_fds(&spec), 1);
	send_frame(1);
	assert_true(takes(fds[0], 1));
	close_all(&spec, fds);
}

static void queues_share_what_comes(void **state)
{
	struct uplink_device_spec spec = trunk(4);
	struct pollfd ready[4];
	int fds[UPLINK_FDS_MAX];

	create(&spec, fds);
	/* What came before all had joined is no matter: it is thrown away by who polls. */
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t frame[128];

		while (recv(fds[i], frame, sizeof(frame), 0) > 0)
			continue;
		ready[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	}
	for (uint8_t mark = 1; mark < 9; mark++) {
		unsigned int n = 0;

		send_frame(mark);
		assert_true(poll(ready, 4, DEADLINE_MS) > 0);
		for (unsigned int i = 0; i < 4; i++) {
			uint8_t frame[128];

			while (recv(fds[i], frame, sizeof(frame), 0) > 0)
				n += frame[UPLINK_HEADER_BYTES + 12] == 0x88;
		}
		assert_int_equal(n, 1);
	}
	close_all(&spec, fds);
}

static void a_vtep_holds_its_port_and_hears_no_other_frame(void **state)
{
	static const char *const vteps[] = {"10.8.0.1", "fd08::1"};

	for (unsigned int i = 0; i < 2; i++) {
		struct uplink_device_spec spec = underlay(vteps[i]), again = spec;
		int fds[UPLINK_FDS_MAX], other_fds[UPLINK_FDS_MAX];
		uint8_t frame[128];

		create(&spec, fds);
		assert_int_equal(uplink_device_count_fds(&spec), 2);
		send_frame(1);
		assert_int_equal(recv(fds[0], frame, sizeof(frame), 0), -1);
		assert_refused(&spec, -EADDRINUSE, "UDP port 4789");
		/* Who takes its place gets the port handed on. */
		again.holder_fd = fds[1];
		create(&again, other_fds);
		close_all(&spec, fds);
		assert_refused(&spec, -EADDRINUSE, "UDP port 4789");
		assert_false(uplink_device_is_lost(&again, other_fds));
		close_all(&again, other_fds);
	}
}

static void what_cannot_be_is_said(void **state)
{
	struct uplink_device_spec spec = trunk(1);

	spec.ifname = "none0";
	assert_refused(&spec, -ENODEV, "interface none0 does not exist");
	spec.ifname = "lo";
	assert_refused(&spec, -EINVAL, "no Ethernet");
	spec.ifname = "a/b";
	assert_refused(&spec, -EINVAL, "ifname a/b");
	spec = trunk(UPLINK_QUEUES_MAX + 1);
	assert_refused(&spec, -EINVAL, "1 to 15");
	spec = underlay("10.8.0.9");
	assert_refused(&spec, -EADDRNOTAVAIL, "ip address add 10.8.0.9/24 dev u0");
	spec = underlay("fd08::9");
	assert_refused(&spec, -EADDRNOTAVAIL, "ip address add fd08::9/64 dev u0");
	spec = underlay("ten");
	assert_refused(&spec, -EINVAL, "vtep ten is no address");
}

/* The kernel works out whether there is a carrier a little after its cause. */
static void await_carrier(int fd, bool is_wanted)
{
	struct uplink_device_info info;

	for (unsigned int i = 0; i < DEADLINE_MS / 5; i++) {
		assert_int_equal(uplink_device_look(fd, &info), 0);
		if (info.has_carrier == is_wanted)
			return;
		poll(NULL, 0, 5);
	}
	fail_msg("the carrier is %s", is_wanted ? "away" : "there");
}

static void the_interface_is_looked_at(void **state)
{
	struct uplink_device_spec spec = underlay("10.8.0.1");
	struct uplink_device_info info;
	int fds[UPLINK_FDS_MAX];

	create(&spec, fds);
	assert_int_equal(uplink_device_look(fds[0], &info), 0);
	assert_string_equal(info.ifname, "u0");
	assert_true(info.is_up);
	await_carrier(fds[0], true);
	assert_int_equal(info.mtu_bytes, 1500);
	run("ip link set u1 down");
	assert_int_equal(uplink_device_look(fds[0], &info), 0);
	assert_true(info.is_up);
	await_carrier(fds[0], false);
	run("ip link set u0 down");
	assert_int_equal(uplink_device_look(fds[0], &info), 0);
	assert_false(info.is_up);
	assert_false(uplink_device_is_lost(&spec, fds));
	assert_int_equal(uplink_device_has_address("u0", "10.8.0.1"), 1);
	run("ip address del 10.8.0.1/24 dev u0");
	assert_int_equal(uplink_device_has_address("u0", "10.8.0.1"), 0);
	run("ip link del u1");
	assert_int_equal(uplink_device_look(fds[0], &info), -ENODEV);
	assert_true(uplink_device_is_lost(&spec, fds));
	close_all(&spec, fds);
}

static void sockets_of_another_interface_or_port_are_lost(void **state)
{
	struct uplink_device_spec spec = underlay("10.8.0.1"), other = spec;
	int fds[UPLINK_FDS_MAX];

	create(&spec, fds);
	assert_false(uplink_device_is_lost(&spec, fds));
	other.vxlan_port = 4790;
	assert_true(uplink_device_is_lost(&other, fds));
	other = spec;
	other.vtep = "10.8.0.2";
	assert_true(uplink_device_is_lost(&other, fds));
	run("ip link set u0 down && ip link set u0 name u9");
	assert_true(uplink_device_is_lost(&spec, fds));
	close_all(&spec, fds);
}

static void an_interface_that_is_down_is_no_error(void **state)
{
	struct uplink_device_spec spec = trunk(1);
	int fds[UPLINK_FDS_MAX];

	run("ip link set u0 down");
	create(&spec, fds);
	run("ip link set u0 up");
	sandbox_await_running("u0");
	sandbox_await_running("u1");
	send_frame(3);
	/* The socket notes that it was down, once. */
	assert_true(takes(fds[0], 3));
	close_all(&spec, fds);
}

static void other_descriptors_are_told_apart(void **state)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_return_code(fd, errno);
	assert_int_equal(uplink_device_check(fd), -EPROTO);
	close(fd);
	assert_int_equal(uplink_device_check(STDIN_FILENO + 1000), -ENOTSOCK);
}

static void af_xdp_leaves_nothing_behind(void **state)
{
	struct uplink_device_spec spec = trunk(1);
	int fds[UPLINK_FDS_MAX];
	char why[256] = "";

	spec.driver = UPLINK_AF_XDP;
	assert_int_equal(uplink_device_count_fds(&spec), 3);
	if (uplink_device_create(&spec, fds, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_false(uplink_device_is_lost(&spec, fds));
	assert_false(uplink_device_is_used(&spec, fds));
	/* One program for each interface; it goes with its link. */
	assert_refused(&spec, -EBUSY, "has an XDP program of somebody else");
	close_all(&spec, fds);
	if (uplink_device_create(&spec, fds, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	run("ip link del u1");
	assert_true(uplink_device_is_lost(&spec, fds));
	close_all(&spec, fds);
}

static void af_xdp_exchanges_its_program(void **state)
{
	struct uplink_device_spec spec = underlay("10.8.0.1"), next = spec;
	int fds[UPLINK_FDS_MAX], next_fds[UPLINK_FDS_MAX];
	char why[256] = "";

	spec.driver = next.driver = UPLINK_AF_XDP;
	next.vxlan_port = 8472;
	if (uplink_device_create(&spec, fds, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	next.held_fd = fds[uplink_device_held_at(&spec)];
	if (uplink_device_create(&next, next_fds, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	int program_fd = uplink_device_load(&next, next_fds, why, sizeof(why));

	assert_return_code(program_fd, errno);
	assert_int_equal(uplink_device_switch(&next, next_fds, program_fd), 0);
	close(program_fd);
	close_all(&spec, fds);
	/* The link is held still. */
	spec.held_fd = -1;
	assert_refused(&spec, -EBUSY, "has an XDP program");
	close_all(&next, next_fds);
}

static void af_xdp_refuses_what_it_cannot_carry(void **state)
{
	struct uplink_device_spec spec = trunk(2);

	spec.driver = UPLINK_AF_XDP;
	assert_refused(&spec, -EINVAL, "use queues=1, or ethtool -L u0 combined 2");
	spec.n_queues = 14;
	assert_refused(&spec, -EINVAL, "has 1 receive queues");
	spec.n_queues = 15;
	assert_refused(&spec, -EINVAL, "1 to 14");
	spec.n_queues = 1;
	run("ip link set u0 mtu 3819");
	assert_refused(&spec, -EINVAL, "carries 3818 at most");
}

static void a_companion_is_a_tap_and_the_port_is_held_before_its_address(void **state)
{
	struct uplink_device_spec spec = underlay("10.8.0.77");
	int fds[UPLINK_FDS_MAX];
	char why[256] = "";

	spec.driver = UPLINK_DPDK;
	spec.ifname = "c0";
	assert_int_equal(uplink_device_count_fds(&spec), 2);
	if (uplink_device_create(&spec, fds, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_true(sandbox_has_link("c0"));
	assert_false(uplink_device_is_lost(&spec, fds));
	close_all(&spec, fds);
	assert_false(sandbox_has_link("c0"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_trunk_takes_frames_to_anyone),
		TEST(queues_share_what_comes),
		TEST(a_vtep_holds_its_port_and_hears_no_other_frame),
		TEST(what_cannot_be_is_said),
		TEST(the_interface_is_looked_at),
		TEST(sockets_of_another_interface_or_port_are_lost),
		TEST(an_interface_that_is_down_is_no_error),
		TEST(other_descriptors_are_told_apart),
		TEST(af_xdp_leaves_nothing_behind),
		TEST(af_xdp_exchanges_its_program),
		TEST(af_xdp_refuses_what_it_cannot_carry),
		TEST(a_companion_is_a_tap_and_the_port_is_held_before_its_address),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
