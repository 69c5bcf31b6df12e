# SPDX-License-Identifier: BSD-3-Clause
"""Learning, ageing, moves, floods, segments, trunks, policies, and what is malformed."""
from frames import A, ALPHA_ONLY, B, BROADCAST, C, P3, P4, S, THREE, TWO, frame, host, scenario, tcp

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

# Learning, once more: what is bound, and where there is no room.
scenario("learning", "static_address", "an address that is bound to a port is known before it sends, and nobody else takes it",
         ALPHA_ONLY, {"p1": "ALPHA", "p2": f"ALPHA, macs: '{B}'", "p3": "ALPHA"},
         [(1, "p1", frame(B, A, 1), "p2"), (2, "p3", frame(A, B, 2), "p1"), (3, "p1", frame(B, A, 3), "p2")])
scenario("learning", "limit_of_a_port", "a port at its limit gives up of its own what has been silent longest",
         ALPHA_ONLY, {"p1": "ALPHA, max_macs: 2", "p2": "ALPHA", "p3": "ALPHA"},
         [(i * S, "p1", frame(BROADCAST, host(10 + i), i), "p2 p3") for i in range(1, 4)] +
         [(4 * S, "p2", frame(host(11), B, 4), "p1 p3"), (5 * S, "p2", frame(host(12), B, 5), "p1"),
          (6 * S, "p2", frame(host(13), B, 6), "p1")])
scenario("learning", "limit_takes_nothing_over", "a port at its limit takes no address over from another port",
         ALPHA_ONLY, {"p1": "ALPHA, max_macs: 1", "p2": "ALPHA", "p3": "ALPHA"},
         [(1 * S, "p1", frame(BROADCAST, A, 1), "p2 p3"), (2 * S, "p2", frame(BROADCAST, B, 2), "p1 p3"),
          (3 * S, "p1", frame(C, B, 3), "p2 p3"), (4 * S, "p3", frame(B, C, 4), "p2")])
scenario("learning", "full_segment", "in a full segment the port with most addresses gives them up for those who have less than their share",
         "{ALPHA: {vni: 100, max_macs: 4}}", P3,
         [(i * S, "p1", frame(BROADCAST, host(10 + i), i), "p2 p3") for i in range(1, 5)] +
         [(5 * S, "p2", frame(BROADCAST, B, 5), "p1 p3"), (6 * S, "p3", frame(B, C, 6), "p2"), (7 * S, "p2", frame(C, B, 7), "p3"),
          (8 * S, "p3", frame(host(11), C, 8), "p1 p2"), (9 * S, "p3", frame(host(14), C, 9), "p1")])
scenario("learning", "share_is_given_up_first", "in a full segment a port that has its share gives up its own address for a new one",
         "{ALPHA: {vni: 100, max_macs: 3}}", P3,
         [(1 * S, "p1", frame(BROADCAST, A, 1), "p2 p3"), (2 * S, "p2", frame(BROADCAST, B, 2), "p1 p3"),
          (3 * S, "p3", frame(BROADCAST, C, 3), "p1 p2"), (4 * S, "p1", frame(BROADCAST, host(9), 4), "p2 p3"),
          (5 * S, "p2", frame(A, B, 5), "p1 p3"), (6 * S, "p2", frame(host(9), B, 6), "p1"), (7 * S, "p2", frame(C, B, 7), "p3")])
scenario("learning", "answer_in_the_same_turn", "an answer that comes before main has learned is flooded, and to all",
         ALPHA_ONLY, P3, [(1, "p1", frame(B, A, 1), "p2 p3"), (1, "p2", frame(A, B, 2), "p1 p3"), (2, "p2", frame(A, B, 3), "p1")])
scenario("learning", "rate_of_a_port", "a port has 64 and 2,048 addresses learned at once, the rest when they send again",
         ALPHA_ONLY, P3, [(1, "p1", frame(BROADCAST, A, 0, 14), "p2 p3")] +
         [(2, "p1", frame(A, host(1000 + i), 0, 14), "") for i in range(2150)] +
         [(3, "p2", frame(host(1000 + 2110), B, 1), "p1"), (4, "p2", frame(host(1000 + 2111), B, 2), "p1 p3"),
          (5, "p2", frame(host(1000 + 2149), B, 3), "p1 p3"), (1000, "p1", frame(A, host(1000 + 2149), 0, 14), ""),
          (1001, "p2", frame(host(1000 + 2149), B, 4), "p1")], {"p1": {"same-port": 2151}})
