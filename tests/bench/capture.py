# SPDX-License-Identifier: BSD-3-Clause
"""Runs scripts/bench-capture, which says how; in namespaces made for it."""
import pathlib
import re
import signal
import statistics
import subprocess
import sys

for folder in ("channels", "common", "speed"):
    sys.path.insert(0, str(pathlib.Path(__file__).with_name(folder)))
# pylint: disable=wrong-import-position
import callgrind  # noqa: E402
from bench import Bench, TooFew  # noqa: E402
from cost import frames  # noqa: E402
from load import Load  # noqa: E402
from rig import Switch, flow, lab, sh, vhost, wait_for  # noqa: E402
from systems import Weft  # noqa: E402

FILE = "/run/capture.pcapng"
PORT = "p0"
RECORDER = r"record_(?!writer_init)\w+|recorder_(?!drop)\w+|keep|take_frame"
GOAL_PERCENT = 5
failed = []


def say(good, text):
    print(f"{'ok    ' if good else 'NOT OK'} {text}", flush=True)
    if not good:
        failed.append(text)


class Capture:
    """`weft capture p0`, begun and ended; then .kept and .lost."""
    def __init__(self, switch):
        self.switch = switch

    def __enter__(self):
        weft = [str(self.switch.build / "cli/weft"), "--run-dir", str(self.switch.run)]
        self.process = subprocess.Popen(["taskset", "-c", "1", *weft, "capture", PORT, "-w", FILE, "--snaplen", "128"],
                                        stderr=subprocess.PIPE, text=True)
        wait_for(10, "the capture runs", lambda: self.switch.query("capture", "list")["captures"])
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.said = self.process.communicate(timeout=60)[1]
        numbers = [int(n) for n in re.findall(r"\d+", self.said.replace(",", ""))]
        self.kept, self.lost = (numbers + [0])[:2]


class Watched(Load):
    """The load, in a round with a capture that is begun and ended for it, or without."""

    def __init__(self, bench, switch):
        super().__init__(bench, switch)
        self.sums = []  # (frames of the port, kept, lost) of each capture

    def port_frames(self):
        counters = self.system.query("stats", PORT)
        counters = counters.get("ports", [counters])[0]
        return counters["rx_frames"] + counters["tx_frames"]

    def measure_with(self):
        before = self.port_frames()
        with Capture(self.system) as capture:
            result = self.measure()
        self.sums.append((self.port_frames() - before, capture.kept, capture.lost))
        return result


def say_sums(sums):
    """Whether all frames of each capture are accounted for, and whether tshark reads the last file."""
    exact = [kept + lost == passed and kept != 0 for passed, kept, lost in sums]
    total, kept, lost = (sum(column) for column in zip(*sums))
    say(all(exact),
        f"sum: exact in {sum(exact)} of {len(sums)} captures; {total} frames at the port = {kept} kept + {lost} not kept")
    packets = int(re.search(r"Number of packets:\s+(\d+)", sh("capinfos", "-M", "-c", FILE)).group(1))
    tshark = subprocess.run(["tshark", "-n", "-r", FILE, "-T", "fields", "-e", "frame.cap_len"],
                            capture_output=True, text=True, check=False)
    complaints = [line for line in tshark.stderr.splitlines() if "Running as user" not in line]
    say(tshark.returncode == 0 and not complaints and len(tshark.stdout.splitlines()) == sums[-1][1] == packets,
        f"tshark reads the last file, {packets} packets: {' '.join(complaints) or 'no complaint'}")


def rate(build, rounds, ms):
    """With and without a capture, in turn."""
    bench = Bench(build, rounds, ms / 1000)
    with Weft(bench) as switch, Watched(bench, switch) as load:
        try:
            seen = bench.in_turn({"without": load.measure, "with": load.measure_with})
        except TooFew as error:
            say(False, f"rate: {error}; once more")
            return
        say_sums(load.sums)
    mpps, cycles = ({name: statistics.median(one[key] for one in results) for name, results in seen.items()}
                    for key in ("mpps", "cycles"))
    for name, results in seen.items():
        print(f"       {name}: {mpps[name]:.2f} Mpps, {cycles[name]:.1f} cycles a frame: medians of {len(results)} rounds")
    falls = 100 * (1 - mpps["with"] / mpps["without"])
    say(falls <= GOAL_PERCENT, f"rate: falls by {falls:.1f} % (goal: at most {GOAL_PERCENT} %)")


def instructions(switch, first):
    """Instructions a frame, by the difference of a long flood and a short one; which of the recorder's functions ran."""
    points, names = [], set()
    for n, seconds in ((first, 1), (first + 1, 2), (first + 2, 4)):
        before = frames(switch)
        switch.shape([flow("p0", "p1", size=60), flow("p1", "p0", size=60)], 1000 * seconds, ring=1024, busy=True)
        points.append((callgrind.dump(switch, n)[callgrind.TOTAL], frames(switch) - before))
        names.update(callgrind.ran(switch, n, RECORDER))
    (_, _), (short, n_short), (long, n_long) = points
    return (long - short) / (n_long - n_short), sorted(names)


def off(build):
    with Switch(build, realtime=False, wrapper=callgrind.WRAPPER) as switch:
        switch.apply(lab({"p0": vhost(), "p1": vhost()}))
        never, ran_never = instructions(switch, 1)
        with Capture(switch):
            during, ran_during = instructions(switch, 4)
        callgrind.ask(switch, "--zero")
        after, ran_after = instructions(switch, 7)
    say(not ran_never, f"off: {never:.1f} instructions a frame before any capture; of the recorder ran {ran_never or 'nothing'}")
    say(bool(ran_during), f"on: {during:.1f}; of the recorder ran {', '.join(ran_during)}")
    say(not ran_after and abs(after - never) <= 0.01 * never, f"off again: {after:.1f}; of the recorder ran {ran_after or 'nothing'}")


rate(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
off(pathlib.Path(sys.argv[1]))
sys.exit(1 if failed else 0)
