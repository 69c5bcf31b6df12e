# SPDX-License-Identifier: BSD-3-Clause
"""Runs scripts/bench-capture, which says how; in namespaces made for it."""
import pathlib
import re
import signal
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).with_name("channels")))
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


def load(switch, slices):
    """(Mpps received, busy cycles a frame): medians of the slices in which the CPUs were near."""
    cards = [f"--vdev=net_virtio_user{i},path={switch.run}/vhost/{p}.sock,mac=02:00:00:00:01:0{i},queue_size=1024"
             for i, p in enumerate("ab")]
    text = sh("timeout", "-s", "KILL", slices / 10 + 30, "chrt", "-f", "50", switch.build / "tests/bench/weft-virtio-load", "-l", "1",
              "--no-pci", "--in-memory", "--single-file-segments", "-m", "512", "--no-telemetry", "--log-level=error",
              *cards, "--", switch.run, slices, "60")
    found = [re.search(what + r".*median ([\d.]+)", text) for what in ("Mpps", "busy cycles")]
    return [float(one.group(1)) for one in found] if all(found) else None


def port_frames(switch):
    counters = switch.query("stats", "a")
    counters = counters.get("ports", [counters])[0]
    return counters["rx_frames"] + counters["tx_frames"]


def rate(build, rounds, slices):
    seen = {"without": [], "with": []}
    with Switch(build) as switch:
        switch.apply(lab({"a": vhost(), "b": vhost()}))
        for i in range(rounds):
            seen["without"].append(load(switch, slices))
            before = port_frames(switch)
            with Capture(switch) as capture:
                seen["with"].append(load(switch, slices))
            passed = port_frames(switch) - before
            say(capture.kept + capture.lost == passed and capture.kept != 0,
                f"sum {i + 1}: {passed} frames at the port = {capture.kept} kept + {capture.lost} not kept")
        packets = re.search(r"Number of packets:\s+(\d+)", sh("capinfos", "-M", "-c", FILE)).group(1)
        tshark = subprocess.run(["tshark", "-n", "-r", FILE, "-T", "fields", "-e", "frame.cap_len"],
                                capture_output=True, text=True, check=False)
        complaints = [line for line in tshark.stderr.splitlines() if "Running as user" not in line]
        say(tshark.returncode == 0 and not complaints and len(tshark.stdout.splitlines()) == capture.kept == int(packets),
            f"tshark reads the last file, {packets} packets: {' '.join(complaints) or 'no complaint'}")
    if not all(any(values) for values in seen.values()):
        say(False, "rate: the CPUs were never near each other; once more")
        return
    mpps, cycles = ({k: statistics.median(one[i] for one in v if one) for k, v in seen.items()} for i in (0, 1))
    for name, values in seen.items():
        print(f"       {name}: Mpps {mpps[name]:.2f}, cycles a frame {cycles[name]:.1f}; rounds {values}")
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
