#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds a weft-dataplane with one deliberate leak between segments, for a test that must fail.

Usage: leak.py BUILD-DIR OUTPUT LEAK

The sources are read, changed and compiled outside the tree, by the commands of the build; the
object goes before the library that has the right one. A text that is not there exactly once is an
error: who changes the source changes the leak.
"""
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

GATE = ("forward.c", "if (frame->segment != segment)", "if (segment == 0)")
LEAKS = {
    # The gate before tx is open, and floods go to all ports there are.
    "flood-everywhere": [
        GATE,
        ("forward.c", "i < end; i++", "i + 1 < dp->ports_end; i++"),
        ("forward.c", "if (list->ports[i] == from->index)", "if (i + 1 == from->index)"),
        ("forward.c", "push(lists, list->ports[i], position)",
         "push(lists, (uint16_t)(i + 1), position)"),
    ],
    # A frame is taken for one of the next segment; everything behind trusts that.
    "wrong-segment": [
        ("classify.c", "context->segment = index;", "context->segment = index % 3 + 1;"),
    ],
    # One address table for all segments.
    "key-without-segment": [
        GATE,
        ("classify.c", "fdb_key_in_frame(context->segment, frame->head);",
         "fdb_key_in_frame(1, frame->head);"),
        ("classify.c", "fdb_key_in_frame(context->segment, frame->head + ETH_ALEN)",
         "fdb_key_in_frame(1, frame->head + ETH_ALEN)"),
        ("learn.c", "!port_is_in(port, segment) ||", ""),
    ],
    # A port that moves takes the addresses of its old segment along.
    "moved-address": [GATE, ("dataplane.c", "!port_is_in(port, segment) || ", "")],
    # VLAN tags are let through on access ports.
    "tags-pass": [("classify.c", "vlan_is_tag(be16toh(ethertype))", "false")],
}


def compile_command(build, name):
    """The command that compiles dataplane/NAME, in words, and the folder that it runs in."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if entry["file"].endswith("/dataplane/" + name):
            return shlex.split(entry["command"]), entry["directory"]
    sys.exit(f"leak: {build}/compile_commands.json does not compile dataplane/{name}")


def compile_leaky(build, source, changes, work):
    words, directory = compile_command(build, source)
    path = pathlib.Path(directory, words[-1])
    text = path.read_text()
    for old, new in changes:
        if text.count(old) != 1:
            sys.exit(f"leak: {source} has '{old}' {text.count(old)} times, not once")
        text = text.replace(old, new)
    changed, output = work / source, work / (source + ".o")
    changed.write_text(text)
    words[words.index("-o") + 1] = str(output)
    words[-1:] = ["-w", str(changed)]
    subprocess.run(words, cwd=directory, check=True)
    return str(output)


def main():
    build, output, leak = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], LEAKS[sys.argv[3]]
    commands = subprocess.run(["ninja", "-C", build, "-t", "commands", "dataplane/weft-dataplane"],
                              capture_output=True, text=True, check=True).stdout
    link = shlex.split(commands.splitlines()[-1])
    with tempfile.TemporaryDirectory() as work:
        objects = [compile_leaky(build, source, [c[1:] for c in leak if c[0] == source],
                                 pathlib.Path(work))
                   for source in dict.fromkeys(change[0] for change in leak)]
        at = link.index("-o")
        link[at + 1] = str(pathlib.Path(output).resolve())
        subprocess.run(link[:at] + objects + link[at:], cwd=build, check=True)


main()