scenario("ageing", "receiving_does_not_keep_alive", "an address that only receives ages",
         "{ALPHA: {vni: 100, age: 30s}}", P3,
         [(0, "p1", frame(BROADCAST, A, 1), "p2 p3")] + [(t * 10 * S, "p2", frame(A, B, t), "p1") for t in range(1, 4)] +
         [(31 * S, "p2", frame(A, B, 9), "p1 p3")])
scenario("ageing", "default_age", "without a word an address is known for 300 seconds",
         ALPHA_ONLY, P3, [(0, "p1", frame(BROADCAST, A, 1), "p2 p3"), (300 * S, "p2", frame(A, B, 2), "p1"),
                          (301 * S, "p2", frame(A, B, 3), "p1 p3")])
scenario("ageing", "static_does_not_age", "an address that is bound to a port never ages",
         "{ALPHA: {vni: 100, age: 10s}}", {"p1": "ALPHA", "p2": f"ALPHA, macs: '{B}'", "p3": "ALPHA"},
         [(1000 * S, "p1", frame(B, A, 1), "p2")])
scenario("ageing", "swept_and_learned_again", "an address that was swept out is learned anew, as any other",
         "{ALPHA: {vni: 100, age: 10s}}", P3,
         [(0, "p1", frame(BROADCAST, A, 1), "p2 p3"), (60 * S, "p2", frame(A, B, 2), "p1 p3"), (61 * S, "p1", frame(B, A, 3), "p2"),
          (62 * S, "p2", frame(A, B, 4), "p1")])
scenario("moves", "moves_in_one_segment_only", "an address that moves in one segment stays where it is in another",
         TWO, P4, [(1, "a1", frame(BROADCAST, A, 1), "a2"), (2, "b1", frame(BROADCAST, A, 2), "b2"), (3, "a2", frame(BROADCAST, A, 3), "a1"),
                   (4, "a1", frame(A, C, 4), "a2"), (5, "b2", frame(A, C, 5), "b1")])
scenario("moves", "to_a_trunk_and_back", "an address moves to a trunk and back: its frames get the tag only there",
         TWO, {"a1": "ALPHA", "a2": "ALPHA", "t1": "trunk: {ALPHA: 10}"},
         [(1, "a1", frame(BROADCAST, A, 1), {"a2": frame(BROADCAST, A, 1), "t1": frame(BROADCAST, A, 1, 64, tags=[(Q, 10)])}),
          (2, "a2", frame(A, B, 2), "a1"), (3, "t1", frame(B, A, 3, 64, tags=[(Q, 10)]), {"a2": frame(B, A, 3, 60)}),
          (4, "a2", frame(A, B, 4), {"t1": frame(A, B, 4, 64, tags=[(Q, 10)])}), (5, "a1", frame(B, A, 5), "a2"),
          (6, "a2", frame(A, B, 6), "a1")])
scenario("flooding", "too_much_for_one_turn", "a frame of 64 KiB to 258 ports would take too long: it is dropped, a smaller one is not",
         ALPHA_ONLY, {f"p{i}": "ALPHA" for i in range(258)}, [(1, "p0", tcp(BROADCAST, A, 1, bytes(65400)), "")],
         {"p0": {"flood-limit": 1}}, sends={"p0": 1448})
scenario("isolation", "multicast_stays_inside", "multicast and unknown unicast of one segment are not seen in another",
         TWO, P4, [(1, "a1", frame("01:00:5e:00:00:fb", A, 1), "a2"), (2, "b1", frame("33:33:00:00:00:01", B, 2), "b2"),
                   (3, "a1", frame(host(99), A, 3), "a2"), (4, "b2", frame(host(99), C, 4), "b1")])
scenario("isolation", "same_address_on_a_trunk", "the same address in two segments of one trunk, and elsewhere in a third",
         THREE, {"a1": "ALPHA", "b1": "BETA", "c1": "GAMMA", "t1": "trunk: {ALPHA: 10, BETA: 20}", "t2": "trunk: {GAMMA: 30}"},
         [(1, "t1", frame(BROADCAST, A, 1, 64, tags=[(Q, 10)]), {"a1": frame(BROADCAST, A, 1)}),
          (2, "t1", frame(BROADCAST, A, 2, 64, tags=[(Q, 20)]), {"b1": frame(BROADCAST, A, 2)}),
          (3, "t2", frame(BROADCAST, A, 3, 64, tags=[(Q, 30)]), {"c1": frame(BROADCAST, A, 3)}),
          (4, "a1", frame(A, B, 4), {"t1": frame(A, B, 4, 64, tags=[(Q, 10)])}),
          (5, "b1", frame(A, B, 5), {"t1": frame(A, B, 5, 64, tags=[(Q, 20)])}),
          (6, "c1", frame(A, B, 6), {"t2": frame(A, B, 6, 64, tags=[(Q, 30)])})])
