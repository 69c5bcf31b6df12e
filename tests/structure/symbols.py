#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""foo.c exports foo, foo_* and nothing else, and keeps no mutable state of its own.

foos.c may say foo_*; foo_bar.c may say foo_* if it implements foo.h (then there is no foo.c);
main.c and foo_main.c say main. Usage: symbols.py BUILD-DIR, in the source root.
"""
import json
import pathlib
import subprocess
import sys

OURS = ("tap/", "vxlan/", "capture/", "dataplane/", "control/", "scenario/", "cli/", "tests/lib/")
MUTABLE = (".data", ".bss", ".tdata", ".tbss", "*COM*")  # .data.rel.ro is constant after loading
ALLOWED = {"dataplane/vhost/fault.c": "thread_registry"}  # docs/adr/0006-one-thread-local.md
# Compilers' own names: sanitizers, coverage.
FOREIGN = ("__asan", "__ubsan", "__odr_asan", "__san", "__gcov")


def prefixes(path):
    stem = path.stem
    allowed = {stem, stem.removesuffix("s")}
    while "_" in stem:
        stem = stem.rpartition("_")[0]
        if path.with_name(stem + ".h").exists() and not path.with_name(stem + ".c").exists():
            allowed.add(stem)
    return allowed


def symbols(obj):
    """(is_global, section, name) of everything the object defines."""
    out = subprocess.run(["objdump", "-t", obj], capture_output=True, text=True, check=True)
    for line in out.stdout.splitlines():
        flags, tab, rest = line[17:].partition("\t")
        if tab and "*UND*" not in flags and (flags[6:7] in ("F", "O") or " .t" in flags):
            section, name = flags[8:].strip() or flags.split()[-1], rest.split()[-1]
            if name != section and (section != ".text" or flags[6:7] == "F"):
                yield flags[0] in "gu", section, name


def main():
    build, bad, seen = pathlib.Path(sys.argv[1]), [], 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        path = source.relative_to(pathlib.Path.cwd())
        obj = pathlib.Path(entry["directory"], entry["output"])
        if not str(path).startswith(OURS) or not obj.exists():
            continue
        seen += 1
        for is_global, section, name in symbols(obj):
            if name.startswith(FOREIGN):
                continue
            ok = any(name == p or name.startswith(p + "_") for p in prefixes(path))
            if is_global and not ok and not (path.stem.endswith("main") and name == "main"):
                bad.append(f"{path}: exports {name}; use the prefix {path.stem}_ or static")
            is_mutable = section in MUTABLE or section.startswith((".data.", ".bss."))
            if is_mutable and ".rel.ro" not in section and ALLOWED.get(str(path)) != name:
                bad.append(f"{path}: {name} is mutable state; put it into a struct")
    print("\n".join(sorted(set(bad)) or [f"{seen} objects, every export has its file's prefix"]))
    sys.exit(1 if bad or not seen else 0)


main()
