# SPDX-License-Identifier: BSD-3-Clause
"""What is changed while frames pass: states, segments, ports that come and go."""
import attacks
from frames import A, ALPHA_ONLY, B, BROADCAST, C, P3, P4, S, THREE, TWO, frame, host, scenario

Q = 0x8100
T3 = {"a1": "ALPHA", "b1": "BETA", "t1": "trunk: {ALPHA: 10, BETA: 20}"}


def tagged(dst, src, mark, vlan):
    """A frame with a tag, and the same without."""
    whole = frame(dst, src, mark, 64, tags=[(Q, vlan)])
    return whole, whole[:12] + whole[16:]


def change(name, about, segments, ports, packets, at, drops=None, **keys):
    scenario("changes", name, about, segments, ports, packets, drops, at=at, **keys)


change("port_blocked", "a blocked port sends and hears nothing, its addresses are forgotten; active again, it is learned anew",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (2, "p2", frame(A, B, 2), "p1"),
                        (11, "p1", frame(B, A, 3), ""), (12, "p2", frame(A, B, 4), "p3"), (13, "p3", frame(BROADCAST, C, 5), "p2"),
                        (21, "p2", frame(A, B, 6), "p1 p3"), (22, "p1", frame(B, A, 7), "p2"), (23, "p2", frame(A, B, 8), "p1")],
       {"10ms": "ports: {p1: {state: blocked}}", "20ms": "ports: {p1: {state: active}}"}, {"p1": {"blocked": 1}})
change("port_standby", "a port on standby waits for its machine as a blocked one does",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (11, "p1", frame(BROADCAST, A, 2), ""),
                        (12, "p2", frame(A, B, 3), "p3"), (21, "p1", frame(BROADCAST, A, 4), "p2 p3"), (22, "p2", frame(A, B, 5), "p1")],
       {"10ms": "ports: {p1: {state: standby}}", "20ms": "ports: {p1: {state: active}}"}, {"p1": {"blocked": 1}})
change("port_draining", "a draining port gets what is addressed to it and no floods; what it sends goes on, and teaches nothing",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (11, "p2", frame(A, B, 2), "p1"),
                        (12, "p2", frame(BROADCAST, B, 3), "p3"), (13, "p1", frame(B, A, 4), "p2"),
                        (14, "p1", frame(BROADCAST, host(9), 5), "p2 p3"), (15, "p2", frame(host(9), B, 6), "p3"),
                        (16, "p3", frame(BROADCAST, A, 7), "p2"), (17, "p2", frame(A, B, 8), "p3")],
       {"10ms": "ports: {p1: {state: draining}}"})
change("port_deleted", "what was behind a port that is deleted is unknown at once, and what its machine still sends is lost",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (2, "p2", frame(A, B, 2), "p1"),
                        (11, "p2", frame(A, B, 3), "p3"), (12, "p1", frame(B, A, 4), ""), (13, "p3", frame(B, C, 5), "p2")],
       {"10ms": "ports: {p1: null}"}, lost={"p1": 1})
change("port_added", "a port that comes is flooded to, learned, and found",
       ALPHA_ONLY, {"p1": "ALPHA", "p2": "ALPHA"},
       [(1, "p1", frame(BROADCAST, A, 1), "p2"), (2, "p3", frame(BROADCAST, C, 2), ""), (11, "p1", frame(BROADCAST, A, 3), "p2 p3"),
        (12, "p3", frame(A, C, 4), "p1"), (13, "p2", frame(C, B, 5), "p3")],
       {"10ms": "ports: {p3: {type: tap, segment: ALPHA}}"}, lost={"p3": 1})
change("port_deleted_and_added", "a port of the same name is another port: nothing of the first is known",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (11, "p2", frame(A, B, 2), "p3"),
                        (21, "p2", frame(A, B, 3), "p1 p3"), (22, "p1", frame(B, A, 4), "p2"), (23, "p2", frame(A, B, 5), "p1")],
       {"10ms": "ports: {p1: null}", "20ms": "ports: {p1: {type: tap, segment: ALPHA}}"})
change("port_replaced", "a port of another type takes its place: closed and opened anew, in one step",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (11, "p2", frame(A, B, 2), "p1 p3"),
                        (12, "p1", frame(B, A, 3), "p2"), (13, "p2", frame(A, B, 4), "p1")],
       {"10ms": "ports: {p1: {type: vhost-user}}"})
change("port_changes_segment", "a port that is moved to another segment takes no address along, and hears its new one only",
       TWO, P4, [(1, "a1", frame(BROADCAST, A, 1), "a2"), (2, "b1", frame(BROADCAST, B, 2), "b2"),
                 (11, "a1", frame(BROADCAST, A, 3), "b1 b2"), (12, "a2", frame(A, C, 4), ""), (13, "b1", frame(A, B, 5), "a1"),
                 (14, "b2", frame(BROADCAST, host(9), 6), "a1 b1")],
       {"10ms": "ports: {a1: {segment: BETA}}"}, {"a2": {"no-receiver": 1}})
