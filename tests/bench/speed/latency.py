# SPDX-License-Identifier: BSD-3-Clause
"""Case of scripts/bench: how long frames are on their way, at a rate (open loop), 64 bytes, both ways."""
import contextlib
import statistics

from bench import median_row, ratio_row
from load import Load
from systems import Ovs, Testpmd, Weft

MILLION_PPS = 500000  # each way


def capacity(load):
    """Frames a second and way that pass, with the same numbered frames."""
    return round(statistics.median(load.measure()["mpps"] for _ in range(3)) * 1e6 / 2)


def delays(rates):
    """{(system, rate name): rounds of p99 in us}. rates: {(load, name): pps}."""
    def measure(load, pps):
        result = load.measure(pps)
        # Who drops what is due is not at that rate; the next round is another.
        return result if result["refused"] + result["lost"] <= result["sent"] / 1000 else None

    return {(load.system.name, name): (lambda load=load, pps=pps: measure(load, pps))
            for (load, name), pps in rates.items()}


def latency(bench):
    """p99 at 10, 50 and 90 % of what passes, and at a million frames a second, of each."""
    with contextlib.ExitStack() as stack:
        loads, rates = {}, {}
        for system in (Weft, Testpmd, Ovs):
            started = stack.enter_context(system(bench))
            loads[started.name] = stack.enter_context(Load(bench, started, numbered=True))
        for load in loads.values():
            most = capacity(load)
            rates |= {(load, f"{part} % of {2 * most / 1e6:.1f} Mpps"): most * part // 100 for part in (10, 50, 90)}
            rates[load, "1 Mpps"] = MILLION_PPS
        half = next(pps for (load, name), pps in rates.items() if load.system.name == "ovs" and name.startswith("50"))
        rates[loads["weft"], "half of OVS's capacity"] = rates[loads["ovs"], "half of OVS's capacity"] = half
        seen = bench.in_turn(delays(rates))
    p99 = {key: [r["p99_us"] for r in rounds] for key, rounds in seen.items()}
    for (system, name), values in p99.items():
        rounds = seen[system, name]
        yield median_row(f"p99 at {name}: {system}", values, "us",
                         p50_us=statistics.median(r["p50_us"] for r in rounds),
                         p999_us=statistics.median(r["p999_us"] for r in rounds),
                         late=sum(r["late"] for r in rounds), lost=sum(r["lost"] for r in rounds))

    def half_of(system):
        return next(values for (s, name), values in p99.items() if s == system and name.startswith("50"))

    yield ratio_row("p99 at half of each one's capacity: weft / ovs", half_of("weft"), half_of("ovs"), 0.5)
    yield ratio_row("p99 at half of OVS's capacity: weft / ovs", p99["weft", "half of OVS's capacity"],
                    p99["ovs", "half of OVS's capacity"], 0.5)
    yield ratio_row("p99 at 1 Mpps: weft / testpmd", p99["weft", "1 Mpps"], p99["testpmd", "1 Mpps"], 1.0)
