#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every code of a problem is listed: in control/problem.c, and in docs/api.md; no other is.

Usage: codes.py BUILD-DIR, in the source root.
"""
import pathlib
import re
import sys

# A call up to its semicolon; those inside strings do not end it.
CALL = re.compile(r'\b(?:problem_set|\w*refuse\w*|\w+_missing|claim)\s*\((?:[^;{}"]|"(?:[^"\\]|\\.)*")*;'
                  r'|\.\w+_code = "[^"]*"')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
CODE = re.compile(r"[a-z]+(?:-[a-z]+)+")


def used():
    """code -> the first file that answers with it."""
    found = {}
    for path in sorted(pathlib.Path("control").glob("*.c")):
        for call in CALL.findall(path.read_text()):
            for literal in LITERAL.findall(call):
                if CODE.fullmatch(literal):
                    found.setdefault(literal, path)
    return found


def main():
    text = pathlib.Path("control/problem.c").read_text()
    table = re.search(r"problem_codes\[\] = \{(.*?)\n\};", text, re.S).group(1)
    listed = re.findall(r'^\t\{"([a-z-]+)"', table, re.M)
    page = pathlib.Path("docs/api.md").read_text().partition("## Codes")[2]
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.M))
    codes, bad = used(), []
    for code, path in codes.items():
        if code not in listed:
            bad.append(f"{path}: code {code} is not in problem_codes of control/problem.c; add a row")
    bad += [f"control/problem.c: nothing answers with {code}" for code in listed if code not in codes]
    bad += [f"docs/api.md: no row for code {code}" for code in listed if code not in documented]
    bad += [f"docs/api.md: code {code} is not in problem_codes" for code in documented - set(listed)]
    if listed != sorted(listed):
        bad.append("control/problem.c: problem_codes is not in the order of the alphabet")
    print("\n".join(bad or [f"{len(listed)} codes, each listed and documented"]))
    sys.exit(1 if bad or not codes else 0)


main()
