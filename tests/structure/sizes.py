#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Size report; fails on functions over 80 lines, files over 600, lines over 100 columns."""
import pathlib
import re
import statistics
import sys

FOLDERS = ("tap", "vxlan", "capture", "dataplane", "control", "scenario", "cli", "tests")
FUNCTION_MAX, FILE_MAX, COLUMNS_MAX = 80, 600, 100


def functions(lines):
    """(name, lines) of each function: kernel style, so its braces are alone in column 0."""
    name, start = None, 0
    for i, line in enumerate(lines):
        head = re.match(r"[a-zA-Z_].*?\b(\w+)\((?!\()", line)
        if head and not line.rstrip().endswith(";"):
            name = head.group(1)
        elif line.startswith("{"):
            start = i
        elif line.startswith("}") and name is not None:
            if start:
                yield name, i - start - 1
            name, start = None, 0


def spread(what, sizes):
    if len(sizes) > 1:
        p95 = statistics.quantiles(sizes, n=20)[-1]
        print(f"{what}: {len(sizes)}, median {statistics.median(sizes):.0f},"
              f" p95 {p95:.0f}, longest {max(sizes)}, sum {sum(sizes)}")


def main():
    bad = []
    for folder in FOLDERS:
        file_sizes, function_sizes = [], []
        for path in sorted(pathlib.Path(folder).rglob("*.[ch]")):
            lines = path.read_text().splitlines()
            file_sizes.append(len(lines))
            if len(lines) > FILE_MAX:
                bad.append(f"{path}: {len(lines)} lines, at most {FILE_MAX}")
            for i, line in enumerate(lines):
                if len(line.expandtabs(8)) > COLUMNS_MAX:
                    bad.append(f"{path}:{i + 1}: over {COLUMNS_MAX} columns")
            for name, n_lines in functions(lines):
                function_sizes.append(n_lines)
                if n_lines > FUNCTION_MAX:
                    bad.append(f"{path}: {name}: {n_lines} lines, at most {FUNCTION_MAX}")
        spread(f"{folder} files", file_sizes)
        spread(f"{folder} functions", function_sizes)
    print("\n".join(bad or ["all within the limits"]))
    sys.exit(1 if bad else 0)


main()
