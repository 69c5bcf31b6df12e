#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the golden scenarios: NAME.yaml, NAME.PORT.in.pcap and each area's MANIFEST.

    pcaps/make.py            writes them
    pcaps/make.py --check    compares what is there with what it would write; exit 1 if it differs

What comes out (NAME.PORT.out.pcap) is written by `weft test --update pcaps` and reviewed by eye;
where weft computes something, it is written here, by a second way to compute it.
Every frame carries a mark in its payload, so that each one is known again wherever it turns up.
"""
import pathlib
import re
import struct
import sys

import attacks
import tunnels
from tunnels import vxlan

HERE = pathlib.Path(__file__).resolve().parent
BROADCAST = "ff:ff:ff:ff:ff:ff"
ALPHA_ONLY = "{ALPHA: {vni: 100}}"
TWO = "{ALPHA: {vni: 100, vlan: 10}, BETA: {vni: 200, vlan: 20}}"
SCENARIOS = []


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def host(n):
    """A unicast address, locally administered."""
    return "02:00:00:00:%02x:%02x" % (n >> 8, n & 255)


def frame(dst, src, mark, size=60, ethertype=0x88B5, tags=()):
    """Ethernet frame for local experiments (0x88B5, IEEE 802) with a mark, padded with its low byte."""
    head = mac(dst) + mac(src) + b"".join(struct.pack("!HH", tpid, tci) for tpid, tci in tags)
    body = head + struct.pack("!H", ethertype) + b"WEFTMARK" + struct.pack("!I", mark)
    return (body + bytes([mark & 255]) * max(0, size - len(body)))[:max(size, 14)]


def scenario(area, name, about, segments, ports, packets, drops=None, sends=None, takes=None, outs=None, peers=None):
    """packets: (time in ms, port, bytes), in order. ports: {name: segment, or keys and values}. outs: like packets, what must
    come out. sends, takes: see scenario/scenario.h. peers: {name: (keys and values, uplink or None)}."""
    SCENARIOS.append((area, name, about, segments, ports, packets, drops or {}, sends or {}, takes or {}, outs, peers or {}))


def total(data):
    """The sum of 16-bit words, as the Internet checksum takes it."""
    data += bytes(len(data) % 2)
    value = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def packet(dst, src, protocol, l4, field, v6=False, ident=0, is_open=False):
    """An IP packet around a TCP or UDP one, whose checksum lies at `field`: left open or complete."""
    addresses = bytes(range(32)) if v6 else bytes([10, 0, 0, 1, 10, 0, 0, 2])
    pseudo = total(addresses + struct.pack("!II", len(l4), protocol))
    l4 = l4[:field] + bytes(2) + l4[field + 2:]
    value = pseudo if is_open else (0xFFFF - total(struct.pack("!H", pseudo) + l4)) or 0xFFFF
    l4 = l4[:field] + struct.pack("!H", value) + l4[field + 2:]
    if v6:
        return mac(dst) + mac(src) + struct.pack("!HIHBB", 0x86DD, 0x60000000, len(l4), protocol, 64) + addresses + l4
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), ident & 0xFFFF, 0x4000, 64, protocol, 0) + addresses
    ip = ip[:10] + struct.pack("!H", 0xFFFF - total(ip)) + ip[12:]
    return mac(dst) + mac(src) + struct.pack("!H", 0x0800) + ip + l4


def tcp(dst, src, seq, payload, flags=0x10, v6=False, ident=0, is_open=True):
    """TCP with a time stamp option, as a guest with offloads sends it."""
    header = struct.pack("!HHIIBBHHHBBBBII", 1000, 2000, seq & 0xFFFFFFFF, 7, 0x80, flags, 512, 0, 0, 1, 1, 8, 10, 3, 4)
    return packet(dst, src, 6, header + payload, 16, v6, ident, is_open)


def tcp_cut(size, dst, src, seq, payload, flags=0x10, v6=False, ident=0, is_open=False):
    """The same as packets of at most `size` bytes of payload."""
    parts = [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]
    out = []
    for i, part in enumerate(parts):
        kept = flags if i == len(parts) - 1 else flags & ~0x09  # FIN, PSH end a stream
        kept = kept if i == 0 else kept & ~0x80  # CWR is said once
        out.append(tcp(dst, src, seq + i * size, part, kept, v6, ident + i, is_open))
    return out


def udp(dst, src, payload, v6=False, is_open=True):
    return packet(dst, src, 17, struct.pack("!HHHH", 1000, 2000, 8 + len(payload), 0) + payload, 6, v6, 0, is_open)


def pcap(packets):
    out = struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)  # nanoseconds, Ethernet
    for ms, data in packets:
        ns = round(ms * 1e6)
        out += struct.pack("=IIII", ns // 10**9, ns % 10**9, len(data), len(data)) + data
    return out


P3 = {"p1": "ALPHA", "p2": "ALPHA", "p3": "ALPHA"}
P4 = {"a1": "ALPHA", "a2": "ALPHA", "b1": "BETA", "b2": "BETA"}
A, B, C = host(1), host(2), host(3)
S = 1000  # ms

scenario("learning", "unknown_is_flooded", "a destination nobody has heard of goes to everyone else",
         ALPHA_ONLY, P3, [(1, "p1", frame(B, A, 1))])
scenario("learning", "answer_is_unicast", "the answer goes to the one port where the asker was seen",
         ALPHA_ONLY, P3, [(1, "p1", frame(B, A, 1)), (2, "p2", frame(A, B, 2)), (3, "p1", frame(B, A, 3))])
scenario("learning", "same_port_is_not_sent_back", "a destination behind the sender's own port is no one's business",
         ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1)), (2, "p1", frame(BROADCAST, B, 2)),
                          (3, "p1", frame(A, B, 3))], {"p1": {"same-port": 1}})
scenario("learning", "many_on_one_port", "100 addresses behind one port are all found again",
         ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, host(100 + i), i)) for i in range(100)] +
         [(2, "p2", frame(host(100 + i), B, 1000 + i)) for i in range(100)])
scenario("learning", "burst_in_one_turn", "a burst larger than one turn of 64 keeps its order",
         ALPHA_ONLY, P3, [(1, "p2", frame(BROADCAST, B, 0))] +
         [(2, "p1", frame(B, A, 1 + i)) for i in range(200)])
scenario("learning", "broadcast_destination_is_never_learned", "a multicast source teaches nothing",
         ALPHA_ONLY, P3, [(1, "p1", frame(B, "03:00:00:00:00:01", 1)), (2, "p2", frame(BROADCAST, B, 2))],
         {"p1": {"bad-source": 1}})

scenario("ageing", "known_until_its_age", "after exactly the age of silence an address is still known",
         "{ALPHA: {vni: 100, age: 30s}}", P3,
         [(0, "p1", frame(BROADCAST, A, 1)), (30 * S, "p2", frame(A, B, 2))])
scenario("ageing", "forgotten_a_second_later", "one second more and its frames are flooded",
         "{ALPHA: {vni: 100, age: 30s}}", P3,
         [(0, "p1", frame(BROADCAST, A, 1)), (31 * S, "p2", frame(A, B, 2))])
scenario("ageing", "sending_keeps_it_alive", "an address that goes on sending does not age",
         "{ALPHA: {vni: 100, age: 30s}}", P3,
         [(t * 20 * S, "p1", frame(BROADCAST, A, t)) for t in range(5)] + [(100 * S, "p2", frame(A, B, 9))])
scenario("ageing", "segments_age_apart", "each segment has its own age",
         "{ALPHA: {vni: 100, age: 10s}, BETA: {vni: 200, age: 100s}}",
         {"a1": "ALPHA", "a2": "ALPHA", "a3": "ALPHA", "b1": "BETA", "b2": "BETA", "b3": "BETA"},
         [(0, "a1", frame(BROADCAST, A, 1)), (0, "b1", frame(BROADCAST, A, 2)),
          (50 * S, "a2", frame(A, B, 3)), (50 * S, "b2", frame(A, B, 4))])

scenario("moves", "moved_address_is_followed", "an address that turns up elsewhere is found there at once",
         ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1)), (2, "p3", frame(A, C, 2)),
                          (3, "p2", frame(BROADCAST, A, 3)), (4, "p3", frame(A, C, 4))])
scenario("moves", "back_and_forth", "an address that moves twenty times is always where it sent last",
         ALPHA_ONLY, P3, [x for i in range(20) for x in (
             (2 * i, "p1" if i % 2 else "p2", frame(BROADCAST, A, 2 * i)),
             (2 * i + 1, "p3", frame(A, C, 2 * i + 1)))])

scenario("flooding", "broadcast_reaches_all_but_sender", "broadcast goes to every other port, once",
         ALPHA_ONLY, {"p%d" % i: "ALPHA" for i in range(1, 9)}, [(1, "p1", frame(BROADCAST, A, 1))])
scenario("flooding", "multicast_is_flooded", "IPv4 and IPv6 multicast go to every other port",
         ALPHA_ONLY, P3, [(1, "p1", frame("01:00:5e:00:00:fb", A, 1)), (2, "p1", frame("33:33:00:00:00:01", A, 2))])
scenario("flooding", "alone_in_the_segment", "with nobody else there a flood has no receiver",
         ALPHA_ONLY, {"p1": "ALPHA"}, [(1, "p1", frame(BROADCAST, A, 1)), (2, "p1", frame(B, A, 2))],
         {"p1": {"no-receiver": 2}})
scenario("flooding", "mixed_burst_keeps_order", "floods and unicasts of one burst reach a port in their order",
         ALPHA_ONLY, P3, [(1, "p2", frame(BROADCAST, B, 1))] +
         [(2, "p1", frame(BROADCAST if i % 3 == 0 else B, A, 10 + i)) for i in range(50)])

scenario("isolation", "broadcast_stays_inside", "a broadcast of one segment is not seen in another",
         TWO, P4, [(1, "a1", frame(BROADCAST, A, 1)), (1, "b1", frame(BROADCAST, B, 2))])
scenario("isolation", "unicast_to_other_segment", "an address of another segment is unknown here: flooded here only",
         TWO, P4, [(1, "b1", frame(BROADCAST, B, 1)), (2, "a1", frame(B, A, 2))])
scenario("isolation", "same_address_twice", "the same address in two segments is two addresses",
         TWO, P4, [(1, "a1", frame(BROADCAST, A, 1)), (1, "b1", frame(BROADCAST, A, 2)),
                   (2, "a2", frame(A, B, 3)), (2, "b2", frame(A, B, 4))])
scenario("isolation", "tags_do_not_hop", "a tag with another segment's VLAN id does not lead there",
         TWO, P4, [(1, "a1", frame(BROADCAST, A, 1, 64, tags=[(0x8100, 20)])),
                   (2, "a1", frame(BROADCAST, A, 2, 68, tags=[(0x8100, 10), (0x8100, 20)])),
                   (3, "a1", frame(BROADCAST, A, 3, 68, tags=[(0x88A8, 20), (0x8100, 20)])),
                   (4, "a1", frame(BROADCAST, A, 4, 64, tags=[(0x9100, 20)])),
                   (5, "a1", frame(BROADCAST, A, 5, 64, tags=[(0x8100, 0)]))],
         {"a1": {"tagged": 4}})
scenario("isolation", "tagged_teaches_nothing", "a frame that is dropped leaves no trace in the table",
         TWO, P4, [(1, "a1", frame(BROADCAST, A, 1, 64, tags=[(0x8100, 20)])), (2, "a2", frame(A, B, 2)),
                   (2, "b1", frame(A, C, 3))], {"a1": {"tagged": 1}})

T4 = {"a1": "ALPHA", "b1": "BETA", "t1": "trunk: {ALPHA: 10, BETA: 20}", "t2": "trunk: {ALPHA: 11, BETA: own}"}
Q, N = 0x8100, "native: ALPHA"
THREE = "{ALPHA: {vni: 100, vlan: 10}, BETA: {vni: 200, vlan: 20}, GAMMA: {vni: 300, vlan: 30}}"

scenario("trunk", "tags_on_and_off", "a frame has on each trunk the tag of its segment there, and none on access ports",
         TWO, T4, [(1, "a1", frame(BROADCAST, A, 1)), (2, "b1", frame(BROADCAST, B, 2)),
                   (3, "t1", frame(BROADCAST, C, 3, 64, tags=[(Q, 10)])),
                   (4, "t2", frame(BROADCAST, C, 4, 64, tags=[(Q, 20)])),
                   (5, "a1", frame(C, A, 5)), (6, "b1", frame(C, B, 6))])
scenario("trunk", "every_size_with_a_tag", "the body follows its tag whole, whatever lies in the private head",
         TWO, T4, [(i + 1, "a1", frame(BROADCAST, A, i, size)) for i, size in enumerate(
             (14, 60, 123, 124, 125, 126, 127, 128, 129, 130, 1514))] +
         [(50 + i, "t1", frame(BROADCAST, C, 100 + i, size, tags=[(Q, 10)])) for i, size in enumerate(
             (18, 64, 127, 128, 129, 131, 132, 133, 1518))])
scenario("trunk", "native_is_untagged", "the native segment has no tag, and a priority tag is none",
         THREE, {"a1": "ALPHA", "b1": "BETA", "t1": "trunk: {BETA: 20, GAMMA: 30}, " + N},
         [(1, "t1", frame(BROADCAST, A, 1)), (2, "t1", frame(BROADCAST, A, 2, 64, tags=[(Q, 0xE000)])),
          (3, "a1", frame(BROADCAST, B, 3)), (4, "a1", frame(BROADCAST, B, 4, 64, tags=[(Q, 0xE000)])),
          (5, "t1", frame(BROADCAST, A, 5, 64, tags=[(Q, 0xE014)]))])
scenario("trunk", "hopping_is_refused", "no second tag, no tag of another segment, no tag of nobody leads anywhere",
         THREE, {"a1": "ALPHA", "b1": "BETA", "c1": "GAMMA", "t1": "trunk: {BETA: 20}, " + N,
                 "t2": "trunk: {GAMMA: 30}, " + N},
         [(1, "a1", frame(BROADCAST, A, 1, 68, tags=[(Q, 10), (Q, 20)])),
          (2, "a1", frame(BROADCAST, A, 2, 68, tags=[(Q, 0), (Q, 20)])),
          (3, "t1", frame(BROADCAST, A, 3, 64, tags=[(Q, 10)])),
          (4, "t1", frame(BROADCAST, A, 4, 64, tags=[(Q, 30)])),
          (5, "t1", frame(BROADCAST, A, 5, 68, tags=[(Q, 20), (Q, 30)])),
          (6, "t1", frame(BROADCAST, A, 6, 68, tags=[(Q, 0), (Q, 20)])),
          (7, "t1", frame(BROADCAST, A, 7, 64, tags=[(0x88A8, 20)])),
          (8, "t1", frame(BROADCAST, A, 8, 64, tags=[(0x9100, 20)])),
          (9, "t1", frame(BROADCAST, A, 9, 64, tags=[(Q, 4095)]))],
         {"a1": {"tagged": 2}, "t1": {"vlan": 3, "tagged": 4}})
scenario("trunk", "without_native", "what has no tag has no segment on a trunk without a native one",
         TWO, T4, [(1, "t1", frame(BROADCAST, A, 1)), (2, "t1", frame(BROADCAST, A, 2, 64, tags=[(Q, 0)]))],
         {"t1": {"no-segment": 2}})
scenario("trunk", "qinq", "a second tag is payload between ports with qinq=on, and reaches no other",
         TWO, {"a1": "ALPHA", "q1": "segment: ALPHA, qinq: on", "t1": "trunk: {ALPHA: 10}, qinq: on",
               "t2": "trunk: {ALPHA: 10}", "t3": "trunk: {BETA: 20}, native: ALPHA, qinq: on"},
         [(1, "t1", frame(BROADCAST, A, 1, 68, tags=[(Q, 10), (Q, 20)])),
          (2, "t1", frame(BROADCAST, A, 2, 68, tags=[(0x88A8, 10), (Q, 20)])),
          (3, "q1", frame(BROADCAST, B, 3, 64, tags=[(Q, 20)])),
          (4, "t3", frame(BROADCAST, C, 4, 68, tags=[(Q, 0), (Q, 10)])),
          (5, "t1", frame(BROADCAST, A, 5, 64, tags=[(Q, 10)]))],
         {"a1": {"tagged": 3}, "t2": {"tagged": 3}, "t3": {"tagged": 4}})

scenario("policy", "isolated_ports", "isolated ports exchange frames with the others only",
         ALPHA_ONLY, {"i1": "segment: ALPHA, isolated: on", "i2": "segment: ALPHA, isolated: on", "p1": "ALPHA"},
         [(1, "i1", frame(BROADCAST, A, 1)), (2, "i2", frame(BROADCAST, B, 2)), (3, "p1", frame(BROADCAST, C, 3)),
          (4, "i1", frame(B, A, 4)), (5, "i1", frame(C, A, 5)), (6, "p1", frame(A, C, 6))],
         {"i2": {"isolated": 1}})
scenario("policy", "no_flooding", "a segment that floods nothing still delivers what it knows",
         "{ALPHA: {vni: 100, unknown: drop, broadcast: drop, multicast: drop}}", P3,
         [(1, "p1", frame(BROADCAST, A, 1)), (2, "p2", frame(A, B, 2)), (3, "p1", frame(C, A, 3)),
          (4, "p1", frame("33:33:00:00:00:01", A, 4))],
         {"p1": {"no-broadcast": 1, "unknown-unicast": 1, "no-multicast": 1}})
scenario("policy", "link_local_passed", "each link-local protocol has its switch",
         "{ALPHA: {vni: 100, lldp: off, lacp: on, stp: on, dot1x: on, pause: on}}", P3,
         [(1, "p1", frame("01:80:c2:00:00:00", A, 1, ethertype=0x26)),
          (2, "p1", frame("01:80:c2:00:00:01", A, 2, ethertype=0x8808)),
          (3, "p1", frame("01:80:c2:00:00:02", A, 3, ethertype=0x8809)),
          (4, "p1", frame("01:80:c2:00:00:03", A, 4, ethertype=0x888E)),
          (5, "p1", frame("01:80:c2:00:00:0e", A, 5, ethertype=0x88CC)),
          (6, "p1", frame("01:80:c2:00:00:04", A, 6))], {"p1": {"link-local": 2}})

scenario("malformed", "runts", "shorter than an Ethernet header is a runt, exactly as long is none",
         ALPHA_ONLY, P3, [(i + 1, "p1", frame(BROADCAST, A, 1)[:i]) for i in range(14)] +
         [(20, "p1", frame(BROADCAST, A, 2)[:14])], {"p1": {"runt": 14}})
scenario("malformed", "sources", "multicast, broadcast and zero are no senders",
         ALPHA_ONLY, P3, [(1, "p1", frame(B, "01:00:5e:00:00:01", 1)), (2, "p1", frame(B, BROADCAST, 2)),
                          (3, "p1", frame(B, "00:00:00:00:00:00", 3)), (4, "p1", frame(B, "00:00:00:00:00:01", 4))],
         {"p1": {"bad-source": 3}})
scenario("malformed", "link_local", "01-80-C2-00-00-00 to 0F stay on the link unless it is LLDP, 10 does not",
         ALPHA_ONLY, P3, [(i + 1, "p1", frame("01:80:c2:00:00:%02x" % i, A, i)) for i in range(0x11)] +
         [(20, "p1", frame("01:80:c2:00:00:0e", A, 20, ethertype=0x88CC))], {"p1": {"link-local": 16}})
scenario("malformed", "sizes", "every size from a bare header to the MTU arrives whole, nothing larger does",
         "{ALPHA: {vni: 100, mtu: 9000}}", P3, [(i + 1, "p1", frame(BROADCAST, A, i, size)) for i, size in enumerate(
             (14, 15, 59, 60, 61, 64, 127, 128, 129, 255, 256, 1499, 1514, 1515, 4096, 9014, 9015, 16384, 65549))],
         {"p1": {"too-big": 3}})
scenario("malformed", "length_field", "an 802.3 frame with a length field is forwarded like any other",
         ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1, 60, ethertype=46))])

BULK = bytes((i * 7 + i // 251) % 256 for i in range(30000))
LARGE = (dict(seq=0xFFFFF000, payload=BULK[:5000], flags=0x19, ident=0xFFFE),  # sequence and id wrap; PSH, FIN
         dict(seq=1, payload=BULK[:12345], flags=0x98, ident=9), dict(seq=2, payload=BULK[:2 * 1448], flags=0x10),
         dict(seq=3, payload=BULK[:3001], flags=0x18, v6=True), dict(seq=4, payload=BULK[:9999], flags=0x11, v6=True))
BROAD = [(1, "p1", tcp(BROADCAST, A, **shape)) for shape in LARGE]


def cut(size, is_open=False):
    return [(1, data) for shape in LARGE for data in tcp_cut(size, BROADCAST, A, is_open=is_open, **shape)]


scenario("offloads", "large_is_cut", "large TCP segments are cut for who takes none, and whole for who does",
         "{ALPHA: {vni: 100, mtu: 1520}}", P3, BROAD, sends={"p1": 1448}, takes={"p3": "all"},
         outs={"p2": cut(1448), "p3": [(ms, data) for ms, _, data in BROAD]})
scenario("offloads", "sums_itself", "who sums itself gets the pieces with open checksums",
         ALPHA_ONLY, P3, BROAD, sends={"p1": 536}, takes={"p2": "checksum"},
         outs={"p2": cut(536, True), "p3": cut(536)})
scenario("offloads", "open_checksums", "checksums of UDP and TCP, of odd and even lengths, are completed",
         ALPHA_ONLY, P3, [(i, "p1", make(BROADCAST, A, payload=BULK[:i * 37], v6=v6)) for i in range(1, 20)
                          for v6 in (False, True) for make in (udp, lambda *a, **k: tcp(*a, seq=5, **k))],
         sends={"p1": 1448}, takes={"p3": "all"},
         outs={port: [(i, make(BROADCAST, A, payload=BULK[:i * 37], v6=v6, is_open=port == "p3"))
                      for i in range(1, 20) for v6 in (False, True)
                      for make in (udp, lambda *a, **k: tcp(*a, seq=5, **k))] for port in ("p2", "p3")})
scenario("offloads", "order_is_kept", "plain frames keep their place between pieces",
         ALPHA_ONLY, P3, [x for i in range(5) for x in ((1, "p1", frame(BROADCAST, A, i)),
                                                         (1, "p1", tcp(BROADCAST, A, i, BULK[:4000])))],
         sends={"p1": 1448}, takes={"p3": "all"},
         outs={"p2": [(1, data) for i in range(5) for data in
                      [frame(BROADCAST, A, i)] + tcp_cut(1448, BROADCAST, A, i, BULK[:4000])],
               "p3": [(1, data) for i in range(5) for data in
                      (frame(BROADCAST, A, i), tcp(BROADCAST, A, i, BULK[:4000]))]})
scenario("offloads", "tiny_pieces", "who asks for more than 256 pieces of a frame gets none",
         ALPHA_ONLY, P3, [(1, "p1", tcp(BROADCAST, A, 1, BULK[:256 * 100])), (2, "p1", tcp(BROADCAST, A, 1, BULK[:25601]))],
         {"p2": {"no-offload": 1}, "p3": {"no-offload": 1}}, sends={"p1": 100},
         outs={port: [(1, data) for data in tcp_cut(100, BROADCAST, A, 1, BULK[:256 * 100])] for port in ("p2", "p3")})

# Guards: all on in the segment; then the one word that lets the port do it.
EVIL = f"ALPHA, mac: '{attacks.EVIL}', addresses: '{attacks.EVIL4},{attacks.EVIL6}'"
HONEST = [(1, data) for data in attacks.HONEST]
for attack, (what, reason, word, frames) in attacks.ATTACKS.items():
    both = HONEST + [(2, data) for data in frames] + [(3, data) for data in attacks.HONEST]
    scenario("guards", attack + "_stopped", f"a guest that {what} is not heard, and otherwise is",
             "{ALPHA: {vni: 100, guard: on}}", {"evil": EVIL, "victim": "ALPHA"},
             [(ms, "evil", data) for ms, data in both], {"evil": {reason: len(frames)}},
             outs={"victim": [(ms, data) for ms, data in both if ms != 2]})
    value = "on" if word in ("router", "dhcp_server") else "off"
    scenario("guards", attack + "_allowed", f"{word}={value}: a guest that {what} is heard",
             "{ALPHA: {vni: 100, guard: on}}", {"evil": EVIL + f", {word}: {value}", "victim": "ALPHA"},
             [(ms, "evil", data) for ms, data in both], outs={"victim": both})
ROLES = ("dhcp", "ra", "hidden")
EVERY = [(2, data) for attack in attacks.ATTACKS.values() for data in attack[3]]
scenario("guards", "default", "without a word roles are guarded: DHCP servers and routers, but not who a guest is",
         ALPHA_ONLY, {"evil": EVIL, "victim": "ALPHA"}, [(ms, "evil", data) for ms, data in EVERY],
         {"evil": {attacks.ATTACKS[a][1]: len(attacks.ATTACKS[a][3]) for a in ROLES}},
         outs={"victim": [(2, data) for a, attack in attacks.ATTACKS.items() if a not in ROLES
                          for data in attack[3]]})
scenario("guards", "off", "guard=off on the segment: everything passes",
         "{ALPHA: {vni: 100, guard: off}}", {"evil": EVIL, "victim": "ALPHA"},
         [(ms, "evil", data) for ms, data in EVERY], outs={"victim": EVERY})
scenario("guards", "nested", "mac_guard=off: virtual machines inside the guest, with its other guards on",
         "{ALPHA: {vni: 100, guard: on}}",
         {"evil": f"ALPHA, mac: '{attacks.EVIL}', addresses: '10.0.0.66,10.0.1.0/24', mac_guard: off",
          "victim": "ALPHA"},
         [(1, "evil", attacks.eth(attacks.ARP, attacks.arp("10.0.1.5", host(5)), src=host(5))),
          (2, "evil", attacks.eth(attacks.ARP, attacks.arp("10.0.2.5", host(5)), src=host(5)))],
         {"evil": {"arp-spoof": 1}},
         outs={"victim": [(1, attacks.eth(attacks.ARP, attacks.arp("10.0.1.5", host(5)), src=host(5)))]})

# Storms: a burst of 64 and the rate; a tenth of a second's worth if that is more.
KINDS = {"broadcast": BROADCAST, "multicast": "01:00:5e:00:00:fb", "unknown": host(99)}
for kind, dst in KINDS.items():
    sent = [(ms, frame(dst, A, i)) for ms in (1, 501) for i in range(200)]
    scenario("storm", kind, f"{kind} beyond {kind}_pps is dropped, and after a pause heard again",
             ALPHA_ONLY, {"p1": f"ALPHA, {kind}_pps: 100", "p2": "ALPHA"},
             [(ms, "p1", data) for ms, data in sent], {"p1": {f"storm-{kind}": 136 + 150}},
             outs={"p2": sent[:64] + sent[200:250]})
scenario("storm", "others_are_heard", "a port's storm does not touch its other kinds of flood, nor other ports'",
         ALPHA_ONLY, {"p1": "ALPHA, broadcast_pps: 100", "p2": "ALPHA", "p3": "ALPHA"},
         [(1, "p1", frame(BROADCAST, A, i)) for i in range(200)] +
         [(2, "p1", frame(host(99), A, i)) for i in range(200)] +
         [(3, "p2", frame(BROADCAST, B, i)) for i in range(100)],
         {"p1": {"storm-broadcast": 136}},
         outs={"p2": [(1, frame(BROADCAST, A, i)) for i in range(64)] +
                     [(2, frame(host(99), A, i)) for i in range(200)],
               "p3": [(1, frame(BROADCAST, A, i)) for i in range(64)] +
                     [(2, frame(host(99), A, i)) for i in range(200)] +
                     [(3, frame(BROADCAST, B, i)) for i in range(100)],
               "p1": [(3, frame(BROADCAST, B, i)) for i in range(100)]})
scenario("storm", "segment_in_total", "a segment's rate is for all its ports together",
         "{ALPHA: {vni: 100, broadcast_pps: 100}}", P3,
         [(1, "p1", frame(BROADCAST, A, i)) for i in range(60)] +
         [(1, "p2", frame(BROADCAST, B, i)) for i in range(60)],
         {"p2": {"storm-segment": 56}},
         outs={"p1": [(1, frame(BROADCAST, B, i)) for i in range(4)],
               "p2": [(1, frame(BROADCAST, A, i)) for i in range(60)],
               "p3": [(1, frame(BROADCAST, A, i)) for i in range(60)] +
                     [(1, frame(BROADCAST, B, i)) for i in range(4)]})
scenario("storm", "known_is_no_flood", "unicast to an address that is known meets no limit",
         ALPHA_ONLY, {"p1": "ALPHA, unknown_pps: 1", "p2": "ALPHA"},
         [(1, "p2", frame(BROADCAST, B, 1))] + [(2, "p1", frame(B, A, i)) for i in range(300)],
         outs={"p1": [(1, frame(BROADCAST, B, 1))], "p2": [(2, frame(B, A, i)) for i in range(300)]})

# The overlay: p1 and p2 here, h2 and h3 elsewhere; R, R3: machines behind them.
R, R3 = host(0xA2), host(0xA3)
V4, V6 = ("10.9.0.1", "10.9.0.2", "10.9.0.3"), ("fd09::1", "fd09::2", "fd09::3")


def overlay(name, about, packets, drops=None, vteps=V4, settings="", ways=("up", "up"), uplink="", outs=None):
    scenario("overlay", name, about, "{ALPHA: {vni: 100, mtu: 1430%s}, BETA: {vni: 200}}" % settings,
             {"up": f"type: uplink, ifname: u0, vtep: '{vteps[0]}'{uplink}", "p1": "ALPHA", "p2": "ALPHA", "b1": "BETA"},
             packets, drops, outs=outs,
             peers={"h2": (f"vtep: '{vteps[1]}', segments: [ALPHA]", ways[0]),
                    "h3": (f"vtep: '{vteps[2]}', segments: [ALPHA, BETA]", ways[1])})


for version, vteps in (("ipv4", V4), ("ipv6", V6)):
    def wire(inner, of=1, to=vteps, **keys):
        return vxlan(inner, to[of], to[0], **keys)

    overlay(f"out_and_in_over_{version}", "a flood goes to each host that has the segment, an answer to the one it is for",
            [(1, "p1", frame(BROADCAST, A, 1)), (2, "up", wire(frame(A, R, 2))), (3, "p1", frame(R, A, 3)),
             (4, "b1", frame(BROADCAST, A, 4)), (5, "up", wire(frame(BROADCAST, R3, 5), 2, vni=200)),
             (6, "p1", tunnels.udp(R, A, "10.0.0.1", "10.0.0.2", 1430)), (7, "p1", tunnels.udp(R, A, "fd00::1", "fd00::2", 1430))],
            vteps=vteps)
    overlay(f"refused_over_{version}", "what is no VXLAN of a peer's segment to this VTEP is dropped, each by its reason",
            [(1, "up", wire(frame(A, R, 1), vni=200)), (2, "up", wire(frame(A, R, 2), vni=999)),
             (3, "up", vxlan(frame(A, R, 3), vteps[0][:-1] + "9", vteps[0])), (4, "up", wire(frame(A, R, 4), flags=0)),
             (5, "up", wire(frame(A, R, 5), port=4790)), (6, "up", vxlan(frame(A, R, 6), vteps[1], vteps[2])),
             (7, "up", wire(frame(A, R, 7), summed="wrong")), (8, "up", wire(frame(A, R, 8), spare=1)),
             (9, "up", wire(frame(A, R, 9)[:13])), (10, "up", wire(frame(A, R, 10))[:60]),
             (11, "up", wire(frame(A, R, 11), kind=6)), (12, "up", frame(BROADCAST, R, 12)),
             (13, "up", wire(frame(A, R, 13), fragment=0x2000 if version == "ipv4" else 0, kind=None if version == "ipv4" else 44))]
            + ([(14, "up", wire(frame(A, R, 14), summed=False))] if version == "ipv6" else []),
            {"up": {"tunnel-vni": 2, "tunnel-peer": 1, "tunnel-malformed": 4, "tunnel-target": 4,
                    "tunnel-checksum": 1 if version == "ipv4" else 2, "tunnel-fragment": 1}}, vteps=vteps, outs={})

overlay("no_checksum_by_setting", "zero_checksum6=on takes and sends VXLAN over IPv6 without a checksum (RFC 6935)",
        [(1, "up", vxlan(frame(A, R, 1), V6[1], V6[0], summed=False)), (2, "p1", frame(R, A, 2))],
        vteps=V6, uplink=", zero_checksum6: on")
overlay("no_tunnel_into_another", "what came from one host does not go to another",
        [(1, "up", vxlan(frame(BROADCAST, R3, 1), V4[2], V4[0])), (2, "up", vxlan(frame(R3, R, 2), V4[1], V4[0]))],
        {"h3": {"tunnel-loop": 1}}, outs={port: [(1, frame(BROADCAST, R3, 1))] for port in ("p1", "p2")})
overlay("nested_is_payload", "VXLAN inside VXLAN, or from a machine to a VTEP, is payload",
        [(1, "p1", frame(BROADCAST, A, 1)), (2, "up", vxlan(vxlan(frame(A, R, 2), V4[1], V4[0]), V4[1], V4[0])),
         (3, "p1", vxlan(frame(B, A, 3), V4[1], V4[0]))])
overlay("no_way", "a peer without a next hop gets nothing, the other does",
        [(1, "p1", frame(BROADCAST, A, 1))], {"h2": {"no-nexthop": 1}}, ways=(None, "up"))
overlay("too_big", "who sends what is larger than the segment's MTU is told so, whatever way it was to go",
        [(1, "up", vxlan(frame(BROADCAST, R, 1), V4[1], V4[0])),
         (2, "p1", tunnels.udp(R, A, "10.0.0.1", "10.0.0.2", 1431)), (3, "p1", tunnels.udp(R, A, "fd00::1", "fd00::2", 1431)),
         (4, "p1", tunnels.udp(R, A, "10.0.0.1", "10.0.0.2", 1431, df=False)),
         (5, "up", vxlan(tunnels.udp(A, R, "10.0.0.2", "10.0.0.1", 1431), V4[1], V4[0]))],
        {"p1": {"too-big": 3}, "h2": {"too-big": 1}})
overlay("mss_clamp", "both ends of a connection through a tunnel hear of a segment size that fits",
        [(1, "p1", frame(BROADCAST, A, 1)), (2, "up", vxlan(tunnels.syn(A, R, "10.0.0.2", "10.0.0.1", 1460), V4[1], V4[0])),
         (3, "p1", tunnels.syn(R, A, "10.0.0.1", "10.0.0.2", 1460)), (4, "p1", tunnels.syn(R, A, "fd00::1", "fd00::2", 1440)),
         (5, "p1", tunnels.syn(R, A, "10.0.0.1", "10.0.0.2", 900))],
        settings=", mss_clamp: on")

GONE = [(1, "up", vxlan(tunnels.arp(1, R, "10.0.0.2", "10.0.0.2"), V4[1], V4[0])),
        (2, "up", vxlan(tunnels.nd(136, "33:33:00:00:00:01", R, "fd00::2", "ff02::1", "fd00::2", 0x20), V4[1], V4[0]))]
ASK = tunnels.arp(1, A, "10.0.0.1", "10.0.0.2")
ASK6 = tunnels.solicitation(A, "fd00::1", "fd00::2")
HEARD = [(ms, data[50:]) for ms, _, data in GONE]
overlay("arp_suppress_answers", "who asks for a machine of another host is told by this one, and the underlay carries nothing",
        GONE + [(3, "p1", ASK), (4, "p1", ASK6)], {"p1": {"answered": 2}}, settings=", arp_suppress: on",
        outs={"p2": HEARD, "p1": HEARD + [
            (3, tunnels.arp(2, R, "10.0.0.2", "10.0.0.1", A)),
            (4, tunnels.nd(136, A, R, "fd00::2", "fd00::1", "fd00::2", 0x60))]})
overlay("arp_suppress_lets_pass", "probes, announcements, duplicate address detection and unknown targets reach all",
        GONE + [(3, "p1", tunnels.arp(1, A, "0.0.0.0", "10.0.0.2")), (4, "p1", tunnels.arp(1, A, "10.0.0.1", "10.0.0.1")),
                (5, "p1", tunnels.arp(1, A, "10.0.0.1", "10.0.0.7")), (6, "p1", tunnels.solicitation(A, "::", "fd00::2")),
                (7, "p1", tunnels.solicitation(A, "fd00::1", "fd00::7"))], settings=", arp_suppress: on")
overlay("arp_suppress_follows", "another host's announcement changes the answer; after the age all are asked",
        GONE[:1] + [(2, "up", vxlan(tunnels.arp(1, R3, "10.0.0.2", "10.0.0.2"), V4[2], V4[0])), (3, "p1", ASK),
                    (3 + 31 * S, "p1", ASK)], {"p1": {"answered": 1}}, settings=", arp_suppress: on, age: 30s")


def files():
    """{path: bytes} of everything that this script makes."""
    made, manifests = {}, {}
    for area, name, about, segments, ports, packets, drops, sends, takes, outs, peers in SCENARIOS:
        folder = HERE / area
        lines = [f"about: {about!r}".replace("about: '", 'about: "')[:-1] + '"', "lab:",
                 f"  segments: {segments}", "  ports:"]
        for port, keys in ports.items():
            keys = keys if re.match('[a-z]+: ', keys) else "segment: " + keys
            lines.append(f"    {port}: {{{keys if keys.startswith('type: ') else 'type: tap, ' + keys}}}")
        if peers:
            lines.append("  peers:")
            lines += [f"    {peer}: {{{keys}}}" for peer, (keys, _) in peers.items()]
        if drops:
            lines.append("drops:")
            for port, reasons in drops.items():
                inner = ", ".join(f"{r}: {n}" for r, n in reasons.items())
                lines.append(f"  {port}: {{{inner}}}")
        nexthops = {peer: uplink for peer, (_, uplink) in peers.items() if uplink}
        for key, values in (("sends", sends), ("takes", takes), ("nexthops", nexthops)):
            if values:
                lines.append(f"{key}: {{" + ", ".join(f"{p}: {v}" for p, v in values.items()) + "}")
        made[folder / f"{name}.yaml"] = ("\n".join(lines) + "\n").encode()
        entry = [f"{name}: {about}"]
        for port in ports:
            mine = [(ms, data) for ms, p, data in packets if p == port]
            if mine:
                made[folder / f"{name}.{port}.in.pcap"] = pcap(mine)
                entry.append(f"    {name}.{port}.in.pcap   by pcaps/make.py")
            out = folder / f"{name}.{port}.out.pcap"
            if outs is not None:
                if port in outs:
                    made[out] = pcap(outs[port])
                    entry.append(f"    {out.name}   by pcaps/make.py")
            elif out.exists():
                entry.append(f"    {out.name}   by weft test --update, reviewed")
        manifests.setdefault(folder, []).append("\n".join(entry))
    for folder, entries in manifests.items():
        made[folder / "MANIFEST"] = ("\n".join(entries) + "\n").encode()
    return made


def main():
    check = "--check" in sys.argv[1:]
    made = files()
    wrong = 0
    for path, data in made.items():
        if check:
            if not path.exists() or path.read_bytes() != data:
                print(f"{path.relative_to(HERE)}: not as make.py writes it")
                wrong += 1
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    strays = [p for p in HERE.glob("*/*.in.pcap") if p not in made] + \
             [p for p in HERE.glob("*/*.yaml") if p not in made]
    for path in strays:
        print(f"{path.relative_to(HERE)}: nothing makes it")
    print(f"{len(SCENARIOS)} scenarios, {len(made)} files")
    sys.exit(1 if wrong or strays else 0)


main()
