# SPDX-License-Identifier: BSD-3-Clause
"""Cases of scripts/bench-channels with real TCP: taps by iperf3, QEMU guests by nc."""
import json
import os
import statistics
import subprocess

from rig import NEVER, lab, sh

M = 10**6
CEILING = 100 * M
GOAL = 0.98 * 1448 / 1514  # of the ceiling: what frames of 1,514 bytes leave to TCP's payload


def namespaces(*names):
    for name in names:
        sh("ip", "netns", "add", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")


def remove(*names):
    for name in names:
        sh("ip", "netns", "del", name)


def tap(name, address, **words):
    return {"type": "tap", "segment": "ALPHA", "netns": name, "ip": address + "/24", **words}


def goodput(source, target, address, seconds, *options):
    """bit/s that arrived."""
    with subprocess.Popen(["ip", "netns", "exec", target, "iperf3", "-s", "-1"], stdout=subprocess.DEVNULL) as server:
        for _ in range(100):
            if ":5201" in sh("ip", "netns", "exec", target, "ss", "-ltn"):
                break
            NEVER.wait(0.05)
        out = json.loads(sh("ip", "netns", "exec", source, "iperf3", "-c", address, "-t", str(seconds), "-O", "1",
                            "-J", *options))
        server.wait(20)
    return out["end"]["sum_received"]["bits_per_second"], out["end"]["sum_sent"].get("retransmits", 0)


def taps(run):
    """A ceiling of 100M on what a tap sends, and on what it gets."""
    seconds = int(run.words.get("seconds", 60 if run.full else 3))
    for way, port in (("tx", "c1"), ("rx", "c2")):
        namespaces("c1", "c2")
        try:
            with run.switch(realtime=False) as switch:
                ports = {"c1": tap("c1", "10.0.1.1"), "c2": tap("c2", "10.0.1.2")}
                ports[port]["channel"] = "c"
                switch.apply(lab(ports, {"c": {way: {"ceil": CEILING}}}))
                rounds = [goodput("c1", "c2", "10.0.1.2", seconds) for _ in range(1 if seconds > 20 else run.rounds)]
        finally:
            remove("c1", "c2")
        bps = statistics.median(b for b, _ in rounds)
        run.say("tcp", f"taps, {way} 100M, {seconds} s", {"bps": bps, "retransmits": sum(r for _, r in rounds)},
                bps >= CEILING * (GOAL if run.full else 0.85),
                f"goodput {bps / M:.2f}M (goal {CEILING * GOAL / M:.2f}M), {sum(r for _, r in rounds)} sent again")


def guests(run):
    """The same of a QEMU guest; and with OVS's policer in its place."""
    script = os.path.join(os.path.dirname(__file__), "guests.sh")
    seconds = int(run.words.get("seconds", 60 if run.full else 5))
    results = {}
    for name in ("weft", "ovs"):
        out = sh("bash", script, name, run.build, seconds)
        results[name] = json.loads(out.splitlines()[-1])
    ours, theirs = results["weft"], results["ovs"]
    run.say("guests", f"guest, tx 100M, {seconds} s", ours,
            ours["bps"] >= CEILING * (GOAL if run.full else 0.8) and ours["drops"] == 0,
            f"goodput {ours['bps'] / M:.2f}M (goal {CEILING * GOAL / M:.2f}M), {ours['drops']} drops")
    if "bps" in theirs:
        run.say("guests", "OVS's policer at the same rate", {**theirs, "ratio": ours["bps"] / theirs["bps"]},
                ours["bps"] >= theirs["bps"], f"{theirs['bps'] / M:.2f}M: weft has {ours['bps'] / theirs['bps']:.2f} times that")
    else:
        run.say("guests", "OVS's policer at the same rate", theirs, True, theirs["skipped"])
