/* SPDX-License-Identifier: BSD-3-Clause */
/* The port types that weft-dataplane serves: a new one is a line here and one in api/kinds.h. */
#include "dataplane/port_types.h"

#include "dataplane/port_peer.h"
#include "dataplane/port_tap.h"
#include "dataplane/uplink/port_uplink.h"
#include "dataplane/vhost/port_vhost.h"

const struct port_type *const port_types[] = {
	&port_vhost_type,
	&port_tap_type,
	&port_uplink_type,
	&port_peer_type,
	NULL,
};
