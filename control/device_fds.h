/* SPDX-License-Identifier: BSD-3-Clause */
/* The descriptors that go to the dataplane with a port: weftd makes them, and keeps a copy. */
#pragma once

#include "dataplane/api/dp_msg.h"

struct device_fds {
	unsigned int n;
	int fds[DP_FDS_MAX];
};

void device_fds_close(const struct device_fds *fds);
