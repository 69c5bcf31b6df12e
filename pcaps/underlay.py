# SPDX-License-Identifier: BSD-3-Clause
"""Tunnels to other hosts."""
import attacks
import tunnels
from frames import A, B, BROADCAST, C, S, frame, host, scenario
from tunnels import vxlan

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

# What goes over the wire, written by the other side's rules; only the UDP source port, a hash of the flow, is open.
PORTS = {"up": "type: uplink, ifname: u0, vtep: '10.9.0.1'%s", "p1": "ALPHA", "p2": "ALPHA", "b1": "BETA"}
ANY_FLOW = {"up": "[udp.source]"}


def out(inner, peer=1, **keys):
    return tunnels.sent(inner, V4[0], V4[peer], peer, **keys)


def both(inner, **keys):
    return [out(inner, 1, **keys), out(inner, 2, **keys)]


def into(inner, peer=1, **keys):
    return vxlan(inner, V4[peer], V4[0], **keys)


def wired(name, about, packets, drops=None, uplink="", h2="segments: [ALPHA]", h3="segments: [ALPHA, BETA]", ways=("up", "up"),
          alpha="vni: 100, mtu: 1430", ports=None, area="overlay", **keys):
    ports = dict(PORTS, up=PORTS["up"] % uplink, **(ports or {}))
    peers = {"h2": (f"vtep: '{V4[1]}'" + (", " + h2 if h2 else ""), ways[0]),
             "h3": (f"vtep: '{V4[2]}'" + (", " + h3 if h3 else ""), ways[1])}
    keys.setdefault("ignore", ANY_FLOW)
    scenario(area, name, about, "{ALPHA: {%s}, BETA: {vni: 200}}" % alpha, ports, packets, drops, peers=peers, **keys)


def packet(size=200, tos=0, src=R, dst=A):
    return tunnels.udp(dst, src, "10.0.0.2", "10.0.0.1", size, tos=tos)


HI = frame(BROADCAST, A, 1)
HELLO = (1, "up", into(frame(BROADCAST, R, 90)), {p: frame(BROADCAST, R, 90) for p in ("p1", "p2")})

wired("largest_vni", "24 bits of VNI, there and back", [
    (1, "p1", HI, {"p2": HI, "up": both(HI, vni=16777215)}), (2, "up", into(frame(A, R, 2), vni=16777215), {"p1": frame(A, R, 2)}),
    (3, "up", into(frame(A, R, 3), vni=16777214), "")], {"up": {"tunnel-vni": 1}}, alpha="vni: 16777215, mtu: 1430")
wired("reserved_is_ignored", "what is reserved in VXLAN's header says nothing (RFC 7348), and is sent as zero", [
    (1, "up", into(frame(BROADCAST, R, 1), flags=0xFF, spares=(0xFFFF, 0xFF)), {p: frame(BROADCAST, R, 1) for p in ("p1", "p2")}),
    (2, "p1", frame(R, A, 2), {"up": out(frame(R, A, 2))})])
wired("outer_options", "IP options of the underlay are passed over", [
    (1, "up", into(frame(BROADCAST, R, 1), options=b"\1" * 8), {p: frame(BROADCAST, R, 1) for p in ("p1", "p2")}),
    (2, "up", into(frame(A, R, 2, 300), options=b"\1" * 40), {p: frame(A, R, 2, 300) for p in ("p1", "p2")})])
wired("congestion_marks", "a mark of the underlay is handed to who knows marks, and is a drop for who does not (RFC 6040)", [
    HELLO, (2, "p1", HI, {"p2": HI, "up": both(HI)}),
    (3, "up", into(packet(tos=2), tos=3), {"p1": packet(tos=3)}), (4, "up", into(packet(tos=1), tos=3), {"p1": packet(tos=3)}),
    (5, "up", into(packet(tos=0), tos=3), ""), (6, "up", into(packet(tos=2), tos=1), {"p1": packet(tos=1)}),
    (7, "up", into(packet(tos=2), tos=0), {"p1": packet(tos=2)}), (8, "up", into(packet(tos=3), tos=0), {"p1": packet(tos=3)}),
    (9, "up", into(packet(tos=0xB9), tos=2), {"p1": packet(tos=0xB9)})], {"h2": {"tunnel-ecn": 1}})
wired("class_is_inherited", "an outer packet has the class and the marks of the inner one", [
    HELLO, (2, "p1", packet(tos=0xB8, src=A, dst=R), {"up": out(packet(tos=0xB8, src=A, dst=R), tos=0xB8)}),
    (3, "p1", packet(tos=0x02, src=A, dst=R), {"up": out(packet(tos=0x02, src=A, dst=R), tos=0x02)}),
    (4, "p1", frame(R, A, 4), {"up": out(frame(R, A, 4))})])
