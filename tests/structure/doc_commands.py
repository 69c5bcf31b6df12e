#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs every ```sh block of the documents, in order, one shell per document, in a throwaway machine.

A comment line "# prints: TEXT" after a command says that its output contains TEXT. Every command runs
once, as it does for who pastes it: what takes a while must wait by itself. Only a question of weft, such
as "weft fdb list", is asked again for some seconds: a machine that others use may be slower than who pastes.
A block after "<!-- not run here: REASON -->" is left out.
The machine: own mount, process, network namespaces, so /run and /var/lib are empty, and everything
ends with the first process. Needs root. Usage: doc_commands.py BUILD-DIR, in the source root.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

DOCUMENTS = ("README.md", "docs/operations.md", "docs/segments.md", "docs/channels.md", "docs/overlay.md",
             "docs/replay.md", "docs/why.md", "docs/capture.md")
BLOCK = re.compile(r"(<!-- not run here:[^>]*-->\s*)?^```sh\n(.*?)^```", re.M | re.S)
PRELUDE = """set -euo pipefail
exec 3>&1 </dev/null
mount -t tmpfs none /run; mount -t tmpfs none /var/lib; ip link set lo up
cd {work}
export PATH={build}/cli:{build}/control:{build}/dataplane:$PATH
stop() {{ echo "$step: $1; it printed:"; cat "$out"; exit 1; }} >&3
trap 'stop "exit status $?"' ERR
"""
MARKED = """for look in $(seq {looks}); do
{{ {last}
}} >"$out.last" 2>&1 || true
flat=$(tr -s ' \\t\\n' ' ' <"$out.last")
if {checks} true; then break; fi
[ "$look" -lt {looks} ] || out=$out.last stop "not what is marked: "{marks}
read -rt 0.1 <> <(:) || true
done
"""
QUESTION = re.compile(r"weft (\w+ )?(list|show|stats|drops|queues)( [\w-]+)*")
LOOKS = 100


def steps(text):
    """(commands, last command, expected outputs): commands up to the first that marks its output."""
    lines, expected = [], []
    for skipped, block in BLOCK.findall(text):
        for line in [] if skipped else block.splitlines() + [""]:
            if line.startswith("# prints: "):
                expected.append(line.removeprefix("# prints: "))
                continue
            if expected:
                yield lines, expected
                lines, expected = [], []
            lines.append(line)
    yield lines, expected


def split_last(lines):
    """The last command with the lines that it continues, and what comes before it."""
    first = max(i for i, line in enumerate(lines) if line)
    while first and lines[first - 1].endswith("\\"):
        first -= 1
    return "\n".join(lines[:first]), "\n".join(lines[first:])


def script(path, build, work):
    words = {"build": shlex.quote(build), "work": shlex.quote(work)}
    out = PRELUDE.format(**words)
    # An output file for each step: a daemon of an earlier step keeps writing to its own.
    for i, (lines, expected) in enumerate(steps(path.read_text())):
        title = next((line for line in lines if line), "")
        before, last = split_last(lines) if expected else ("\n".join(lines), "")
        out += f"step={shlex.quote(f'{path}: {title}')} out={words['work']}/.out{i}\n"
        out += f"{{ {before}\n:; }} >\"$out\" 2>&1\n"
        if expected:
            marks = [shlex.quote(" ".join(text.split())) for text in expected]
            checks = " ".join(f'[[ $flat == *{mark}* ]] &&' for mark in marks)
            looks = LOOKS if QUESTION.fullmatch(last) else 1
            out += MARKED.format(last=last, looks=looks, checks=checks, marks=shlex.quote("; ".join(expected)), **words)
    return out


def main():
    if os.geteuid() != 0:
        print("doc_commands: needs root for namespaces")
        sys.exit(77)
    n_bad = 0
    for name in DOCUMENTS:
        with tempfile.TemporaryDirectory() as work:
            program = script(pathlib.Path(name), str(pathlib.Path(sys.argv[1]).resolve()), work)
            result = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net",
                                     "--mount-proc", "bash", "-c", program],
                                    stdin=subprocess.DEVNULL, check=False)
            print(f"{'not ok' if result.returncode else 'ok'} - {name}")
            n_bad += result.returncode != 0
    sys.exit(1 if n_bad else 0)


main()
