#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Judges frames that tshark has dissected (lib/wire.sh): reads its lines.

    wire.py well-formed SENDER CHECKSUM    all that SENDER (an address) has tunnelled is well formed;
                                           CHECKSUM: of the outer UDP, "none", "full" or "any"
    wire.py entropy FLOWS PORTS            FLOWS flows of UDP, of at least PORTS outer ports, each of one
"""
import collections
import re
import sys

FIELDS = ("length dst vni ip_len df ttl ip_status plen hops udp_len udp_port udp_sum udp_status"
          " tcp_sum tcp_status malformed severity protocols src4 src6").split()
GOOD, NOT_THERE = "1", "3"    # of tshark's PROTO_CHECKSUM_E
EXPERT_ERROR = 0x800000
OUTER = re.compile("eth:ethertype:ip(v6)?:udp:vxlan:")


def frames():
    for line in sys.stdin:
        values = line.rstrip("\n").split("|")
        yield {name: value.split(",") if value else [] for name, value in zip(FIELDS, values)}


def numbers(words):
    return [int(word, 0) for word in words]


def is_true(word):
    return word in ("1", "True")


def faults(frame, checksum):
    """What is wrong with a tunnelled frame. Lists have the outer header's value first."""
    length = int(frame["length"][0])
    is_ipv4 = frame["protocols"][0].startswith("eth:ethertype:ip:")
    if frame["malformed"] or any(value >= EXPERT_ERROR for value in numbers(frame["severity"])):
        yield "malformed"
    # 0xffff adds up as 0 does, and Linux writes it; tshark warns of it as of a wrong sum, whose
    # severity is an error, though.
    if any(status != GOOD for status in frame["ip_status"]) or any(
            status != GOOD and int(value, 0) != 0xFFFF
            for value, status in zip(frame["tcp_sum"], frame["tcp_status"])):
        yield "checksum of IP or TCP"
    outer, *inner = frame["udp_status"]
    if any(status not in (GOOD, NOT_THERE) for status in inner):
        yield "checksum of inner UDP"
    has_sum = numbers(frame["udp_sum"])[0] != 0
    if has_sum != {"none": False, "full": True, "any": has_sum}[checksum] or (has_sum and outer != GOOD):
        yield "checksum of outer UDP"
    if is_ipv4:
        if not is_true(frame["df"][0]):
            yield "DF"
        payload = int(frame["ip_len"][0]) - 20
    else:
        payload = int(frame["plen"][0])
    if (frame["ttl"] if is_ipv4 else frame["hops"])[0] != "64":
        yield "TTL"
    if length != 14 + (20 if is_ipv4 else 40) + payload or payload != int(frame["udp_len"][0]):
        yield "outer length"
    inner_length = payload - 16
    inner_ip = frame["ip_len"][1:] if is_ipv4 else frame["ip_len"]
    if inner_ip and not 14 + int(inner_ip[0]) <= inner_length <= max(14 + int(inner_ip[0]), 60):
        yield "inner length"
    if not 32768 <= int(frame["udp_port"][0]) <= 65535:
        yield "source port"


def well_formed(sender, checksum):
    kinds, longest, bad = collections.Counter(), 0, collections.Counter()
    for frame in frames():
        # A host's ICMP may quote a tunnel's frame.
        outer = OUTER.match(frame["protocols"][0])
        if not outer or frame["src6" if outer[1] else "src4"][0] != sender:
            continue
        kinds[frame["protocols"][0].split("vxlan:eth:ethertype:")[-1].replace(":data", "")] += 1
        longest = max(longest, int(frame["length"][0]))
        for fault in faults(frame, checksum):
            bad[fault] += 1
            if bad[fault] == 1:
                print(f"{fault}: {frame}")
    print(f"tshark: {sum(kinds.values())} frames of {sender}, longest {longest} bytes,"
          f" inner {dict(kinds)}, faults {dict(bad)}")
    return not bad and kinds["ip:tcp"] > 0 and kinds["arp"] > 0


def entropy(n_flows, n_ports):
    ports = collections.defaultdict(set)
    for frame in frames():
        if frame["vni"] and len(frame["udp_port"]) == 2:
            ports[frame["udp_port"][1]].add(frame["udp_port"][0])
    used = set().union(*ports.values())
    print(f"{len(ports)} flows on {len(used)} source ports,"
          f" at most {max(map(len, ports.values()))} of one flow")
    return len(ports) == n_flows and len(used) >= n_ports and all(len(p) == 1 for p in ports.values())


if sys.argv[1] == "well-formed":
    sys.exit(not well_formed(*sys.argv[2:]))
sys.exit(not entropy(*map(int, sys.argv[2:])))
