#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Outages of streams of weft-stream, from kill to first frame.

gap.py LIMIT-MS PPS KILLS NAME=BASE...
    KILLS holds the times of the kills, BASE.received and BASE.sent what receiver and sender printed.
    An outage is the longest gap between a kill and the next one, by missing numbers or by silence,
    whichever is longer. Exits 1 if a stream's p99 is longer than LIMIT-MS, if a kill left no gap, or
    if a stream was slower than 80 % of its rate while it could flow. Of fewer than ten kills, which
    are over within seconds, most of the time is spent on coming back: a fifth will do.
"""
import math
import statistics
import sys


def lines(path, word):
    with open(path, errors="replace") as file:
        return [line.split() for line in file if line.startswith(word)]


def outages_ms(gaps, kills):
    ends = kills[1:] + [math.inf]
    return [
        max((length for time, length in gaps if kill < time <= end), default=math.inf)
        for kill, end in zip(kills, ends)
    ]


def round_ms(value):
    return value if math.isinf(value) else round(value)


def stream(name, base, kills, limit_ms, pps):
    gaps = [(float(g[1]), max(float(g[2]), float(g[3]))) for g in lines(base + ".received", "gap")]
    received = int(lines(base + ".received", "received")[0][1])
    seconds = float(lines(base + ".sent", "sent")[0][5])
    away = sorted(outages_ms(gaps, kills))
    if max(away) > limit_ms:
        print(f"{name}: outages in ms, in order of the kills:", *map(round_ms, outages_ms(gaps, kills)))
    p99 = away[math.ceil(len(away) * 0.99) - 1]
    rate = received / max(seconds - sum(away) / 1000, 0.001)
    print(
        f"{name:<36} {len(away):>6} {statistics.median(away):>8.0f} {p99:>8.0f} {away[-1]:>8.0f}"
        f" {rate:>8.0f}"
    )
    return p99 <= limit_ms and rate >= (0.8 if len(away) >= 10 else 0.2) * pps


def main(limit_ms, pps, kills_path, *streams):
    kills = [float(line) for line in open(kills_path)]
    print(f"{'stream':<36} {'kills':>6} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'frames/s':>8}")
    good = [stream(*s.split("=", 1), kills, float(limit_ms), float(pps)) for s in streams]
    return 0 if all(good) else 1


sys.exit(main(*sys.argv[1:]))
