# SPDX-License-Identifier: BSD-3-Clause
"""Channels: who waits in weft, in which order it leaves, and what is marked, cut or dropped meanwhile."""
from channels import GUEST, SLOW, TAP, channels, some
from frames import A, B, BROADCAST, C, frame, host, tcp
from tunnels import eth, ip_packet, vxlan

SLOW_RX = "slow: {rx: {ceil: 1M, burst: 2000%s}}"
V4 = ("10.9.0.1", "10.9.0.2")


def marked(dst, src, mark, tos, size=500, v6=False):
    """An IP packet whose sender knows ECN, or not: tos 0 no, 1 and 2 yes."""
    ends = ("fd00::1", "fd00::2") if v6 else ("10.0.0.1", "10.0.0.2")
    fixed = 14 + (40 if v6 else 20)
    return eth(dst, src, ip_packet(*ends, 253, b"WEFTMARK" + mark.to_bytes(4, "big") + bytes(size - fixed - 12), tos=tos))


def stream(begin, gap, n, port, make, first=0):
    """make(i): n frames, one each `gap` ms."""
    return [(begin + i * gap, port, make(first + i)) for i in range(n)]


def in_order(*streams):
    return sorted((packet for one in streams for packet in one), key=lambda packet: packet[0])


def q(n, size=200, dst=BROADCAST, src=A):
    return lambda i: frame(dst, src, n + i, size)


# --- marks and drops for delay ---

channels("ring_marks", "what a long ring is behind is marked where its sender knows marks; what is at its end is not",
         {"p1": GUEST + ", channel: slow", "p2": TAP},
         [(1, "p1", marked(BROADCAST, A, i, (2, 1, 0, 3)[i % 4], v6=i % 3 == 2)) for i in range(40)] + some(1, "p1", 4, size=500, first=90),
         channels="slow: {tx: {ceil: 1M, burst: 2000, latency: 40ms}}")
channels("ring_marks_shared", "two rings of one channel are twice as long behind: both are marked where one alone would not be",
         {"p1": GUEST + ", channel: slow", "p2": GUEST + ", channel: slow", "p3": TAP},
         [(1, "p1", marked(BROADCAST, A, i, 2)) for i in range(24)] + [(1, "p2", marked(BROADCAST, B, i, 2)) for i in range(100, 112)],
         channels="slow: {tx: {ceil: 1M, burst: 2000, latency: 80ms}}")
channels("ring_marks_not_in_time", "in a ring within the latency nothing is marked",
         {"p1": GUEST + ", channel: slow", "p2": TAP}, [(1, "p1", marked(BROADCAST, A, i, 2)) for i in range(12)],
         channels="slow: {tx: {ceil: 1M, burst: 2000, latency: 200ms}}")
# 200 bytes are 0.8 ms at 2M: a frame each 0.5 ms is too much. The interval is 20 latencies.
LATE = "slow: {tx: {ceil: 2M, burst: 2000, latency: 5ms}}"
channels("codel_drops", "a flow that stays late loses frames, the oldest, ever sooner; after a pause it begins where it was",
         {"p1": TAP + ", channel: slow", "p2": TAP},
         stream(1, 0.7, 800, "p1", q(0)) + stream(800, 0.7, 400, "p1", q(1000)), drops={"p1": {"queue-delay": 10}}, channels=LATE)
channels("codel_marks", "a flow that knows marks gets them in place of drops, IPv4 and IPv6, in whatever lies behind a tag, too",
         {"p1": TAP + ", channel: slow", "p2": TAP + ", channel: slow", "p3": TAP},
         in_order(stream(1, 1, 350, "p1", lambda i: marked(BROADCAST, A, i, 2, 200)),
                  stream(1, 1, 350, "p2", lambda i: marked(BROADCAST, B, 1000 + i, 1, 200, v6=True))), channels=LATE)
