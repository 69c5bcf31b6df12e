# SPDX-License-Identifier: BSD-3-Clause
"""Cases of scripts/bench: addresses in great number, and memory."""
import contextlib
import json

from bench import median_row, ratio_row, value_row
from load import Load
from rig import NEVER, sh
from systems import FIRST, Weft

MILLION = 1000000
ROOM = {"max_macs": MILLION}
CHURN_PPS = 10000  # newcomers: as many as are learned of a port in a second
N_PORTS = 64


def table(bench, n):
    """The forwarding table alone."""
    return json.loads(sh(*FIRST, "taskset", "-c", "0", bench.build / "tests/bench/weft-fdb-speed", n))


def churn(bench):
    """{what: rounds} of a pair beside a third port with one address, and with always new ones."""
    with contextlib.ExitStack() as stack:
        measures = {}
        for name, n in (("one address", 1), ("newcomers", MILLION)):
            switch = stack.enter_context(Weft(bench, 3, port=ROOM, segment=ROOM))
            load = stack.enter_context(Load(bench, switch, newcomers=n))
            measures[name] = lambda load=load: load.measure(0, CHURN_PPS)
        return bench.in_turn(measures)


def learning(bench):
    """How fast addresses are learned, how many fit, and what newcomers cost."""
    seen = bench.in_turn({n: lambda n=n: table(bench, n) for n in (2, 1000, 20000, 200000, MILLION)}, 3)
    for n, rounds in seen.items():
        yield median_row(f"look-up among {n:,} addresses", [r["lookup_cycles"] for r in rounds], "cycles")
    yield median_row("addresses learned a second, the table alone", [r["learned_per_s"] for r in seen[MILLION]], "1/s",
                     at_least=2 * MILLION)
    yield value_row("addresses at once, the table alone", min(r["entries"] for r in seen[MILLION]), "",
                    at_least=MILLION)
    seen = {name: [r["cycles"] for r in rounds] for name, rounds in churn(bench).items()}
    for name, values in seen.items():
        yield median_row(f"beside {CHURN_PPS:,} frames a second of {name}", values, "cycles/frame")
    yield ratio_row("newcomers / one address", seen["newcomers"], seen["one address"], 1.03)


def memory(bench):
    """Of 64 ports that have a front-end each."""
    with Weft(bench, N_PORTS) as switch, contextlib.ExitStack() as stack:
        for i in range(0, N_PORTS, 2):
            stack.enter_context(Load(bench, switch, sockets=switch.sockets[i:i + 2]))
        for process, name in ((switch.dataplane, "weft-dataplane"), (switch.weftd, "weftd")):
            kilobytes = switch.private_kilobytes(process)
            yield value_row(f"private pages of {name}, {N_PORTS} ports", kilobytes / 1000, "MB")
        NEVER.wait(1.5)  # it is told once a second
        yield value_row(f"memory that `weft stats` tells, {N_PORTS} ports", switch.query("stats")["memory_bytes"] / 1e6,
                        "MB", 200)