MANY = [f"S{i}" for i in range(1, 21)]
scenario("isolation", "twenty_segments", "a flood of each of twenty segments reaches its own port and the trunk, by its tag",
         "{" + ", ".join(f"S{i}: {{vni: {i}, vlan: {100 + i}}}" for i in range(1, 21)) + "}",
         dict({f"p{i}": f"S{i}" for i in range(1, 21)}, t1="trunk: {" + ", ".join(f"{s}: own" for s in MANY) + "}"),
         [(i, f"p{i}", frame(BROADCAST, A, i), {"t1": frame(BROADCAST, A, i, 64, tags=[(Q, 100 + i)])}) for i in range(1, 21)] +
         [(100 + i, "t1", frame(BROADCAST, B, i, 64, tags=[(Q, 100 + i)]), {f"p{i}": frame(BROADCAST, B, i)}) for i in range(1, 21)])


def bits(mark, tci):
    return frame(BROADCAST, C, mark, 64, tags=[(Q, tci)])


scenario("trunk", "priority_and_dei", "priority and DEI of a tag choose no segment, and are not passed on",
         TWO, {"a1": "ALPHA", "t1": "trunk: {ALPHA: 10}", "t2": "trunk: {ALPHA: 11}"},
         [(i, "t1", bits(i, tci), {"a1": frame(BROADCAST, C, i), "t2": bits(i, 11)}) for i, tci in enumerate(
             (10, 0xE00A, 0x100A, 0xF00A), 1)])
scenario("trunk", "first_and_last_tag", "1 and 4094 are tags as any other; 4095 is none",
         "{ALPHA: {vni: 100, vlan: 1}, BETA: {vni: 200, vlan: 4094}}",
         {"a1": "ALPHA", "b1": "BETA", "t1": "trunk: {ALPHA: own, BETA: own}"},
         [(1, "t1", bits(1, 1), {"a1": frame(BROADCAST, C, 1)}), (2, "t1", bits(2, 4094), {"b1": frame(BROADCAST, C, 2)}),
          (3, "t1", bits(3, 4095), ""), (4, "t1", bits(4, 2), ""), (5, "b1", frame(BROADCAST, B, 5), {"t1": frame(BROADCAST, B, 5, 64, tags=[(Q, 4094)])})],
         {"t1": {"vlan": 2}})
scenario("trunk", "learned_behind_a_trunk", "an address behind a trunk is found with its segment's tag, and in its segment only",
         TWO, T4, [(1, "t1", bits(1, 10), {"a1": frame(BROADCAST, C, 1), "t2": bits(1, 11)}),
                   (2, "a1", frame(C, A, 2), {"t1": frame(C, A, 2, 64, tags=[(Q, 10)])}),
                   (3, "b1", frame(C, B, 3), {t: frame(C, B, 3, 64, tags=[(Q, 20)]) for t in ("t1", "t2")})])
scenario("trunk", "tag_cut_short", "a tag that is cut off is a runt, on a trunk and on an access port",
         TWO, {"a1": "ALPHA", "a2": "ALPHA", "t1": "trunk: {ALPHA: 10}"},
         [(i, "t1", bits(1, 10)[:n], "") for i, n in enumerate((14, 15, 16, 17), 1)] +
         [(5, "t1", bits(1, 10)[:18], {p: bits(1, 10)[:12] + bits(1, 10)[16:18] for p in ("a1", "a2")}),
          (6, "a1", bits(2, 0)[:17], ""), (7, "a1", bits(2, 10)[:15], "")], {"t1": {"runt": 4}, "a1": {"runt": 2}})
scenario("trunk", "qinq_access", "between access ports with qinq=on every kind of tag is payload",
         ALPHA_ONLY, {"q1": "segment: ALPHA, qinq: on", "q2": "segment: ALPHA, qinq: on", "p1": "ALPHA"},
         [(i, "q1", frame(BROADCAST, A, i, 68, tags=tags), "q2") for i, tags in enumerate(
             ([(0x88A8, 20)], [(0x9100, 20)], [(Q, 20)], [(0x88A8, 20), (Q, 30)]), 1)], {"p1": {"tagged": 4}})
