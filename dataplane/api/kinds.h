/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of port that weft knows: one line each. Order is the order of `weft port types`. */
#pragma once

#include "dataplane/api/port_kinds.h"

#define PORT_KINDS(X)                                                                              \
	X(kind_vhost_user)                                                                         \
	X(kind_tap)                                                                                \
	X(kind_uplink)                                                                             \
	X(kind_peer)

#define X(kind) extern const struct port_kind kind;
PORT_KINDS(X)
#undef X
