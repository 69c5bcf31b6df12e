#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the golden scenarios: NAME.yaml, NAME.PORT.in.pcap and each area's MANIFEST.

    pcaps/make.py            writes them
    pcaps/make.py --check    compares what is there with what it would write; exit 1 if it differs

What comes out (NAME.PORT.out.pcap) is written by `weft test --update pcaps` and reviewed by eye;
where weft computes something, it is written here, by a second way to compute it.
"""
import pathlib
import re
import sys

import changes  # noqa: F401, these fill SCENARIOS
import channels  # noqa: F401
import protection  # noqa: F401
import queues  # noqa: F401
import switching  # noqa: F401
import underlay  # noqa: F401
from frames import SCENARIOS, pcap

HERE = pathlib.Path(__file__).resolve().parent


def text(scenario):
    """The scenario as YAML."""
    ports, peers, drops = scenario["ports"], scenario["peers"], scenario["drops"]
    lines = [f'about: "{scenario["about"]}"', "lab:", f"  segments: {scenario['segments']}", "  ports:"]
    for port, keys in ports.items():
        keys = keys if re.match('[a-z]+: ', keys) else "segment: " + keys
        lines.append(f"    {port}: {{{keys if keys.startswith('type: ') else 'type: tap, ' + keys}}}")
    if peers:
        lines.append("  peers:")
        lines += [f"    {peer}: {{{keys}}}" for peer, (keys, _) in peers.items()]
    lines += [f"  {key}: {{{value}}}" for key, value in scenario.get("lab", {}).items()]
    if scenario.get("at"):
        lines.append("at:")
        lines += [f"  {time}: {{{patch}}}" for time, patch in scenario["at"].items()]
    if drops:
        lines.append("drops:")
        for port, reasons in drops.items():
            lines.append(f"  {port}: {{" + ", ".join(f"{r}: {n}" for r, n in reasons.items()) + "}")
    values = dict(scenario, nexthops={peer: uplink for peer, (_, uplink) in peers.items() if uplink})
    for key in ("sends", "takes", "full", "nexthops", "lost", "ignore"):
        if values.get(key):
            lines.append(f"{key}: {{" + ", ".join(f"{p}: {v}" for p, v in values[key].items()) + "}")
    if scenario.get("until"):
        lines.append(f"until: {scenario['until']}")
    return "\n".join(lines) + "\n"


def files():
    """{path: bytes} of everything that this script makes."""
    made, manifests = {}, {}
    for scenario in SCENARIOS:
        folder, name, outs = HERE / scenario["area"], scenario["name"], scenario["outs"]
        made[folder / f"{name}.yaml"] = text(scenario).encode()
        entry = [f"{name}: {scenario['about']}"]
        packets = scenario["packets"]
        # Ports that come later stand only in what changes.
        ports = list(scenario["ports"]) + [p for p in dict.fromkeys(p for _, p, _ in packets) if p not in scenario["ports"]]
        for port in ports + [p for p in outs or {} if p not in ports]:
            mine = [(ms, data) for ms, p, data in packets if p == port]
            if mine:
                made[folder / f"{name}.{port}.in.pcap"] = pcap(mine)
                entry.append(f"    {name}.{port}.in.pcap   by pcaps/make.py")
            out = folder / f"{name}.{port}.out.pcap"
            if outs is not None:
                if port in outs:
                    made[out] = pcap(outs[port])
                    entry.append(f"    {out.name}   by pcaps/make.py")
            elif out.exists():
                entry.append(f"    {out.name}   by weft test --update, reviewed")
        manifests.setdefault(folder, []).append("\n".join(entry))
    for folder, entries in manifests.items():
        made[folder / "MANIFEST"] = ("\n".join(entries) + "\n").encode()
    return made


def main():
    check = "--check" in sys.argv[1:]
    made = files()
    wrong = 0
    for path, data in made.items():
        if check:
            if not path.exists() or path.read_bytes() != data:
                print(f"{path.relative_to(HERE)}: not as make.py writes it")
                wrong += 1
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    listed = {f"{path.parent}/{name}" for path, data in made.items() if path.name == "MANIFEST"
              for name in re.findall(r"\S+\.pcap", data.decode())}
    strays = [p for p in HERE.glob("*/*.yaml") if p not in made] + \
             [p for p in HERE.glob("*/*.pcap") if str(p) not in listed]
    for path in strays:
        print(f"{path.relative_to(HERE)}: nothing makes it")
    print(f"{len(SCENARIOS)} scenarios, {len(made)} files")
    sys.exit(1 if wrong or strays else 0)


main()
