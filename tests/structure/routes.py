#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each route of weftd has its row in docs/api.md under "Paths", with its query parameters; no other has.

Usage: routes.py BUILD-DIR, in the source root.
"""
import pathlib
import re
import sys

ROUTE = re.compile(r'\{"([A-Z]+)", "([^"]+)", \w+,\s*"([^"]*)"')
OBJECTS = re.compile(r'^\tOBJECTS\("\w+", "(\w+)"', re.M)
ROW = re.compile(r"^\| ((?:GET|PUT|POST|DELETE) [^|]+) \|(.*)\|$", re.M)


def served(text):
    """(method, path) -> its query parameters."""
    routes = {(method, path): query for method, path, query in ROUTE.findall(text)}
    for name in OBJECTS.findall(text):
        one = f"/v1/{name}/{{name}}"
        routes |= {("GET", f"/v1/{name}"): "", ("GET", one): "", ("PUT", one): "dry_run", ("DELETE", one): "dry_run"}
    return routes


def documented(page):
    """(method, path) -> its row. "PUT /v1/vms/NAME, DELETE" is two, and so is "GET /v1/vms, /v1/vms/NAME"."""
    rows = {}
    for head, rest in ROW.findall(page):
        method = path = ""
        for word in re.split(r",? ", head):
            method = word if word.isalpha() else method
            path = path if word.isalpha() else re.sub(r"NAME|REVISION", "{name}", word.partition("?")[0])
            if path:
                rows[method, path] = head + rest
    return rows


def main():
    routes = served(pathlib.Path("control/api_routes.c").read_text())
    rows = documented(pathlib.Path("docs/api.md").read_text().partition("\n## Paths\n")[2])
    bad = [f"docs/api.md: no row for {m} {p}" for m, p in routes.keys() - rows.keys()]
    bad += [f"docs/api.md: {m} {p} is no route of control/api_routes.c" for m, p in rows.keys() - routes.keys()]
    bad += [f"docs/api.md: {m} {p} does not name ?{word}=" for (m, p), query in routes.items()
            for word in query.split(", ") if word and not re.search(rf"[?&`]{word}=", rows.get((m, p), "?%s=" % word))]
    print("\n".join(sorted(bad) or [f"{len(routes)} routes, each documented"]))
    sys.exit(1 if bad or not routes else 0)


main()
