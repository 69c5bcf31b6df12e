# SPDX-License-Identifier: BSD-3-Clause
"""Frames that guards must stop, as a table: golden scenarios (make.py) and tests/system/guards_test.sh
send the same ones. The attacker has EVIL's MAC and addresses; it pretends to be GATEWAY."""
import ipaddress
import struct

EVIL, GATEWAY = "02:00:00:00:00:66", "02:00:00:00:00:01"
EVIL4, GATEWAY4 = "10.0.0.66", "10.0.0.1"
EVIL6, GATEWAY6, EVIL_LOCAL = "fd00::66", "fd00::1", "fe80::ff:fe00:66"
BROADCAST, ALL_NODES = "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01"
TCP, UDP, ICMP, ICMP6, OPTIONS, FRAGMENT = 6, 17, 1, 58, 60, 44


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def ip(text):
    return ipaddress.ip_address(text).packed


def eth(kind, payload, src=EVIL, dst=BROADCAST):
    return (mac(dst) + mac(src) + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def snap(kind, payload):
    """IEEE 802.2 and SNAP: the same protocol behind a length field."""
    body = b"\xaa\xaa\x03\0\0\0" + struct.pack("!H", kind) + payload
    return eth(len(body), body)


def arp(ip4, sender, op=2):
    return struct.pack("!HHBBH", 1, 0x800, 6, 4, op) + mac(sender) + ip(ip4) + mac(BROADCAST) + ip("10.0.0.9")


def ip4(src, protocol, payload, fragment=0, options=b""):
    words = 5 + len(options) // 4
    return struct.pack("!BBHHHBBH", 0x40 | words, 0, 4 * words + len(payload), 7, fragment, 64, protocol, 0) + \
        ip(src) + ip("10.0.0.9") + options + payload


def ip6(src, following, payload, hops=255):
    return struct.pack("!IHBB", 6 << 28, len(payload), following, hops) + ip(src) + ip("ff02::1") + payload


def udp(src, dst):
    return struct.pack("!HHHH", src, dst, 20, 0) + b"WEFT" * 3


def icmp(kind, body=b"\0" * 8):
    return struct.pack("!BBH", kind, 0, 0) + body


def nd(kind, target, option=b""):
    return icmp(kind, b"\x60\0\0\0" + ip(target) + option)


def lla(kind, address):
    return bytes([kind, 1]) + mac(address)


def options(following, length=0):
    """Destination options: one pad option."""
    return bytes([following, length, 1, 4 + 8 * length]) + b"\0" * (4 + 8 * length)


def fragment(following, offset, more):
    return struct.pack("!BBHI", following, 0, offset | more, 9)


IP4, IP6, ARP = 0x800, 0x86DD, 0x806
RA = icmp(134, b"\x40\0\x07\x08" + b"\0" * 8)

# name: (what it does, drop reason, port option that lets it through, frames)
ATTACKS = {
    "mac": ("sends from another's MAC", "mac-spoof", "mac_guard", [
        eth(0x88B5, b"WEFT", src=GATEWAY),
        eth(0x88B5, b"WEFT", src="02:00:00:00:00:67"),
        eth(IP4, ip4(EVIL4, TCP, udp(80, 80)), src=GATEWAY)]),
    "ip": ("sends from another's IP address", "ip-spoof", "ip_guard", [
        eth(IP4, ip4(GATEWAY4, TCP, udp(80, 80))),
        eth(IP4, ip4(GATEWAY4, UDP, udp(53, 53))),
        eth(IP4, ip4(GATEWAY4, UDP, udp(53, 53), options=b"\1" * 8)),
        eth(IP4, ip4(GATEWAY4, UDP, b"\0" * 16, fragment=100)),
        eth(IP6, ip6(GATEWAY6, TCP, udp(80, 80))),
        eth(IP6, ip6("fe80::1", TCP, udp(80, 80))),
        eth(IP6, ip6(GATEWAY6, FRAGMENT, fragment(UDP, 1280, 1) + b"\0" * 16)),
        snap(IP4, ip4(GATEWAY4, UDP, udp(53, 53)))]),
    "arp": ("claims another's address by ARP", "arp-spoof", "arp_guard", [
        eth(ARP, arp(GATEWAY4, EVIL)),
        eth(ARP, arp(GATEWAY4, EVIL, op=1)),
        eth(ARP, arp(EVIL4, GATEWAY)),
        snap(ARP, arp(GATEWAY4, EVIL))]),
    "nd": ("claims another's address by neighbour discovery", "nd-spoof", "arp_guard", [
        eth(IP6, ip6(EVIL6, ICMP6, nd(136, GATEWAY6, lla(2, EVIL))), dst=ALL_NODES),
        eth(IP6, ip6(EVIL6, ICMP6, nd(136, EVIL6, lla(2, GATEWAY))), dst=ALL_NODES),
        eth(IP6, ip6(EVIL6, ICMP6, nd(135, GATEWAY6, lla(1, GATEWAY))), dst=ALL_NODES),
        eth(IP6, ip6("::", ICMP6, nd(135, GATEWAY6)), dst=ALL_NODES),
        eth(IP6, ip6(EVIL6, OPTIONS, options(ICMP6) + nd(136, GATEWAY6, lla(2, EVIL))), dst=ALL_NODES)]),
    "dhcp": ("answers as a DHCP server", "rogue-dhcp", "dhcp_server", [
        eth(IP4, ip4(EVIL4, UDP, udp(67, 68))),
        eth(IP4, ip4(EVIL4, UDP, udp(1067, 68))),
        eth(IP4, ip4(EVIL4, UDP, udp(67, 68), fragment=0x2000)),
        eth(IP4, ip4(EVIL4, UDP, udp(67, 68), options=b"\1" * 40)),
        eth(IP6, ip6(EVIL_LOCAL, UDP, udp(547, 546))),
        eth(IP6, ip6(EVIL_LOCAL, OPTIONS, options(UDP) + udp(547, 546))),
        snap(IP4, ip4(EVIL4, UDP, udp(67, 68)))]),
    "ra": ("advertises itself as router, redirects", "rogue-ra", "router", [
        eth(IP6, ip6(EVIL_LOCAL, ICMP6, RA), dst=ALL_NODES),
        eth(IP6, ip6(EVIL_LOCAL, OPTIONS, options(OPTIONS) + options(ICMP6) + RA), dst=ALL_NODES),
        eth(IP6, ip6(EVIL_LOCAL, FRAGMENT, fragment(ICMP6, 0, 1) + RA), dst=ALL_NODES),
        eth(IP6, ip6(EVIL_LOCAL, ICMP6, nd(137, GATEWAY6)), dst=ALL_NODES),
        eth(IP4, ip4(EVIL4, ICMP, icmp(5))),
        eth(IP4, ip4(EVIL4, ICMP, icmp(9))),
        snap(IP6, ip6(EVIL_LOCAL, ICMP6, RA))]),
    "hidden": ("hides headers where guards do not look", "unreadable", "guard", [
        eth(IP6, ip6(EVIL_LOCAL, OPTIONS, options(ICMP6, 20) + RA), dst=ALL_NODES),
        eth(IP6, ip6(EVIL_LOCAL, OPTIONS, options(OPTIONS) * 8 + options(ICMP6) + RA), dst=ALL_NODES),
        eth(IP6, ip6(EVIL_LOCAL, FRAGMENT, fragment(OPTIONS, 0, 1) + options(ICMP6, 5)[:8]), dst=ALL_NODES)[:70],
        eth(IP6, ip6(EVIL_LOCAL, FRAGMENT, fragment(ICMP6, 8, 1) + RA), dst=ALL_NODES),
        eth(IP6, ip6(EVIL6, FRAGMENT, fragment(ICMP6, 0, 0) + nd(136, EVIL6, lla(2, EVIL))), dst=ALL_NODES),
        eth(IP6, ip6(EVIL6, ICMP6, nd(136, EVIL6, lla(2, EVIL) + lla(2, GATEWAY))), dst=ALL_NODES),
        eth(ARP, arp(EVIL4, EVIL))[:30],
        eth(0x806, b"\0\1\x08\0\x08\4" + b"\0" * 30)]),
}

# What the attacker may say as everyone may.
HONEST = [
    eth(0x88B5, b"WEFT"),
    eth(ARP, arp(EVIL4, EVIL)),
    eth(ARP, arp("0.0.0.0", EVIL, op=1)),
    eth(IP4, ip4(EVIL4, TCP, udp(80, 80))),
    eth(IP4, ip4("0.0.0.0", UDP, udp(68, 67))),
    eth(IP4, ip4(EVIL4, UDP, b"\0" * 16, fragment=100)),
    eth(IP4, ip4(EVIL4, ICMP, icmp(8))),
    eth(IP6, ip6(EVIL_LOCAL, UDP, udp(546, 547))),
    eth(IP6, ip6(EVIL_LOCAL, ICMP6, icmp(133, b"\0" * 4 + lla(1, EVIL))), dst=ALL_NODES),
    eth(IP6, ip6("::", ICMP6, nd(135, EVIL6)), dst=ALL_NODES),
    eth(IP6, ip6(EVIL6, ICMP6, nd(136, EVIL6, lla(2, EVIL))), dst=ALL_NODES),
    eth(IP6, ip6(EVIL6, ICMP6, nd(135, GATEWAY6, lla(1, EVIL))), dst=ALL_NODES),
    eth(IP6, ip6(EVIL6, OPTIONS, options(TCP) + udp(80, 80))),
    snap(IP4, ip4(EVIL4, UDP, udp(53, 53))),
]