wired("ttl_and_class", "the uplink's ttl and dscp stand in outer packets, whatever is inside", [
    HELLO, (2, "p1", packet(tos=0x20, src=A, dst=R), {"up": out(packet(tos=0x20, src=A, dst=R), hops=7, tos=46 << 2)}),
    (3, "p1", frame(R, A, 4), {"up": out(frame(R, A, 4), hops=7, tos=46 << 2)})], uplink=", ttl: 7, dscp: 46")
wired("another_port", "vxlan_port is the overlay's port, both ways, and no other is", [
    (1, "up", into(frame(BROADCAST, R, 1), port=8472), {p: frame(BROADCAST, R, 1) for p in ("p1", "p2")}),
    (2, "p1", frame(R, A, 2), {"up": out(frame(R, A, 2), port=8472)}), (3, "up", into(frame(A, R, 3)), "")],
      {"up": {"tunnel-target": 1}}, uplink=", vxlan_port: 8472")
wired("checksum_over_ipv4", "with checksum=on outer UDP is summed over IPv4 too",
      [(1, "up", into(frame(BROADCAST, R, 1), summed=True)), (2, "p1", frame(R, A, 2)), (3, "p1", frame(R, A, 3, 301)),
       (4, "up", into(frame(A, R, 4), summed="wrong"))], {"up": {"tunnel-checksum": 1}}, uplink=", checksum: on", ignore={})
wired("static_behind_a_peer", "with learn=off a peer has its static addresses, and what it sends teaches nothing", [
    (1, "p1", frame(R, A, 1), {"up": out(frame(R, A, 1))}),
    (2, "up", into(frame(A, R3, 2)), {"p1": frame(A, R3, 2)}),
    (3, "p1", frame(R3, A, 3), {"p2": frame(R3, A, 3), "up": both(frame(R3, A, 3))})],
      h2=f"segments: [ALPHA], learn: off, macs: '{R}'")
wired("isolated_from_a_peer", "an isolated port and an isolated peer exchange nothing", [
    (1, "p1", HI, {"p2": HI, "up": out(HI, 2)}), (2, "up", into(frame(BROADCAST, R, 2)), {"p2": frame(BROADCAST, R, 2)}),
    (3, "p1", frame(R, A, 3), ""), (4, "p2", frame(R, B, 4), {"up": out(frame(R, B, 4))})], {"h2": {"isolated": 1}},
      h2="segments: [ALPHA], isolated: on", ports={"p1": "segment: ALPHA, isolated: on"})
wired("narrow_path", "a path that carries less than the segment's MTU drops at its peer what does not fit", [
    HELLO, (2, "p1", frame(R, A, 2, 1364), {"up": out(frame(R, A, 2, 1364))}), (3, "p1", frame(R, A, 3, 1365), "")],
      {"h2": {"too-big": 1}}, ways=("{via: up, mtu: 1400}", "up"))
wired("every_segment", "a peer without a list has every segment", [
    (1, "p1", HI, {"p2": HI, "up": both(HI)}), (2, "b1", HI, {"up": both(HI, vni=200)}),
    (3, "up", into(frame(A, R, 3), vni=200), {"b1": frame(A, R, 3)})], h2="")
wired("tags_inside", "tags in a tunnel are payload, if peer and port take such; to others they are none", [
    (1, "up", into(frame(BROADCAST, R, 1, 64, tags=[(0x8100, 20)])), ""),
    (2, "up", into(frame(BROADCAST, R3, 2, 64, tags=[(0x8100, 20)]), 2), {"q1": frame(BROADCAST, R3, 2, 64, tags=[(0x8100, 20)])}),
    (3, "q1", frame(R3, C, 3, 68, tags=[(0x88A8, 5), (0x8100, 6)]), {"up": out(frame(R3, C, 3, 68, tags=[(0x88A8, 5), (0x8100, 6)]), 2)}),
    (4, "up", into(frame(BROADCAST, R, 4, 64, tags=[(0x8100, 0)])), {p: frame(BROADCAST, R, 4, 60) for p in ("p1", "p2", "q1")}),
    (5, "q1", frame(BROADCAST, C, 5, 64, tags=[(0x8100, 20)]), {"up": out(frame(BROADCAST, C, 5, 64, tags=[(0x8100, 20)]), 2)})],
      {"h2": {"tagged": 2}, "p1": {"tagged": 2}, "p2": {"tagged": 2}}, h3="segments: [ALPHA, BETA], qinq: on",
      ports={"q1": "segment: ALPHA, qinq: on"})
