/* SPDX-License-Identifier: BSD-3-Clause */
/* tap/tap_device.h: devices as asked for, nothing left after a refusal, changes in place. */
#include "tap/tap_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tap/tap.h"
#include "tests/unit/tap/device_rig.h"
#include "tests/unit/tap/sandbox.h"

#define DEADLINE_MS 20000
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What must be the same before and after. */
struct baseline {
	unsigned int n_fds, n_links_here, n_links_there;
};

static struct baseline take_baseline(const char *netns)
{
	struct baseline base = {.n_links_here = sandbox_count_links()};

	sandbox_visit(netns);
	base.n_links_there = sandbox_count_links();
	sandbox_visit(NULL);
	base.n_fds = sandbox_count_fds();
	return base;
}

static void expect_baseline(const struct baseline *base, const char *netns)
{
	struct baseline now = take_baseline(netns);

	assert_int_equal(now.n_fds, base->n_fds);
	assert_int_equal(now.n_links_here, base->n_links_here);
	assert_int_equal(now.n_links_there, base->n_links_there);
}

static void expect_text(const char *text, const char *part)
{
	if (strstr(text, part) == NULL || strchr(text, '\n') != NULL)
		fail_msg("\"%s\" does not say \"%s\" in one line", text, part);
}

/* The device, as the kernel shows it in the spec's namespace. */
static void expect_device(const struct tap_device_spec *spec)
{
	char addresses[256];
	uint8_t mac[6];

	sandbox_visit(spec->netns);
	assert_true(sandbox_has_link(spec->ifname));
	assert_true(sandbox_flags(spec->ifname) & IFF_UP);
	assert_int_equal(sandbox_mtu(spec->ifname), spec->mtu_bytes);
	sandbox_mac(spec->ifname, mac);
	assert_memory_equal(mac, spec->mac, sizeof(mac));
	sandbox_addresses(spec->ifname, addresses, sizeof(addresses));
	assert_string_equal(addresses, spec->ip != NULL ? spec->ip : "");
	sandbox_visit(NULL);
}

static void device_in_a_namespace_is_as_asked_for(void **state)
{
	struct baseline base;
	char name[IF_NAMESIZE];
	int fd;

	sandbox_require();
	sandbox_add_netns("d1");
	base = take_baseline("d1");
	fd = device_rig_create(&device_rig_sample);
	expect_device(&device_rig_sample);
	assert_false(sandbox_has_link("eth0"));
	assert_int_equal(sandbox_count_links(), base.n_links_here);
	assert_int_equal(tap_check(fd, name), 0);
	assert_string_equal(name, "eth0");
	close(fd);
	expect_baseline(&base, "d1");
	sandbox_del_netns("d1");
}

static void device_without_a_namespace_stays_here(void **state)
{
	struct tap_device_spec spec = device_rig_sample;
	struct baseline base;
	int fd;

	sandbox_require();
	spec.netns = NULL;
	spec.ip = "fd00::2/64";
	base = take_baseline(NULL);
	fd = device_rig_create(&spec);
	expect_device(&spec);
	close(fd);
	expect_baseline(&base, NULL);
}

static void what_is_not_asked_for_is_left_to_the_kernel(void **state)
{
	struct tap_device_spec spec = {.ifname = "bare0", .n_queues = 1};
	uint8_t mac[6], none[6] = {0};
	char addresses[64];
	int fd;

	sandbox_require();
	fd = device_rig_create(&spec);
	assert_int_equal(sandbox_mtu("bare0"), 1500);
	sandbox_mac("bare0", mac);
	assert_memory_not_equal(mac, none, sizeof(mac));
	sandbox_addresses("bare0", addresses, sizeof(addresses));
	assert_string_equal(addresses, "");
	close(fd);
}

