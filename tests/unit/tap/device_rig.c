/* SPDX-License-Identifier: BSD-3-Clause */
/* See device_rig.h. */
#include "tests/unit/tap/device_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct tap_device_spec device_rig_sample = {
	.ifname = "eth0",
	.netns = "d1",
	.ip = "10.0.1.2/24",
	.alias = "weft port web0",
	.mac = {0x02, 0, 0, 0, 0, 0x11},
	.mtu_bytes = 1400,
	.n_queues = 1,
};

int device_rig_create(const struct tap_device_spec *spec)
{
	char why[256] = "";
	int fd, error = tap_device_create(spec, &fd, why, sizeof(why));

	if (error < 0)
		fail_msg("%d: %s", error, why);
	return fd;
}

void device_rig_update(const struct tap_device_spec *spec, int fd)
{
	char why[256] = "";
	int error = tap_device_update(spec, fd, why, sizeof(why));

	if (error < 0)
		fail_msg("%d: %s", error, why);
}