change("ports_swap_segments", "two ports exchange their segments in one step: no frame finds the old ones",
       TWO, P4, [(1, "a1", frame(BROADCAST, A, 1), "a2"), (2, "b1", frame(BROADCAST, B, 2), "b2"),
                 (11, "a2", frame(A, C, 3), "b1"), (12, "b2", frame(B, C, 4), "a1"), (13, "a1", frame(BROADCAST, A, 5), "b2"),
                 (14, "b1", frame(BROADCAST, B, 6), "a2")],
       {"10ms": "ports: {a1: {segment: BETA}, b1: {segment: ALPHA}}"})
change("back_and_forth_under_traffic", "a port that is moved between every two frames: each is heard where the port is then",
       TWO, P4, [x for i in range(40) for x in ((2 * i + 1, "a1", frame(BROADCAST, A, i), "b1 b2" if i % 2 else "a2"),
                                                (2 * i + 1.5, "b2", frame(BROADCAST, B, 100 + i), "a1 b1" if i % 2 else "b1"))],
       {f"{2 * i}ms": "ports: {a1: {segment: %s}}" % ("BETA" if i % 2 else "ALPHA") for i in range(1, 40)})
change("segment_deleted", "a segment goes with its ports; the other one notices nothing",
       TWO, P4, [(1, "a1", frame(BROADCAST, A, 1), "a2"), (2, "b1", frame(BROADCAST, A, 2), "b2"),
                 (11, "a1", frame(BROADCAST, A, 3), ""), (12, "b2", frame(A, B, 4), "b1"), (13, "b1", frame(BROADCAST, A, 5), "b2")],
       {"10ms": "segments: {ALPHA: null}, ports: {a1: null, a2: null}"}, lost={"a1": 1})
change("segment_mtu", "a smaller MTU holds for the next frame, and a larger one too",
       ALPHA_ONLY, {"p1": "ALPHA", "p2": "ALPHA"},
       [(1, "p1", frame(BROADCAST, A, 1, 1514), "p2"), (11, "p1", frame(BROADCAST, A, 2, 1514), ""),
        (12, "p1", frame(BROADCAST, A, 3, 1414), "p2"), (21, "p1", frame(BROADCAST, A, 4, 9014), "p2")],
       {"10ms": "segments: {ALPHA: {mtu: 1400}}", "20ms": "segments: {ALPHA: {mtu: 9000}}"}, {"p1": {"too-big": 1}})
change("segment_age", "a shorter age makes old what has been silent for longer",
       "{ALPHA: {vni: 100, age: 300s}}", P3,
       [(0, "p1", frame(BROADCAST, A, 1), "p2 p3"), (50 * S, "p2", frame(A, B, 2), "p1"), (61 * S, "p2", frame(A, B, 3), "p1 p3")],
       {"60s": "segments: {ALPHA: {age: 30s}}"})
change("segment_policy", "what a segment floods is switched while it does",
       ALPHA_ONLY, P3, [(1, "p1", frame(host(9), A, 1), "p2 p3"), (11, "p1", frame(host(9), A, 2), ""),
                        (12, "p1", frame(BROADCAST, A, 3), ""), (21, "p1", frame(host(9), A, 4), "p2 p3"),
                        (22, "p1", frame(BROADCAST, A, 5), "p2 p3")],
       {"10ms": "segments: {ALPHA: {unknown: drop, broadcast: drop}}", "20ms": "segments: {ALPHA: {unknown: null, broadcast: flood}}"},
       {"p1": {"unknown-unicast": 1, "no-broadcast": 1}})
change("link_local_switched", "LLDP is passed on until the segment says otherwise",
       ALPHA_ONLY, {"p1": "ALPHA", "p2": "ALPHA"},
       [(ms, "p1", frame("01:80:c2:00:00:0e", A, ms, ethertype=0x88CC), who) for ms, who in ((1, "p2"), (11, ""), (21, "p2"))],
       {"10ms": "segments: {ALPHA: {lldp: off}}", "20ms": "segments: {ALPHA: {lldp: on}}"}, {"p1": {"link-local": 1}})
change("isolated_switched", "two ports are isolated from each other, one after the other, and one is released",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (2, "p2", frame(A, B, 2), "p1"),
                        (11, "p1", frame(BROADCAST, A, 3), "p2 p3"), (21, "p1", frame(BROADCAST, A, 4), "p3"),
                        (22, "p2", frame(A, B, 5), ""), (23, "p3", frame(BROADCAST, C, 6), "p1 p2"), (31, "p2", frame(A, B, 7), "p1")],
       {"10ms": "ports: {p1: {isolated: on}}", "20ms": "ports: {p2: {isolated: on}}", "30ms": "ports: {p1: {isolated: off}}"},
       {"p1": {"isolated": 1}})