static void one_name_serves_in_several_namespaces(void **state)
{
	struct tap_device_spec here = device_rig_sample, first = device_rig_sample,
			       second = device_rig_sample;
	int fds[3];

	sandbox_require();
	sandbox_add_netns("d1");
	sandbox_add_netns("d2");
	here.netns = NULL;
	second.netns = "d2";
	second.ip = "10.0.1.3/24";
	fds[0] = device_rig_create(&here);
	fds[1] = device_rig_create(&first);
	fds[2] = device_rig_create(&second);
	expect_device(&here);
	expect_device(&first);
	expect_device(&second);
	tap_close(fds, 3);
	sandbox_del_netns("d2");
	sandbox_del_netns("d1");
}

static void queues_move_together(void **state)
{
	struct tap_device_spec spec = device_rig_sample;
	struct baseline base;
	char why[256], name[IF_NAMESIZE];
	int fds[4];

	sandbox_require();
	sandbox_add_netns("d1");
	base = take_baseline("d1");
	spec.n_queues = N_OF(fds);
	assert_int_equal(tap_device_create(&spec, fds, why, sizeof(why)), 0);
	expect_device(&spec);
	for (size_t i = 0; i < N_OF(fds); i++) {
		assert_int_equal(tap_check(fds[i], name), 0);
		assert_string_equal(name, "eth0");
	}
	tap_close(fds, N_OF(fds));
	expect_baseline(&base, "d1");
	sandbox_del_netns("d1");
}

static void unsound_specs_are_refused_in_words(void **state)
{
	static const struct {
		const char *says;
		struct tap_device_spec spec;
	} rows[] = {
		{"ifname a/b", {.ifname = "a/b", .n_queues = 1}},
		{"ifname tap%d", {.ifname = "tap%d", .n_queues = 1}},
		{"ifname a?[31m", {.ifname = "a\x1b[31m", .n_queues = 1}},
		{"ifname a?b", {.ifname = "a\nb", .n_queues = 1}},
		{"netns ../d1 cannot name a network namespace",
		 {.ifname = "e0", .netns = "../d1", .n_queues = 1}},
		{"0 queues: a tap takes 1 to 16", {.ifname = "e0"}},
		{"17 queues", {.ifname = "e0", .n_queues = 17}},
		{"mac 01:... is a multicast", {.ifname = "e0", .n_queues = 1, .mac = {1}}},
		{"mtu 67: a tap takes 68 to 65521",
		 {.ifname = "e0", .n_queues = 1, .mtu_bytes = 67}},
		{"mtu 65522", {.ifname = "e0", .n_queues = 1, .mtu_bytes = 65522}},
		{"ip 10.0.1.2 is not an address with a prefix length: write it as 10.0.1.2/24",
		 {.ifname = "e0", .n_queues = 1, .ip = "10.0.1.2"}},
		{"ip 10.0.1.0/24 is not the address of a host",
		 {.ifname = "e0", .n_queues = 1, .ip = "10.0.1.0/24"}},
		{"ip fd00::2/64 needs an mtu of 1280 or more, not 1279",
		 {.ifname = "e0", .n_queues = 1, .ip = "fd00::2/64", .mtu_bytes = 1279}},
	};
	char why[256];
	int fd;

	for (size_t i = 0; i < N_OF(rows); i++) {
		assert_int_equal(tap_device_validate(&rows[i].spec, why, sizeof(why)), -EINVAL);
		expect_text(why, rows[i].says);
		assert_int_equal(tap_device_create(&rows[i].spec, &fd, why, sizeof(why)), -EINVAL);
		assert_int_equal(tap_device_update(&rows[i].spec, 0, why, sizeof(why)), -EINVAL);
	}
}

static void missing_namespace_is_refused_in_words(void **state)
{
	struct tap_device_spec spec = device_rig_sample;
	char why[256];
	int fd;

	spec.netns = "weft-test-none";
	assert_int_equal(tap_device_create(&spec, &fd, why, sizeof(why)), -ENOENT);
	expect_text(why, "network namespace weft-test-none does not exist: "
			 "create it with: ip netns add weft-test-none");
}

