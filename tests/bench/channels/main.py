#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the cases of scripts/bench-channels, which says how; in namespaces made for it."""
import argparse
import sys
import traceback

import cases
import cost
import report
import tcp
import windows
from rig import Switch

CASES = {"accuracy": cases.accuracy, "overload": cases.overload, "step": cases.step, "lossless": cases.lossless,
         "delay": cases.delay, "flooder": cases.flooder, "stuck": cases.stuck, "tcp": tcp.taps, "guests": tcp.guests,
         "cost": cost.cost, "many": cost.many, "ten-thousand": cost.ten_thousand}
SHORT = ("accuracy", "overload", "step", "lossless", "delay", "flooder", "stuck")
NUMBERS = {"k": 10**3, "M": 10**6, "G": 10**9}


class Run:
    """What a case needs: the switch under test, how thorough to be, where figures go."""

    def __init__(self, options, words):
        self.build, self.full, self.words = options.build, not options.short, words
        self.rounds = options.rounds or (5 if self.full else 1)
        self.results = []

    def bps(self, result, flows=None):
        return (windows.bps if self.full else windows.there_bps)(result, flows)

    def good(self, rounds, good):
        """A rate that is not good says nothing where others had the CPUs most of the time."""
        if good or self.full or all(windows.tells(r) for r in rounds):
            return good
        print("       others had the CPUs most of the time, but for "
              f"{[len(windows.there(r)) for r in rounds]} ms: what follows is not judged", flush=True)
        return True

    def switch(self, **options):
        options.setdefault("realtime", self.full)
        return Switch(self.build, **options)

    def say(self, case, what, figures, good, text):
        self.results.append({"case": case, "what": what, "good": bool(good), **figures})
        print(f"{'ok    ' if good else 'NOT OK'} {case}: {what}: {text}", flush=True)


def value(word):
    """100M, 60, imix."""
    if word[:1].isdigit():
        return int(word[:-1]) * NUMBERS[word[-1]] if word[-1] in NUMBERS else int(word)
    return word


def parse(word):
    """CASE:KEY=VALUE[+VALUE...][,...]; one value may stand alone."""
    name, _, rest = word.partition(":")
    words = {}
    for part in filter(None, rest.split(",")):
        key, _, values = part.partition("=")
        values = [value(v) for v in values.split("+")]
        words[key] = values if key in ("rates", "sizes", "ways") else values[0]
    return name, words


def main():
    parser = argparse.ArgumentParser(prog="bench-channels")
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--build", required=True)
    parser.add_argument("--json")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    chosen = [parse(w) for w in options.cases or (SHORT if options.short else CASES)]
    for name, _ in chosen:
        if name not in CASES:
            parser.error(f"no case {name}: there are {', '.join(CASES)}")
    results = []
    for name, words in chosen:
        run = Run(options, words)
        try:
            CASES[name](run)
        except Exception as error:  # pylint: disable=broad-except # the other cases are run
            traceback.print_exc()
            run.say(name, "the case itself", {}, False, str(error))
        results += run.results
    if options.json:
        report.write_json(options.json, results, short=options.short)
    n_bad = sum(not r["good"] for r in results)
    print(f"{len(results)} figures, {n_bad} beyond their goal")
    sys.exit(1 if n_bad else 0)


main()
