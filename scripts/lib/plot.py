#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The plot and the verdicts of scripts/demo --channels.

    plot.py DIRECTORY SVG-FILE NAME...

DIRECTORY/NAME.rates is what iperf3's server printed, DIRECTORY/phases a line for each phase: when it began
in ms, its name, what each NAME is due there in kbit/s of frames. Exit 0: every phase was as due.
"""
import html
import pathlib
import re
import sys

LINE = re.compile(r"\]\s+([\d.]+)-\s*([\d.]+)\s+sec\s+\S+\s+\S+\s+([\d.]+)\s+Kbits/sec")
PAYLOAD = 1448 / 1514   # of a frame's bytes
SETTLE_S = 2            # TCP finds its new share
SLACK = 0.10            # of what is due
SLACK_MBPS = 2.0        # or so much, 1 % of the pool: a TCP at 4 Mbit/s is two frames in flight
ROWS, COLUMNS = 20, 100
COLOURS = ("#c9a227", "#8a8d91", "#a8632c", "#3b6ea5", "#5b8c5a", "#7a4b8c")


def read_rates(path):
    """[(middle in s, Mbit/s)]; the sum at the end is left out."""
    points = []
    for line in path.read_text().splitlines():
        found = LINE.search(line)
        if found and not line.rstrip().endswith("receiver"):
            begin, end, kilobits = map(float, found.groups())
            points.append(((begin + end) / 2, kilobits / 1000))
    return points


def read_phases(path, names):
    """[(begin in s, end in s, name, {name: Mbit/s of payload that are due})]"""
    rows = [line.split() for line in path.read_text().splitlines()]
    starts = [int(r[0]) / 1000 for r in rows]
    return [(starts[i], starts[i + 1], r[1], {n: int(v) / 1000 * PAYLOAD for n, v in zip(names, r[2:])})
            for i, r in enumerate(rows[:-1])]


def mean(points, begin, end):
    inside = [v for t, v in points if begin <= t < end]
    return sum(inside) / len(inside) if inside else 0.0


def chart(rates, phases):
    """A letter for each name, a dot where its contract is."""
    last = phases[-1][1]
    top = 1.1 * max(max(due.values()) for _, _, _, due in phases)
    grid = [[" "] * COLUMNS for _ in range(ROWS)]

    def put(x, value, letter):
        y = ROWS - 1 - int(min(value, top * 0.999) / top * ROWS)
        grid[y][x] = letter

    for begin, end, _, due in phases:
        for x in range(int(begin / last * COLUMNS), int(end / last * COLUMNS)):
            for value in due.values():
                put(x, value, ".")
    for name, points in rates.items():
        for x in range(COLUMNS):
            inside = [v for t, v in points if x <= t / last * COLUMNS < x + 1]
            if inside:
                put(x, sum(inside) / len(inside), name[0].upper())
    for y, row in enumerate(grid):
        print(f"{(ROWS - y) * top / ROWS:6.0f} |{''.join(row).rstrip()}")
    ruler = [" "] * (COLUMNS + 8)
    for i, (begin, _, _, _) in enumerate(phases):
        ruler[int(begin / last * COLUMNS)] = str(i + 1)
    print("Mbit/s +" + "-" * COLUMNS + "\n        " + "".join(ruler).rstrip())
    print("        " + "   ".join(f"{n[0].upper()} {n}" for n in rates) + "   . what is due")


def svg(rates, phases):
    width, height, left, top_margin = 960, 420, 60, 40
    last = phases[-1][1]
    top = 1.15 * max(max(due.values()) for _, _, _, due in phases)

    def x(seconds):
        return left + seconds / last * (width - left - 20)

    def y(value):
        return top_margin + (1 - min(value, top) / top) * (height - top_margin - 40)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    step = 20 if top > 60 else 10
    for value in range(0, int(top) + 1, step):
        out.append(f'<line x1="{left}" x2="{width - 20}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e4e4e4"/>'
                   f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    for i, (begin, end, name, due) in enumerate(phases):
        out.append(f'<line x1="{x(begin):.1f}" x2="{x(begin):.1f}" y1="{top_margin}" y2="{height - 40}" stroke="#999"/>'
                   f'<text x="{x(begin) + 4:.1f}" y="{top_margin - 8 - 14 * (i % 2)}">'
                   f'{i + 1} {html.escape(name.replace("-", " "))}</text>')
        for colour, value in zip(COLOURS, due.values()):
            out.append(f'<line x1="{x(begin):.1f}" x2="{x(end):.1f}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
                       f'stroke="{colour}" stroke-dasharray="5 4"/>')
    for i, (name, points) in enumerate(rates.items()):
        line = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in points if t <= last)
        out.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[i]}" stroke-width="1.8"/>'
                   f'<text x="{left + 110 * i}" y="{height - 8}" fill="{COLOURS[i]}">{html.escape(name)}</text>')
    out.append(f'<text x="{width - 20}" y="{height - 8}" text-anchor="end">Mbit/s of TCP payload over seconds; '
               'dashed: the contract</text></svg>')
    return "\n".join(out)


def verdicts(rates, phases):
    """Prints a line for each phase; how many were not as due."""
    n_bad = 0
    for i, (begin, end, name, due) in enumerate(phases):
        words, good = [], True
        for machine, points in rates.items():
            got = mean(points, begin + min(SETTLE_S, (end - begin) / 2), end)
            # Who floods itself, has for its TCP what its flood leaves.
            own_flood = machine in name.split("-") and "floods" in name
            slack = max(due[machine] * SLACK, SLACK_MBPS)
            kept = got <= due[machine] + slack and (got >= due[machine] - slack or own_flood)
            good = good and kept
            words.append(f"{machine} {got:.1f} of {due[machine]:.1f}{'' if kept else ' (!)'}")
        n_bad += not good
        print(f"  {i + 1} {name.replace('-', ' '):26} {'kept    ' if good else 'NOT KEPT'}  {', '.join(words)}")
    return n_bad


def main():
    directory, file, names = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    rates = {n: read_rates(directory / f"{n}.rates") for n in names}
    phases = read_phases(directory / "phases", names)
    chart(rates, phases)
    print()
    n_bad = verdicts(rates, phases)
    file.write_text(svg(rates, phases))
    print(f"  the same as a picture: {file}")
    sys.exit(1 if n_bad else 0)


main()
