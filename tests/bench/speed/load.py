# SPDX-License-Identifier: BSD-3-Clause
"""The load: weft-load on CPU 1, which waits between runs, and what a system's counters say about one."""
import json
import subprocess

from systems import FIRST

LEARNED_PER_S = 10000  # of a port of weft


class Load:
    """Between the sockets of a system; options as weft-load's."""

    def __init__(self, bench, system, sockets=None, **options):
        system.resume()
        self.bench, self.system, self.macs = bench, system, options.get("macs", 1)
        words = self.words(sockets or system.sockets, options)
        self.process = subprocess.Popen([str(w) for w in [*FIRST, *words]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def words(self, sockets, options):
        """The command."""
        words = [self.bench.build / "tests/bench/weft-load"]
        for key, value in options.items():
            words += [] if value is False else [f"--{key}"] if value is True else [f"--{key}", value]
        return words + sockets

    def __enter__(self):
        # The first frames make addresses known; until OVS looks at its new rings it takes a moment.
        if not any(self.passes() for _ in range(25)):
            raise RuntimeError(f"{self.system.name}: nothing passes")
        self.run(0.5 + max(1.5 * self.macs / LEARNED_PER_S, 0.5))
        self.system.pause()
        return self

    def passes(self):
        """Whether anything does, in a short run."""
        return self.run(0.2)["received"] > 0

    def delivered(self, result):
        """Frames that have reached where they were to: before a run (None) and after it."""
        return result["received"] if result else 0

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.system.resume()
        self.process.stdin.close()
        self.process.wait(20)

    def start(self, seconds=None, pps=0, newcomer_pps=0):
        """A run begins; answer() waits for its end."""
        ms = round(1000 * (seconds or self.bench.seconds))
        self.process.stdin.write(f"run {ms} {pps} {newcomer_pps}\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def run(self, *words):
        """What weft-load says of one run."""
        self.start(*words)
        return self.answer()

    def measure(self, pps=0, newcomer_pps=0):
        """A run in its turn, with busy cycles for each frame that the switch took and that was delivered."""
        self.system.resume()
        before, (cycles, frames) = self.delivered(None), self.system.busy()
        result = self.run(None, pps, newcomer_pps)
        (cycles_after, frames_after), delivered = self.system.busy(), self.delivered(result) - before
        self.system.pause()
        if delivered == 0 or frames_after == frames:
            raise RuntimeError(f"{self.system.name}: nothing passed: {result}")
        return {**result, "cycles": (cycles_after - cycles) / (frames_after - frames),
                "cycles_delivered": (cycles_after - cycles) / delivered, "mpps": delivered / result["seconds"] / 1e6}


class ForeignLoad(Load):
    """DPDK's virtio-user cards in place of front-ends of our own; options are the cards'."""

    def words(self, sockets, options):
        more = "".join(f",{key}={value}" for key, value in options.items())
        cards = [f"--vdev=net_virtio_user{i},path={socket},mac=02:00:00:00:01:0{i},queue_size=1024{more}"
                 for i, socket in enumerate(sockets)]
        return [self.bench.build / "tests/bench/weft-virtio-load", "-l", "1", "--no-pci", "--in-memory", "--no-huge",
                "--single-file-segments", "-m", "512", "--no-telemetry", "--log-level=error", *cards, "--"]