channels("codel_forgives", "a delay that falls below the target in time is forgotten: nobody loses anything",
         {"p1": TAP + ", channel: slow", "p2": TAP},
         [packet for k in range(6) for packet in stream(1 + 90 * k, 0.5, 100, "p1", q(200 * k))], channels=LATE)
channels("codel_each_flow", "only the flow that is late loses frames: a sparse one beside it does not, and is not late",
         {"p1": TAP, "p2": TAP + ", channel: slow", "p3": TAP},
         in_order(stream(1, 0.7, 600, "p1", q(0, dst=B)), stream(3.3, 12, 30, "p3", q(2000, 60, dst=B, src=C))),
         drops={"p2": {"queue-delay": 5}}, channels="slow: {rx: {ceil: 2M, burst: 2000, latency: 5ms}}")
channels("codel_off_for_rings", "what a trunk guest's ring holds is neither marked nor dropped, however late",
         {"p1": "type: vhost-user, trunk: {ALPHA: 10}, channel: slow", "p2": TAP},
         [(1, "p1", frame(BROADCAST, A, i, 500, tags=[(0x8100, 10)])) for i in range(60)],
         channels="slow: {tx: {ceil: 1M, burst: 2000, latency: 5ms}}")

# --- room, and turns of flows ---

channels("queue_is_full", "a queue that is full loses the oldest frames of who has most in it, and nobody else's",
         {"p1": TAP, "p2": TAP + ", channel: slow", "p3": TAP, "p4": TAP},
         [(1, "p2", frame(BROADCAST, B, 999, 60))] + some(2, "p3", 20, src=C, dst=B, size=60, first=300) + some(2, "p1", 150, dst=B, size=90) +
         some(2, "p4", 5, src=host(4), dst=B, size=1000, first=500) + some(3, "p1", 5, dst=B, size=90, first=700),
         drops={"p2": {"queue-full": 29}}, channels="slow: {rx: {ceil: 500k, burst: 2000, latency: 40ms}}")
channels("queue_as_long_as_its_rate", "a queue of a faster channel holds more: 400 frames wait, none is lost",
         {"p1": TAP, "p2": TAP + ", channel: fast", "p3": TAP},
         some(1, "p2", 1, src=B, size=60, first=999) + some(2, "p1", 400, dst=B, size=700) + some(2, "p3", 20, src=C, dst=B, size=300, first=600),
         channels="fast: {rx: {ceil: 20M, burst: 2000, latency: 200ms}}")
channels("flows_in_turn", "flows of one queue leave in turn, each as many bytes; a sparse one goes first, but once",
         {"p1": TAP, "p2": TAP + ", channel: slow", "p3": TAP, "p4": TAP},
         in_order([(0, "p2", frame(BROADCAST, B, 999, 60))], some(1, "p1", 30, dst=B), some(1, "p3", 60, src=C, dst=B, size=400, first=100),
                  stream(5, 9, 40, "p4", q(300, 100, dst=B, src=host(4))), stream(7.3, 31, 12, "p4", q(400, 1400, dst=B, src=host(5)))),
         channels=SLOW_RX % ", latency: 900ms")
