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
