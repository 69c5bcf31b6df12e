# SPDX-License-Identifier: BSD-3-Clause
"""What a case of scripts/bench works with: rounds in turn, gated; rows of figures.

A case is a function of a Bench that returns Rows, or yields them as they come. It measures what it compares by
bench.in_turn(), which calls one after the other until each has its rounds.
"""
import collections
import dataclasses
import pathlib
import statistics
import subprocess
import time

from gate import Gate
from rig import NEVER, sh

PATIENCE_S = 60  # for the rounds of what is compared
PAUSE_S = 0.2  # the CPUs move within seconds
ROUNDS_MIN = 5  # that must count within that time


@dataclasses.dataclass
class Row:
    """One figure. `goal` is text; `passed` None where there is none to meet."""
    name: str
    value: float
    unit: str
    goal: str = ""
    passed: bool | None = None
    details: dict = dataclasses.field(default_factory=dict)


class TooFew(RuntimeError):
    """The machine was not as it should be for long enough."""


class Bench:
    def __init__(self, build, rounds=11, seconds=0.1, before=None, gate=None):
        """before: another build directory, whose weft takes turns with the others. gate: of the whole run."""
        self.gate = gate or Gate(build)
        self.before = Bench(before, rounds, seconds, gate=self.gate) if before else None
        self.build, self.rounds, self.seconds = pathlib.Path(build), rounds, seconds
        self.tally = collections.Counter()  # of rounds, by what became of them

    def counted(self, measured):
        """Results of the rounds before and after which the copy loop cost what it usually does."""
        return [result for copy_ns, result in measured if self.gate.is_usual(copy_ns)]

    def in_turn(self, measures, rounds=None, patience_s=PATIENCE_S):
        """Calls the functions {name: f} one after the other (A B C A B C): {name: [what f returned]}, of rounds that
        the gate lets count. One that returns None is called again, too."""
        rounds = rounds or self.rounds
        seen = {name: [] for name in measures}
        deadline, now_ns = time.monotonic() + patience_s, self.gate.look()
        while time.monotonic() < deadline:
            for name, measure in measures.items():
                if len(self.counted(seen[name])) >= rounds:
                    continue
                if now_ns is None or not self.gate.is_usual(now_ns):
                    NEVER.wait(PAUSE_S)
                    now_ns = self.gate.look(is_waiting=True)
                    continue
                before_ns, result, now_ns = now_ns, measure(), self.gate.look()
                if result is None:
                    self.tally["not at their rate"] += 1
                elif now_ns is None:
                    self.tally["CPUs not near"] += 1
                else:
                    seen[name].append((max(before_ns, now_ns), result))
            if all(len(self.counted(measured)) >= rounds for measured in seen.values()):
                break
        return self.settle(seen, min(rounds, ROUNDS_MIN))

    def settle(self, seen, rounds_min):
        """The rounds that count in the end, and how many did not; raises if there are too few."""
        results = {name: self.counted(measured) for name, measured in seen.items()}
        for name, counted in results.items():
            self.tally["counted"] += len(counted)
            self.tally["copy loop dearer than usual"] += len(seen[name]) - len(counted)
        if min(len(counted) for counted in results.values()) < rounds_min:
            short = ", ".join(f"{name} {len(counted)}" for name, counted in results.items())
            raise TooFew(f"too few rounds counted in the time there is, {rounds_min} must: {short}")
        return results


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
