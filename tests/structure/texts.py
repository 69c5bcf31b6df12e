#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Texts: licence line, no leftovers, no sleep in tests, drop reasons documented, pcaps listed, links that lead."""
import pathlib
import re
import sys

SOURCES = ("tap", "vxlan", "capture", "dataplane", "control", "scenario", "cli", "tests", "scripts", ".ci")
DOCUMENTS = ("docs", "systemd", "pcaps", "README.md", "meson.build")
SPDX = "SPDX-License-Identifier: BSD-3-Clause"
ROOT = re.escape(str(pathlib.Path.cwd()))
PATTERNS = [
    (re.compile(r"\b(TODO|FIXME|XXX)\b(?! ?\(?#\d)"), "a leftover without an issue number"),
    (re.compile(rf"(?<![\w.])({ROOT}|/home|/root|/Users)/"), "a path of one machine"),
]
# In a document: to a file beside it, to a heading.
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
# Waiting is for a condition, with a deadline: one helper in tests/lib polls, nobody else pauses.
SLEEP = re.compile(r"(?<![\w.-])(u|nano|clock_nano)?sleep\b[( ]|time\.sleep")


def files(places):
    for place in map(pathlib.Path, places):
        found = place.rglob("*") if place.is_dir() else [place]
        yield from (p for p in found if p.is_file() and "__pycache__" not in p.parts)


def check_source(path, text):
    if path.name != "meson.build" and SPDX not in text[:200] \
            and (path.suffix in (".c", ".h", ".sh", ".py") or text.startswith("#!")):
        yield f"{path}: no line '{SPDX}'"
    is_test = path.parts[0] == "tests" and path.parts[1] not in ("lib", "structure")
    for i, line in enumerate(text.splitlines(), 1):
        if is_test and SLEEP.search(line):
            yield f"{path}:{i}: sleeps; wait for a condition with a deadline"
        if path.suffix in (".c", ".h") and re.match(r"(.*[;{}]|\s*)\s*//", line):
            yield f"{path}:{i}: block comments only"


def anchors(text):
    """What links to headings say after #."""
    heads = re.findall(r"^#+ (.*)", text, re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def check_links(path, text):
    for target, anchor in LINK.findall(text):
        page = path.parent / target if target else path
        if not page.exists():
            yield f"{path}: link to {target}, which is not there"
        elif anchor and anchor not in anchors(page.read_text()):
            yield f"{path}: link to {target}#{anchor}: no such heading"


def main():
    bad = []
    for path in files(SOURCES + DOCUMENTS):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if path.parts[0] in SOURCES:
            bad += check_source(path, text)
        if path.suffix == ".md":
            bad += check_links(path, text)
        for i, line in enumerate(text.splitlines(), 1):
            bad += [f"{path}:{i}: {why}" for pattern, why in PATTERNS
                    if path != pathlib.Path("tests/structure/texts.py") and pattern.search(line)]
    reasons = re.findall(r'^\tX\([A-Z_]+, "([a-z-]+)"', pathlib.Path("dataplane/api/drop_reasons.h").read_text(), re.M)
    packet_path = pathlib.Path("docs/packet-path.md").read_text().partition("\n## Drop reasons\n")[2]
    bad += [f"docs/packet-path.md: drop reason {r} has {n} rows, not one" for r in reasons
            if (n := packet_path.count(f"\n| `{r}` |")) != 1]
    for pcap in pathlib.Path("pcaps").rglob("*.pcap*"):
        manifest = pcap.parent / "MANIFEST"
        if not manifest.exists() or pcap.name not in manifest.read_text():
            bad.append(f"{pcap}: not in {manifest}")
    print("\n".join(bad or [f"{len(reasons)} drop reasons documented, no leftovers"]))
    sys.exit(1 if bad or not reasons else 0)


main()
