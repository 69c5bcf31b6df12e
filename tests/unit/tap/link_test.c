/* SPDX-License-Identifier: BSD-3-Clause */
/* tap/link.h: parsing for everyone, device settings in namespaces of the test's own. */
#include "tap/link.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_addr.h>

#include "tap/tap.h"
#include "tests/unit/tap/sandbox.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A tap and a ctx of the sandbox's own namespace. */
struct rig {
	int fd;
	struct link_ctx *ctx;
	struct link_info info;
	unsigned int n_fds;	/* before */
};

static struct rig rig_open(void)
{
	struct rig rig = {.n_fds = sandbox_count_fds()};
	char made[IF_NAMESIZE];

	assert_int_equal(tap_open("t0", 1, true, &rig.fd, made), 0);
	assert_int_equal(link_open(-1, &rig.ctx), 0);
	assert_int_equal(link_find(rig.ctx, "t0", &rig.info), 0);
	return rig;
}

static void rig_close(struct rig *rig)
{
	link_close(rig->ctx);
	close(rig->fd);
	assert_int_equal(sandbox_count_fds(), rig->n_fds);
}

static struct link_prefix parsed(const char *text)
{
	struct link_prefix prefix;

	assert_int_equal(link_parse_prefix(text, &prefix), 0);
	return prefix;
}

static void good_prefixes_are_parsed(void **state)
{
	struct link_prefix v4 = parsed("10.0.1.2/24"), v6 = parsed("fd00::2/64");
	const uint8_t v4_bytes[] = {10, 0, 1, 2};
	const uint8_t v6_bytes[16] = {0xfd, [15] = 2};

	assert_int_equal(v4.family, AF_INET);
	assert_int_equal(v4.len_bits, 24);
	assert_memory_equal(v4.address, v4_bytes, sizeof(v4_bytes));
	assert_int_equal(v6.family, AF_INET6);
	assert_int_equal(v6.len_bits, 64);
	assert_memory_equal(v6.address, v6_bytes, sizeof(v6_bytes));
	assert_int_equal(parsed("192.0.2.0/31").len_bits, 31);
	assert_int_equal(parsed("192.0.2.255/32").len_bits, 32);
	assert_int_equal(parsed("128.0.0.1/1").len_bits, 1);
	assert_int_equal(parsed("fe80::1/128").len_bits, 128);
	assert_int_equal(parsed("fd00:1111:2222:3333:4444:5555:6666:7777/127").len_bits, 127);
}

static void garbage_is_no_prefix(void **state)
{
	static const char *const garbage[] = {
		"",
		"/",
		"/24",
		"10.0.1.2",
		"10.0.1.2/",
		"10.0.1.2/ 24",
		"10.0.1.2/24 ",
		" 10.0.1.2/24",
		"10.0.1.2 /24",
		"10.0.1.2/+24",
		"10.0.1.2/-1",
		"10.0.1.2/33",
		"10.0.1.2/0",
		"10.0.1.2/024",
		"10.0.1.2/24x",
		"10.0.1.2/0x18",
		"10.0.1.2/24/24",
		"10.0.1.2/4294967320",
		"10.0.1.2/99999999999999999999999",
		"10.0.1/24",
		"10.0.1.2.3/24",
		"10.0.1.256/24",
		"010.0.1.2/24",
		"0x0a.0.1.2/24",
		"167772418/24",
		"10.0.1.2/255.255.255.0",
		"10.0.1.2\n/24",
		"c1/24",
		"localhost/8",
		"fd00::2",
		"fd00::2/129",
		"fd00::2/0",
		"fd00::2/",
		"fd00::2::3/64",
		"fd00::2%eth0/64",
		"[fd00::2]/64",
		"fd00::g/64",
		"::ffff:10.0.1.2.3/64",
		":/64",
		"fd00:2/64",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333/64",
	};
	struct link_prefix prefix = {.len_bits = 99};

	for (size_t i = 0; i < N_OF(garbage); i++)
		if (link_parse_prefix(garbage[i], &prefix) != -EINVAL)
			fail_msg("\"%s\" was not refused", garbage[i]);
	assert_int_equal(prefix.len_bits, 99);
}

