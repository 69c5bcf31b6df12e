# SPDX-License-Identifier: BSD-3-Clause
"""weft for the cases of scripts/bench and scripts/bench-channels: its daemons, its lab, load through it.

Runs inside namespaces of its own (the scripts make them), as root. The worker is on CPU 0, the load on
CPU 1.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

REALTIME = ["chrt", "--fifo", "50"]
NEVER = threading.Event()


def sh(*words, **options):
    """What a command prints; raises if it fails."""
    options.setdefault("check", True)
    return subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, text=True, **options).stdout


def wait_for(seconds, what, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        NEVER.wait(0.05)


class Unix(http.client.HTTPConnection):
    """HTTP on weftd's socket."""

    def __init__(self, path):
        super().__init__("weft", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Switch:
    """Both daemons; `with Switch(build) as switch`."""
    program = "dataplane/weft-dataplane"

    def __init__(self, build, workers="0", realtime=True, wrapper=()):
        self.build, self.workers = pathlib.Path(build), workers
        self.load_prefix = REALTIME if realtime else []
        self.run = pathlib.Path(tempfile.mkdtemp(prefix="weft-bench.", dir="/tmp"))
        self.prefix = [*(REALTIME if realtime else []), *(w.format(run=self.run) for w in wrapper)]
        self.processes = []

    def __enter__(self):
        try:
            self.dataplane = self.start("dataplane", *self.prefix,
                                        self.build / self.program, "--no-huge",
                                        "--run-dir", self.run, "--workers", self.workers)
            self.weftd = self.start("weftd", "taskset", "-c", "1", self.build / "control/weftd",
                                    "--run-dir", self.run, "--state-dir", self.run / "state")
            self.weft("status", "--wait=60")
        except BaseException:
            self.end()
            raise
        return self

    def accounts_hold(self):
        """Every frame is accounted for, once nothing moves."""
        command = [self.build / "tests/lib/weft-accounting", self.run]
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def __exit__(self, kind=None, *_):
        try:
            if kind is None and self.processes:
                wait_for(20, "every frame is accounted for", self.accounts_hold)
        finally:
            self.end()

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.run, ignore_errors=True)

    def start(self, name, *words):
        with open(self.run / f"{name}.log", "ab") as log:
            process = subprocess.Popen([str(w) for w in words], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def stop(self, process):
        process.terminate()
        process.wait(20)
        self.processes.remove(process)

    def log(self, name):
        return (self.run / f"{name}.log").read_text()

    def weft(self, *words):
        return sh(self.build / "cli/weft", "--run-dir", self.run, *words)

    def query(self, *words):
        return json.loads(self.weft(*words, "-o", "json"))

    def apply(self, lab):
        """A lab, as Python values: JSON is YAML. What is not in it goes."""
        sh(self.build / "cli/weft", "--run-dir", self.run, "apply", "--prune", "-f", "-",
           input=json.dumps({"name": "bench", **lab}))

    def post(self, lab):
        """The same without the command's own time: (asked, answered), monotonic seconds."""
        connection = Unix(str(self.run / "weftd.sock"))
        connection.connect()
        body = json.dumps({"name": "bench", **lab})
        asked = time.monotonic()
        connection.request("POST", "/v1/apply", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        answered = time.monotonic()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"apply: {answer.status} {text.decode()}")
        return asked, answered

    def shape_words(self, flows, ms, **options):
        words = [*self.load_prefix, self.build / "tests/bench/weft-shape", "--sockets",
                 self.run / "vhost", "--ms", ms, "--bins"]
        for name in pathlib.Path(f"/proc/{self.dataplane.pid}/task").glob("*/comm"):
            if name.read_text().startswith("rte-worker"):
                words += ["--switch-task", name.with_name("schedstat")]
        for flow in flows:
            words += ["--flow", ",".join(f"{k}={v}" for k, v in flow.items())]
        for key, value in options.items():
            words += [] if value is False else [f"--{key}"] if value is True else [f"--{key}", value]
        return [str(w) for w in words]

    def shape(self, flows, ms, **options):
        """Load: what weft-shape prints. A flow is a dict of its words, `source` for from."""
        return json.loads(sh(*self.shape_words(flows, ms, **options)))

    def drops(self, port=None):
        words = ["drops"] + ([port] if port else [])
        return sum(d["frames"] for d in self.query(*words)["drops"])

    def worker(self):
        return self.query("stats")["workers"][0]

    def kilobytes(self, process):
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def private_kilobytes(self, process):
        """Memory that is its own: not what it shares with those who attach, guests' memory among it."""
        lines = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))

    def cpu_seconds(self, process):
        fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def vhost(**channel):
    return {"type": "vhost-user", "segment": "ALPHA", **channel}


def lab(ports, channels=None, pools=None):
    """A lab of one segment."""
    out = {"segments": {"ALPHA": {"vni": 100}}, "ports": ports}
    if pools:
        out["pools"] = pools
    if channels:
        out["channels"] = channels
    return out


def flow(source, target, **words):
    return {"from": source, "to": target, **words}


def end_quietly(*_):
    raise SystemExit(130)


signal.signal(signal.SIGTERM, end_quietly)
