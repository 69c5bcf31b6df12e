# SPDX-License-Identifier: BSD-3-Clause
"""Case of scripts/bench: instructions of each stage for each frame, by callgrind. They do not depend on the machine's
mood, so they are a guard: each stage has a bound, a tenth above what it was when the bound was set."""
import re

from bench import value_row
from load import Load
from rig import sh, wait_for
from systems import Weft

VALGRIND = ["valgrind", "--tool=callgrind", "--separate-threads=yes", "-q", "--callgrind-out-file={run}/callgrind"]
# What weft-load is to do: full bursts of 64-byte frames.
LOADS = {"1 address a side": {}, "1,000 addresses a side": {"macs": 1000}, "packed rings": {"packed": True}}
# Function and its bound with each of them.
STAGES = {"vhost_io_rx": (110, 110, 110), "classify_burst": (47, 47, 47), "guard_burst": (31, 31, 31),
          "learn_burst": (13, 85, 13), "forward_lookup": (22, 95, 22), "forward_spread": (17, 17, 17),
          "forward_transmit": (166, 166, 166), "vhost_io_rx_done": (13, 13, 13)}


def dump(switch, n):
    """Inclusive instructions of the worker's functions so far."""
    sh("callgrind_control", f"--dump={n}", switch.dataplane.pid)
    wait_for(20, "callgrind's dump", lambda: list(switch.run.glob(f"callgrind.{n}-*")))
    path = next(p for p in sorted(switch.run.glob(f"callgrind.{n}-*")) if "worker_turn" in p.read_text())
    text = sh("callgrind_annotate", "--inclusive=yes", "--auto=no", "--threshold=100", path)
    seen = {}
    for count, name in re.findall(r"^ *([\d,]+) \(.*?:(\w+)(?:'2)?(?: \[|$)", text, re.M):
        seen[name] = max(seen.get(name, 0), int(count.replace(",", "")))
    return seen


def instructions(bench):
    """Of each stage, with each load."""
    for column, (name, words) in enumerate(LOADS.items()):
        switch = Weft(bench)
        switch.prefix = [w.format(run=switch.run) for w in VALGRIND]
        with switch, Load(bench, switch, **words) as load:
            dump(switch, 1)
            frames = switch.busy()[1]
            load.run(2)
            seen, frames = dump(switch, 2), switch.busy()[1] - frames
        for stage, bounds in STAGES.items():
            yield value_row(f"{stage}, {name}", seen[stage] / frames, "instructions/frame", bounds[column])