static void reason_fits_the_space_that_there_is(void **state)
{
	struct tap_device_spec spec = {.ifname = "a/b", .n_queues = 1};
	char why[8] = "1234567";

	assert_int_equal(tap_device_validate(&spec, why, 4), -EINVAL);
	assert_string_equal(why, "ifn");
	assert_string_equal(why + 4, "567");
	assert_int_equal(tap_device_validate(&spec, NULL, 0), -EINVAL);
}

/* Creation is refused with `error` and `says`, and neither side has more than before. */
static void expect_refusal(const struct tap_device_spec *spec, int error, const char *says)
{
	struct baseline base = take_baseline("d1");
	char why[256] = "";
	int fds[TAP_QUEUES_MAX];

	assert_int_equal(tap_device_create(spec, fds, why, sizeof(why)), error);
	expect_text(why, says);
	expect_baseline(&base, "d1");
}

static void taken_name_is_refused_and_nothing_stays(void **state)
{
	struct tap_device_spec here = device_rig_sample;
	int fds[2];

	sandbox_require();
	sandbox_add_netns("d1");
	here.netns = NULL;
	fds[0] = device_rig_create(&here);
	fds[1] = device_rig_create(&device_rig_sample);
	expect_refusal(&here, -EEXIST, "network device eth0 exists already: choose another");
	expect_refusal(&device_rig_sample, -EEXIST,
		       "network device eth0 exists already in namespace d1: "
		       "choose another ifname");
	here.ifname = "lo";
	expect_refusal(&here, -EEXIST, "network device lo exists already");
	expect_device(&device_rig_sample);
	tap_close(fds, 2);
	sandbox_del_netns("d1");
}

static void write_sysctl(const char *netns, const char *path, const char *value)
{
	int fd;

	sandbox_visit(netns);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_return_code(fd, errno);
	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	close(fd);
	sandbox_visit(NULL);
}

