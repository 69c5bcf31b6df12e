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

from rig import NEVER, sh

PATIENCE_S = 60  # for the rounds of what is compared
PAUSE_S = 0.2  # the CPUs move within seconds
ROUNDS_MIN = 5  # that must count within that time
OFF = 1.15  # the bare copy loop's cost, times its best quartile in this run, up to which a round counts


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


class Gate:
    """Whether a round counts: the two CPUs are near, and a bare copy loop over both costs what it usually does in this
    run. Another program on one of the CPUs, here or on another virtual machine, shows in the loop as in the figures."""

    def __init__(self, build):
        self.build, self.copies_ns = pathlib.Path(build), []

    def look(self, is_waiting=False):
        """What the copy loop takes now, in ns for each frame; None if the CPUs are not near. However long one waits for
        it to be usual again, what it costs meanwhile does not become usual."""
        done = subprocess.run(["nice", "-n", "-20", self.build / "tests/bench/weft-pingpong", "--copy"],
                              stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == 1:
            return None
        done.check_returncode()
        copy_ns = float(done.stdout.split()[1])
        if not is_waiting:
            self.copies_ns.append(copy_ns)
        return copy_ns

    def is_usual(self, copy_ns):
        """Against the best quartile so far: what was usual at first may have been a bad hour's."""
        if not self.copies_ns:
            return True
        best = statistics.quantiles(self.copies_ns, n=4, method="inclusive")[0] if len(self.copies_ns) > 1 else self.copies_ns[0]
        return copy_ns <= OFF * best


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
