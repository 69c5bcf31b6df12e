#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Negates conditions of the packet path, one at a time, and counts which of these mutants the packet suite catches.

usage: mutants.py BUILD-DIR [--list] [--only TEXT] [--jobs N] [SOURCE...]

A condition is what stands in if (), while (), between the semicolons of for (), or before a ?, and each operand of
&& and ||. A mutant is caught if a scenario differs, or if it crashes or does not end. One that does not compile is
none. Survivors are printed with their line; REASONS says which of them change nothing that a packet could show.
Takes many minutes: for hands, not for scripts/test. Run from the source root.
"""
import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

SOURCES = ["dataplane/classify.c", "dataplane/guard.c", "dataplane/guard_parse.c", "dataplane/learn.c", "dataplane/forward.c",
           "dataplane/carry.c", "dataplane/storm.c", "dataplane/vlan.c", "dataplane/channel/shape.c", "dataplane/decap.c",
           "dataplane/port_peer.c", "vxlan/vxlan_decap.c",
           "vxlan/vxlan_ecn.c", "vxlan/vxlan_inner.c", "vxlan/vxlan_tunnel.c", "vxlan/vxlan_sum.c", "vxlan/vxlan_neigh.c",
           "vxlan/vxlan_too_big.c", "vxlan/vxlan_mss.c", "vxlan/vxlan_flow.c"]
REASONS = pathlib.Path(__file__).with_name("survivors.txt")
SECONDS_MAX = 20  # for a suite that takes one


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


class Builder:
    def __init__(self, build):
        self.build = pathlib.Path(build)
        entries = json.loads((self.build / "compile_commands.json").read_text())
        self.compile = {str((self.build / entry["file"]).resolve().relative_to(pathlib.Path.cwd())): entry for entry in entries}
        commands = subprocess.run(["ninja", "-C", build, "-t", "commands", "scenario/weft-scenario"],
                                  capture_output=True, text=True, check=True).stdout
        self.link = shlex.split(next(line for line in reversed(commands.splitlines()) if " -o scenario/weft-scenario " in line))

    def make(self, source, text, folder):
        """The path of a program with this text in place of the source; None: it does not compile."""
        changed, made, program = folder / "mutant.c", folder / "mutant.o", folder / "weft-scenario"
        changed.write_text(text)
        words = shlex.split(self.compile[source]["command"])
        words = [word for word in words if word not in ("-Werror", "-O3", "-g", "-MD")]
        for option in ("-o", "-c", "-MQ", "-MF"):
            at = words.index(option)
            del words[at:at + 2]
        words += ["-O1", "-w", "-o", str(made), "-c", str(changed)]
        if subprocess.run(words, cwd=self.build, capture_output=True, check=False).returncode:
            return None
        link = [str(program) if word == "scenario/weft-scenario" else word for word in self.link]
        link.insert(link.index(str(program)) + 1, str(made))
        if subprocess.run(link, cwd=self.build, capture_output=True, check=False).returncode:
            return None
        return program


def is_caught(program):
    try:
        return subprocess.run([program, "pcaps"], capture_output=True, timeout=SECONDS_MAX, check=False).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def judge(builder, source, text, start, end):
    """caught, survived or broken"""
    with tempfile.TemporaryDirectory() as name:
        program = builder.make(source, f"{text[:start]}!({text[start:end]}){text[end:]}", pathlib.Path(name))
        if program is None:
            return "broken"
        return "caught" if is_caught(program) else "survived"


def title(source, text, start, end):
    line = text.count("\n", 0, start) + 1
    return line, f"{source}: {' '.join(text[start:end].split())}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--list", action="store_true", help="print the mutants, make none")
    parser.add_argument("--only", default="", help="conditions with this text")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_intermixed_args()
    builder = Builder(args.build)
    known = dict(re.findall(r"^(.+?)  # (.+)$", REASONS.read_text(), re.M)) if REASONS.exists() else {}
    counts, unexplained = {"caught": 0, "survived": 0, "broken": 0}, 0
    for source in args.sources or [path for path in SOURCES if pathlib.Path(path).exists()]:
        text = pathlib.Path(source).read_text()
        todo = [(start, end) for start, end in conditions(text) if args.only in text[start:end]]
        if args.list:
            for start, end in todo:
                print("%s:%d: %s" % (source, *title(source, text, start, end)))
            continue
        with ThreadPoolExecutor(args.jobs) as pool:
            for (start, end), result in zip(todo, pool.map(lambda at: judge(builder, source, text, *at), todo)):
                counts[result] += 1
                line, name = title(source, text, start, end)
                if result == "survived":
                    unexplained += name not in known
                    reason = f"  # {known[name]}" if name in known else ""
                    print(f"survived {source}:{line}: {name.split(': ', 1)[1]}{reason}", flush=True)
        print(f"{source}: {len(todo)} conditions, so far {counts['caught']} caught, {counts['survived']} survived", flush=True)
    n = counts["caught"] + counts["survived"]
    if n:
        print(f"{n} mutants, {counts['caught']} caught ({100 * counts['caught'] / n:.1f} %), {counts['survived']} survived, "
              f"{unexplained} of them without a reason; {counts['broken']} did not compile")
    sys.exit(1 if unexplained else 0)


main()
