# SPDX-License-Identifier: BSD-3-Clause
"""Case of scripts/bench: instructions of each stage for each frame, by callgrind. They do not depend on the machine's
mood, so they are a guard: limits.json has what they were when that was last accepted."""
import json
import pathlib

import callgrind
from bench import value_row
from load import Load
from systems import Weft

LIMITS = pathlib.Path(__file__).with_name("limits.json")
MORE = 1.05  # of what they were: so much more is no regression


def measure(bench, macs, seconds):
    """{function: instructions for each frame}, 64 bytes, split rings, full bursts."""
    switch = Weft(bench)
    switch.prefix = [word.format(run=switch.run) for word in callgrind.WRAPPER]
    with switch, Load(bench, switch, macs=macs) as load:
        callgrind.dump(switch, 1)
        frames = switch.busy()[1]
        load.run(seconds)
        seen, frames = callgrind.dump(switch, 2), switch.busy()[1] - frames
    return {name: count / frames for name, count in seen.items()}


def rows(bench, macs, seconds):
    """Of each stage that has a limit. A stage that is called otherwise now is one without a figure: it fails."""
    seen = measure(bench, macs, seconds)
    for stage, limit in json.loads(LIMITS.read_text())[f"{macs} addresses a side"].items():
        yield value_row(f"{stage}, {macs:,} addresses a side", seen[stage], "instructions/frame", limit * MORE,
                        accepted=limit)


def instructions(bench):
    """With one address a side and with 1,000."""
    for macs in (1, 1000):
        yield from rows(bench, macs, 2)


def guard(bench):
    """The short form, for each change: one address a side."""
    yield from rows(bench, 1, 1)
