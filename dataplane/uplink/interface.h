/* SPDX-License-Identifier: BSD-3-Clause */
/* What has become of a kernel's interface, in words. Main. */
#pragma once

#include "dataplane/uplink/driver.h"
#include "tap/uplink_device.h"

/* fd: a packet socket that is bound to it. */
void interface_look(int fd, struct uplink_device_info *info, struct uplink_link *link);
