/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of tap ports. The device is made by weftd (tap/); the dataplane gets its descriptor. */
#include "dataplane/api/kinds.h"

/* clang-format off */
static const struct option_def options[] = {
	{.key = "ifname", .kind = OPTION_TEXT, .user = OPTION_FOR_DATAPLANE, .value = "",
	 .live = true,
	 .min = 1, .max = 15,
	 .help = "name of the network device; default: the port's name"},
	{.key = "netns", .kind = OPTION_TEXT, .user = OPTION_FOR_CONTROL, .value = NULL,
	 .min = 1, .max = 63,
	 .help = "network namespace (ip netns) the device is moved to; default: weftd's own"},
	{.key = "ip", .kind = OPTION_TEXT, .user = OPTION_FOR_CONTROL, .value = NULL, .live = true,
	 .min = 3, .max = 49,
	 .help = "address with prefix length, as 10.0.1.2/24 or fd00::2/64, set on the device"},
	{.key = "queues", .kind = OPTION_NUMBER, .user = OPTION_FOR_DATAPLANE, .value = "1",
	 .min = 1, .max = PORT_QUEUES_MAX,
	 .help = "queues of the device, each flow stays on one"},
	{.key = "mtu", .kind = OPTION_NUMBER, .user = OPTION_FOR_CONTROL, .value = "", .live = true,
	 .unit = "bytes", .min = 68, .max = 9216,
	 .help = "of the device, if it is less than its segment's, which is the default"},
	{.key = "persist", .kind = OPTION_BOOL, .user = OPTION_FOR_CONTROL, .value = "off",
	 .live = true,
	 .help = "the device stays, with its addresses and routes, while no weft runs"},
	{.key = "attach", .kind = OPTION_BOOL, .user = OPTION_FOR_CONTROL, .value = "off",
	 .help = "use a tap that somebody else made (ip tuntap add), and leave it there"},
};
/* clang-format on */

const struct port_kind kind_tap = {
	.name = "tap",
	.help = "kernel tap device, for namespaces and containers",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
};