static void addresses_that_no_host_has_are_told_apart(void **state)
{
	static const char *const odd[] = {
		"10.0.1.0/24", "10.0.1.255/24", "0.0.0.0/32",	"0.1.2.3/24",
		"127.0.0.1/8", "224.0.0.5/24",	"240.0.0.1/24", "255.255.255.255/32",
		"::/64",       "::1/128",	"ff02::1/64",	"::ffff:10.0.1.2/96",
	};
	struct link_prefix prefix;

	for (size_t i = 0; i < N_OF(odd); i++)
		if (link_parse_prefix(odd[i], &prefix) != -EADDRNOTAVAIL)
			fail_msg("\"%s\" was not refused", odd[i]);
}

static void names_follow_the_kernels_rules(void **state)
{
	static const char *const good[] = {"c1", "eth0", "a", "fifteen-letters", "a.b_c-d", "..."};
	static const char *const bad[] = {
		"",    ".",	"..",	"sixteen-letters!",  "a/b", "a:1", "a b",
		"a\n", "tap%d", "\x7f", "\xc3\xa9t\xc3\xa9",
	};

	for (size_t i = 0; i < N_OF(good); i++)
		if (!link_name_is_valid(good[i]))
			fail_msg("\"%s\" was refused", good[i]);
	for (size_t i = 0; i < N_OF(bad); i++)
		if (link_name_is_valid(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
}

static void namespace_names_stay_inside_their_folder(void **state)
{
	static const char *const bad[] = {
		"",
		".",
		"..",
		"...",
		"/",
		"../pid",
		"a/b",
		"/proc/1/ns/net",
		"0123456789012345678901234567890123456789012345678901234567890123",
	};

	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(link_netns_open(bad[i]), -EINVAL);
	assert_int_equal(link_netns_open("weft-test-no-such-namespace"), -ENOENT);
}

static void file_without_a_namespace_is_told_apart(void **state)
{
	sandbox_require();
	close(open("/run/netns/stale", O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(link_netns_open("stale"), -ESTALE);
	unlink("/run/netns/stale");
}

static void settings_reach_the_kernel(void **state)
{
	const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
	struct link_change change = {.mac = mac, .mtu_bytes = 9000, .admin = LINK_ADMIN_UP};
	struct link_change down = {.admin = LINK_ADMIN_DOWN};
	uint8_t seen[6];
	struct rig rig;

	sandbox_require();
	rig = rig_open();
	assert_false(rig.info.is_up);
	assert_int_equal(rig.info.mtu_bytes, 1500);
	assert_int_equal(link_set(rig.ctx, rig.info.index, &change), 0);
	assert_int_equal(sandbox_mtu("t0"), 9000);
	assert_true(sandbox_flags("t0") & IFF_UP);
	sandbox_mac("t0", seen);
	assert_memory_equal(seen, mac, sizeof(mac));

	assert_int_equal(link_find(rig.ctx, "t0", &rig.info), 0);
	assert_true(rig.info.is_up);
	assert_int_equal(rig.info.mtu_bytes, 9000);
	assert_memory_equal(rig.info.mac, mac, sizeof(mac));

	assert_int_equal(link_set(rig.ctx, rig.info.index, &down), 0);
	assert_false(sandbox_flags("t0") & IFF_UP);
	assert_int_equal(sandbox_mtu("t0"), 9000);
	rig_close(&rig);
}

static void alias_is_shown(void **state)
{
	struct link_change change = {.alias = "weft port c1"};
	struct rig rig;
	char shown[32] = "";
	FILE *pipe;

	sandbox_require();
	rig = rig_open();
	assert_int_equal(link_set(rig.ctx, rig.info.index, &change), 0);
	pipe = popen("ip link show t0 | sed -n 's/^ *alias //p'", "r");
	assert_non_null(pipe);
	assert_non_null(fgets(shown, sizeof(shown), pipe));
	assert_int_equal(pclose(pipe), 0);
	assert_string_equal(shown, "weft port c1\n");
	rig_close(&rig);
}

static void kernels_refusals_come_through_as_errno(void **state)
{
	const uint8_t multicast[6] = {1};
	struct link_change small = {.mtu_bytes = 67}, large = {.mtu_bytes = 65522},
			   group = {.mac = multicast}, up = {.admin = LINK_ADMIN_UP};
	struct rig rig;

	sandbox_require();
	rig = rig_open();
	assert_int_equal(link_set(rig.ctx, rig.info.index, &small), -EINVAL);
	assert_int_equal(link_set(rig.ctx, rig.info.index, &large), -EINVAL);
	assert_int_equal(link_set(rig.ctx, rig.info.index, &group), -EADDRNOTAVAIL);
	assert_int_equal(link_set(rig.ctx, 9999, &up), -ENODEV);
	assert_int_equal(link_find(rig.ctx, "nobody", &rig.info), -ENODEV);
	/* The socket is still in step after refusals. */
	assert_int_equal(link_find(rig.ctx, "t0", &rig.info), 0);
	assert_int_equal(rig.info.mtu_bytes, 1500);
	rig_close(&rig);
}

static void move_renames_in_the_other_namespace(void **state)
{
	struct link_info info;
	struct link_ctx *there;
	struct rig rig;
	int netns_fd;

	sandbox_require();
	rig = rig_open();
	sandbox_add_netns("m1");
	netns_fd = link_netns_open("m1");
	assert_true(netns_fd >= 0);
	assert_int_equal(link_move(rig.ctx, rig.info.index, netns_fd, "eth0"), 0);
	assert_int_equal(link_find(rig.ctx, "t0", &info), -ENODEV);
	assert_int_equal(link_find(rig.ctx, "eth0", &info), -ENODEV);

	assert_int_equal(link_open(netns_fd, &there), 0);
	/* Only the socket is there: the thread is back home. */
	assert_false(sandbox_has_link("eth0"));
	assert_int_equal(link_find(there, "eth0", &info), 0);
	assert_int_equal(link_find(there, "t0", &info), -ENODEV);
	link_close(there);
	close(netns_fd);
	sandbox_del_netns("m1");
	rig_close(&rig);
}

static void descriptor_of_no_namespace_is_refused(void **state)
{
	struct link_ctx *ctx = NULL;
	unsigned int n_fds;
	int fd;

	sandbox_require();
	n_fds = sandbox_count_fds();
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(link_open(fd, &ctx), -EINVAL);
	assert_null(ctx);
	close(fd);
	assert_int_equal(sandbox_count_fds(), n_fds);
}

static void delete_removes_the_device(void **state)
{
	struct link_info info;
	struct rig rig;

	sandbox_require();
	rig = rig_open();
	assert_int_equal(link_delete(rig.ctx, rig.info.index), 0);
	assert_false(sandbox_has_link("t0"));
	assert_int_equal(link_find(rig.ctx, "t0", &info), -ENODEV);
	assert_int_equal(link_delete(rig.ctx, rig.info.index), -ENODEV);
	rig_close(&rig);
}

static void expect_addresses(const char *expected)
{
	char text[256];

	sandbox_addresses("t0", text, sizeof(text));
	assert_string_equal(text, expected);
}

static void set_address(const struct rig *rig, const char *text)
{
	struct link_prefix prefix = parsed(text);

	assert_int_equal(link_set_address(rig->ctx, rig->info.index, &prefix), 0);
	expect_addresses(text);
}

static void address_is_set_replaced_and_removed(void **state)
{
	struct link_change up = {.admin = LINK_ADMIN_UP};
	struct rig rig;

	sandbox_require();
	rig = rig_open();
	assert_int_equal(link_set(rig.ctx, rig.info.index, &up), 0);
	set_address(&rig, "10.0.1.2/24");
	set_address(&rig, "10.0.1.2/24");	/* again: no change */
	set_address(&rig, "10.0.1.3/24");	/* the same network */
	set_address(&rig, "10.0.1.3/16");	/* the same address */
	set_address(&rig, "fd00::2/64");
	set_address(&rig, "fd00::2/48");
	set_address(&rig, "10.0.1.2/24");
	assert_int_equal(link_set_address(rig.ctx, rig.info.index, NULL), 0);
	expect_addresses("");
	assert_int_equal(link_set_address(rig.ctx, rig.info.index, NULL), 0);
	rig_close(&rig);
}

static void addresses_of_others_stay(void **state)
{
	struct rig rig;

	sandbox_require();
	rig = rig_open();
	assert_int_equal(system("ip addr add 192.0.2.9/24 dev t0"), 0);
	assert_int_equal(system("ip addr add 198.51.100.9/24 dev lo"), 0);
	set_address(&rig, "192.0.2.9/24");	/* there already, and theirs */
	assert_int_equal(link_set_address(rig.ctx, rig.info.index, NULL), 0);
	expect_addresses("192.0.2.9/24");

	struct link_prefix ours = parsed("10.0.1.2/24");

	assert_int_equal(link_set_address(rig.ctx, rig.info.index, &ours), 0);
	expect_addresses("192.0.2.9/24 10.0.1.2/24");
	assert_int_equal(link_set_address(rig.ctx, rig.info.index, NULL), 0);
	expect_addresses("192.0.2.9/24");
	assert_int_equal(system("ip addr del 198.51.100.9/24 dev lo"), 0);
	rig_close(&rig);
}

static void other_devices_keep_their_addresses(void **state)
{
	struct link_prefix ours = parsed("10.0.1.2/24"), theirs = parsed("10.0.2.2/24");
	struct link_info lo;
	struct rig rig;
	char text[256];

	sandbox_require();
	rig = rig_open();
	assert_int_equal(link_find(rig.ctx, "lo", &lo), 0);
	assert_int_equal(link_set_address(rig.ctx, lo.index, &theirs), 0);
	assert_int_equal(link_set_address(rig.ctx, rig.info.index, &theirs), 0);
	expect_addresses("10.0.2.2/24");
	assert_int_equal(link_set_address(rig.ctx, rig.info.index, &ours), 0);
	expect_addresses("10.0.1.2/24");
	sandbox_addresses("lo", text, sizeof(text));
	assert_string_equal(text, "10.0.2.2/24");
	assert_int_equal(link_set_address(rig.ctx, lo.index, NULL), 0);
	rig_close(&rig);
}

/* Flags of an address in the table of /proc, or -1. */
static long ipv6_flags(const char *hex)
{
	FILE *table = fopen("/proc/thread-self/net/if_inet6", "re");
	char line[128];
	long found = -1;

	assert_non_null(table);
	/* Address, index, prefix length, scope and flags in hex, name; fields of fixed width. */
	while (fgets(line, sizeof(line), table) != NULL)
		if (strncmp(line, hex, 32) == 0 && strstr(line, " t0\n") != NULL)
			found = strtol(line + 42, NULL, 16);
	fclose(table);
	return found;
}

static void ipv6_address_is_usable_at_once(void **state)
{
	struct link_change up = {.admin = LINK_ADMIN_UP};
	struct rig rig;
	long flags;

	sandbox_require();
	rig = rig_open();
	assert_int_equal(link_set(rig.ctx, rig.info.index, &up), 0);
	set_address(&rig, "fd00::2/64");
	flags = ipv6_flags("fd000000000000000000000000000002");
	assert_true(flags >= 0);
	assert_true(flags & IFA_F_NODAD);
	assert_false(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_prefixes_are_parsed),
		cmocka_unit_test(garbage_is_no_prefix),
		cmocka_unit_test(addresses_that_no_host_has_are_told_apart),
		cmocka_unit_test(names_follow_the_kernels_rules),
		cmocka_unit_test(namespace_names_stay_inside_their_folder),
		cmocka_unit_test(file_without_a_namespace_is_told_apart),
		cmocka_unit_test(settings_reach_the_kernel),
		cmocka_unit_test(alias_is_shown),
		cmocka_unit_test(kernels_refusals_come_through_as_errno),
		cmocka_unit_test(move_renames_in_the_other_namespace),
		cmocka_unit_test(descriptor_of_no_namespace_is_refused),
		cmocka_unit_test(delete_removes_the_device),
		cmocka_unit_test(address_is_set_replaced_and_removed),
		cmocka_unit_test(addresses_of_others_stay),
		cmocka_unit_test(other_devices_keep_their_addresses),
		cmocka_unit_test(ipv6_address_is_usable_at_once),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
