/* SPDX-License-Identifier: BSD-3-Clause */
/* The speed of an interface, as its driver says (ethtool), in the namespace of the caller. */
#pragma once

#include <stdint.h>

/* Bits per second. 0, -ENODATA (unknown: it has no carrier, or its driver has none to tell) or
 * -errno (-ENODEV, -EOPNOTSUPP). */
int link_speed_read(const char *ifname, uint64_t *speed_bps);
