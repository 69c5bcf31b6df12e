# SPDX-License-Identifier: BSD-3-Clause
"""Channels: what comes, and when, to the nanosecond. 1,000 bytes are 8,000 bits: 8 ms at 1M."""
from frames import A, ALPHA_ONLY, B, BROADCAST, C, THREE, frame, host, scenario


def channels(name, about, ports, packets, segments=ALPHA_ONLY, drops=None, **keys):
    lab = {key: keys.pop(key) for key in ("pools", "channels", "vms") if key in keys}
    scenario("channels", name, about, segments, ports, packets, drops, lab=lab, **keys)


def some(ms, port, n, src=A, dst=BROADCAST, size=1000, first=0):
    return [(ms, port, frame(dst, src, first + i, size)) for i in range(n)]


GUEST, TAP = "type: vhost-user, segment: ALPHA", "segment: ALPHA"
SLOW = "slow: {tx: {ceil: 1M, burst: 2000}}"

channels("from_a_guest", "a guest's ring is held: frames wait there and leave at the ceiling, 8 ms apart",
         {"p1": GUEST + ", channel: slow", "p2": TAP}, some(1, "p1", 12), channels=SLOW)
channels("from_a_tap", "frames of a tap wait in weft, and leave as a guest's do",
         {"p1": TAP + ", channel: slow", "p2": TAP}, some(1, "p1", 12), channels=SLOW)
channels("to_a_port", "what is for a port waits for its channel, whoever sent it, and is nobody else's business",
         {"p1": TAP, "p2": TAP + ", channel: slow", "p3": TAP}, some(1, "p1", 12) + some(1, "p3", 2, src=C, dst=A, size=60, first=50),
         channels="slow: {rx: {ceil: 1M, burst: 2000}}")
channels("ways_are_apart", "the two ways of a channel know nothing of each other",
         {"p1": GUEST + ", channel: slow", "p2": TAP}, [x for i in range(8) for x in some(1, "p1", 1, first=i)] +
         some(2, "p2", 8, src=B, dst=A, first=20), channels="slow: {tx: {ceil: 1M, burst: 2000}, rx: {ceil: 4M, burst: 2000}}")
channels("rate_changes", "a new ceiling holds for what waits: 8 ms apart, then 4, then 80",
         {"p1": GUEST + ", channel: slow", "p2": TAP}, some(1, "p1", 20), channels=SLOW,
         at={"50ms": "channels: {slow: {tx: {ceil: 2M}}}", "80ms": "channels: {slow: {tx: {ceil: 100k}}}"})
channels("assigned_and_taken_away", "a channel that a port is given holds what comes next; without it all leaves at once",
         {"p1": GUEST, "p2": TAP}, some(1, "p1", 5) + some(11, "p1", 12, first=20), channels=SLOW,
         at={"10ms": "ports: {p1: {channel: slow}}", "50ms": "ports: {p1: {channel: null}}"})
channels("frames_per_second", "pps counts frames, however short",
         {"p1": GUEST + ", channel: slow", "p2": TAP}, some(1, "p1", 12, size=60), channels="slow: {tx: {ceil: 1G, pps: 100}}")
channels("bytes_on_the_wire", "account: wire counts 24 bytes more for each frame: 84 bytes in place of 60",
         {"p1": GUEST + ", channel: wire", "p2": GUEST + ", channel: bytes", "p3": TAP},
         some(1, "p1", 60, size=60) + some(1, "p2", 60, src=B, size=60, first=100),
         channels="wire: {account: wire, tx: {ceil: 100k, burst: 1514}}, bytes: {tx: {ceil: 100k, burst: 1514}}")
channels("members_share", "two guests of one channel have it in turn, each as many bytes",
         {"p1": GUEST + ", channel: slow", "p2": GUEST + ", channel: slow", "p3": TAP},
         some(1, "p1", 10) + some(1, "p2", 20, src=B, size=500, first=50), channels=SLOW)
# Rounds of a pool divide each millisecond anew: where a frame lies within one is theirs.
PAIRS = {"p1": GUEST + ", channel: %s", "p2": GUEST + ", channel: %s", "q1": TAP, "q2": TAP}
LEARN = [(0, "q1", frame(BROADCAST, host(21), 200)), (0, "q2", frame(BROADCAST, host(22), 201))]
SOON = {"q1": "[time 300us]", "q2": "[time 300us]"}


def pairs(first, second):
    return dict(PAIRS, p1=PAIRS["p1"] % first, p2=PAIRS["p2"] % second)


channels("pool_by_weight", "channels of a pool that want all of it share it by weight: 8 ms apart, and 2.67",
         pairs("one", "three"), LEARN + some(1, "p1", 30, dst=host(21)) + some(1, "p2", 90, src=B, dst=host(22), first=100),
         pools="host: {capacity: {tx: 4M, rx: 1G}}",
         channels="one: {pool: host, tx: {weight: 1, burst: 2000}}, three: {pool: host, tx: {weight: 3, burst: 2000}}", ignore=SOON)
# The pool is full when gold comes back with a burst of 2000 bytes: so much passes beyond the capacity, and it is nobody's
# fault, so it is taken off what is spare as soon as there is some: bronze is slower for some ms after gold has ended, never
# slower than the 1M that it is assured of. Gold's frames are 2.67 ms apart from the first moment.
channels("assured_comes_back", "what is assured to a channel and not used is lent, and there again when it is wanted: 2 ms apart, then 8",
         pairs("gold", "bronze"), LEARN + some(60, "p1", 30, dst=host(21)) + some(1, "p2", 60, src=B, dst=host(22), first=100),
         pools="host: {capacity: {tx: 4M, rx: 1G}}",
         channels="gold: {pool: host, tx: {rate: 3M, burst: 2000}}, bronze: {pool: host, tx: {rate: 1M, burst: 2000}}", ignore=SOON)
channels("trunk_by_segment", "on a trunk each segment's frames have that segment's channel",
         {"t1": "trunk: {ALPHA: 10, BETA: 20}", "a1": "ALPHA", "b1": "BETA"},
         [(1, "t1", frame(BROADCAST, A, i, 1004, tags=[(0x8100, 10 if i % 2 else 20)])) for i in range(16)],
         segments=THREE.replace("vlan: 10", "vlan: 10, channel: slow"), channels=SLOW)
channels("port_deleted", "frames that wait in weft for a port go with it, and are counted",
         {"p1": TAP, "p2": TAP + ", channel: slow"}, some(1, "p1", 10), channels="slow: {rx: {ceil: 1M, burst: 2000}}",
         drops={"p2": {"port-gone": 5}}, at={"20ms": "ports: {p2: null}"})