wired("inner_frames_are_judged", "what comes out of a tunnel is judged as what comes from a port", [
    (1, "up", into(frame(A, "01:00:5e:00:00:01", 1)), ""), (2, "up", into(frame(A, "00:00:00:00:00:00", 2)), ""),
    (3, "up", into(frame("01:80:c2:00:00:02", R, 3)), ""), (4, "up", into(frame(A, R, 4, 1444)), {p: frame(A, R, 4, 1444) for p in ("p1", "p2")}),
    (5, "up", into(frame(A, R, 5, 1445)), "")], {"h2": {"bad-source": 2, "link-local": 1, "too-big": 1}})
wired("from_one_uplink_only", "a frame for the tunnels' end that comes from a machine is no tunnel's", [
    (1, "p1", into(frame(A, R, 1)), {"p2": into(frame(A, R, 1)), "up": both(into(frame(A, R, 1)))})])
wired("floods_between_peers", "a flood from one peer goes to ports only, an unknown address too", [
    (1, "up", into(frame("01:00:5e:00:00:fb", R, 1)), {p: frame("01:00:5e:00:00:fb", R, 1) for p in ("p1", "p2")}),
    (2, "up", into(frame(host(99), R, 2)), {p: frame(host(99), R, 2) for p in ("p1", "p2")}),
    (3, "up", into(frame(host(99), R3, 3), 2, vni=200), {"b1": frame(host(99), R3, 3)})])
wired("moves_between_hosts", "a machine that moves to another host, and here, is followed", [
    HELLO, (2, "p1", frame(R, A, 2), {"up": out(frame(R, A, 2))}),
    (3, "up", into(frame(BROADCAST, R, 3), 2), {p: frame(BROADCAST, R, 3) for p in ("p1", "p2")}),
    (4, "p1", frame(R, A, 4), {"up": out(frame(R, A, 4), 2)}), (5, "p2", frame(A, R, 5), "p1"), (6, "p1", frame(R, A, 6), "p2")])
scenario("overlay", "vlan_uplink", "an uplink without a VTEP is a trunk: segments are VLANs there", "{ALPHA: {vni: 100, vlan: 10}, BETA: {vni: 200, vlan: 20}}",
         {"up": "type: uplink, ifname: u0, trunk: {ALPHA: own}", "p1": "ALPHA", "b1": "BETA"},
         [(1, "p1", HI, {"up": frame(BROADCAST, A, 1, 64, tags=[(0x8100, 10)])}), (2, "b1", HI, ""),
          (3, "up", frame(A, R, 3, 64, tags=[(0x8100, 10)]), {"p1": frame(A, R, 3)}), (4, "up", frame(A, R, 4, 64, tags=[(0x8100, 20)]), ""),
          (5, "up", into(frame(A, R, 5)), "")], {"b1": {"no-receiver": 1}, "up": {"vlan": 1, "no-segment": 1}})
PROBE = bytes.fromhex("02ee00000000" "02ee00000001" "88b6") + b"WPRB"
wired("unknown_probe", "VNI 0 is no segment's; what is no probe there is dropped", [(1, "up", into(PROBE + bytes(40), vni=0), "")],
      {"up": {"tunnel-vni": 1}})

# The overlay changes while frames pass.
wired("nexthop_goes_and_returns", "a peer without a way gets nothing; when the way is back, it is used at once", [
    (1, "p1", HI, {"p2": HI, "up": both(HI)}), (11, "p1", HI, {"p2": HI, "up": out(HI, 2)}), (21, "p1", HI, {"p2": HI, "up": both(HI)})],
      {"h2": {"no-nexthop": 1}}, area="changes", at={"10ms": "nexthops: {h2: null}", "20ms": "nexthops: {h2: up}"})
wired("peer_deleted", "a peer that is deleted takes its addresses along; what comes from it is a stranger's", [
    HELLO, (2, "p1", frame(R, A, 2), {"up": out(frame(R, A, 2))}), (11, "p1", frame(R, A, 3), {"p2": frame(R, A, 3), "up": out(frame(R, A, 3), 2)}),
    (12, "up", into(frame(A, R, 4)), "")], {"up": {"tunnel-peer": 1}}, area="changes",
      at={"10ms": "peers: {h2: null}, nexthops: {h2: null}"})
