# SPDX-License-Identifier: BSD-3-Clause
"""Instructions of a worker under callgrind."""
import os
import re
import signal
import subprocess

from rig import sh, wait_for

# Switch's wrapper; {run} is its run directory.
WRAPPER = ["valgrind", "--tool=callgrind", "--separate-threads=yes", "-q", "--callgrind-out-file={run}/callgrind"]
TOTAL = "PROGRAM TOTALS"


def ask(switch, option):
    """callgrind_control. At times vgdb, behind it, waits for ever for a program that sleeps: then once more."""
    words = ["callgrind_control", option, str(switch.dataplane.pid)]
    for _ in range(4):
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True) as asked:
            try:
                if asked.wait(10) != 0:
                    raise RuntimeError(f"{' '.join(words)}: exit code {asked.returncode}")
                return
            except subprocess.TimeoutExpired:
                os.killpg(asked.pid, signal.SIGKILL)
    raise TimeoutError(f"{' '.join(words)}: no answer")


def dump(switch, n):
    """{function: inclusive instructions} of the worker since the last dump, and TOTAL. n: another one each time."""
    ask(switch, f"--dump={n}")
    wait_for(20, "callgrind's dump", lambda: list(switch.run.glob(f"callgrind.{n}-*")))
    # The worker's thread is the one that knows worker_turn().
    path = next(p for p in sorted(switch.run.glob(f"callgrind.{n}-*")) if "worker_turn" in p.read_text())
    text = sh("callgrind_annotate", "--inclusive=yes", "--auto=no", "--threshold=100", path)
    seen = {TOTAL: int(re.search(r"([\d,]+) .*PROGRAM TOTALS", text).group(1).replace(",", ""))}
    # A function is told once for each file that it has lines of.
    for count, name in re.findall(r"^ *([\d,]+) \(.*?:(\w+)(?:'2)?(?: \[|$)", text, re.M):
        seen[name] = max(seen.get(name, 0), int(count.replace(",", "")))
    return seen


def ran(switch, n, pattern):
    """Functions of any thread in dump n whose whole names match."""
    return sorted({name for path in switch.run.glob(f"callgrind.{n}-*")
                   for name in re.findall(rf"fn=\(\d+\) ({pattern})", path.read_text())})
