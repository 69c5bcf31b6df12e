# SPDX-License-Identifier: BSD-3-Clause
"""What scenarios are made of: frames, and the list that make.py writes.

Every frame carries a mark in its payload, so that each one is known again wherever it turns up."""
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
ALPHA_ONLY = "{ALPHA: {vni: 100}}"
TWO = "{ALPHA: {vni: 100, vlan: 10}, BETA: {vni: 200, vlan: 20}}"
THREE = "{ALPHA: {vni: 100, vlan: 10}, BETA: {vni: 200, vlan: 20}, GAMMA: {vni: 300, vlan: 30}}"
SCENARIOS = []


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def host(n):
    """A unicast address, locally administered."""
    return "02:00:00:00:%02x:%02x" % (n >> 8, n & 255)


def frame(dst, src, mark, size=60, ethertype=0x88B5, tags=()):
    """Ethernet frame for local experiments (0x88B5, IEEE 802) with a mark, padded with its low byte."""
    head = mac(dst) + mac(src) + b"".join(struct.pack("!HH", tpid, tci) for tpid, tci in tags)
    body = head + struct.pack("!H", ethertype) + b"WEFTMARK" + struct.pack("!I", mark)
    return (body + bytes([mark & 255]) * max(0, size - len(body)))[:max(size, 14)]


def scenario(area, name, about, segments, ports, packets, drops=None, outs=None, peers=None, **keys):
    """packets: (time in ms, port, bytes), in order; with a fourth word, who gets it: "p1 p2", or {port: bytes}, and
    then `outs` is made of that. ports: {name: segment, or keys and values}. outs: {port: [(ms, bytes)]}, what must
    come out. peers: {name: (keys and values, uplink or None)}. keys: sends, takes, full, at, until, lost, ignore; see
    scenario/scenario.h. lab: {pools: ..., channels: ..., vms: ...}."""
    if packets and len(packets[0]) == 4:
        outs = {}
        for ms, _, data, receivers in packets:
            if isinstance(receivers, str):
                receivers = {port: data for port in receivers.split()}
            for port, sent in receivers.items():
                outs.setdefault(port, []).extend((ms, one) for one in (sent if isinstance(sent, list) else [sent]))
        packets = [packet[:3] for packet in packets]
    SCENARIOS.append(dict(keys, area=area, name=name, about=about, segments=segments, ports=ports, packets=packets,
                          drops=drops or {}, outs=outs, peers=peers or {}))


def total(data):
    """The sum of 16-bit words, as the Internet checksum takes it."""
    data += bytes(len(data) % 2)
    value = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def packet(dst, src, protocol, l4, field, v6=False, ident=0, is_open=False):
    """An IP packet around a TCP or UDP one, whose checksum lies at `field`: left open or complete."""
    addresses = bytes(range(32)) if v6 else bytes([10, 0, 0, 1, 10, 0, 0, 2])
    pseudo = total(addresses + struct.pack("!II", len(l4), protocol))
    l4 = l4[:field] + bytes(2) + l4[field + 2:]
    value = pseudo if is_open else (0xFFFF - total(struct.pack("!H", pseudo) + l4)) or 0xFFFF
    l4 = l4[:field] + struct.pack("!H", value) + l4[field + 2:]
    if v6:
        return mac(dst) + mac(src) + struct.pack("!HIHBB", 0x86DD, 0x60000000, len(l4), protocol, 64) + addresses + l4
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), ident & 0xFFFF, 0x4000, 64, protocol, 0) + addresses
    ip = ip[:10] + struct.pack("!H", 0xFFFF - total(ip)) + ip[12:]
    return mac(dst) + mac(src) + struct.pack("!H", 0x0800) + ip + l4


def tcp(dst, src, seq, payload, flags=0x10, v6=False, ident=0, is_open=True):
    """TCP with a time stamp option, as a guest with offloads sends it."""
    header = struct.pack("!HHIIBBHHHBBBBII", 1000, 2000, seq & 0xFFFFFFFF, 7, 0x80, flags, 512, 0, 0, 1, 1, 8, 10, 3, 4)
    return packet(dst, src, 6, header + payload, 16, v6, ident, is_open)


def tcp_cut(size, dst, src, seq, payload, flags=0x10, v6=False, ident=0, is_open=False):
    """The same as packets of at most `size` bytes of payload."""
    parts = [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]
    out = []
    for i, part in enumerate(parts):
        kept = flags if i == len(parts) - 1 else flags & ~0x09  # FIN, PSH end a stream
        kept = kept if i == 0 else kept & ~0x80  # CWR is said once
        out.append(tcp(dst, src, seq + i * size, part, kept, v6, ident + i, is_open))
    return out


def udp(dst, src, payload, v6=False, is_open=True):
    return packet(dst, src, 17, struct.pack("!HHHH", 1000, 2000, 8 + len(payload), 0) + payload, 6, v6, 0, is_open)


def pcap(packets):
    out = struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)  # nanoseconds, Ethernet
    for ms, data in packets:
        ns = round(ms * 1e6)
        out += struct.pack("=IIII", ns // 10**9, ns % 10**9, len(data), len(data)) + data
    return out


P3 = {"p1": "ALPHA", "p2": "ALPHA", "p3": "ALPHA"}
P4 = {"a1": "ALPHA", "a2": "ALPHA", "b1": "BETA", "b2": "BETA"}
A, B, C = host(1), host(2), host(3)
S = 1000  # ms
