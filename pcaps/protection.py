# SPDX-License-Identifier: BSD-3-Clause
"""Offloads, guards, storms."""
import attacks
from frames import A, ALPHA_ONLY, B, BROADCAST, P3, frame, host, scenario, tcp, tcp_cut, udp

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

# Guards where the frame has more than one way to be read.
Q = 0x8100
NASTY = [data for name in ("mac", "arp", "dhcp", "ra") for data in attacks.ATTACKS[name][3]]
COUNTS = {attacks.ATTACKS[name][1]: len(attacks.ATTACKS[name][3]) for name in ("mac", "arp", "dhcp", "ra")}


def with_tag(data, tci, tpid=Q):
    return data[:12] + tpid.to_bytes(2, "big") + tci.to_bytes(2, "big") + data[12:]


scenario("guards", "inside_a_trunk", "on a trunk each segment's guards hold for its own frames",
         "{ALPHA: {vni: 100, guard: on}, BETA: {vni: 200, guard: off}}",
         {"evil": f"trunk: {{ALPHA: 10, BETA: 20}}, mac: '{attacks.EVIL}', addresses: '{attacks.EVIL4},{attacks.EVIL6}'",
          "a1": "ALPHA", "b1": "BETA"},
         [(1, "evil", with_tag(data, 10), "") for data in NASTY] + [(2, "evil", with_tag(data, 20), {"b1": data}) for data in NASTY] +
         [(3, "evil", with_tag(data, 10), {"a1": data}) for data in attacks.HONEST], {"evil": COUNTS})
scenario("guards", "behind_a_priority_tag", "a priority tag hides nothing",
         "{ALPHA: {vni: 100, guard: on}}", {"evil": EVIL, "victim": "ALPHA"},
         [(1, "evil", with_tag(data, 0xE000), "") for data in NASTY] +
         [(2, "evil", with_tag(data, 0), {"victim": data}) for data in attacks.HONEST], {"evil": COUNTS})
scenario("guards", "behind_payload_tags", "guards read through tags that are payload",
         "{ALPHA: {vni: 100, guard: on}}", {"evil": EVIL + ", qinq: on", "victim": "ALPHA, qinq: on"},
         [(1, "evil", with_tag(with_tag(data, 7), 8, 0x88A8), "") for data in NASTY if len(data) + 8 <= 128] +
         [(2, "evil", with_tag(data, 7), "victim") for data in attacks.HONEST], {"evil": COUNTS})
scenario("guards", "without_addresses", "a port without addresses may use every one, but claims them for its own MAC only",
         "{ALPHA: {vni: 100, guard: on}}", {"evil": f"ALPHA, mac: '{attacks.EVIL}'", "victim": "ALPHA"},
         [(1, "evil", attacks.eth(attacks.ARP, attacks.arp(attacks.GATEWAY4, attacks.EVIL)), "victim"),
          (2, "evil", attacks.eth(attacks.ARP, attacks.arp(attacks.EVIL4, attacks.GATEWAY)), ""),
          (3, "evil", attacks.eth(attacks.IP4, attacks.ip4(attacks.GATEWAY4, attacks.TCP, attacks.udp(80, 80))), "victim"),
          (4, "evil", attacks.eth(attacks.IP6, attacks.ip6("fe80::1", attacks.TCP, attacks.udp(80, 80))), "victim")],
         {"evil": {"arp-spoof": 1}})
scenario("guards", "a_router", "a router advertises itself and sends for others, but neither from another MAC nor in others' names",
         "{ALPHA: {vni: 100, guard: on}}", {"evil": EVIL + ", router: on", "victim": "ALPHA"},
         [(1, "evil", data, "victim") for data in attacks.ATTACKS["ra"][3] + attacks.ATTACKS["ip"][3]] +
         [(2, "evil", attacks.ATTACKS["mac"][3][0], ""), (3, "evil", attacks.ATTACKS["arp"][3][0], ""),
          (4, "evil", attacks.ATTACKS["dhcp"][3][0], "")], {"evil": {"mac-spoof": 1, "arp-spoof": 1, "rogue-dhcp": 1}})
INSIDE = [("10.1.0.0", 1), ("10.1.0.127", 1), ("10.1.0.128", 0), ("10.0.255.255", 0), ("10.2.0.1", 1), ("10.2.0.2", 0), ("0.0.0.0", 1),
          ("fd01::", 1), ("fd01:0:0:f::1", 1), ("fd01:0:0:10::1", 0), ("fd00::1", 0), ("fe80::ff:fe00:66", 1), ("fe80::ff:fe00:67", 0), ("::", 1)]
