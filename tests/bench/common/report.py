# SPDX-License-Identifier: BSD-3-Clause
"""What stands beside the figures of a bench: commit, machine, time."""
import datetime
import json
import os
import pathlib
import subprocess

from rig import sh

TOP = pathlib.Path(__file__).resolve().parents[3]


def machine():
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return {"cpu": model, "n_cpus": os.cpu_count(), "kernel": os.uname().release.split("-")[0]}


def commit():
    try:
        return sh("git", "-C", TOP, "describe", "--always", "--dirty").strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def write_json(path, results, **more):
    pathlib.Path(path).write_text(json.dumps(
        {"commit": commit(), "machine": machine(), "time": datetime.datetime.now().isoformat(timespec="seconds"),
         **more, "results": results}, indent=1))