whole, bare = {}, {}
for mark, vlan in ((1, 10), (2, 20), (3, 20), (4, 30), (5, 11), (6, 10)):
    whole[mark], bare[mark] = tagged(BROADCAST, C, mark, vlan)
change("trunk_member_leaves", "a segment leaves a trunk: its tag means nothing there, its floods do not go there",
       TWO, T3, [(1, "t1", whole[2], {"b1": bare[2]}), (2, "b1", frame(BROADCAST, B, 9, 60), {"t1": tagged(BROADCAST, B, 9, 20)[0]}),
                 (11, "t1", whole[3], ""), (12, "b1", frame(BROADCAST, B, 10), ""), (13, "t1", whole[1], {"a1": bare[1]})],
       {"10ms": "ports: {t1: {trunk: {BETA: null}}}"}, {"t1": {"vlan": 1}, "b1": {"no-receiver": 1}})
change("trunk_member_comes", "a segment joins a trunk by its tag",
       THREE, dict(T3, c1="GAMMA"), [(1, "t1", whole[4], ""), (2, "c1", frame(BROADCAST, B, 9), ""),
                                     (11, "t1", whole[4], {"c1": bare[4]}),
                                     (12, "c1", frame(BROADCAST, B, 10), {"t1": tagged(BROADCAST, B, 10, 30)[0]})],
       {"10ms": "ports: {t1: {trunk: {GAMMA: own}}}"}, {"t1": {"vlan": 1}, "c1": {"no-receiver": 1}})
change("trunk_tag_changes", "a segment has another tag on a trunk; one that says own follows the segment's VLAN id",
       TWO, {"a1": "ALPHA", "b1": "BETA", "t1": "trunk: {ALPHA: 10, BETA: own}"},
       [(1, "t1", whole[1], {"a1": bare[1]}), (2, "t1", whole[2], {"b1": bare[2]}), (11, "t1", whole[5], {"a1": bare[5]}),
        (12, "t1", whole[6], ""), (13, "t1", whole[3], ""), (14, "t1", whole[4], {"b1": bare[4]}),
        (15, "b1", frame(BROADCAST, B, 9), {"t1": tagged(BROADCAST, B, 9, 30)[0]})],
       {"10ms": "segments: {BETA: {vlan: 30}}, ports: {t1: {trunk: {ALPHA: 11}}}"}, {"t1": {"vlan": 2}})
change("native_changes", "a trunk's untagged segment is set, changed, and taken away",
       TWO, {"a1": "ALPHA", "b1": "BETA", "t1": "trunk: {ALPHA: 10}"},
       [(1, "t1", frame(BROADCAST, C, 1), ""), (11, "t1", frame(BROADCAST, C, 2), "b1"), (12, "b1", frame(BROADCAST, B, 3), "t1"),
        (21, "t1", frame(BROADCAST, C, 4), ""), (22, "b1", frame(BROADCAST, B, 5), "")],
       {"10ms": "ports: {t1: {native: BETA}}", "20ms": "ports: {t1: {native: null}}"},
       {"t1": {"no-segment": 2}, "b1": {"no-receiver": 1}})
change("access_becomes_trunk", "an access port becomes a trunk and an access port again: tags are refused, taken, refused",
       TWO, {"a1": "ALPHA", "b1": "BETA", "p1": "ALPHA"},
       [(1, "p1", frame(BROADCAST, C, 7), "a1"), (2, "p1", whole[2], ""), (11, "p1", whole[2], {"b1": bare[2]}),
        (12, "p1", frame(BROADCAST, C, 8), ""), (13, "b1", frame(BROADCAST, B, 9), {"p1": tagged(BROADCAST, B, 9, 20)[0]}),
        (21, "p1", whole[3], ""), (22, "p1", frame(BROADCAST, C, 10), "b1")],
       {"10ms": "ports: {p1: {segment: null, trunk: {BETA: 20}}}", "20ms": "ports: {p1: {segment: BETA, trunk: null}}"},
       {"p1": {"tagged": 2, "no-segment": 1}})
change("qinq_switched", "tags are payload between two ports while both say so",
       ALPHA_ONLY, {"q1": "segment: ALPHA, qinq: on", "q2": "ALPHA"},
       [(ms, "q1", frame(BROADCAST, A, ms, 64, tags=[(Q, 20)]), who) for ms, who in ((1, ""), (11, "q2"), (21, ""))],
       {"10ms": "ports: {q2: {qinq: on}}", "20ms": "ports: {q1: {qinq: off}}"}, {"q2": {"tagged": 1}, "q1": {"tagged": 1}})

