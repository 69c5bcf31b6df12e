#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What weft-scenario says of scenarios that do not come as expected, or cannot be played; and that it plays the
same twice. usage: differences.py WEFT-SCENARIO PCAPS"""
import filecmp
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

PROGRAM, PCAPS = sys.argv[1], pathlib.Path(sys.argv[2])
WRONG = []
N = 0


def run(*words):
    result = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def check(what, is_true, text=""):
    global N
    N += 1
    print(f"{'ok' if is_true else 'not ok'} {N} - {what}")
    if not is_true:
        WRONG.append(what)
        print(text)


def expect(what, code, part, *words):
    seen, text = run(*words)
    check(what, seen == code and part in text, f"exit code {seen}, not {code}; no '{part}' in:\n{text}")


def replace(path, old, new):
    data = path.read_bytes()
    assert old in data, f"{path}: no {old}"
    path.write_bytes(data.replace(old, new, 1))


def records(path):
    """The head of a pcap, and its records."""
    data, out, at = path.read_bytes(), [], 24
    while at < len(data):
        n = struct.unpack_from("=I", data, at + 8)[0]
        out.append(data[at:at + 16 + n])
        at += 16 + n
    return data[:24], out


def captures(folder):
    """One capture after another: changed, cut, missing, superfluous, late, of another link."""
    yaml, out = folder / "learning/answer_is_unicast.yaml", folder / "learning/answer_is_unicast.p2.out.pcap"
    whole = out.read_bytes()
    head, packets = records(out)
    for what, data, code, part in (
            ("a byte", whole[:24 + 16 + 20] + b"?" + whole[24 + 16 + 21:], 1, "payload"),
            ("an address", whole[:24 + 16] + b"\x0a" + whole[24 + 16 + 1:], 1, "eth.destination    02:00:00:00:00:02, not 0a:00:00:00:00:02 (byte 0)"),
            ("a nanosecond", head + packets[0][:4] + struct.pack("=I", 1000001) + packets[0][8:] + packets[1], 1, "time               0.001000000, not 0.001000001"),
            ("one more expected", head + packets[0] + packets[0] + packets[1], 1, "packet 2 is missing"),
            ("one less expected", head + packets[1], 1, "packet 1 was not expected"),
            ("none expected", head, 1, "p2: packet 2 was not expected"),
            ("a cut file", whole[:-1], 2, "the file was cut off"),
            ("an empty file", b"", 2, "the file is empty"),
            ("another kind of link", whole[:20] + struct.pack("=I", 113) + whole[24:], 2, "another kind of link than Ethernet: Linux cooked"),
            ("a cut packet", head + packets[0][:12] + struct.pack("=I", 100) + packets[0][16:], 2, "was cut by a snapshot length"),
            ("the wrong order", head + packets[1] + packets[0], 2, "older than the one before")):
        out.write_bytes(data)
        expect(f"captures: {what}", code, part, yaml)
    out.unlink()
    expect("captures: nothing", 1, "packet 1 was not expected", yaml)
    code, _ = run("--update", yaml)
    check("captures: --update", code == 0 and out.read_bytes() == whole)


def texts(folder):
    """Scenarios with something wrong in them."""
    path = folder / "changes/port_deleted.yaml"
    good = path.read_bytes()
    for what, old, new, code, part in (
            ("drops", b"lost: {p1: 1}", b"drops: {p2: {runt: 1}}\nlost: {p1: 1}", 1, "p2: 0 dropped by runt, not 1"),
            ("lost", b"lost: {p1: 1}", b"", 1, "p1: 1 lost for want of a port, not 0"),
            ("a reason", b"lost:", b"drops: {p2: {rnut: 1}}\nlost:", 2, "no such reason: rnut"),
            ("a port", b"lost: {p1", b"lost: {p9", 2, "lost: there is no port p9"),
            ("a key", b"lost:", b"lots:", 2, "unknown key 'lots'"),
            ("a time", b"10ms", b"10 ms", 2, "'10 ms' is no time"),
            ("a patch", b"ports: {p1: null}", b"segments: {ALPHA: null}", 2, "at.10ms:"),
            ("a lab", b"segment: ALPHA}", b"segment: OMEGA}", 2, "OMEGA"),
            ("a lab's key", b"vni: 100", b"vin: 100", 2, "vin"),
            ("YAML", b"lab:", b"lab: [", 2, "line"),
            ("a field", b"lost:", b"ignore: {p2: [ipv4.tll]}\nlost:", 2, "ipv4.tll"),
            ("a file", b"lost:", b"in: {p3: nowhere.pcap}\nlost:", 2, "nowhere.pcap: No such file"),
            ("until", b"lost:", b"until: soon\nlost:", 2, "until: write a number")):
        path.write_bytes(good)
        replace(path, old, new)
        expect(f"texts: {what}", code, part, path)
    replace(path, b"until: soon", b"until: 1h")
    expect("texts: until an hour later", 0, "ok 1", path)
    path.write_bytes(good.replace(b"lost: {p1: 1}\n", b"# stays\n"))
    code, _ = run("--update", path)
    check("texts: --update", code == 0 and path.read_bytes() == good.replace(b"lost:", b"# stays\nlost:"))
    path.write_bytes(good)
    expect("texts: no scenario", 2, "No such file", folder / "nowhere.yaml")
    expect("texts: no scenario below", 2, "no scenario below", folder / "empty")
    expect("usage", 2, "usage:")
    expect("usage: options", 2, "usage:", "--nonsense", path)


def forms(folder):
    """A lab, captures in files with other names and formats."""
    path = folder / "learning/elsewhere.yaml"
    path.write_text("lab: elsewhere.lab.yaml\nin: {p1: unknown_is_flooded.p1.in.pcap}\n"
                    "out: {p2: unknown_is_flooded.p2.out.pcap, p3: elsewhere.pcapng}\n")
    (folder / "learning/elsewhere.lab.yaml").write_text(
        "segments: {ALPHA: {vni: 100}}\nports:\n" + "".join(f"  p{i}: {{type: tap, segment: ALPHA}}\n" for i in (1, 2, 3)))
    expect("forms: what is not there", 2, "elsewhere.pcapng: No such file", path)
    code, text = run("--update", path)
    made = folder / "learning/elsewhere.pcapng"
    check("forms: a pcapng is made", code == 0 and made.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a", text)
    expect("forms: and read", 0, "1 passed", path)
    path.write_text(path.read_text().replace("elsewhere.lab.yaml", "nowhere.yaml"))
    expect("forms: no lab", 2, "nowhere.yaml: No such file", path)


def calendar(folder):
    """Times of a calendar count from the first packet of all."""
    path = folder / "learning/answer_is_unicast.yaml"
    for port in ("p1", "p2"):
        capture = folder / f"learning/answer_is_unicast.{port}.in.pcap"
        head, packets = records(capture)
        capture.write_bytes(head + b"".join(struct.pack("=I", 1700000000) + packet[4:] for packet in packets))
    expect("calendar: counted from the first packet", 1, "0.000000000, not 0.001000000", path)
    run("--update", path)
    expect("calendar: and so expected", 0, "1 passed", path)
    capture.write_bytes(head + struct.pack("=I", 1) + packets[0][4:])
    expect("calendar: too long", 2, "more than two years apart", path)


def reports(folder):
    replace(folder / "malformed/runts.yaml", b"runt: 14", b"runt: 13")
    replace(folder / "malformed/sources.yaml", b"lab:", b"lba:")
    code, text = run("-o", "json", "--junit", folder / "junit.xml", folder / "malformed", folder / "moves")
    said = json.loads(text)
    results = {one["name"]: one["result"] for one in said["scenarios"]}
    check("reports: JSON", code == 2 and said["failed"] == 1 and said["invalid"] == 1 and
          results["malformed/runts"] == "failed" and results["malformed/sources"] == "invalid" and
          results["moves/back_and_forth"] == "passed", text)
    suite = xml.etree.ElementTree.parse(folder / "junit.xml").getroot()[0]
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    invalid = [case.get("name") for case in suite if case.find("error") is not None]
    check("reports: JUnit", suite.get("tests") == str(len(results)) and failed == ["runts"] and invalid == ["sources"])
    code, text = run(folder / "malformed/runts.yaml")
    check("reports: TAP", text.splitlines() == ["not ok 1 - malformed/runts", "    p1: 14 dropped by runt, not 13",
                                                "1..1", "# 0 passed, 1 failed"], text)
    expect("reports: a JUnit file that cannot be", 2, "Is a directory", "--junit", folder, folder / "moves")


def same(a, b):
    """Both folders have the same files, byte by byte."""
    names = sorted(path.relative_to(a) for path in a.rglob("*") if path.is_file())
    others = sorted(path.relative_to(b) for path in b.rglob("*") if path.is_file())
    return names == others and len(names) > 100 and not filecmp.cmpfiles(a, b, names, shallow=False)[1]


def twice(folder):
    first = run("-o", "json", "--keep", folder / "first", PCAPS)
    second = run("-o", "json", "--keep", folder / "second", PCAPS)
    check("twice: the same results", first == second and first[0] == 0, first[1][-300:])
    check("twice: the same captures, byte by byte", same(folder / "first", folder / "second"))


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "empty").mkdir()
        for area in ("learning", "changes", "malformed", "moves"):
            shutil.copytree(PCAPS / area, folder / area)
        for part in (captures, texts, forms, calendar, reports, twice):
            part(folder)
    print(f"1..{N}")
    sys.exit(1 if WRONG else 0)


main()