static void refused_address_leaves_nothing(void **state)
{
	struct tap_device_spec spec = device_rig_sample;

	sandbox_require();
	sandbox_add_netns("d1");
	write_sysctl("d1", "/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	spec.ip = "fd00::2/64";
	spec.n_queues = 4;
	expect_refusal(&spec, -EACCES, "IPv6 is switched off for eth0 in namespace d1");
	sandbox_del_netns("d1");
}

static void file_in_place_of_a_namespace_leaves_nothing(void **state)
{
	struct tap_device_spec spec = device_rig_sample;

	sandbox_require();
	sandbox_add_netns("d1");
	close(open("/run/netns/stale", O_CREAT | O_CLOEXEC, 0600));
	spec.netns = "stale";
	expect_refusal(&spec, -ESTALE, "/run/netns/stale is a file, not a namespace");
	unlink("/run/netns/stale");
	sandbox_del_netns("d1");
}

static void missing_rights_leave_nothing(void **state)
{
	struct tap_device_spec spec = device_rig_sample;
	char why[256] = "";
	int error, fd;

	sandbox_require();
	spec.netns = NULL;
	assert_return_code(seteuid(65534), errno);
	error = tap_device_create(&spec, &fd, why, sizeof(why));
	assert_return_code(seteuid(0), errno);
	assert_true(error == -EPERM || error == -EACCES);
	expect_text(why, "making tap devices is not permitted: run weftd as root");
	assert_false(sandbox_has_link("eth0"));
}

static void update_changes_address_mac_and_mtu_in_place(void **state)
{
	struct tap_device_spec spec = device_rig_sample;
	unsigned int index, n_fds;
	int fd;

	sandbox_require();
	sandbox_add_netns("d1");
	fd = device_rig_create(&spec);
	sandbox_visit("d1");
	index = if_nametoindex("eth0");
	sandbox_visit(NULL);
	n_fds = sandbox_count_fds();

	device_rig_update(&spec, fd); /* nothing to do */
	expect_device(&spec);
	spec.ip = "10.0.1.9/24";
	spec.mtu_bytes = 9000;
	spec.mac[5] = 0x22;
	device_rig_update(&spec, fd);
	expect_device(&spec);
	spec.ip = "fd00::9/64";
	device_rig_update(&spec, fd);
	expect_device(&spec);
	spec.ip = NULL;
	device_rig_update(&spec, fd);
	expect_device(&spec);

	assert_int_equal(sandbox_count_fds(), n_fds);
	sandbox_visit("d1");
	assert_int_equal(if_nametoindex("eth0"), index);
	sandbox_visit(NULL);
	close(fd);
	sandbox_del_netns("d1");
}

static void update_works_here_too(void **state)
{
	struct tap_device_spec spec = device_rig_sample;
	int fd;

	sandbox_require();
	spec.netns = NULL;
	fd = device_rig_create(&spec);
	spec.ip = "10.0.1.9/24";
	device_rig_update(&spec, fd);
	expect_device(&spec);
	close(fd);
}

static void expect_update_refused(const struct tap_device_spec *spec, int fd, int error,
				  const char *says)
{
	unsigned int n_fds = sandbox_count_fds();
	char why[256] = "";

	assert_int_equal(tap_device_update(spec, fd, why, sizeof(why)), error);
	expect_text(why, says);
	assert_int_equal(sandbox_count_fds(), n_fds);
}

static void update_touches_only_the_device_that_the_spec_names(void **state)
{
	struct tap_device_spec spec = device_rig_sample;
	int fd, null_fd;

	sandbox_require();
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	sandbox_add_netns("d1");
	sandbox_add_netns("d2");
	fd = device_rig_create(&device_rig_sample);
	spec.ip = "10.0.1.9/24";
	spec.netns = "d2";
	expect_update_refused(&spec, fd, -ESTALE, "eth0 is not in namespace d2 any more");
	spec.netns = NULL;
	expect_update_refused(&spec, fd, -ESTALE, "eth0 is not in weftd's namespace any more");
	spec.netns = "weft-test-none";
	expect_update_refused(&spec, fd, -ENOENT, "does not exist");
	expect_update_refused(&device_rig_sample, null_fd, -ENOTTY, "is not one of weft's taps");
	expect_device(&device_rig_sample);
	close(null_fd);
	close(fd);
	sandbox_del_netns("d2");
	sandbox_del_netns("d1");
}

/* Were the device opened in its namespace, the descriptor would keep that alive. */
static void deleted_namespace_takes_its_device_along(void **state)
{
	struct pollfd gone = {.events = 0};

	sandbox_require();
	sandbox_add_netns("d1");
	gone.fd = device_rig_create(&device_rig_sample);
	assert_int_equal(poll(&gone, 1, 0), 0);
	sandbox_del_netns("d1");
	assert_int_equal(poll(&gone, 1, DEADLINE_MS), 1);
	assert_true(gone.revents & POLLERR);
	sandbox_add_netns("d1");
	expect_update_refused(&device_rig_sample, gone.fd, -ENODEV, "eth0 in namespace d1 is gone");
	close(gone.fd);
	sandbox_del_netns("d1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_in_a_namespace_is_as_asked_for),
		cmocka_unit_test(device_without_a_namespace_stays_here),
		cmocka_unit_test(what_is_not_asked_for_is_left_to_the_kernel),
		cmocka_unit_test(one_name_serves_in_several_namespaces),
		cmocka_unit_test(queues_move_together),
		cmocka_unit_test(unsound_specs_are_refused_in_words),
		cmocka_unit_test(missing_namespace_is_refused_in_words),
		cmocka_unit_test(reason_fits_the_space_that_there_is),
		cmocka_unit_test(taken_name_is_refused_and_nothing_stays),
		cmocka_unit_test(refused_address_leaves_nothing),
		cmocka_unit_test(file_in_place_of_a_namespace_leaves_nothing),
		cmocka_unit_test(missing_rights_leave_nothing),
		cmocka_unit_test(update_changes_address_mac_and_mtu_in_place),
		cmocka_unit_test(update_works_here_too),
		cmocka_unit_test(update_touches_only_the_device_that_the_spec_names),
		cmocka_unit_test(deleted_namespace_takes_its_device_along),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
