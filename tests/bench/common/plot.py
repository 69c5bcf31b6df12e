#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Plots for docs/performance.md from what `scripts/bench --json` keeps: bars, with a line from the least to the
greatest round.

    plot.py UNIT TITLE OUT.svg FILE.json...

Takes the figures of that unit that are named WHAT: SYSTEM; where several files have the same one, the last counts.
"""
import html
import json
import pathlib
import sys

COLOURS = {"weft": "#2a6f97", "plain": "#89c2d9", "testpmd": "#b5838d", "ovs": "#e09f3e"}
WIDTH, LEFT, BAR, GAP, TOP, RIGHT = 760, 230, 16, 12, 44, 120


def figures(unit, paths):
    """{what: {system: row}}"""
    seen = {}
    for path in paths:
        for row in json.loads(pathlib.Path(path).read_text())["results"]:
            what, _, system = row["name"].rpartition(": ")
            if row["unit"] == unit and system in COLOURS and "least" in row["details"]:
                seen.setdefault(what, {})[system] = row
    return seen


def text(x, y, words, anchor="start", size=12):
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}">{html.escape(words)}</text>'


def bar(y, row, system, scale):
    """One system's: a bar, the spread over it, the number."""
    value, ends = row["value"], (row["details"]["least"], row["details"]["greatest"])
    low, high = (LEFT + scale * end for end in ends)
    middle = y + BAR / 2
    return (f'<rect x="{LEFT}" y="{y}" width="{scale * value:.1f}" height="{BAR - 2}" fill="{COLOURS[system]}"/>'
            f'<path d="M{low:.1f} {middle - 1:.0f}H{high:.1f}" stroke="#222" stroke-width="1.5"/>'
            + text(max(high, LEFT + scale * value) + 6, y + BAR - 4, f"{value:.3g} {system}", size=11))


def draw(title, unit, seen):
    # A round that was much dearer than the others may not squeeze the bars.
    most = max(row["value"] for systems in seen.values() for row in systems.values())
    scale, y, parts = (WIDTH - LEFT - RIGHT) / most, TOP, []
    for what, systems in seen.items():
        parts.append(text(LEFT - 8, y + BAR * len(systems) / 2 + 3, what, "end"))
        for system, row in systems.items():
            row["details"]["greatest"] = min(row["details"]["greatest"], most)
            parts.append(bar(y, row, system, scale))
            y += BAR
        y += GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" font-family="sans-serif">\n'
            f'<rect width="100%" height="100%" fill="#fff"/>\n{text(10, 24, f"{title} ({unit})", size=15)}\n'
            + "\n".join(parts) + "\n</svg>\n")


def main():
    unit, title, out, *paths = sys.argv[1:]
    seen = figures(unit, paths)
    if not seen:
        sys.exit(f"plot: no figure in {unit}")
    pathlib.Path(out).write_text(draw(title, unit, seen))


main()
