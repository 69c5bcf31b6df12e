# SPDX-License-Identifier: BSD-3-Clause
"""Cases of scripts/bench-channels about what channels cost: instructions, many channels, memory."""
import pathlib
import statistics

import callgrind
import windows
from rig import NEVER, flow, lab, vhost

G = 10**9
N_SOURCES, N_CHANNELS = 1000, 10000


def frames(switch):
    return sum(w["busy_frames"] for w in switch.query("stats")["workers"])


def instructions(run, the_lab):
    """Instructions for each frame of a flood, by the difference of a long one and a short one; and those that the
    pool takes by time, a second: valgrind is slow, so for a frame they would be many times what they are."""
    with run.switch(realtime=False, wrapper=callgrind.WRAPPER) as switch:
        switch.apply(the_lab)
        points = []
        for n, seconds in ((1, 1), (2, 2), (3, 8 if run.full else 4)):
            before = frames(switch)
            switch.shape([flow("a", "b", size=60), flow("b", "a", size=60)], 1000 * seconds, ring=1024, busy=True)
            seen = callgrind.dump(switch, n)
            points.append((seen[callgrind.TOTAL], seen.get("pool_turn", 0), frames(switch) - before))
    (short, short_pool, n_short), (long, long_pool, n_long) = points[1:]
    more_s = (8 if run.full else 4) - 2
    return (long - long_pool - short + short_pool) / (n_long - n_short), (long_pool - short_pool) / more_s


def cost(run):
    """A channel that does not limit."""
    plain = {"a": vhost(), "b": vhost()}
    held = {"a": vhost(channel="c"), "b": vhost(channel="c")}
    pools = {"host": {"capacity": 400 * G}}
    labs = {"without": lab(plain), "with": lab(held, {"c": {"pool": "host"}}, pools),
            "with a ceiling": lab(held, {"c": {w: {"ceil": 100 * G} for w in ("tx", "rx")}}),
            "with a flight recorder": {"segments": {"ALPHA": {"vni": 100, "flight": "on"}}, "ports": plain}}
    seen = {name: [] for name in labs}
    for _ in range(3 if run.full else 1):
        for name, the_lab in labs.items():
            seen[name].append(instructions(run, the_lab))
    base = statistics.median(v for v, _ in seen["without"])
    for name, values in seen.items():
        value, pool_per_s = (statistics.median(v[i] for v in values) for i in (0, 1))
        more = value - base
        run.say("cost", f"{name}: instructions a frame, 64 B", {"instructions": value, "more": more, "pool_per_s": pool_per_s},
                name == "without" or more <= max(0.02 * base, 5) * (1 if run.full else 4),
                f"{value:.1f}, {more:+.1f} (goal: at most 2 % or 5 more); the pool by time: "
                f"{pool_per_s / 1e6:.1f} million a second")


def crowd(names, channels, capacity):
    ports = {f"s{i}": vhost(**({"channel": names[i % len(names)]} if names else {})) for i in range(N_SOURCES)}
    # Of another name than host: who receives has no channel.
    pools = {"wan": {"capacity": capacity}} if names else None
    return lab({**ports, "b": vhost()}, {n: {"pool": "wan"} for n in channels}, pools)


def many(run):
    """A thousand backlogged channels against one, the same sources."""
    load = [flow("s", "b", n=N_SOURCES, size=60, ring=64)]
    names = [f"c{i}" for i in range(N_SOURCES)]
    rates = {"one": [], "thousand": []}
    with run.switch() as switch:
        switch.apply(crowd([], [], 0))
        free = windows.bps(switch.shape(load, 1500, ring=1024, busy=True))
        capacity = int(0.9 * free)
        for _ in range(run.rounds):
            for name, channels in (("one", names[:1]), ("thousand", names)):
                switch.apply(crowd(channels, channels, capacity))
                rates[name].append(windows.bps(switch.shape(load, 1500, ring=1024, busy=True)))
    one, thousand = (statistics.median(rates[n]) / 480 for n in rates)
    run.say("many", "packet rate of 1,000 backlogged channels over that of one",
            {"one_pps": one, "thousand_pps": thousand, "free_pps": free / 480}, thousand >= 0.9 * one,
            f"{thousand / one:.3f} (goal 0.9): {thousand / 1e6:.3f} and {one / 1e6:.3f} million/s; "
            f"without channels {free / 480 / 1e6:.3f}")


def cpu_ns(process):
    stats = pathlib.Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(s.read_text().split()[0]) for s in stats)


def ten_thousand(run):
    """Memory of 10,000 channels, and the CPU that they take when idle."""
    seconds = 10 if run.full else 2
    channels = {f"c{i}": {"pool": "host", "tx": {"rate": "100k"}, "rx": {"rate": "100k"}} for i in range(N_CHANNELS)}
    pools = {"host": {"capacity": 10 * G}}
    ports = {"a": vhost(), "b": vhost()}
    memory, idle = [], []
    with run.switch() as switch:
        for the_channels in ({"c0": channels["c0"]}, channels):
            switch.apply(lab(ports, the_channels, pools))
            NEVER.wait(1.5)
            before = [cpu_ns(p) for p in (switch.dataplane, switch.weftd)]
            NEVER.wait(seconds)
            after = [cpu_ns(p) for p in (switch.dataplane, switch.weftd)]
            idle.append([(a - b) / 1e7 / seconds for a, b in zip(after, before)])
            memory.append([switch.kilobytes(p) for p in (switch.dataplane, switch.weftd)])
    for i, name in enumerate(("weft-dataplane", "weftd")):
        grown = memory[1][i] - memory[0][i]
        run.say("ten-thousand", f"{name}: memory of 10,000 channels", {"kB": grown}, True,
                f"{grown} kB ({memory[0][i]} kB before)")
        run.say("ten-thousand", f"{name}: idle CPU", {"one_pct": idle[0][i], "all_pct": idle[1][i]},
                idle[1][i] - idle[0][i] < (0.5 if run.full else 5),
                f"{idle[0][i]:.3f} % of a core with one channel, {idle[1][i]:.3f} % with 10,000")
