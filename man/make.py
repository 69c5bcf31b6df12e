#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes a man page of what the programs say of themselves: make.py PAGE OUTPUT VERSION PROGRAM

PAGE: weft (from `weft help -o json`), weftd, weft-dataplane (from --help), weft-lab (from lab_keys).
"""
import json
import re
import subprocess
import sys

SEE = {"weft": "weft-lab(5), weftd(8), weft-dataplane(8)", "weftd": "weft(1), weft-dataplane(8)",
       "weft-dataplane": "weft(1), weftd(8)", "weft-lab": "weft(1)"}
ABOUT = {"weftd": "keeps what was asked for and makes the fast path match it",
         "weft-dataplane": "moves frames between ports",
         "weft-lab": "file that declares segments and ports"}
LAB = """A lab file is YAML:

.nf
    segments:
      ALPHA: {vni: 100, vlan: 10}
    ports:
      web0: {type: vhost-user, vm: web, segment: ALPHA}
      c1:   {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.2/24}
      up:   {type: uplink, ifname: eth1, vtep: 10.9.0.1}
    peers:
      h2:   {vtep: 10.9.0.2, segments: [ALPHA]}
.fi

weft apply -f FILE makes it so, weft export prints what there is as such a file. A lab may have a
name: weft apply --prune then deletes what an earlier file of that name declared and this one does not.
"""
SEGMENT = [("vni", "number of the segment in the overlay, 1 to 16777215, unique; required"),
           ("vlan", "VLAN id on trunks and uplinks, 1 to 4094, unique"),
           ("mtu", "largest IP packet in bytes; default 1500, or what uplinks leave"),
           ("age", "how long a silent MAC address is remembered; default 300s")]
PORT = [("type", "kind of port, below; required"), ("segment", "the segment it is in"),
        ("trunk", "in place of segment: several, each with its VLAN tag, as {ALPHA: 10, BETA: 20}"),
        ("native", "with trunk: the segment of what has no tag"),
        ("segments", "of a peer: the segments that it has, as [ALPHA, BETA]; default: every segment"),
        ("vm", "label that groups the ports of one machine"),
        ("mac", "address of the card or device; default: derived from the port's name")]


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.splitlines())


def ask(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def block(text):
    return [".nf", escape(text.rstrip("\n")), ".fi"]


def command_page(program):
    said = json.loads(ask(program, "help", "-o", "json"))
    lines = [".SH SYNOPSIS", escape("weft [--run-dir DIR] [-o table|json|yaml] COMMAND"), ".SH COMMANDS"]
    for command in said["commands"]:
        lines += [".TP", f".B weft {escape(command['usage'])}", escape(command["help"])]
        if "more" in command:
            lines += [".RS", *block(command["more"]), ".RE"]
    return said["intro"].splitlines()[0].removeprefix("weft "), lines + [".SH OPTIONS", *block(said["outro"])]


def daemon_page(program, name):
    usage, options = [], []
    for line in ask(program, "--help").splitlines():
        (options if options or line.startswith("  --") else usage).append(line)
    return ABOUT[name], [".SH SYNOPSIS", *block(re.sub(r"^usage: ", "", "\n".join(usage))), ".SH OPTIONS",
                         *block("\n".join(options))]


def keys(rows):
    lines = []
    for key, text in rows:
        lines += [".TP", f".B {escape(key)}", escape(text)]
    return lines


def described(rows):
    for row in rows:
        text = row["help"]
        if row.get("choices"):
            text += f" ({row['choices']})"
        if row.get("default"):
            text += f"; default {row['default']}"
        yield row["key"], text


def lab_page(program):
    said = json.loads(ask(program))
    lines = [".SH DESCRIPTION", escape(LAB).replace("\\&.nf", ".nf").replace("\\&.fi", ".fi"), ".SH SEGMENTS",
             *keys(SEGMENT), *keys(described(said["segment"])), ".SH PORTS", *keys(PORT),
             *keys(described(said["common"]))]
    for kind in said["kinds"]:
        lines += [f".SS {escape(kind['name'])}", escape(kind["help"]), *keys(described(kind["options"]))]
    return ABOUT["weft-lab"], lines


def main():
    page, output, version, program = sys.argv[1:]
    about, lines = {"weft": command_page, "weft-lab": lab_page}.get(
        page, lambda program: daemon_page(program, page))(program)
    section = output.rsplit(".", 1)[1]
    head = ['.\\" Made by man/make.py', f'.TH {page.upper()} {section} "" "weft {version}"', ".SH NAME",
            f"{escape(page)} \\- {escape(about.rstrip('.'))}"]
    with open(output, "w") as file:
        file.write("\n".join(head + lines + [".SH SEE ALSO", SEE[page]]) + "\n")


main()
