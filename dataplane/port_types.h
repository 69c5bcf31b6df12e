/* SPDX-License-Identifier: BSD-3-Clause */
/* The port types of this program, ended by NULL. */
#pragma once

#include "dataplane/port.h"

extern const struct port_type *const port_types[];
