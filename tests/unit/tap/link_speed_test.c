/* SPDX-License-Identifier: BSD-3-Clause */
/* tap/link_speed.h: what drivers say, of a tap, whose speed can be set. */
#include "tap/link_speed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap/tap.h"
#include "tests/unit/tap/sandbox.h"

#define UNTOUCHED 77

/* With room for masks: the kernel says how many words they have. */
union settings {
	struct ethtool_link_settings head;
	uint8_t bytes[4096];
};

static void ask(int fd, uint32_t cmd, union settings *settings)
{
	struct ifreq request = {.ifr_data = (void *)settings};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "t0");
	settings->head.cmd = cmd;
	assert_return_code(ioctl(fd, SIOCETHTOOL, &request), errno);
}

static void set_speed(uint32_t speed_mbps)
{
	union settings settings = {.head = {.cmd = 0}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ask(fd, ETHTOOL_GLINKSETTINGS, &settings);
	int8_t words = (int8_t)-settings.head.link_mode_masks_nwords;
	settings.head.link_mode_masks_nwords = words;
	ask(fd, ETHTOOL_GLINKSETTINGS, &settings);
	settings.head.speed = speed_mbps;
	ask(fd, ETHTOOL_SLINKSETTINGS, &settings);
	close(fd);
}

static void a_link_that_is_not_there_has_none(void **state)
{
	unsigned int n_fds = sandbox_count_fds();
	uint64_t speed_bps = UNTOUCHED;

	assert_int_equal(link_speed_read("weft-none", &speed_bps), -ENODEV);
	assert_int_equal(link_speed_read("", &speed_bps), -ENODEV);
	/* As long as the kernel's field, and longer: never cut to another name. */
	assert_int_equal(link_speed_read("0123456789abcdef", &speed_bps), -ENODEV);
	assert_int_equal(link_speed_read("lo-and-more-than-sixteen", &speed_bps), -ENODEV);
	assert_int_equal(speed_bps, UNTOUCHED);
	assert_int_equal(sandbox_count_fds(), n_fds);
}

static void a_driver_that_tells_none_is_said_so(void **state)
{
	uint64_t speed_bps = UNTOUCHED;

	assert_int_equal(link_speed_read("lo", &speed_bps), -EOPNOTSUPP);
	assert_int_equal(speed_bps, UNTOUCHED);
}

static void the_speed_is_what_the_driver_says(void **state)
{
	static const uint32_t speeds_mbps[] = {10, 1000, 2500, 400000, INT32_MAX};
	uint64_t speed_bps = UNTOUCHED;
	char made[IF_NAMESIZE];
	int fd;

	sandbox_require();
	assert_int_equal(tap_open("t0", 1, true, &fd, made), 0);
	for (size_t i = 0; i < sizeof(speeds_mbps) / sizeof(speeds_mbps[0]); i++) {
		set_speed(speeds_mbps[i]);
		assert_int_equal(link_speed_read("t0", &speed_bps), 0);
		assert_int_equal(speed_bps, speeds_mbps[i] * UINT64_C(1000000));
	}
	speed_bps = UNTOUCHED;
	set_speed((uint32_t)SPEED_UNKNOWN);
	assert_int_equal(link_speed_read("t0", &speed_bps), -ENODATA);
	set_speed(0);
	assert_int_equal(link_speed_read("t0", &speed_bps), -ENODATA);
	assert_int_equal(speed_bps, UNTOUCHED);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_that_is_not_there_has_none),
		cmocka_unit_test(a_driver_that_tells_none_is_said_so),
		cmocka_unit_test(the_speed_is_what_the_driver_says),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
