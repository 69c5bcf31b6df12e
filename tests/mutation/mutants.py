#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Negates conditions of the packet path, one at a time, and counts which of these mutants the packet suite catches.

usage: mutants.py BUILD-DIR [--list] [--only TEXT] [--table] [--results FILE] [SOURCE...]

A condition is what stands in if (), while (), between the semicolons of for (), or before a ?, and each operand of
&& and ||. All mutants are compiled into one program, in which MUTANT= says which condition is negated; a first run of
each scenario shows which conditions it comes by. A mutant is caught if a scenario differs, or if it crashes or does
not end: the scenarios that come by it are played until one does, first those that caught its neighbours. What does
not compile is none. Survivors are printed with their line; survivors.txt says which of them change nothing that a
packet could show. Results are kept, so a run that was interrupted goes on. Some minutes. Run from the source root.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter

SOURCES = [f"dataplane/{name}.c" for name in
           ("classify", "guard", "guard_parse", "learn", "forward", "carry", "storm", "vlan", "decap", "port_peer",
            "channel/shape", "channel/hold", "channel/lane", "channel/lane_set", "channel/fq", "channel/turnstile",
            "channel/room", "channel/buffers", "channel/ecn_mark")] + \
          [f"vxlan/vxlan_{name}.c" for name in
           ("decap", "ecn", "inner", "tunnel", "sum", "neigh", "too_big", "mss", "flow")]
REASONS = pathlib.Path(__file__).with_name("survivors.txt")
PROGRAM = "scenario/weft-scenario"
# Of one mutant, which takes some hundredths of a second: of the processor; of the clock; and memory.
CPU_SECONDS_MAX, SECONDS_MAX, DATA_BYTES_MAX = 6, 60, 2 << 30
HEADER = """extern int mutant_chosen;
extern unsigned char mutant_seen[];
#define MUTANT(n, ...) ((mutant_seen[n] = 1, mutant_chosen == (n)) != !!(__VA_ARGS__))
"""
CHOICE = """#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
int mutant_chosen = -1;
unsigned char mutant_seen[N_MUTANTS];
__attribute__((constructor)) static void choose(void)
{
	if (getenv("MUTANT") != NULL)
		mutant_chosen = atoi(getenv("MUTANT"));
}
__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("MUTANT_SEEN");
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	if (fd >= 0 && write(fd, mutant_seen, sizeof(mutant_seen)) < 0)
		_exit(9);
}
"""


