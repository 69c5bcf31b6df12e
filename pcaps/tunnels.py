# SPDX-License-Identifier: BSD-3-Clause
"""VXLAN frames as another host sends them, and what machines ask behind it; for make.py."""
import ipaddress
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
UPLINK_MAC, WIRE_MAC = "02:ee:00:00:00:00", "02:ee:00:00:00:01"


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def ip(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    data += bytes(len(data) % 2)
    value = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return 0xFFFF - value


def ip_packet(src, dst, protocol, payload, df=True, fragment=0, hops=64, tos=0, options=b""):
    """An IP packet of the version of its addresses. options: of IPv4, whole words."""
    if ":" in src:
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(payload), protocol, hops) + ip(src) + ip(dst) + payload
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | words, tos, 4 * words + len(payload), 0, fragment or (0x4000 if df else 0), hops,
                       protocol, 0)
    head += ip(src) + ip(dst) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def eth(dst, src, packet):
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return mac(dst) + mac(src) + struct.pack("!H", kind) + packet


def vxlan(inner, src, dst, vni=100, flags=8, port=4789, summed=None, fragment=0, spare=0, kind=None, tos=0, hops=64,
          options=b"", spares=(0, 0)):
    """inner as the host with VTEP `src` sends it. summed: an outer UDP checksum; default: on IPv6. It is wrong if it
    is "wrong". spare: by how much the UDP length is too large."""
    body = struct.pack("!BBHI", flags, 0, 0, vni << 8) + inner
    udp = struct.pack("!HHHH", 50000, port, 8 + len(body) + spare, 0) + body
    if summed or (summed is None and ":" in src):
        value = checksum(ip(src) + ip(dst) + struct.pack("!II", len(udp), 17) + udp) or 0xFFFF
        udp = udp[:6] + struct.pack("!H", value ^ (summed == "wrong")) + udp[8:]
    outer = eth(UPLINK_MAC, WIRE_MAC, ip_packet(src, dst, kind or 17, udp, fragment=fragment, hops=hops, tos=tos,
                                                options=options))
    return outer


def arp(op, src, src_ip, dst_ip, dst=BROADCAST):
    """op 1: a question to all, or an announcement if both addresses are one."""
    body = struct.pack("!HHBBH", 1, 0x800, 6, 4, op) + mac(src) + ip(src_ip) + \
        (bytes(6) if op == 1 else mac(dst)) + ip(dst_ip)
    return mac(dst) + mac(src) + struct.pack("!H", 0x806) + body


def nd(kind, dst, src, src_ip, dst_ip, target, flags=0, option=True):
    """kind 135: solicitation, 136: advertisement."""
    icmp = struct.pack("!BBHI", kind, 0, 0, flags << 24) + ip(target)
    if option:
        icmp += bytes([1 if kind == 135 else 2, 1]) + mac(src)
    value = checksum(ip(src_ip) + ip(dst_ip) + struct.pack("!II", len(icmp), 58) + icmp)
    return eth(dst, src, ip_packet(src_ip, dst_ip, 58, icmp[:2] + struct.pack("!H", value) + icmp[4:], hops=255))


def solicitation(src, src_ip, target):
    low = ip(target)[13:]
    group = str(ipaddress.ip_address(ip("ff02::1:ff00:0")[:13] + low))
    return nd(135, "33:33:ff:%02x:%02x:%02x" % tuple(low), src, src_ip, group, target, option=src_ip != "::")


def udp(dst, src, src_ip, dst_ip, size, df=True, tos=0, ports=(1000, 2000)):
    """A packet of `size` bytes of IP."""
    head = 40 if ":" in src_ip else 20
    l4 = struct.pack("!HHHH", *ports, size - head, 0) + bytes(i % 251 for i in range(size - head - 8))
    value = checksum(ip(src_ip) + ip(dst_ip) + struct.pack("!II", len(l4), 17) + l4) or 0xFFFF
    return eth(dst, src, ip_packet(src_ip, dst_ip, 17, l4[:6] + struct.pack("!H", value) + l4[8:], df, tos=tos))


def syn(dst, src, src_ip, dst_ip, mss):
    l4 = struct.pack("!HHIIBBHHHBBH", 1000, 2000, 7, 0, 0x60, 2, 512, 0, 0, 2, 4, mss)
    value = checksum(ip(src_ip) + ip(dst_ip) + struct.pack("!II", len(l4), 6) + l4)
    return eth(dst, src, ip_packet(src_ip, dst_ip, 6, l4[:16] + struct.pack("!H", value) + l4[18:]))


def sent(inner, src, dst, hop=1, **keys):
    """inner as this host, with VTEP `src`, sends it to the peer whose next hop is the Nth; its UDP source port is any."""
    return mac("02:ee:00:00:00:%02x" % hop) + mac(UPLINK_MAC) + vxlan(inner, src, dst, **keys)[12:]
