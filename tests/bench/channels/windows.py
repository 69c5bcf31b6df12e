# SPDX-License-Identifier: BSD-3-Clause
"""What the bytes of each millisecond, as weft-shape prints them, say about a rate."""
import statistics

SKIP_MS = 300  # what was saved up before, and TCP-like starts, are no part of the rate


def summed(result, flows=None):
    """Bytes of each ms over the flows given by index, else over all."""
    chosen = [f["bins"] for i, f in enumerate(result["flows"]) if flows is None or i in flows]
    return [sum(ms) for ms in zip(*chosen)]


def bps(result, flows=None, first=SKIP_MS, last=None):
    part = summed(result, flows)[first:last]
    return 8000 * sum(part) / len(part)


def deviations(result, bins, rate_bps, width_ms, allowed, frame_bytes):
    """(errors, n_late, n_kept): of each window the error in per cent, and whether it is beyond what is allowed:
    that part of the rate, or a frame. A window counts only if in all of it who measures was on time, within
    half of the time that is allowed, and the machine did not keep the worker from its CPU for longer."""
    expected = rate_bps / 8000 * width_ms
    limit_us = 1000 * width_ms * allowed / 2
    errors, n_late, n_kept = [], 0, 0
    for first in range(SKIP_MS, len(bins) - width_ms + 1, width_ms):
        if max(result["gaps_us"][first:first + width_ms + 1]) > limit_us:
            n_late += 1
            continue
        if max(result["waits_us"][max(0, first - 1):first + width_ms + 1]) > limit_us:
            n_kept += 1
            continue
        error = abs(sum(bins[first:first + width_ms]) - expected)
        errors.append((100 * error / expected, error > max(allowed * expected, frame_bytes) + 1))
    return errors, n_late, n_kept


def accuracy(result, rate_bps, frame_bytes, flows=None):
    """Of both widths: worst, median, how many windows counted, were beyond, came late."""
    out = {}
    bins = summed(result, flows)
    for name, width_ms, allowed in (("1s", 1000, 0.003), ("10ms", 10, 0.02)):
        errors, n_late, n_kept = deviations(result, bins, rate_bps, width_ms, allowed, frame_bytes)
        sizes = [e for e, _ in errors]
        out[name] = {"windows": len(errors), "late": n_late, "kept": n_kept, "beyond": sum(b for _, b in errors),
                     "worst_pct": round(max(sizes, default=-1), 4),
                     "median_pct": round(statistics.median(sizes), 4) if sizes else -1}
    return out


def reached_ms(bins, from_ms, rate_bps, width_ms, up):
    """From when on the new rate holds: the end of the first window of that width, starting at or after from_ms,
    in which at least 95 % of it passed (up), or at most 105 %. Windows start each ms."""
    expected = rate_bps / 8000 * width_ms
    for first in range(from_ms, len(bins) - width_ms + 1):
        seen = sum(bins[first:first + width_ms])
        if (seen >= 0.95 * expected) if up else (seen <= 1.05 * expected):
            return first
    return None


def jain(shares):
    return sum(shares) ** 2 / (len(shares) * sum(s * s for s in shares))


def water_fill(capacity, channels):
    """What each of the backlogged channels {name: (assured, ceiling or None, weight)} gets of a pool."""
    given = {n: a for n, (a, _, _) in channels.items()}
    open_ones = set(channels)
    spare = capacity - sum(given.values())
    while spare > 1 and open_ones:
        weights = sum(channels[n][2] for n in open_ones)
        full = set()
        used = 0
        for n in open_ones:
            part = spare * channels[n][2] / weights
            ceiling = channels[n][1]
            if ceiling is not None and given[n] + part >= ceiling:
                part, full = ceiling - given[n], full | {n}
            given[n] += part
            used += part
        spare -= used
        if not full:
            break
        open_ones -= full
    return given