scenario("trunk", "qinq_unicast", "frames with a second tag are learned and found by their first",
         TWO, {"t1": "trunk: {ALPHA: 10}, qinq: on", "t2": "trunk: {ALPHA: 11, BETA: 20}, qinq: on", "b1": "BETA"},
         [(1, "t1", frame(BROADCAST, A, 1, 68, tags=[(Q, 10), (Q, 20)]), {"t2": frame(BROADCAST, A, 1, 68, tags=[(Q, 11), (Q, 20)])}),
          (2, "t2", frame(A, B, 2, 68, tags=[(Q, 11), (Q, 77)]), {"t1": frame(A, B, 2, 68, tags=[(Q, 10), (Q, 77)])}),
          (3, "t2", frame(A, B, 3, 68, tags=[(0x88A8, 11), (Q, 77)]), {"t1": frame(A, B, 3, 68, tags=[(Q, 10), (Q, 77)])})])
scenario("trunk", "native_to_native", "two trunks with different native segments: each sends the other's with a tag",
         TWO, {"t1": "trunk: {BETA: 20}, native: ALPHA", "t2": "trunk: {ALPHA: 10}, native: BETA"},
         [(1, "t1", frame(BROADCAST, A, 1), {"t2": frame(BROADCAST, A, 1, 64, tags=[(Q, 10)])}),
          (2, "t2", frame(BROADCAST, B, 2), {"t1": frame(BROADCAST, B, 2, 64, tags=[(Q, 20)])}),
          (3, "t1", bits(3, 20), {"t2": frame(BROADCAST, C, 3)}), (4, "t2", bits(4, 10), {"t1": frame(BROADCAST, C, 4)})])

scenario("policy", "isolated_and_trunk", "an isolated trunk exchanges nothing with isolated ports, in any of its segments",
         TWO, {"i1": "segment: ALPHA, isolated: on", "b1": "segment: BETA, isolated: on", "p1": "ALPHA",
               "t1": "trunk: {ALPHA: 10, BETA: 20}, isolated: on"},
         [(1, "t1", bits(1, 10), {"p1": frame(BROADCAST, C, 1)}), (2, "t1", bits(2, 20), ""), (3, "i1", frame(BROADCAST, A, 3), "p1"),
          (4, "p1", frame(BROADCAST, B, 4), {"i1": frame(BROADCAST, B, 4), "t1": frame(BROADCAST, B, 4, 64, tags=[(Q, 10)])}),
          (5, "i1", frame(C, A, 5), "")], {"t1": {"no-receiver": 1, "isolated": 1}})
scenario("policy", "floods_by_kind", "unknown, broadcast and multicast have a switch each",
         "{ALPHA: {vni: 100, unknown: drop}, BETA: {vni: 200, broadcast: drop}, GAMMA: {vni: 300, multicast: drop}}",
         {f"{s}{i}": segment for s, segment in (("a", "ALPHA"), ("b", "BETA"), ("c", "GAMMA")) for i in (1, 2)},
         [(ms, f"{s}1", frame(dst, A, ms), "" if s == stopped else f"{s}2")
          for ms, (s, dst, stopped) in enumerate(((s, dst, stopped) for s in "abc" for dst, stopped in (
              (host(99), "a"), (BROADCAST, "b"), ("01:00:5e:00:00:fb", "c"))), 1)],
         {"a1": {"unknown-unicast": 1}, "b1": {"no-broadcast": 1}, "c1": {"no-multicast": 1}})
scenario("policy", "link_local_by_protocol", "each protocol is told by its address, LLDP by its EtherType, on any of its three addresses",
         "{ALPHA: {vni: 100, lldp: on, stp: on}}", {"p1": "ALPHA", "p2": "ALPHA"},
         [(ms, "p1", frame("01:80:c2:00:00:%02x" % last, A, ms, ethertype=kind), "p2" if passes else "")
          for ms, (last, kind, passes) in enumerate(((0, 0x26, 1), (0, 0x88CC, 1), (3, 0x88CC, 1), (14, 0x88CC, 1), (14, 0x88B5, 0),
                                                     (1, 0x8808, 0), (2, 0x8809, 0), (3, 0x888E, 0), (0x10, 0x88B5, 1)), 1)],
         {"p1": {"link-local": 4}})

