# SPDX-License-Identifier: BSD-3-Clause
"""Runs scripts/bench-capture, which says how; in namespaces made for it."""
import json
import pathlib
import re
import signal
import statistics
import subprocess
import sys

for folder in ("channels", "common"):
    sys.path.insert(0, str(pathlib.Path(__file__).with_name(folder)))
from cost import frames, totals  # noqa: E402, pylint: disable=wrong-import-position
from rig import Switch, flow, lab, sh, vhost, wait_for  # noqa: E402, pylint: disable=wrong-import-position

FILE = "/run/capture.pcapng"
GOAL_PERCENT = 5
failed = []


def say(good, text):
    print(f"{'ok    ' if good else 'NOT OK'} {text}", flush=True)
    if not good:
        failed.append(text)


class Capture:
    """`weft capture a`, begun and ended; then .kept and .lost."""
    def __init__(self, switch):
        self.switch = switch

    def __enter__(self):
        weft = [str(self.switch.build / "cli/weft"), "--run-dir", str(self.switch.run)]
        self.process = subprocess.Popen(["taskset", "-c", "1", *weft, "capture", "a", "-w", FILE, "--snaplen", "128"],
                                        stderr=subprocess.PIPE, text=True)
        wait_for(10, "the capture runs", lambda: self.switch.query("capture", "list")["captures"])
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.said = self.process.communicate(timeout=60)[1]
        numbers = [int(n) for n in re.findall(r"\d+", self.said.replace(",", ""))]
        self.kept, self.lost = (numbers + [0])[:2]


def near(build):
    return subprocess.run([build / "tests/bench/weft-pingpong"], stdout=subprocess.DEVNULL, check=False).returncode == 0


class Load:
    """weft-load on CPU 1, both ways between a and b; it waits between slices."""
    def __init__(self, switch):
        self.switch = switch
        command = ["chrt", "--fifo", "50", switch.build / "tests/bench/weft-load", *(switch.run / f"vhost/{p}.sock" for p in "ab")]
        self.process = subprocess.Popen([str(w) for w in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.slice(500)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)

    def slice(self, ms):
        """(Mpps received, busy cycles a frame), and whether the CPUs were near before and after."""
        is_near, before = near(self.switch.build), self.switch.worker()
        self.process.stdin.write(f"run {ms} 0 0\n")
        self.process.stdin.flush()
        result = json.loads(self.process.stdout.readline())
        after = self.switch.worker()
        cycles = (after["busy_cycles"] - before["busy_cycles"]) / (after["busy_frames"] - before["busy_frames"])
        return (result["received"] / result["seconds"] / 1e6, cycles), is_near and near(self.switch.build)


def port_frames(switch):
    counters = switch.query("stats", "a")
    counters = counters.get("ports", [counters])[0]
    return counters["rx_frames"] + counters["tx_frames"]


def captured(switch, load, ms):
    """A slice with a capture, which is begun and ended for it; whether all its frames are accounted for."""
    before = port_frames(switch)
    with Capture(switch) as capture:
        result = load.slice(ms)
    passed = port_frames(switch) - before
    return result, capture, passed


def rate(build, slices, ms):
    seen, sums = {"without": [], "with": []}, []
    with Switch(build) as switch:
        switch.apply(lab({"a": vhost(), "b": vhost()}))
        with Load(switch) as load:
            for _ in range(slices):
                one, is_near = load.slice(ms)
                (other, is_still_near), capture, passed = captured(switch, load, ms)
                sums.append((passed, capture.kept, capture.lost))
                if is_near and is_still_near:
                    seen["without"].append(one)
                    seen["with"].append(other)
    exact = [kept + lost == passed and kept != 0 for passed, kept, lost in sums]
    total, kept, lost = (sum(column) for column in zip(*sums))
    say(all(exact), f"sum: exact in {sum(exact)} of {slices} captures; {total} frames at the port = {kept} kept + {lost} not kept")
    packets = int(re.search(r"Number of packets:\s+(\d+)", sh("capinfos", "-M", "-c", FILE)).group(1))
    tshark = subprocess.run(["tshark", "-n", "-r", FILE, "-T", "fields", "-e", "frame.cap_len"],
                            capture_output=True, text=True, check=False)
    complaints = [line for line in tshark.stderr.splitlines() if "Running as user" not in line]
    say(tshark.returncode == 0 and not complaints and len(tshark.stdout.splitlines()) == sums[-1][1] == packets,
        f"tshark reads the last file, {packets} packets: {' '.join(complaints) or 'no complaint'}")
    if not seen["with"]:
        say(False, "rate: the CPUs were never near each other; once more")
        return
    mpps, cycles = ({k: statistics.median(one[i] for one in v) for k, v in seen.items()} for i in (0, 1))
    for name, values in seen.items():
        print(f"       {name}: {mpps[name]:.2f} Mpps, {cycles[name]:.1f} cycles a frame: medians of {len(values)} slices")
    falls = 100 * (1 - mpps["with"] / mpps["without"])
    say(falls <= GOAL_PERCENT, f"rate: falls by {falls:.1f} % (goal: at most {GOAL_PERCENT} %)")


def instructions(switch, first):
    """Instructions a frame, by the difference of a long flood and a short one; which of the recorder's functions ran."""
    points, names = [], set()
    for n, seconds in ((first, 1), (first + 1, 2), (first + 2, 4)):
        before = frames(switch)
        switch.shape([flow("a", "b", size=60), flow("b", "a", size=60)], 1000 * seconds, ring=1024, busy=True)
        sh("callgrind_control", f"--dump={n}", switch.dataplane.pid)
        wait_for(20, "callgrind's dump", lambda n=n: list(switch.run.glob(f"callgrind.{n}-*")))
        points.append((totals(switch.run, n)[0], frames(switch) - before))
        for path in switch.run.glob(f"callgrind.{n}-*"):
            names.update(re.findall(r"fn=\(\d+\) (record_(?!writer_init)\w+|recorder_(?!drop)\w+|keep|take_frame)", path.read_text()))
    (_, _), (short, n_short), (long, n_long) = points
    return (long - short) / (n_long - n_short), sorted(names)


def off(build):
    wrapper = ["valgrind", "--tool=callgrind", "--separate-threads=yes", "-q", "--callgrind-out-file={run}/callgrind"]
    with Switch(build, realtime=False, wrapper=wrapper) as switch:
        switch.apply(lab({"a": vhost(), "b": vhost()}))
        never, ran_never = instructions(switch, 1)
        with Capture(switch):
            during, ran_during = instructions(switch, 4)
        sh("callgrind_control", "--zero", switch.dataplane.pid)
        after, ran_after = instructions(switch, 7)
    say(not ran_never, f"off: {never:.1f} instructions a frame before any capture; of the recorder ran {ran_never or 'nothing'}")
    say(bool(ran_during), f"on: {during:.1f}; of the recorder ran {', '.join(ran_during)}")
    say(not ran_after and abs(after - never) <= 0.01 * never, f"off again: {after:.1f}; of the recorder ran {ran_after or 'nothing'}")


rate(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
off(pathlib.Path(sys.argv[1]))
sys.exit(1 if failed else 0)
