/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of kinds of link: https://www.tcpdump.org/linktypes.html */
#include <stddef.h>

#include "capture/capture.h"

static const struct {
	uint16_t link;
	const char *name;
} links[] = {
	{0, "BSD loopback"},
	{CAPTURE_LINK_ETHERNET, "Ethernet"},
	{6, "token ring"},
	{8, "SLIP"},
	{9, "PPP"},
	{50, "PPP in HDLC"},
	{51, "PPPoE"},
	{100, "ATM"},
	{101, "raw IP"},
	{104, "Cisco HDLC"},
	{105, "IEEE 802.11"},
	{107, "frame relay"},
	{108, "OpenBSD loopback"},
	{113, "Linux cooked"},
	{119, "802.11 with Prism header"},
	{127, "802.11 with radiotap"},
	{147, "private use"},
	{187, "Bluetooth"},
	{189, "USB"},
	{192, "per-packet information"},
	{195, "IEEE 802.15.4"},
	{201, "Bluetooth"},
	{220, "USB"},
	{227, "CAN"},
	{228, "raw IPv4"},
	{229, "raw IPv6"},
	{249, "USB"},
	{276, "Linux cooked, version 2"},
};

const char *capture_link_name(uint16_t link)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (links[i].link == link)
			return links[i].name;
	}
	return "unknown";
}