wired("peer_segments", "a peer gets another segment, and loses the first", [
    (1, "p1", HI, {"p2": HI, "up": both(HI)}), (2, "b1", HI, {"up": out(HI, 2, vni=200)}), (11, "p1", HI, {"p2": HI, "up": out(HI, 2)}),
    (12, "b1", HI, {"up": both(HI, vni=200)}), (13, "up", into(frame(A, R, 3)), ""), (14, "up", into(frame(A, R, 4), vni=200), {"b1": frame(A, R, 4)})],
      {"up": {"tunnel-vni": 1}}, area="changes", at={"10ms": "peers: {h2: {segments: [BETA]}}"})
wired("vni_changes", "a segment's new VNI is on the wire from the next frame on, and the old one is nobody's", [
    HELLO, (2, "p1", frame(R, A, 2), {"up": out(frame(R, A, 2))}), (11, "p1", frame(R, A, 3), {"up": out(frame(R, A, 3), vni=101)}),
    (12, "up", into(frame(A, R, 4)), ""), (13, "up", into(frame(A, R, 5), vni=101), {"p1": frame(A, R, 5)})],
      {"up": {"tunnel-vni": 1}}, area="changes", at={"10ms": "segments: {ALPHA: {vni: 101}}"})
wired("uplink_blocked", "a blocked uplink carries nothing, neither way", [
    (1, "p1", HI, {"p2": HI, "up": both(HI)}), (11, "p1", HI, {"p2": HI}), (12, "up", into(frame(A, R, 2)), ""),
    (21, "up", into(frame(A, R, 3)), {"p1": frame(A, R, 3)}), (22, "p1", frame(R, A, 4), {"up": out(frame(R, A, 4))})],
      {"h2": {"blocked": 1}, "h3": {"blocked": 1}, "up": {"blocked": 1}}, area="changes",
      at={"10ms": "ports: {up: {state: blocked}}", "20ms": "ports: {up: {state: active}}"})
wired("path_mtu_changes", "a path that becomes narrower drops what no longer fits, and takes it again when it is wider", [
    HELLO, (2, "p1", frame(R, A, 2, 1444), {"up": out(frame(R, A, 2, 1444))}), (11, "p1", frame(R, A, 3, 1444), ""),
    (21, "p1", frame(R, A, 4, 1444), {"up": out(frame(R, A, 4, 1444))})], {"h2": {"too-big": 1}}, area="changes",
      at={"10ms": "nexthops: {h2: {via: up, mtu: 1400}}", "20ms": "nexthops: {h2: {via: up, mtu: 9000}}"})
wired("uplink_settings", "ttl and class of outer packets change without a pause", [
    (1, "p1", HI, {"p2": HI, "up": both(HI)}), (11, "p1", HI, {"p2": HI, "up": both(HI, hops=9, tos=8 << 2)})], area="changes",
      at={"10ms": "ports: {up: {ttl: 9, dscp: 8}}"})

# Questions for neighbours, between ports of this host.
WHO2 = tunnels.arp(1, A, "10.0.0.1", "10.0.0.2")
I_AM2 = tunnels.arp(1, B, "10.0.0.2", "10.0.0.2")
TOLD2 = tunnels.arp(2, B, "10.0.0.2", "10.0.0.1", A)


def neighbours(name, about, packets, drops=None, alpha="arp_suppress: on", ports=None, **keys):
    scenario("neighbours", name, about, "{ALPHA: {vni: 100, %s}, BETA: {vni: 200}}" % alpha,
             dict({"p1": "ALPHA", "p2": "ALPHA", "p3": "ALPHA", "b1": "BETA", "b2": "BETA"}, **(ports or {})), packets, drops, **keys)


neighbours("answered_here", "a question for a neighbour that has spoken is answered by weft, in its name", [
    (1, "p2", I_AM2, "p1 p3"), (2, "p1", WHO2, {"p1": TOLD2})], {"p1": {"answered": 1}})
neighbours("many_at_once", "of several questions at once each is answered, in their order", [
    (1, "p2", I_AM2, "p1 p3"), (2, "p3", tunnels.arp(1, C, "10.0.0.3", "10.0.0.3"), "p1 p2")] + [
        (3, "p1", tunnels.arp(1, A, "10.0.0.1", f"10.0.0.{n}"), {"p1": tunnels.arp(2, {2: B, 3: C}[n], f"10.0.0.{n}", "10.0.0.1", A)})
        for n in (2, 3, 2, 3, 3, 2)], {"p1": {"answered": 6}})
neighbours("not_by_default", "without arp_suppress every question reaches all",
           [(1, "p2", I_AM2, "p1 p3"), (2, "p1", WHO2, "p2 p3")], alpha="arp_suppress: off")
