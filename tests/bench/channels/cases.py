# SPDX-License-Identifier: BSD-3-Clause
"""Cases of scripts/bench-channels with front-ends of our own as sources and sinks.

Each takes a Run (main.py), makes its measurements, and says each figure with run.say().
"""
import json
import statistics
import subprocess
import time

import windows
from gate import Gate
from rig import NEVER, flow, lab, vhost

M, G = 10**6, 10**9
LINE = {60: 60, 1514: 1514, "imix": (7 * 60 + 4 * 590 + 1514) / 12, "tso": 44 * 1514}  # mean bytes of a frame
UNIT = {60: 60, 1514: 1514, "imix": 1514, "tso": 1514}  # what a window may be wrong by at least
NAMES = {60: "64 B", 1514: "1,518 B", "imix": "IMIX", "tso": "TSO"}


def rate_name(rate):
    return f"{rate // G}G" if rate % G == 0 else f"{rate / M:g}M"


def pps_above(rate, size, factor):
    """Frames a second of `size` that ask for `factor` times the rate."""
    return max(1, round(factor * rate / 8 / LINE[size] + 0.5))


def limited(way, rate):
    """One flow from a to b, through channel c that limits it on that way."""
    ports = {"a": vhost(), "b": vhost()}
    ports["a" if way == "tx" else "b"]["channel"] = "c"
    return lab(ports, {"c": {way: {"ceil": rate}}})


def one_rate(run, switch, way, rate, size):
    switch.apply(limited(way, rate))
    # What is queued comes half as fast again as it may pass, and at least 20 times a second: of a large frame CoDel
    # drops what waits too long, and who then has nothing saves up a burst.
    words = {} if way == "tx" else {"pps": max(20, pps_above(rate, size, ASKED[way]))}
    ring = 1024 if size in (60, "imix") or rate > 2 * G else 256
    return switch.shape([flow("a", "b", size=size, **words)], 2310 if run.full else 1310, ring=ring,
                        busy=rate > 2 * G)


ASKED = {"tx": 1, "rx": 1.5}  # times the rate; a held source sends as its ring is taken


def most(switch, size):
    """What passes where nothing limits it."""
    switch.apply(lab({"a": vhost(), "b": vhost()}))
    return windows.bps(switch.shape([flow("a", "b", size=size)], 1300, ring=1024, busy=True))


def carried(switch, size):
    """Of each way the highest rate that the machine carries at all times: what is asked for is half of the most that
    ever passes, since within seconds its two CPUs may be twice as far from each other."""
    best = most(switch, size)
    return {way: int(best / 2 / ASKED[way] / (100 * M)) * 100 * M for way in ASKED}


TRIES = 3  # for each round at the highest rates


def usual_rounds(gate, measured, n):
    """The first n before and after which the machine was as it usually is in this run."""
    return [r for before, r, after in measured
            if None not in (before, after) and gate.is_usual(max(before, after))][:n]


def highest_rates(run, switch, sizes, ways):
    """{(way, rate, size): results}, in turn: of rounds in which the two CPUs were near, and a bare copy loop took what
    it usually does, before and after; else the machine may carry less than that rate."""
    gate, measured = Gate(run.build), {}
    for size in sizes:
        rates = carried(switch, size)
        measured |= {(way, rates[way], size): [] for way in ways if rates[way] > 0}
    before = gate.look()
    for _ in range(TRIES * run.rounds):
        for key, rounds in measured.items():
            if len(usual_rounds(gate, rounds, run.rounds)) < run.rounds:
                result = one_rate(run, switch, *key)
                after = gate.look()
                rounds.append((before, result, after))
                before = after
    print(f"       accuracy: of {sum(map(len, measured.values()))} rounds at the highest rates "
          f"{sum(len(usual_rounds(gate, r, run.rounds)) for r in measured.values())} count: CPUs near, copies as usual")
    return {key: usual_rounds(gate, rounds, run.rounds) for key, rounds in measured.items()}


