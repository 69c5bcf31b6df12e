/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of uplinks: interfaces of the host that lead to other hosts. As a VLAN trunk it carries
 * segments by tag; with a VTEP it is an underlay, and carries them by VNI to the peers. */
#include "dataplane/api/kinds.h"

/* clang-format off */
static const struct option_def options[] = {
	{.key = "ifname", .kind = OPTION_TEXT, .user = OPTION_FOR_DATAPLANE, .value = "",
	 .min = 1, .max = 15,
	 .help = "network interface of this host; default: the port's name"},
	{.key = "driver", .kind = OPTION_CHOICE, .user = OPTION_FOR_DATAPLANE, .value = "af_packet",
	 .choices = "af_packet|af_xdp|dpdk",
	 .help = "af_packet works with every interface, and the kernel keeps what is not weft's"},
	{.key = "devargs", .kind = OPTION_TEXT, .user = OPTION_FOR_DATAPLANE, .value = NULL,
	 .min = 1, .max = 200,
	 .help = "device of driver=dpdk, in DPDK's words, as 0000:01:00.0; ifname is a tap of the "
		 "kernel's beside it"},
	{.key = "vtep", .kind = OPTION_TEXT, .user = OPTION_FOR_CONTROL, .value = NULL,
	 .min = 2, .max = 45,
	 .help = "address of the interface that tunnels end at; none: the uplink is a VLAN trunk"},
	{.key = "queues", .kind = OPTION_NUMBER, .user = OPTION_FOR_DATAPLANE, .value = "1",
	 .min = 1, .max = PORT_QUEUES_MAX - 1,
	 .help = "receive queues, each flow stays on one"},
	{.key = "vxlan_port", .kind = OPTION_NUMBER, .user = OPTION_FOR_DATAPLANE, .value = "4789",
	 .min = 1, .max = 65535,
	 .help = "UDP port of VXLAN, of all hosts of the overlay"},
	{.key = "ttl", .kind = OPTION_NUMBER, .user = OPTION_FOR_DATAPLANE, .value = "64",
	 .live = true, .min = 1, .max = 255,
	 .help = "time to live (hop limit) of outer packets"},
	{.key = "dscp", .kind = OPTION_NUMBER, .user = OPTION_FOR_DATAPLANE, .value = "",
	 .live = true, .min = 0, .max = 63,
	 .help = "class of outer packets; default: that of the inner one"},
	{.key = "checksum", .kind = OPTION_BOOL, .user = OPTION_FOR_DATAPLANE, .value = "off",
	 .live = true,
	 .help = "send outer UDP checksums over IPv4 too; what comes with one is checked anyway"},
	{.key = "zero_checksum6", .kind = OPTION_BOOL, .user = OPTION_FOR_DATAPLANE, .value = "off",
	 .live = true,
	 .help = "send and accept outer UDP without a checksum over IPv6 (RFC 6935)"},
};
/* clang-format on */

const struct port_kind kind_uplink = {
	.name = "uplink",
	.help = "interface of the host towards other hosts: VLAN trunk or VXLAN underlay",
	.is_trusted = true,
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
};
