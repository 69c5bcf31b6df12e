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


THERE_US, THERE_MS = 300, 100


def there(result):
    """Each ms in which, and before which, both CPUs were there for it: on machines that others use, what counts. A
    witness that is late does not tell: without real-time priority it waits for a worker that is busy, too."""
    away = [max(pair) >= THERE_US for pair in zip(result["gaps_us"], result["kept_us"])]
    return [i for i in range(SKIP_MS, len(away)) if not away[i] and not away[i - 1]]


def tells(result):
    return len(there(result)) >= THERE_MS


def there_bps(result, flows=None):
    """As bps(), of those ms; of all if they are few."""
    bins = summed(result, flows)
    return 8000 * sum(bins[i] for i in there(result)) / len(there(result)) if tells(result) else bps(result, flows)


SLICE_MS, SLICE_ALLOWED = 10, 0.02
SECOND_SLICES, SECOND_ALLOWED = 100, 0.003


# Who waits for credit gets back what a worker was late, up to so much (BUCKET_LATE_NS, dataplane/channel/bucket.h):
# as fast as the machine carries, so for some time after a pause more than the rate passes. Four times as long is enough
# where the machine carries a quarter more than the rate.
LATE_US, RETURN_TIMES = 5000, 4
KEPT_US = 200  # of a ms: less comes back in the same one


def marks_of(result, n_ms):
    """Of each ms what is known against it: "late", who measures was not there for more than half of what a window may
    be wrong by; "kept", the worker was not; "after", what such pauses took is coming back."""
    limit_us = 1000 * SLICE_MS * SLICE_ALLOWED / 2
    marks, owed_us = [], 0
    for gap_us, wait_us, kept_us in zip(result["gaps_us"][:n_ms], result["waits_us"], result["kept_us"]):
        kept_us = max(wait_us if wait_us > limit_us else 0, kept_us if kept_us > KEPT_US else 0)
        lost_us = min(1000, max(kept_us, gap_us if gap_us > limit_us else 0))
        owed_us = min(LATE_US, owed_us + lost_us) if lost_us else max(0, owed_us - 1000 / RETURN_TIMES)
        marks.append("late" if gap_us > limit_us else "kept" if kept_us else "after" if owed_us > 0 else None)
    return marks


def slices(result, bins):
    """([(number, bytes)], stretches, {mark: n}): windows of 10 ms that count, those in which and just before and after
    which there was no pause; bytes of each stretch of those that do not, of slices, from one pause to where all is as
    it was, if its begin was seen; how many did not for which reason."""
    marks = marks_of(result, len(bins))
    counted, stretches, reasons = [], [], {"late": 0, "kept": 0, "after": 0}
    stretch = None  # unknown
    for number, first in enumerate(range(SKIP_MS, len(bins) - SLICE_MS + 1, SLICE_MS)):
        seen = set(marks[first - 1:first + SLICE_MS + 1]) - {None}
        n_bytes = sum(bins[first:first + SLICE_MS])
        if seen:
            reasons[next(r for r in reasons if r in seen)] += 1
            stretch = stretch and [*stretch, n_bytes]
            continue
        counted.append((number, n_bytes))
        stretches += [stretch[1:]] if stretch and len(stretch) > 1 else []
        stretch = [n_bytes]
    return counted, stretches, reasons


def seconds(counted):
    """[(bytes, n_breaks)]: each a hundred slices that count, with how many times some between did not."""
    out = []
    for i in range(0, len(counted) - SECOND_SLICES + 1, SECOND_SLICES):
        part = counted[i:i + SECOND_SLICES]
        out.append((sum(b for _, b in part), sum(y[0] != x[0] + 1 for x, y in zip(part, part[1:]))))
    return out


def judged(windows, expected, allowed, frame_bytes):
    """Worst and median error in per cent, and how many were beyond what is allowed, or a frame at each end."""
    errors = [(abs(n - expected), max(allowed * expected, frame_bytes * (1 + breaks)) + 1) for n, breaks in windows]
    pcts = [100 * e / expected for e, _ in errors]
    return {"windows": len(errors), "beyond": sum(e > most for e, most in errors),
            "worst_pct": round(max(pcts, default=-1), 4),
            "median_pct": round(statistics.median(pcts), 4) if pcts else -1}


def accuracy(rounds, rate_bps, frame_bytes):
    """Of both widths: how many windows counted and were beyond, worst, median; of slices that do not count how many and
    why, and of stretches of them how many had more than the rate on the whole: what a pause took may come back, and no
    more."""
    counted, stretches, reasons = [], [], {}
    for i, result in enumerate(rounds):
        part, more, why = slices(result, summed(result))
        counted += [(number + i * 10**6, n) for number, n in part]
        stretches += more
        reasons = {r: reasons.get(r, 0) + n for r, n in why.items()}
    slice_bytes = rate_bps / 8000 * SLICE_MS
    above = sum(sum(s) > slice_bytes * (len(s) + SLICE_ALLOWED) + frame_bytes for s in stretches)
    return {"1s": judged(seconds(counted), slice_bytes * SECOND_SLICES, SECOND_ALLOWED, frame_bytes),
            "10ms": judged([(n, 0) for _, n in counted], slice_bytes, SLICE_ALLOWED, frame_bytes),
            "stretches": len(stretches), "above": above, **reasons}


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
