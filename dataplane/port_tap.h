/* SPDX-License-Identifier: BSD-3-Clause */
/* Port type tap. */
#pragma once

#include "dataplane/port.h"

extern const struct port_type port_tap_type;