def blank(text):
    """The text with comments, strings and preprocessor lines as blanks, at the same places."""
    pattern = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.S | re.M)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def matching(text, at):
    """The place behind the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += text[i] in "([{"
        depth -= text[i] in ")]}"
        if depth == 0:
            return i + 1
    return len(text)


def trim(text, start, end):
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def before(text, at):
    """Where the expression begins that ends before `at`: the condition of a ?:, or the left side of an && or ||."""
    depth, i = 0, at
    while i > 0:
        c = text[i - 1]
        if c in ")]}":
            depth += 1
        elif c in "([{":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and (c in ";,?:" or (c == "=" and text[i - 2] not in "=!<>" and text[i] != "=")):
            break
        elif depth == 0 and re.search(r"\breturn\s$", text[max(0, i - 7):i]):
            break
        i -= 1
    return i


def operands(text, start, end):
    """Parts of text[start:end] between && and || that are in no brackets; none if there is but one."""
    parts, depth, last = [], 0, start
    for i in range(start, end):
        depth += text[i] in "([{"
        depth -= text[i] in ")]}"
        if depth == 0 and text[i:i + 2] in ("&&", "||"):
            parts.append((last, i))
            last = i + 2
    return parts + [(last, end)] if parts else []


def conditions(text):
    """(start, end) of each condition, in order."""
    code, found = blank(text), set()
    for match in re.finditer(r"\b(if|while|for)\s*\(", code):
        start, end = match.end(), matching(code, match.end() - 1) - 1
        if match.group(1) == "for":
            parts = code[start:end].split(";")
            if len(parts) != 3:
                continue
            start, end = start + len(parts[0]) + 1, start + len(parts[0]) + 1 + len(parts[1])
        found.add(trim(code, start, end))
    for match in re.finditer(r"\?", code):
        found.add(trim(code, before(code, match.start()), match.start()))
    for match in re.finditer(r"&&|\|\|", code):
        start = before(code, match.start())
        end = match.end()
        while end < len(code) and code[end] not in ";,?:)]}":
            end = matching(code, end) if code[end] in "([{" else end + 1
        found.update(trim(code, *part) for part in operands(code, start, end))
    # An operand of an operand in brackets has been found by its own sign.
    return sorted((start, end) for start, end in found if end > start)


def function_at(text, at):
    """The name of the function that this place is in, as the style of the project writes it."""
    heads = re.findall(r"^[a-z][^;\n=]*?\b(?!__attribute__\b)([a-z]\w*)\((?!\()", blank(text)[:at], re.M)
    return heads[-1] if heads else ""


class Mutant:
    def __init__(self, source, text, start, end, twins):
        condition = " ".join(text[start:end].split())
        self.source, self.start, self.end = source, start, end
        self.line = text.count("\n", 0, start) + 1
        self.function = function_at(text, start)
        self.name = f"{source}: {self.function}(): {condition}"
        twins[self.name] += 1
        if twins[self.name] > 1:
            self.name += f" #{twins[self.name]}"
        self.number = self.result = None


def mutants_of(source):
    text, twins = pathlib.Path(source).read_text(), Counter()
    return [Mutant(source, text, start, end, twins) for start, end in conditions(text)]


def with_mutants(text, mutants):
    """The text in which each of these conditions can be negated. They lie within each other or apart."""
    # At one place what ends comes before what begins, and the longer begins first and ends last.
    marks = [(m.start, 1, -m.end, f"MUTANT({m.number}, ") for m in mutants] + \
            [(m.end, 0, -m.start, ")") for m in mutants]
    out, at = [], 0
    for place, _, _, mark in sorted(marks):
        out += [text[at:place], mark]
        at = place
    return "".join(out) + text[at:]


class Builder:
    """Builds the program of all mutants in a folder of its own, beside what meson has built."""
    def __init__(self, build, folder):
        self.build, self.folder = pathlib.Path(build), pathlib.Path(folder)
        entries = json.loads((self.build / "compile_commands.json").read_text())
        self.compile = {str((self.build / entry["file"]).resolve().relative_to(pathlib.Path.cwd())): entry for entry in entries}
        commands = subprocess.run(["ninja", "-C", build, "-t", "commands", PROGRAM], capture_output=True, text=True, check=True).stdout
        self.link = shlex.split(next(line for line in reversed(commands.splitlines()) if f" -o {PROGRAM} " in line))
        (self.folder / "mutant.h").write_text(HEADER)

    def objects(self, source, text):
        """(object, or None if it does not compile; the lines that are to blame)"""
        stem = self.folder / source.replace("/", "_")
        stem.write_text(text)
        words = [word for word in shlex.split(self.compile[source]["command"])
                 if word not in ("ccache", "-Werror", "-O3", "-g", "-MD")]
        for option in ("-o", "-c", "-MQ", "-MF"):
            at = words.index(option)
            del words[at:at + 2]
        made = stem.with_suffix(".o")
        words += ["-O1", "-w", "-fmax-errors=0", "-include", str(self.folder / "mutant.h"), "-o", str(made), "-c", str(stem)]
        run = subprocess.run(words, cwd=self.build, capture_output=True, text=True, check=False)
        return (made if run.returncode == 0 else None,
                {int(line) for line in re.findall(rf"^{re.escape(str(stem))}:(\d+):.* error:", run.stderr, re.M)})

    def source(self, source, mutants):
        """The object of a source with its mutants; those that do not compile are marked as broken."""
        text = pathlib.Path(source).read_text()
        while True:
            made, lines = self.objects(source, with_mutants(text, [m for m in mutants if m.result != "broken"]))
            if made is not None:
                return made
            blamed = [m for m in mutants if m.result != "broken" and m.line in lines]
            if not blamed:
                sys.exit(f"{source} does not compile")
            for mutant in blamed:
                mutant.result = "broken"

    def program(self, by_source):
        mutants = [mutant for of_source in by_source.values() for mutant in of_source]
        for number, mutant in enumerate(mutants):
            mutant.number = number
        made = [str(self.source(source, of_source)) for source, of_source in by_source.items()]
        (self.folder / "choice.c").write_text(CHOICE.replace("N_MUTANTS", str(len(mutants))))
        program = str(self.folder / "weft-scenario")
        link = [program if word == PROGRAM else word for word in self.link if word != "ccache"]
        at = link.index(program) + 1
        subprocess.run(link[:at] + made + [str(self.folder / "choice.c")] + link[at:], cwd=self.build, check=True)
        return program


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES_MAX, DATA_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def play(program, scenarios, **environment):
    """The scenario at which it differs, crashes or does not end; None: all pass."""
    with subprocess.Popen([program, *scenarios], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace",
                          start_new_session=True, preexec_fn=limit, env=dict(os.environ, **environment)) as process:
        def kill():
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        timer = threading.Timer(SECONDS_MAX, kill)
        timer.start()
        passed, is_caught = 0, False
        for line in process.stdout:
            passed += line.startswith("ok ")
            if line.startswith("not ok "):
                is_caught = True
                break
        if is_caught:
            kill()
        code = process.wait()
        timer.cancel()
    return scenarios[min(passed, len(scenarios) - 1)] if is_caught or code != 0 else None


class Suite:
    """The scenarios, by which conditions they come, and what they caught so far."""
    def __init__(self, program, folder):
        self.program = program
        self.scenarios = sorted(str(path) for path in pathlib.Path("pcaps").glob("*/*.yaml"))
        self.seen = {scenario: self.see(scenario, pathlib.Path(folder) / "seen") for scenario in self.scenarios}
        self.recent = {}  # by function: what caught its last mutants, the latest last

    def see(self, scenario, path):
        if play(self.program, [scenario], MUTANT_SEEN=str(path)) is not None:
            sys.exit(f"{scenario} does not pass without a mutant")
        return {number for number, was_seen in enumerate(path.read_bytes()) if was_seen}

    def order(self, mutant):
        """Who comes by the mutant: who caught its neighbours, then who comes by few others."""
        recent = self.recent.get((mutant.source, mutant.function), []) + self.recent.get(mutant.source, [])
        return sorted((scenario for scenario in self.scenarios if mutant.number in self.seen[scenario]),
                      key=lambda s: (-recent.index(s) if s in recent else 1, len(self.seen[s])))

    def judge(self, mutant):
        """(result, the scenario that caught it or "")"""
        if mutant.result == "broken":
            return "broken", ""
        scenarios = self.order(mutant)
        if not scenarios:
            return "unreached", ""
        by = play(self.program, scenarios, MUTANT=str(mutant.number))
        if by is None:
            return "survived", ""
        for key in ((mutant.source, mutant.function), mutant.source):
            self.recent[key] = [s for s in self.recent.get(key, []) if s != by][-3:] + [by]
        return "caught", by


def digest(paths):
    total = hashlib.sha256()
    for path in sorted(map(str, paths)):
        total.update(path.encode() + b"\0" + pathlib.Path(path).read_bytes())
    return total.hexdigest()


def kept_results(path, inputs):
    """{name: (result, scenario)} of an earlier run with the same sources and scenarios."""
    lines = path.read_text().splitlines() if path.exists() else []
    if lines and lines[0] == inputs:
        return {name: (result, by) for result, by, name in (line.split("\t") for line in lines[1:])}
    path.write_text(inputs + "\n")
    return {}


def report(by_source, known, is_table):
    """Survivors, and how many were caught of each source. Returns how many have no reason."""
    unexplained, rows = 0, []
    for source, mutants in by_source.items():
        counts = Counter(mutant.result for mutant in mutants)
        n, missed = len(mutants) - counts["broken"], [m for m in mutants if m.result in ("survived", "unreached")]
        explained = [mutant for mutant in missed if mutant.name in known]
        unexplained += len(missed) - len(explained)
        rows.append((source, n, counts["caught"], len(missed), len(explained)))
        for mutant in missed:
            reason = f"  # {known[mutant.name]}" if mutant.name in known else ""
            print(f"{mutant.result} {mutant.line}: {mutant.name}{reason}")
    rows.append(("all", *(sum(row[i] for row in rows) for i in range(1, 5))))
    for source, n, caught, missed, explained in rows:
        share = f"{100 * caught / n:.1f} %" if n else "none"
        print(f"| {source} | {n} | {caught} | {share} | {missed} |" if is_table else
              f"{source}: {n} mutants, {caught} caught ({share}), {missed} survived, {missed - explained} without a reason")
    return unexplained


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--list", action="store_true", help="print the mutants, make none")
    parser.add_argument("--only", default="", help="conditions with this text in their name")
    parser.add_argument("--table", action="store_true", help="what was caught as a table for documents")
    parser.add_argument("--results", type=pathlib.Path, help="where results are kept; BUILD-DIR/mutants.tsv")
    args = parser.parse_intermixed_args()
    by_source = {source: mutants_of(source) for source in args.sources or SOURCES}
    wanted = [mutant for of_source in by_source.values() for mutant in of_source if args.only in mutant.name]
    if args.list:
        print(*(f"{mutant.line}: {mutant.name}" for mutant in wanted), sep="\n")
        return 0
    inputs = digest([pathlib.Path(args.build) / PROGRAM, *SOURCES, *args.sources, *(path for path in pathlib.Path("pcaps").glob("*/*") if path.is_file()), __file__])
    path = args.results or pathlib.Path(args.build) / "mutants.tsv"
    kept = kept_results(path, inputs)
    known = dict(re.findall(r"^(\S+?: .+?)  # (.+)$", REASONS.read_text(), re.M))
    with tempfile.TemporaryDirectory() as folder, path.open("a") as results:
        suite = Suite(Builder(args.build, folder).program(by_source), folder)
        for i, mutant in enumerate(wanted):
            if mutant.name not in kept:
                kept[mutant.name] = suite.judge(mutant)
                print("\t".join((*kept[mutant.name], mutant.name)), file=results, flush=True)
            mutant.result = kept[mutant.name][0]
            if sys.stderr.isatty() or i % 100 == 99:
                print(f"{i + 1} of {len(wanted)}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
    unexplained = report({source: [m for m in mutants if m in wanted] for source, mutants in by_source.items()}, known, args.table)
    return 1 if unexplained else 0


sys.exit(main())
