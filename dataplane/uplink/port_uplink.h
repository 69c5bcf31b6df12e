/* SPDX-License-Identifier: BSD-3-Clause */
/* Port type uplink. */
#pragma once

#include "dataplane/port.h"

extern const struct port_type port_uplink_type;
