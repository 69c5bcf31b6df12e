# SPDX-License-Identifier: BSD-3-Clause
"""What a case of scripts/bench works with: rounds in turn, gated; rows of figures.

A case is a function of a Bench that returns Rows, or yields them as they come. It measures what it compares by
bench.in_turn(), which calls one after the other until each has its rounds.
"""
import dataclasses
import pathlib
import statistics
import subprocess
import time

from rig import NEVER, sh

PATIENCE_S = 90  # for rounds in which the CPUs are near
PAUSE_S = 0.2  # they move within seconds


@dataclasses.dataclass
class Row:
    """One figure. `goal` is text; `passed` None where there is none to meet."""
    name: str
    value: float
    unit: str
    goal: str = ""
    passed: bool | None = None
    details: dict = dataclasses.field(default_factory=dict)


class NotNear(RuntimeError):
    """The two CPUs were not near for long enough."""


class Bench:
    def __init__(self, build, rounds=11, seconds=0.1, before=None):
        """before: another build directory, whose weft takes turns with the others."""
        self.before = Bench(before, rounds, seconds) if before else None
        self.build, self.rounds, self.seconds = pathlib.Path(build), rounds, seconds

    def is_near(self):
        """Whether a cache line changes hands between CPU 0 and CPU 1 as fast as within a core complex."""
        return subprocess.run(["nice", "-n", "-20", self.build / "tests/bench/weft-pingpong"],
                              stdout=subprocess.DEVNULL, check=False).returncode == 0

    def in_turn(self, measures, rounds=None):
        """Calls the functions {name: f} one after the other (A B C A B C): {name: [what f returned]}, of rounds
        in which the CPUs were near before and after. One that returns None is called again, too."""
        rounds = rounds or self.rounds
        seen = {name: [] for name in measures}
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for name, measure in measures.items():
                if len(seen[name]) == rounds:
                    continue
                if not self.is_near():
                    NEVER.wait(PAUSE_S)
                    continue
                result = measure()
                if result is not None and self.is_near():
                    seen[name].append(result)
            if all(len(results) == rounds for results in seen.values()):
                return seen
        short = ", ".join(f"{n} {len(r)}" for n, r in seen.items())
        raise NotNear(f"of {rounds} rounds the CPUs were near in: {short}")


def spread(values):
    """What goes with a median: the values' least, greatest, and number."""
    return {"least": min(values), "greatest": max(values), "rounds": len(values)}


def median_row(name, values, unit, at_most=None, at_least=None, **details):
    """The median of values as a Row, with the goal it is held against."""
    value = statistics.median(values)
    return value_row(name, value, unit, at_most, at_least, **spread(values), **details)


def value_row(name, value, unit, at_most=None, at_least=None, **details):
    goal, passed = "", None
    if at_most is not None:
        goal, passed = f"at most {at_most:g}", value <= at_most
    if at_least is not None:
        goal, passed = f"at least {at_least:g}", value >= at_least
    return Row(name, value, unit, goal, passed, details)


def ratio_row(name, ours, theirs, at_most=None, at_least=None):
    """Ratio of medians."""
    return value_row(name, statistics.median(ours) / statistics.median(theirs), "ratio", at_most, at_least)


def version(*words):
    """First line of what a program says about itself."""
    try:
        return sh(*words, stderr=subprocess.STDOUT).splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "none"
