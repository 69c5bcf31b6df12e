/* SPDX-License-Identifier: BSD-3-Clause */
/* driver=af_packet: works with every interface, which the kernel keeps. */
#pragma once

#include "dataplane/uplink/driver.h"

extern const struct uplink_driver af_packet_driver;
