#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the cases of scripts/bench, which says how; in namespaces made for it."""
import argparse
import dataclasses
import importlib
import pathlib
import sys
import traceback

import instructions
import report
from bench import Bench, Row, version
from gate import Gate

# Name: module and function, which gets a Bench and returns rows.
CASES = {
    "plain": "l2.plain",
    "foreign": "l2.foreign",
    "macs": "l2.macs",
    "many-macs": "l2.many_macs",
    "sizes": "l2.sizes",
    "vxlan": "vxlan.vxlan",
    "guests": "taps.guests",
    "taps": "taps.taps",
    "flood": "l2.flood",
    "learning": "scale.learning",
    "memory": "scale.memory",
    "latency": "latency.latency",
    "one-way": "taps.one_way",
    "instructions": "instructions.instructions",
    "guard": "instructions.guard",
}


def run(name, bench):
    """Rows of a case, as they come; if it fails, the last one did not pass."""
    module, function = CASES[name].split(".")
    try:
        yield from getattr(importlib.import_module(module), function)(bench)
    except Exception as error:  # pylint: disable=broad-except # the other cases are run
        traceback.print_exc()
        yield Row(f"{name}: {error}", 0, "", "runs", False)


def show(row):
    spread = ""
    if "least" in row.details:
        spread = f" ({row.details['least']:.4g} to {row.details['greatest']:.4g}, {row.details['rounds']} rounds)"
    mark = {None: "     ", True: "ok   ", False: "MISS "}[row.passed]
    goal = f"; goal: {row.goal}" if row.goal else ""
    print(f"{mark} {row.name}: {row.value:.4g} {row.unit}{spread}{goal}", flush=True)


def check_writable(parser, path):
    try:
        with open(path, "a", encoding="utf-8"):
            pass
    except OSError as error:
        parser.error(f"--json {path}: {error.strerror}")


def main():
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--build", required=True)
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--before")
    parser.add_argument("--accept", action="store_true")
    options = parser.parse_args()
    for name in options.cases:
        if name not in CASES:
            parser.error(f"no case {name}: there are {', '.join(CASES)}")
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if options.before and not (pathlib.Path(options.before) / "dataplane/weft-dataplane").exists():
        parser.error(f"--before {options.before}: no build directory: there is no weft-dataplane in it")
    if options.accept and not {"instructions", "guard"} & set(options.cases):
        parser.error("--accept: name the case, instructions or guard")
    if options.json:
        check_writable(parser, options.json)
    results, rounds, gate = [], {}, Gate(options.build)
    for name in options.cases or [name for name in CASES if name != "guard"]:
        bench = Bench(options.build, options.rounds, options.seconds, options.before, gate)
        for row in run(name, bench):
            show(row)
            results.append({"case": name, **dataclasses.asdict(row)})
        rounds[name] = dict(bench.tally)
        if rounds[name]:
            print(f"      {name}: rounds: " + ", ".join(f"{n} {what}" for what, n in rounds[name].items()), flush=True)
    versions = {"ovs": version("ovs-vswitchd", "--version"), "dpdk": version("pkg-config", "--modversion", "libdpdk")}
    if options.json:
        report.write_json(options.json, results, versions=versions, rounds=rounds, seconds=options.seconds)
    if options.accept:
        instructions.accept(results)
        results = [r for r in results if r["case"] not in ("instructions", "guard")]
    n_missed = sum(r["passed"] is False for r in results)
    print(f"{len(results)} figures, {n_missed} miss their goal")
    sys.exit(1 if n_missed else 0)


main()