def accuracy(run):
    rates = run.words.get("rates", [M, 10 * M, 100 * M, G, "most"] if run.full else [10 * M, 100 * M])
    sizes = run.words.get("sizes", [60, 1514, "imix", "tso"] if run.full else [1514, "tso"])
    ways = run.words.get("ways", ["tx", "rx"])
    sums = {}
    with run.switch() as switch:
        for _ in range(run.rounds):
            for way in ways:
                for rate in (r for r in rates if r != "most"):
                    for size in sizes:
                        if LINE[size] * 8 * 1e7 > rate:
                            sums.setdefault((way, rate, size), []).append(one_rate(run, switch, way, rate, size))
        if "most" in rates:
            sums |= highest_rates(run, switch, sizes, ways)
    for (way, rate, size), rounds in sums.items():
        say_accuracy(run, way, rate, size, rounds)


def say_accuracy(run, way, rate, size, rounds):
    what = f"{way} {rate_name(rate)} {NAMES[size]}"
    if not rounds:
        run.say("accuracy", what, {}, False, "the machine was not as usual in any round")
        return
    # A large frame that takes less than 200 us is not cut.
    unit = LINE["tso"] if size == "tso" and rate > 8 * LINE["tso"] / 200e-6 else UNIT[size]
    seen = windows.accuracy(rounds, rate, unit)
    mean = statistics.median(run.bps(r) for r in rounds)
    late = {**{k: seen[k] for k in ("late", "kept", "after", "stretches", "above")}, "bps": round(mean)}
    print(f"       {what}: mean {100 * (mean / rate - 1):+.3f} %, all time; of slices of 10 ms {late['late']} were "
          f"measured late, in {late['kept']} others had the worker's CPU, {late['after']} came after such a pause; "
          f"of {late['stretches']} stretches of these {late['above']} had more than the rate on the whole")
    for width, few in (("1s", 1), ("10ms", 20)):
        part = seen[width]
        good = part["windows"] >= few and part["beyond"] == 0 and seen["above"] == 0
        if not run.full:  # a machine that others use: the mean is what counts
            good = run.good(rounds, 0.5 < mean / rate < 1.02)
        run.say("accuracy", f"{what}, {width}", {**part, **late}, good,
                f"{part['windows']} windows: error median {part['median_pct']} %, worst {part['worst_pct']} %, "
                f"{part['beyond']} beyond")


def nine(way):
    """Gold and eight neighbours, one of them with a ceiling: lab, and what each is to get."""
    names = ["gold"] + [f"n{i}" for i in range(8)]
    rates = {n: (100 * M if n == "gold" else 50 * M, 60 * M if n == "n7" else None, 1) for n in names}
    channels = {n: {"pool": "host", way: {"rate": a, **({"ceil": c} if c else {})}}
                for n, (a, c, _) in rates.items()}
    ports = {f"s{i}": vhost(**({"channel": n} if way == "tx" else {})) for i, n in enumerate(names)}
    ports |= {f"d{i}": vhost(**({"channel": n} if way == "rx" else {})) for i, n in enumerate(names)}
    # The other way is the default channel's, and not to be in the way.
    other = "rx" if way == "tx" else "tx"
    return lab(ports, channels, {"host": {"capacity": {way: G, other: 100 * G}}}), rates