neighbours("segments_apart", "who is in one segment is no neighbour in another",
           [(1, "p2", I_AM2, "p1 p3"), (2, "b1", WHO2, "b2"), (3, "p1", WHO2, {"p1": TOLD2})], {"p1": {"answered": 1}})
neighbours("behind_the_own_port", "a neighbour behind the asker's own port hears the question itself",
           [(1, "p1", I_AM2, "p2 p3"), (2, "p1", WHO2, "p2 p3")])
neighbours("isolated_are_no_neighbours", "nobody is answered for who could not be reached",
           [(1, "p2", I_AM2, "p3"), (2, "p1", WHO2, "p3"), (3, "p3", tunnels.arp(1, C, "10.0.0.3", "10.0.0.2"),
                                                          {"p3": tunnels.arp(2, B, "10.0.0.2", "10.0.0.3", C)})],
           {"p3": {"answered": 1}}, ports={"p1": "segment: ALPHA, isolated: on", "p2": "segment: ALPHA, isolated: on"})
neighbours("spoofed_claims_teach_nothing", "what a guard stops is not noted",
           [(1, "p2", I_AM2, ""), (2, "p1", WHO2, "p2 p3")], {"p2": {"arp-spoof": 1}},
           ports={"p2": "ALPHA, addresses: '10.0.0.9', arp_guard: on"})
neighbours("without_snooping", "what a port says is not noted with snoop=off",
           [(1, "p2", I_AM2, "p1 p3"), (2, "p1", WHO2, "p2 p3")], ports={"p2": "ALPHA, snoop: off"})
neighbours("announced_anew", "a later announcement of the address, from another port, counts",
           [(1, "p2", I_AM2, "p1 p3"), (2, "p3", tunnels.arp(1, C, "10.0.0.2", "10.0.0.2"), "p1 p2"),
            (3, "p1", WHO2, {"p1": tunnels.arp(2, C, "10.0.0.2", "10.0.0.1", A)})], {"p1": {"answered": 1}})
neighbours("ipv6", "neighbour solicitations are answered in the same way",
           [(1, "p2", tunnels.nd(136, "33:33:00:00:00:01", B, "fd00::2", "ff02::1", "fd00::2", 0x20), "p1 p3"),
            (2, "p1", tunnels.solicitation(A, "fd00::1", "fd00::2"), {"p1": tunnels.nd(136, A, B, "fd00::2", "fd00::1", "fd00::2", 0x60)})],
           {"p1": {"answered": 1}})
neighbours("port_gone", "a neighbour whose port is gone is not answered for",
           [(1, "p2", I_AM2, "p1 p3"), (2, "p1", WHO2, {"p1": TOLD2}), (11, "p1", WHO2, "p3")], {"p1": {"answered": 1}},
           at={"10ms": "ports: {p2: null}"})
neighbours("switched_on", "what was heard before arp_suppress was on is known at once",
           [(1, "p2", I_AM2, "p1 p3"), (2, "p1", WHO2, "p2 p3"), (11, "p1", WHO2, {"p1": TOLD2}), (21, "p1", WHO2, "p2 p3")],
           {"p1": {"answered": 1}}, alpha="arp_suppress: off",
           at={"10ms": "segments: {ALPHA: {arp_suppress: on}}", "20ms": "segments: {ALPHA: {arp_suppress: off}}"})

# What of the outer frame counts, and that one bad frame of a burst does not concern the others.
LONG = frame(A, R, 7, 400)
wired("padded_outside", "bytes behind the outer packet are no part of the inner frame", [
    HELLO, (2, "p1", HI, {"p2": HI, "up": both(HI)}), (3, "up", into(frame(A, R, 3)) + bytes(9), {"p1": frame(A, R, 3)}),
    (4, "up", into(LONG) + bytes(50), {"p1": LONG})])
wired("burst_of_all_kinds", "of a burst of good and bad frames of two peers the good ones arrive, each as its peer's", [
    (1, "up", frame(BROADCAST, R, 1), ""), (1, "up", into(frame(BROADCAST, R3, 2), 2), {p: frame(BROADCAST, R3, 2) for p in ("p1", "p2")}),
    (1, "up", into(frame(BROADCAST, R, 3), vni=999), ""), (1, "up", into(frame(BROADCAST, R3, 4), 2), {p: frame(BROADCAST, R3, 4) for p in ("p1", "p2")}),
    (1, "up", into(frame(BROADCAST, R, 5), flags=0), ""), (2, "p1", frame(R3, A, 6), {"up": out(frame(R3, A, 6), 2)})],
      {"up": {"tunnel-target": 1, "tunnel-vni": 1, "tunnel-malformed": 1}})