scenario("guards", "prefixes", "addresses with a prefix hold to the bit; the link-local address of the MAC belongs to the port",
         "{ALPHA: {vni: 100, ip_guard: on}}",
         {"evil": f"ALPHA, mac: '{attacks.EVIL}', addresses: '10.1.0.0/25,10.2.0.1,fd01::/60'", "victim": "ALPHA"},
         [(ms, "evil", attacks.eth(attacks.IP6, attacks.ip6(ip, attacks.TCP, attacks.udp(80, 80))) if ":" in ip else
           attacks.eth(attacks.IP4, attacks.ip4(ip, attacks.TCP, attacks.udp(80, 80))), "victim" if ok else "")
          for ms, (ip, ok) in enumerate(INSIDE, 1)], {"evil": {"ip-spoof": sum(not ok for _, ok in INSIDE)}})

scenario("storm", "zero_is_no_limit", "a rate of 0 limits nothing, of a port and of a segment",
         "{ALPHA: {vni: 100, broadcast_pps: 0}}", {"p1": "ALPHA, broadcast_pps: 0", "p2": "ALPHA"},
         [(1, "p1", frame(BROADCAST, A, i, 14), "p2") for i in range(3000)])
# 64 at once at 1 ms; then one is there every 10 ms, counted from 1 ms on.
scenario("storm", "refills_to_the_nanosecond", "what may be sent comes back at the rate, to the nanosecond",
         ALPHA_ONLY, {"p1": "ALPHA, broadcast_pps: 100", "p2": "ALPHA"},
         [(1, "p1", frame(BROADCAST, A, i), "p2") for i in range(64)] +
         [(ms, "p1", frame(BROADCAST, A, 100 + i), who) for i, (ms, who) in enumerate(
             ((1, ""), (10.999999, ""), (11, "p2"), (11.000001, ""), (20.999999, ""), (21, "p2"), (41, "p2"), (41, "p2"), (41, "")))],
         {"p1": {"storm-broadcast": 5}})
scenario("storm", "a_tenth_at_once", "a tenth of a second's worth may come at once, if that is more than 64",
         ALPHA_ONLY, {"p1": "ALPHA, unknown_pps: 1000", "p2": "ALPHA"},
         [(1, "p1", frame(host(99), A, i), "p2" if i < 100 else "") for i in range(120)], {"p1": {"storm-unknown": 20}})
scenario("storm", "segment_by_kind", "a segment counts each kind of flood by itself",
         "{ALPHA: {vni: 100, broadcast_pps: 100, multicast_pps: 50, unknown_pps: 10}}", {"p1": "ALPHA", "p2": "ALPHA"},
         [(1, "p1", frame(dst, A, i), "p2" if i < 64 else "") for dst in KINDS.values() for i in range(70)],
         {"p1": {"storm-segment": 18}})
scenario("storm", "dropped_takes_nothing", "what a port has no right to send takes nothing of the segment's rate",
         "{ALPHA: {vni: 100, broadcast_pps: 100}}", {"p1": "ALPHA, broadcast_pps: 10", "p2": "ALPHA, broadcast_pps: 10", "p3": "ALPHA"},
         [(1, "p1", frame(BROADCAST, A, i), "") for i in range(0)] +
         [(1, "p3", frame(BROADCAST, B, i), "p1 p2" if i < 64 else "") for i in range(70)] +
         [(1000, "p1", frame(BROADCAST, A, i), "p2 p3" if i < 64 else "") for i in range(200)] +
         [(1001, "p2", frame(BROADCAST, host(5), i), "") for i in range(3)],
         {"p1": {"storm-broadcast": 136}, "p3": {"storm-segment": 6}, "p2": {"storm-segment": 3}})
scenario("storm", "trunk_segments_apart", "the segments of a trunk have rates of their own, the port has one for all",
         "{ALPHA: {vni: 100, broadcast_pps: 10}, BETA: {vni: 200}}",
         {"t1": "trunk: {ALPHA: 10, BETA: 20}, broadcast_pps: 1000", "a1": "ALPHA", "b1": "BETA"},
         [(1, "t1", with_tag(frame(BROADCAST, A, i), 10), {"a1": frame(BROADCAST, A, i)} if i < 64 else "") for i in range(70)] +
         [(2, "t1", with_tag(frame(BROADCAST, A, i), 20), {"b1": frame(BROADCAST, A, i)} if i < 31 else "") for i in range(40)],
         {"t1": {"storm-segment": 6, "storm-broadcast": 9}})