channels("many_flows", "more flows than a queue tells apart: those that share a place share its turn, and none is lost",
         {"p1": TAP, "p2": TAP + ", channel: slow"},
         [(0, "p2", frame(BROADCAST, B, 999, 60))] + [(1 + i // 150, "p1", frame(B, host(1000 + i % 150), i, 60 + i % 7 * 40)) for i in range(300)],
         channels="slow: {rx: {ceil: 4M, burst: 2000, latency: 500ms}}")
channels("sizes_of_blocks", "frames that fill a block, that need one byte more, and that need five, leave as they came",
         {"p1": "segment: ALPHA", "p2": TAP + ", channel: slow"},
         [(0, "p2", frame(BROADCAST, B, 999, 60))] +
         [(1, "p1", frame(B, A, i, size)) for i, size in enumerate((60, 127, 128, 129, 1983, 1984, 1985, 4031, 4032, 4033, 9000, 60, 14, 1500))],
         segments="{ALPHA: {vni: 100, mtu: 9000}}", channels="slow: {rx: {ceil: 1M, burst: 9100, latency: 900ms}}")

# --- large TCP frames ---

def large(src, n, first=0, dst=BROADCAST, size=4000):
    return [tcp(dst, src, (first + i) * size, bytes([65 + (first + i) % 26]) * size, ident=100 * (first + i)) for i in range(n)]


channels("large_from_a_ring", "a large TCP frame of a slow guest leaves piece by piece; its neighbour's frames go between them",
         {"p1": GUEST + ", channel: slow", "p2": GUEST + ", channel: slow", "p3": TAP},
         [(1, "p1", one) for one in large(A, 5)] + some(1, "p1", 3, size=60, first=80) + some(1, "p2", 12, src=B, size=300, first=100),
         channels=SLOW, sends={"p1": 1448}, takes={"p3": "all"})
channels("large_from_a_tap", "a large TCP frame of a tap waits as its pieces",
         {"p1": TAP + ", channel: slow", "p2": TAP, "p3": TAP},
         some(1, "p1", 2, size=60) + [(1, "p1", one) for one in large(A, 5)] + some(1, "p1", 3, size=60, first=80),
         channels=SLOW, sends={"p1": 1448}, takes={"p3": "all"})
channels("large_to_a_port", "a large TCP frame to a slow port leaves piece by piece, also to one that takes them whole",
         {"p1": TAP, "p2": TAP + ", channel: slow", "p3": TAP}, [(0, "p2", frame(BROADCAST, B, 999, 60))] +
         some(1, "p3", 8, src=C, dst=B, size=300, first=100) + [(1, "p1", one) for one in large(A, 4, dst=B)] + some(2, "p3", 4, src=C, dst=B, size=300, first=200),
         channels=SLOW_RX % ", latency: 900ms", sends={"p1": 1448}, takes={"p2": "all"})
channels("large_and_fast", "where they are short at the rate, large frames stay whole, and cost what their pieces would",
         {"p1": GUEST + ", channel: fast", "p2": TAP, "p3": TAP},
         [(1, "p1", one) for i in range(12) for one in large(A, 1, i, size=16000) + large(A, 1, 50 + i, size=700)] + some(1, "p1", 40, size=900, first=400),
         channels="fast: {account: wire, tx: {ceil: 1G, burst: 9000}}", sends={"p1": 1448}, takes={"p2": "all"})
channels("large_and_fast_to_a_port", "the same on the way to a port, and beside it to one that has them cut",
         {"p1": TAP, "p2": TAP + ", channel: fast", "p3": TAP + ", channel: fast"},
         [(1, "p1", one) for i in range(12) for one in large(A, 1, i, size=16000) + large(A, 1, 50 + i, size=700)] + some(1, "p1", 20, size=900, first=400),
         channels="fast: {account: wire, rx: {ceil: 1G, burst: 9000, latency: 20ms}}", sends={"p1": 1448}, takes={"p2": "all"})
channels("large_tap_fast", "the same from a tap, whose frames all go at once while there is credit",
         {"p1": TAP + ", channel: fast", "p2": TAP},
         [(1 + i, "p1", one) for i in range(6) for one in large(A, 1, i, size=9000)] + some(9, "p1", 20, size=900, first=400) + [(9, "p1", one) for one in large(A, 8, 30, size=9000)],
         channels="fast: {account: wire, tx: {ceil: 1G, burst: 30000}}", sends={"p1": 1448}, takes={"p2": "all"})
channels("members_fast", "guests of a fast channel take turns of what 50 us carry",
         {"p1": GUEST + ", channel: fast", "p2": GUEST + ", channel: fast", "p3": TAP},
         some(1, "p1", 90, size=1500) + some(1, "p2", 160, src=B, size=700, first=200), channels="fast: {tx: {ceil: 1G, burst: 9000}}")

# --- frames a second ---

channels("frames_per_second_of_a_tap", "pps counts a tap's frames as a guest's: those that have no turn wait in weft",
         {"p1": TAP + ", channel: slow", "p2": TAP}, some(1, "p1", 6, size=60) + some(35, "p1", 3, size=1500, first=20),
         channels="slow: {tx: {ceil: 1G, pps: 100, burst: 200000}}")
channels("frames_per_second_to_a_port", "pps on the way to a port: three at once after a pause, then 10 ms apart",
         {"p1": TAP, "p2": TAP + ", channel: slow"},
         some(0, "p2", 1, src=B, size=60) + some(1, "p1", 9, dst=B, size=60) + some(200, "p1", 4, dst=B, size=60, first=20) + some(500, "p1", 1, dst=B, first=30, size=60),
         channels="slow: {rx: {ceil: 1M, pps: 100, burst: 4000}}")

# --- trunks ---

TAGGED = "{ALPHA: {vni: 100, vlan: 10, channel: slow}, BETA: {vni: 200, vlan: 20, channel: fast}, GAMMA: {vni: 300, vlan: 30}}"
TRUNK = "trunk: {ALPHA: 10, BETA: 20, GAMMA: 30}"
RATES = "slow: {tx: {ceil: 1M, burst: 2000}, rx: {ceil: 1M, burst: 2000, latency: 500ms}}, " \
    "fast: {tx: {ceil: 4M, burst: 2000}, rx: {ceil: 4M, burst: 2000, latency: 500ms}}"


def mixed(port, n, src=A, first=0, vlans=(10, 10, 20, 30, 0, 20, 99)):
    return [(1, port, frame(BROADCAST, src, first + i, 700, tags=[(0x8100, vlans[i % len(vlans)])] if vlans[i % len(vlans)] else ())) for i in range(n)]


channels("trunk_of_a_guest", "a guest's trunk has no channel, its segments have: their frames wait in weft, each by its tag",
         {"t1": "type: vhost-user, " + TRUNK, "a1": "ALPHA", "b1": "BETA", "c1": "GAMMA"}, mixed("t1", 42), segments=TAGGED, channels=RATES,
         drops={"t1": {"no-segment": 6, "vlan": 6}})
channels("trunk_with_native", "what comes untagged has the channel of the native segment",
         {"t1": "trunk: {BETA: 20, GAMMA: 30}, native: ALPHA", "a1": "ALPHA", "b1": "BETA", "c1": "GAMMA"},
         mixed("t1", 24, vlans=(0, 0, 20, 30)) + [(2, "t1", frame(BROADCAST, A, 800, 13))], segments=TAGGED, channels=RATES)
channels("trunk_with_its_own", "a trunk that has a channel itself has one queue, in its guest's ring",
         {"t1": "type: vhost-user, channel: fast, " + TRUNK, "a1": "ALPHA", "b1": "BETA", "c1": "GAMMA"}, mixed("t1", 24, vlans=(10, 20, 30)), segments=TAGGED, channels=RATES)
channels("to_a_trunk", "what is for a trunk waits in its segment's lane; the lanes do not wait for each other",
         {"t1": TRUNK, "a1": "type: tap, trunk: {ALPHA: 1, BETA: 2, GAMMA: 3}", "c1": "GAMMA"},
         [(1, "a1", frame(BROADCAST, A, i, 700, tags=[(0x8100, 1 + (i * i + i // 3) % 3)])) for i in range(42)], segments=TAGGED, channels=RATES)
channels("trunk_loses_its_channels", "segments of a trunk lose and change their channel: what waits leaves, or waits on; a member that goes loses it",
         {"t1": TRUNK, "x1": "type: tap, trunk: {ALPHA: 1, BETA: 2, GAMMA: 3}"},
         [(1, "x1", frame(BROADCAST, A, i, 700, tags=[(0x8100, 1 + i % 3)])) for i in range(60)] + [(60, "x1", frame(BROADCAST, A, 200 + i, 700, tags=[(0x8100, 1 + i % 3)])) for i in range(9)],
         segments=TAGGED, channels=RATES,
         at={"20ms": "segments: {BETA: {channel: slow}}", "30ms": "segments: {ALPHA: {channel: null}}", "45ms": "segments: {GAMMA: {channel: fast}}",
             "70ms": "ports: {t1: {trunk: {ALPHA: 10, GAMMA: 30}}}"})

# --- changes while frames wait in weft ---

channels("tap_changes_channel", "frames that wait in weft go on in the port's new channel; without one all leave at once",
         {"p1": TAP + ", channel: slow", "p2": TAP}, some(1, "p1", 20), channels=SLOW + ", other: {tx: {ceil: 4M, burst: 2000}}",
         at={"30ms": "ports: {p1: {channel: other}}", "41ms": "ports: {p1: {channel: slow}}", "70ms": "ports: {p1: {channel: null}}"})
channels("port_changes_channel", "the same on the way to a port; what comes after those that left waits for nobody",
         {"p1": TAP, "p2": TAP + ", channel: slow"}, some(1, "p1", 20) + some(90, "p1", 3, first=50) + some(120, "p1", 8, first=60),
         channels=SLOW_RX % ", latency: 900ms" + ", other: {rx: {ceil: 4M, burst: 2000, latency: 900ms}}",
         at={"30ms": "ports: {p2: {channel: other}}", "41ms": "ports: {p2: {channel: slow}}", "70ms": "ports: {p2: {channel: null}}",
             "110ms": "ports: {p2: {channel: other}}"})
channels("blocked_while_it_waits", "what waits for a port that is blocked meanwhile is dropped when its turn comes",
         {"p1": TAP, "p2": TAP + ", channel: slow"}, some(1, "p1", 10), channels=SLOW_RX % "", drops={"p2": {"blocked": 5}},
         at={"20ms": "ports: {p2: {state: blocked}}", "40ms": "ports: {p2: {state: active}}"})
channels("segment_goes_while_it_waits", "what waits for a port is not let out into the segment that the port has got meanwhile",
         {"p1": TAP, "p2": TAP + ", channel: slow"}, some(1, "p1", 10) + some(50, "p1", 2, first=40), channels=SLOW_RX % "",
         at={"20ms": "segments: {ALPHA: null, DELTA: {vni: 101}}, ports: {p1: {segment: DELTA}, p2: {segment: DELTA}}"}, drops={"p2": {"wrong-segment": 5}})
channels("queue_in_the_switch", "queue=switch: a guest's frames wait in weft, as a tap's",
         {"p1": GUEST + ", channel: slow, queue: switch", "p2": TAP}, some(1, "p1", 12) + [(1, "p1", one) for one in large(A, 2, 9)], channels=SLOW, sends={"p1": 1448})

# --- tunnels ---

def tunnelled(name, about, packets, **keys):
    peers = {"h2": (f"vtep: '{V4[1]}'", "up")}
    channels(name, about, {"up": f"type: uplink, ifname: u0, vtep: '{V4[0]}', channel: slow", "p1": "ALPHA", "p2": "ALPHA"}, packets, peers=peers, **keys)


tunnelled("to_a_peer", "what is for another host waits for the channel of the uplink",
          some(1, "p1", 12) + [(60, "p1", frame(BROADCAST, A, 50, 60))], channels="slow: {tx: {ceil: 1M, burst: 2000}, rx: {ceil: 1M, burst: 2000, latency: 500ms}}")
tunnelled("from_a_peer", "what another host sends waits for the channel of the uplink, and may teach when it has left",
          [(1, "up", vxlan(frame(BROADCAST, host(9), i, 700), V4[1], V4[0])) for i in range(12)] +
          [(30, "p1", frame(host(9), A, 50, 60)), (90, "p1", frame(host(9), A, 51, 60))],
          channels="slow: {tx: {ceil: 1M, burst: 2000}, rx: {ceil: 1M, burst: 2000, latency: 500ms}}")

# --- guests that do not read ---

RECEIVER = GUEST + ", channel: fast"
FAST = "fast: {rx: {ceil: 10M, burst: 3000, latency: 40ms}}"
HELLO = [(0, "p2", frame(BROADCAST, B, 999, 60))]
channels("receiver_pauses", "frames wait in weft for a guest that does not read for 30 ms, and leave in their order, at its ceiling",
         {"p1": TAP, "p2": RECEIVER, "p3": TAP}, HELLO + stream(5, 2, 30, "p1", q(0, 300, dst=B)) + some(90, "p3", 2, src=C, dst=B, size=60, first=500),
         channels=FAST, full={"p2": "[10ms, 40ms]"})
channels("receiver_stays_full", "after 50 ms nobody waits for it any more: what waited is lost, and what comes is, until it reads again",
         {"p1": TAP, "p2": RECEIVER}, HELLO + stream(5, 3, 60, "p1", q(0, 300, dst=B)), drops={"p2": {"ring-full": 40}},
         channels=FAST, full={"p2": "[10ms, 130ms]"})
channels("receiver_is_stuffed", "while it does not read, no more waits than would fit a ring",
         {"p1": TAP, "p2": RECEIVER}, HELLO + some(11, "p1", 380, dst=B, size=60) + some(12, "p1", 380, dst=B, size=60, first=400) + some(60, "p1", 4, dst=B, size=60, first=800),
         drops={"p2": {"ring-full": 188}}, channels=FAST, full={"p2": "[10ms, 40ms]"})
channels("receiver_of_many", "two guests of one channel: who does not read does not hold up the other",
         {"p1": TAP, "p2": RECEIVER, "p3": RECEIVER}, HELLO + [(0, "p3", frame(BROADCAST, C, 998, 60))] +
         in_order(stream(5, 1, 40, "p1", q(0, 1000, dst=B)), stream(5.5, 1, 40, "p1", q(200, 1000, dst=C))), channels=FAST, full={"p2": "[10ms, 45ms]"})
channels("receiver_in_the_middle", "a guest becomes full while frames wait for credit; it loses its channel, gets another, and goes",
         {"p1": TAP, "p2": GUEST + ", channel: slow"}, HELLO + some(1, "p1", 30, dst=B), channels=SLOW_RX % ", latency: 900ms" + ", other: {rx: {ceil: 4M, burst: 2000, latency: 900ms}}",
         full={"p2": "[20ms, 60ms]"}, at={"35ms": "ports: {p2: {channel: other}}", "70ms": "ports: {p2: {channel: null}}"})
channels("large_to_a_receiver", "large frames and small ones, whole and cut, for a guest that pauses",
         {"p1": TAP, "p2": RECEIVER}, HELLO + [(1, "p1", one) for one in large(A, 3, dst=B)] + [(15, "p1", one) for one in large(A, 3, 9, dst=B)] + some(16, "p1", 5, dst=B, first=50),
         channels="fast: {rx: {ceil: 1G, burst: 9000, latency: 40ms}}", sends={"p1": 1448}, takes={"p2": "all"}, full={"p2": "[10ms, 40ms]"})
channels("members_to_ports", "two ports of one channel: who has credit waits behind who waits already, on both ways",
         {"p1": TAP, "p2": TAP + ", channel: slow", "p3": TAP + ", channel: slow"}, HELLO + [(0, "p3", frame(BROADCAST, C, 998, 60))] +
         some(1, "p1", 6, dst=B) + stream(2, 8, 12, "p1", q(100, 100, dst=C)) + some(150, "p2", 6, src=B, dst=A, first=300) + stream(151, 7, 8, "p3", q(400, 100, dst=A, src=C)),
         channels="slow: {rx: {ceil: 1M, burst: 2000, latency: 300ms}, tx: {ceil: 1M, burst: 2000, latency: 300ms}}")
