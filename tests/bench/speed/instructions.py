# SPDX-License-Identifier: BSD-3-Clause
"""Case of scripts/bench: instructions of each stage for each frame, by callgrind. They do not depend on the machine's
mood, so they are a guard: limits.json has what they were when that was last accepted (`scripts/bench --accept`)."""
import json
import pathlib

import callgrind
from bench import value_row
from load import Load
from systems import Weft

LIMITS = pathlib.Path(__file__).with_name("limits.json")
UNIT = "instructions/frame"
MORE = 1.05  # of what they were: so much more is no regression
# What weft-load is to do: full bursts of 64-byte frames.
LOADS = {"1 address a side": {}, "1,000 addresses a side": {"macs": 1000}, "packed rings": {"packed": True}}


def measure(bench, seconds, words):
    """{function: instructions for each frame}"""
    switch = Weft(bench)
    switch.prefix = [word.format(run=switch.run) for word in callgrind.WRAPPER]
    with switch, Load(bench, switch, **words) as load:
        callgrind.dump(switch, 1)
        frames = switch.busy()[1]
        load.run(seconds)
        seen, frames = callgrind.dump(switch, 2), switch.busy()[1] - frames
    return {name: count / frames for name, count in seen.items()}


def rows(bench, name, seconds):
    """Of each stage that has a limit. A stage that is called otherwise now has no figure: that fails."""
    seen = measure(bench, seconds, LOADS[name])
    for stage, limit in json.loads(LIMITS.read_text())[name].items():
        yield value_row(f"{stage}, {name}", seen[stage], UNIT, limit * MORE, accepted=limit)


def instructions(bench):
    """With each load."""
    for name in LOADS:
        yield from rows(bench, name, 2)


def guard(bench):
    """The short form, for each change."""
    yield from rows(bench, "1 address a side", 1)


def accept(results):
    """What was measured is what later runs are held against."""
    limits = json.loads(LIMITS.read_text())
    for row in results:
        stage, _, name = row["name"].partition(", ")
        if row["unit"] == UNIT and stage in limits.get(name, {}):
            limits[name][stage] = round(row["value"], 1)
    LIMITS.write_text(json.dumps(limits, indent=1) + "\n")
