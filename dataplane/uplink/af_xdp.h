/* SPDX-License-Identifier: BSD-3-Clause */
/* driver=af_xdp: an interface which the kernel keeps, but for what its XDP program takes. */
#pragma once

#include "dataplane/uplink/driver.h"

extern const struct uplink_driver af_xdp_driver;
