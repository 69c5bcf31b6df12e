/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a frame was not delivered: the one list.  It makes the enum, the counters' names in stats,
 * drops and /metrics, and the help text.  New reasons go at the end: the order is part of the
 * layout of the counters (DP_COUNTERS_VERSION).
 *
 * X(SYMBOL, "name-in-output", "what happened, as a user would say it")
 */
#pragma once

#define DROP_REASONS(X)                                                                            \
	X(RUNT, "runt", "shorter than an Ethernet header")                                         \
	X(BAD_SOURCE, "bad-source", "source address is multicast or zero")                         \
	X(TAGGED, "tagged", "VLAN tag on an access port, or a second one")                         \
	X(LINK_LOCAL, "link-local", "reserved address 01-80-C2-00-00-0x is never forwarded")       \
	X(NO_SEGMENT, "no-segment", "the port is in no segment")                                   \
	X(SAME_PORT, "same-port", "the destination is behind the port it came from")               \
	X(NO_RECEIVER, "no-receiver", "nobody else is in the segment")                             \
	X(WRONG_SEGMENT, "wrong-segment", "the port that was looked up has left the segment")      \
	X(PORT_DOWN, "port-down", "the receiver is not connected, or its queue is not enabled")    \
	X(RING_FULL, "ring-full", "the receiving guest offers too few buffers")                    \
	X(BAD_CHAIN, "bad-chain", "descriptors out of bounds; the queue is quarantined")           \
	X(BAD_OFFLOAD, "bad-offload", "virtio-net header asks for the impossible")                 \
	X(NO_OFFLOAD, "no-offload", "cannot be cut for a receiver without such offloads")          \
	X(TAP_FULL, "tap-full", "the kernel's queue of the tap is full")                           \
	X(TAP_ERROR, "tap-error", "the kernel refused the frame")                                  \
	X(OVERSIZE, "oversize", "longer than the largest frame weft carries (64 KiB and headers)") \
	X(GUEST_FAULT, "guest-fault", "guest memory vanished while it was in use")                 \
	X(PORT_GONE, "port-gone", "the port was removed while the frame was on its way")           \
	X(ISOLATED, "isolated", "sender and receiver are isolated ports")                          \
	X(UNKNOWN, "unknown-unicast", "nobody has the address, and the segment drops such")        \
	X(BROADCAST, "no-broadcast", "the segment drops broadcast")                                \
	X(MULTICAST, "no-multicast", "the segment drops multicast")                                \
	X(FLOOD_LIMIT, "flood-limit", "too many bytes for so many receivers in one turn")          \
	X(MAC_SPOOF, "mac-spoof", "the source address is not the port's")                          \
	X(IP_SPOOF, "ip-spoof", "the IP source is not one of the port's addresses")                \
	X(ARP_SPOOF, "arp-spoof", "ARP claims an address that is not the port's")                  \
	X(ND_SPOOF, "nd-spoof", "neighbour discovery claims an address that is not the port's")    \
	X(ROGUE_DHCP, "rogue-dhcp", "the port is no DHCP server (dhcp_server=on)")                 \
	X(ROGUE_RA, "rogue-ra", "router advertisement or redirect, the port is no router")         \
	X(UNREADABLE, "unreadable", "headers cut, or hidden deeper than the guards read")          \
	X(STORM_BROADCAST, "storm-broadcast", "more broadcasts a second than the port may send")   \
	X(STORM_MULTICAST, "storm-multicast", "more multicasts a second than the port may send")   \
	X(STORM_UNKNOWN, "storm-unknown", "more unknown unicasts a second than the port may send") \
	X(STORM_SEGMENT, "storm-segment", "more floods a second than the segment carries")         \
	X(BLOCKED, "blocked", "the port's state is blocked or standby")                            \
	X(VLAN, "vlan", "a VLAN tag that the trunk does not carry")                                \
	X(TOO_BIG, "too-big", "larger than the segment's MTU")                                     \
	X(TUNNEL_MALFORMED, "tunnel-malformed", "outer headers that are no VXLAN (RFC 7348)")      \
	X(TUNNEL_FRAGMENT, "tunnel-fragment", "an outer fragment: VTEPs do not send them")         \
	X(TUNNEL_CHECKSUM, "tunnel-checksum", "the outer UDP checksum is wrong or missing")        \
	X(TUNNEL_PEER, "tunnel-peer", "sent by a VTEP that is no peer of this host")               \
	X(TUNNEL_VNI, "tunnel-vni", "a VNI that this host or that peer does not have")             \
	X(TUNNEL_LOOP, "tunnel-loop", "from one tunnel into another")                              \
	X(NO_NEXTHOP, "no-nexthop", "no route, or no neighbour answers on the way to the peer")    \
	X(UPLINK_FULL, "uplink-full", "the uplink's queue in the kernel is full")                  \
	X(UPLINK_ERROR, "uplink-error", "the kernel refused the frame: is the interface up?")      \
	X(TUNNEL_TARGET, "tunnel-target", "no VXLAN to the uplink's VTEP and UDP port")            \
	X(TUNNEL_ECN, "tunnel-ecn", "congestion mark that its sender does not know (RFC 6040)")  \
	X(ANSWERED, "answered", "a question that weft has answered itself: nobody else is asked")  \
	X(QUEUE_FULL, "queue-full", "the queue before its channel is full")                        \
	X(QUEUE_DELAY, "queue-delay", "waited too long for its channel, and knows no ECN")

/* clang-format off */
enum drop_reason {
	DROP_NONE = 0,
#define X(symbol, name, help) DROP_##symbol,
	DROP_REASONS(X)
#undef X
	DROP_COUNT
};
/* clang-format on */

/* Name and help of a reason; "none" for DROP_NONE, "unknown" beyond the list. Any thread. */
const char *drop_reason_name(unsigned int reason);
const char *drop_reason_help(unsigned int reason);