# What is larger than the segment's MTU; who it came from is told, if it is IP and may not be cut.
scenario("mtu", "exact_and_one_more", "1,500 bytes pass, 1,501 do not; a tag is no part of the packet",
         TWO, {"a1": "ALPHA", "t1": "trunk: {ALPHA: 10}"},
         [(1, "a1", frame(BROADCAST, A, 1, 1514), {"t1": frame(BROADCAST, A, 1, 1518, tags=[(Q, 10)])}),
          (2, "a1", frame(BROADCAST, A, 2, 1515), ""), (3, "t1", frame(BROADCAST, C, 3, 1518, tags=[(Q, 10)]), {"a1": frame(BROADCAST, C, 3, 1514)}),
          (4, "t1", frame(BROADCAST, C, 4, 1519, tags=[(Q, 10)]), "")], {"a1": {"too-big": 1}, "t1": {"too-big": 1}})
scenario("mtu", "second_tag_is_extra", "between ports with qinq=on the second tag is no part of the packet either",
         ALPHA_ONLY, {"q1": "segment: ALPHA, qinq: on", "q2": "segment: ALPHA, qinq: on"},
         [(1, "q1", frame(BROADCAST, A, 1, 1518, tags=[(Q, 7)]), "q2"), (2, "q1", frame(BROADCAST, A, 2, 1519, tags=[(Q, 7)]), "")],
         {"q1": {"too-big": 1}})
scenario("mtu", "each_segment_has_its_own", "on one trunk each segment has its MTU",
         "{ALPHA: {vni: 100, vlan: 10, mtu: 1400}, BETA: {vni: 200, vlan: 20, mtu: 9000}}",
         {"a1": "ALPHA", "b1": "BETA", "t1": "trunk: {ALPHA: own, BETA: own}"},
         [(1, "t1", frame(BROADCAST, C, 1, 1418, tags=[(Q, 10)]), {"a1": frame(BROADCAST, C, 1, 1414)}),
          (2, "t1", frame(BROADCAST, C, 2, 1419, tags=[(Q, 10)]), ""),
          (3, "t1", frame(BROADCAST, C, 3, 9018, tags=[(Q, 20)]), {"b1": frame(BROADCAST, C, 3, 9014)}),
          (4, "t1", frame(BROADCAST, C, 4, 9019, tags=[(Q, 20)]), "")], {"t1": {"too-big": 2}})

# Limits that several share. In ALPHA four ports share eight addresses: two each.
scenario("learning", "largest_gives_up", "in a full segment always the port that has most now gives up its oldest, until all have their share",
         "{ALPHA: {vni: 100, max_macs: 8}}", {f"p{i}": "ALPHA" for i in range(1, 5)},
         [(i * S, "p1", frame(BROADCAST, host(10 + i), i), "p2 p3 p4") for i in range(1, 6)] +
         [(i * S, "p2", frame(BROADCAST, host(20 + i), i), "p1 p3 p4") for i in range(6, 9)] +
         [(i * S, "p3", frame(BROADCAST, host(30 + i), i), "p1 p2 p4") for i in range(9, 11)] +
         [(i * S, "p4", frame(BROADCAST, host(40 + i), i), "p1 p2 p3") for i in range(11, 13)] +
         [(20 * S, "p4", frame(host(address), host(51), address), who) for address, who in (
             (11, "p1 p2 p3"), (12, "p1 p2 p3"), (13, "p1 p2 p3"), (14, "p1"), (15, "p1"), (26, "p1 p2 p3"), (27, "p2"), (28, "p2"),
             (39, "p3"), (40, "p3"))] +
         [(21 * S, "p1", frame(host(address), host(15), address), who) for address, who in ((51, "p4"), (52, "p4"))])
