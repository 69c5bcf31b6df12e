/* SPDX-License-Identifier: BSD-3-Clause */
/* driver=dpdk: a device that one of DPDK's drivers has to itself, with a companion tap. */
#pragma once

#include "dataplane/uplink/driver.h"

extern const struct uplink_driver dpdk_driver;
