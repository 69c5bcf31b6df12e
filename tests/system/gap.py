#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Outages of a stream of numbered datagrams.

gap.py send ADDRESS PORT PPS          sends until it is killed
gap.py receive PORT FILE              writes the time of each arrival to FILE until it is killed
gap.py table LIMIT-MS KILLS NAME=FILE...
    KILLS holds the times of the kills, a FILE the times of arrivals (or the log of ping -D): prints the
    longest silence after each kill, and exits 1 if one is longer than LIMIT-MS.
"""
import re
import select
import signal
import socket
import statistics
import struct
import sys
import time

REACH_S = 10  # how long after a kill a silence may begin or end


def send(address, port, pps):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    start, n = time.monotonic(), 0
    while True:
        while n < (time.monotonic() - start) * pps:
            try:
                sock.sendto(struct.pack("!Q", n), (address, port))
            except OSError:
                pass  # the device may be full or down meanwhile
            n += 1
        select.select([], [], [], 1 / pps)


def receive(port, path):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("", port))
    with open(path, "w", buffering=1 << 16) as file:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(file.flush()))
        last = 0.0
        while True:
            sock.recv(64)
            now = time.time()
            # Silences are what counts: arrivals within a millisecond of another say nothing new.
            if now - last > 0.001:
                file.write(f"{now:.6f}\n")
                file.flush()
                last = now


def arrivals(path):
    with open(path, errors="replace") as file:
        lines = [line for line in file if "bytes from" in line or line[0].isdigit()]
    return [float(re.match(r"\[?([0-9.]+)", line).group(1)) for line in lines]


def gap_ms(times, kill):
    near = [t for t in times if kill - 1 < t < kill + REACH_S]
    if len(near) < 2 or near[-1] < kill:
        return REACH_S * 1000.0
    return max(b - a for a, b in zip(near, near[1:])) * 1000


def table(limit_ms, kills_path, streams):
    kills = [float(line) for line in open(kills_path)]
    worst = 0
    print(f"{'stream':<28} {'kills':>6} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    for name, path in (stream.split("=", 1) for stream in streams):
        gaps = sorted(gap_ms(arrivals(path), kill) for kill in kills)
        p99 = gaps[min(len(gaps) - 1, int(len(gaps) * 0.99))]
        worst = max(worst, p99)
        print(f"{name:<28} {len(gaps):>6} {statistics.median(gaps):>8.0f} {p99:>8.0f} {gaps[-1]:>8.0f}")
    return worst > float(limit_ms)


def main(words):
    if words[0] == "send":
        send(words[1], int(words[2]), int(words[3]))
    elif words[0] == "receive":
        receive(int(words[1]), words[2])
    else:
        sys.exit(table(words[1], words[2], words[3:]))


main(sys.argv[1:])
