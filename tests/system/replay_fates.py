#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A capture for replay_test.sh with known fates: replay_fates.py FILE KIND...

KIND, one packet each, 5 ms apart: known (unicast to station 2), unknown (unicast that nobody has), spoof (with
station 9 as its source), broadcast. The others are from station 1."""
import struct
import sys

DESTINATIONS = {"known": 2, "unknown": 0x77, "spoof": 2}


def station(number):
    return b"\xff" * 6 if number is None else bytes([2, 0, 0, 0, 0, number])


def main():
    with open(sys.argv[1], "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, kind in enumerate(sys.argv[2:]):
            source = station(9 if kind == "spoof" else 1)
            frame = station(DESTINATIONS.get(kind)) + source + struct.pack("!HI", 0x88B5, i)
            frame = frame.ljust(60, b"\x55")
            out.write(struct.pack("<IIII", 1_700_000_000, i * 5000, len(frame), len(frame)) + frame)


main()
