#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every command and option is in help, in the man page and in the completion, and completion works.

usage: check.py WEFT WEFTD WEFT-DATAPLANE COMPLETION WEFT.1 WEFTD.8 WEFT-DATAPLANE.8 WEFT-LAB.5
"""
import json
import pathlib
import re
import subprocess
import sys

WRONG = []
CLI = pathlib.Path(__file__).resolve().parent.parent / "cli"
COMPLETE = r"""
weft() { case "$1 $2" in
"port list") printf 'NAME  TYPE\nweb0  tap\nweb10  tap\n' ;;
"segment list") printf 'NAME  VNI\nALPHA  1\n' ;;
"peer list") printf 'NAME  VTEP\nh2  10.0.0.2\n' ;;
"port types") printf 'tap: a device\nKEY  KIND  UNIT\nnetns  text  -\n\n' ;;
esac; }
compopt() { :; }
. "$1"
COMP_LINE=$2 COMP_POINT=${#2}
_weft
echo "${COMPREPLY[*]}"
"""
COMPLETED = {"weft dr": "drops", "weft port sh": "show", "weft port show web": "web0 web10", "weft port add x net": "netns=",
             "weft port set web0 segment=A": "ALPHA", "weft top --c": "--count", "weft top sort=r": "rx",
             "weft segment del A": "ALPHA", "weft --run-dir=/x port doctor web1": "web10", "weft stats web1": "web10",
             "weft completion b": "bash", "weft port add x tru": "trunk=", "weft history s": "show", "weft peer set h": "h2", "weft peer add h3 seg": "segments=", "weft status --w": "--wait", "weft port qemu-args web0 accel=t": "tcg"}


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def plain(page):
    return pathlib.Path(page).read_text().replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def must(text, part, where):
    if part not in text:
        WRONG.append(f"{where} does not have '{part}'")


def check_options(options, page, where):
    for option in options:
        if not re.search(rf"(?<![\w-]){option}(?![\w-])", page):
            WRONG.append(f"{where} does not have '{option}'")


def check_weft(weft, completion, page):
    said = json.loads(run(weft, "help", "-o", "json"))
    overview, script = run(weft, "help"), pathlib.Path(completion).read_text()
    for command in said["commands"]:
        words = " ".join(filter(None, (command["noun"], command.get("verb"))))
        must(overview, f"  {words} ", "weft help")
        must(page, f"weft {command['usage']}", "weft.1")
        must(script, f"'{words}'" if "verb" in command else f"'{words} '*", "completion")
        for option in re.findall(r"(?<=[ \[])--?[a-z-]+", command["usage"]):
            must(script, option, "completion")
    # Whatever the parser takes has to be told somewhere.
    options = re.findall(r'^\t\{"([a-z-]+)", (?:no|required|optional)_argument, NULL, (\'.\'|\w+)',
                         (CLI / "args.c").read_text(), re.M)
    for name, short in options:
        known = [f"--{name}"] + ([f"-{short[1]}"] if short.startswith("'") else [])
        for where, text in (("weft.1", page), ("completion", script)):
            if not any(re.search(rf"(?<![\w-]){word}(?![\w-])", text) for word in known):
                WRONG.append(f"{where} does not have {' or '.join(known)}")
    for line, expected in COMPLETED.items():
        seen = run("bash", "-c", COMPLETE, "bash", completion, line).split()
        if seen != expected.split():
            WRONG.append(f"'{line}' is completed to {seen}, not to {expected}")
    return len(said["commands"]), len(options)


def main():
    weft, weftd, dataplane, completion, *pages = sys.argv[1:]
    text = {pathlib.Path(page).name: plain(page) for page in pages}
    n_commands, n_options = check_weft(weft, completion, text["weft.1"])
    for program, page in ((weftd, "weftd.8"), (dataplane, "weft-dataplane.8")):
        options = set(re.findall(r"--[a-z-]+", run(program, "--help")))
        check_options(options, text[page], page)
        n_options += len(options)
    for key in ("vni", "netns", "offload", "socket", "isolated"):
        must(text["weft-lab.5"], f".B {key}\n", "weft-lab.5")
    for wrong in WRONG:
        print(wrong)
    print(f"{n_commands} commands, {n_options} options, {len(COMPLETED)} completions, {len(WRONG)} wrong")
    sys.exit(1 if WRONG else 0)


main()
