#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes vectors.c: frames built by scapy, which knows nothing of weft's code, and the fuzz corpus.

    tests/unit/vxlan/vectors.py            writes vectors.c and tests/fuzz/corpus/vxlan/
    tests/unit/vxlan/vectors.py --check    compares what is there; exit 1 if it differs
"""
import pathlib
import sys

try:
    from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
    from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                    ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, IPv6, IPv6ExtHdrDestOpt,
                                    IPv6ExtHdrFragment)
    from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
    from scapy.layers.vxlan import VXLAN
    from scapy.packet import Raw
except ImportError:
    print("skipped: this python3 has no scapy")
    sys.exit(77)

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE.parents[1] / "fuzz" / "corpus" / "vxlan"
A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"          # guests
NEAR, FAR = "02:00:00:00:01:01", "02:00:00:00:01:02"      # ends of the underlay
A4, B4, A6, B6 = "10.1.0.1", "10.1.0.2", "fd00:1::a", "fd00:1::b"
NEAR4, FAR4, NEAR6, FAR6 = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"
HASH, VNI = 0xDEADBEEF, 0x123456
PORT, LABEL = 49152 | HASH >> 18, HASH & 0xFFFFF
SYN = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)]
ODD = [("NOP", None), ("MSS", 1460), ("NOP", None), ("SAckOK", b"")]

ether = Ether(src=A, dst=B)
data = Raw(bytes(range(41)))
INNER = ether / IP(src=A4, dst=B4, tos=0x2A, id=9) / UDP(sport=1000, dport=2000) / data
TAG = Dot1Q(vlan=5, prio=3)


def outer(inner, version=4, udp=None, vx=None, **ip):
    """An outer frame as weft sends it, unless `ip`, `udp` or `vx` say otherwise."""
    if version == 4:
        net = IP(**({"src": NEAR4, "dst": FAR4, "tos": 0xB8 | 2, "id": 0, "flags": "DF", "ttl": 64} | ip))
    else:
        net = IPv6(**({"src": NEAR6, "dst": FAR6, "tc": 0xB8 | 2, "fl": LABEL, "hlim": 64} | ip))
    return (Ether(src=NEAR, dst=FAR) / net / UDP(**({"sport": PORT, "dport": 4789, "chksum": 0} | (udp or {})))
            / VXLAN(**({"flags": 8, "vni": VNI} | (vx or {}))) / inner)


def large(version, link=ether):
    """A packet of 1,400 bytes."""
    net = IP(src=A4, dst=B4, flags="DF", id=3) if version == 4 else IPv6(src=A6, dst=B6)
    return link / net / TCP(sport=40000, dport=443, flags="A") / Raw(bytes(1400 - (40 if version == 4 else 60)))


def too_big(version, link=ether, mtu=1350):
    """What is due to large(): quoted are 128 bytes, or what 128 bytes of the frame have."""
    frame = bytes(large(version, link))[:128]
    quote = frame[len(bytes(link / Raw(b"x"))) - 1:]
    back = Ether(src=B, dst=A)
    for tag in link.iterpayloads():
        if tag.name != "Ethernet":
            back = back / tag.__class__(vlan=tag.vlan, prio=tag.prio)
    if version == 4:
        return (back / IP(src=B4, dst=A4, tos=0xC0, id=0, flags="DF", ttl=64)
                / ICMP(type=3, code=4, nexthopmtu=mtu) / Raw(quote))
    return back / IPv6(src=B6, dst=A6, hlim=64) / ICMPv6PacketTooBig(mtu=mtu) / Raw(quote)


def syn(version, options):
    net = IP(src=A4, dst=B4, id=1) if version == 4 else IPv6(src=A6, dst=B6)
    return ether / net / TCP(sport=40000, dport=443, seq=7, flags="S", options=options)


def clamped(options, mss):
    return [(name, mss if name == "MSS" else value) for name, value in options]


def ecn(version, tos):
    net = IP(src=A4, dst=B4, tos=tos, id=1) if version == 4 else IPv6(src=A6, dst=B6, tc=tos, fl=0x54321)
    return ether / net / UDP(sport=1, dport=2) / data


def ns(link=None):
    return ((link or Ether(src=A, dst="33:33:ff:00:00:0b")) / IPv6(src=A6, dst="ff02::1:ff00:b", hlim=255)
            / ICMPv6ND_NS(tgt=B6) / ICMPv6NDOptSrcLLAddr(lladdr=A))


def na(link=None, router=0):
    return ((link or Ether(src=B, dst=A)) / IPv6(src=B6, dst=A6, hlim=255)
            / ICMPv6ND_NA(tgt=B6, R=router, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=B))


def arp(link=None):
    return (link or Ether(src=A, dst="ff:ff:ff:ff:ff:ff")) / ARP(op=1, hwsrc=A, psrc=A4, hwdst="00:00:00:00:00:00", pdst=B4)


def arp_reply(link=None):
    return (link or Ether(src=B, dst=A)) / ARP(op=2, hwsrc=B, psrc=B4, hwdst=A, pdst=A4)


FRAMES = {
    "inner": INNER,
    # In a tunnel.
    "v4": outer(INNER),
    "v4-sum": outer(INNER, udp={"chksum": None}),
    "v4-options": outer(INNER, options=[IPOption_NOP()] * 40),
    "v4-padded": outer(INNER) / Raw(b""),
    "v6": outer(INNER, 6),
    "v6-sum": outer(INNER, 6, udp={"chksum": None}),
    "v6-extension": outer(INNER, 6, nh=60),
    "v4-fragment": outer(INNER, flags="MF"),
    "v4-later": outer(INNER, flags=0, frag=10),
    "v4-wrong-port": outer(INNER, udp={"dport": 8472}),
    "v4-no-flag": outer(INNER, vx={"flags": 0xF3}),
    "v4-reserved": outer(INNER, vx={"flags": 0xFB, "gpflags": 0xFF, "gpid": 0xFFFF, "reserved2": 0xFF}),
    "v4-short": outer(Raw(bytes(13))),
    "v4-nested": outer(outer(INNER)),
    # Flows.
    "udp6": ether / IPv6(src=A6, dst=B6, tc=0x2A) / UDP(sport=1000, dport=2000) / data,
    "udp4-tagged": ether / TAG / INNER.payload,
    "udp4-qinq": ether / Dot1AD(vlan=7) / TAG / INNER.payload,
    "udp6-extension": ether / IPv6(src=A6, dst=B6) / IPv6ExtHdrDestOpt() / UDP(sport=1000, dport=2000) / data,
    "first4": ether / IP(src=A4, dst=B4, flags="MF", id=4) / UDP(sport=1000, dport=2000, len=3000) / data,
    "later4": ether / IP(src=A4, dst=B4, frag=13, id=4, proto=17) / data,
    "first6": ether / IPv6(src=A6, dst=B6) / IPv6ExtHdrFragment(m=1, id=4) / UDP(sport=1000, dport=2000) / data,
    "later6": ether / IPv6(src=A6, dst=B6) / IPv6ExtHdrFragment(offset=13, id=4, nh=17) / data,
    # Congestion marks.
    **{f"ecn{v}-{mark}": ecn(v, 0x28 | mark) for v in (4, 6) for mark in range(4)},
    # Segment size: 1460 as sent; what fits 1,300 bytes.
    "syn4": syn(4, SYN), "syn4-fits": syn(4, clamped(SYN, 1260)),
    "syn4-odd": syn(4, ODD), "syn4-odd-fits": syn(4, clamped(ODD, 1260)),
    "syn6": syn(6, SYN), "syn6-fits": syn(6, clamped(SYN, 1240)),
    "syn6-odd": syn(6, ODD), "syn6-odd-fits": syn(6, clamped(ODD, 1240)),
    # Too big, and the answers. Frames are cut to the head.
    "large4": large(4), "large4-answer": too_big(4),
    "large6": large(6), "large6-answer": too_big(6),
    "large4-tagged": large(4, ether / TAG), "large4-tagged-answer": too_big(4, ether / TAG),
    "large6-tagged": large(6, ether / TAG), "large6-tagged-answer": too_big(6, ether / TAG),
    "ping4": ether / IP(src=A4, dst=B4, flags="DF") / ICMP(type=8) / data,
    "ping6": ether / IPv6(src=A6, dst=B6) / ICMPv6EchoRequest() / data,
    # Neighbours.
    "arp": arp(), "arp-answer": arp_reply(),
    "arp-tagged": arp(Ether(src=A, dst="ff:ff:ff:ff:ff:ff") / TAG), "arp-tagged-answer": arp_reply(Ether(src=B, dst=A) / TAG),
    "ns": ns(), "ns-answer": na(), "ns-answer-router": na(router=1),
    "ns-tagged": ns(Ether(src=A, dst="33:33:ff:00:00:0b") / TAG), "ns-tagged-answer": na(Ether(src=B, dst=A) / TAG),
}
HEAD_ONLY = ("large4", "large6", "large4-tagged", "large6-tagged")


def frames():
    for name, packet in FRAMES.items():
        raw = bytes(packet)
        if name == "v4-padded":
            raw += bytes([0xEE] * 7)
        yield name, raw[:128] if name in HEAD_ONLY else raw


def source():
    lines = ["/* SPDX-License-Identifier: BSD-3-Clause */",
             "/* Made by vectors.py: not to be changed by hand. Tests only. */",
             '#include "tests/unit/vxlan/rig.h"', "", "/* clang-format off */",
             "const struct vector vectors[] = {"]
    for name, raw in frames():
        lines.append(f'\t{{"{name}", {len(raw)}, (const uint8_t[]){{')
        lines += ["\t" + " ".join(f"0x{byte:02x}," for byte in raw[at:at + 15]) for at in range(0, len(raw), 15)]
        lines.append("\t}},")
    return "\n".join(lines + ["\t{0},", "};", "/* clang-format on */", ""])


def main():
    wanted = {HERE / "vectors.c": source().encode()}
    wanted |= {CORPUS / name: raw for name, raw in frames() if not name.endswith(("-answer", "-fits"))}
    if sys.argv[1:] != ["--check"]:
        CORPUS.mkdir(exist_ok=True)
        for path, content in wanted.items():
            path.write_bytes(content)
        return 0
    differ = [str(path) for path, content in wanted.items()
              if not path.exists() or path.read_bytes() != content]
    print("\n".join(f"{path}: vectors.py writes something else" for path in differ)
          or f"{len(wanted)} files are what scapy makes")
    return 1 if differ else 0


sys.exit(main())