def overload(run):
    """Assured rates under eight times as much as there is; the spare divided; ceilings kept."""
    for way in ("tx", "rx"):
        with run.switch() as switch:
            the_lab, rates = nine(way)
            switch.apply(the_lab)
            due = windows.water_fill(G, rates)
            words = {} if way == "tx" else {"pps": pps_above(G, 1514, 8 / 9)}
            flows = [flow(f"s{i}", f"d{i}", size=1514, **words) for i in range(len(rates))]
            rounds = [switch.shape(flows, 2300) for _ in range(run.rounds)]
        got = {n: [run.bps(r, [i]) for r in rounds] for i, n in enumerate(rates)}
        medians = {n: statistics.median(v) for n, v in got.items()}
        spares = [medians[n] - rates[n][0] for n in rates if n != "n7"]
        kept = min(medians[n] / rates[n][0] for n in rates)
        slack = 1.003 if run.full else 1.05
        fairness = windows.jain(spares) if min(spares) > 0 else 0
        run.say("overload", f"{way}: least part of an assured rate", {"part": kept},
                run.good(rounds, kept >= (0.99 if run.full else 0.95)), f"{kept:.4f} (goal 0.99)")
        run.say("overload", f"{way}: Jain's index of the spare", {"jain": fairness},
                run.good(rounds, fairness >= (0.99 if run.full else 0.9)), f"{fairness:.5f} (goal 0.99)")
        run.say("overload", f"{way}: ceiling 60M", {"bps": medians["n7"]}, medians["n7"] <= 60 * M * slack,
                f"{medians['n7'] / M:.3f}M")
        run.say("overload", f"{way}: sum of 1G", {"bps": sum(medians.values()), "due": due}, True,
                f"{sum(medians.values()) / M:.1f}M; gold {medians['gold'] / M:.1f}M of {due['gold'] / M:.1f}M")


def steps(switch, labs, flows, **options):
    """Posts labs, one each second, under load: weft-shape's result and (asked, answered) in its ms. Once more if the
    last one came about when all was over: that takes a machine that others use."""
    for _ in range(3):
        result, times = steps_once(switch, labs, flows, **options)
        if times[-1][1] + 200 < len(result["gaps_us"]):
            break
    return result, times


def steps_once(switch, labs, flows, **options):
    words = switch.shape_words(flows, 1000 * (len(labs) + 1) + 300, **options)
    times = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        began = time.monotonic()
        NEVER.wait(1.2)
        for i, the_lab in enumerate(labs):
            NEVER.wait(max(0.0, began + 1.2 + i - time.monotonic()))
            times.append(switch.post(the_lab))
        out = process.communicate()[0]
    result = json.loads(out)
    return result, [[1000 * t - result["start_ns"] / 1e6 for t in pair] for pair in times]


def say_steps(run, case, what, rounds, rates):
    """Time from request and from answer to 95 % of each new rate; what was lost or overtaken."""
    for up in (True, False):
        from_ask, from_answer = [], []
        for result, times in rounds:
            bins = windows.summed(result)
            for (asked, answered), rate in zip(times, rates):
                if (rate == max(rates)) != up:
                    continue
                width = max(1, round(20 * 1514 * 8000 / rate + 0.5))
                reached = windows.reached_ms(bins, int(asked), rate, width, up)
                from_ask.append(9999 if reached is None else reached - asked)
                from_answer.append(9999 if reached is None else reached - answered)
        ask, answer = statistics.median(from_ask), statistics.median(from_answer)
        run.say(case, f"{what}, {'up' if up else 'down'}", {"from_request_ms": ask, "from_answer_ms": answer},
                answer <= (5 if run.full else 200), f"95 % {ask:.1f} ms after the request, "
                f"{answer:.1f} ms after the answer (goal 5)")
    lost = sum(f["lost"] for r, _ in rounds for f in r["flows"])
    late = sum(f["late"] for r, _ in rounds for f in r["flows"])
    n = sum(f["received"] for r, _ in rounds for f in r["flows"])
    run.say(case, f"{what}: lost, reordered", {"lost": lost, "late": late, "frames": n}, lost == 0 and late == 0,
            f"{lost}, {late} of {n}")


def step(run):
    """The rate changes under full load; a port moves between channels."""
    slow, fast = 100 * M, 500 * M

    def moved(name):
        return lab({"a": vhost(channel=name), "b": vhost()},
                   {"slow": {"tx": {"ceil": slow}}, "fast": {"tx": {"ceil": fast}}})

    with run.switch() as switch:
        load = [flow("a", "b", size=1514, ring=256)]
        for what, labs in (("rate 100M, 500M", [limited("tx", fast), limited("tx", slow)]),
                           ("port moved, 100M, 500M", [moved("fast"), moved("slow")])):
            rounds = []
            for _ in range(run.rounds):
                switch.apply(labs[-1])
                rounds.append(steps(switch, labs, load, ring=4096))
            say_steps(run, "step", what, rounds, [fast, slow])


