# SPDX-License-Identifier: BSD-3-Clause
"""The switches that take turns, each on CPU 0 with vhost-user ports: weft, testpmd's io loop, OVS with DPDK.

Each says with busy() what its own counters say: cycles of busy time, frames taken. Who polls all the
time is stopped (SIGSTOP) while it is another's turn.
"""
import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

from rig import Switch, sh, vhost, wait_for

FIRST = ["nice", "-n", "-20"]  # before whatever else the machine does
ON_SWITCH_CPU, ON_LOAD_CPU = ["taskset", "-c", "0"], ["taskset", "-c", "1"]


class Weft(Switch):
    """Ports p0, p1, ... in one segment, as it is made."""
    name = "weft"

    def __init__(self, bench, n_ports=2, port=None, segment=None, **more):
        super().__init__(bench.build, realtime=False, wrapper=FIRST)
        ports = {f"p{i}": vhost(**(port or {})) for i in range(n_ports)}
        self.lab = {"segments": {"ALPHA": {"vni": 100, **(segment or {})}}, "ports": ports, **more}
        self.sockets = [self.run / f"vhost/p{i}.sock" for i in range(n_ports)]

    def __enter__(self):
        super().__enter__()
        try:
            self.apply(self.lab)
        except BaseException:
            self.end()
            raise
        return self

    def busy(self):
        worker = self.worker()
        return worker["busy_cycles"], worker["busy_frames"]

    def pause(self):
        """It sleeps when nothing comes."""

    def resume(self):
        pass


class Foreign:
    """What the other two have in common: a process that is started, stopped and ended."""
    machine_options = ()  # of weft-tap-machine

    def __init__(self):
        self.run = pathlib.Path(tempfile.mkdtemp(prefix="weft-bench.", dir="/tmp"))
        self.process = None

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.resume()
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.run, ignore_errors=True)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def awake(self):
        """It runs meanwhile; after its first pause() not at any other time."""
        self.resume()
        try:
            yield
        finally:
            self.pause()


class Testpmd(Foreign):
    """Forwards port 0 to port 1 and back and looks at nothing."""
    name, mode = "testpmd", "io"

    def __init__(self, _, n_ports=2, device=""):
        """device: what is to be said of each, as ,tso=1"""
        super().__init__()
        self.sockets, self.device = [self.run / f"s{i}" for i in range(n_ports)], device
        self.terminal = None

    def devices(self):
        return [f"net_vhost{i},iface={s},queues=1{self.device}" for i, s in enumerate(self.sockets)]

    def begin(self):
        master, slave = pty.openpty()
        self.terminal = master
        devices = [word for device in self.devices() for word in ("--vdev", device)]
        words = [*FIRST, "dpdk-testpmd", "-l", "0,1", "--main-lcore", "1", "--no-huge", "-m", "1024", "--no-pci",
                 f"--file-prefix={self.run.name}", *devices, "--", "-i", "--nb-cores=1", f"--forward-mode={self.mode}",
                 "--record-core-cycles", "--total-num-mbufs=32768", "--txd=1024", "--rxd=1024", "--auto-start"]
        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.read_until("testpmd> ", 30)
        wait_for(10, "testpmd listens", lambda: all(s.exists() for s in self.sockets))

    def __exit__(self, *_):
        super().__exit__()
        if self.terminal is not None:
            os.close(self.terminal)

    def read_until(self, end, seconds):
        """What it says until its last words match a pattern."""
        text, deadline = "", time.monotonic() + seconds
        while not re.search(end + "$", text, re.S):
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"testpmd did not say {end!r}: {text[-300:]}")
            text += os.read(self.terminal, 65536).decode(errors="replace")
        return text

    def busy(self):
        os.write(self.terminal, b"show fwd stats all\n")
        # Nothing is said of cycles before there are some.
        text = self.read_until(r"\+{70,}\s.*testpmd> ", 10)
        found = re.search(r"total cycles=(\d+) / total \w+ packets=(\d+)", text)
        return (int(found[1]), int(found[2])) if found else (0, 0)


class Ovs(Foreign):
    """One bridge whose ports learn (action NORMAL), one PMD thread."""
    name = "ovs"

    def __init__(self, bench, n_ports=2, bridge="br0", prefix=FIRST, **config):
        """config: of other_config, beside or in place of what is set here."""
        super().__init__()
        self.bridge, self.prefix, self.config = bridge, prefix, config
        self.vswitchd = bench.build / "ovs-dpdk/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
        self.sockets = [self.run / f"v{i}" for i in range(n_ports)]
        self.database = None
        self.environment = {**os.environ, "OVS_RUNDIR": str(self.run), "OVS_LOGDIR": str(self.run),
                            "OVS_DBDIR": str(self.run)}

    def begin(self):
        self.sh("ovsdb-tool", "create", self.run / "conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
        self.database = self.start(*ON_LOAD_CPU, "ovsdb-server", f"--remote=punix:{self.run}/db.sock", self.run / "conf.db")
        wait_for(10, "OVS's database listens", (self.run / "db.sock").exists)
        config = {"dpdk-init": "true", "pmd-cpu-mask": "0x1", "dpdk-lcore-mask": "0x2",
                  "dpdk-extra": f"--no-huge --legacy-mem -m 2048 --no-pci --file-prefix={self.run.name}", **self.config}
        self.sh("ovs-vsctl", "--no-wait", "init", "--", "set", "Open_vSwitch", ".",
                *(f'other_config:{key}="{value}"' for key, value in config.items()))
        self.process = self.start(*self.prefix, self.vswitchd, f"--unixctl={self.run}/vswitchd.ctl",
                                  f"unix:{self.run}/db.sock")
        wait_for(30, "OVS answers", self.answers)
        self.vsctl("add-br", self.bridge, "--", "set", "bridge", self.bridge, "datapath_type=netdev",
                   "other-config:mac-table-size=1000000")
        for socket in self.sockets:
            self.add_port(socket.name, "type=dpdkvhostuser")
        wait_for(10, "OVS listens", lambda: all(s.exists() for s in self.sockets))

    def __exit__(self, *_):
        super().__exit__()
        if self.database:
            self.database.kill()
            self.database.wait()

    def start(self, *words):
        with open(self.run / "log", "ab") as log:
            return subprocess.Popen([str(w) for w in words], env=self.environment, stdout=log, stderr=log)

    def sh(self, *words):
        return sh(*words, env=self.environment)

    def vsctl(self, *words):
        return self.sh("ovs-vsctl", "--timeout=20", *words)

    def add_port(self, name, *words, bridge=None):
        self.vsctl("add-port", bridge or self.bridge, name, "--", "set", "interface", name, *words)

    def add_tap(self, namespace, device):
        """It keeps a tap that moves away."""
        self.add_port(device, "type=tap")
        sh("ip", "link", "set", device, "netns", namespace)

    def appctl(self, *words):
        return self.sh("ovs-appctl", "-t", self.run / "vswitchd.ctl", *words)

    def answers(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            return "netdev" in self.sh("ovs-vsctl", "--timeout=2", "get", "Open_vSwitch", ".", "datapath_types")
        return False

    def busy(self):
        text = self.appctl("dpif-netdev/pmd-stats-show")
        cycles = sum(int(n) for n in re.findall(r"processing cycles: (\d+)", text))
        frames = sum(int(n) for n in re.findall(r"packets received: (\d+)", text.split("main thread")[0]))
        return cycles, frames
