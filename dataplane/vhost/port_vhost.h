/* SPDX-License-Identifier: BSD-3-Clause */
/* Port type vhost-user. */
#pragma once

#include "dataplane/port.h"

extern const struct port_type port_vhost_type;
