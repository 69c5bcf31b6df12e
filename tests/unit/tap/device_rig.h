/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of tap devices share. */
#pragma once

#include "tap/tap_device.h"

/* eth0 in the namespace d1, with all that a device can have. */
extern const struct tap_device_spec device_rig_sample;

/* What fails fails the test, with the reason. */
int device_rig_create(const struct tap_device_spec *spec);
void device_rig_update(const struct tap_device_spec *spec, int fd);