wired("open_outside", "an outer checksum that its sender has left open is not wrong, and is none of the inner frame's", [
    HELLO, (2, "p1", HI, {"p2": HI, "up": both(HI)}), (3, "up", into(packet()), {"p1": packet()}), (4, "up", into(LONG), {"p1": LONG})],
      sends={"up": 1448})

def again(mark, size=60, **keys):
    return into(frame(A, R, mark, size), **keys)


def bad_sum(outer):
    return outer[:18] + bytes([outer[18] ^ 1]) + outer[19:]


wired("like_the_one_before", "what begins like the frame before it in a burst is judged as strictly: length, checksum, VNI, peer, port", [
    HELLO, (2, "p1", HI, {"p2": HI, "up": both(HI)}), (10, "up", again(1), {"p1": frame(A, R, 1)}),
    (10, "up", again(2, 90), {"p1": frame(A, R, 2, 90)}), (10, "up", again(3)[:-5], ""), (10, "up", again(4), {"p1": frame(A, R, 4)}),
    (10, "up", again(5, spare=1), ""), (10, "up", again(6), {"p1": frame(A, R, 6)}), (10, "up", into(frame(A, R, 7)[:13]), ""),
    (10, "up", again(8), {"p1": frame(A, R, 8)}), (10, "up", bad_sum(again(9)), ""), (10, "up", again(10), {"p1": frame(A, R, 10)}),
    (10, "up", again(11)[:49], ""), (10, "up", again(12, options=bytes(4)), {"p1": frame(A, R, 12)}), (10, "up", again(13), {"p1": frame(A, R, 13)}),
    (10, "up", again(14, port=4790), ""), (10, "up", again(15, summed=True), {"p1": frame(A, R, 15)}), (10, "up", again(16, summed="wrong"), ""),
    (10, "up", again(17, vni=999), ""), (10, "up", again(18, vni=999), ""), (10, "up", vxlan(frame(A, R, 19), "10.9.0.9", V4[0]), ""),
    (10, "up", vxlan(frame(A, R, 20), "10.9.0.9", V4[0]), ""), (10, "up", into(frame(A, R3, 21), 2), {"p1": frame(A, R3, 21)}),
    (10, "up", into(frame(A, R3, 22), 2, vni=200), {"b1": frame(A, R3, 22)}), (10, "up", into(frame(A, R3, 23), 2), {"p1": frame(A, R3, 23)})],
      {"up": {"tunnel-malformed": 5, "tunnel-target": 1, "tunnel-checksum": 1, "tunnel-vni": 2, "tunnel-peer": 2}})
SAME6 = tunnels.udp(R3, A, "fd00::1", "fd00::2", 200)
ROW = [packet(src=A, dst=R3), packet(src=A, dst=R3), packet(201, src=A, dst=R3), packet(tos=0x20, src=A, dst=R3), packet(src=A, dst=R3), SAME6,
       tunnels.udp(R3, A, "fd00::1", "fd00::2", 200, tos=0x40), SAME6, frame(R3, A, 1, 214), frame(R3, A, 2, 214), frame(R3, C, 3, 214)]
