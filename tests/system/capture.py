#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Numbered frames for captures.

capture.py send DEVICE FROM TO COUNT [BYTES [FIRST]]   frames of EtherType 0x88b5, numbered from FIRST;
                                                returns when the other end has taken them all
capture.py check COUNT PASSED NOT_KEPT          reads lines "NAME NUMBER" of frames that a capture has:
                                                of each name no number twice, none from COUNT on, and
                                                with NOT_KEPT they are PASSED in all
"""
import collections
import pathlib
import select
import socket
import struct
import sys
import time

SECONDS = 10


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def gone(device):
    """Frames that somebody has taken from the device, or that it lost."""
    counters = pathlib.Path("/sys/class/net", device, "statistics")
    return sum(int((counters / name).read_text()) for name in ("tx_packets", "tx_dropped"))


def send(device, source, target, count, size=60, first=0):
    end = gone(device) + int(count)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((device, 0))
        out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        head = mac(target) + mac(source) + b"\x88\xb5"
        for number in range(int(first), int(first) + int(count)):
            out.send((head + struct.pack(">I", number)).ljust(int(size), b"\x5a"))
    # What is not taken in time is for the test to miss.
    deadline = time.monotonic() + SECONDS
    while gone(device) < end and time.monotonic() < deadline:
        select.select([], [], [], 0.001)


def check(count, passed, not_kept):
    seen = collections.defaultdict(collections.Counter)
    for line in sys.stdin:
        name, number = line.split()
        seen[name][int(number, 16)] += 1
    for name, numbers in seen.items():
        twice = [number for number, times in numbers.items() if times > 1]
        strange = [number for number in numbers if number >= int(count)]
        if twice or strange:
            sys.exit(f"{name}: twice: {twice[:5]}, never sent: {strange[:5]}")
    kept = sum(len(numbers) for numbers in seen.values())
    if kept + int(not_kept) != int(passed) or not seen:
        sys.exit(f"{kept} frames, {not_kept} not kept, and {passed} have passed")
    print(f"{kept} frames of {sorted(seen)}, each once; {not_kept} not kept")


{"send": send, "check": check}[sys.argv[1]](*sys.argv[2:])
