/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of segments. All are live: they change under traffic. */
#include "dataplane/api/segment_options.h"

/* A guard of the segment's ports, unless a port says otherwise. */
#define GUARD(name, what)                                                                          \
	{.key = name, .kind = OPTION_CHOICE, .user = OPTION_FOR_CONTROL, .live = true,             \
	 .value = "default", .choices = "default|on|off", .help = what}

/* Floods of all ports together. One port alone does not use them up. */
#define STORM(name, pps, what)                                                                     \
	{.key = name, .kind = OPTION_NUMBER, .user = OPTION_FOR_CONTROL, .live = true,             \
	 .unit = "frames/s", .value = pps, .min = 0, .max = 10000000,                              \
	 .help = what " a second, of all ports together; 0: no limit"}

#define ACTIONS "flood|drop" /* enum segment_action */

/* clang-format off */
static const struct option_def rows[] = {
	{.key = "unknown", .kind = OPTION_CHOICE, .live = true, .value = "flood",
	 .choices = ACTIONS,
	 .help = "unicast to an address that nobody has: flood it, or drop it"},
	{.key = "broadcast", .kind = OPTION_CHOICE, .live = true, .value = "flood",
	 .choices = ACTIONS,
	 .help = "broadcast: without it guests need static ARP entries"},
	{.key = "multicast", .kind = OPTION_CHOICE, .live = true, .value = "flood",
	 .choices = ACTIONS,
	 .help = "multicast: without it there is no IPv6 neighbour discovery"},
	GUARD("guard", "all guards of all ports: on, off, or as each says"),
	GUARD("mac_guard", "a port sends from its own MAC only; default: off"),
	GUARD("ip_guard", "a port with addresses sends from those only; default: off"),
	GUARD("arp_guard", "a port claims only its addresses, by ARP and ND; default: off"),
	GUARD("dhcp_guard", "DHCP replies come only from ports with dhcp_server=on; default: on"),
	GUARD("ra_guard", "router advertisements and redirects come only from ports with "
	      "router=on; default: on"),
	{.key = "snoop", .kind = OPTION_BOOL, .user = OPTION_FOR_CONTROL, .live = true,
	 .value = "on", .help = "note which address is where, from ARP and ND"},
	STORM("broadcast_pps", "100000", "broadcasts"),
	STORM("multicast_pps", "500000", "multicasts"),
	STORM("unknown_pps", "500000", "unicasts to unknown addresses"),
	{.key = "lldp", .kind = OPTION_BOOL, .live = true, .value = "on",
	 .help = "pass LLDP on: neighbours see each other, as through a cable"},
	{.key = "lacp", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "pass LACP and the other slow protocols on; for segments of two ports"},
	{.key = "stp", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "pass spanning tree frames on, for guests that are bridges"},
	{.key = "dot1x", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "pass 802.1X authentication on"},
	{.key = "pause", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "pass PAUSE frames on; receivers that honour them stop sending"},
	{.key = "max_macs", .kind = OPTION_NUMBER, .live = true, .value = "1048576",
	 .min = 1, .max = 1048576,
	 .help = "MAC addresses that are learned in the segment at most; a port beyond its share "
		 "gives up its own first"},
	{.key = "mss_clamp", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "lower the segment size that TCP connections agree on to what fits the MTU"},
	{.key = "arp_suppress", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "answer ARP and ND for neighbours that are known, and flood only the rest"},
	{.key = "flight", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "keep the last frames, and save them when something happens: a storm, an address "
		 "that moves, a rate that is exceeded"},
};
/* clang-format on */

const struct option_set segment_options = {.rows = rows, .n_rows = sizeof(rows) / sizeof(rows[0])};