def lossless(run):
    """A held source above its rate loses nothing."""
    seconds = int(run.words.get("seconds", 60 if run.full else 3))
    with run.switch() as switch:
        switch.apply(limited("tx", 100 * M))
        for size in (1514, "imix"):
            before = switch.drops()
            result = switch.shape([flow("a", "b", size=size, ring=256)], 1000 * seconds, ring=4096)
            drops = switch.drops() - before
            f = result["flows"][0]
            mean = run.bps(result)
            run.say("lossless", f"UDP {NAMES[size]}, {seconds} s, ring full", {
                "drops": drops, "lost": f["lost"], "late": f["late"], "frames": f["received"], "bps": mean},
                f["lost"] == 0 and f["late"] == 0 and run.good([result], mean > 90 * M),
                f"{f['lost']} lost, {f['late']} reordered, {drops} drops counted; {f['received']} frames, "
                f"{mean / M:.2f}M")


def delay(run):
    """A sparse probe into a saturated rx channel, and one into a neighbour's."""
    limit_us = 1000 * 1514 * 8 / 100 / 30
    channels = {"c": {"rx": {"ceil": 100 * M}}, "n": {"rx": {"ceil": 100 * M}}}
    ports = {"a": vhost(), "b": vhost(channel="c"), "p": vhost(), "q": vhost(), "m": vhost(channel="n")}
    probes = [flow("p", "b", size=60, pps=500), flow("q", "m", size=60, pps=2000)]
    flood = [flow("a", "b", size=1514, pps=pps_above(100 * M, 1514, 2))]
    rounds = {"quiet": [], "full": []}
    with run.switch() as switch:
        switch.apply(lab(ports, channels))
        for _ in range(run.rounds):
            for name, flows in (("quiet", probes), ("full", probes + flood)):
                rounds[name].append(switch.shape(flows, 3000 if run.full else 1000))

    def p99(name, i):
        return statistics.median(r["flows"][i]["p99_us"] for r in rounds[name])

    lost = sum(f["lost"] for r in rounds["full"] for f in r["flows"][:2])
    n, disturbed = (sum(f[k] for r in rounds["full"] for f in r["flows"][:2]) for k in ("received", "disturbed"))
    print(f"       delay: a CPU was away meanwhile for {disturbed} of {n} probes, which do not count")
    own, growth = p99("full", 0), p99("full", 1) / p99("quiet", 1)
    run.say("delay", "probe into the full channel, p99", {"us": own, "quiet_us": p99("quiet", 0), "lost": lost},
            own <= limit_us * (1 if run.full else 8),
            f"{own:.0f} us (goal {limit_us:.0f}); without load {p99('quiet', 0):.0f} us; {lost} probes lost")
    run.say("delay", "probe into a neighbour, growth of p99", {"growth": growth, "us": p99("full", 1)},
            growth < 1.5 or (not run.full and p99("full", 1) < 20000),
            f"{growth:.2f} times (goal below 1.5): {p99('quiet', 1):.0f} us, then {p99('full', 1):.0f} us")


def flooder(run):
    """A flood of 64-byte frames on the victim's worker."""
    channels = {"gold": {"pool": "host", "tx": {"rate": 100 * M}, "rx": {"rate": 100 * M}}}
    ports = {"v": vhost(channel="gold"), "w": vhost(channel="gold"), "f": vhost(), "g": vhost()}
    victim = flow("v", "w", size=1514, pps=round(100 * M / 8 / 1514))
    results, parts, floods = [], [], []
    with run.switch() as switch:
        switch.apply(lab(ports, channels, {"host": {"capacity": 10 * G}}))
        for _ in range(run.rounds):
            result = switch.shape([victim, flow("f", "g", size=60)], 2300, ring=1024, busy=run.full)
            results.append(result)
            parts.append(run.bps(result, [0]) / (victim["pps"] * 1514 * 8))
            floods.append(result["flows"][1]["received"] / 2.3)
    part = statistics.median(parts)
    run.say("flooder", "victim's part of its assured 100M", {"part": part, "flood_pps": statistics.median(floods)},
            run.good(results, part >= (0.97 if run.full else 0.9)),
            f"{part:.4f} (goal 0.97) beside {statistics.median(floods) / 1e6:.2f} million frames/s")


