#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Captures for replay_test.sh: replay.py FILE FORMAT COUNT GAP_US [FIRST_US [SOURCE]]

FORMAT: us, ns, us-swapped, ns-swapped (pcap) or pcapng. Each frame is a broadcast of 100 bytes with its number."""
import struct
import sys

BASE_NS = 1_700_000_000_000_000_000


def frame(number, source):
    head = b"\xff" * 6 + bytes([2, 0, 0, 0, 0, source]) + struct.pack("!H", 0x88B5)
    return (head + struct.pack("!I", number)).ljust(100, b"\x55")


def pcap(name, packets):
    order = ">" if name.endswith("swapped") else "<"
    is_ns = name.startswith("ns")
    magic = 0xA1B23C4D if is_ns else 0xA1B2C3D4
    yield struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    for time_ns, data in packets:
        part = time_ns % 10**9 if is_ns else time_ns % 10**9 // 1000
        yield struct.pack(order + "IIII", time_ns // 10**9, part, len(data), len(data)) + data


def block(kind, body):
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def pcapng(packets):
    yield block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    yield block(1, struct.pack("<HHI", 1, 0, 0))
    for time_ns, data in packets:
        ticks = time_ns // 1000
        body = struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)) + data
        yield block(6, body.ljust(len(body) + -len(body) % 4, b"\0"))


def main():
    path, form, count, gap_us = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    first_us = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    source = int(sys.argv[6]) if len(sys.argv) > 6 else 1
    packets = [(BASE_NS + (first_us + i * gap_us) * 1000, frame(i, source)) for i in range(count)]
    with open(path, "wb") as out:
        for piece in pcapng(packets) if form == "pcapng" else pcap(form, packets):
            out.write(piece)


main()
