# SPDX-License-Identifier: BSD-3-Clause
"""Tunnels to other hosts."""
import tunnels
from frames import A, B, BROADCAST, S, frame, host, scenario
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
