# SPDX-License-Identifier: BSD-3-Clause
"""Case of scripts/bench: VXLAN, each way, between a machine and an uplink that costs next to nothing.

    machine -> switch -> net_null, which frees what it gets            encap
    net_pcap, which copies from memory -> switch -> machine            decap
    machine -> switch -> machine, one way                              plain, with another weft

64-byte frames inside. weft-dataplane is the one with these two drivers of DPDK's. OVS has the same devices.
What polls all the time, each system here, is stopped while it is another's turn.
"""
import contextlib
import re
import signal
import statistics
import struct

from bench import median_row, ratio_row
from load import Load
from rig import NEVER, sh, vhost
from systems import Ovs, Testpmd, Weft

VNI, VXLAN_PORT = 200, 4789
N_FRAMES = 32  # in the file; they come again and again
OURS, THEIRS = "02:00:00:00:09:01", "02:00:00:00:09:02"  # of the underlay
MACHINES = ["02:4c:00:00:00:00", "02:4c:01:00:00:00"]  # as weft-load has them


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return bytes(int(part) for part in text.split("."))


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def outer_frame(source, target):
    """VXLAN with a frame of 60 bytes for the first machine."""
    inner = mac(MACHINES[0]) + mac(MACHINES[1]) + b"\x88\xb5" + bytes(46)
    vxlan = struct.pack("!II", 0x08000000, VNI << 8) + inner
    udp = struct.pack("!4H", 50000, VXLAN_PORT, 8 + len(vxlan), 0) + vxlan
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0) + ip(source) + ip(target)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return mac(OURS) + mac(THEIRS) + b"\x08\x00" + head + udp


def write_pcap(path, frame):
    record = struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    path.write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + record * N_FRAMES)


class Underlay:
    """What both systems have: a subnet of their own, a device."""

    def __init__(self, run, place, is_decap):
        self.ours, self.theirs = f"10.9.{place}.1", f"10.9.{place}.2"
        self.device = "net_null0,no-rx=1"
        if is_decap:
            write_pcap(run / "outer.pcap", outer_frame(self.theirs, self.ours))
            self.device = f"net_pcap0,rx_pcap={run}/outer.pcap,infinite_rx=1"

    def settle(self, interface):
        """The kernel's part: our address, and where the peer is."""
        sh("ip", "link", "set", interface, "up")
        sh("ip", "addr", "replace", f"{self.ours}/24", "dev", interface)
        sh("ip", "neigh", "replace", self.theirs, "lladdr", THEIRS, "dev", interface, "nud", "permanent")


class WeftTunnel(Weft):
    """p0 and p1 as ever, t0 in the segment that the peer has."""
    program = "tests/bench/weft-dataplane-vdev"

    def __init__(self, bench, place, is_decap):
        super().__init__(bench, 2)
        self.underlay, self.uplink = Underlay(self.run, place, is_decap), f"u{place}"
        for i, address in enumerate(MACHINES):
            self.lab["ports"][f"p{i}"]["macs"] = address
        self.lab["segments"]["BETA"] = {"vni": VNI}
        self.lab["ports"]["t0"] = {**vhost(), "segment": "BETA", "macs": MACHINES[0]}
        self.lab["ports"][self.uplink] = {"type": "uplink", "driver": "dpdk", "devargs": self.underlay.device,
                                          "vtep": self.underlay.ours}
        self.lab["peers"] = {"h2": {"vtep": self.underlay.theirs, "segments": ["BETA"], "learn": "off",
                                    "macs": MACHINES[1]}}
        self.tunnelled = [self.run / "vhost/t0.sock"]

    def __enter__(self):
        super().__enter__()
        try:
            self.underlay.settle(self.uplink)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        """No look at the accounts: the device's frames never cease."""
        self.resume()
        self.end()

    def pause(self):
        self.dataplane.send_signal(signal.SIGSTOP)

    def resume(self):
        self.dataplane.send_signal(signal.SIGCONT)

    def left(self):
        """Frames that have left for the peer."""
        return self.query("stats", self.uplink)["ports"][0]["carried_tx_frames"]