scenario("offloads", "gso_beyond_the_mtu", "a large frame counts as the pieces that it asks for",
         "{ALPHA: {vni: 100, mtu: 1400}}", {"p1": "ALPHA", "p2": "ALPHA"},
         [(1, "p1", tcp(BROADCAST, A, 1, BULK[:5000]), "")], {"p1": {"too-big": 1}}, sends={"p1": 1448})
scenario("offloads", "cut_with_a_tag", "what is cut for a trunk has the tag on each piece",
         "{ALPHA: {vni: 100, mtu: 1520, vlan: 10}}", {"p1": "ALPHA", "t1": "trunk: {ALPHA: own}", "t2": "trunk: {ALPHA: 11}"},
         [(1, "p1", tcp(BROADCAST, A, 1, BULK[:5000], v6=v6),
           {"t1": [with_tag(piece, 10) for piece in tcp_cut(1448, BROADCAST, A, 1, BULK[:5000], v6=v6)],
            "t2": with_tag(tcp(BROADCAST, A, 1, BULK[:5000], v6=v6), 11)}) for v6 in (False, True)], sends={"p1": 1448}, takes={"t2": "all"})
scenario("guards", "cut_short", "UDP that ends before its ports cannot be read; fragments behind them can",
         ALPHA_ONLY, {"p1": "ALPHA", "p2": "ALPHA"},
         [(n, "p1", attacks.eth(attacks.IP4, attacks.ip4(attacks.EVIL4, attacks.UDP, attacks.udp(53, 53)))[:n], "p2" if n >= 42 else "")
          for n in (34, 36, 37, 42)] +
         [(50, "p1", attacks.eth(attacks.IP4, attacks.ip4(attacks.EVIL4, attacks.UDP, attacks.udp(53, 53), fragment=1)), "p2"),
          (51, "p1", attacks.eth(attacks.IP4, attacks.ip4(attacks.EVIL4, attacks.UDP, attacks.udp(53, 53), fragment=100)), "p2")],
         {"p1": {"unreadable": 3}})
LIES = attacks.ATTACKS["mac"][3][0]
scenario("guards", "mixed_burst", "in a burst of several segments each frame is judged by its own segment's guards",
         "{ALPHA: {vni: 100}, BETA: {vni: 200, mac_guard: on}, GAMMA: {vni: 300, guard: off, snoop: off}}",
         {"evil": f"trunk: {{ALPHA: 10, BETA: 20, GAMMA: 30}}, mac: '{attacks.EVIL}'", "a1": "ALPHA", "b1": "BETA", "c1": "GAMMA"},
         [(1, "evil", with_tag(LIES, vlan), {port: LIES} if port else "") for vlan, port in (
             (10, "a1"), (20, ""), (10, "a1"), (30, "c1"), (20, ""), (30, "c1"), (10, "a1"), (10, "a1"), (20, ""), (30, "c1"))],
         {"evil": {"mac-spoof": 3}})
# Ways to say the same that receivers understand: IEEE 802.1H, an authentication header before what counts.
BRIDGED = b"\xaa\xaa\x03\0\0\xf8" + attacks.ARP.to_bytes(2, "big") + attacks.arp(attacks.GATEWAY4, attacks.EVIL)
AH = bytes([attacks.ICMP6, 4]) + bytes(22)
scenario("guards", "other_wrappings", "ARP behind a bridge tunnel's header and a router's word behind an authentication header are found",
         "{ALPHA: {vni: 100, guard: on}}", {"evil": EVIL, "victim": "ALPHA"},
         [(1, "evil", attacks.eth(len(BRIDGED), BRIDGED), ""),
          (2, "evil", attacks.eth(attacks.IP6, attacks.ip6(attacks.EVIL_LOCAL, 51, AH + attacks.RA)), ""),
          (3, "evil", attacks.eth(46, b"\xaa\xaa\x03\0\0\xf9" + BRIDGED[6:]), "victim")], {"evil": {"arp-spoof": 1, "rogue-ra": 1}})