EVIL = f"ALPHA, mac: '{attacks.EVIL}', addresses: '{attacks.EVIL4},{attacks.EVIL6}'"
SPOOF = attacks.ATTACKS["mac"][3][0]
change("guard_switched", "a guard holds from the moment that it is on, until the port's own word lifts it",
       ALPHA_ONLY, {"evil": EVIL, "victim": "ALPHA"},
       [(1, "evil", SPOOF, "victim"), (11, "evil", SPOOF, ""), (21, "evil", SPOOF, "victim")],
       {"10ms": "segments: {ALPHA: {mac_guard: on}}", "20ms": "ports: {evil: {mac_guard: off}}"}, {"evil": {"mac-spoof": 1}})
change("guarded_mac_changes", "the guard knows the port's new address at once, and no longer the old one",
       "{ALPHA: {vni: 100, mac_guard: on}}", {"p1": f"ALPHA, mac: '{A}'", "p2": "ALPHA, mac_guard: off"},
       [(1, "p1", frame(BROADCAST, A, 1), "p2"), (2, "p1", frame(BROADCAST, B, 2), ""), (11, "p1", frame(BROADCAST, A, 3), ""),
        (12, "p1", frame(BROADCAST, B, 4), "p2")],
       {"10ms": "ports: {p1: {mac: '%s'}}" % B}, {"p1": {"mac-spoof": 2}})
change("guarded_address_added", "an address that the port is given may be used at once, and one that is taken away no more",
       "{ALPHA: {vni: 100, arp_guard: on}}", {"evil": EVIL, "victim": "ALPHA"},
       [(ms, "evil", attacks.eth(attacks.ARP, attacks.arp(ip, attacks.EVIL)), who) for ms, ip, who in (
           (1, "10.0.0.66", "victim"), (2, "10.0.0.67", ""), (11, "10.0.0.67", "victim"), (12, "10.0.0.66", ""))],
       {"10ms": "ports: {evil: {addresses: '10.0.0.67'}}"}, {"evil": {"arp-spoof": 2}})
# 1.999 s after the burst, at one each 100 ms.
change("storm_limit_changes", "a new rate counts from the next frame on; what was sent stays sent",
       ALPHA_ONLY, {"p1": "ALPHA, broadcast_pps: 100", "p2": "ALPHA"},
       [(1, "p1", frame(BROADCAST, A, i), "p2" if i < 64 else "") for i in range(70)] +
       [(11, "p1", frame(BROADCAST, A, 100 + i), "p2") for i in range(200)] +
       [(2000, "p1", frame(BROADCAST, A, 300 + i), "p2" if i < 19 else "") for i in range(70)],
       {"10ms": "ports: {p1: {broadcast_pps: 0}}", "1s": "ports: {p1: {broadcast_pps: 10}}"}, {"p1": {"storm-broadcast": 6 + 51}})
change("static_address_added", "an address that is bound to a port is there at once, whoever it was learned from, and stays unlearned later",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (2, "p3", frame(A, C, 2), "p1"), (11, "p3", frame(A, C, 3), "p2"),
                        (12, "p1", frame(BROADCAST, A, 4), "p2 p3"), (13, "p3", frame(A, C, 5), "p2"),
                        (21, "p3", frame(A, C, 6), "p1 p2")],
       {"10ms": "ports: {p2: {macs: '%s'}}" % A, "20ms": "ports: {p2: {macs: null}}"})
change("limit_of_addresses_lowered", "a port that may have fewer addresses gives up its own for each new one",
       ALPHA_ONLY, P3, [(i * S, "p1", frame(BROADCAST, host(10 + i), i), "p2 p3") for i in range(1, 4)] +
       [(11 * S, "p1", frame(BROADCAST, host(20), 9), "p2 p3"), (12 * S, "p2", frame(host(20), B, 10), "p1"),
        (13 * S, "p2", frame(host(11), B, 11), "p1 p3")],
       {"10s": "ports: {p1: {max_macs: 2}}"})
change("changes_come_first", "what changes at the time of a packet has changed when it comes",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (10, "p1", frame(BROADCAST, A, 2), ""),
                        (20, "p1", frame(BROADCAST, A, 3), "p2 p3"), (30, "p1", frame(BROADCAST, A, 4), "")],
       {"10ms": "ports: {p1: {state: blocked}}", "20ms": "ports: {p1: {state: active}}", "30ms": "ports: {p1: null}"},
       {"p1": {"blocked": 1}}, lost={"p1": 1})
change("nothing_changes", "a change that changes nothing disturbs nobody",
       ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 1), "p2 p3"), (11, "p2", frame(A, B, 2), "p1")],
       {"10ms": "ports: {p1: {type: tap}}"})
