# SPDX-License-Identifier: BSD-3-Clause
"""Cases of scripts/bench with kernel taps: TCP tap to tap, one way between a machine and a tap, and TCP with large
segments between two kernels behind front-ends.

Switches run on CPU 0: weft's worker, OVS whole (what is no PMD of it serves its taps), testpmd's forwarding core.
iperf3, both ends of it, and the front-ends run on CPU 1, weftd and OVS's database as well. The kernel's bridge has
no process: it works where iperf3 does. All are there at once, each with namespaces of its own; who is not measured
is stopped.
"""
import contextlib
import json
import subprocess

from bench import median_row, ratio_row
from rig import NEVER, Switch, lab, sh, vhost, wait_for
from systems import ON_LOAD_CPU, ON_SWITCH_CPU, Ovs, Testpmd

SECONDS = 2
TCP_SECONDS_MAX = 20  # a way that stalls is a case that failed
ONE_WAY_MS = 1000
PATIENCE_S = 150  # of cases whose rounds take seconds, or are of eight kinds
GIGA, MEGA = 10**9, 10**6


def within(name, *words):
    return ["ip", "netns", "exec", name, *[str(w) for w in words]]


def address(place, end):
    return f"10.0.{place}.{end}"


@contextlib.contextmanager
def namespaces(prefix):
    """Those of the two ends of a switch."""
    names = [prefix + "1", prefix + "2"]
    for name in names:
        sh("ip", "netns", "add", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")
    try:
        yield names
    finally:
        for name in names:
            sh("ip", "netns", "del", name)


def bring_up(name, device, text=None, **options):
    for key, value in options.items():
        sh("ip", "-n", name, "link", "set", device, key, value)
    if text:
        sh("ip", "-n", name, "addr", "add", text + "/24", "dev", device)
    sh("ip", "-n", name, "link", "set", device, "up")


def whole_ovs(bench, n_ports, **config):
    """All of OVS on the switch's CPU: what is no PMD of it serves its taps."""
    return Ovs(bench, n_ports, prefix=ON_SWITCH_CPU, **{"dpdk-lcore-mask": "0x1", **config})


class OvsTso(Ovs):
    """Whole, with userspace TSO. In this version only ports that connect to their machine can have it."""
    machine_options = ("--listen",)

    def __init__(self, bench):
        super().__init__(bench, 0, prefix=ON_SWITCH_CPU, **{"dpdk-lcore-mask": "0x1", "userspace-tso-enable": "true"})

    def begin(self):
        super().begin()
        self.sockets = [self.run / f"c{i}" for i in (0, 1)]
        for socket in self.sockets:
            self.add_port(socket.name, "type=dpdkvhostuserclient", f"options:vhost-server-path={socket}")


def tcp_goodput(prefix, target):
    """bit/s that arrive in the second namespace from the first."""
    with subprocess.Popen(within(prefix + "2", *ON_LOAD_CPU, "iperf3", "-s", "-1"), stdout=subprocess.DEVNULL) as server:
        for _ in range(100):
            if ":5201" in sh(*within(prefix + "2", "ss", "-ltn")):
                break
            NEVER.wait(0.05)
        try:
            out = json.loads(sh(*within(prefix + "1", *ON_LOAD_CPU, "iperf3", "-c", target, "-t", SECONDS, "-O", 1, "-J"),
                                timeout=TCP_SECONDS_MAX))
            server.wait(TCP_SECONDS_MAX)
        finally:
            server.kill()
    return out["end"]["sum_received"]["bits_per_second"] / GIGA


def reaches(prefix, target):
    """Whether the first namespace has an answer from the second."""
    return subprocess.run(within(prefix + "1", "busybox", "ping", "-c", "1", "-W", "1", target),
                          stdout=subprocess.DEVNULL, check=False).returncode == 0


def plug_veth(name, device, text):
    """A veth whose other end is in the bridge `kernel`."""
    sh("ip", "link", "add", "v" + device, "type", "veth", "peer", "name", device)
    sh("ip", "link", "set", device, "netns", name)
    sh("ip", "link", "set", "v" + device, "master", "kernel", "up")
    bring_up(name, device, text)


def taps(bench):
    """TCP between two namespaces: over weft, over OVS's taps, over the kernel's bridge with veth."""
    places = {"w": 1, "o": 2, "k": 3}
    with contextlib.ExitStack() as stack:
        names = {p: stack.enter_context(namespaces(p)) for p in places}
        switch = stack.enter_context(Switch(bench.build, realtime=False))
        switch.apply(lab({n: {"type": "tap", "segment": "ALPHA", "netns": n, "ip": address(1, n[1]) + "/24"}
                          for n in names["w"]}))
        ovs = stack.enter_context(whole_ovs(bench, 0))
        for name in names["o"]:
            ovs.add_tap(name, name)
            bring_up(name, name, address(2, name[1]))
        sh("ip", "link", "add", "kernel", "type", "bridge")
        sh("ip", "link", "set", "kernel", "up")
        for name in names["k"]:
            plug_veth(name, name, address(3, name[1]))
        for prefix, place in places.items():
            wait_for(10, f"{prefix}1 reaches {prefix}2", lambda p=prefix, n=place: reaches(p, address(n, 2)))
        seen = bench.in_turn({p: lambda p=p, n=n: tcp_goodput(p, address(n, 2)) for p, n in places.items()})
        sh("ip", "link", "del", "kernel")
    return [median_row("TCP tap to tap, weft", seen["w"], "Gbit/s"),
            median_row("TCP tap to tap, OVS's taps", seen["o"], "Gbit/s"),
            median_row("TCP veth to veth, the kernel's bridge", seen["k"], "Gbit/s"),
            ratio_row("TCP tap to tap, weft to OVS", seen["w"], seen["o"], at_least=8),
            ratio_row("TCP tap to tap, weft to the kernel's bridge", seen["w"], seen["k"], at_least=0.6)]


LOAD_MAC = "02:53:68:00:00:03"  # of neither end: frames to the tap are for somebody behind it


def one_way_load(bench, name, socket, way, size):
    """Frames and bytes that arrive in a second."""
    out = json.loads(sh(*within(name, bench.build / "tests/bench/weft-tap-load", way, socket, name, size, ONE_WAY_MS)))
    if out["bad"]:
        raise RuntimeError(f"weft-tap-load met {out['bad']} bad frames")
    return {key: out[key] / out["seconds"] for key in ("frames", "bytes", "sent")}


def one_way_round(bench, ovs, name, socket, way, size):
    """A machine of OVS has no TSO: its kernel cuts before it sends. Its tap's kernel is given large frames."""
    with ovs.awake() if ovs else contextlib.nullcontext():
        return one_way_load(bench, name, socket, way, 1514 if ovs and way == "to" and size == "tso" else size)


def one_way_rows(seen):
    rows = []
    for way, text in (("to", "guest to tap"), ("from", "tap to guest")):
        for size, name, key, unit, part, goal in ((60, "64 B", "frames", "Mframes/s", MEGA, 3),
                                                  ("tso", "64 KiB", "bytes", "Gbit/s", GIGA / 8, 8)):
            values = {s: [r[key] / part for r in seen[s, way, size]] for s in ("weft", "ovs")}
            rows += [median_row(f"{text}, {name}, {s}", values[s], unit) for s in values]
            rows.append(ratio_row(f"{text}, {name}, weft to OVS", values["weft"], values["ovs"], at_least=goal))
    return rows


def one_way(bench):
    """Between a front-end and a tap, one way at a time."""
    with contextlib.ExitStack() as stack:
        tap = {"weft": stack.enter_context(namespaces("w"))[0], "ovs": stack.enter_context(namespaces("o"))[0]}
        switch = stack.enter_context(Switch(bench.build, realtime=False))
        switch.apply(lab({tap["weft"]: {"type": "tap", "segment": "ALPHA", "netns": tap["weft"]}, "a": vhost()}))
        # A PMD that sleeps when it has nothing to do leaves the CPU to the thread that serves the tap.
        ovs = stack.enter_context(whole_ovs(bench, 1, **{"pmd-maxsleep": "100"}))
        socket = {"weft": switch.run / "vhost/a.sock", "ovs": ovs.sockets[0]}
        ovs.add_tap(tap["ovs"], tap["ovs"])
        for name in tap.values():
            bring_up(name, name, address=LOAD_MAC)
        ovs.pause()
        measures = {(system, way, size): lambda s=system, w=way, z=size: one_way_round(
            bench, ovs if s == "ovs" else None, tap[s], socket[s], w, z)
            for way in ("to", "from") for size in (60, "tso") for system in tap}
        return one_way_rows(bench.in_turn(measures, patience_s=PATIENCE_S))


def machines(stack, bench, prefix, place, sockets, options=()):
    """Two kernels behind front-ends of these sockets."""
    for i, (name, socket) in enumerate(zip(stack.enter_context(namespaces(prefix)), sockets), 1):
        process = stack.enter_context(subprocess.Popen(
            [str(w) for w in within(name, *ON_LOAD_CPU, bench.build / "tests/bench/weft-tap-machine", *options, socket,
                                         name)]))
        stack.callback(process.terminate)
        wait_for(20, f"{name} has its device", lambda n=name: n in sh("ip", "-n", n, "-br", "link"))
        bring_up(name, name, address(place, i))
    wait_for(10, f"{prefix}1 reaches {prefix}2", lambda: reaches(prefix, address(place, 2)))


def machine_goodput(prefix, place, peer):
    """The peer, which polls, runs meanwhile."""
    with peer.awake() if peer else contextlib.nullcontext():
        return tcp_goodput(prefix, address(place, 2))


def guests_beside(bench, name, prefix, place, start):
    """weft and another, in turn: {name: rounds}. start: a function that makes the other."""
    with contextlib.ExitStack() as stack:
        switch = stack.enter_context(Switch(bench.build, realtime=False))
        switch.apply(lab({"a": vhost(), "b": vhost()}))
        machines(stack, bench, "w", 1, [switch.run / f"vhost/{p}.sock" for p in "ab"])
        other = stack.enter_context(start())
        machines(stack, bench, prefix, place, other.sockets, other.machine_options)
        other.pause()
        return bench.in_turn({"weft": lambda: machine_goodput("w", 1, None),
                              name: lambda: machine_goodput(prefix, place, other)}, patience_s=PATIENCE_S)


def guests(bench):
    """TCP between two kernels, each behind a front-end with TSO."""
    for name, text, prefix, place, start, goal in (
            ("testpmd", "testpmd io tso=1", "t", 2, lambda: Testpmd(bench, device=",tso=1"), 1),
            ("OVS", "OVS with userspace TSO", "o", 3,
             lambda: OvsTso(bench), 1.2)):
        seen = guests_beside(bench, name, prefix, place, start)
        yield median_row(f"TCP between kernels, weft beside {name}", seen["weft"], "Gbit/s")
        yield median_row(f"TCP between kernels, {text}", seen[name], "Gbit/s")
        yield ratio_row(f"TCP between kernels, weft to {name}", seen["weft"], seen[name], at_least=goal)
