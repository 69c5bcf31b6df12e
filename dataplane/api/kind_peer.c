/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of peers: another host's end of the VXLAN tunnels that segments reach it through. */
#include "dataplane/api/kinds.h"

/* clang-format off */
static const struct option_def options[] = {
	{.key = "vtep", .kind = OPTION_TEXT, .user = OPTION_FOR_CONTROL, .value = NULL,
	 .live = true, .min = 2, .max = 45,
	 .help = "address of the host that tunnels to it end at"},
	{.key = "learn", .kind = OPTION_BOOL, .user = OPTION_FOR_DATAPLANE, .value = "on",
	 .live = true,
	 .help = "learn which addresses are there from what it sends; off: only its static macs"},
};
/* clang-format on */

const struct port_kind kind_peer = {
	.name = "peer",
	.help = "another host: segments reach it as VXLAN",
	.place = PORT_PLACE_VNI,
	.is_trusted = true,
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
};
