/* SPDX-License-Identifier: BSD-3-Clause */
/* tap/tap_survey.h: whatever tap_device_update() would put right does not fit. */
#include "tap/tap_survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/tap/device_rig.h"
#include "tests/unit/tap/sandbox.h"

static bool fits(const struct tap_device_spec *spec, int fd)
{
	struct tap_survey *survey;

	assert_int_equal(tap_survey_create(spec->netns, &survey), 0);
	bool answer = tap_survey_fits(survey, spec, fd);

	tap_survey_destroy(survey);
	return answer;
}

static void a_device_as_it_was_made_fits(void **state)
{
	struct tap_device_spec other = device_rig_sample, bare = {.ifname = "bare", .n_queues = 1};

	sandbox_require();
	sandbox_add_netns("d1");
	int fd = device_rig_create(&device_rig_sample);

	assert_true(fits(&device_rig_sample, fd));
	/* So do its neighbours, with another address or none, and one in our own namespace. */
	other.ifname = "eth1";
	other.ip = "fd00::2/64";
	other.mac[5] = 0x12;
	int other_fd = device_rig_create(&other);
	int bare_fd = device_rig_create(&bare);

	assert_true(fits(&device_rig_sample, fd));
	assert_true(fits(&other, other_fd));
	assert_true(fits(&bare, bare_fd));
	/* Each by its own descriptor only. */
	assert_false(fits(&device_rig_sample, other_fd));
	assert_false(fits(&device_rig_sample, bare_fd));
	close(fd);
	assert_false(fits(&device_rig_sample, -1));
	close(other_fd);
	close(bare_fd);
	sandbox_del_netns("d1");
}

static void what_others_change_does_not_fit_until_it_is_put_right(void **state)
{
	static const char *const changes[] = {
		"ip -n d1 link set eth0 down",
		"ip -n d1 link set eth0 mtu 1300",
		"ip -n d1 link set eth0 address 02:00:00:00:00:77",
		"ip -n d1 link set eth0 alias mine",
		"ip -n d1 addr flush dev eth0",
		"ip -n d1 addr flush dev eth0; ip -n d1 addr add 10.0.1.2/25 dev eth0",
		"ip -n d1 link set eth0 down; ip -n d1 link set eth0 name cable",
	};
	char why[256] = "";

	sandbox_require();
	sandbox_add_netns("d1");
	int fd = device_rig_create(&device_rig_sample);

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		assert_int_equal(system(changes[i]), 0);
		if (fits(&device_rig_sample, fd))
			fail_msg("it fits after: %s", changes[i]);
		assert_int_equal(tap_device_update(&device_rig_sample, fd, why, sizeof(why)), 0);
		if (!fits(&device_rig_sample, fd))
			fail_msg("it does not fit when put right after: %s", changes[i]);
	}
	/* An address that others set is theirs; one that we set and do not want any more is not. */
	assert_int_equal(system("ip -n d1 addr add 10.9.0.1/24 dev eth0"), 0);
	assert_true(fits(&device_rig_sample, fd));
	struct tap_device_spec moved = device_rig_sample;

	moved.ip = NULL;
	assert_false(fits(&moved, fd));
	assert_int_equal(tap_device_update(&moved, fd, why, sizeof(why)), 0);
	assert_true(fits(&moved, fd));
	close(fd);
	sandbox_del_netns("d1");
}

static void a_namespace_that_is_not_there_is_refused(void **state)
{
	struct tap_survey *survey;

	sandbox_require();
	assert_int_equal(tap_survey_create("nowhere", &survey), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_as_it_was_made_fits),
		cmocka_unit_test(what_others_change_does_not_fit_until_it_is_put_right),
		cmocka_unit_test(a_namespace_that_is_not_there_is_refused),
	};

	return cmocka_run_group_tests_name("tap_survey", tests, sandbox_enter, NULL);
}
