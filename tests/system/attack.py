#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sends the frames of pcaps/attacks.py, or a storm, out of a device of this network namespace.

    attack.py list                     lines "NAME REASON OPTION FRAMES WHAT"
    attack.py send DEVICE NAME         the frames of one attack ("honest": what everyone may say)
    attack.py hop DEVICE VLAN          tags that might lead to VLAN, one kind each
    attack.py storm DEVICE KIND N      N frames, as fast as they are taken
"""
import os
import pathlib
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "pcaps"))
import attacks  # pylint: disable=wrong-import-position

STORMS = {"broadcast": attacks.BROADCAST, "multicast": "01:00:5e:00:00:fb", "unknown": "02:00:00:00:99:99"}


def hops(vlan):
    """802.1Q, 802.1ad, 0x9100, and the same behind a tag that a switch might take off."""
    stacks = [[(0x8100, vlan)], [(0x88A8, vlan)], [(0x9100, vlan)], [(0x8100, 0), (0x8100, vlan)],
              [(0x8100, 10), (0x8100, vlan)], [(0x8100, 1), (0x8100, vlan)], [(0x88A8, 0), (0x8100, vlan)]]
    for stack in stacks:
        tags = b"".join(struct.pack("!HH", *tag) for tag in stack)
        yield attacks.mac(attacks.BROADCAST) + attacks.mac(attacks.EVIL) + tags + b"\x88\xb5" + b"WEFT" * 12


def gone(device):
    """Frames that somebody has taken from the device, or that it lost."""
    counters = pathlib.Path("/sys/class/net", device, "statistics")
    return sum(int((counters / name).read_text()) for name in ("tx_packets", "tx_dropped"))


def send(device, frames):
    """No more than half of the device's queue waits, so that none is lost there."""
    before = gone(device)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((device, 0))
        for i, frame in enumerate(frames):
            out.send(frame)
            deadline = time.monotonic() + 10
            while i % 100 == 99 and i - (gone(device) - before) > 400:
                if time.monotonic() > deadline:
                    sys.exit(f"{device}: nobody takes its frames")
                os.sched_yield()


def main():
    verb, words = sys.argv[1], sys.argv[2:]
    if verb == "list":
        for name, (what, reason, option, frames) in attacks.ATTACKS.items():
            print(name, reason, option, len(frames), what)
    elif verb == "send":
        send(words[0], attacks.HONEST if words[1] == "honest" else attacks.ATTACKS[words[1]][3])
    elif verb == "hop":
        send(words[0], hops(int(words[1])))
    elif verb == "storm":
        send(words[0], [attacks.eth(0x88B5, b"WEFT", dst=STORMS[words[1]])] * int(words[2]))


main()