class OvsTunnel(Ovs):
    """The same: a bridge with the device and the address, one with the machine and the tunnel."""

    def __init__(self, bench, place, is_decap):
        super().__init__(bench, 1, f"br{place}")
        self.underlay, self.physical, self.is_decap = Underlay(self.run, place, is_decap), f"phy{place}", is_decap
        self.tunnelled = self.sockets

    def begin(self):
        super().begin()
        self.vsctl("add-br", self.physical, "--", "set", "bridge", self.physical, "datapath_type=netdev",
                   f'other-config:hwaddr="{OURS}"')
        self.underlay.settle(self.physical)
        self.add_port("device", "type=dpdk", f'options:dpdk-devargs="{self.underlay.device}"', bridge=self.physical)
        self.add_port("tunnel", "type=vxlan", f"options:remote_ip={self.underlay.theirs}", f"options:key={VNI}")
        self.appctl("tnl/neigh/set", self.physical, self.underlay.theirs, THEIRS)
        for port, address in ((self.sockets[0].name, MACHINES[0]), ("tunnel", MACHINES[1])):
            self.appctl("fdb/add", self.bridge, port, "0", address)
        self.appctl("fdb/add", self.physical, "device", "0", THEIRS)

    def left(self):
        text = self.appctl("dpctl/show", "-s", "netdev@ovs-netdev")
        return int(re.search(r"port \d+: device .*?TX packets:(\d+)", text, re.S)[1])


class DeviceAlone(Testpmd):
    """What the device of decap takes for a frame, by testpmd that frees what it brings."""
    name, mode = "device alone", "rxonly"

    def __init__(self, bench):
        super().__init__(bench, 0)
        self.seconds, self.underlay = bench.seconds, Underlay(self.run, 4, True)

    def devices(self):
        return [self.underlay.device]

    def measure(self):
        with self.awake():
            cycles, frames = self.busy()
            NEVER.wait(self.seconds)
            cycles_after, frames_after = self.busy()
        each = (cycles_after - cycles) / (frames_after - frames)
        return {"cycles": each, "cycles_delivered": each}


class Outward(Load):
    """Load whose frames arrive nowhere: the system says how many have left."""

    def passes(self):
        before = self.system.left()
        self.run(0.2)
        return self.system.left() > before

    def delivered(self, result):
        return self.system.left()


def one_way(bench, is_decap):
    """{system, or plain: rounds}, all in turn. Two of OVS at once do not go: each makes a device of the same name."""
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(WeftTunnel(bench, 1, False))
        measures = {"plain": stack.enter_context(Load(bench, plain, way="one")).measure}
        for place, system in ((2, WeftTunnel), (3, OvsTunnel)):
            started = stack.enter_context(system(bench, place, is_decap))
            kind, way = (Load, "none") if is_decap else (Outward, "one")
            load = stack.enter_context(kind(bench, started, sockets=started.tunnelled, way=way))
            measures[started.name] = load.measure
        if is_decap:
            alone = stack.enter_context(DeviceAlone(bench))
            alone.pause()
            measures[alone.name] = alone.measure
        return bench.in_turn(measures)


def vxlan(bench):
    """Cycles for each frame that was delivered, as those that a full ring refuses cost, too. The goals are of an uplink
    that costs nothing, so what the device of decap takes itself is taken off there. Whatever one pays for it to alloc
    and free a buffer in encap stays."""
    for what in ("encap", "decap"):
        seen = one_way(bench, what == "decap")
        cycles = {name: [r["cycles_delivered"] for r in rounds] for name, rounds in seen.items()}
        for name, rounds in seen.items():
            taken = statistics.median(r["cycles"] for r in rounds)
            yield median_row(f"VXLAN {what}: {name}", cycles[name], "cycles/frame", taken=taken)
        device = statistics.median(cycles.get(DeviceAlone.name, [0]))
        plain = statistics.median(cycles["plain"])
        less = {name: [c - device for c in cycles[name]] for name in ("weft", "ovs")}
        yield median_row(f"VXLAN {what}: weft, more than plain, device taken off", [c - plain for c in less["weft"]],
                         "cycles/frame", 60)
        yield ratio_row(f"VXLAN {what}: weft / ovs", cycles["weft"], cycles["ovs"])
        yield ratio_row(f"VXLAN {what}: weft / ovs, device taken off", less["weft"], less["ovs"], 0.45)
