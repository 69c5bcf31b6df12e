/* SPDX-License-Identifier: BSD-3-Clause */
/* Options that ports of every kind have. All are live: a policy changes under traffic. */
#include "dataplane/api/port_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAC_CHARS 17

/* A guard, unless the segment's word for it will do. */
#define GUARD(name, what)                                                                          \
	{.key = name, .kind = OPTION_CHOICE, .user = OPTION_FOR_CONTROL, .live = true,             \
	 .value = "segment", .choices = "segment|on|off", .help = what}

/* Floods: generous for guests and labs, and too few to take a worker. */
#define STORM(name, pps, what)                                                                     \
	{.key = name, .kind = OPTION_NUMBER, .user = OPTION_FOR_CONTROL, .live = true,             \
	 .unit = "frames/s", .value = pps, .min = 0, .max = 10000000,                              \
	 .help = what " that the port may send a second; 0: no limit"}

/* clang-format off */
const struct option_def port_options[] = {
	{.key = "isolated", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "exchange frames only with ports that are not isolated"},
	{.key = "max_macs", .kind = OPTION_NUMBER, .live = true, .value = "8192",
	 .min = 1, .max = 1048576,
	 .help = "MAC addresses that are learned behind the port at most; then its oldest go"},
	{.key = "state", .kind = OPTION_CHOICE, .live = true, .value = "active",
	 .choices = "active|blocked|standby|draining",
	 .help = "blocked: no frame passes; standby: the same, its machine is expected; draining: "
		 "its machine leaves, nothing is learned or flooded to it any more"},
	GUARD("guard", "all guards of the port: on, off, or as the segment says"),
	GUARD("mac_guard", "send from the port's own MAC only; off for bridges and nested guests"),
	GUARD("ip_guard", "send from the port's addresses only, if it has any"),
	GUARD("arp_guard", "claim only the port's addresses, by ARP and ND"),
	GUARD("dhcp_guard", "send no DHCP replies"),
	GUARD("ra_guard", "send no router advertisements and no redirects"),
	GUARD("snoop", "note which address is where, from ARP and ND"),
	{.key = "addresses", .kind = OPTION_TEXT, .user = OPTION_FOR_CONTROL, .live = true,
	 .min = 2, .max = 119,
	 .help = "of the guest, for the guards, as 10.0.1.2,10.1.0.0/16,fd00::2; ip counts too"},
	{.key = "router", .kind = OPTION_BOOL, .user = OPTION_FOR_CONTROL, .live = true,
	 .value = "off",
	 .help = "a router: may advertise itself, redirect, and send for others"},
	{.key = "dhcp_server", .kind = OPTION_BOOL, .user = OPTION_FOR_CONTROL, .live = true,
	 .value = "off", .help = "a DHCP server or relay: may send DHCP replies"},
	STORM("broadcast_pps", "10000", "broadcasts"),
	STORM("multicast_pps", "50000", "multicasts"),
	STORM("unknown_pps", "50000", "unicasts to unknown addresses"),
	{.key = "qinq", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "let VLAN tags pass as payload: on a trunk a second one, and 802.1ad as "
		 "the first"},
	{.key = "macs", .kind = OPTION_TEXT, .live = true, .min = MAC_CHARS, .max = 119,
	 .help = "static MAC addresses, as 02:00:00:00:00:01,02:00:00:00:00:02: bound to the port, "
		 "never aged, never learned elsewhere"},
	{.key = "queue", .kind = OPTION_CHOICE, .live = true, .value = "ring",
	 .choices = "ring|switch",
	 .help = "where what the port sends waits for its channel: ring: where it is, if the port "
		 "can leave it there, and nothing is dropped; switch: in weft, by FQ-CoDel"},
};
/* clang-format on */

const size_t port_options_count = sizeof(port_options) / sizeof(port_options[0]);

static bool parse_mac(const char *text, uint8_t mac[6])
{
	static const uint8_t zero[6];
	int end = 0;

	/* The set of characters, as sscanf takes blanks and signs too. */
	return strspn(text, "0123456789abcdefABCDEF:") >= MAC_CHARS &&
	       sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		      &mac[3], &mac[4], &mac[5], &end) == 6 &&
	       end == MAC_CHARS && (mac[0] & 1) == 0 && memcmp(mac, zero, 6) != 0;
}

int port_options_parse_macs(const char *text, uint8_t macs[PORT_OPTIONS_MACS_MAX][6])
{
	for (int n = 0; n < PORT_OPTIONS_MACS_MAX; n++) {
		if (!parse_mac(text, macs[n]))
			return -EINVAL;
		for (int i = 0; i < n; i++) {
			if (memcmp(macs[i], macs[n], 6) == 0)
				return -EINVAL;
		}
		text += MAC_CHARS;
		if (*text == '\0')
			return n + 1;
		if (*text++ != ',')
			return -EINVAL;
	}
	return -EINVAL;
}
