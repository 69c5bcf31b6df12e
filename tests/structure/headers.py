#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every header compiles alone, twice included, with the flags of its folder, without a warning.

Usage: headers.py BUILD-DIR, in the source root.
"""
import json
import pathlib
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

FOLDERS = ("tap", "vxlan", "capture", "dataplane", "control", "scenario", "cli", "tests")


def flags_by_folder(build):
    """Top folder -> (directory, preprocessor and warning flags of one of its compilations)."""
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        top = source.relative_to(pathlib.Path.cwd()).parts[0]
        words, kept = shlex.split(entry["command"])[1:], []
        for i, word in enumerate(words):
            if word in ("-isystem", "-include"):
                kept += words[i:i + 2]
            elif word.startswith(("-I", "-isystem", "-D", "-W", "-std", "-m", "-f")):
                kept.append(word)
        if len(kept) > len(flags.get(top, ("", []))[1]):
            flags[top] = (entry["directory"], kept)
    return flags


def main():
    flags, root = flags_by_folder(pathlib.Path(sys.argv[1])), pathlib.Path.cwd()
    headers = sorted(h for folder in FOLDERS for h in pathlib.Path(folder).rglob("*.h"))

    def compile_alone(header):
        top = header.parts[0]
        if top not in flags:
            return f"{header}: no source file in {top}/ is compiled, flags unknown"
        directory, words = flags[top]
        result = subprocess.run(
            ["gcc", *words, "-Werror", "-fdiagnostics-color=never", "-fsyntax-only", f"-I{root}", "-x", "c", "-"],
            cwd=directory, capture_output=True, text=True, check=False,
            input=f'#include "{header}"\n#include "{header}"\n')
        return result.stderr if result.returncode else ""

    with ThreadPoolExecutor(2) as pool:
        bad = [text for text in pool.map(compile_alone, headers) if text]
    print("\n".join(bad or [f"{len(headers)} headers compile alone"]))
    sys.exit(1 if bad or not headers else 0)


main()