scenario("learning", "counts_in_the_segment", "in a full segment only what a trunk has in that segment counts, and is given up",
         "{ALPHA: {vni: 100, vlan: 10, max_macs: 4}, BETA: {vni: 200, vlan: 20}}",
         {"t1": "trunk: {ALPHA: 10, BETA: 20}", "a1": "ALPHA", "a2": "ALPHA", "b1": "BETA"},
         [(i * S, "t1", bits(i, 20)[:6] + frame(BROADCAST, host(60 + i), i, 64, tags=[(Q, 20)])[6:],
           {"b1": frame(BROADCAST, host(60 + i), i)}) for i in range(1, 9)] +
         [(9 * S, "t1", frame(BROADCAST, C, 9, 64, tags=[(Q, 10)]), {p: frame(BROADCAST, C, 9) for p in ("a1", "a2")})] +
         [(i * S, "a1", frame(BROADCAST, host(i), i), {"a2": frame(BROADCAST, host(i), i), "t1": frame(BROADCAST, host(i), i, 64, tags=[(Q, 10)])})
          for i in range(10, 13)] +
         [(13 * S, "a2", frame(C, B, 13), {"t1": frame(C, B, 13, 64, tags=[(Q, 10)])}),
          (14 * S, "a1", frame(B, host(12), 14), "a2"), (15 * S, "a2", frame(C, B, 15), {"t1": frame(C, B, 15, 64, tags=[(Q, 10)])}),
          (16 * S, "a2", frame(host(10), B, 16), {"a1": frame(host(10), B, 16), "t1": frame(host(10), B, 16, 64, tags=[(Q, 10)])})])


def behind(ms, vlan, address, mark):
    """A broadcast from behind the trunk, and what the segment's access port gets."""
    return (ms, "t1", frame(BROADCAST, address, mark, 64, tags=[(Q, vlan)]), {"a1" if vlan == 10 else "b1": frame(BROADCAST, address, mark)})


def asked(ms, vlan, address, mark, is_known):
    """A frame from the segment's access port to an address behind the trunk: known or not, it goes there, and to nobody else."""
    port, other = ("a1", "a2") if vlan == 10 else ("b1", "b2")
    sent = frame(address, B, mark)
    return (ms, port, sent, dict({"t1": frame(address, B, mark, 64, tags=[(Q, vlan)])}, **({} if is_known else {other: sent})))


scenario("learning", "trunk_segments_share", "the segments of a trunk share its limit: who has more than its part gives up its own",
         TWO, {"t1": "trunk: {ALPHA: 10, BETA: 20}, max_macs: 4", "a1": "ALPHA", "a2": "ALPHA", "b1": "BETA", "b2": "BETA"},
         [(ms, port, data, dict(got, **{"a2" if "a1" in got else "b2": got["a1" if "a1" in got else "b1"]})) for ms, port, data, got in (
             behind(1 * S, 20, host(21), 1), behind(2 * S, 10, host(11), 2), behind(3 * S, 10, host(12), 3), behind(4 * S, 10, host(13), 4),
             behind(5 * S, 10, host(14), 5))] + [asked(5.5 * S, 20, host(21), 55, True)] +
         [(ms, port, data, dict(got, b2=got["b1"])) for ms, port, data, got in (
             behind(6 * S, 20, host(21), 6), behind(7 * S, 20, host(22), 7))] +
         [asked(8 * S, 20, host(21), 8, True), asked(9 * S, 10, host(11), 9, False), asked(10 * S, 10, host(12), 10, False),
          asked(11 * S, 10, host(13), 11, True), asked(12 * S, 10, host(14), 12, True), asked(13 * S, 20, host(22), 13, True)])
scenario("learning", "trunk_segment_at_its_part", "a segment of a trunk that has its part gives up its own, though another has more",
         THREE, {"t1": "trunk: {ALPHA: 10, BETA: 20, GAMMA: 30}, max_macs: 6", "a1": "ALPHA", "a2": "ALPHA", "b1": "BETA", "b2": "BETA",
                 "c1": "GAMMA"},
         [(ms, port, data, dict(got, **{"a2": got["a1"]} if "a1" in got else {"b2": got["b1"]})) for ms, port, data, got in (
             behind(i * S, 20, host(20 + i), i) for i in (1, 2, 3))] +
         [(ms, port, data, dict(got, a2=got["a1"])) for ms, port, data, got in (
             behind(4 * S, 10, host(11), 4), behind(5 * S, 10, host(12), 5))] +
         [(6 * S, "t1", frame(BROADCAST, host(31), 6, 64, tags=[(Q, 30)]), {"c1": frame(BROADCAST, host(31), 6)})] +
         [(ms, port, data, dict(got, a2=got["a1"])) for ms, port, data, got in (behind(7 * S, 10, host(13), 7),)] +
         [asked(8 * S, 20, host(21), 8, True), asked(9 * S, 10, host(11), 9, False), asked(10 * S, 10, host(12), 10, True),
          asked(11 * S, 10, host(13), 11, True), asked(12 * S, 20, host(22), 12, True), asked(13 * S, 20, host(23), 13, True)])
