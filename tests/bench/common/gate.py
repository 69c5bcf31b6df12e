# SPDX-License-Identifier: BSD-3-Clause
"""Whether the machine is as it usually is."""
import pathlib
import statistics
import subprocess

OFF = 1.15  # the bare copy loop's cost, times its best quartile in this run, up to which a round counts


class Gate:
    """Whether a round counts: the two CPUs are near, and a bare copy loop over both costs what it usually does in this
    run. Another program on one of the CPUs, here or on another virtual machine, shows in the loop as in the figures."""

    def __init__(self, build):
        self.build, self.copies_ns = pathlib.Path(build), []

    def look(self, is_waiting=False):
        """What the copy loop takes now, in ns for each frame; None if the CPUs are not near. However long one waits for
        it to be usual again, what it costs meanwhile does not become usual."""
        done = subprocess.run(["nice", "-n", "-20", self.build / "tests/bench/weft-pingpong", "--copy"],
                              stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == 1:
            return None
        done.check_returncode()
        copy_ns = float(done.stdout.split()[1])
        if not is_waiting:
            self.copies_ns.append(copy_ns)
        return copy_ns

    def is_usual(self, copy_ns):
        """Against the best quartile so far: what was usual at first may have been a bad hour's."""
        if not self.copies_ns:
            return True
        best = statistics.quantiles(self.copies_ns, n=4, method="inclusive")[0] if len(self.copies_ns) > 1 else self.copies_ns[0]
        return copy_ns <= OFF * best
