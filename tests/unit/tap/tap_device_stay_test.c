/* SPDX-License-Identifier: BSD-3-Clause */
/* tap/tap_device.h: devices that others made or changed, and those that stay without a user. */
#include "tap/tap_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap/tap.h"
#include "tests/unit/tap/device_rig.h"
#include "tests/unit/tap/sandbox.h"

static void begin(void)
{
	sandbox_require();
	sandbox_add_netns("d1");
}

static void command(const char *line)
{
	assert_int_equal(system(line), 0);
}

static bool is_there(const char *ifname)
{
	sandbox_visit("d1");
	bool answer = sandbox_has_link(ifname);

	sandbox_visit(NULL);
	return answer;
}

static void expect_refusal(const struct tap_device_spec *spec, int error, const char *says)
{
	char why[256] = "";
	int fd;

	assert_int_equal(tap_device_create(spec, &fd, why, sizeof(why)), error);
	if (strstr(why, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why, says);
}

static void expect_drift(const struct tap_device_spec *spec, int fd, const char *expected)
{
	char drift[256] = "?";

	assert_int_equal(tap_device_compare(spec, fd, drift, sizeof(drift)), 0);
	assert_string_equal(drift, expected);
}

static void what_others_change_is_told_and_put_back(void **state)
{
	begin();
	int fd = device_rig_create(&device_rig_sample);
	expect_drift(&device_rig_sample, fd, "");
	command("ip -n d1 link set eth0 down mtu 1300 address 02:00:00:00:00:77");
	command("ip -n d1 addr flush dev eth0; ip -n d1 link set eth0 name cable");
	expect_drift(&device_rig_sample, fd,
		     "it is down; its name is cable, not eth0; mtu is 1300, not 1400; "
		     "mac is 02:00:00:00:00:77; address 10.0.1.2/24 is not there");
	device_rig_update(&device_rig_sample, fd);
	expect_drift(&device_rig_sample, fd, "");
	assert_true(is_there("eth0") && !is_there("cable"));
	close(fd);
	sandbox_del_netns("d1");
}

static void a_device_is_renamed_while_it_is_used(void **state)
{
	struct tap_device_spec spec = device_rig_sample;
	char why[256];

	begin();
	int fd = device_rig_create(&device_rig_sample);
	command("ip -n d1 route add 10.7.0.0/16 via 10.0.1.1");
	spec.ifname = "eth7";
	int error = tap_device_update(&spec, fd, why, sizeof(why));

	/* Before Linux 6.2 a device that is up keeps its name. */
	if (error == -EBUSY) {
		close(fd);
		sandbox_del_netns("d1");
		skip();
	}
	assert_int_equal(error, 0);
	assert_true(is_there("eth7") && !is_there("eth0"));
	command("ip -n d1 route show dev eth7 | grep -q 10.7.0.0/16");
	command("ip -n d1 link add eth0 type veth peer name other0");
	assert_int_equal(tap_device_update(&device_rig_sample, fd, why, sizeof(why)), -EEXIST);
	assert_non_null(strstr(why, "eth0 exists already in namespace d1: choose another ifname"));
	close(fd);
	sandbox_del_netns("d1");
}

static void a_persistent_device_waits_for_its_next_user(void **state)
{
	struct tap_device_spec spec = device_rig_sample;

	begin();
	spec.is_persistent = true;
	int fd = device_rig_create(&spec);

	sandbox_visit("d1");
	unsigned int index = if_nametoindex("eth0");

	sandbox_visit(NULL);
	close(fd);
	assert_true(is_there("eth0"));
	fd = device_rig_create(&spec);
	sandbox_visit("d1");
	assert_int_equal(if_nametoindex("eth0"), index);
	sandbox_visit(NULL);
	expect_drift(&spec, fd, "");
	/* Another port is not given it. */
	close(fd);
	spec.alias = "weft port db0";
	expect_refusal(&spec, -EEXIST, "eth0 exists already");
	spec.alias = device_rig_sample.alias;
	fd = device_rig_create(&spec);
	tap_device_release(&spec, fd);
	close(fd);
	assert_false(is_there("eth0"));
	sandbox_del_netns("d1");
}

static void persistence_comes_and_goes_with_an_update(void **state)
{
	struct tap_device_spec spec = device_rig_sample;

	begin();
	int fd = device_rig_create(&spec);
	spec.is_persistent = true;
	device_rig_update(&spec, fd);
	close(fd);
	assert_true(is_there("eth0"));
	fd = device_rig_create(&spec);
	spec.is_persistent = false;
	device_rig_update(&spec, fd);
	close(fd);
	assert_false(is_there("eth0"));
	sandbox_del_netns("d1");
}

static void a_foreign_device_is_used_and_left(void **state)
{
	static const char *const kinds[] = {"", "multi_queue", "vnet_hdr"};
	struct tap_device_spec spec = device_rig_sample;
	char line[128], name[IF_NAMESIZE];

	begin();
	spec.is_foreign = true;
	spec.alias = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(line, sizeof(line), "ip -n d1 tuntap add eth0 mode tap %s", kinds[i]);
		command(line);
		int fd = device_rig_create(&spec);

		assert_int_equal(tap_check(fd, name), 0);
		expect_drift(&spec, fd, "");
		device_rig_update(&spec, fd);
		tap_device_release(&spec, fd);
		close(fd);
		assert_true(is_there("eth0"));
		command("ip -n d1 link del eth0");
	}
	sandbox_del_netns("d1");
}

static void a_foreign_device_that_cannot_be_had_is_refused_in_words(void **state)
{
	struct tap_device_spec spec = device_rig_sample;

	begin();
	spec.is_foreign = true;
	unsigned int n_fds = sandbox_count_fds();

	expect_refusal(&spec, -ENODEV, "does not exist in namespace d1: make it with: ip tuntap");
	command("ip -n d1 link add eth0 type veth peer name other0");
	expect_refusal(&spec, -EINVAL, "is no tap");
	command("ip -n d1 link del eth0");
	int fd = device_rig_create(&device_rig_sample);

	expect_refusal(&spec, -EBUSY, "is in use by another program");
	close(fd);
	assert_int_equal(sandbox_count_fds(), n_fds);
	sandbox_del_netns("d1");
}

/* Its descriptor holds the namespace: whoever waits for that to go waits for us. */
static void a_foreign_device_is_lost_with_the_name_of_its_namespace(void **state)
{
	struct tap_device_spec spec = device_rig_sample;

	begin();
	spec.is_foreign = true;
	command("ip -n d1 tuntap add eth0 mode tap");
	int fd = device_rig_create(&spec), own_fd = -1;

	spec.ifname = "eth1";
	spec.is_foreign = false;
	own_fd = device_rig_create(&spec);
	assert_false(tap_device_is_lost(&device_rig_sample, fd));
	sandbox_del_netns("d1");
	assert_false(tap_device_is_lost(&spec, own_fd));
	spec.is_foreign = true;
	assert_true(tap_device_is_lost(&spec, fd));
	close(fd);
	close(own_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_change_is_told_and_put_back),
		cmocka_unit_test(a_device_is_renamed_while_it_is_used),
		cmocka_unit_test(a_persistent_device_waits_for_its_next_user),
		cmocka_unit_test(persistence_comes_and_goes_with_an_update),
		cmocka_unit_test(a_foreign_device_is_used_and_left),
		cmocka_unit_test(a_foreign_device_that_cannot_be_had_is_refused_in_words),
		cmocka_unit_test(a_foreign_device_is_lost_with_the_name_of_its_namespace),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
