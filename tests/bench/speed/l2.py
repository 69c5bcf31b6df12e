# SPDX-License-Identifier: BSD-3-Clause
"""Cases of scripts/bench: busy cycles of a learning switch for each frame, between vhost-user ports."""
import contextlib

from bench import median_row, ratio_row
from load import ForeignLoad, Load
from systems import Ovs, Testpmd, Weft

MANY_MACS = 100000
TABLE = {"max_macs": 1000000}


def beside(bench, systems, name, words, kind=Load):
    """{(system, name): rounds}, all in turn; `before` is the first of the systems of an earlier build. words: what
    weft-load is to do."""
    contenders = [(system(bench), "") for system in systems]
    if bench.before:
        contenders.append((systems[0](bench.before), "before"))
    with contextlib.ExitStack() as stack:
        measures = {}
        for system, other_name in contenders:
            stack.enter_context(system)
            load = stack.enter_context(kind(bench, system, **words))
            measures[other_name or system.name, name] = load.measure
        return bench.in_turn(measures)


def cycles(rounds, key="cycles"):
    return [r[key] for r in rounds]


def rows_of(seen, goals=None, key="cycles", copies=1):
    """A row of each, and what the others' cycles are to ours."""
    goals, rows = goals or {}, []
    for (system, name), rounds in seen.items():
        lost = 1 - sum(r["received"] for r in rounds) / (copies * sum(r["sent"] for r in rounds))
        rows.append(median_row(f"{name}: {system}", cycles(rounds, key), "cycles/frame",
                               goals.get(name) if system == "weft" else None,
                               mpps=sorted(cycles(rounds, "mpps"))[len(rounds) // 2], lost=lost))
    for (system, name), rounds in seen.items():
        if system != "weft":
            rows.append(ratio_row(f"{name}: weft / {system}", cycles(seen["weft", name], key), cycles(rounds, key)))
    return rows


def goal_of(rows, name, at_most):
    """Holds the ratio of that name against its goal."""
    for row in rows:
        if row.name == name:
            row.goal, row.passed = f"at most {at_most:g}", row.value <= at_most
    return rows


def channelled(bench):
    """weft with a channel that limits nothing, in a pool that is never full."""
    return Weft(bench, port={"channel": "c"}, channels={"c": {"pool": "host"}},
                pools={"host": {"capacity": 400 * 10**9}})


def plain(bench):
    """64 bytes, one flow each way."""
    for name, words in (("64 B, split", {}), ("64 B, packed", {"packed": True}), ("64 B, UDP", {"flows": 1})):
        part = rows_of(beside(bench, (channelled, Testpmd, Ovs), name, words), {name: 90})
        goal_of(part, f"{name}: weft / testpmd", 1 / 2)
        yield from goal_of(part, f"{name}: weft / ovs", 1 / 3)


def foreign(bench):
    """The same with a front-end that is not ours."""
    for name, words in (("64 B, split, virtio-user", {}), ("64 B, packed, virtio-user", {"packed_vq": 1})):
        yield from rows_of(beside(bench, (channelled, Testpmd, Ovs), name, words, ForeignLoad))


def roomy(bench):
    """weft with room for many addresses."""
    return Weft(bench, port=TABLE, segment=TABLE)


def macs(bench):
    """1,000 and 10,000 addresses a side."""
    for n, goal in ((1000, 95), (10000, 110)):
        name = f"{n:,} addresses a side"
        yield from rows_of(beside(bench, (roomy, Testpmd, Ovs), name, {"macs": n}), {name: goal})


def many_macs(bench):
    """100,000 addresses a side against one, each with a weft of its own: a port has one front-end at a time."""
    names = {1: "1 address a side", MANY_MACS: f"{MANY_MACS:,} addresses a side"}
    with contextlib.ExitStack() as stack:
        measures = {}
        for n, name in names.items():
            switch = stack.enter_context(roomy(bench))
            measures["weft", name] = stack.enter_context(Load(bench, switch, macs=n)).measure
        seen = bench.in_turn(measures)
    few, many = (cycles(seen["weft", name]) for name in names.values())
    return rows_of(seen) + [ratio_row(f"{names[MANY_MACS]} / {names[1]}", many, few, 1.5)]


def sizes(bench):
    """1,518 bytes, and IMIX."""
    for name, size, goal in (("1,518 B", 1514, 300), ("IMIX", 0, 130)):
        yield from rows_of(beside(bench, (Weft, Testpmd, Ovs), name, {"size": size}), {name: goal})


def flood(bench):
    """One broadcasts, eight receive: cycles for each frame that was delivered."""
    name = "flood to 8"

    def ours(bench):
        return Weft(bench, 9, port={"broadcast_pps": 0}, segment={"broadcast_pps": 0})

    seen = beside(bench, (ours, lambda bench: Ovs(bench, 9)), name, {"way": "flood"})
    return goal_of(rows_of(seen, key="cycles_delivered", copies=8), f"{name}: weft / ovs", 0.4)
