#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sends what no VTEP should take, out of a device of this network namespace.

    vxlan_attack.py list PREFIX                        lines "NAME COUNTER WHAT"
    vxlan_attack.py send PREFIX DEVICE DST-MAC NAME N  N frames of one attack, marked
                                                       "WEFT-ATTACK-NAME-"
    vxlan_attack.py guest PREFIX DEVICE DST-MAC N      VXLAN as a guest may send it, to the host's VTEP

PREFIX is 10.9.0. or fd09::, the VTEP that is attacked ends in 1, a peer's that has VNI 100 only
in 2; 9 is no peer. COUNTER: a drop reason of weft, or after a colon one of the kernel (lib/attacks.sh).
"""
import socket
import struct
import sys

EVIL = bytes.fromhex("020000000066")
EVERYONE = b"\xff" * 6
PORT = 4789


def ones_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def marked(name, tell=EVERYONE):
    """An Ethernet frame that shows where it came out."""
    return tell + EVIL + b"\x88\xb5" + f"WEFT-ATTACK-{name}-".encode().ljust(64, b".")


def vxlan(inner, vni=100, flags=8):
    return struct.pack("!B3xI", flags, vni << 8) + inner


class Underlay:
    """Makes outer frames between two addresses."""

    def __init__(self, prefix, dst_mac):
        self.prefix, self.dst_mac = prefix, dst_mac
        self.family = socket.AF_INET6 if ":" in prefix else socket.AF_INET

    def address(self, number):
        return socket.inet_pton(self.family, f"{self.prefix}{number}")

    def udp(self, payload, src=2, dst=1, port=PORT, checksum=None):
        """checksum: "right", "wrong", "none"; None is what VTEPs do."""
        if checksum is None:
            checksum = "right" if self.family == socket.AF_INET6 else "none"
        head = struct.pack("!HHH", 50000, port, 8 + len(payload))
        pseudo = self.address(src) + self.address(dst) + struct.pack("!II", 8 + len(payload), 17)
        total = ones_sum(pseudo + head + b"\0\0" + payload) or 0xFFFF
        total = {"right": total, "wrong": total ^ 0x1234, "none": 0}[checksum]
        return head + struct.pack("!H", total) + payload

    def ip(self, payload, src=2, dst=1, fragment=0x4000, bad_sum=False, longer=0, proto=17):
        if self.family == socket.AF_INET6:
            return (struct.pack("!IHBB", 6 << 28, len(payload) + longer, proto, 64)
                    + self.address(src) + self.address(dst) + payload)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload) + longer, 7, fragment, 64, proto, 0,
                           self.address(src), self.address(dst))
        total = ones_sum(head) ^ (0x0101 if bad_sum else 0)
        return head[:10] + struct.pack("!H", total) + head[12:] + payload

    def ether(self, packet, tag=b""):
        kind = b"\x86\xdd" if self.family == socket.AF_INET6 else b"\x08\x00"
        return self.dst_mac + EVIL + tag + kind + packet

    def frame(self, payload, src=2, dst=1, **options):
        """What most attacks are: all is right but for `payload` and the addresses."""
        return self.ether(self.ip(self.udp(payload, src, dst, **options), src, dst))


def common(u):
    """name: (counter, what, frame)"""
    def mark(name):
        return vxlan(marked(name))
    nested = u.ip(u.udp(vxlan(marked("nested"), 200)))
    return {
        "forged-vtep": ("tunnel-peer", "from a VTEP that is no peer", u.frame(mark("forged-vtep"), src=9)),
        "wrong-vni": ("tunnel-vni", "of a VNI that nobody has", u.frame(vxlan(marked("wrong-vni"), 999))),
        "foreign-vni": ("tunnel-vni", "of a segment that this peer does not have",
                        u.frame(vxlan(marked("foreign-vni"), 200))),
        "no-flag": ("tunnel-malformed", "I flag clear", u.frame(vxlan(marked("no-flag"), flags=0xF7))),
        "cut-vxlan": ("tunnel-malformed", "4 bytes of VXLAN header", u.frame(mark("cut-vxlan")[:4])),
        "cut-inner": ("tunnel-malformed", "13 bytes of inner frame", u.frame(mark("cut-inner")[:21])),
        "cut-ip": ("tunnel-malformed", "IP says more than there is",
                   u.ether(u.ip(u.udp(mark("cut-ip")), longer=100))),
        "bad-checksum": ("tunnel-checksum", "outer UDP checksum wrong",
                         u.frame(mark("bad-checksum"), checksum="wrong")),
        "tagged": (":otherhost", "outer VLAN tag 10", u.ether(u.ip(u.udp(mark("tagged"))), b"\x81\x00\x00\x0a")),
        "other-target": (":no-address", "to an address that the host does not have",
                         u.frame(mark("other-target"), dst=77)),
        "nested": (":payload", "VXLAN with VNI 200 in VXLAN with VNI 100, to the host's MAC",
                   u.frame(vxlan(u.ether(nested)))),
    }


def of_ipv4(u):
    whole = u.udp(vxlan(marked("fragment")) + bytes(64))
    return {
        "bad-ip-sum": ("tunnel-malformed", "outer IP checksum wrong",
                       u.ether(u.ip(u.udp(vxlan(marked("bad-ip-sum"))), bad_sum=True))),
        "fragment-first": ("tunnel-fragment", "the first fragment", u.ether(u.ip(whole[:104], fragment=0x2000))),
        "fragment-last": (":reassembly", "the last fragment", u.ether(u.ip(whole[104:], fragment=104 // 8))),
    }


def of_ipv6(u):
    whole = u.udp(vxlan(marked("fragment")) + bytes(64))

    def fragment(part, offset_and_more):
        return u.ether(u.ip(struct.pack("!BBHI", 17, 0, offset_and_more, 7) + part, proto=44))
    options = struct.pack("!BB6x", 17, 0)
    return {
        "no-checksum": ("tunnel-checksum", "no outer UDP checksum over IPv6",
                        u.frame(vxlan(marked("no-checksum")), checksum="none")),
        "extension": (":holder", "destination options before UDP",
                      u.ether(u.ip(options + u.udp(vxlan(marked("extension"))), proto=60))),
        "fragment-first": (":reassembly", "the first fragment", fragment(whole[:104], 1)),
        "fragment-last": (":reassembly", "the last fragment", fragment(whole[104:], 104)),
    }


def attacks(u):
    more = of_ipv6(u) if u.family == socket.AF_INET6 else of_ipv4(u)
    # The last one: the kernel answers it, as any host does for a port that nobody has.
    other = {"other-port": (":no-port", "to UDP port 4790", u.frame(vxlan(marked("other-port")), port=4790))}
    return common(u) | more | other


def honest(u):
    """What is delivered: the peer's own VNI. Without this nothing would be proven."""
    return u.frame(vxlan(marked("honest")))


def main():
    verb, prefix = sys.argv[1:3]
    if verb == "list":
        for name, (counter, what, _) in attacks(Underlay(prefix, EVIL)).items():
            print(name, counter, what)
        return
    device, mac = sys.argv[3:5]
    u = Underlay(prefix, bytes.fromhex(mac.replace(":", "")))
    if verb == "guest":
        frame = u.frame(vxlan(marked("guest"), 200))
    else:
        frame = honest(u) if sys.argv[5] == "honest" else attacks(u)[sys.argv[5]][2]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((device, 0))
        for _ in range(int(sys.argv[-1])):
            out.send(frame)


main()