def stuck(run):
    """A receiver that takes nothing, and a broadcast storm, in another channel. Beside them two controls, which are what
    machine and load generator make of it: the same load without channels, and for the receiver one that takes all. Who
    generates both loads pauses, and sends what is late at once: that waits for the victim's own ceiling."""
    # A storm is for the victim's machines, too: its 96M are beside the victim's 97M in their channel.
    ceil = run.words.get("ceil", 500 * M)
    channels = {"gold": {"tx": {"ceil": ceil}, "rx": {"ceil": ceil}}, "bad": {"rx": {"ceil": 50 * M}}}
    owners = {"v": "gold", "w": "gold", "x": "bad", "y": "bad", "z": "bad"}
    labs = {"control": lab({p: vhost() for p in owners}),
            "channels": lab({p: vhost(channel=c) for p, c in owners.items()}, channels)}
    # Its ring has room for what it sends while the kernel lets others have the worker's CPU: 50 ms of a second.
    victim = flow("v", "w", size=1514, pps=8000, ring=1024)
    neighbour, storm = flow("x", "y", size=1514, pps=50000), flow("z", "*", size=60, pps=100000)
    loads = {"alone": {name: [victim] for name in labs}, "broadcast storm": {name: [victim, storm] for name in labs},
             "neighbour": {name: [victim, neighbour] for name in labs},
             "stuck receiver": {"channels": [victim, {**neighbour, "stuck": 1}]}}
    beside = {"stuck receiver": "neighbour"}
    seen = {(load, name): [] for load in loads for name in loads[load]}
    with run.switch() as switch:
        for i in range(run.rounds):
            for name in sorted(labs, reverse=i % 2):
                switch.apply(labs[name])
                for load in (load for load, flows in loads.items() if name in flows):
                    seen[load, name].append(switch.shape(loads[load][name], 1500)["flows"][0])
    p99_us = {key: statistics.median(f["p99_us"] for f in flows) for key, flows in seen.items()}
    parts = {key: statistics.median(f["received"] / (f["sent"] + f["refused"]) for f in flows)
             for key, flows in seen.items()}
    for load in ("alone", "broadcast storm", "stuck receiver"):
        flows, other = seen[load, "channels"], beside.get(load, load)
        lost, disturbed, n = (sum(f[k] for f in flows) for k in ("lost", "disturbed", "received"))
        part, control_part = parts[load, "channels"], parts[other, "control"]
        us, control_us = p99_us[load, "channels"], p99_us[other, "control"]
        growth, control = us / p99_us["alone", "channels"], control_us / p99_us["alone", "control"]
        taking_us = p99_us["neighbour", "channels"] if other != load else p99_us["alone", "channels"]
        # What the machine makes of it counts, but not for any delay; and delays are those of frames that count.
        limit = min(3, 1.5 * max(1, control, taking_us / p99_us["alone", "channels"]))
        is_seen = us > 1 and 2 * disturbed < n
        print(f"       stuck: {load}: a CPU was away meanwhile for {disturbed} of {n} frames, whose delay does not count")
        run.say("stuck", f"victim, {load}", {"part": part, "control_part": control_part, "lost": lost,
                                             "p99_us": us, "control_us": control_us, "growth": growth,
                                             "control_growth": control, "taking_us": taking_us},
                part > (0.99 if run.full else 0.9) * control_part and (growth < limit and is_seen or not run.full),
                f"{part:.4f} of its frames (control {control_part:.4f}), {lost} lost, p99 {us:.0f} us, "
                f"{growth:.2f} times that alone (goal 1.5); control {control_us:.0f} us, {control:.2f} times"
                + (f"; beside one that takes all {taking_us:.0f} us" if other != load else ""))
