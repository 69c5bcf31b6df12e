#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Who may include what: tap, vxlan, capture <- dataplane <- control <- scenario, cli; nothing includes tests."""
import pathlib
import re
import sys

# Longest matching folder decides: what its files may include of ours, and whether DPDK.
RULES = {
    "tap/": (("tap/",), False),
    "vxlan/": (("vxlan/",), False),
    "capture/": (("capture/",), False),
    "dataplane/": (("tap/", "vxlan/", "dataplane/"), True),
    "dataplane/api/": (("dataplane/api/",), False),
    "dataplane/base/": (("dataplane/base/",), False),
    "control/": (("tap/", "vxlan/", "capture/", "dataplane/api/", "dataplane/base/", "control/"), False),
    "scenario/": (("capture/", "dataplane/", "control/", "scenario/"), True),
    "cli/": (("capture/", "dataplane/base/", "cli/"), False),
    "tests/": (("",), True),
}
# Stages judge frames: no clock, no system call, no lock, no log. (sys/uio.h is struct iovec.)
STAGES = {"offload", "overlay", "decap", "classify", "guard", "guard_parse", "learn", "answer", "forward", "fdb",
          "storm", "segmentation", "checksum", "vlan", "flow", "drop"}
NOT_IN_STAGES = re.compile(
    r"<(sys/(?!queue\.h|uio\.h)|unistd|fcntl|poll|time|pthread|signal|net/if(?!_arp)|rte_cycles|rte_log"
    r"|rte_spinlock)|\"dataplane/base/(log|loop)")
INCLUDE = re.compile(r"^\s*#\s*include\s+([\"<])([^\">]+)", re.M)


def check(path):
    text = path.read_text()
    rule = max((r for r in RULES if str(path).startswith(r)), key=len)
    allowed, is_dpdk_allowed = RULES[rule]
    includes = INCLUDE.findall(text)
    for mark, name in includes:
        if mark == "<" and name.startswith("rte_") and not is_dpdk_allowed:
            yield f"{path}: {rule} does not know DPDK, but includes <{name}>"
        if mark == '"' and not pathlib.Path(name).exists():
            yield f"{path}: includes \"{name}\": write includes from the top folder"
        elif mark == '"' and not name.startswith(allowed):
            yield f"{path}: {rule} must not include \"{name}\""
        if path.parent.name == "dataplane" and path.stem in STAGES \
                and NOT_IN_STAGES.match(mark + name):
            yield f"{path}: a stage must not include {name}"
    own = str(path.with_suffix(".h"))
    if path.suffix == ".c" and pathlib.Path(own).exists() and includes[0][1] != own:
        yield f"{path}: includes \"{includes[0][1]}\" before its own header"


def main():
    paths = [p for rule in RULES if rule.count("/") == 1 for p in pathlib.Path(rule).rglob("*.[ch]")]
    bad = [line for path in sorted(paths) for line in check(path)]
    bad += [f"dataplane/{name}.c: a stage that is not there" for name in sorted(STAGES)
            if not pathlib.Path("dataplane", name + ".c").exists()]
    print("\n".join(bad or [f"{len(paths)} files, every include points down"]))
    sys.exit(1 if bad or not paths else 0)


main()