ROW_TOS = [0, 0, 0, 0x20, 0, 0, 0x40, 0, 0, 0, 0]
wired("rows_to_a_peer", "frames of a burst that differ in length, class or segment have outer headers of their own", [
    (1, "up", into(frame(BROADCAST, R3, 90), 2),
     {**{p: frame(BROADCAST, R3, 90) for p in ("p1", "p2")}, "t1": frame(BROADCAST, R3, 90, 64, tags=[(0x8100, 10)])}),
    (2, "up", into(frame(BROADCAST, R3, 91), 2, vni=200), {"b1": frame(BROADCAST, R3, 91), "t1": frame(BROADCAST, R3, 91, 64, tags=[(0x8100, 20)])})] + [
        (10, "p1", data, {"up": out(data, 2, tos=tos)}) for data, tos in zip(ROW, ROW_TOS)] + [
            (20, "t1", frame(R3, C, 5, 64, tags=[(0x8100, vni // 10)]), {"up": out(frame(R3, C, 5), 2, vni=vni)}) for vni in (100, 200, 100)],
      ports={"t1": "trunk: {ALPHA: 10, BETA: 20}"})
wired("rows_with_checksums", "with checksum=on frames that are alike have checksums of their own",
      [(1, "up", into(frame(BROADCAST, R, 90), summed=True))] + [(10, "p1", frame(R, A, mark, 100)) for mark in (1, 2, 3)],
      uplink=", checksum: on", ignore={})

# Which outer source port a flow has is weft's own choice (a hash): it is recorded, and what must be one is one.
TCP, UDP, ESP = attacks.TCP, attacks.UDP, 50


def flow(payload, kind=attacks.IP4, cut=None, tags=()):
    data = attacks.eth(kind, payload, src=C if tags else A, dst=R3 if tags else R)
    return data[:12] + b"".join(t.to_bytes(2, "big") + bytes([0, 7]) for t in tags) + data[12:cut]


def six(following, payload):
    return attacks.ip6("fd00::1", following, payload)


IP6, PORTS1, PORTS2 = attacks.IP6, attacks.udp(1000, 80), attacks.udp(1001, 80)
FLOWS = [flow(attacks.ip4("10.0.0.1", protocol, ports, **keys)) for protocol, ports, keys in (
    (TCP, PORTS1, {}), (TCP, PORTS2, {}), (TCP, PORTS1, {}), (UDP, PORTS1, {}), (TCP, PORTS1, dict(options=b"\1" * 8)), (ESP, PORTS1, {}),
    (UDP, PORTS1, dict(fragment=0x2000)), (UDP, PORTS2, dict(fragment=100)), (UDP, PORTS1, {}))]
FLOWS += [flow(six(*packet), IP6) for packet in (
    (TCP, PORTS1), (TCP, PORTS2), (0, attacks.options(TCP) + PORTS1), (60, attacks.options(TCP) + PORTS1), (43, attacks.options(TCP) + PORTS1),
    (0, attacks.options(60) + attacks.options(TCP) + PORTS1), (60, attacks.options(60) * 9 + attacks.options(TCP) + PORTS1),
    (44, attacks.fragment(UDP, 0, 1) + PORTS1), (44, attacks.fragment(UDP, 1280, 0) + PORTS2), (44, attacks.fragment(UDP, 0, 0) + PORTS2),
    (60, attacks.options(TCP, 12) + PORTS1), (60, attacks.options(TCP, 4) + PORTS1), (ESP, PORTS1))]
FLOWS += [flow(six(60, attacks.options(TCP) + PORTS1), IP6, cut=n) for n in (54, 55, 61, 62, 63, 66)]
FLOWS += [flow(attacks.ip4("10.0.0.1", TCP, PORTS1), cut=n) for n in (34, 35, 37, 38)]
FLOWS += [flow(b"WEFT", 0x88B5), flow(attacks.arp("10.0.0.1", A), attacks.ARP)]
TAGGED = [flow(attacks.ip4("10.0.0.1", TCP, PORTS1), tags=tags) for tags in (
    (0x8100,), (0x88A8, 0x8100), (0x8100,) * 3, (0x8100,) * 4, (0x8100,) * 5, (0x8100,) * 6)]
wired("source_ports", "each flow has a source port of its own, fragments of a packet have one, and what cannot be read has that of its MACs",
      [(1, "up", into(frame(BROADCAST, R, 90))), (1, "up", into(frame(BROADCAST, R3, 91), 2))] +
      [(10 + i, "p1", data) for i, data in enumerate(FLOWS)] + [(100 + i, "q1", data) for i, data in enumerate(TAGGED)],
      alpha="vni: 100, mtu: 1430, guard: off", ports={"q1": "segment: ALPHA, qinq: on"}, h3="segments: [ALPHA, BETA], qinq: on", ignore={})


def syn6(mss, *headers):
    """A SYN over IPv6 behind extension headers."""
    whole = tunnels.syn(R, A, "fd00::1", "fd00::2", mss)
    extensions = b"".join(headers)
    return whole[:18] + (int.from_bytes(whole[18:20], "big") + len(extensions)).to_bytes(2, "big") + \
        (bytes([60]) if headers else whole[20:21]) + whole[21:54] + extensions + whole[54:]


CLAMPED = (1330, 1310)  # 1,370 bytes of MTU without headers of IPv4, IPv6 and TCP
wired("mss_behind_headers", "the segment size is found behind extension headers and tags, and left alone where it fits or is not said", [
    (1, "up", into(frame(BROADCAST, R, 90)), {p: frame(BROADCAST, R, 90) for p in ("p1", "p2", "q1")}),
    (2, "p1", tunnels.syn(R, A, "10.0.0.1", "10.0.0.2", 1460), {"up": out(tunnels.syn(R, A, "10.0.0.1", "10.0.0.2", CLAMPED[0]))}),
    (3, "p1", tunnels.syn(R, A, "10.0.0.1", "10.0.0.2", CLAMPED[0]), {"up": out(tunnels.syn(R, A, "10.0.0.1", "10.0.0.2", CLAMPED[0]))}),
    (4, "p1", syn6(1440), {"up": out(syn6(CLAMPED[1]))}),
    (5, "p1", syn6(1440, attacks.options(TCP)), {"up": out(syn6(CLAMPED[1], attacks.options(TCP)))}),
    (6, "p1", syn6(1440, attacks.options(60), attacks.options(TCP)), {"up": out(syn6(CLAMPED[1], attacks.options(60), attacks.options(TCP)))}),
    (7, "p1", syn6(900, attacks.options(TCP)), {"up": out(syn6(900, attacks.options(TCP)))})],
      alpha="vni: 100, mtu: 1370, mss_clamp: on", ports={"q1": "segment: ALPHA, qinq: on"})
NS = tunnels.solicitation(A, "fd00::1", "fd00::2")
I_AM6 = tunnels.nd(136, "33:33:00:00:00:01", B, "fd00::2", "ff02::1", "fd00::2", 0x20)
neighbours("wrong_checksum", "a question whose checksum is wrong is no question to weft; whoever it is for may judge it",
           [(1, "p2", I_AM6, "p1 p3"), (2, "p1", NS[:56] + b"??" + NS[58:], "p2 p3"),
            (3, "p1", NS, {"p1": tunnels.nd(136, A, B, "fd00::2", "fd00::1", "fd00::2", 0x60)})], {"p1": {"answered": 1}})


def big(src_ip, dst_ip, protocol, first, size=1501, **keys):
    """A packet that is too big, and begins like this behind its IP header."""
    head = 40 if ":" in src_ip else 20
    return tunnels.eth(B, A, tunnels.ip_packet(src_ip, dst_ip, protocol, first + bytes(size - head - len(first)), **keys))


TOLD = [big("10.0.0.1", "10.0.0.2", UDP, PORTS1), big("10.0.0.1", "10.0.0.2", 1, b"\x08\0"), big("10.0.0.1", "10.0.0.2", 1, b"\0\0"),
        big("fd00::1", "fd00::2", UDP, PORTS1), big("fd00::1", "fd00::2", 58, b"\x80\0"), big("fd00::1", "fd00::2", 58, b"\x81\0"),
        big("2001::1", "2001::1:1", UDP, PORTS1)]
UNTOLD = [big("10.0.0.1", "10.0.0.2", UDP, PORTS1, df=False), big("10.0.0.1", "10.0.0.2", 1, b"\x03\x04"),
          big("10.0.0.1", "10.0.0.2", 1, b"\x0b\0"), big("127.0.0.1", "10.0.0.2", UDP, PORTS1), big("0.0.0.0", "10.0.0.2", UDP, PORTS1),
          big("10.0.0.1", "224.0.0.1", UDP, PORTS1), big("fd00::1", "fd00::2", 58, b"\x01\0"), big("fd00::1", "fd00::2", 58, b"\x89\0"),
          big("::1", "fd00::2", UDP, PORTS1), big("::", "fd00::2", UDP, PORTS1), big("fd00::1", "ff02::1", UDP, PORTS1)]
scenario("mtu", "who_is_told", "who sent what is too big is told so by ICMP, unless it is an error itself, may be cut, or comes from nobody",
         "{ALPHA: {vni: 100, guard: off}}", {"p1": "ALPHA", "p2": "ALPHA"},
         [(100 * i, "p1", data) for i, data in enumerate(TOLD + UNTOLD, 1)], {"p1": {"too-big": len(TOLD + UNTOLD)}})
# docs/overlay.md, vxlan/vxlan_probe.h: locally administered addresses, magic, version, kind, token, number.
QUESTION = bytes.fromhex("02" "77656674" "02" "02" "77656674" "01" "88b6") + b"weft" + bytes([1, 1, 0, 0]) + bytes(range(8)) + bytes([0, 0, 0, 7]) + bytes(8 + 58)
wired("probes_are_answered", "a peer's probe of the way is answered there, without a word to any segment; not beyond what it may ask",
      [(1, "up", into(QUESTION, vni=0)), (2, "up", into(QUESTION, 2, vni=0, hops=9)), (3, "up", into(QUESTION[:41], vni=0)),
       (4, "up", into(QUESTION, vni=0, summed="wrong"))], {"up": {"tunnel-checksum": 1, "tunnel-vni": 1, "answered": 2}}, ignore={})
